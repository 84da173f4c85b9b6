"""The automation process is killed around its calls to others: to Google by an agent, to endpoints.

What an agent does at Google happens at most once, and a doubt is shown. What endpoints are told arrives at
least once, under the same id.
"""

from collections import Counter, defaultdict
from typing import Any

import pytest
from sqlmodel import text

from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.automation import executions
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import SignalKind
from aerostic.domain.signals.telling import Happened
from tests.ai.agents import agent_of, graph_with, turns_of
from tests.automation.kinds import (
    begun,
    execution_of,
    published,
    steps,
    test_kinds,  # noqa: F401
)
from tests.clients import member
from tests.connections.connecting import connect
from tests.crash.dying import automating, deaths
from tests.gemini import google  # noqa: F401
from tests.google import google_house, google_stand_in  # noqa: F401
from tests.waiting import until
from tests.webhooks_out.receiver import receiving

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def nothing_is_due() -> None:
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(text("delete from due_work"))


# An agent's tool at Google ------------------------------------------------------------------------

# `way` says where the process dies: before a row is added, when it was added, and when the model is asked on.
AT_GOOGLE = """
from aerostic.domain.ai import turns
from aerostic.integrations.google.client import GoogleClient
send, write = GoogleClient.send, turns.write

def way():
    return (folder / "way").read_text()

async def dies(self, request):
    adds = ":append" in request.url
    if adds and way() == "before":
        die_once("before")
    answer = await send(self, request)
    if adds and way() == "after":
        die_once("after")
    return answer

def dies_later(ctx, turn):
    if turn.number == 2 and way() == "later":
        die_once("later")
    return write(ctx, turn)

GoogleClient.send, turns.write = dies, dies_later
"""


def leads(house: Any) -> list[str]:
    return [row[0] for row in house.file("Leads")["values"]["Leads"]]


def test_an_agents_tool_writes_to_google_at_most_once(place, google, google_house, tmp_path):  # noqa: F811
    sheet = {
        "account": str(connect(place, google_house)),
        "spreadsheet": google_house.file("Leads")["id"],
        "values": [{"name": "Name", "value": "{{ tool.who }}"}],
        "tool_description": "Notes a lead.",
        "tool_parameters": [{"name": "who", "type": "text"}],
    }
    agent = agent_of(place)
    version = published(place, graph_with(agent, ("note", "google.sheets", sheet)))
    (tmp_path / "way").write_text("none")
    written = leads(google_house)
    with automating(tmp_path, AT_GOOGLE):
        for way in ("before", "after", "later", "none"):
            (tmp_path / "way").write_text(way)
            noted = {"calls": [{"name": "note", "args": {"who": way}}]}
            google.will_answer(noted, {"text": "Noted."})
            run = begun(place, version, message={"text": "I am interested."})
            stands = ended(place, run)
            step = steps(place, run)[-1]
            if way == "none":
                assert (stands, step["output"]["text"]) == ("done", "Noted.")
                break
            assert (stands, step["status"]) == ("unknown", "unknown")
            assert "interrupted" in step["error"]
            with place.work("admin") as ctx:
                executions.choose(ctx, run, "skip", {"text": "Noted by hand."})
            assert ended(place, run) == "done"
    assert deaths(tmp_path) == 3
    assert leads(google_house) == [*written, "after", "later", "none"]
    # A turn is written down when its tools have answered: the two that died before that are not there.
    assert Counter(one.number for one in turns_of(place, agent)) == {1: 2, 2: 1}


def ended(place, execution_id) -> str:
    """How the run stands once nobody walks it any more."""

    def status() -> str:
        found = str(execution_of(place, execution_id).status)
        return "" if found in {"ready", "running"} else found

    return until(status, what="the run's end", seconds=60)


# Endpoints of other programs ----------------------------------------------------------------------

AT_ENDPOINTS = """
from aerostic.domain.webhooks_out import delivering, lane
delivering.LEASE = timedelta(seconds=2)
tell, post, record = lane._tell, lane._post, delivering.record

async def tells(client, batch):
    die_once("claimed")
    return await tell(client, batch)

async def posts(client, batch, one):
    posted = await post(client, batch, one)
    die_once("posted")
    return posted

def records(ctx, endpoint_id, posted):
    die_once("told")
    record(ctx, endpoint_id, posted)
    ctx.session.flush()
    die_once("recorded")

lane._tell, lane._post, delivering.record = tells, posts, records
"""


def test_endpoints_are_told_everything_whatever_is_killed(place, rival, monkeypatch, tmp_path):
    monkeypatch.setenv("AEROSTIC_OUTSIDE_ALLOW", "127.0.0.1")
    settings.cache_clear()
    with receiving() as ours, receiving() as theirs:
        for where, receiver in ((place, ours), (rival, theirs)):
            hook = {"url": receiver.url, "events": ["contact.created"]}
            assert member(where).post("/api/v1/webhook-endpoints", json=hook).status_code == 201
            with where.system_work() as ctx:
                telling.tell(ctx, [Happened(SignalKind.CONTACT_CREATED) for _ in range(20)])
        with automating(tmp_path, AT_ENDPOINTS):
            for where in (place, rival):
                until(lambda where=where: delivered(where) == 20, what="all", seconds=60)
    assert deaths(tmp_path) == 4
    for receiver in (ours, theirs):
        bodies = defaultdict(set)
        for headers, body in receiver.posts:
            bodies[headers["webhook-id"]].add(body)
        assert len(bodies) == 20
        assert {len(same) for same in bodies.values()} == {1}
    monkeypatch.undo()
    settings.cache_clear()


def delivered(place) -> int:
    with place.system_work() as ctx:
        count = "select count(*) from webhook_dispatches where status = 'delivered'"
        return ctx.session.scalar(text(count))

"""The automation process is killed at every step boundary of a ten-step run, and inside of its calls.

Record changes and messages happen exactly once, calls at most once; one that was interrupted is shown as
unknown, with a choice; every run ends, and its log is whole.
"""

from collections import Counter
from uuid import UUID

import pytest
from sqlmodel import select, text

from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from aerostic.domain.automation import executions
from aerostic.domain.inbox.models import Message
from tests.automation.kinds import (
    begun,
    chain,
    execution_of,
    notes,
    published,
    steps,
    test_kinds,  # noqa: F401
)
from tests.builders import conversation_of
from tests.crash.dying import automating, deaths
from tests.waiting import until

pytestmark = [pytest.mark.crash, pytest.mark.timeout(400)]

# A run says at which of its steps the process dies: before it, or in the middle of its call.
WHERE = """
async def asked(what):
    line = f"{what['run']} {what['step']}\\n".encode()
    with open(folder / "calls", "ab", buffering=0) as calls:
        calls.write(line)
    if what["dies_in"] == what["step"]:
        die_once(f"in-{what['run']}")
    return {"id": what["step"]}

kinds.Ask.asked = staticmethod(asked)
step = runner.Runner._step

async def dies(self, run):
    if run.given["input"]["dies_before"] == run.steps + 1 and not run.resting:
        die_once(f"before-{run.id}")
    return await step(self, run)

runner.Runner._step = dies
"""


@pytest.fixture(autouse=True)
def nothing_is_due() -> None:
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(text("delete from due_work"))


def call(step: int) -> tuple[str, dict[str, object]]:
    what = {"run": "{{ input.run }}", "step": step, "dies_in": "{{ input.dies_in }}"}
    return ("test.call", {"what": what})


TEN_STEPS = (
    ("test.note", {"text": "one"}),
    ("test.name", {"name": "x", "value": 1}),
    call(4),
    ("test.note", {"text": "two"}),
    ("send.text", {"text": "Hello"}),
    ("test.name", {"name": "y", "value": 2}),
    call(8),
    ("send.text", {"text": "Bye"}),
    ("test.note", {"text": "three"}),
)
CALLS = (4, 8)


def test_killed_at_every_boundary(place, rival, tmp_path):
    version = published(place, chain(*TEN_STEPS))
    runs: dict[UUID, UUID] = {}
    in_doubt = []
    ways = [(n, 0) for n in range(1, 11)] + [(0, n) for n in CALLS]
    with automating(tmp_path, WHERE):
        for number, (dies_before, dies_in) in enumerate(ways):
            talk = conversation_of(place, f"P{number}", phone=f"4915{number:09}")
            known = {"run": str(number), "dies_before": dies_before, "dies_in": dies_in}
            execution_id = begun(place, version, conversation_id=talk, input=known)
            runs[execution_id] = talk
            if ended(place, execution_id) == "unknown":
                in_doubt.append((dies_before, dies_in))
                assert steps(place, execution_id)[-1]["status"] == "unknown"
                with place.work("admin") as ctx:
                    executions.choose(ctx, execution_id, "skip", {"id": 0})
                assert ended(place, execution_id) == "done"
    assert deaths(tmp_path) == len(ways)
    # In doubt is what died in a call, or after one whose answer was not written down yet.
    assert in_doubt == [(5, 0), (9, 0), (0, 4), (0, 8)]
    made = Counter((tmp_path / "calls").read_text().splitlines())
    assert set(made.values()) == {1}
    for execution_id, talk in runs.items():
        assert notes(place, talk) == ["one", "two", "three"]
        assert _sent(place, talk) == ["Hello", "Bye"]
        log = steps(place, execution_id)
        assert [one["number"] for one in log] == list(range(1, 11))
        assert {one["status"] for one in log} <= {"done", "skipped"}


def ended(place, execution_id: UUID) -> str:
    """How the run stands once nobody walks it any more."""

    def status() -> str:
        found = str(execution_of(place, execution_id).status)
        return "" if found in {"ready", "running"} else found

    return until(status, what="the run's end", seconds=60)


def _sent(place, talk: UUID) -> list[str]:
    with place.system_work() as ctx:
        ours = select(Message.text).where(Message.conversation_id == talk).order_by(Message.id)
        return list(ctx.session.exec(ours))

"""Webhook to screen: from the start of Meta's request until the message stands in a Chromium's page.

The whole way: web, worker, a durable PostgreSQL, a Valkey. Ten workspaces of ten people with the inbox
open: 99 sockets and one Chromium. Two messages a second for the Chromium's workspace, and two more
dealt among the other nine.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import httpx
from playwright.async_api import Page, async_playwright

from aerostic.core import queue
from aerostic.operations import frontend
from aerostic.operations.processes import free_port
from bench.figures import Figure, at_most, percentile
from bench.make_deliveries import delivery, signature
from bench.stage import (
    APP_SECRET,
    OURSELVES,
    NotPossible,
    Stage,
    answers,
    cpu_seconds,
    outside,
    running,
    stage,
    until,
)
from bench.tabs import Person, one_after_the_other, open_tab

WORKSPACES = 10
PEOPLE = 10
CUSTOMERS = 20  # of each workspace: few enough that all stand on the first page of the list
PER_SECOND = 2.0
WARM_UP = 20
GOAL_MS = 200.0
MARK = "live-"
# Where a mark is seen for the first time, and when: on the same clock as ours. Told at once, so that a page
# that loads again shows as slow and not as blind.
WATCH = """
    const told = new Set();
    const look = text => {
        for (const [mark] of (text || '').matchAll(/live-\\d+-/g)) {
            if (told.has(mark)) continue;
            told.add(mark);
            window.seen(mark, performance.timeOrigin + performance.now());
        }
    };
    new MutationObserver(changes => {
        for (const change of changes) {
            if (change.type === 'characterData') look(change.target.data);
            for (const added of change.addedNodes) look(added.textContent);
        }
    }).observe(document, {subtree: true, childList: true, characterData: true});
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One tenant, its number, and the sessions of its ten people."""

    path: str
    number: str
    cookies: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """When each message was posted, answered, heard by a neighbour's socket, and seen by the Chromium."""

    posted: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0

    def spans(self, until_when: dict[str, float]) -> list[float]:
        """Milliseconds from the start of the request, of every message that got there."""
        marks = [mark for mark in self.posted if mark in until_when]
        return [until_when[mark] - self.posted[mark] for mark in marks]


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """The middle and the slowest hundredth of all samples, and where the time goes."""
    samples = 60 if quick else 500
    with ExitStack() as started:
        here = started.enter_context(stage())
        url, web = started.enter_context(_product(here))
        workspaces = _workspaces(url)
        found = asyncio.run(_watch(url, workspaces, samples, web))
    yield from _figures(found, samples)
    per_message = found.cpu_seconds / (2 * (samples + WARM_UP)) * 1000
    yield Figure("live", "web_cpu_ms", per_message, "ms of the web process's time a message")


def _figures(found: Found, samples: int) -> Iterator[Figure]:
    seen = found.spans(found.seen)
    if not seen:
        raise NotPossible("No message was seen in the page.")
    yield Figure("live", "webhook_to_dom_p50_ms", percentile(seen, 0.5), "ms")
    yield at_most("live", "webhook_to_dom_p99_ms", percentile(seen, 0.99), "ms", GOAL_MS)
    yield Figure("live", "webhook_to_dom_max_ms", max(seen), "ms")
    yield at_most("live", "unseen", float(samples - len(seen)), f"of {samples}", 0.0)
    yield Figure(
        "live", "webhook_to_200_p99_ms", percentile(found.spans(found.answered), 0.99), "ms"
    )
    yield Figure(
        "live", "webhook_to_socket_p50_ms", percentile(found.spans(found.heard), 0.5), "ms"
    )
    yield Figure(
        "live", "webhook_to_socket_p99_ms", percentile(found.spans(found.heard), 0.99), "ms"
    )


# While it runs


async def _watch(url: str, workspaces: list[Workspace], samples: int, web: int) -> Found:
    found = Found()
    observed, others = workspaces[0], workspaces[1:]
    people = [Person(cookie, one.path) for one in workspaces for cookie in one.cookies]
    neighbour, rest = people[1], people[2:]  # the first person is the Chromium
    tabs = [open_tab(url, neighbour, lambda said: _note(found.heard, said))]
    tabs += [open_tab(url, person, lambda _said: None) for person in rest]
    async with async_playwright() as playwright:
        await one_after_the_other(tabs)
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox"],
        )
        page = await browser.new_page()
        await page.expose_function("seen", lambda mark, at: found.seen.setdefault(mark, at))
        await _open_chromium(page, url, observed)
        async with httpx.AsyncClient(base_url=url) as meta:
            spent = cpu_seconds(web)
            await _post_for_a_while(meta, observed, others, samples, found)
        await asyncio.sleep(2)
        found.cpu_seconds = cpu_seconds(web) - spent
        await browser.close()
    return found


async def _open_chromium(page: Page, url: str, workspace: Workspace) -> None:
    held = (one.partition("=") for one in workspace.cookies[0].split("; "))
    await page.context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, _, value in held]
    )
    await page.add_init_script(WATCH)
    await page.goto(url + workspace.path)
    await page.wait_for_load_state("networkidle")


async def _post_for_a_while(
    meta: httpx.AsyncClient,
    observed: Workspace,
    others: list[Workspace],
    samples: int,
    found: Found,
) -> None:
    """Messages at a steady rate, whether or not the ones before were answered."""
    chance = random.Random(1)
    noise = cycle(others)
    places = count()
    requests: list[asyncio.Task[None]] = []
    for place in range(WARM_UP + samples):
        mark = f"{MARK}{place}-"
        kept = found if place >= WARM_UP else Found()
        requests.append(
            asyncio.create_task(_post(meta, observed, mark, chance, next(places), kept))
        )
        await asyncio.sleep(chance.uniform(0.5, 1.5) / PER_SECOND / 2)
        other = next(noise)
        requests.append(asyncio.create_task(_post(meta, other, "-", chance, next(places), Found())))
        await asyncio.sleep(0.5 / PER_SECOND)
    await asyncio.gather(*requests)


async def _post(
    meta: httpx.AsyncClient,
    workspace: Workspace,
    mark: str,
    chance: random.Random,
    place: int,
    found: Found,
) -> None:
    phone = f"1555000{place // 2 % CUSTOMERS:04d}"
    body = delivery(workspace.number, chance, int(time.time()), phone, text=f"{mark} Is it open?")
    headers = {"X-Hub-Signature-256": f"sha256={signature(body, APP_SECRET)}"}
    found.posted[mark] = time.time() * 1000
    answer = await meta.post("/webhooks/meta", content=body, headers=headers)
    found.answered[mark] = time.time() * 1000
    assert answer.status_code == 200, answer.text


def _note(heard: dict[str, float], said: str) -> None:
    now = time.time() * 1000
    for part in said.split(MARK)[1:]:
        heard.setdefault(f"{MARK}{part.partition('-')[0]}-", now)


# Before it runs


@contextmanager
def _product(here: Stage) -> Iterator[tuple[str, int]]:
    """The web process and a worker, as `run.py` starts them; the pages built if need be."""
    frontend.build_if_needed(here.folder / "build.log", here.environment)
    port = free_port()
    url = f"http://localhost:{port}"
    environment = {
        **outside(),
        **here.environment,
        "AEROSTIC_PUBLIC_URL": url,
        "AEROSTIC_BCRYPT_ROUNDS": "4",  # a hundred people sign in before anything is measured
    }
    ready = here.folder / "worker-ready"
    queues = ",".join((queue.QueueName.DELIVERIES, queue.QueueName.DEFAULT))
    commands: dict[str, Any] = {
        "web": [*OURSELVES, "web", "--port", str(port)],
        "worker": [*OURSELVES, "worker", "--queues", queues],
    }
    with ExitStack() as started:
        pids = {}
        for name, command in commands.items():
            told = {**environment, "AEROSTIC_RUN_READY_FILE": str(ready)}
            log = here.folder / f"{name}.log"
            process = running(command, core=None, environment=told, log=log)
            pids[name] = started.enter_context(process).pid
        until(lambda: answers(f"{url}/health/ready") and ready.exists(), what="web and worker")
        yield url, pids["web"]


def _workspaces(url: str) -> list[Workspace]:
    """Ten workspaces of ten people, each signed in through the front door."""
    from tests.conftest import _make_place

    return [
        _workspace(url, place, _make_place(f"Workspace {place}")) for place in range(WORKSPACES)
    ]


def _workspace(url: str, place: int, made: Any) -> Workspace:
    from tests.conftest import PASSWORD

    emails = [made.emails["owner"], made.emails["admin"], made.emails["agent"]]
    emails += [_colleague(made, number) for number in range(PEOPLE - len(emails))]
    # Each office has an address of its own: sign-ins are limited by address.
    transport = httpx.HTTPTransport(local_address=f"127.0.0.{place + 2}")
    with httpx.Client(
        base_url=url.replace("localhost", "127.0.0.1"), transport=transport
    ) as office:
        cookies = tuple(_sign_in(office, email, PASSWORD) for email in emails)
    path = f"/dashboard/{made.tenant_id}/inbox"
    return Workspace(path, made.phone_number_id, cookies)


def _sign_in(office: httpx.Client, email: str, password: str) -> str:
    office.cookies.clear()
    answer = office.post("/auth/session", json={"email": email, "password": password})
    if answer.status_code != 200:
        raise NotPossible(f"{email} could not sign in: {answer.text}")
    # Both: a page that can not refresh its session goes to the sign-in page after a minute.
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def _colleague(made: Any, number: int) -> str:
    """One more agent, with the owner's password."""
    from aerostic.core.permissions import STRANGER, Role
    from aerostic.core.tenancy import shared_work
    from aerostic.domain.identity.models import User
    from aerostic.domain.tenants.models import Membership

    email = f"colleague-{number}-{made.slug}@example.test"
    with shared_work(STRANGER) as ctx:
        owner = ctx.session.get_one(User, made.owner_id)
        user = User(email=email, name=f"Agent {number}", password_hash=owner.password_hash)
        ctx.session.add(user)
        ctx.session.flush()
        ctx.session.add(Membership(tenant_id=made.tenant_id, user_id=user.id, role=Role.AGENT))
    return email

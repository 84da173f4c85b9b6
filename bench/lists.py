"""How long a page of each list takes in a workspace with a million conversations and a million messages.

`python -m bench.lists [--rows 1000000] [--json]`, on a throw-away PostgreSQL, under row-level security, each
figure the median of `TURNS` calls of the product's own functions, a new transaction each.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

TURNS = 15
GOAL_MS = 50.0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    for metric, value in measure(options.rows):
        report(metric, value, as_json=options.json)


def report(metric: str, value: float, *, as_json: bool) -> None:
    told = {"bench": "lists", "metric": metric, "value": round(value, 2), "unit": "ms"}
    told |= {
        "peer": None,
        "peer_value": None,
        "ratio": None,
        "goal": GOAL_MS,
        "met": value <= GOAL_MS,
    }
    line = f"lists {metric}: {value:.2f} ms (goal {GOAL_MS:.0f})"
    print(json.dumps(told) if as_json else line, flush=True)


def measure(rows: int) -> Iterator[tuple[str, float]]:
    from tests import conftest

    class Config:
        def add_cleanup(self, stop: Callable[[], None]) -> None:
            self.stop = stop

    config = Config()
    conftest.pytest_configure(config)  # type: ignore[arg-type]
    try:
        yield from _measure(rows)
    finally:
        config.stop()


def _measure(rows: int) -> Iterator[tuple[str, float]]:
    from aerostic.core import clock
    from aerostic.domain.inbox import queries
    from aerostic.domain.inbox.models import ConversationStatus
    from aerostic.domain.inbox.schemas import ConversationFilter, View
    from bench import fill
    from tests.conftest import _make_place

    place = _make_place("Crowd")
    began = time.perf_counter()
    with place.system_work() as ctx:
        people = [place.owner_id, place.admin_id]
        made = fill.conversations(ctx, place.number_id, rows, agents=people, until=clock.now())
        # A busy conversation among quiet ones, and someone with next to nothing.
        fill.messages(ctx, place.number_id, rows, among=made[::100], until=clock.now())
        rare, common = fill.labels(ctx, made)
        oldest = fill.tag_of_the_oldest(ctx, rows * 2 // 5)
    print(f"# filled in {time.perf_counter() - began:.0f} s", flush=True)
    with psycopg.connect(os.environ["AEROSTIC_DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(
            "vacuum analyze contacts, contact_tags, conversations, messages, conversation_labels"
        )

    def page(wanted: ConversationFilter, role: str = "owner") -> Callable[[], Any]:
        def look() -> Any:
            with place.work(role) as ctx:
                return queries.conversations(ctx, wanted)

        return look

    def deep() -> Any:
        with place.work() as ctx:
            return queries.conversations(ctx, ConversationFilter(), middle)

    def asking(ask: Callable[..., Any], *given: Any) -> Callable[[], Any]:
        def look() -> Any:
            with place.work() as ctx:
                return ask(ctx, *given)

        return look

    from aerostic.core.pages import cursor_of
    from aerostic.domain.contacts import queries as contacts
    from aerostic.domain.contacts.schemas import ContactFilter

    middle = cursor_of(clock.now() - fill.SPAN / 2, made[rows // 2])
    closed = ConversationStatus.CLOSED
    looks = {
        "open": page(ConversationFilter()),
        "open, from the middle": deep,
        "any status": page(ConversationFilter(status=None)),
        "closed": page(ConversationFilter(status=closed)),
        "mine": page(ConversationFilter(View.MINE)),
        "mine, any status": page(ConversationFilter(View.MINE, status=None)),
        "mine, of someone with none": page(ConversationFilter(View.MINE), "agent"),
        "unassigned": page(ConversationFilter(View.UNASSIGNED)),
        "unread": page(ConversationFilter(is_unread=True)),
        "unread and mine": page(ConversationFilter(View.MINE, is_unread=True)),
        "unread and closed": page(ConversationFilter(status=closed, is_unread=True)),
        "number": page(ConversationFilter(number_id=place.number_id)),
        "another number": page(ConversationFilter(number_id=place.account_id)),
        "label on 20": page(ConversationFilter(label_id=rare)),
        "label on a tenth": page(ConversationFilter(label_id=common)),
        "label on a tenth, mine, unread": page(
            ConversationFilter(View.MINE, label_id=common, is_unread=True)
        ),
        "counts": asking(queries.counts),
        "conversation": asking(queries.conversation, made[0]),
        "thread": asking(queries.thread, made[0]),
        "contacts": asking(contacts.contacts),
        "contacts with a tag, all at the far end": asking(
            contacts.contacts, ContactFilter(tag_ids=(oldest,))
        ),
        "search, found at once": asking(queries.search, "coffee"),
        "search, a stretch without a hit": asking(queries.search, "zebra"),
    }
    for name, look in looks.items():
        yield name, _median_ms(look)


def _median_ms(look: Callable[[], Any]) -> float:
    look()
    spent = []
    for _ in range(TURNS):
        began = time.perf_counter()
        look()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


if __name__ == "__main__":
    main()

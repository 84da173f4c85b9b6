"""Lists of contacts stay quick: what the product sends is answered from indexes, and exactly."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event
from sqlmodel import select

from aerostic.core import database
from aerostic.domain.contacts import finding, listing, queries, service
from aerostic.domain.contacts.models import Contact, ContactTag, Tag
from aerostic.domain.contacts.schemas import ContactFilter, Selection, Sort
from tests.builders import contact_of
from tests.conftest import Place, _make_place

COUNT = 20_000
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WATCHED = ("contacts", "contact_words", "contact_tags")

# The newest is number 1. Numbers begin with 4917; every name has a word of its own and one shared by 200.
_PEOPLE = """
    insert into contacts (tenant_id, id, name, profile_name, sort_name, phone, attributes, is_blocked,
        revision, created_at, updated_at, last_activity_at)
    select %(tenant)s, md5(%(tenant)s::text || n)::uuid, 'Group' || n %% 100 || ' One' || n, '',
        'group' || n %% 100 || ' one' || n, (491700000000 + n)::text, '{}', false, 0, now(), now(),
        now() - n * interval '1 second'
    from generate_series(1, %(count)s) n
"""
_WORDS = """
    insert into contact_words (tenant_id, word, contact_id)
    select %(tenant)s, word, md5(%(tenant)s::text || n)::uuid
    from generate_series(1, %(count)s) n, lateral (values
        ('group' || n %% 100), ('one' || n), ((491700000000 + n)::text)) r (word)
"""
_TAGGED = """
    insert into contact_tags (tenant_id, tag_id, contact_id)
    select %(tenant)s, %(tag)s, md5(%(tenant)s::text || n)::uuid
    from generate_series(%(first)s::int, %(count)s) n where n %% %(every)s = 0
"""


@pytest.fixture(scope="module")
def crowd() -> tuple[Place, dict[str, UUID]]:
    place = _make_place("Crowd")
    tags = {"everywhere": (1, 2), "oldest": (12_001, 1), "few": (1, 2_000)}
    ids = {}
    with place.system_work() as ctx:
        given = {"tenant": place.tenant_id, "count": COUNT}
        ctx.cursor().execute(_PEOPLE, given)
        ctx.cursor().execute(_WORDS, given)
        for name, (first, every) in tags.items():
            tag = Tag(name=name)
            ctx.session.add(tag)
            ctx.session.flush()
            ids[name] = tag.id
            ctx.cursor().execute(_TAGGED, given | {"tag": tag.id, "first": first, "every": every})
    owner = os.environ["AEROSTIC_DATABASE_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("analyze contacts, contact_words, contact_tags")
    return place, ids


@contextmanager
def plans_of(ctx) -> Iterator[list[dict]]:
    """The plans of every statement that reads contacts, words or tags inside."""
    sent: list[tuple[str, dict]] = []
    plans: list[dict] = []

    def note(_connection, _cursor, statement, parameters, *_):
        if any(f"FROM {table} " in statement.replace("\n", " ") for table in WATCHED):
            sent.append((statement, parameters))

    event.listen(database.engine(), "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(database.engine(), "before_cursor_execute", note)
    for statement, parameters in sent:
        told = ctx.cursor().execute("explain (format json) " + statement, parameters).fetchone()
        plans.append(told[0][0]["Plan"])


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scanned_whole(plans: list[dict]) -> list[str]:
    return [
        node["Relation Name"]
        for plan in plans
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in WATCHED
    ]


def numbers(page) -> list[int]:
    return [int(row.name.rpartition("One")[2]) for row in page.items]


def wanted_of(ids: dict[str, UUID], text: str, tag: str | None) -> ContactFilter:
    return ContactFilter(text=text, tag_ids=(ids[tag],) if tag else ())


SEARCHES = [
    ("", None, list(range(1, 21))),
    ("one", None, list(range(1, 21))),
    ("group7 one", None, [7, *range(70, 80), 107, *range(170, 178)]),
    ("one777", None, [777, *range(7_770, 7_780)]),
    ("one12345 group45", None, [12_345]),
    ("one12345 group46", None, []),
    ("+49 1700 012 345", None, [12_345]),
    ("", "everywhere", list(range(2, 42, 2))),
    ("one1", "everywhere", [10, 12, 14, 16, 18, *range(100, 130, 2)]),
    ("", "few", list(range(2_000, COUNT + 1, 2_000))),
    ("group5", "few", []),
]


@pytest.mark.parametrize(("text", "tag", "expected"), SEARCHES)
def test_a_page_is_exact_and_comes_from_indexes(crowd, text, tag, expected):
    place, ids = crowd
    with place.work("agent") as ctx:
        with plans_of(ctx) as plans:
            page = queries.contacts(ctx, wanted_of(ids, text, tag), limit=20)
        assert numbers(page) == expected
        # Looking whether a word is rare stops after the first 2,000 rows, wherever they are read from.
        pages = [plan for plan in plans if plan["Plan Rows"] <= 50]
        assert pages
        assert scanned_whole(pages) == []


@pytest.mark.parametrize("text", ["", "one1"])
def test_who_all_stand_at_the_end_are_gathered(crowd, text):
    place, ids = crowd
    with place.work("agent") as ctx:
        page = queries.contacts(ctx, wanted_of(ids, text, "oldest"), limit=20)
        assert numbers(page) == list(range(12_001, 12_021))


def test_a_page_of_a_common_tag_is_one_short_walk_wherever_its_people_stand(crowd):
    place, ids = crowd
    with place.work("agent") as ctx:
        with plans_of(ctx) as plans:
            queries.contacts(ctx, wanted_of(ids, "", "oldest"), limit=20)
        used = {node.get("Index Name") for plan in plans for node in nodes(plan)}
        assert "contact_tags_by_activity" in used
        assert not [
            node
            for plan in plans
            for node in nodes(plan)
            if node["Node Type"] == "Sort" and node["Plan Rows"] > 100
        ]


def test_who_stirs_comes_first_in_their_tag_too(place, rival):
    """Whatever moves a contact, moves its tags: the database sees to it."""
    people = [
        contact_of(place, name, last_activity_at=NOON) for name in ("One10", "One11", "One12")
    ]
    elsewhere = contact_of(rival, "One10", last_activity_at=NOON)
    with place.work() as ctx:
        tag = service.create_tag(ctx, "VIP").id
        service.tag_contacts(ctx, tag, Selection(ids=tuple(people)))
    with rival.work() as ctx:
        other = service.create_tag(ctx, "VIP").id
        service.tag_contacts(ctx, other, Selection(ids=(elsewhere,)))
    with place.work() as ctx:
        ctx.get(Contact, people[1]).last_activity_at = NOON + timedelta(hours=1)
    with place.work() as ctx:
        first = queries.contacts(ctx, ContactFilter(tag_ids=(tag,)), limit=2)
        rest = queries.contacts(
            ctx, ContactFilter(tag_ids=(tag,)), limit=2, after=first.next_cursor
        )
        assert [row.id for row in (*first.items, *rest.items)] == [
            people[1],
            *sorted([people[0], people[2]], reverse=True),
        ]
    with rival.work() as ctx:
        [row] = ctx.session.exec(select(ContactTag).where(ContactTag.tenant_id == rival.tenant_id))
        assert row.last_activity_at == NOON


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize(
    ("text", "tag"), [("", "oldest"), ("one1", "everywhere"), ("group7", None)]
)
def test_pages_together_hold_everyone_once_wherever_they_stand(crowd, monkeypatch, text, tag, sort):
    """Rare or common, met on the way or gathered from the far end: the same people, in the same order."""
    monkeypatch.setattr(listing, "SHORT_WALK", 500)
    place, ids = crowd
    wanted = wanted_of(ids, text, tag)
    with place.work("agent") as ctx:
        paged, cursor = [], None
        while True:
            page = queries.contacts(ctx, wanted, sort=sort, after=cursor, limit=200)
            paged += numbers(page)
            cursor = page.next_cursor
            if cursor is None or len(paged) >= 1_000:
                break
        monkeypatch.setattr(finding, "RARE", 10 * COUNT)
        whole, cursor = [], None
        while len(whole) < len(paged):
            page = queries.contacts(ctx, wanted, sort=sort, after=cursor, limit=200)
            whole += numbers(page)
            cursor = page.next_cursor
    assert paged == whole
    assert len(set(paged)) == len(paged) > 200


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        ("", None, 10_000),
        ("", "oldest", 8_000),
        ("", "few", 10),
        ("one1", "few", 5),
        ("x", None, 0),
    ],
)
def test_counts_are_exact_up_to_where_they_end(crowd, text, tag, expected):
    place, ids = crowd
    with place.work("agent") as ctx:
        assert queries.count(ctx, wanted_of(ids, text, tag)).number == expected

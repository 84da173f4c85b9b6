"""A person as a whole: merged with another, told over time, forgotten, and taken along as a file."""

import csv
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlmodel import select

from aerostic.core.errors import AppError, Invalid, NotAllowed, NotFound
from aerostic.domain.campaigns import service as campaigns
from aerostic.domain.campaigns.variables import Source, SourceKind
from aerostic.domain.contacts import queries as contacts
from aerostic.domain.contacts import service as contact_service
from aerostic.domain.contacts.exporting import ExportFormat
from aerostic.domain.contacts.models import AttributeType, Contact
from aerostic.domain.contacts.schemas import ContactFilter, NewContact, Selection
from aerostic.domain.dossier import queries, service
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation, Message, OutboxItem
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.media.storage import path_of, write
from aerostic.domain.templates.models import Template
from aerostic.domain.tenants import service as tenants
from tests.builders import conversation_of, inbound, outbound
from tests.campaigns import running
from tests.waiting import until

SECRET = "swordfish"


def enter(place, name: str, phone: str, **more) -> UUID:
    with place.work() as ctx:
        return contact_service.create(ctx, NewContact(name=name, phone=phone, **more)).id


def contact(place, contact_id):
    with place.work() as ctx:
        return contacts.contact(ctx, contact_id)


def rows(place, model):
    with place.system_work() as ctx:
        return list(ctx.session.exec(select(model)))


# Merging ----------------------------------------------------------------------------------------


def test_two_contacts_become_one_with_everything_of_both(place):
    ada = enter(place, "Ada", "+491701234567")
    other = enter(place, "A. King", "+441632960001", email="ada@example.org")
    mine = conversation_of(place, contact_id=ada)
    theirs = conversation_of(place, contact_id=other)
    first, second = inbound(place, mine, "one"), inbound(place, theirs, "two")
    with place.work() as ctx:
        tag = contact_service.create_tag(ctx, "VIP").id
        contact_service.tag_contacts(ctx, tag, Selection(ids=(other,)))
        service.merge(ctx, ada, other)
    kept = contact(place, other)
    assert (kept.id, kept.name, kept.phone, kept.email) == (
        ada,
        "Ada",
        "491701234567",
        "ada@example.org",
    )
    assert {one.value for one in kept.identities} == {"491701234567", "441632960001"}
    assert [one.name for one in kept.tags] == ["VIP"]
    assert [one.id for one in rows(place, Conversation)] == [mine]
    messages = {(one.id, one.conversation_id, one.contact_id) for one in rows(place, Message)}
    assert messages == {(first, mine, ada), (second, mine, ada)}
    with place.work() as ctx:
        assert [
            row.id for row in contacts.contacts(ctx, ContactFilter(text="632960001")).items
        ] == [ada]
        told = [item.text for item in queries.timeline(ctx, ada).items]
    assert "Owner merged A. King into this contact." in told


def test_someone_chooses_whose_word_stays_field_by_field(place, rival):
    with place.work() as ctx:
        contact_service.define_attribute(ctx, "City", AttributeType.TEXT)
        contact_service.define_attribute(ctx, "Size", AttributeType.TEXT)
    ada = enter(place, "Ada", "+491701234567", attributes={"city": "Turin", "size": "M"})
    other = enter(
        place, "A. King", "+441632960001", email="a@example.org", attributes={"city": "London"}
    )
    with place.work() as ctx:
        shown = queries.differences(ctx, ada, other)
    assert [(one.field, one.label, one.ours, one.theirs) for one in shown] == [
        ("name", "Name", "Ada", "A. King"),
        ("phone", "Phone number", "491701234567", "441632960001"),
        ("country", "Country", "DE", "GB"),
        ("attributes.city", "City", "Turin", "London"),
    ]
    with rival.work() as ctx, pytest.raises(NotFound):
        queries.differences(ctx, ada, other)
    with place.work() as ctx, pytest.raises(Invalid, match="“id” is no field"):
        service.merge(ctx, ada, other, take=["id"])
    with place.work() as ctx:
        service.merge(ctx, ada, other, take=["name", "phone", "attributes.city", "language"])
    kept = contact(place, ada)
    assert (kept.name, kept.phone, kept.email, kept.country) == (
        "A. King",
        "441632960001",
        "a@example.org",
        "DE",
    )
    assert kept.attributes == {"city": "London", "size": "M"}
    assert {one.value for one in kept.identities} == {"491701234567", "441632960001"}
    talk = conversation_of(place, contact_id=ada)
    with place.work("agent") as ctx:
        inbox.reply(ctx, talk, Draft.text("Hello"))
        assert [
            contacts.contacts(ctx, ContactFilter(text=one)).items[0].id for one in ("king",)
        ] == [ada]
    assert [one.recipient for one in rows(place, OutboxItem)] == ["441632960001"]


def test_who_was_merged_twice_is_still_found_by_every_id(place):
    first, second, third = (enter(place, f"p{n}", f"+4917012345{n}0") for n in range(3))
    with place.work() as ctx:
        service.merge(ctx, second, first)
    with place.work() as ctx:
        service.merge(ctx, third, second)
    assert contact(place, first).id == contact(place, second).id == third
    with pytest.raises(Invalid, match="same contact"), place.work() as ctx:
        service.merge(ctx, third, first)


def test_nobody_is_merged_across_workspaces(place, rival):
    ours, theirs = enter(place, "Ada", "+491701234567"), enter(rival, "Eve", "+491701234567")
    for one, other in [(ours, theirs), (theirs, ours)]:
        with pytest.raises(NotFound), place.work() as ctx:
            service.merge(ctx, one, other)
    assert (contact(place, ours).name, contact(rival, theirs).name) == ("Ada", "Eve")


# Over time --------------------------------------------------------------------------------------


def test_the_timeline_tells_what_people_did_newest_first_in_pages(place, rival):
    ada = enter(place, "Ada", "+491701234567")
    conversation = conversation_of(place, contact_id=ada)
    with place.work("agent") as ctx:
        service.block(ctx, ada)
    with place.work("agent") as ctx:
        inbox.add_note(ctx, conversation, "Likes the window")
    with place.work("agent") as ctx:
        first = queries.timeline(ctx, ada, limit=2)
        rest = queries.timeline(ctx, ada, after=first.next_cursor, limit=2)
    told = [item.text for item in (*first.items, *rest.items)]
    assert told == [
        "Likes the window",
        "Agent blocked this contact.",
        "Owner created this contact.",
    ]
    assert (first.items[0].is_note, first.items[0].conversation_id) == (True, conversation)
    assert rest.next_cursor is None
    with pytest.raises(NotFound), rival.work() as ctx:
        queries.timeline(ctx, ada)


def test_the_timeline_counts_messages_by_the_workspaces_days(place, rival):
    ada = enter(place, "Ada", "+491701234567")
    talk = conversation_of(place, contact_id=ada)
    with place.work() as ctx:
        tenants.set_region(ctx, time_zone="Asia/Tokyo", default_country="JP")
    midnight = datetime(2026, 11, 20, 15, tzinfo=UTC)  # in Tokyo
    for minutes, put in [
        (-2, inbound),
        (-1, outbound),
        (0, inbound),
        (1, inbound),
        (2, outbound),
    ]:
        put(place, talk, occurred_at=midnight + timedelta(minutes=minutes))
    outbound(place, talk, type="reaction", occurred_at=midnight + timedelta(minutes=3))
    outbound(place, talk, status="queued", occurred_at=midnight + timedelta(minutes=4))
    inbound(rival, conversation_of(rival, phone="491701234567"))
    told, cursor = [], None
    with place.work("agent") as ctx:
        while True:
            page = queries.timeline(ctx, ada, after=cursor, limit=1)
            told += [(one.kind, one.text, one.conversation_id) for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert told == [
        ("messages", "2 messages received, 1 sent.", talk),
        ("messages", "1 message received, 1 sent.", talk),
        ("created", "Owner created this contact.", None),
    ]


# Forgetting -------------------------------------------------------------------------------------


def stored(place, conversation_id, content: bytes) -> Media:
    kept = write(place.tenant_id, [content], at_most=1000)
    with place.system_work() as ctx:
        media = Media(
            conversation_id=conversation_id, storage_key=kept.key, status=MediaStatus.STORED
        )
        ctx.session.add(media)
        return media


def everything_kept(place) -> str:
    """All that any table of this workspace holds, as text."""
    with place.system_work() as ctx:
        tables = ctx.session.execute(
            text(
                "select c.table_name from information_schema.columns c join information_schema.tables t"
                " using (table_schema, table_name)"
                " where c.column_name = 'tenant_id' and c.table_schema = 'public'"
                " and has_table_privilege(to_regclass(quote_ident(c.table_name)), 'select')"
            )
        ).scalars()
        found = [
            str(ctx.session.execute(text(f'select t::text from "{table}" t')).all())
            for table in tables
        ]
    return "\n".join(found)


def test_an_erased_person_is_in_no_table_and_no_file(place, tmp_path):
    ada = enter(place, f"Ada {SECRET}", "+491701234567", email=f"{SECRET}@example.org")
    conversation = conversation_of(place, contact_id=ada)
    picture, shared = (stored(place, conversation, body) for body in (b"only hers", b"of two"))
    friend = conversation_of(place, "Grace")
    stored(place, friend, b"of two")
    inbound(place, conversation, f"my {SECRET}", media_id=picture.id)
    inbound(place, friend, "hello")
    with place.work() as ctx:
        tag = contact_service.create_tag(ctx, "VIP").id
        contact_service.tag_contacts(ctx, tag, Selection(ids=(ada,)))
        inbox.add_note(ctx, conversation, f"told me {SECRET}")
        inbox.reply(ctx, conversation, Draft.text(f"your {SECRET}", key="k"))
    assert SECRET in everything_kept(place)
    with place.work() as ctx:
        service.erase(ctx, ada)
    left = everything_kept(place)
    assert SECRET not in left
    assert "491701234567" not in left
    assert not path_of(picture.storage_key).exists()
    assert path_of(shared.storage_key).exists()
    assert rows(place, OutboxItem) == []
    texts = {(one.conversation_id, one.text, one.status) for one in rows(place, Message)}
    assert texts == {
        (conversation, "", "received"),
        (conversation, "", "cancelled"),
        (friend, "hello", "received"),
    }
    with pytest.raises(NotFound), place.work() as ctx:
        contacts.contact(ctx, ada)
    with place.work() as ctx:
        assert [row.name for row in contacts.contacts(ctx).items] == ["Grace"]
    again = enter(place, "Ada", "+491701234567")
    assert again != ada


def test_erasing_takes_along_who_was_merged_in(place):
    ada, other = enter(place, "Ada", "+491701234567"), enter(place, SECRET, "+491701234568")
    with place.work() as ctx:
        service.merge(ctx, ada, other)
    with place.work() as ctx:
        service.erase(ctx, other)
    assert SECRET not in everything_kept(place)
    assert {one.name for one in rows(place, Contact)} == {"Erased contact"}


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_only_an_owner_erases_and_only_their_own(place, rival, role):
    ada = enter(place, "Ada", "+491701234567")
    with pytest.raises(NotAllowed), place.work(role) as ctx:
        service.erase(ctx, ada)
    with pytest.raises(NotFound), rival.work() as ctx:
        service.erase(ctx, ada)
    assert contact(place, ada).name == "Ada"


# Taking along -----------------------------------------------------------------------------------


def exported(place, path: Path, kind: ExportFormat, *, role: str = "admin", **narrowed) -> int:
    with place.work(role) as ctx:
        return contacts.export(ctx, path, kind, ContactFilter(**narrowed))


def test_an_export_holds_every_field_and_nothing_that_runs(place, rival, tmp_path):
    with place.work() as ctx:
        contact_service.define_attribute(ctx, "City", AttributeType.TEXT)
    enter(place, "=cmd|' /C calc'!A1", "+491701234567", attributes={"city": "@SUM(1)"})
    enter(rival, "Eve", "+491701234567")
    path = tmp_path / "contacts.csv"
    assert exported(place, path, ExportFormat.CSV) == 1
    assert path.read_bytes().startswith(b"\xef\xbb\xbfName,Phone,Email,")
    (row,) = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    assert (row["Name"], row["Phone"], row["City"]) == (
        "'=cmd|' /C calc'!A1",
        "+491701234567",
        "'@SUM(1)",
    )
    assert (row["Country"], row["Blocked"]) == ("DE", "no")


def test_a_spreadsheet_holds_the_same_as_text(place, tmp_path, monkeypatch):
    monkeypatch.setattr("aerostic.domain.contacts.exporting.AT_A_TIME", 2)
    for number in range(5):
        enter(place, f"Person {number}", f"+49170123456{number}")
    path = tmp_path / "contacts.xlsx"
    assert exported(place, path, ExportFormat.XLSX, text="person") == 5
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert [row[:2] for row in sheet[:3]] == [
        ["Name", "Phone"],
        ["Person 0", "+491701234560"],
        ["Person 1", "+491701234561"],
    ]


def test_an_agent_exports_nothing(place, tmp_path):
    with pytest.raises(NotAllowed):
        exported(place, tmp_path / "contacts.csv", ExportFormat.CSV, role="agent")


# At the same moment -----------------------------------------------------------------------------


def somebody_waits(place) -> bool:
    with place.system_work() as ctx:
        waiting = "select count(*) from pg_locks where not granted"
        return bool(ctx.session.execute(text(waiting)).scalar_one())


def test_a_reply_on_its_way_is_erased_with_its_contact(place):
    ada = enter(place, "Ada", "+491701234567")
    thread = conversation_of(place, contact_id=ada)

    def erase() -> None:
        with place.work() as ctx:
            service.erase(ctx, ada)

    with ThreadPoolExecutor(1) as pool:
        with place.work() as ctx:
            inbox.reply(ctx, thread, Draft.text(SECRET))
            erased = pool.submit(erase)
            until(lambda: somebody_waits(place), what="the erasure to wait for the reply")
        erased.result()
    assert [(one.text, one.status) for one in rows(place, Message)] == [("", "cancelled")]
    assert rows(place, OutboxItem) == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda ctx, _, other: service.erase(ctx, other), "nobody to write to"),
        (service.merge, "just merged"),
    ],
)
def test_a_reply_begun_before_its_contact_was_gone_is_not_written(place, change, refusal):
    ada, other = enter(place, "Ada", "+491701234567"), enter(place, "A. King", "+441632960001")
    conversation_of(place, contact_id=ada)
    thread = conversation_of(place, contact_id=other)

    def reply() -> None:
        with place.work() as ctx:
            inbox.reply(ctx, thread, Draft.text(SECRET))

    with ThreadPoolExecutor(1) as pool:
        with place.work() as ctx:
            change(ctx, ada, other)
            written = pool.submit(reply)
            until(lambda: somebody_waits(place), what="the reply to wait")
        with pytest.raises(AppError, match=refusal):
            written.result()
    assert rows(place, Message) == []


def test_a_campaigns_picture_stays_when_whoever_tested_it_is_erased(place):
    picture = stored(place, None, b"the autumn menu")
    with place.system_work() as ctx:
        ctx.session.get_one(Media, (place.tenant_id, picture.id)).mime_type = "image/png"
    header = {"type": "HEADER", "format": "IMAGE"}
    made = running.template(place)
    body = [header, {"type": "BODY", "text": "Our autumn menu is here."}]
    running.change(place, Template, made, components=body)
    shown = {"header.media": Source(kind=SourceKind.TEXT, key=str(picture.id))}
    ada = enter(place, "Ada", "+491701234567")
    wanted = running.draft(place, made, shown)
    with place.work("admin") as ctx:
        campaign_id = campaigns.create(ctx, wanted).id
        campaigns.test_send(ctx, campaign_id, ada)
    with place.work() as ctx:
        service.erase(ctx, ada)
    assert [one.id for one in rows(place, Media)] == [picture.id]
    assert path_of(picture.storage_key).exists()

"""Audiences: who is in a filter, who of them is left alone, and the wall between workspaces."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from aerostic.core import clock
from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound
from aerostic.core.ids import new_id
from aerostic.domain.audiences import filters, freezing, queries, service, suppression
from aerostic.domain.audiences.compiling import Broken
from aerostic.domain.audiences.filters import EVERYONE, Audience
from aerostic.domain.audiences.models import Decision, DeliveryTrouble
from aerostic.domain.audiences.rules import Rules
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.models import AttributeType, Contact
from aerostic.domain.contacts.schemas import Selection
from aerostic.domain.inbox.models import Conversation
from tests.builders import contact_of, conversation_of, outbound

DAY = timedelta(days=1)


def found(place, **tree: Any) -> list[str]:
    """The names of those whom a filter finds."""
    audience = Audience(filter=filters.read(tree))
    with place.work() as ctx:
        return sorted(one.name for one in queries.sample(ctx, audience, limit=100))


def tag_of(place, name: str, *contact_ids: UUID) -> UUID:
    with place.work() as ctx:
        tag = contacts.create_tag(ctx, name)
        contacts.tag_contacts(ctx, tag.id, Selection(ids=contact_ids))
        return tag.id


def field_of(place, label: str, kind: AttributeType, choices=()) -> None:
    with place.work() as ctx:
        contacts.define_attribute(ctx, label, kind, choices=choices)


def is_tagged(tag_id: UUID) -> dict[str, str]:
    return {"kind": "tag", "tag_id": str(tag_id)}


def about(key: str, test: str, *values: object) -> dict[str, object]:
    return {"kind": "attribute", "key": key, "test": test, "values": values}


# Filters ----------------------------------------------------------------------------------------


def test_all_any_and_not_over_tags(place, rival):
    ada, bob, cleo = (contact_of(place, name) for name in ("Ada", "Bob", "Cleo"))
    contact_of(rival, "Rita")
    regular, vip = tag_of(place, "Regular", ada, bob), tag_of(place, "VIP", bob)
    assert found(place, kind="all") == ["Ada", "Bob", "Cleo"]
    assert found(place, kind="any") == []
    assert found(place, kind="all", of=[is_tagged(regular), is_tagged(vip)]) == ["Bob"]
    assert found(place, kind="any", of=[is_tagged(regular), is_tagged(vip)]) == ["Ada", "Bob"]
    assert found(place, kind="not", of=is_tagged(vip)) == ["Ada", "Cleo"]
    assert cleo


def test_fields_of_every_type(place):
    for label, kind in (
        ("City", AttributeType.TEXT),
        ("Orders", AttributeType.NUMBER),
        ("Birthday", AttributeType.DATE),
        ("Newsletter", AttributeType.YES_NO),
    ):
        field_of(place, label, kind)
    field_of(place, "Size", AttributeType.CHOICE, ["S", "M"])
    today = clock.now().date()
    soon = (today + 2 * DAY).replace(year=1988)
    contact_of(
        place,
        "Ada",
        attributes={"city": "São Paulo", "orders": 12, "newsletter": True, "size": "M"},
    )
    contact_of(place, "Bob", attributes={"city": "Berlin", "orders": 2.5, "birthday": str(soon)})
    contact_of(place, "Cleo", attributes={"orders": "many", "birthday": str(today - 3 * DAY)})
    contact_of(place, "Nobody")
    assert found(place, **about("city", "is", "são paulo", "rome")) == ["Ada"]
    assert found(place, **about("city", "contains", "PAUL")) == ["Ada"]
    assert found(place, **about("city", "starts_with", "ber")) == ["Bob"]
    assert found(place, **about("city", "is_known")) == ["Ada", "Bob"]
    assert found(place, **about("orders", "at_least", 2.5)) == ["Ada", "Bob"]
    assert found(place, **about("orders", "at_most", 3)) == ["Bob"]
    assert found(place, **about("orders", "is", 12)) == ["Ada"]
    assert found(place, **about("birthday", "before", "2000-01-01")) == ["Bob"]
    assert found(place, **about("birthday", "in_last_days", 3)) == ["Cleo"]
    assert found(place, **about("birthday", "anniversary_in_days", 2)) == ["Bob"]
    assert found(place, **about("birthday", "anniversary_in_days", 1)) == []
    assert found(place, **about("newsletter", "is", True)) == ["Ada"]
    assert found(place, **about("size", "is", "S", "M")) == ["Ada"]


def test_is_not_holds_also_for_whom_nothing_is_known(place):
    field_of(place, "City", AttributeType.TEXT)
    contact_of(place, "Ada", attributes={"city": "Rome"})
    contact_of(place, "Nobody")
    assert found(place, kind="not", of=about("city", "is", "Rome")) == ["Nobody"]
    assert found(place, kind="not", of={"kind": "activity", "moment": "wrote"}) == [
        "Ada",
        "Nobody",
    ]


def test_activity_consent_country_and_language(place):
    now = clock.now()
    contact_of(place, "Ada", last_inbound_at=now - 2 * DAY, country="DE", language="de")
    contact_of(place, "Bia", last_inbound_at=now - 40 * DAY, country="BR", language="pt_BR")
    contact_of(place, "Yes", marketing_agreed_at=now, country="BR", language="pt_PT")
    contact_of(place, "No", marketing_stopped_at=now)
    assert found(place, kind="activity", moment="wrote", days=7) == ["Ada"]
    assert found(place, kind="activity", moment="wrote", days=60) == ["Ada", "Bia"]
    assert found(place, kind="consent", state="agreed") == ["Yes"]
    assert found(place, kind="consent", state="stopped") == ["No"]
    assert found(place, kind="consent", state="unsaid") == ["Ada", "Bia"]
    assert found(place, kind="country", codes=["BR", "PT"]) == ["Bia", "Yes"]
    assert found(place, kind="language", codes=["pt"]) == ["Bia", "Yes"]
    assert found(place, kind="language", codes=["pt_BR"]) == ["Bia"]


def test_who_was_merged_or_erased_is_in_no_filter(place):
    kept = contact_of(place, "Kept")
    contact_of(place, "Merged", merged_into_id=kept)
    contact_of(place, "Erased", erased_at=clock.now())
    assert found(place, kind="all") == ["Kept"]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"kind": "everyone"}, "everyone"),
        ({"kind": "all", "of": [{"kind": "tag"}]}, "tag_id: Field required"),
        ({"kind": "country", "codes": ["Germany"]}, "codes"),
        ({"kind": "all", "also": 1}, "also: Extra inputs"),
        ("tag", "filter"),
    ],
)
def test_what_is_no_filter_is_refused_with_the_place(tree, sentence):
    with pytest.raises(Invalid, match=sentence):
        filters.read(tree)


def test_a_filter_has_bounds():
    deep: dict[str, Any] = {"kind": "all"}
    for _ in range(6):
        deep = {"kind": "not", "of": deep}
    with pytest.raises(Invalid, match="6 deep"):
        filters.read(deep)
    many = [{"kind": "consent", "state": "agreed"}] * 60
    with pytest.raises(Invalid, match="61 parts"):
        filters.read({"kind": "any", "of": many})


def test_values_must_fit_the_field(place):
    field_of(place, "Orders", AttributeType.NUMBER)
    for tree, sentence in (
        (about("orders", "contains", "1"), "can not be compared by “contains”"),
        (about("orders", "at_least", "many"), "“many” is none"),
        (about("orders", "at_least"), "Say what “Orders” is compared with"),
    ):
        with pytest.raises(Invalid, match=sentence):
            found(place, **tree)
    with pytest.raises(Broken, match="“city” no longer exists"):
        found(place, **about("city", "is_known"))


# Segments ---------------------------------------------------------------------------------------


def test_a_segment_is_kept_asked_anew_and_told_in_words(place):
    ada = contact_of(place, "Ada")
    vip = tag_of(place, "VIP", ada)
    tree = filters.read(
        {"kind": "all", "of": [is_tagged(vip), {"kind": "country", "codes": ["DE", "BR"]}]}
    )
    with place.work("admin") as ctx:
        segment = service.create_segment(ctx, " Our  regulars ", tree)
    with place.work() as ctx:
        (shown,) = queries.segments(ctx).items
        assert (shown.name, shown.problem) == ("Our regulars", "")
        assert shown.words == "Have the tag VIP and live in Germany or Brazil"
        assert shown.filter == tree
        assert queries.count(ctx, Audience(segment_id=segment.id)) == 0
        ctx.get(Contact, ada).country = "DE"
    with place.work() as ctx:
        assert queries.count(ctx, Audience(segment_id=segment.id)) == 1
        contacts.delete_tag(ctx, vip)
    with place.work() as ctx:
        assert queries.segment(ctx, segment.id).problem.startswith("One of the tags")
        with pytest.raises(Broken):
            queries.count(ctx, Audience(segment_id=segment.id))


def test_two_edits_of_a_segment_do_not_lose_one(place):
    with place.work() as ctx:
        segment_id = service.create_segment(ctx, "All", EVERYONE).id
        service.create_segment(ctx, "Taken", EVERYONE)
    with place.work() as ctx:
        service.change_segment(ctx, segment_id, revision=0, name="Everybody")
    with place.work() as ctx, pytest.raises(service.Stale):
        service.change_segment(ctx, segment_id, revision=0, name="Nobody")
    with pytest.raises(Conflict, match="already a segment named “Taken”"), place.work() as ctx:
        service.change_segment(ctx, segment_id, revision=1, name="Taken")
    with place.work() as ctx:
        assert [one.name for one in queries.segments(ctx).items] == ["Everybody", "Taken"]
        service.delete_segment(ctx, segment_id)


def test_segments_page_by_name(place):
    with place.work() as ctx:
        for name in ("c", "a", "b"):
            service.create_segment(ctx, name, EVERYONE)
        first = queries.segments(ctx, limit=2)
        rest = queries.segments(ctx, after=first.next_cursor, limit=2)
    assert [one.name for one in (*first.items, *rest.items)] == ["a", "b", "c"]
    assert rest.next_cursor is None


def test_segments_are_their_workspaces_own_and_agents_make_none(place, rival):
    with place.work() as ctx:
        segment_id = service.create_segment(ctx, "All", EVERYONE).id
    with rival.work() as ctx:
        assert queries.segments(ctx).items == []
        with pytest.raises(NotFound):
            queries.segment(ctx, segment_id)
        with pytest.raises(NotFound):
            service.delete_segment(ctx, segment_id)
        with pytest.raises(Broken):
            queries.count(ctx, Audience(segment_id=segment_id))
    with place.work("agent") as ctx, pytest.raises(NotAllowed):
        service.create_segment(ctx, "Mine", EVERYONE)


# Whom to leave alone ----------------------------------------------------------------------------


def everyone_of(place, category: str = "MARKETING", size: int = 2, **audience: Any):
    """The frozen audience, in slices: name, reason."""
    chosen, after, people = Audience(**audience), None, []
    with place.work() as ctx:
        while True:
            rows = ctx.session.execute(
                freezing.slice_of(ctx, chosen, category=category, after=after, limit=size)
            ).all()
            people += [(ctx.get(Contact, row.contact_id).name, row.reason) for row in rows]
            after = freezing.end_of([row.contact_id for row in rows], limit=size)
            if after is None:
                return people


def test_everyone_of_an_audience_is_there_once_with_the_reason_to_be_left_out(place, rival):
    now = clock.now()
    contact_of(place, "Ada", "491701234567")
    contact_of(place, "Blocked", "491701234568", is_blocked=True)
    contact_of(place, "Stopped", "491701234569", marketing_stopped_at=now)
    contact_of(place, "Mute")
    contact_of(place, "Gone", "491701234570", erased_at=now)
    contact_of(place, "Zoe", "491701234571")
    contact_of(rival, "Rita", "491701234567")
    expected = [
        ("Ada", None),
        ("Blocked", "blocked"),
        ("Stopped", "stopped_marketing"),
        ("Mute", "no_address"),
        ("Zoe", None),
    ]
    assert everyone_of(place) == expected
    assert everyone_of(place, size=1) == expected
    assert everyone_of(place, size=5) == expected
    assert dict(everyone_of(place, "UTILITY"))["Stopped"] is None
    with place.work() as ctx:
        reach = queries.reach(ctx, Audience())
        assert (reach.total, reach.reachable) == (5, 2)
        assert reach.left_out == {"blocked": 1, "stopped_marketing": 1, "no_address": 1}


def test_who_can_not_be_reached_again_and_again_is_left_out_until_a_sign_of_life(place):
    now = clock.now()
    silent = conversation_of(place, "Silent", phone="491701234567")
    writes = contact_of(place, "Writes", "491701234568", last_inbound_at=now)
    arrived = conversation_of(place, "Arrived", phone="491701234569")
    outbound(place, arrived, status="delivered", occurred_at=now)
    with place.system_work() as ctx:
        for contact_id in (
            conversation_contact(ctx, silent),
            writes,
            conversation_contact(ctx, arrived),
        ):
            ctx.session.add(
                DeliveryTrouble(contact_id=contact_id, failures=3, last_failed_at=now - DAY)
            )
    expected = [("Silent", "undeliverable"), ("Writes", None), ("Arrived", None)]
    assert everyone_of(place) == expected
    with place.work() as ctx:
        service.set_rules(ctx, Rules(undeliverable_after=4))
    assert dict(everyone_of(place))["Silent"] is None


def conversation_contact(ctx, conversation_id: UUID) -> UUID:
    return ctx.get(Conversation, conversation_id).contact_id


def test_who_stops_after_the_freeze_is_seen_before_the_message_is_written(place):
    ada, bob = contact_of(place, "Ada", "491701234567"), contact_of(place, "Bob", "491701234568")
    with place.work() as ctx:
        service.note_consent(ctx, ada, Decision.STOPPED)
        assert suppression.left_out(ctx, [ada, bob], "MARKETING") == {ada: "stopped_marketing"}
        assert suppression.left_out(ctx, [ada, bob, new_id()], "UTILITY") == {}

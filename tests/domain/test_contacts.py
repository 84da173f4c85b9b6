"""Contacts: entering, finding, editing, tagging, and the wall between workspaces."""

import re
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.domain.contacts import queries, service
from aerostic.domain.contacts.identities import AlreadyKnown
from aerostic.domain.contacts.models import AttributeType, Contact, ContactEvent, ContactIdentity
from aerostic.domain.contacts.schemas import (
    ContactChanges,
    ContactFilter,
    NewContact,
    Selection,
    Sort,
)
from aerostic.domain.dossier import service as dossier
from aerostic.domain.inbox import service as inbox


def enter(place, name: str = "Ada Lovelace", phone: str = "+49 170 1234567", **more) -> UUID:
    with place.work() as ctx:
        return service.create(ctx, NewContact(name=name, phone=phone, **more)).id


def found(place, text: str, **more) -> list[str]:
    with place.work() as ctx:
        return [row.name for row in queries.contacts(ctx, ContactFilter(text=text, **more)).items]


def detail(place, contact_id):
    with place.work() as ctx:
        return queries.contact(ctx, contact_id)


def kinds_of(place, contact_id) -> list[str]:
    with place.work() as ctx:
        rows = ctx.session.exec(
            select(ContactEvent)
            .where(ContactEvent.contact_id == contact_id)
            .order_by(ContactEvent.id)
        )
        return [row.kind for row in rows]


# Entering ---------------------------------------------------------------------------------------


def test_a_person_is_entered_with_everything_in_its_one_form(place):
    contact = detail(place, enter(place, email=" ada@example.org ", language="pt-br"))
    assert (contact.display_name, contact.phone) == ("Ada Lovelace", "491701234567")
    assert contact.phone_display == "+49 170 1234567"
    assert (contact.country, contact.email, contact.language) == ("DE", "ada@example.org", "pt_BR")
    assert [(one.kind, one.value) for one in contact.identities] == [("phone", "491701234567")]
    assert kinds_of(place, contact.id) == ["created"]


@pytest.mark.parametrize("again", ["+491701234567", "491701234567", "0049 (0)170 1234567"])
def test_plus_and_no_plus_are_one_contact(place, again):
    first = enter(place)
    with pytest.raises(AlreadyKnown, match="Ada Lovelace") as refusal:
        enter(place, "Somebody else", again)
    assert refusal.value.contact_id == first
    assert found(place, "") == ["Ada Lovelace"]


def test_two_workspaces_may_know_the_same_number(place, rival):
    assert enter(place) != enter(rival, "Ada of the rival")
    assert found(rival, "1701234567") == ["Ada of the rival"]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (NewContact(), "Give a name, a phone number or an e-mail address"),
        (NewContact(name="x" * 1_000_000), "The name has 1,000,000 characters; at most 200 fit"),
        (NewContact(name="Ada", phone="12"), "“12” is not a phone number"),
        (NewContact(name="Ada", phone="4.91701E+11"), "is not a phone number"),
        (NewContact(name="Ada", email="ada"), "“ada” is not an e-mail address"),
        (NewContact(name="Ada", country="Wakanda"), "is not a country code"),
        (NewContact(name="Ada", attributes={"shoe": 9}), "keeps no field “shoe”"),
    ],
)
def test_a_wrong_field_is_refused_and_nothing_is_kept(place, new, message):
    with pytest.raises(Invalid, match=message), place.work() as ctx:
        service.create(ctx, new)
    assert found(place, "") == []


def test_an_emoji_in_every_field_is_kept_and_a_nul_is_not(place):
    with place.work("admin") as ctx:
        service.define_attribute(ctx, "Mood 🎈", AttributeType.TEXT)
    contact = detail(place, enter(place, "🎉 A\x00da 🎈", attributes={"mood": "🦄"}))
    assert (contact.name, contact.attributes) == ("🎉 Ada 🎈", {"mood": "🦄"})
    assert found(place, "🎈") == ["🎉 Ada 🎈"]


# Finding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "jose",
        "JOSÉ",
        "angstr jos",
        "jose.a@example.com",
        "example.com",
        "5551",
        "+1 (415) 555-1234",
        "0415 555",
        "41555512",
    ],
)
def test_a_contact_is_found_by_the_beginning_of_its_words_and_any_run_of_its_digits(place, text):
    enter(place, "José Ångström", "+1 415 555 1234", email="jose.a@example.com")
    enter(place, "Maria", "+49 170 7654321")
    assert found(place, text) == ["José Ångström"]


@pytest.mark.parametrize("text", ["ose", "jose maria", "zzz", "9999"])
def test_what_nobody_is_called_finds_nobody(place, text):
    enter(place, "José Ångström", "+1 415 555 1234")
    enter(place, "Maria", "+49 170 7654321")
    assert found(place, text) == []


def test_search_never_sees_the_rival(place, rival):
    enter(rival, "José of the rival")
    assert found(place, "jose") == []


def test_pages_by_key_are_steady_while_people_arrive(place):
    for number in range(5):
        enter(place, f"Person {number}", f"+49 170 100000{number}")
    with place.work() as ctx:
        first = queries.contacts(ctx, limit=2)
    enter(place, "Late comer", "+49 170 2000000")
    with place.work() as ctx:
        second = queries.contacts(ctx, limit=2, after=first.next_cursor)
        third = queries.contacts(ctx, limit=2, after=second.next_cursor)
    names = [row.name for page in (first, second, third) for row in page.items]
    assert names == ["Person 4", "Person 3", "Person 2", "Person 1", "Person 0"]
    assert third.next_cursor is None


def test_by_name_letters_sort_without_case_and_accents(place):
    for number, name in enumerate(["zoe", "Émile", "adam", "Edgar"]):
        enter(place, name, f"+49 170 100000{number}")
    with place.work() as ctx:
        first = queries.contacts(ctx, sort=Sort.NAME, limit=3)
        rest = queries.contacts(ctx, sort=Sort.NAME, limit=3, after=first.next_cursor)
    assert [row.name for row in first.items + rest.items] == ["adam", "Edgar", "Émile", "zoe"]


def test_a_made_up_cursor_is_a_plain_error(place):
    with pytest.raises(Invalid, match="cursor"), place.work() as ctx:
        queries.contacts(ctx, after="bm9uc2Vuc2U")


# Editing ----------------------------------------------------------------------------------------


def test_an_edit_changes_what_it_names_and_is_found_by_its_new_words(place):
    contact_id = enter(place, email="ada@example.org")
    with place.work() as ctx:
        changes = ContactChanges(name="Augusta King", phone="+44 20 7946 0958")
        service.edit(ctx, contact_id, changes, revision=0)
    contact = detail(place, contact_id)
    assert (contact.name, contact.phone) == ("Augusta King", "442079460958")
    assert (contact.email, contact.revision) == ("ada@example.org", 1)
    assert found(place, "augusta") == ["Augusta King"]
    assert found(place, "lovelace") == found(place, "1701234567") == []
    enter(place, "The next owner of the old number")


def test_a_stale_edit_is_refused_and_changes_nothing(place):
    contact_id = enter(place)
    with place.work() as ctx:
        service.edit(ctx, contact_id, ContactChanges(name="First"), revision=0)
    with pytest.raises(Conflict, match="Someone else changed this contact"), place.work() as ctx:
        service.edit(ctx, contact_id, ContactChanges(name="Second"), revision=0)
    assert (detail(place, contact_id).name, detail(place, contact_id).revision) == ("First", 1)


def test_an_edit_to_anothers_number_is_refused_and_keeps_the_old(place):
    enter(place)
    second = enter(place, "Grace", "+49 170 7654321")
    with pytest.raises(AlreadyKnown), place.work() as ctx:
        service.edit(ctx, second, ContactChanges(phone="+491701234567"), revision=0)
    assert detail(place, second).phone == "491707654321"
    assert [one.value for one in detail(place, second).identities] == ["491707654321"]


def test_an_edit_that_changes_nothing_leaves_no_trace(place):
    contact_id = enter(place)
    with place.work() as ctx:
        service.edit(ctx, contact_id, ContactChanges(name="Ada Lovelace"), revision=0)
    assert detail(place, contact_id).revision == 0
    assert kinds_of(place, contact_id) == ["created"]


def test_blocking_and_unblocking_are_kept_in_the_history(place):
    contact_id = enter(place)
    with place.work("agent") as ctx:
        dossier.block(ctx, contact_id)
        dossier.block(ctx, contact_id)
    assert detail(place, contact_id).is_blocked
    with place.work("agent") as ctx:
        dossier.unblock(ctx, contact_id)
    assert not detail(place, contact_id).is_blocked
    assert kinds_of(place, contact_id) == ["created", "blocked", "unblocked"]


# Fields that the workspace keeps ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (AttributeType.TEXT, "  two   words ", "two words"),
        (AttributeType.NUMBER, "1.234,5", 1234.5),
        (AttributeType.NUMBER, "1,234", 1234),
        (AttributeType.DATE, "30.11.2026", "2026-11-30"),
        (AttributeType.YES_NO, "Ja", True),
        (AttributeType.CHOICE, "GOLD", "Gold"),
    ],
)
def test_values_are_kept_by_type(place, kind, typed, kept):
    with place.work("admin") as ctx:
        service.define_attribute(ctx, "My field", kind, choices=["Gold", "Silver"])
    contact = detail(place, enter(place, attributes={"my_field": typed}))
    assert contact.attributes == {"my_field": kept}


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (AttributeType.NUMBER, "many"),
        (AttributeType.NUMBER, "1e400"),
        (AttributeType.NUMBER, True),
        (AttributeType.DATE, "31.02.2026"),
        (AttributeType.YES_NO, "perhaps"),
        (AttributeType.CHOICE, "Bronze"),
        (AttributeType.TEXT, "x" * 1_001),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_the_fields_name(place, kind, typed):
    with place.work("admin") as ctx:
        service.define_attribute(ctx, "My field", kind, choices=["Gold", "Silver"])
    with pytest.raises(Invalid, match="My field"):
        enter(place, attributes={"my_field": typed})
    assert found(place, "") == []


def test_a_value_is_emptied_by_nothing_and_others_stay(place):
    with place.work("admin") as ctx:
        service.define_attribute(ctx, "City", AttributeType.TEXT)
        service.define_attribute(ctx, "Age", AttributeType.NUMBER)
    contact_id = enter(place, attributes={"city": "Turin", "age": 36})
    with place.work() as ctx:
        service.edit(ctx, contact_id, ContactChanges(attributes={"age": None}), revision=0)
    assert detail(place, contact_id).attributes == {"city": "Turin"}


def test_a_deleted_field_hides_its_values_and_its_return_shows_them(place):
    with place.work("admin") as ctx:
        field = service.define_attribute(ctx, "City", AttributeType.TEXT)
    contact_id = enter(place, attributes={"city": "Turin"})
    with place.work("admin") as ctx:
        service.delete_attribute(ctx, field.id)
    assert detail(place, contact_id).attributes == {}
    with place.work("admin") as ctx:
        service.define_attribute(ctx, "City", AttributeType.TEXT)
    assert detail(place, contact_id).attributes == {"city": "Turin"}


def test_a_field_is_not_kept_twice_and_an_agent_defines_none(place):
    with place.work("admin") as ctx:
        service.define_attribute(ctx, "Date of birth", AttributeType.DATE)
    with pytest.raises(Conflict, match="Date of birth"), place.work("admin") as ctx:
        service.define_attribute(ctx, "date-of BIRTH", AttributeType.TEXT)
    with pytest.raises(NotAllowed), place.work("agent") as ctx:
        service.define_attribute(ctx, "Other", AttributeType.TEXT)
    with place.work() as ctx:
        assert [field.key for field in queries.attributes(ctx)] == ["date_of_birth"]


# Tags -------------------------------------------------------------------------------------------


def make_tag(place, name: str = "VIP") -> UUID:
    with place.work() as ctx:
        return service.create_tag(ctx, name, colour="violet").id


def test_a_selection_is_tagged_once_each_and_found_by_the_tag(place):
    ada, tag_id = enter(place), make_tag(place)
    grace = enter(place, "Grace", "+49 170 7654321")
    with place.work("agent") as ctx:
        assert service.tag_contacts(ctx, tag_id, Selection(ids=(ada,))) == 1
        assert service.tag_contacts(ctx, tag_id, Selection(ids=(ada, grace))) == 1
    assert sorted(found(place, "", tag_ids=(tag_id,))) == ["Ada Lovelace", "Grace"]
    assert found(place, "gra", tag_ids=(tag_id,)) == ["Grace"]
    assert [tag.name for tag in detail(place, ada).tags] == ["VIP"]
    assert kinds_of(place, ada) == ["created", "tagged"]
    with place.work("agent") as ctx:
        assert service.untag_contacts(ctx, tag_id, Selection(ids=(ada, new_id()))) == 1
    assert found(place, "", tag_ids=(tag_id,)) == ["Grace"]
    assert kinds_of(place, ada) == ["created", "tagged", "untagged"]


def test_everything_that_a_filter_shows_is_tagged(place):
    for number in range(5):
        enter(place, f"Person {number}", f"+49 170 100000{number}")
    enter(place, "Ada", "+49 170 7654321")
    tag_id = make_tag(place)
    with place.work() as ctx:
        chosen = Selection(everything_in=ContactFilter(text="person"))
        assert service.tag_contacts(ctx, tag_id, chosen) == 5
    assert len(found(place, "", tag_ids=(tag_id,))) == 5


def test_more_than_can_be_done_at_once_is_refused_and_nobody_is_tagged(place, monkeypatch):
    monkeypatch.setattr(service, "MOST_AT_ONCE", 2)
    for number in range(3):
        enter(place, f"Person {number}", f"+49 170 100000{number}")
    tag_id = make_tag(place)
    with pytest.raises(Refused, match="More than 2 contacts"), place.work() as ctx:
        service.tag_contacts(ctx, tag_id, Selection(everything_in=ContactFilter()))
    assert found(place, "", tag_ids=(tag_id,)) == []


def test_tags_are_renamed_deleted_and_never_doubled(place):
    ada, tag_id = enter(place), make_tag(place)
    with place.work() as ctx:
        service.tag_contacts(ctx, tag_id, Selection(ids=(ada,)))
        service.change_tag(ctx, tag_id, name="Very important", colour="red")
    assert [(tag.name, tag.colour) for tag in detail(place, ada).tags] == [
        ("Very important", "red")
    ]
    with pytest.raises(Conflict, match="already a tag"), place.work() as ctx:
        service.create_tag(ctx, " Very  important ")
    with place.work() as ctx:
        service.delete_tag(ctx, tag_id)
    assert detail(place, ada).tags == ()


# Another workspace ------------------------------------------------------------------------------


def test_a_rival_finds_nothing_and_changes_nothing(place, rival):
    contact_id, tag_id = enter(place), make_tag(place)
    theirs = make_tag(rival, "Theirs")
    acts = [
        lambda ctx: queries.contact(ctx, contact_id),
        lambda ctx: service.edit(ctx, contact_id, ContactChanges(name="Eve"), revision=0),
        lambda ctx: dossier.block(ctx, contact_id),
        lambda ctx: service.change_tag(ctx, tag_id, name="Stolen"),
        lambda ctx: service.delete_tag(ctx, tag_id),
        lambda ctx: service.tag_contacts(ctx, tag_id, Selection(ids=(contact_id,))),
    ]
    for act in acts:
        with pytest.raises(NotFound), rival.work() as ctx:
            act(ctx)
    with rival.work() as ctx:
        assert service.tag_contacts(ctx, theirs, Selection(ids=(contact_id,))) == 0
        assert queries.contacts(ctx).items == []
    contact = detail(place, contact_id)
    assert (contact.name, contact.is_blocked, contact.tags) == ("Ada Lovelace", False, ())


def test_two_who_enter_one_number_at_once_make_one_contact(place):
    """The second waits for the first's commit, then learns whose the number is."""
    from threading import Thread

    refusals: list[Exception] = []

    def second() -> None:
        try:
            enter(place, "Second")
        except AlreadyKnown as refusal:
            refusals.append(refusal)

    with place.work() as ctx:
        service.create(ctx, NewContact(name="First", phone="+491701234567"))
        thread = Thread(target=second)
        thread.start()
    thread.join(timeout=20)
    assert len(refusals) == 1
    with place.work() as ctx:
        assert [row.name for row in ctx.session.exec(select(Contact))] == ["First"]
        assert len(ctx.session.exec(select(ContactIdentity)).all()) == 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda ctx: service.create_tag(ctx, "VIP").id, "already a tag named “VIP”"),
        (
            lambda ctx: service.define_attribute(ctx, "City", AttributeType.TEXT).id,
            r"already a field “City” \(city\)",
        ),
        (lambda ctx: inbox.create_label(ctx, "VIP").id, "is a label “VIP” already"),
    ],
)
def test_of_two_who_choose_a_name_at_one_moment_the_second_is_told_so(place, rival, make, told):
    start, answers = Barrier(2), []

    def choose() -> None:
        try:
            with place.work() as ctx:
                start.wait(10)
                make(ctx)
                answers.append("made")
        except Conflict as refused:
            answers.append(refused.message)

    threads = [Thread(target=choose) for _ in range(2)]
    for thread in threads:
        thread.start()
    with rival.work() as ctx:
        make(ctx)
    for thread in threads:
        thread.join()
    refusal, made = sorted(answers, key=lambda one: one == "made")
    assert made == "made"
    assert re.search(told, refusal)

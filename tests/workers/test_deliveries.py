"""What Meta posts becomes conversations: everything once, whatever the order, each tenant's own."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col, select

from aerostic.core import queue
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import platform_work
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import PhoneNumber, WhatsappAccount
from aerostic.domain.contacts.models import Contact, ContactIdentity, IdentityKind
from aerostic.domain.deliveries import service
from aerostic.domain.deliveries.models import (
    DeliveryProblem,
    DeliveryShare,
    DeliveryStatus,
    Redaction,
    WebhookDelivery,
)
from aerostic.domain.dossier import service as dossier
from aerostic.domain.dossier.queries import timeline
from aerostic.domain.inbox import ladder
from aerostic.domain.inbox.models import (
    Conversation,
    ConversationStatus,
    Message,
    MessageEvent,
    MessageKey,
    OutboxItem,
    OutboxState,
    ParkedEvent,
)
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.templates.models import Template
from tests import builders
from tests.meta import (
    account_change,
    change,
    contact,
    delivery,
    message,
    phone,
    raw,
    status,
    wamid,
)
from workers.jobs import timers

INBOUND = sorted((Path(__file__).parent.parent / "data" / "webhooks" / "inbound").glob("*.json"))
DAY = timedelta(hours=24)


def rows(place, model, *where):
    """What the tenant has of a kind, oldest first."""
    with place.work() as ctx:
        order = getattr(model, "id", None) or getattr(model, "created_at", None)
        statement = select(model).where(*where)
        return list(ctx.session.exec(statement.order_by(order) if order is not None else statement))


def only(place, model, *where):
    found = rows(place, model, *where)
    assert len(found) == 1, found
    return found[0]


def texts(place) -> list[str]:
    with place.work() as ctx:
        in_order = select(Message).order_by(
            col(Message.occurred_at), col(Message.position), col(Message.id)
        )
        return [one.text for one in ctx.session.exec(in_order)]


def say(text: str) -> dict[str, object]:
    return {"type": "text", "text": {"body": text}}


def last_delivery() -> WebhookDelivery:
    with platform_work(system("test")) as ctx:
        newest = select(WebhookDelivery).order_by(col(WebhookDelivery.id).desc()).limit(1)
        return ctx.session.exec(newest).one()


def problems_of(delivery_id: UUID) -> list[tuple[str, str]]:
    with platform_work(system("test")) as ctx:
        found = ctx.session.exec(
            select(DeliveryProblem).where(DeliveryProblem.delivery_id == delivery_id)
        )
        return sorted((one.kind, one.reason) for one in found)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# Messages


def test_a_message_makes_a_contact_a_conversation_and_opens_the_window(
    meta, place, rival, run_jobs
):
    sender, now = phone(), int(time.time())
    written = message(sender, say("Hello there"), timestamp=str(now))
    meta.deliver(delivery(place, change(place, contacts=[contact(sender)], messages=[written])))
    run_jobs()
    person = only(place, Contact)
    assert (person.profile_name, person.phone) == ("Ada Lovelace", sender)
    chat = only(place, Conversation)
    assert (chat.contact_id, chat.number_id) == (person.id, place.number_id)
    assert (chat.status, chat.unread_count) == (ConversationStatus.OPEN, 1)
    assert chat.window_closes_at == moment(now) + DAY
    assert (chat.last_message_preview, chat.last_message_at) == ("Hello there", moment(now))
    assert chat.last_inbound_meta_id == written["id"]
    stored = only(place, Message)
    assert (stored.text, stored.meta_message_id) == ("Hello there", written["id"])
    assert chat.last_message_id == stored.id
    assert rows(rival, Message) == []
    assert last_delivery().status == DeliveryStatus.DONE


@pytest.mark.parametrize("file", INBOUND, ids=lambda file: file.stem)
def test_every_kind_of_message_is_stored_and_read(meta, place, run_jobs, file):
    told = json.loads(file.read_text())
    sender = phone()
    node = message(sender, told["message"])
    meta.deliver(delivery(place, change(place, contacts=[contact(sender)], messages=[node])))
    run_jobs()
    stored = only(place, Message)
    kind = told["message"]["type"]
    assert (stored.type, stored.text) == (kind, told["reads"])
    assert stored.content.get(kind) == told["message"].get(kind)
    chat = only(place, Conversation)
    assert chat.unread_count == int(told["counts"])
    assert (chat.window_closes_at is not None) == told["counts"]
    assert problems_of(last_delivery().id) == []


def test_two_entries_of_three_changes_of_fifty_messages_are_all_stored(
    meta, place, rival, run_jobs
):
    sender = phone()

    def changes(where):
        return [
            change(where, messages=[message(sender, say(f"{at}-{n}")) for n in range(50)])
            for at in range(3)
        ]

    both = delivery(place, *changes(place))
    both["entry"].append(delivery(rival, *changes(rival))["entry"][0])
    meta.deliver(both)
    run_jobs()
    expected = [f"{at}-{n}" for at in range(3) for n in range(50)]
    assert texts(place) == expected
    assert texts(rival) == expected
    assert only(place, Conversation).unread_count == 150
    assert only(rival, Conversation).unread_count == 150


def test_the_same_payload_five_times_at_once_is_one_message_and_one_unread(meta, place, run_jobs):
    body = raw(delivery(place, change(place, messages=[message(phone())])))
    assert meta.together([body] * 5) == [200] * 5
    run_jobs()
    meta.post(body)
    run_jobs()
    assert len(rows(place, Message)) == 1
    assert only(place, Conversation).unread_count == 1
    assert len(rows(place, DeliveryShare)) == 6


def test_a_plus_and_no_plus_are_one_contact(meta, place, run_jobs):
    sender = phone()
    for name in (sender, "+" + sender):
        meta.deliver(delivery(place, change(place, messages=[message(name)])))
        run_jobs()
    assert only(place, Contact).phone == sender
    assert len(rows(place, Message)) == 2


def test_someone_without_a_phone_number_is_a_contact(meta, place, run_jobs):
    node = {"id": wamid(), "timestamp": "1760000000", "from_user_id": "DE.123abc", **say("Hi")}
    about = {"profile": {"name": "Grace", "username": "grace"}, "user_id": "DE.123abc"}
    meta.deliver(delivery(place, change(place, contacts=[about], messages=[node])))
    run_jobs()
    person = only(place, Contact)
    assert (person.profile_name, person.phone, person.country) == ("Grace", None, "DE")
    account = only(place, WhatsappAccount)
    known = {(one.kind, one.scope, one.value) for one in rows(place, ContactIdentity)}
    assert known == {
        (IdentityKind.BSUID, account.portfolio_id, "DE.123abc"),
        (IdentityKind.USERNAME, account.portfolio_id, "grace"),
    }


def test_a_message_with_two_identities_joins_their_contacts(meta, place, run_jobs):
    sender = phone()
    by_phone = message(sender, say("one"))
    by_id = {**message(sender, say("two")), "from_user_id": "US.9"}
    del by_id["from"]
    both = {**message(sender, say("three")), "from_user_id": "US.9"}
    for node in (by_phone, by_id):
        meta.deliver(delivery(place, change(place, messages=[node])))
        run_jobs()
    assert len(rows(place, Conversation)) == 2
    meta.deliver(delivery(place, change(place, messages=[both])))
    run_jobs()
    chat = only(place, Conversation)
    assert chat.unread_count == 3
    assert {one.conversation_id for one in rows(place, Message)} == {chat.id}
    kept, gone = sorted(rows(place, Contact), key=lambda one: one.merged_into_id is not None)
    assert gone.merged_into_id == kept.id == chat.contact_id
    assert {one.contact_id for one in rows(place, ContactIdentity)} == {kept.id}


def test_whoever_changes_number_stays_the_same_contact(meta, place, run_jobs):
    old, new = phone(), phone()
    meta.deliver(delivery(place, change(place, messages=[message(old)])))
    told = {
        "type": "system",
        "system": {"body": "changed", "type": "user_changed_number", "wa_id": new},
    }
    meta.deliver(delivery(place, change(place, messages=[message(old, told)])))
    meta.deliver(delivery(place, change(place, messages=[message(new)])))
    run_jobs()
    assert only(place, Contact).phone == new
    assert only(place, Conversation).unread_count == 2
    assert len(rows(place, Message)) == 3


def test_whoever_gets_a_new_user_id_stays_the_same_contact(meta, place, run_jobs):
    sender = phone()
    first = {**message(sender), "from_user_id": "US.1"}
    del first["from"]
    update = {"user_id": {"previous": "US.1", "current": "US.2"}, "wa_id": sender}
    meta.deliver(delivery(place, change(place, messages=[first])))
    meta.deliver(delivery(place, change(place, field="user_id_update", user_id_update=[update])))
    meta.deliver(delivery(place, change(place, messages=[message(sender)])))
    run_jobs()
    assert only(place, Contact).phone == sender
    assert len(rows(place, Message)) == 2


def test_a_name_of_a_million_characters_is_cut_and_the_message_is_there(meta, place, run_jobs):
    sender = phone()
    about = contact(sender, name="A" * 1_000_000)
    meta.deliver(
        delivery(place, change(place, contacts=[about], messages=[message(sender, say("Hi"))]))
    )
    run_jobs()
    assert only(place, Contact).profile_name == "A" * 256
    assert texts(place) == ["Hi"]


def test_an_emoji_in_every_field_survives(meta, place, run_jobs):
    sender = phone()
    meta.deliver(
        delivery(
            place,
            change(
                place,
                contacts=[contact(sender, name="😀🎉")],
                messages=[message(sender, say("👩‍👩‍👧‍👦 🇩🇪"))],
            ),
        )
    )
    run_jobs()
    assert only(place, Contact).profile_name == "😀🎉"
    assert texts(place) == ["👩‍👩‍👧‍👦 🇩🇪"]


def test_half_an_emoji_and_a_nul_lose_no_message(meta, place, run_jobs):
    sender = phone()
    whole = raw(
        delivery(
            place,
            change(
                place,
                contacts=[contact(sender, name="Ada CUT")],
                messages=[message(sender, say("a NUL b"))],
            ),
        )
    )
    body = whole.replace(b"CUT", b"\\ud83d").replace(b"NUL", b"\\u0000")
    assert meta.post(body).status_code == 200
    run_jobs()
    assert only(place, Contact).profile_name == "Ada \ufffd"
    assert texts(place) == ["a \ufffd b"]


def test_an_inbound_message_reopens_a_closed_conversation(meta, place, run_jobs):
    sender = phone()
    chat_id = builders.conversation_of(place, phone=sender, status=ConversationStatus.CLOSED)
    meta.deliver(delivery(place, change(place, messages=[message(sender)])))
    run_jobs()
    chat = only(place, Conversation)
    assert (chat.id, chat.status, chat.unread_count) == (chat_id, ConversationStatus.OPEN, 1)


def test_the_window_never_moves_backwards(meta, place, run_jobs):
    sender, now = phone(), int(time.time())
    for at in (now, now - 3600):
        meta.deliver(delivery(place, change(place, messages=[message(sender, timestamp=str(at))])))
        run_jobs()
    chat = only(place, Conversation)
    assert chat.window_closes_at == moment(now) + DAY
    assert chat.last_message_at == moment(now)
    assert chat.unread_count == 2


def test_a_click_on_an_ad_opens_the_free_entry_window(meta, place, run_jobs):
    now = int(time.time())
    node = message(phone(), say("Saw it"), timestamp=str(now), referral={"source_type": "ad"})
    meta.deliver(delivery(place, change(place, messages=[node])))
    run_jobs()
    assert only(place, Conversation).free_entry_until == moment(now) + timedelta(hours=72)


def test_a_reply_knows_what_it_answers(meta, place, run_jobs):
    sender = phone()
    first = message(sender, say("Which one?"))
    second = message(sender, say("This"), context={"from": sender, "id": first["id"]})
    meta.deliver(delivery(place, change(place, messages=[first, second])))
    run_jobs()
    assert rows(place, Message)[1].reply_to_meta_id == first["id"]


# Reactions, edits, removals


def reaction(sender, to, emoji, at) -> dict[str, object]:
    node = {"type": "reaction", "reaction": {"message_id": to, "emoji": emoji}}
    return message(sender, node, timestamp=str(at))


def test_the_newest_reaction_counts_in_whatever_order_they_come(meta, place, run_jobs):
    sender, now = phone(), int(time.time())
    first = message(sender)
    reactions = [reaction(sender, first["id"], emoji, now + n) for n, emoji in enumerate("👍❤🎉")]
    for node in (first, reactions[2], reactions[0], reactions[1]):
        meta.deliver(delivery(place, change(place, messages=[node])))
        run_jobs()
    stored = only(place, Message)
    assert stored.reactions == {"contact": {"emoji": "🎉"}}
    assert only(place, Conversation).unread_count == 1
    gone = reaction(sender, first["id"], "", now + 9)
    meta.deliver(delivery(place, change(place, messages=[gone])))
    run_jobs()
    assert only(place, Message).reactions == {}


def test_an_edit_shows_the_new_words_and_keeps_the_old(meta, place, run_jobs):
    sender = phone()
    first = message(sender, say("Two cofees"))
    edit = {
        "type": "edit",
        "edit": {"original_message_id": first["id"], "message": say("Two coffees")},
    }
    node = message(sender, edit)
    for _ in range(2):
        meta.deliver(delivery(place, change(place, messages=[first, node])))
        run_jobs()
    stored = only(place, Message)
    assert (stored.text, stored.search_text) == ("Two coffees", "two coffees")
    assert [one["content"]["text"]["body"] for one in stored.content["edits"]] == ["Two cofees"]
    assert stored.edited_at is not None
    assert only(place, Conversation).last_message_preview == "Two coffees"


def test_a_removed_message_is_marked_and_no_longer_found(meta, place, run_jobs):
    sender = phone()
    first = message(sender, say("secret"))
    node = message(sender, {"type": "revoke", "revoke": {"original_message_id": first["id"]}})
    meta.deliver(delivery(place, change(place, messages=[first, node])))
    run_jobs()
    stored = only(place, Message)
    assert stored.revoked_at is not None
    assert stored.search_text == ""
    assert "secret" not in only(place, Conversation).last_message_preview


def test_what_comes_before_its_message_waits_for_it(meta, place, run_jobs):
    sender, now = phone(), int(time.time())
    first = message(sender, say("Late"))
    edit = {"type": "edit", "edit": {"original_message_id": first["id"], "message": say("Edited")}}
    early = [reaction(sender, first["id"], "👍", now), message(sender, edit)]
    for node in early * 2:
        meta.deliver(delivery(place, change(place, messages=[node])))
        run_jobs()
    assert rows(place, Message) == []
    assert len(rows(place, ParkedEvent)) == 2
    meta.deliver(delivery(place, change(place, messages=[first])))
    run_jobs()
    stored = only(place, Message)
    assert (stored.text, stored.reactions) == ("Edited", {"contact": {"emoji": "👍"}})
    assert rows(place, ParkedEvent) == []


# Statuses


def sent_message(place, **fields):
    """An outbound message that Meta has accepted; its id and its wamid."""
    chat_id = builders.conversation_of(place, phone=phone())
    name = wamid()
    return builders.outbound(place, chat_id, meta_message_id=name, **fields), name


def tell(meta, run_jobs, place, *statuses):
    for one in statuses:
        meta.deliver(delivery(place, change(place, statuses=[one])))
    run_jobs()


def test_statuses_climb_and_each_is_kept_once(meta, place, run_jobs):
    _, name = sent_message(place, status="accepted")
    steps = [status(name, step) for step in ("sent", "delivered", "read", "played")]
    tell(meta, run_jobs, place, *steps, *steps)
    assert only(place, Message).status == "played"
    assert sorted(one.status for one in rows(place, MessageEvent)) == [
        "delivered",
        "played",
        "read",
        "sent",
    ]


def test_a_late_sent_keeps_delivered(meta, place, run_jobs):
    _, name = sent_message(place, status="accepted")
    tell(meta, run_jobs, place, status(name, "delivered"))
    tell(meta, run_jobs, place, status(name, "sent"))
    assert only(place, Message).status == "delivered"


def test_read_without_delivered_counts_both(meta, place, run_jobs):
    _, name = sent_message(place, status="sent")
    tell(meta, run_jobs, place, status(name, "read"))
    stored = only(place, Message)
    assert ladder.has_reached(stored.status, "delivered")
    assert ladder.has_reached(stored.status, "read")
    assert not ladder.has_reached(stored.status, "played")


def test_failed_ends_it_and_a_later_delivered_is_kept_and_flagged(meta, place, run_jobs):
    _, name = sent_message(place, status="sent")
    error = {"code": 131026, "title": "Undeliverable", "error_data": {"details": "No WhatsApp"}}
    tell(meta, run_jobs, place, status(name, "failed", errors=[error]))
    tell(meta, run_jobs, place, status(name, "delivered"))
    stored = only(place, Message)
    assert stored.status == "failed"
    assert stored.failure["code"] == "131026"
    assert stored.failure["contradicted_by"] == "delivered"
    assert len(rows(place, MessageEvent)) == 2


def test_a_failure_of_one_device_does_not_undo_an_arrival(meta, place, run_jobs):
    _, name = sent_message(place, status="delivered")
    tell(meta, run_jobs, place, status(name, "failed", errors=[{"code": 131000}]))
    stored = only(place, Message)
    assert (stored.status, stored.failure) == ("delivered", None)


@pytest.mark.parametrize("was", ["queued", "sending", "unknown", "cancelled"])
def test_a_status_before_the_response_heals_the_message(meta, place, run_jobs, was):
    chat_id = builders.conversation_of(place, phone=phone())
    message_id = builders.outbound(place, chat_id, status=was, meta_message_id=None)
    with place.system_work() as ctx:
        stored = ctx.get(Message, message_id)
        stored.meta_message_id = None
        ctx.session.add(
            OutboxItem(
                id=message_id,
                number_id=place.number_id,
                conversation_id=chat_id,
                recipient="1",
                state=OutboxState.SENDING,
            )
        )
    name = wamid()
    told = status(name, "delivered", biz_opaque_callback_data=str(message_id))
    tell(meta, run_jobs, place, told)
    tell(meta, run_jobs, place, status(name, "read"))
    stored = only(place, Message)
    assert (stored.status, stored.meta_message_id) == ("read", name)
    assert rows(place, OutboxItem) == []


def test_a_reaction_that_overtook_the_answer_to_our_send_is_applied_with_the_status(
    meta, place, run_jobs
):
    chat_id = builders.conversation_of(place, phone=phone())
    message_id = builders.outbound(place, chat_id, status="sending")
    with place.system_work() as ctx:
        ctx.get(Message, message_id).meta_message_id = None
    name = wamid()
    early = reaction(phone(), name, "🎉", int(time.time()))
    meta.deliver(delivery(place, change(place, messages=[early])))
    run_jobs()
    assert only(place, Message).reactions == {}
    tell(meta, run_jobs, place, status(name, "sent", biz_opaque_callback_data=str(message_id)))
    assert only(place, Message).reactions == {"contact": {"emoji": "🎉"}}
    assert rows(place, ParkedEvent) == []


def test_a_status_shows_on_the_last_message_of_its_conversation(meta, place, run_jobs):
    message_id, name = sent_message(place, status="sent")
    with place.system_work() as ctx:
        chat = ctx.session.exec(select(Conversation)).one()
        chat.last_message_id, chat.last_message_status = message_id, "sent"
    tell(meta, run_jobs, place, status(name, "read", pricing={"category": "service"}))
    assert only(place, Conversation).last_message_status == "read"
    assert only(place, Message).pricing == {"category": "service"}
    assert only(place, Conversation).unread_count == 0


def test_a_status_of_a_message_that_is_not_ours_waits_and_is_no_problem(meta, place, run_jobs):
    tell(meta, run_jobs, place, status(wamid(), "sent"))
    assert rows(place, Message) == []
    assert len(rows(place, ParkedEvent)) == 1
    assert last_delivery().status == DeliveryStatus.DONE


def test_another_tenants_message_can_not_be_moved_by_naming_its_id(meta, place, rival, run_jobs):
    message_id, name = sent_message(place, status="sent")
    told = status(name, "failed", biz_opaque_callback_data=str(message_id))
    tell(meta, run_jobs, rival, told)
    assert only(place, Message).status == "sent"
    assert rows(place, MessageEvent) == []


# The phone beside us: echoes and history


def test_an_echo_shows_what_the_phone_wrote_and_changes_nothing_else(meta, place, run_jobs):
    sender = phone()
    chat_id = builders.conversation_of(
        place, phone=sender, status=ConversationStatus.CLOSED, window_closes_at=None
    )
    echo = {**message("1555000", say("From the phone")), "to": sender}
    meta.deliver(delivery(place, change(place, field="smb_message_echoes", message_echoes=[echo])))
    run_jobs()
    stored = only(place, Message)
    assert (stored.direction, stored.origin, stored.status) == ("outbound", "phone_app", "sent")
    chat = only(place, Conversation)
    assert (chat.id, chat.status, chat.unread_count) == (chat_id, ConversationStatus.CLOSED, 0)
    assert chat.window_closes_at is None
    assert chat.last_message_preview == "From the phone"


def test_history_opens_no_chat_no_window_and_raises_no_count(meta, place, run_jobs):
    other, ours = phone(), "1555000" + place.phone_number_id[-4:]
    theirs = {**message(other, say("Back then")), "timestamp": "1700000000"}
    answer = {
        **message(ours, say("Our answer")),
        "timestamp": "1700000100",
        "history_context": {"status": "READ"},
    }
    placeholder = {**message(other, {"type": "media_placeholder"}), "timestamp": "1700000200"}
    chunk = {
        "metadata": {"phase": 0, "chunk_order": 1, "progress": 100},
        "threads": [{"id": other, "messages": [theirs, answer, placeholder]}],
    }
    meta.deliver(delivery(place, change(place, field="history", history=[chunk])))
    run_jobs()
    assert texts(place) == ["Back then", "Our answer", ""]
    assert [one.origin for one in rows(place, Message)] == ["history"] * 3
    assert [one.status for one in rows(place, Message)] == ["received", "read", "received"]
    chat = only(place, Conversation)
    assert (chat.status, chat.unread_count) == (ConversationStatus.CLOSED, 0)
    assert chat.window_closes_at is None
    file = {"type": "image", "image": {"id": "77", "mime_type": "image/jpeg", "caption": "Cake"}}
    later = {**placeholder, **file}
    meta.deliver(delivery(place, change(place, field="history", messages=[later])))
    run_jobs()
    assert texts(place) == ["Back then", "Our answer", "Cake"]
    assert only(place, Conversation).status == ConversationStatus.CLOSED


# What can not be applied


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x00 no JSON", "The delivery is not JSON."),
        (b"[" * 100_000, "The delivery is not JSON."),
        (b"[]", "The delivery is JSON but no object, so it is not one of Meta's."),
        (b'{"object":"page","entry":[]}', "The delivery is not about a WhatsApp Business account."),
        (b'{"object":"whatsapp_business_account"}', "The delivery has no list of entries."),
    ],
)
def test_what_is_not_metas_is_parked_with_the_reason(meta, run_jobs, body, reason):
    assert meta.post(body).status_code == 200
    run_jobs()
    kept = last_delivery()
    assert (kept.status, kept.body) == (DeliveryStatus.PARKED, body)
    assert problems_of(kept.id) == [("unreadable", reason)]


def test_an_unknown_number_is_parked_and_applied_when_it_is_replayed(
    meta, place, make_place, run_jobs
):
    from aerostic.core.permissions import PlatformRole, platform_staff
    from aerostic.core.tenancy import shared_work
    from aerostic.domain.channels.models import NumberDirectory

    number = place.phone_number_id
    with shared_work(system("test")) as ctx:
        ctx.session.delete(ctx.session.get(NumberDirectory, number))
    meta.deliver(delivery(place, change(place, messages=[message(phone(), say("Anyone?"))])))
    run_jobs()
    parked = last_delivery()
    assert parked.status == DeliveryStatus.PARKED
    assert problems_of(parked.id) == [
        ("unknown_number", f"No workspace has connected the number {number}.")
    ]
    with shared_work(system("test")) as ctx:
        ctx.session.add(
            NumberDirectory(
                phone_number_id=number, tenant_id=place.tenant_id, number_id=place.number_id
            )
        )
    staff = platform_staff(place.owner_id, "Staff", PlatformRole.SUPER_ADMIN)
    for _ in range(2):
        with platform_work(staff) as ctx:
            service.replay(ctx, parked.id)
        run_jobs()
    assert last_delivery().status == DeliveryStatus.DONE
    assert texts(place) == ["Anyone?"]
    assert only(place, Conversation).unread_count == 1


def test_an_unknown_field_is_parked_and_its_neighbours_proceed(meta, place, run_jobs):
    strange = account_change("telepathy", {"thought": "?"})
    unused = account_change("flows", {"event": "FLOW_STATUS_CHANGE"})
    meta.deliver(
        delivery(place, strange, unused, change(place, messages=[message(phone(), say("Hi"))]))
    )
    run_jobs()
    assert texts(place) == ["Hi"]
    assert problems_of(last_delivery().id) == [
        ("unknown_field", "The field “telepathy” is not known. Its content is kept.")
    ]


def test_one_unreadable_change_is_parked_and_the_rest_proceeds(meta, place, run_jobs):
    broken = change(place, messages=[{"from": phone(), "type": "text", "text": {"body": "no id"}}])
    good = [change(place, messages=[message(phone(), say(f"{n}"))]) for n in range(3)]
    meta.deliver(delivery(place, good[0], broken, *good[1:]))
    run_jobs()
    assert texts(place) == ["0", "1", "2"]
    assert problems_of(last_delivery().id) == [
        ("unreadable", "A message or status has no id that could be one of Meta's.")
    ]


def test_one_change_that_fails_to_apply_is_parked_and_the_rest_proceeds(
    meta, place, rival, run_jobs, monkeypatch
):
    from aerostic.domain.inbox import reading

    text_of = reading.text_of

    def stumble(kind, content):
        if content.get("text") == {"body": "stumble"}:
            raise KeyError("a bug of ours")
        return text_of(kind, content)

    monkeypatch.setattr(reading, "text_of", stumble)
    said = ["0", "1", "stumble", "3", "4"]
    changes = [change(place, messages=[message(phone(), say(text))]) for text in said]
    both = delivery(place, *changes)
    theirs = change(rival, messages=[message(phone(), say("theirs"))])
    both["entry"].append(delivery(rival, theirs)["entry"][0])
    meta.deliver(both)
    run_jobs()
    assert sorted(texts(place)) == ["0", "1", "3", "4"]
    assert texts(rival) == ["theirs"]
    parked = last_delivery()
    assert problems_of(parked.id) == [("failed", "It could not be applied: 'a bug of ours'.")]
    assert parked.status == DeliveryStatus.PARKED


def test_a_crash_between_the_share_and_the_mark_applies_nothing_twice_and_keeps_the_problem(
    meta, place, run_jobs, monkeypatch
):
    from aerostic.domain.deliveries import claiming
    from aerostic.domain.inbox import reading
    from workers.jobs import deliveries

    text_of = reading.text_of

    def stumble(kind, content):
        if content.get("text") == {"body": "stumble"}:
            raise KeyError("a bug of ours")
        return text_of(kind, content)

    def die(*_):
        raise SystemExit("killed")

    monkeypatch.setattr(reading, "text_of", stumble)
    changes = [change(place, messages=[message(phone(), say(t))]) for t in ("fine", "stumble")]
    meta.deliver(delivery(place, *changes))
    with monkeypatch.context() as dying:
        dying.setattr(claiming, "finish", die)
        with pytest.raises(SystemExit):
            deliveries.drain()
    assert last_delivery().status == DeliveryStatus.PENDING
    run_jobs()
    assert texts(place) == ["fine"]
    assert only(place, Conversation).unread_count == 1
    assert len(problems_of(last_delivery().id)) == 1


def test_a_redis_that_forgot_everything_loses_nothing(meta, place, run_jobs):
    from workers import scheduler

    meta.deliver(delivery(place, change(place, messages=[message(phone(), say("Still here"))])))
    queue.connection().flushdb()
    assert run_jobs() == 0
    assert texts(place) == []
    sweep = next(one for one in scheduler.SCHEDULE if one.name == "deliveries")
    queue.start([queue.Job(sweep.job, queue=sweep.queue)])
    run_jobs()
    assert texts(place) == ["Still here"]


# Accounts


def template_of(place, **fields) -> Template:
    with place.system_work() as ctx:
        made = Template(
            account_id=place.account_id,
            meta_template_id="900",
            name="welcome",
            language="en",
            category="UTILITY",
            status="PENDING",
            components=[{"type": "BODY", "text": "Hello"}],
            **fields,
        )
        ctx.session.add(made)
        return made


def named(**more):
    return {
        "message_template_id": 900,
        "message_template_name": "welcome",
        "message_template_language": "en",
        **more,
    }


def test_a_template_status_change_reaches_the_template(meta, place, rival, run_jobs):
    template_of(place)
    template_of(rival)
    value = named(event="REJECTED", reason="INVALID_FORMAT")
    meta.deliver(delivery(place, account_change("message_template_status_update", value)))
    run_jobs()
    changed = only(place, Template)
    assert (changed.status, changed.rejection_reason) == ("REJECTED", "INVALID_FORMAT")
    assert only(rival, Template).status == "PENDING"


def test_template_quality_category_and_words_are_taken_over(meta, place, run_jobs):
    template_of(place)
    quality = named(new_quality_score="RED", previous_quality_score="GREEN")
    category = named(new_category="MARKETING", previous_category="UTILITY")
    words = named(message_template_element="Hello again")
    meta.deliver(
        delivery(
            place,
            account_change("message_template_quality_update", quality),
            account_change("template_category_update", category),
            account_change("message_template_components_update", words),
        )
    )
    run_jobs()
    changed = only(place, Template)
    assert (changed.quality, changed.category) == ("RED", "MARKETING")
    assert changed.components == [{"type": "BODY", "text": "Hello again"}]


def test_a_restriction_shows_on_the_account_and_its_numbers(meta, place, rival, run_jobs):
    value = {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}],
    }
    meta.deliver(delivery(place, account_change("account_update", value)))
    run_jobs()
    sentence = "Meta has restricted this account: restricted biz initiated messaging."
    assert only(place, WhatsappAccount).problem == sentence
    assert only(place, PhoneNumber).problem == sentence
    assert only(rival, WhatsappAccount).problem is None
    back = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}
    meta.deliver(delivery(place, account_change("account_update", back)))
    run_jobs()
    assert only(place, PhoneNumber).problem is None


def test_limits_and_throughput_reach_the_numbers(meta, place, run_jobs):
    shown = only(place, PhoneNumber).display_phone_number
    upgrade = {"display_phone_number": shown, "event": "THROUGHPUT_UPGRADE"}
    capability = {"max_daily_conversations_per_business": -1}
    meta.deliver(
        delivery(
            place,
            account_change("phone_number_quality_update", upgrade),
            account_change("business_capability_update", capability),
        )
    )
    run_jobs()
    number = only(place, PhoneNumber)
    assert (number.messages_per_second, number.messaging_limit) == (1000, "TIER_UNLIMITED")


def test_whoever_stops_marketing_is_remembered(meta, place, run_jobs):
    sender, now = phone(), int(time.time())
    meta.deliver(delivery(place, change(place, messages=[message(sender)])))

    def prefer(value):
        told = {
            "wa_id": sender,
            "category": "marketing_messages",
            "value": value,
            "timestamp": str(now),
        }
        meta.deliver(
            delivery(place, change(place, field="user_preferences", user_preferences=[told]))
        )
        run_jobs()

    prefer("stop")
    assert only(place, Contact).marketing_stopped_at == moment(now)
    prefer("stop")
    prefer("resume")
    contact = only(place, Contact)
    assert contact.marketing_stopped_at is None
    with place.work() as ctx:
        told = [item.text for item in timeline(ctx, contact.id).items]
    assert told == [
        "WhatsApp told us that this person wants marketing messages again.",
        "WhatsApp told us that this person wants no marketing messages.",
        "1 message received.",
    ]


def test_a_partners_event_names_the_account_in_its_value(meta, place, run_jobs):
    value = {"event": "PARTNER_REMOVED", "waba_info": {"waba_id": place.meta_account_id}}
    told = delivery(place, account_change("account_update", value))
    told["entry"][0]["id"] = "999"
    meta.deliver(told)
    run_jobs()
    assert "no longer shared" in only(place, WhatsappAccount).problem


# Files


def test_a_picture_makes_the_work_of_fetching_it(meta, place, run_jobs, monkeypatch):
    monkeypatch.setattr("workers.jobs.media.fetch", lambda **_: None)
    file = {"type": "image", "image": {"id": "123", "mime_type": "image/jpeg", "sha256": "x"}}
    meta.deliver(delivery(place, change(place, messages=[message(phone(), file)])))
    run_jobs()
    media = only(place, Media)
    assert (media.meta_media_id, media.status) == ("123", MediaStatus.PENDING)
    assert only(place, Message).media_id == media.id
    assert media.conversation_id == only(place, Conversation).id


# Erasing


def bodies() -> str:
    with platform_work(system("test")) as ctx:
        return " ".join(
            bytes(one.body).decode(errors="replace")
            for one in ctx.session.exec(select(WebhookDelivery))
        )


def test_who_is_erased_is_cut_out_of_deliveries_and_not_brought_back(meta, place, rival, run_jobs):
    ada, grace = phone(), phone()
    words = [
        message(ada, {"type": "text", "text": {"body": "Ada was here"}}),
        message(grace, {"type": "text", "text": {"body": "Grace stays"}}),
    ]
    theirs = message(ada, {"type": "text", "text": {"body": "Ada next door"}})
    people = [contact(ada, "Ada Secret"), contact(grace, "Grace Hopper")]
    told = delivery(
        place,
        change(place, messages=words, contacts=people),
        change(rival, messages=[theirs], contacts=[contact(ada, "Ada of the rival")]),
    )
    meta.deliver(told)
    run_jobs()
    first = next(one for one in rows(place, Contact) if one.phone == ada)
    with place.work() as ctx:
        dossier.erase(ctx, first.id)
    run_jobs()
    kept = bodies()
    for gone in ("Ada was here", "Ada Secret", words[0]["id"]):
        assert gone not in kept
    for stays in ("Grace stays", "Grace Hopper", words[1]["id"], "Ada next door", theirs["id"]):
        assert stays in kept
    assert rows(place, Redaction) == []
    assert {one.key for one in rows(place, MessageKey)} == {words[1]["id"]}

    meta.deliver(told)  # once more, as Meta does, and a status of what is gone
    late = status(words[0]["id"], "delivered")
    meta.deliver(delivery(place, change(place, statuses=[late])))
    run_jobs()
    assert sorted(one.phone or "" for one in rows(place, Contact)) == ["", grace]
    assert len(rows(place, Message)) == 2
    assert rows(place, ParkedEvent) == []

    again = message(ada, {"type": "text", "text": {"body": "Me again"}})
    meta.deliver(delivery(place, change(place, messages=[again])))
    run_jobs()
    assert sorted(one.phone or "" for one in rows(place, Contact)) == sorted(["", ada, grace])


def test_who_is_erased_is_cut_out_of_a_number_that_was_disconnected_before(
    meta, place, rival, run_jobs
):
    ada = phone()
    words = message(ada, {"type": "text", "text": {"body": "Ada wrote before"}})
    told = change(place, messages=[words], contacts=[contact(ada, "Ada Hidden")])
    theirs = message(ada, {"type": "text", "text": {"body": "Ada at the rival's"}})
    beside = change(rival, messages=[theirs], contacts=[contact(ada, "Ada of the rival")])
    meta.deliver(delivery(place, told, beside))
    run_jobs()
    with place.work() as ctx:
        channels.disconnect_number(ctx, place.number_id)
    (known,) = [one for one in rows(place, Contact) if one.phone == ada]
    with place.work() as ctx:
        dossier.erase(ctx, known.id)
    run_jobs()
    kept = bodies()
    for gone in ("Ada wrote before", "Ada Hidden", words["id"]):
        assert gone not in kept
    assert "Ada at the rival's" in kept


def test_a_redaction_whose_job_was_lost_is_done_later(meta, place, run_jobs):
    ada = phone()
    meta.deliver(delivery(place, change(place, messages=[message(ada)])))
    run_jobs()
    with place.work() as ctx:
        dossier.erase(ctx, only(place, Contact).id)
    queue.connection().flushdb()
    with place.system_work() as ctx:
        for asked in ctx.session.exec(select(Redaction)):
            asked.created_at -= timedelta(hours=2)
    timers.tidy()
    run_jobs()
    assert ada not in bodies()
    assert rows(place, Redaction) == []


def test_a_delivery_that_was_cut_can_be_replayed(meta, place, run_jobs):
    ada, grace = phone(), phone()
    meta.deliver(delivery(place, change(place, messages=[message(ada), message(grace)])))
    run_jobs()
    first = next(one for one in rows(place, Contact) if one.phone == ada)
    with place.work() as ctx:
        dossier.erase(ctx, first.id)
    run_jobs()
    with platform_work(system("test", *Permission)) as ctx:
        [row] = [
            one
            for one in ctx.session.exec(select(WebhookDelivery))
            if place.phone_number_id.encode() in bytes(one.body)
        ]
        service.replay(ctx, row.id)
    run_jobs()
    with platform_work(system("test")) as ctx:
        assert ctx.session.get(WebhookDelivery, row.id).status == DeliveryStatus.DONE
    assert len(rows(place, Message)) == 2

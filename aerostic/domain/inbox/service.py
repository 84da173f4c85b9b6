"""Everything that people do in the inbox. Each is one action inside the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Delete, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import due_work
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.permissions import ActorKind, Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import ConnectionStatus, NumberMode, PhoneNumber
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox import (
    canned,
    events,
    members,
    modes,
    notices,
    outbox,
    presence,
    reactions,
    window,
)
from aerostic.domain.inbox.access import (
    access_canned_reply,
    access_conversation,
    access_label,
    access_message,
)
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.messages import event_view
from aerostic.domain.inbox.models import (
    CannedReply,
    Conversation,
    ConversationLabel,
    ConversationStatus,
    Direction,
    Label,
    Message,
    Origin,
)
from aerostic.domain.inbox.schemas import EventKind, EventView
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import SignalKind
from aerostic.domain.signals.telling import Happened

LONGEST_NOTE = 4000
COLOURS = (
    "gray",
    "red",
    "orange",
    "amber",
    "green",
    "teal",
    "blue",
    "indigo",
    "purple",
    "pink",
)


# Answering --------------------------------------------------------------------------------------


@requires(Permission.INBOX_REPLY)
def reply(
    ctx: Context, conversation_id: UUID, draft: Draft, *, origin: Origin = Origin.INBOX
) -> Message:
    """Queue a reply. It leaves after the commit, once, inside the 24-hour window only."""
    conversation = access_conversation(ctx, conversation_id)
    if draft.is_free_form and not window.is_open(conversation, now=ctx.now):
        raise Refused(_closed_window(conversation))
    message = outbox.queue(ctx, conversation, draft, origin=origin)
    if conversation.status == ConversationStatus.CLOSED:
        _reopen(ctx, conversation)
    if ctx.actor.kind is ActorKind.USER and origin is Origin.INBOX:
        modes.take_over(ctx, conversation)
    return message


@requires(Permission.INBOX_REPLY)
def react(ctx: Context, message_id: UUID, emoji: str, *, key: str = "") -> Message:
    """React to a message with one emoji; an empty one takes the reaction back."""
    target = access_message(ctx, message_id)
    conversation = access_conversation(ctx, target.conversation_id)
    outbox.hold(ctx, conversation.contact_id)  # before the message, as whoever takes in their words
    target = access_message(ctx, message_id, for_update=True)  # the contact may react right now
    message = reply(ctx, target.conversation_id, Draft.reaction(message_id, emoji, key=key))
    if reactions.BEFORE in message.content:  # the same click once more
        return message
    before = target.reactions.get(reactions.US)
    message.content = {**message.content, reactions.BEFORE: before}
    target.reactions = reactions.with_reaction(
        target.reactions, reactions.US, emoji, ctx.actor.user_id
    )
    return message


@requires(Permission.INBOX_REPLY)
def start_conversation(ctx: Context, contact_id: UUID, number_id: UUID) -> Conversation:
    """The conversation of a contact with a number, made if there is none yet.

    Until the contact writes, only a template may be sent in it.
    """
    contact = ctx.get(Contact, contact_id)
    if contact is None or contact.erased_at or contact.merged_into_id:
        raise NotFound("That contact no longer exists.")
    number = ctx.get(PhoneNumber, number_id)
    if number is None:
        raise NotFound("That number no longer exists.")
    if number.status == ConnectionStatus.DISCONNECTED:
        raise Refused("This number is disconnected. Connect it again in the settings.")
    return _existing(ctx, contact_id, number_id) or _start(ctx, contact_id, number_id)


# Whose it is, and where it stands ---------------------------------------------------------------


@requires(Permission.INBOX_REPLY)
def assign(ctx: Context, conversation_id: UUID, user_id: UUID | None) -> Conversation:
    """Give the conversation to a member who may answer, or to nobody."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    if user_id == conversation.assignee_id:
        return conversation
    if user_id is None:
        events.record(ctx, conversation, EventKind.UNASSIGNED)
    else:
        name = _name_of_answering(ctx, user_id)
        is_self = user_id == ctx.actor.user_id
        events.record(ctx, conversation, EventKind.ASSIGNED, name=name, is_self=is_self)
    conversation.assignee_id = user_id
    _tell(ctx, SignalKind.CONVERSATION_ASSIGNED, conversation, user_id=str(user_id or ""))
    return conversation


@requires(Permission.INBOX_REPLY)
def close(ctx: Context, conversation_id: UUID) -> Conversation:
    """Put the conversation away. A new message of the contact opens it again."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    if conversation.status == ConversationStatus.CLOSED:
        return conversation
    _forget_snooze(ctx, conversation)
    conversation.status = ConversationStatus.CLOSED
    conversation.closed_at = ctx.now
    events.record(ctx, conversation, EventKind.CLOSED)
    _tell(ctx, SignalKind.CONVERSATION_CLOSED, conversation)
    return conversation


@requires(Permission.INBOX_REPLY)
def reopen(ctx: Context, conversation_id: UUID) -> Conversation:
    """Take the conversation back among the open ones, from closed or from snoozed."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    if conversation.status != ConversationStatus.OPEN:
        _reopen(ctx, conversation)
    return conversation


@requires(Permission.INBOX_REPLY)
def snooze(ctx: Context, conversation_id: UUID, until: datetime) -> Conversation:
    """Set the conversation aside until then, or until the contact writes."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    if until.tzinfo is None:
        raise Invalid("until", "Say the time with its zone, such as 2026-11-24T09:00:00+01:00.")
    if until <= ctx.now:
        raise Invalid("until", "Choose a time that is still to come.")
    until = until.astimezone(UTC)
    conversation.status = ConversationStatus.SNOOZED
    conversation.snoozed_until = until
    conversation.closed_at = None
    _remember_snooze(ctx, conversation, until)
    events.record(ctx, conversation, EventKind.SNOOZED, until=until.isoformat())
    return conversation


@requires(Permission.INBOX_REPLY)
def wake_snoozed(ctx: Context, conversation_id: UUID) -> bool:
    """Open a conversation whose snooze is over; for the scheduler. False: there was nothing to wake."""
    conversation = ctx.get(Conversation, conversation_id, for_update=True)
    if conversation is None or conversation.status != ConversationStatus.SNOOZED:
        return False
    if conversation.snoozed_until and conversation.snoozed_until > ctx.now:
        return False
    _open(ctx, conversation)
    events.record(ctx, conversation, EventKind.WOKEN)
    return True


@requires(Permission.INBOX_REPLY)
def mark_read(ctx: Context, conversation_id: UUID) -> Conversation:
    """Someone has seen it: nothing is unread any more."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    if conversation.unread_count:
        notices.mark_read_at_meta(ctx, conversation)
        conversation.unread_count = 0
        ctx.announce("conversation", conversation.id)
    return conversation


@requires(Permission.INBOX_REPLY)
def typing(ctx: Context, conversation_id: UUID) -> None:
    """Show colleagues and the contact that the actor is writing; it fades by itself."""
    conversation = access_conversation(ctx, conversation_id)
    presence.typing(ctx, conversation_id)
    if window.is_open(conversation, now=ctx.now):
        notices.typing_at_meta(ctx, conversation)


@requires(Permission.INBOX_REPLY)
def set_mode(ctx: Context, conversation_id: UUID, mode: NumberMode | None) -> Conversation:
    """Who answers here: automation, AI, a person, or nobody for now. None: as its number says."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    if conversation.mode != mode:
        modes.set_mode(ctx, conversation, mode)
    return conversation


@requires(Permission.INBOX_REPLY)
def give_back(ctx: Context, conversation_id: UUID) -> None:
    """The time of whoever took it over has ended; for the scheduler of automation."""
    conversation = ctx.get(Conversation, conversation_id, for_update=True)
    if conversation is None:
        due_work.settle(ctx, WorkKind.RELEASE, conversation_id)
    else:
        modes.give_back(ctx, conversation)


# Notes and labels -------------------------------------------------------------------------------


@requires(Permission.INBOX_REPLY)
def add_note(
    ctx: Context, conversation_id: UUID, text: str, mentions: Sequence[UUID] = ()
) -> EventView:
    """Write something that colleagues see and the contact does not.

    `mentions` are members' ids: they are told by e-mail. Raises Invalid; Refused for whoever is no member.
    """
    conversation = access_conversation(ctx, conversation_id)
    text = text.strip()
    if not text:
        raise Invalid("text", "Write the note first.")
    if len(text) > LONGEST_NOTE or "\x00" in text:
        raise Invalid("text", f"A note has at most {LONGEST_NOTE:,} characters.")
    named = [{"user_id": str(one), "name": _name_of_answering(ctx, one)} for one in mentions]
    path = f"/dashboard/{ctx.tenant_id}/inbox?c={conversation_id}"
    members.call_upon(ctx, mentions, text=text, path=path)
    return event_view(events.record(ctx, conversation, EventKind.NOTE, text, mentions=named))


@requires(Permission.INBOX_REPLY)
def set_labels(ctx: Context, conversation_id: UUID, label_ids: Collection[UUID]) -> Conversation:
    """Give the conversation just these labels."""
    conversation = access_conversation(ctx, conversation_id, for_update=True)
    wanted = {label_id: access_label(ctx, label_id).name for label_id in label_ids}
    had = _labels_of(ctx, conversation)
    added, removed = wanted.keys() - had.keys(), had.keys() - wanted.keys()
    if not added and not removed:
        return conversation
    for label_id in added:
        ctx.session.add(ConversationLabel(label_id=label_id, conversation_id=conversation.id))
    ctx.session.execute(_labellings(ctx, conversation, removed))
    events.record(
        ctx,
        conversation,
        EventKind.LABELLED,
        added=sorted(wanted[one] for one in added),
        removed=sorted(had[one] for one in removed),
    )
    return conversation


@requires(Permission.INBOX_MANAGE)
def create_label(ctx: Context, name: str, colour: str = "gray") -> Label:
    label = Label(name=_label_name(ctx, name), colour=_colour(colour))
    ctx.session.add(label)
    ctx.write_unless_taken(_label_taken(label.name))
    ctx.announce("label", label.id)
    return label


@requires(Permission.INBOX_MANAGE)
def change_label(
    ctx: Context, label_id: UUID, *, name: str | None = None, colour: str | None = None
) -> Label:
    """Give a label another name or colour, wherever it is attached."""
    label = access_label(ctx, label_id)
    if name is not None:
        label.name = _label_name(ctx, name, besides=label)
    if colour is not None:
        label.colour = _colour(colour)
    ctx.write_unless_taken(_label_taken(label.name))
    ctx.announce("label", label.id)
    return label


@requires(Permission.INBOX_MANAGE)
def delete_label(ctx: Context, label_id: UUID) -> None:
    """Take a label away, from every conversation too."""
    ctx.session.delete(access_label(ctx, label_id))
    ctx.announce("label", label_id)


# Canned replies ---------------------------------------------------------------------------------


@requires(Permission.INBOX_MANAGE)
def create_canned_reply(ctx: Context, shortcut: str, text: str) -> CannedReply:
    """A ready answer behind `/shortcut`. May name `{{ contact.name }}` and the like."""
    shortcut = _free_shortcut(ctx, shortcut)
    made = CannedReply(shortcut=shortcut, text=canned.text_of(text))
    ctx.session.add(made)
    ctx.write_unless_taken(_shortcut_taken(shortcut))
    ctx.announce("canned_reply", made.id)
    return made


@requires(Permission.INBOX_MANAGE)
def change_canned_reply(
    ctx: Context, reply_id: UUID, *, shortcut: str | None = None, text: str | None = None
) -> CannedReply:
    changed = access_canned_reply(ctx, reply_id)
    if shortcut is not None:
        changed.shortcut = _free_shortcut(ctx, shortcut, besides=changed)
    if text is not None:
        changed.text = canned.text_of(text)
    changed.updated_at = ctx.now
    ctx.write_unless_taken(_shortcut_taken(changed.shortcut))
    ctx.announce("canned_reply", changed.id)
    return changed


@requires(Permission.INBOX_MANAGE)
def delete_canned_reply(ctx: Context, reply_id: UUID) -> None:
    ctx.session.delete(access_canned_reply(ctx, reply_id))
    ctx.announce("canned_reply", reply_id)


# Behind them ------------------------------------------------------------------------------------


def _tell(ctx: Context, kind: SignalKind, conversation: Conversation, **details: str) -> None:
    told = Happened(
        kind,
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        number_id=conversation.number_id,
        details=details,
    )
    telling.tell(ctx, [told])


def _closed_window(conversation: Conversation) -> str:
    if conversation.last_inbound_at is None:
        return (
            "WhatsApp only allows templates here: the customer has not written to this number yet."
        )
    return "WhatsApp only allows templates here: the customer last wrote more than 24 hours ago."


def _existing(ctx: Context, contact_id: UUID, number_id: UUID) -> Conversation | None:
    statement = select(Conversation).where(
        Conversation.tenant_id == ctx.tenant_id,
        Conversation.contact_id == contact_id,
        Conversation.number_id == number_id,
    )
    return ctx.session.exec(statement).one_or_none()


def _start(ctx: Context, contact_id: UUID, number_id: UUID) -> Conversation:
    row = {
        "tenant_id": ctx.tenant_id,
        "id": new_id(),
        "contact_id": contact_id,
        "number_id": number_id,
        "last_message_at": ctx.now,
        "last_message_direction": Direction.OUTBOUND,
    }
    # The contact may write, and so start it, at this very moment.
    ctx.session.execute(insert(Conversation).values(row).on_conflict_do_nothing())
    started = _existing(ctx, contact_id, number_id)
    assert started is not None
    if started.id == row["id"]:
        events.record(ctx, started, EventKind.STARTED)
    return started


def _open(ctx: Context, conversation: Conversation) -> None:
    _forget_snooze(ctx, conversation)
    conversation.status = ConversationStatus.OPEN
    conversation.closed_at = None


def _reopen(ctx: Context, conversation: Conversation) -> None:
    _open(ctx, conversation)
    events.record(ctx, conversation, EventKind.REOPENED)


def _remember_snooze(ctx: Context, conversation: Conversation, until: datetime) -> None:
    row = {"kind": WorkKind.SNOOZE, "tenant_id": ctx.tenant_id, "ref": conversation.id}
    statement = insert(DueWork).values(**row, due_at=until)
    ctx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "tenant_id", "ref"],
            set_={"due_at": until, "leased_by": None, "leased_until": None},
        )
    )


def _forget_snooze(ctx: Context, conversation: Conversation) -> None:
    conversation.snoozed_until = None
    ctx.session.execute(
        delete(DueWork).where(
            col(DueWork.kind) == WorkKind.SNOOZE,
            col(DueWork.tenant_id) == ctx.tenant_id,
            col(DueWork.ref) == conversation.id,
        )
    )


def _name_of_answering(ctx: Context, user_id: UUID) -> str:
    """The member's name. Whoever is no member, or may not answer, can not be told apart here."""
    name = members.names_of_answering(ctx, [user_id]).get(user_id)
    if name is None:
        raise Refused("That person can not answer in this workspace. Choose one of its members.")
    return name


def _labels_of(ctx: Context, conversation: Conversation) -> dict[UUID, str]:
    statement = (
        select(Label.id, Label.name)
        .join(ConversationLabel, col(ConversationLabel.label_id) == col(Label.id))
        .where(
            Label.tenant_id == ctx.tenant_id,
            ConversationLabel.tenant_id == ctx.tenant_id,
            ConversationLabel.conversation_id == conversation.id,
        )
    )
    return dict(ctx.session.exec(statement).all())


def _labellings(ctx: Context, conversation: Conversation, label_ids: Collection[UUID]) -> Delete:
    return delete(ConversationLabel).where(
        col(ConversationLabel.tenant_id) == ctx.tenant_id,
        col(ConversationLabel.conversation_id) == conversation.id,
        col(ConversationLabel.label_id).in_(label_ids),
    )


def _label_name(ctx: Context, typed: str, *, besides: Label | None = None) -> str:
    name = " ".join(typed.split())
    if not 1 <= len(name) <= 40 or "\x00" in name:
        raise Invalid("name", "A label's name has 1 to 40 characters.")
    statement = select(Label.id).where(
        Label.tenant_id == ctx.tenant_id, func.lower(Label.name) == name.lower()
    )
    if set(ctx.session.exec(statement)) - {besides.id if besides else None}:
        raise _label_taken(name)
    return name


def _label_taken(name: str) -> Conflict:
    return Conflict(f"There is a label “{name}” already.", code="label_exists")


def _colour(colour: str) -> str:
    if colour not in COLOURS:
        raise Invalid("colour", f"Choose one of {', '.join(COLOURS)}.")
    return colour


def _free_shortcut(ctx: Context, typed: str, *, besides: CannedReply | None = None) -> str:
    shortcut = canned.shortcut_of(typed)
    statement = select(CannedReply.id).where(
        CannedReply.tenant_id == ctx.tenant_id, CannedReply.shortcut == shortcut
    )
    if set(ctx.session.exec(statement)) - {besides.id if besides else None}:
        raise _shortcut_taken(shortcut)
    return shortcut


def _shortcut_taken(shortcut: str) -> Conflict:
    return Conflict(f"“/{shortcut}” is taken already.", code="shortcut_exists")

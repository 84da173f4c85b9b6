"""Every message that leaves is a row first. The sender takes it from here after the commit.

Called by the verbs of the inbox, of campaigns and of automation inside their own permission.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import due_work
from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.billing import charging
from aerostic.domain.billing.charging import Cost, Occasion, Outcome, Settled
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber, WhatsappAccount
from aerostic.domain.contacts.models import Contact, ContactIdentity, IdentityKind
from aerostic.domain.contacts.words import fold
from aerostic.domain.inbox import content, reactions, template_filling
from aerostic.domain.inbox.drafts import BSUID, Draft, Node, envelope, files_of
from aerostic.domain.inbox.models import (
    Conversation,
    Direction,
    Message,
    MessageKey,
    MessageStatus,
    Origin,
    OutboxItem,
    OutboxState,
    Priority,
)
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.templates.models import Template

MEGABYTE = 1_000_000
# Cloud API reference, media: kinds of files and their sizes. A document may be anything.
FILE_TYPES = {
    "image": {"image/jpeg", "image/png"},
    "video": {"video/mp4", "video/3gpp"},
    "audio": {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"},
    "sticker": {"image/webp"},
}
FILE_SIZES = {
    "image": 5 * MEGABYTE,
    "video": 16 * MEGABYTE,
    "audio": 16 * MEGABYTE,
    "document": 100 * MEGABYTE,
    "sticker": 500_000,
}
GRAPH_KEYS = ("name", "language", "components")  # of a template; the rest is what we show
FREELY_WRITTEN = "SERVICE"  # Meta's word for what is no template
URGENCY = {
    "AUTHENTICATION": Priority.ONE_TIME_CODE,
    "UTILITY": Priority.UTILITY,
    "MARKETING": Priority.MARKETING,
}


@dataclass(frozen=True, slots=True)
class _Written:
    """A draft with everything looked up: the request's body, and what the row keeps."""

    body: Node
    content: Node
    text: str
    priority: int = Priority.AGENT_REPLY
    category: str = FREELY_WRITTEN
    media_id: UUID | None = None
    reply_to_meta_id: str | None = None


def priority_of(category: str) -> int:
    """How urgent a template of that category is, whoever sends it. Marketing leaves last."""
    return URGENCY.get(category.upper(), Priority.UTILITY)


def queue(
    ctx: Context,
    conversation: Conversation,
    draft: Draft,
    *,
    origin: Origin = Origin.INBOX,
) -> Message:
    """Write a message that leaves after the commit, once. The same key again returns the first one.

    An answer leaves before a template, and a template as its category says. What it costs is set aside.
    Raises Invalid or Refused with a sentence, before anything is written. Whether the 24-hour window is
    open is the caller's question.
    """
    draft.validate()
    key = key_of(ctx, draft.key) if draft.key else ""
    if earlier := _by_key(ctx, key):
        return earlier
    plans.check(ctx, Limit.MESSAGES)
    recipient = _recipient(ctx, conversation, draft)
    written = _write(ctx, conversation, draft, recipient)
    cost = _cost(ctx, conversation, draft.type, written.category, recipient)
    message = _message(ctx, conversation, draft, written, origin)
    if key and not _claim_key(ctx, key, message):
        return _first_of(ctx, key)
    _insert(ctx, message, recipient, written)
    charging.hold_message(ctx, message.id, message.number_id, cost)
    if draft.type != "reaction":
        _show_as_last(ctx, conversation, message)
    ctx.announce("conversation", conversation.id)
    return message


def again(ctx: Context, message: Message) -> Message:
    """A new message with the content of one that failed or is unknown, linked to it. Whoever asks: one."""
    key = f"again:{message.id}"
    if earlier := _by_key(ctx, key):
        return earlier
    conversation = ctx.get(Conversation, message.conversation_id)
    if conversation is None:
        raise NotFound("That conversation no longer exists.")
    plans.check(ctx, Limit.MESSAGES)
    draft = Draft(message.type, shown=message.text)
    recipient = _recipient(ctx, conversation, draft)
    node = message.content[message.type]
    priority, category = int(Priority.AGENT_REPLY), FREELY_WRITTEN
    if message.type == "template":
        category = _category_now(ctx, conversation, node)
        priority = priority_of(category)
        if priority == Priority.MARKETING:  # they may have stopped it since it was first sent
            _check_consent(ctx, conversation)
        node = {name: node[name] for name in GRAPH_KEYS if name in node}
    written = _Written(
        body=envelope(recipient, message.type, node, message.reply_to_meta_id),
        content={**message.content, "again": str(message.id)},
        text=message.text,
        priority=priority,
        category=category,
        media_id=message.media_id,
        reply_to_meta_id=message.reply_to_meta_id,
    )
    cost = _cost(ctx, conversation, message.type, category, recipient)
    copy = _message(ctx, conversation, draft, written, Origin(message.origin))
    if not _claim_key(ctx, key, copy):
        return _first_of(ctx, key)
    _insert(ctx, copy, recipient, written)
    charging.hold_message(ctx, copy.id, copy.number_id, cost)
    _show_as_last(ctx, conversation, copy)
    ctx.announce("conversation", conversation.id)
    return copy


def withdraw(ctx: Context, contact_id: UUID) -> int:
    """Take back everything that still waits to leave for this person; return how much it was."""
    theirs = select(col(Conversation.id)).where(
        col(Conversation.tenant_id) == ctx.tenant_id, col(Conversation.contact_id) == contact_id
    )
    waiting = delete(OutboxItem).where(
        col(OutboxItem.tenant_id) == ctx.tenant_id,
        col(OutboxItem.conversation_id).in_(theirs),
        col(OutboxItem.state) == OutboxState.QUEUED,
    )
    ids = ctx.session.scalars(waiting.returning(col(OutboxItem.id))).all()
    if not ids:
        return 0
    ctx.session.execute(
        update(Message)
        .where(col(Message.tenant_id) == ctx.tenant_id, col(Message.id).in_(ids))
        .values(status=MessageStatus.CANCELLED)
    )
    shown = update(Conversation).where(
        col(Conversation.tenant_id) == ctx.tenant_id, col(Conversation.last_message_id).in_(ids)
    )
    ctx.session.execute(shown.values(last_message_status=MessageStatus.CANCELLED))
    reactions.undo(ctx, ids)
    charging.settle(ctx, [Settled(message_id, Outcome.CANCELLED) for message_id in ids])
    for conversation_id in ctx.session.scalars(theirs):
        ctx.announce("conversation", conversation_id)
    return len(ids)


# The key -----------------------------------------------------------------------------------------


def key_of(ctx: Context, key: str) -> str:
    """Keys are each actor's own: nobody can meet another's message by guessing."""
    return f"key:{ctx.actor.user_id or ctx.actor.name}:{key}"


def _by_key(ctx: Context, key: str) -> Message | None:
    if not key:
        return None
    statement = select(MessageKey).where(
        MessageKey.tenant_id == ctx.tenant_id, MessageKey.key == key
    )
    known = ctx.session.exec(statement).one_or_none()
    return ctx.get(Message, known.message_id) if known else None


def _claim_key(ctx: Context, key: str, message: Message) -> bool:
    """Whether we are the first with this key. Waits for another transaction that is writing it now."""
    row = {
        "tenant_id": ctx.tenant_id,
        "key": key,
        "message_id": message.id,
        "conversation_id": message.conversation_id,
    }
    statement = insert(MessageKey).values(row).on_conflict_do_nothing()
    return ctx.session.execute(statement.returning(col(MessageKey.key))).first() is not None


def _first_of(ctx: Context, key: str) -> Message:
    first = _by_key(ctx, key)
    if first is None:
        raise RuntimeError("a message key without its message")
    return first


# Looking up --------------------------------------------------------------------------------------


def hold(ctx: Context, contact_id: UUID) -> Contact | None:
    """The contact as it stays until the commit: who erases or merges it waits, or is done and seen here.

    A key share, so that what comes in from them at the same time does not wait.
    """
    return ctx.session.get(
        Contact,
        (ctx.tenant_id, contact_id),
        with_for_update={"read": True, "key_share": True},
        populate_existing=True,
    )


def _recipient(ctx: Context, conversation: Conversation, draft: Draft) -> str:
    """The phone number, else the business-scoped id of this number's portfolio.

    Of several numbers, as after a merge, the one that the contact shows.
    """
    contact = hold(ctx, conversation.contact_id)
    if contact is None or contact.erased_at is not None:
        raise Refused("This contact was erased. There is nobody to write to.")
    if contact.merged_into_id is not None:
        raise Conflict("This contact was just merged with another one. Open that one to write.")
    if contact.is_blocked:
        raise Refused("This contact is blocked. Unblock them to write.")
    number = ctx.get(PhoneNumber, conversation.number_id)
    if number is None or number.status == ConnectionStatus.DISCONNECTED:
        raise Refused("This number is disconnected. Connect it again in the settings.")
    account = ctx.get(WhatsappAccount, number.account_id)
    known = {
        (identity.kind, identity.scope): identity.value
        for identity in ctx.session.exec(
            select(ContactIdentity).where(
                ContactIdentity.tenant_id == ctx.tenant_id, ContactIdentity.contact_id == contact.id
            )
        )
    }
    portfolio = account.portfolio_id if account else ""
    found = (
        contact.phone
        or known.get((IdentityKind.PHONE, ""))
        or known.get((IdentityKind.BSUID, portfolio))
    )
    if not found:
        raise Refused(
            "WhatsApp has given neither a phone number nor an id of this contact for this number."
        )
    return found


def _write(ctx: Context, conversation: Conversation, draft: Draft, recipient: str) -> _Written:
    reply_to = _meta_id(ctx, conversation, draft.reply_to) if draft.reply_to else None
    if draft.template_id is not None:
        return _write_template(ctx, conversation, draft, recipient, reply_to)
    node = draft.node
    if draft.target_id is not None:
        node = {"message_id": _meta_id(ctx, conversation, draft.target_id), **node}
    _check_files(ctx, conversation, draft.type, node)
    return _Written(
        body=envelope(recipient, draft.type, node, reply_to),
        content={draft.type: node},
        text=draft.shown,
        media_id=draft.media_id,
        reply_to_meta_id=reply_to,
    )


def _write_template(
    ctx: Context, conversation: Conversation, draft: Draft, recipient: str, reply_to: str | None
) -> _Written:
    template = _template(ctx, conversation, draft)
    if template.category == "AUTHENTICATION" and BSUID.match(recipient):
        raise Refused("A code can only be sent to a phone number, and this contact has shown none.")
    if template.category == "MARKETING":
        _check_consent(ctx, conversation)
    filled = template_filling.fill(template, draft.variables)
    _check_files(ctx, conversation, "template", filled.node)
    return _Written(
        body=envelope(recipient, "template", filled.node, reply_to),
        content={"template": filled.shown | filled.node},
        text=filled.text,
        priority=priority_of(template.category),
        category=template.category,
        media_id=filled.media_id,
        reply_to_meta_id=reply_to,
    )


def _cost(
    ctx: Context, conversation: Conversation, kind: str, category: str, recipient: str
) -> Cost | None:
    """What it costs, if the wallet has it. A reaction costs nothing: nobody is told that it arrived."""
    if kind == "reaction":
        return None
    occasion = Occasion(
        conversation.number_id, conversation.window_closes_at, conversation.free_entry_until
    )
    return charging.cost_of(ctx, occasion, category=category, recipient=recipient)


def _template(ctx: Context, conversation: Conversation, draft: Draft) -> Template:
    template = ctx.get(Template, draft.template_id) if draft.template_id else None
    number = ctx.get(PhoneNumber, conversation.number_id)
    if template is None or number is None or template.account_id != number.account_id:
        raise Invalid("template_id", "This number has no such template.")
    if template.status != "APPROVED":
        status = template.status.lower().replace("_", " ")
        raise Refused(
            f"The template “{template.name}” is {status}. Only approved ones can be sent."
        )
    return template


def _check_consent(ctx: Context, conversation: Conversation) -> None:
    contact = ctx.get(Contact, conversation.contact_id)
    if contact is not None and contact.marketing_stopped_at is not None:
        raise Refused(
            "This contact stopped marketing messages. WhatsApp does not deliver them any more."
        )


def _category_now(ctx: Context, conversation: Conversation, node: Node) -> str:
    """Of a template that was sent before, by its name: Meta may have moved it to another category."""
    number = ctx.get(PhoneNumber, conversation.number_id)
    category = select(Template.category).where(
        col(Template.tenant_id) == ctx.tenant_id,
        col(Template.account_id) == (number.account_id if number else None),
        col(Template.name) == node["name"],
        col(Template.language) == node["language"]["code"],
    )
    return ctx.session.scalars(category).first() or "MARKETING"  # deleted: Meta will refuse it


def _meta_id(ctx: Context, conversation: Conversation, message_id: UUID) -> str:
    """Meta's name of a message of this conversation."""
    message = ctx.get(Message, message_id)
    if message is None or message.conversation_id != conversation.id:
        raise Invalid("reply_to", "The message that you refer to is not in this conversation.")
    if not message.meta_message_id:
        raise Refused("That message has not left yet. Wait until it is sent.")
    return message.meta_message_id


def _check_files(ctx: Context, conversation: Conversation, kind: str, node: Any) -> None:
    kinds = template_filling.file_kinds(node) if kind == "template" else {}
    for media_id in sorted(files_of(node)):
        media = ctx.get(Media, media_id)
        if media is None or media.status != MediaStatus.STORED:
            raise Invalid("media_id", "That file is not here (any more). Attach it again.")
        _check_file(media, kinds.get(media_id) or _kind_of_file(kind, node))
        if media.conversation_id is None:
            media.conversation_id = conversation.id


def _kind_of_file(kind: str, node: Any) -> str:
    if kind == "interactive":
        return str(node["header"]["type"])
    return kind


def _check_file(media: Media, kind: str) -> None:
    bare = media.mime_type.partition(";")[0].strip().lower()
    allowed = FILE_TYPES.get(kind)
    if allowed and bare not in allowed:
        names = ", ".join(sorted(one.partition("/")[2] for one in allowed))
        raise Invalid("media_id", f"WhatsApp takes {names} here, not {bare or 'this file'}.")
    if media.size > FILE_SIZES[kind]:
        most = FILE_SIZES[kind] / MEGABYTE
        raise Invalid("media_id", f"This file is too big: WhatsApp takes {most:g} MB here.")


# Writing -----------------------------------------------------------------------------------------


def _message(
    ctx: Context, conversation: Conversation, draft: Draft, written: _Written, origin: Origin
) -> Message:
    return Message(
        id=new_id(),
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        number_id=conversation.number_id,
        direction=Direction.OUTBOUND,
        type=draft.type,
        text=written.text,
        search_text=fold(written.text),
        content=written.content,
        status=MessageStatus.QUEUED,
        origin=origin,
        author_id=ctx.actor.user_id,
        reply_to_meta_id=written.reply_to_meta_id,
        media_id=written.media_id,
        template_id=draft.template_id,
        occurred_at=ctx.now,
        created_at=ctx.now,
    )


def _insert(ctx: Context, message: Message, recipient: str, written: _Written) -> None:
    ctx.session.add(message)
    ctx.session.add(
        OutboxItem(
            id=message.id,
            number_id=message.number_id,
            conversation_id=message.conversation_id,
            recipient=recipient,
            priority=written.priority,
            not_before=ctx.now,
            body=written.body,
        )
    )
    ctx.session.flush()
    due_work.wake_lane(ctx, message.number_id)


def _show_as_last(ctx: Context, conversation: Conversation, message: Message) -> None:
    """Unless something newer came in at the same moment."""
    ctx.session.execute(
        update(Conversation)
        .where(
            col(Conversation.tenant_id) == ctx.tenant_id,
            col(Conversation.id) == conversation.id,
            col(Conversation.last_message_at) <= ctx.now,
        )
        .values(
            last_message_at=message.occurred_at,
            last_message_id=message.id,
            last_message_preview=content.preview(message.type, message.text),
            last_message_direction=Direction.OUTBOUND,
            last_message_status=MessageStatus.QUEUED,
        )
        .execution_options(synchronize_session=False)
    )
    ctx.session.refresh(conversation)

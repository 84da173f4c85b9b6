"""Messages and events as a thread shows them: quotes, reactions, files and names looked up once a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.ids import moment_of
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox import content, reactions
from aerostic.domain.inbox.events import sentence
from aerostic.domain.inbox.models import (
    ConversationEvent,
    Direction,
    Message,
    MessageKey,
    MessageStatus,
    Origin,
)
from aerostic.domain.inbox.schemas import (
    EventKind,
    EventView,
    Failure,
    MediaView,
    Mention,
    MessageView,
    Quote,
    ReactionView,
    ThreadItem,
)
from aerostic.domain.inbox.views import TICKS, contact_name, rows_by_id, user_names
from aerostic.domain.media.models import Media, MediaStatus

RETRIABLE = {MessageStatus.FAILED, MessageStatus.UNKNOWN}
_AUTHORLESS = {
    Origin.API: "API",
    Origin.AUTOMATION: "Automation",
    Origin.CAMPAIGN: "Campaign",
    Origin.PHONE_APP: "Phone",
    Origin.HISTORY: "Phone",
}


@dataclass(frozen=True, slots=True)
class _Around:
    """What the messages of one page refer to."""

    users: Mapping[UUID, str]
    contacts: Mapping[UUID, Contact]
    media: Mapping[UUID, Media]
    quoted: Mapping[str, Message]


def items(ctx: Context, rows: Sequence[Message | ConversationEvent]) -> list[ThreadItem]:
    """Each row as it is shown, in the same order."""
    around = _look_around(ctx, [row for row in rows if isinstance(row, Message)])
    return [_message(row, around) if isinstance(row, Message) else event_view(row) for row in rows]


def message_view(ctx: Context, message: Message) -> MessageView:
    return _message(message, _look_around(ctx, [message]))


def event_view(event: ConversationEvent) -> EventView:
    kind = EventKind(event.kind)
    until = event.details.get("until")
    return EventView(
        id=event.id,
        conversation_id=event.conversation_id,
        kind=kind,
        actor_user_id=event.actor_user_id,
        actor_name=event.actor_name,
        text=sentence(event),
        mentions=[
            Mention(UUID(one["user_id"]), one["name"]) for one in event.details.get("mentions", [])
        ],
        until=datetime.fromisoformat(until) if until else None,
        occurred_at=moment_of(event.id),
    )


def _look_around(ctx: Context, messages: Sequence[Message]) -> _Around:
    quoted = _quoted(ctx, messages)
    everyone = [*messages, *quoted.values()]
    reactors = [user for message in messages for user in _reactors(message)]
    return _Around(
        users=user_names(ctx, [*(one.author_id for one in everyone), *reactors]),
        contacts=rows_by_id(ctx, Contact, (one.contact_id for one in everyone)),
        media=rows_by_id(ctx, Media, (one.media_id for one in messages)),
        quoted=quoted,
    )


def _quoted(ctx: Context, messages: Sequence[Message]) -> dict[str, Message]:
    """The messages that these answer, by Meta's id: through the keys, which know every partition."""
    wanted = {one.reply_to_meta_id for one in messages if one.reply_to_meta_id}
    if not wanted:
        return {}
    keys = select(MessageKey).where(
        col(MessageKey.tenant_id) == ctx.tenant_id, col(MessageKey.key).in_(wanted)
    )
    ids = {key.key: key.message_id for key in ctx.session.exec(keys)}
    found = rows_by_id(ctx, Message, ids.values())
    return {key: found[message_id] for key, message_id in ids.items() if message_id in found}


def _message(message: Message, around: _Around) -> MessageView:
    is_revoked = message.revoked_at is not None
    return MessageView(
        id=message.id,
        conversation_id=message.conversation_id,
        meta_message_id=message.meta_message_id,
        is_ours=_is_ours(message),
        type=message.type,
        text="" if is_revoked else message.text,
        status=message.status,
        ticks=TICKS[MessageStatus(message.status)],
        failure=_failure(message),
        origin=message.origin,
        author_id=message.author_id,
        author_name=_author(message, around),
        occurred_at=message.occurred_at,
        created_at=message.created_at,
        media=None if is_revoked else _media(message, around),
        quoted=_quote(message, around),
        reactions=_reactions(message, around),
        content=content.read("revoke" if is_revoked else message.type, message.content),
        edited_at=message.edited_at,
        revoked_at=message.revoked_at,
        can_retry=_is_ours(message) and message.status in RETRIABLE,
    )


def _is_ours(message: Message) -> bool:
    return message.direction == Direction.OUTBOUND


def _author(message: Message, around: _Around) -> str:
    if not _is_ours(message):
        return contact_name(around.contacts.get(message.contact_id))
    if message.author_id:
        return around.users.get(message.author_id, "A former member")
    return _AUTHORLESS.get(Origin(message.origin), "")


def _failure(message: Message) -> Failure | None:
    if message.failure is None:
        return None
    told = message.failure
    return Failure(
        code=str(told.get("code", "")),
        reason=str(told.get("reason") or "WhatsApp did not say why."),
        action=str(told.get("action", "")),
    )


def _media(message: Message, around: _Around) -> MediaView | None:
    media = around.media.get(message.media_id) if message.media_id else None
    if media is None:
        return None
    node = message.content.get(message.type, message.content)
    return MediaView(
        id=media.id,
        url=f"/media/{media.id}",
        mime_type=media.mime_type,
        file_name=media.file_name,
        size=media.size,
        is_ready=media.status == MediaStatus.STORED,
        is_voice=isinstance(node, dict) and bool(node.get("voice")),
        problem=media.problem,
    )


def _quote(message: Message, around: _Around) -> Quote | None:
    if not message.reply_to_meta_id:
        return None
    original = around.quoted.get(message.reply_to_meta_id)
    if original is None:
        return Quote(None, "", False, "unknown", "An earlier message")
    text = "" if original.revoked_at else original.text
    return Quote(
        id=original.id,
        author_name=_author(original, around),
        is_ours=_is_ours(original),
        type=original.type,
        preview="Removed message" if original.revoked_at else content.preview(original.type, text),
    )


def _reactors(message: Message) -> Iterable[UUID]:
    return (UUID(given["user_id"]) for given in message.reactions.values() if "user_id" in given)


def _reactions(message: Message, around: _Around) -> list[ReactionView]:
    """Grouped by emoji."""
    by: dict[str, list[str]] = {}
    for side, given in sorted(message.reactions.items()):  # theirs first
        by.setdefault(given["emoji"], []).append(_reactor(side, given, message, around))
    ours = message.reactions.get(reactions.US, {})
    return [
        ReactionView(emoji, names, is_ours=emoji == ours.get("emoji"))
        for emoji, names in by.items()
    ]


def _reactor(side: str, given: Mapping[str, str], message: Message, around: _Around) -> str:
    if side == reactions.CONTACT:
        return contact_name(around.contacts.get(message.contact_id))
    if "user_id" not in given:
        return "Phone"
    return around.users.get(UUID(given["user_id"]), "A former member")

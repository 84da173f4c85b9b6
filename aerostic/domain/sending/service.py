"""What people decide about messages of theirs that have not arrived."""

from uuid import UUID

from sqlmodel import col, update

from aerostic.core.errors import Conflict, NotFound, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.billing.charging import Outcome, Settled, settle
from aerostic.domain.inbox import outbox, reactions, window
from aerostic.domain.inbox.models import (
    Conversation,
    Direction,
    Message,
    MessageStatus,
    OutboxItem,
    OutboxState,
)

CHOSEN = "chosen"  # in a message's failure: what a person decided
RESENT_AS = "resent_as"
SENT_AGAIN_FROM = (MessageStatus.FAILED, MessageStatus.UNKNOWN, MessageStatus.CANCELLED)


@requires(Permission.INBOX_REPLY)
def resend(ctx: Context, message_id: UUID) -> Message:
    """Send one that failed, was cancelled, or may not have arrived once more, as a message of its own.

    However often and by whomever it is asked for, that is one message; a failed one of its own can be
    sent again in turn.
    """
    message = _access_ours(ctx, message_id)
    if message.status not in SENT_AGAIN_FROM:
        raise Conflict("That message is on its way or has arrived: there is nothing to send again.")
    told = message.failure or {}
    earlier = ctx.get(Message, UUID(told[RESENT_AS])) if RESENT_AS in told else None
    if earlier is not None:
        return earlier
    if message.type == "reaction":
        raise Refused("A reaction is not sent again. React once more to the message instead.")
    _check_window(ctx, message)
    copy = outbox.again(ctx, message)
    message.failure = {**told, RESENT_AS: str(copy.id)}
    return copy


@requires(Permission.INBOX_REPLY)
def give_up(ctx: Context, message_id: UUID) -> Message:
    """Leave one that may not have arrived at that: it counts as failed."""
    message = _access_ours(ctx, message_id)
    if message.status != MessageStatus.UNKNOWN:
        raise Conflict("That message is not in doubt any more.")
    message.status = MessageStatus.FAILED
    message.failure = {**(message.failure or {}), CHOSEN: "gave_up"}
    settle(ctx, [Settled(message.id, Outcome.FAILED)])
    _show(ctx, message)
    return message


@requires(Permission.INBOX_REPLY)
def cancel(ctx: Context, message_id: UUID) -> Message:
    """Take back one that still waits. Refused once it is on its way."""
    item = ctx.get(OutboxItem, message_id, for_update=True)
    message = _access_ours(ctx, message_id)
    if message.status == MessageStatus.CANCELLED:
        return message
    if item is None or item.state != OutboxState.QUEUED:
        raise Refused("That message has left already. It can not be taken back.")
    ctx.session.delete(item)
    message.status = MessageStatus.CANCELLED
    settle(ctx, [Settled(message.id, Outcome.CANCELLED)])
    _show(ctx, message)
    return message


def _access_ours(ctx: Context, message_id: UUID) -> Message:
    """A message that we sent, locked: two people may decide at the same moment."""
    message = ctx.get(Message, message_id, for_update=True)
    if message is None or message.direction != Direction.OUTBOUND:
        raise NotFound("That message no longer exists.")
    return message


def _check_window(ctx: Context, message: Message) -> None:
    conversation = ctx.get(Conversation, message.conversation_id)
    if conversation is None:
        raise NotFound("That conversation no longer exists.")
    if message.type != "template" and not window.is_open(conversation, now=ctx.now):
        raise Refused(
            "WhatsApp only allows templates here: the customer last wrote more than 24 hours ago."
        )


def _show(ctx: Context, message: Message) -> None:
    """In the list too, where it is the last of its conversation."""
    ctx.session.flush()
    ctx.session.execute(
        update(Conversation)
        .where(
            col(Conversation.tenant_id) == ctx.tenant_id,
            col(Conversation.id) == message.conversation_id,
            col(Conversation.last_message_id) == message.id,
        )
        .values(last_message_status=message.status)
    )
    if message.type == "reaction":
        reactions.undo(ctx, [message.id])
    ctx.announce("conversation", message.conversation_id)

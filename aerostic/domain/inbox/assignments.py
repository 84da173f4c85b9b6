"""What becomes of the conversations of someone who leaves."""

from uuid import UUID

from sqlalchemy import insert, update
from sqlmodel import col

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import Conversation, ConversationEvent
from aerostic.domain.inbox.schemas import EventKind


def release_all(ctx: Context, user_id: UUID, *, name: str) -> int:
    """Nobody has what this member had, and each thread says why. Return how many those were."""
    theirs = (
        update(Conversation)
        .where(
            col(Conversation.tenant_id) == ctx.tenant_id, col(Conversation.assignee_id) == user_id
        )
        .values(assignee_id=None)
        .returning(col(Conversation.id))
    )
    released = ctx.session.scalars(theirs).all()
    if released:
        rows = [_event(ctx, conversation_id, name) for conversation_id in released]
        ctx.session.execute(insert(ConversationEvent), rows)
        ctx.announce("everything", "")
    return len(released)


def _event(ctx: Context, conversation_id: UUID, name: str) -> dict[str, object]:
    return {
        "tenant_id": ctx.tenant_id,
        "id": new_id(),
        "conversation_id": conversation_id,
        "kind": EventKind.UNASSIGNED,
        "actor_user_id": ctx.actor.user_id,
        "actor_name": ctx.actor.name,
        "text": "",
        "details": {"left": name},
        "created_at": ctx.now,
    }

"""What an agent remembers of a conversation, bounded; and what a workflow keeps under a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core.errors import Invalid, Refused
from aerostic.core.tenancy import Context
from aerostic.domain.ai.models import AgentMemory, StoredValue

LONGEST_LINE = 4_000
MOST_REMEMBERED = 50
LARGEST_VALUE = 64 * 1024
MOST_VALUES = 1_000  # of one owner


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said."""

    by_agent: bool
    text: str


def recall(ctx: Context, agent_id: UUID, key: str, *, at_most: int) -> list[Line]:
    """The last things said, oldest first."""
    row = ctx.session.get(AgentMemory, (ctx.tenant_id, agent_id, key))
    said = row.said if row else []
    return [Line(bool(one["by_agent"]), str(one["text"])) for one in said][-max(at_most, 0) :]


def remember(
    ctx: Context,
    agent_id: UUID,
    key: str,
    lines: Sequence[Line],
    *,
    at_most: int,
    conversation_id: UUID | None = None,
) -> None:
    """Add to what was said, and forget what lies too far back."""
    kept = min(at_most, MOST_REMEMBERED)
    if kept <= 0:
        return
    whole = [*recall(ctx, agent_id, key, at_most=kept), *lines][-kept:]
    said = [{"by_agent": one.by_agent, "text": one.text[:LONGEST_LINE]} for one in whole]
    row = {
        "tenant_id": ctx.tenant_id,
        "agent_id": agent_id,
        "key": key,
        "conversation_id": conversation_id,
        "said": said,
        "updated_at": ctx.now,
    }
    statement = insert(AgentMemory).values(row)
    changed = {"said": said, "updated_at": ctx.now}
    keys = ["tenant_id", "agent_id", "key"]
    ctx.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
    ctx.session.expire_all()


def trial_key(ctx: Context) -> str:
    """Where a person's trials are remembered: theirs alone."""
    return f"trial:{ctx.actor.user_id}"


def forget(ctx: Context, agent_id: UUID, key: str) -> None:
    this = (
        col(AgentMemory.tenant_id) == ctx.tenant_id,
        col(AgentMemory.agent_id) == agent_id,
        col(AgentMemory.key) == key,
    )
    ctx.session.execute(delete(AgentMemory).where(*this))


# Values under a name


def owner_of(contact_id: UUID | None) -> str:
    """Whose value it is: one contact's, or the whole workspace's."""
    return f"contact:{contact_id}" if contact_id else "workspace"


def get_value(ctx: Context, owner: str, name: str) -> Any:
    """The value, or None."""
    row = ctx.session.get(StoredValue, (ctx.tenant_id, owner, _name(name)))
    return row.value if row else None


def set_value(ctx: Context, owner: str, name: str, value: Any) -> None:
    """Keep a value. Raises Refused for one that is too large, or one too many."""
    if len(orjson.dumps(value)) > LARGEST_VALUE:
        raise Refused("A stored value holds at most 64 kB.")
    name = _name(name)
    if get_value(ctx, owner, name) is None and _held(ctx, owner) >= MOST_VALUES:
        raise Refused(f"At most {MOST_VALUES:,} values are kept for one owner. Clear some.")
    row = {"tenant_id": ctx.tenant_id, "owner": owner, "name": name}
    changed = {"value": value, "updated_at": ctx.now}
    statement = insert(StoredValue).values({**row, **changed})
    keys = ["tenant_id", "owner", "name"]
    ctx.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
    ctx.session.expire_all()


def clear_value(ctx: Context, owner: str, name: str) -> None:
    this = (
        col(StoredValue.tenant_id) == ctx.tenant_id,
        col(StoredValue.owner) == owner,
        col(StoredValue.name) == _name(name),
    )
    ctx.session.execute(delete(StoredValue).where(*this))
    ctx.session.expire_all()


def _held(ctx: Context, owner: str) -> int:
    count = select(func.count()).where(
        col(StoredValue.tenant_id) == ctx.tenant_id, col(StoredValue.owner) == owner
    )
    return ctx.session.scalar(count) or 0


def _name(name: str) -> str:
    plain = name.strip()
    if not 1 <= len(plain) <= 120:
        raise Invalid("name", "The name of a stored value has 1 to 120 characters.")
    return plain

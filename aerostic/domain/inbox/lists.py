"""The list of conversations: newest activity first, by key, on one of its indexes.

What a line shows stands in the conversation's own row, so a page is one short walk along an index; names
and labels are then looked up for those rows alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Uuid,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import Conversation, ConversationLabel, ConversationStatus
from aerostic.domain.inbox.schemas import ConversationFilter, FilterCounts, View

Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class _Asker:
    """Whose list it is: values, or their places in a statement that is kept."""

    tenant: Any
    me: Any


_ANYONE = _Asker(bindparam("tenant", type_=Uuid()), bindparam("me", type_=Uuid()))

_PLACE = (col(Conversation.last_message_at), col(Conversation.id))


def page(
    ctx: Context, wanted: ConversationFilter, *, after: Place | None, limit: int
) -> Sequence[Conversation]:
    """At most `limit` conversations that come after a place, in order."""
    asker = _Asker(ctx.tenant_id, ctx.actor.user_id)
    walks = [_walk(asker, wanted, status, after).limit(limit) for status in _statuses(wanted)]
    if len(walks) == 1:
        return ctx.session.scalars(walks[0]).all()
    merged = aliased(Conversation, union_all(*walks).subquery())
    newest_first = (merged.last_message_at.desc(), merged.id.desc())  # type: ignore[attr-defined]
    return ctx.session.scalars(select(merged).order_by(*newest_first).limit(limit)).all()


def count(ctx: Context, *filters: ConversationFilter) -> list[int]:
    """How many each filter shows, counted no further than `FilterCounts.MOST`, in one statement."""
    asker = {"tenant": ctx.tenant_id, "me": ctx.actor.user_id}
    return list(ctx.session.execute(_counts(filters), asker).one())


@lru_cache(maxsize=64)
def _counts(filters: tuple[ConversationFilter, ...]) -> Executable:
    """Kept: every open page asks this at every change, and putting it together costs more than its answer."""
    return select(*(_bounded_count(wanted) for wanted in filters))


def _bounded_count(wanted: ConversationFilter) -> ColumnElement[int]:
    # In order, though a count needs none: so that it walks the list's index and stops, rather than
    # hoping to meet enough rows in the heap.
    walks = [
        _walk(_ANYONE, wanted, status, None).with_only_columns(literal(1)).limit(FilterCounts.MOST)
        for status in _statuses(wanted)
    ]
    rows = walks[0] if len(walks) == 1 else union_all(*walks).limit(FilterCounts.MOST)
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()


_COUNT_ASSIGNED = """
    select m.user_id, mine.count
    from memberships m cross join lateral (
        select count(*) from (
            select 1 from conversations c
            where c.tenant_id = %(tenant)s and c.assignee_id = m.user_id and c.status = 'open'
            order by c.last_message_at desc, c.id desc limit %(most)s
        ) walk
    ) mine
    where m.tenant_id = %(tenant)s
"""


def count_assigned(ctx: Context) -> dict[UUID, int]:
    """How many open ones each member has, counted no further than `FilterCounts.MOST`."""
    given = {"tenant": ctx.tenant_id, "most": FilterCounts.MOST}
    return dict(ctx.cursor().execute(_COUNT_ASSIGNED, given, prepare=True).fetchall())


def _statuses(wanted: ConversationFilter) -> list[ConversationStatus | None]:
    """The index of an assignee's conversations goes by status: any status is one walk for each."""
    if wanted.status is None and wanted.view is not View.ALL:
        return list(ConversationStatus)
    return [wanted.status]


def _walk(
    asker: _Asker,
    wanted: ConversationFilter,
    status: ConversationStatus | None,
    after: Place | None,
) -> Select[Conversation]:
    statement = select(Conversation).where(*_conditions(asker, wanted, status))
    if after:
        statement = statement.where(tuple_(*_PLACE) < after)
    return statement.order_by(*(part.desc() for part in _PLACE))


def _conditions(
    asker: _Asker, wanted: ConversationFilter, status: ConversationStatus | None
) -> list[ColumnElement[bool]]:
    conditions = [col(Conversation.tenant_id) == asker.tenant]
    if status:
        conditions.append(col(Conversation.status) == status)
    if wanted.view is View.MINE:
        conditions.append(col(Conversation.assignee_id) == asker.me)
    if wanted.view is View.UNASSIGNED:
        conditions.append(col(Conversation.assignee_id).is_(None))
    if wanted.is_unread:
        conditions.append(col(Conversation.unread_count) > 0)
    if wanted.number_id:
        conditions.append(col(Conversation.number_id) == wanted.number_id)
    if wanted.contact_id:
        conditions.append(col(Conversation.contact_id) == wanted.contact_id)
    if wanted.label_id:
        conditions.append(_has_label(wanted.label_id))
    return conditions


def _has_label(label_id: UUID) -> ColumnElement[bool]:
    return (
        select(literal(1))
        .where(
            col(ConversationLabel.tenant_id) == col(Conversation.tenant_id),
            col(ConversationLabel.conversation_id) == col(Conversation.id),
            col(ConversationLabel.label_id) == label_id,
        )
        .exists()
    )

"""The list of conversations: newest activity first, by key, on one of its indexes.

What a line shows stands in the conversation's own row, so a page is one short walk along an index; names
and labels are then looked up for those rows alone.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import Conversation, ConversationLabel, ConversationStatus
from aerostic.domain.inbox.schemas import ConversationFilter, FilterCounts, View

Place = tuple[datetime, UUID]

_PLACE = (col(Conversation.last_message_at), col(Conversation.id))


def page(
    ctx: Context, wanted: ConversationFilter, *, after: Place | None, limit: int
) -> Sequence[Conversation]:
    """At most `limit` conversations that come after a place, in order."""
    walks = [_walk(ctx, wanted, status, after).limit(limit) for status in _statuses(wanted)]
    if len(walks) == 1:
        return ctx.session.scalars(walks[0]).all()
    merged = aliased(Conversation, union_all(*walks).subquery())
    newest_first = (merged.last_message_at.desc(), merged.id.desc())  # type: ignore[attr-defined]
    return ctx.session.scalars(select(merged).order_by(*newest_first).limit(limit)).all()


def count(ctx: Context, *filters: ConversationFilter) -> list[int]:
    """How many each filter shows, counted no further than `FilterCounts.MOST`, in one statement."""
    counts = [_bounded_count(ctx, wanted) for wanted in filters]
    return list(ctx.session.execute(select(*counts)).one())


def _bounded_count(ctx: Context, wanted: ConversationFilter) -> ColumnElement[int]:
    # In order, though a count needs none: so that it walks the list's index and stops, rather than
    # hoping to meet enough rows in the heap.
    walks = [
        _walk(ctx, wanted, status, None).with_only_columns(literal(1)).limit(FilterCounts.MOST)
        for status in _statuses(wanted)
    ]
    rows = walks[0] if len(walks) == 1 else union_all(*walks).limit(FilterCounts.MOST)
    return select(func.count()).select_from(rows.subquery()).scalar_subquery()


def _statuses(wanted: ConversationFilter) -> list[ConversationStatus | None]:
    """The index of an assignee's conversations goes by status: any status is one walk for each."""
    if wanted.status is None and wanted.view is not View.ALL:
        return list(ConversationStatus)
    return [wanted.status]


def _walk(
    ctx: Context, wanted: ConversationFilter, status: ConversationStatus | None, after: Place | None
) -> Select[Conversation]:
    statement = select(Conversation).where(*_conditions(ctx, wanted, status))
    if after:
        statement = statement.where(tuple_(*_PLACE) < after)
    return statement.order_by(*(part.desc() for part in _PLACE))


def _conditions(
    ctx: Context, wanted: ConversationFilter, status: ConversationStatus | None
) -> list[ColumnElement[bool]]:
    conditions = [col(Conversation.tenant_id) == ctx.tenant_id]
    if status:
        conditions.append(col(Conversation.status) == status)
    if wanted.view is View.MINE:
        conditions.append(col(Conversation.assignee_id) == ctx.actor.user_id)
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

"""What is posted now, and what became of it. A post is repeated for a day, and then given up.

An event arrives at least once. A process that dies between a post and its record leads to another post with
the same `webhook-id`. Several posts to one endpoint are under way together, so the order is not promised.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from aerostic.core import due_work
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.permissions import Role, system
from aerostic.core.tenancy import Context
from aerostic.domain.identity import mails
from aerostic.domain.identity.models import Membership, Tenant, User
from aerostic.domain.webhooks_out import fanning, sealing
from aerostic.domain.webhooks_out.models import (
    DispatchStatus,
    EndpointStatus,
    WebhookDispatch,
    WebhookEndpoint,
    WebhookTry,
)

ACTOR = system("webhooks")
AT_A_TIME = 32
LEASE = timedelta(minutes=3)
# After each try but the last: together a day, less twenty minutes.
PAUSES = tuple(
    timedelta(seconds=one) for one in (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 25_200, 32_400)
)
SUSTAINED = timedelta(hours=23)  # without one success: then the endpoint is disabled
LONGEST_PAUSE = timedelta(hours=1)  # that an answer's Retry-After may ask for
EXCERPT = 2_000  # characters of an answer that the log keeps
KEPT = timedelta(days=30)
GONE = 410


@dataclass(frozen=True, slots=True)
class Post:
    """One request to make."""

    dispatch_id: UUID
    event_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one endpoint is told now."""

    url: str
    secrets: list[str] = field(repr=False)
    posts: list[Post]


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a request. Without a status there was no answer, and `problem` says why."""

    dispatch_id: UUID
    at: datetime
    milliseconds: int
    headers: str
    status: int | None = None
    answer: str = ""
    problem: str = ""
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def claim(ctx: Context, endpoint_id: UUID, *, holder: str) -> Batch | None:
    """What this endpoint is to be told now; None: nothing, and the endpoint is let go of."""
    if not _hold(ctx, endpoint_id, holder):
        return None
    endpoint = ctx.get(WebhookEndpoint, endpoint_id)
    if endpoint is None or endpoint.status != EndpointStatus.ACTIVE:
        due_work.settle(ctx, WorkKind.WEBHOOKS, endpoint_id)
        return None
    due = _pending(ctx, endpoint_id).where(col(WebhookDispatch.next_try_at) <= ctx.now)
    rows = ctx.session.exec(due.order_by(col(WebhookDispatch.id)).limit(AT_A_TIME)).all()
    if not rows:
        _rest(ctx, endpoint_id)
        return None
    posts = [Post(row.id, row.event_id, row.body) for row in rows]
    return Batch(endpoint.url, sealing.of(endpoint, now=ctx.now), posts)


def _hold(ctx: Context, endpoint_id: UUID, holder: str) -> bool:
    """Whether the work is still ours; held for another while. The lock comes before any look at what is due,
    so that nothing is added unseen between the look and the rest."""
    key = (WorkKind.WEBHOOKS, ctx.tenant_id, endpoint_id)
    work = ctx.session.get(DueWork, key, with_for_update=True)
    if work is None or work.leased_by != holder:
        return False
    work.leased_until = ctx.now + LEASE
    ctx.session.flush()
    return True


def _pending(ctx: Context, endpoint_id: UUID) -> SelectOfScalar[WebhookDispatch]:
    return select(WebhookDispatch).where(
        col(WebhookDispatch.tenant_id) == ctx.tenant_id,
        col(WebhookDispatch.endpoint_id) == endpoint_id,
        col(WebhookDispatch.status) == DispatchStatus.PENDING,
    )


def _rest(ctx: Context, endpoint_id: UUID) -> None:
    """Until the next try is due, or for good."""
    earliest = select(func.min(col(WebhookDispatch.next_try_at))).where(
        col(WebhookDispatch.tenant_id) == ctx.tenant_id,
        col(WebhookDispatch.endpoint_id) == endpoint_id,
        col(WebhookDispatch.status) == DispatchStatus.PENDING,
    )
    next_try = ctx.session.scalar(earliest)
    if next_try is None:
        due_work.settle(ctx, WorkKind.WEBHOOKS, endpoint_id)
    else:
        due_work.postpone(ctx, WorkKind.WEBHOOKS, endpoint_id, next_try)


def record(ctx: Context, endpoint_id: UUID, posted: Sequence[Posted]) -> None:
    """Write down what became of a batch, and what it says about the endpoint."""
    endpoint = ctx.get(WebhookEndpoint, endpoint_id, for_update=True)
    if endpoint is None:
        return  # deleted meanwhile, with its log
    gave_up = False
    held = _held(ctx, [one.dispatch_id for one in posted])
    for one in posted:
        dispatch = held.get(one.dispatch_id)
        if dispatch is not None:
            ctx.session.add(_try_of(one))
            _settle(ctx, dispatch, one)
            gave_up |= dispatch.status == DispatchStatus.FAILED
    _judge(ctx, endpoint, posted, gave_up=gave_up)
    ctx.announce("webhook_endpoint", endpoint_id)


def _held(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, WebhookDispatch]:
    these = select(WebhookDispatch).where(
        col(WebhookDispatch.tenant_id) == ctx.tenant_id, col(WebhookDispatch.id).in_(ids)
    )
    locked = these.order_by(col(WebhookDispatch.id)).with_for_update()
    return {one.id: one for one in ctx.session.exec(locked)}


def _try_of(one: Posted) -> WebhookTry:
    return WebhookTry(
        dispatch_id=one.dispatch_id,
        at=one.at,
        milliseconds=one.milliseconds,
        request_headers=one.headers,
        status=one.status,
        answer=one.answer[:EXCERPT].replace("\x00", ""),
        problem=one.problem,
    )


def _settle(ctx: Context, dispatch: WebhookDispatch, one: Posted) -> None:
    dispatch.tries += 1
    dispatch.first_tried_at = dispatch.first_tried_at or one.at
    dispatch.last_status, dispatch.problem = one.status, one.problem
    if one.is_success:
        dispatch.status, dispatch.delivered_at = DispatchStatus.DELIVERED, ctx.now
    elif dispatch.tries > len(PAUSES) or one.status == GONE:
        dispatch.status = DispatchStatus.FAILED
    else:
        dispatch.next_try_at = ctx.now + pause(dispatch.tries, one.retry_after)


def pause(tries: int, retry_after: float | None = None) -> timedelta:
    """How long after that many tries, a tenth more or less, so that not all come back together."""
    planned = PAUSES[tries - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - not a secret
    asked = timedelta(seconds=min(retry_after or 0, LONGEST_PAUSE.total_seconds()))
    return max(planned, asked)


def _judge(
    ctx: Context, endpoint: WebhookEndpoint, posted: Sequence[Posted], *, gave_up: bool
) -> None:
    """Disable an endpoint that says it is gone, or that took nothing for a day."""
    if any(one.is_success for one in posted):
        endpoint.failing_since, endpoint.succeeded_at = None, ctx.now
        return
    endpoint.failing_since = endpoint.failing_since or ctx.now
    if any(one.status == GONE for one in posted):
        _disable(ctx, endpoint, "It answered 410 Gone: it does not want to be told any more.")
    elif gave_up and ctx.now - endpoint.failing_since >= SUSTAINED:
        last = posted[-1].problem or f"it answered {posted[-1].status}"
        _disable(ctx, endpoint, f"For a day it took nothing. The last time: {last}")


def _disable(ctx: Context, endpoint: WebhookEndpoint, reason: str) -> None:
    if endpoint.status != EndpointStatus.ACTIVE:
        return
    endpoint.status, endpoint.problem = EndpointStatus.DISABLED, reason
    endpoint.updated_at = ctx.now
    fanning.listen(ctx)
    workspace = ctx.session.get_one(Tenant, ctx.tenant_id).name
    owners = select(User).join(Membership, col(Membership.user_id) == col(User.id))
    of_here = (
        col(Membership.tenant_id) == ctx.tenant_id,
        col(Membership.role) == Role.OWNER,
    )
    for owner in ctx.session.exec(owners.where(*of_here)):
        mails.webhook_disabled(
            ctx, owner.email, owner.name, workspace=workspace, url=endpoint.url, reason=reason
        )


def tidy(ctx: Context) -> None:
    """Forget what is older than 30 days."""
    ctx.cursor().execute(
        "delete from webhook_dispatches where tenant_id = %s and created_at < %s",
        (ctx.tenant_id, ctx.now - KEPT),
    )

"""Endpoints of other programs: made, changed, paused, given a new secret; what was told is told again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, requires
from aerostic.core.settings import settings
from aerostic.core.tenancy import Context
from aerostic.domain.webhooks_out import bodies, events, fanning, sealing, signing
from aerostic.domain.webhooks_out.models import (
    DispatchStatus,
    EndpointStatus,
    WebhookDispatch,
    WebhookEndpoint,
)
from aerostic.integrations.outside.addresses import Forbidden, Rules

MOST_ENDPOINTS = 20
LONGEST_URL = 2_000
LONGEST_DESCRIPTION = 200
# After a rotation both secrets sign, so that the other side can change its own without a gap.
BOTH_SECRETS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint, and its secret: shown this once."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


@requires(Permission.WEBHOOKS_MANAGE)
def create(ctx: Context, url: str, wanted: Iterable[str], *, description: str = "") -> Made:
    """Tell this address of these events from now on."""
    mine = col(WebhookEndpoint.tenant_id) == ctx.tenant_id
    count = ctx.session.scalar(select(func.count()).select_from(WebhookEndpoint).where(mine)) or 0
    if count >= MOST_ENDPOINTS:
        raise Refused(f"A workspace has at most {MOST_ENDPOINTS} endpoints. Delete one first.")
    secret = signing.new_secret()
    endpoint = WebhookEndpoint(
        id=new_id(),
        url=_url(url),
        description=_description(description),
        events=_events(wanted),
        secret_sealed="",
        created_by=ctx.actor.user_id,
    )
    endpoint.secret_sealed = sealing.seal(endpoint, "secret", secret)
    ctx.session.add(endpoint)
    fanning.listen(ctx)
    ctx.announce("webhook_endpoint", endpoint.id)
    return Made(endpoint, secret)


@requires(Permission.WEBHOOKS_MANAGE)
def change(
    ctx: Context,
    endpoint_id: UUID,
    *,
    url: str | None = None,
    wanted: Iterable[str] | None = None,
    description: str | None = None,
) -> WebhookEndpoint:
    """What is None stays. What waits to be sent goes to the new address."""
    endpoint = _the_endpoint(ctx, endpoint_id)
    if url is not None:
        endpoint.url = _url(url)
    if wanted is not None:
        endpoint.events = _events(wanted)
    if description is not None:
        endpoint.description = _description(description)
    endpoint.updated_at = ctx.now
    ctx.announce("webhook_endpoint", endpoint.id)
    return endpoint


@requires(Permission.WEBHOOKS_MANAGE)
def pause(ctx: Context, endpoint_id: UUID) -> WebhookEndpoint:
    """Tell it nothing until somebody goes on. What happens meanwhile is not kept for it."""
    endpoint = _the_endpoint(ctx, endpoint_id)
    if endpoint.status == EndpointStatus.ACTIVE:
        endpoint.status, endpoint.updated_at = EndpointStatus.PAUSED, ctx.now
        fanning.listen(ctx)
        ctx.announce("webhook_endpoint", endpoint.id)
    return endpoint


@requires(Permission.WEBHOOKS_MANAGE)
def go_on(ctx: Context, endpoint_id: UUID) -> WebhookEndpoint:
    """Tell it again, first what still waited when it was paused or disabled."""
    endpoint = _the_endpoint(ctx, endpoint_id)
    if endpoint.status != EndpointStatus.ACTIVE:
        endpoint.status, endpoint.problem = EndpointStatus.ACTIVE, ""
        endpoint.failing_since, endpoint.updated_at = None, ctx.now
        fanning.listen(ctx)
        due_work.put(ctx, WorkKind.WEBHOOKS, endpoint.id, due_at=ctx.now)
        ctx.announce("webhook_endpoint", endpoint.id)
    return endpoint


@requires(Permission.WEBHOOKS_MANAGE)
def rotate_secret(ctx: Context, endpoint_id: UUID) -> Made:
    """A new secret. For a day the former one signs beside it."""
    endpoint = _the_endpoint(ctx, endpoint_id)
    former = sealing.of(endpoint, now=ctx.now)[0]
    secret = signing.new_secret()
    endpoint.previous_secret_sealed = sealing.seal(endpoint, "previous_secret", former)
    endpoint.previous_until = ctx.now + BOTH_SECRETS
    endpoint.secret_sealed = sealing.seal(endpoint, "secret", secret)
    endpoint.updated_at = ctx.now
    ctx.announce("webhook_endpoint", endpoint.id)
    return Made(endpoint, secret)


@requires(Permission.WEBHOOKS_MANAGE)
def delete(ctx: Context, endpoint_id: UUID) -> None:
    """Forget the endpoint, its secret and its log."""
    ctx.session.delete(_the_endpoint(ctx, endpoint_id))
    fanning.listen(ctx)
    due_work.settle(ctx, WorkKind.WEBHOOKS, endpoint_id)
    ctx.announce("webhook_endpoint", endpoint_id)


@requires(Permission.WEBHOOKS_MANAGE)
def send_test(ctx: Context, endpoint_id: UUID) -> UUID:
    """Tell it something that means nothing, so that the other side can be tried."""
    endpoint = _the_endpoint(ctx, endpoint_id)
    _check_is_active(endpoint)
    data = {"message": "This is a test from Aerostic.", "endpoint_id": str(endpoint.id)}
    body = bodies.written(events.TEST, ctx.now, data)
    made = fanning.write_one(ctx, endpoint.id, events.TEST, f"msg_{new_id().hex}", body)
    ctx.announce("webhook_endpoint", endpoint.id)
    return made


@requires(Permission.WEBHOOKS_MANAGE)
def send_again(ctx: Context, dispatch_id: UUID) -> UUID:
    """Tell it once more, with the same id; what still waits for its next try is tried now."""
    dispatch = ctx.get(WebhookDispatch, dispatch_id, for_update=True)
    if dispatch is None:
        raise NotFound("That is not in the log any more. It is kept for 30 days.")
    _check_is_active(_the_endpoint(ctx, dispatch.endpoint_id))
    due_work.put(ctx, WorkKind.WEBHOOKS, dispatch.endpoint_id, due_at=ctx.now)
    ctx.announce("webhook_endpoint", dispatch.endpoint_id)
    if dispatch.status == DispatchStatus.PENDING:
        dispatch.next_try_at = ctx.now
        return dispatch.id
    copy = WebhookDispatch(
        endpoint_id=dispatch.endpoint_id,
        event_id=dispatch.event_id,
        event=dispatch.event,
        body=dispatch.body,
        contact_id=dispatch.contact_id,
        is_replay=True,
        next_try_at=ctx.now,
    )
    ctx.session.add(copy)
    return copy.id


def _check_is_active(endpoint: WebhookEndpoint) -> None:
    if endpoint.status != EndpointStatus.ACTIVE:
        raise Conflict("This endpoint is switched off. Switch it on first.")


def _the_endpoint(ctx: Context, endpoint_id: UUID) -> WebhookEndpoint:
    """Locked. Raises NotFound."""
    endpoint = ctx.get(WebhookEndpoint, endpoint_id, for_update=True)
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    return endpoint


def _url(text: str) -> str:
    """An address that may be called. What its name leads to is checked again at each call."""
    url = text.strip()
    schemes = {"https"} if settings().is_production else {"https", "http"}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Invalid("url", "That is not an address.") from None
    if parts.scheme not in schemes or not host or len(url) > LONGEST_URL:
        raise Invalid("url", "Write an address that begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise Invalid("url", "Leave user and password out: the signature proves that it is us.")
    _check_literal(host, port)
    return url


def _check_literal(host: str, port: int) -> None:
    """A name is looked up when it is called; what can be said now is said now."""
    rules = Rules.of()
    try:
        rules.check(host, host, port)
    except Forbidden as forbidden:
        raise Invalid("url", forbidden.sentence) from forbidden
    except ValueError:
        if port not in rules.ports and not rules.allowed:
            raise Invalid("url", f"Port {port} is not called from here.") from None


def _events(wanted: Iterable[str]) -> list[str]:
    chosen = set(wanted)
    if unknown := sorted(chosen - set(events.NAMES)):
        raise Invalid("events", f"There is no event “{unknown[0][:60]}”.")
    if not chosen:
        raise Invalid("events", "Choose at least one event.")
    return [name for name in events.NAMES if name in chosen]


def _description(text: str) -> str:
    words = " ".join(text.split())
    if len(words) > LONGEST_DESCRIPTION:
        raise Invalid("description", f"At most {LONGEST_DESCRIPTION} characters.")
    return words

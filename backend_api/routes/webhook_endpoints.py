"""Endpoints of other programs over HTTP: what they are told, with which secret, and how that went."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from aerostic.domain.webhooks_out import queries, service
from aerostic.domain.webhooks_out.models import DispatchStatus
from aerostic.domain.webhooks_out.queries import DispatchRow, EndpointRow, TryRow
from backend_api.deps import Ctx
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1", tags=["Webhook endpoints"])
ENDPOINTS = "/webhook-endpoints"


class EventKindOut(BaseModel):
    """Something that can be told of."""

    name: str = Field(examples=["message.received"])
    title: str = Field(examples=["Message received"])
    when: str = Field(examples=["A customer writes to you."])


class EventKindsOut(BaseModel):
    items: list[EventKindOut]
    next_cursor: None = None


class EndpointOut(BaseModel):
    """An address of another program, and how it is doing. Its secret is shown once, where it is made."""

    id: UUID
    url: str = Field(examples=["https://example.com/aerostic"])
    description: str = Field(examples=["Our shop"])
    events: list[str] = Field(examples=[["message.received"]])
    status: str = Field(examples=["active"], description="active, paused, or disabled.")
    problem: str = Field(examples=[""], description="Why it was disabled.")
    failing_since: datetime | None = Field(examples=[None])
    succeeded_at: datetime | None
    both_secrets_until: datetime | None = Field(
        examples=[None], description="Until then the former secret signs too."
    )
    waiting: int = Field(examples=[0], description="How many events are still to be told.")
    created_at: datetime

    @classmethod
    def of(cls, row: EndpointRow) -> "EndpointOut":
        return cls(
            id=row.id,
            url=row.url,
            description=row.description,
            events=list(row.events),
            status=row.status,
            problem=row.problem,
            failing_since=row.failing_since,
            succeeded_at=row.succeeded_at,
            both_secrets_until=row.both_secrets_until,
            waiting=row.waiting,
            created_at=row.created_at,
        )


class EndpointsOut(BaseModel):
    """All of them: a workspace has few."""

    items: list[EndpointOut]
    next_cursor: None = None


class EndpointWithSecretOut(EndpointOut):
    """The one time that the secret is shown."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class EndpointIn(BaseModel):
    url: str = Field(max_length=10_000, examples=["https://example.com/aerostic"])
    events: list[str] = Field(max_length=100, examples=[["message.received"]])
    description: str = Field("", max_length=10_000, examples=["Our shop"])


class EndpointChangeIn(BaseModel):
    """What is left out stays."""

    url: str | None = Field(None, max_length=10_000)
    events: list[str] | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=10_000)


class DispatchOut(BaseModel):
    """One event for one endpoint."""

    id: UUID
    event_id: str = Field(description="`webhook-id`: the same in every try and when sent again.")
    event: str = Field(examples=["message.received"])
    status: str = Field(examples=["delivered"], description="pending, delivered, or failed.")
    tries: int
    last_status: int | None = Field(examples=[200])
    problem: str
    is_replay: bool
    created_at: datetime
    delivered_at: datetime | None
    next_try_at: datetime | None

    @classmethod
    def of(cls, row: DispatchRow) -> "DispatchOut":
        return cls(
            id=row.id,
            event_id=row.event_id,
            event=row.event,
            status=row.status,
            tries=row.tries,
            last_status=row.last_status,
            problem=row.problem,
            is_replay=row.is_replay,
            created_at=row.created_at,
            delivered_at=row.delivered_at,
            next_try_at=row.next_try_at,
        )


class TryOut(BaseModel):
    """One request and an excerpt of what came back."""

    at: datetime
    milliseconds: int
    request_headers: str
    status: int | None
    answer: str
    problem: str

    @classmethod
    def of(cls, row: TryRow) -> "TryOut":
        return cls(
            at=row.at,
            milliseconds=row.milliseconds,
            request_headers=row.request_headers,
            status=row.status,
            answer=row.answer,
            problem=row.problem,
        )


class DispatchDetailOut(BaseModel):
    """An event with its body and its latest tries."""

    dispatch: DispatchOut
    body: str
    tries: list[TryOut]


class QueuedOut(BaseModel):
    """It will be posted in a moment; the log tells how that went."""

    dispatch_id: UUID


@router.get("/webhook-events")
def webhook_events(ctx: Ctx) -> EventKindsOut:
    """What another program can be told of."""
    found = queries.event_kinds(ctx)
    items = [EventKindOut(name=one.name, title=one.title, when=one.when) for one in found]
    return EventKindsOut(items=items)


@router.get(ENDPOINTS)
def endpoints(ctx: Ctx) -> EndpointsOut:
    """All endpoints, the oldest first."""
    return EndpointsOut(items=[EndpointOut.of(row) for row in queries.endpoints(ctx)])


@router.post(ENDPOINTS, status_code=201)
def create_endpoint(ctx: Ctx, body: EndpointIn) -> EndpointWithSecretOut:
    """Tell an address of events from now on. The answer holds its secret, this once.

    Posts are signed as Standard Webhooks describes: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    An event arrives at least once and usually, but not surely, in order. A post that is not answered with
    2xx within 15 seconds is repeated for a day.
    """
    made = service.create(ctx, body.url, body.events, description=body.description)
    return _with_secret(ctx, made)


def _with_secret(ctx: Ctx, made: service.Made) -> EndpointWithSecretOut:
    shown = EndpointOut.of(queries.endpoint(ctx, made.endpoint.id))
    return EndpointWithSecretOut(**shown.model_dump(), secret=made.secret)


@router.get(f"{ENDPOINTS}/{{endpoint_id}}")
def endpoint(ctx: Ctx, endpoint_id: UUID) -> EndpointOut:
    """One endpoint."""
    return EndpointOut.of(queries.endpoint(ctx, endpoint_id))


@router.patch(f"{ENDPOINTS}/{{endpoint_id}}")
def change_endpoint(ctx: Ctx, endpoint_id: UUID, body: EndpointChangeIn) -> EndpointOut:
    """Give it another address or other events. What waits goes to the new address."""
    service.change(ctx, endpoint_id, url=body.url, wanted=body.events, description=body.description)
    return EndpointOut.of(queries.endpoint(ctx, endpoint_id))


@router.delete(f"{ENDPOINTS}/{{endpoint_id}}", status_code=204)
def delete_endpoint(ctx: Ctx, endpoint_id: UUID) -> None:
    """Forget an endpoint, its secret and its log."""
    service.delete(ctx, endpoint_id)


@router.post(f"{ENDPOINTS}/{{endpoint_id}}/pause")
def pause_endpoint(ctx: Ctx, endpoint_id: UUID) -> EndpointOut:
    """Tell it nothing for now. What happens meanwhile is not kept for it."""
    service.pause(ctx, endpoint_id)
    return EndpointOut.of(queries.endpoint(ctx, endpoint_id))


@router.post(f"{ENDPOINTS}/{{endpoint_id}}/go-on")
def go_on_with_endpoint(ctx: Ctx, endpoint_id: UUID) -> EndpointOut:
    """Tell it again, beginning with what still waited."""
    service.go_on(ctx, endpoint_id)
    return EndpointOut.of(queries.endpoint(ctx, endpoint_id))


@router.post(f"{ENDPOINTS}/{{endpoint_id}}/secret")
def rotate_secret(ctx: Ctx, endpoint_id: UUID) -> EndpointWithSecretOut:
    """Make a new secret, shown this once. For a day the former one signs too."""
    return _with_secret(ctx, service.rotate_secret(ctx, endpoint_id))


@router.post(f"{ENDPOINTS}/{{endpoint_id}}/test", status_code=202)
def send_test(ctx: Ctx, endpoint_id: UUID) -> QueuedOut:
    """Post a `webhook.test` event."""
    return QueuedOut(dispatch_id=service.send_test(ctx, endpoint_id))


@router.get(f"{ENDPOINTS}/{{endpoint_id}}/dispatches")
def dispatches(
    ctx: Ctx,
    endpoint_id: UUID,
    cursor: After = None,
    limit: Limit = 50,
    status: Annotated[DispatchStatus | None, Query()] = None,
) -> PageOut[DispatchOut]:
    """What an endpoint was told and is to be told, the newest first. Kept for 30 days."""
    page = queries.dispatches(ctx, endpoint_id, status=status, after=cursor, limit=limit)
    return PageOut.of(page, DispatchOut.of)


@router.get("/webhook-dispatches/{dispatch_id}")
def dispatch(ctx: Ctx, dispatch_id: UUID) -> DispatchDetailOut:
    """One event with its body and its latest tries."""
    found = queries.dispatch(ctx, dispatch_id)
    return DispatchDetailOut(
        dispatch=DispatchOut.of(found.row),
        body=found.body,
        tries=[TryOut.of(one) for one in found.tries],
    )


@router.post("/webhook-dispatches/{dispatch_id}/send-again", status_code=202)
def send_again(ctx: Ctx, dispatch_id: UUID) -> QueuedOut:
    """Post an event once more, with the same `webhook-id`."""
    return QueuedOut(dispatch_id=service.send_again(ctx, dispatch_id))

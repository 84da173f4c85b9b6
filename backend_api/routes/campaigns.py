"""Campaigns over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.schemas import (
    CampaignDraft,
    CampaignRow,
    CampaignView,
    Funnel,
    PlanView,
    ReasonCount,
    RecipientRow,
    Variant,
)
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.campaigns.variables import Source
from backend_api import files
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/campaigns", tags=["Campaigns"])

HELLO = {"body.1": {"kind": "contact", "key": "first_name", "fallback": "friend"}}


class VariantBody(BaseModel):
    """One text to send: a template, what fills its gaps, and its weight beside the others."""

    template_id: UUID
    variables: dict[str, Source] = Field({}, examples=[HELLO])
    share: int = 1


class CampaignIn(BaseModel):
    """Everything but the name may come later."""

    name: str = Field(max_length=1_000, examples=["Autumn menu"])
    audience: Audience = Field(Audience(), description="Without any part: every contact.")
    variants: list[VariantBody] = Field([], description="One, or several to compare.")
    number_ids: list[UUID] = Field([], description="The numbers to send from, in turn.")
    timing: Timing = Field(Timing(), description="Empty: at once, at any hour.")
    hold_out_percent: int = Field(0, description="Left out by chance, to compare with.")
    most_per_minute: int | None = Field(None, description="Slower than WhatsApp allows.")
    pause_at_failure_percent: int = 30
    needs_approval: bool = False

    def draft(self) -> CampaignDraft:
        return CampaignDraft(
            name=self.name,
            audience=self.audience,
            variants=[Variant(one.template_id, one.variables, one.share) for one in self.variants],
            number_ids=self.number_ids,
            timing=self.timing,
            hold_out_percent=self.hold_out_percent,
            most_per_minute=self.most_per_minute,
            pause_at_failure_percent=self.pause_at_failure_percent,
            needs_approval=self.needs_approval,
        )


class CampaignChangeIn(CampaignIn):
    """The whole draft anew. `revision` is the one that the change was made on."""

    revision: int


class CampaignRowOut(BaseModel):
    """A campaign in a list."""

    id: UUID
    name: str = Field(examples=["Autumn menu"])
    status: str = Field(
        examples=["running"],
        description="`draft`, `awaiting_approval`, `scheduled`, `preparing`, `running`, `paused`, "
        "`done` or `cancelled`.",
    )
    template_name: str
    problem: str | None = Field(description="Why it stopped by itself, or what it waits for.")
    starts_at: datetime | None
    launched_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    created_by_name: str
    series_id: UUID | None = Field(description="The repeating campaign that this is a turn of.")
    repeats: bool

    @classmethod
    def of(cls, row: CampaignRow) -> "CampaignRowOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class CampaignOut(BaseModel):
    """A campaign with all that was chosen for it."""

    id: UUID
    name: str = Field(examples=["Autumn menu"])
    status: str = Field(examples=["running"])
    revision: int
    category: str = Field(examples=["MARKETING"])
    audience: Audience
    variants: list[VariantBody]
    number_ids: list[UUID]
    timing: Timing
    hold_out_percent: int
    most_per_minute: int | None
    pause_at_failure_percent: int
    needs_approval: bool
    approved_by_name: str | None
    approved_at: datetime | None
    problem: str | None
    series_id: UUID | None
    next_turn_at: datetime | None
    created_by_name: str
    created_at: datetime
    starts_at: datetime | None
    launched_at: datetime | None
    paused_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, view: CampaignView) -> "CampaignOut":
        plain = {name: getattr(view, name) for name in cls.model_fields if name != "variants"}
        variants = [
            VariantBody(template_id=one.template_id, variables=dict(one.variables), share=one.share)
            for one in view.variants
        ]
        return cls(variants=variants, **plain)


class CostOut(BaseModel):
    market: str = Field(examples=["Germany"])
    count: int
    micros: int


class PlanOut(BaseModel):
    """What launching would do. Until `is_ready`, the figures are of `counted` people out of `total`."""

    is_ready: bool
    is_counting: bool
    counted: int
    total: int
    to_send: int
    skipped: Mapping[str, int] = Field(examples=[{"stopped_marketing": 12, "held_out": 50}])
    missing: int = Field(description="Of the skipped: for whom a variable has no value.")
    costs: list[CostOut]
    micros: int = Field(description="Millionths of the wallet's currency.")
    per_second: float
    finishes_at: datetime | None
    day_limit: int | None = Field(description="People in 24 hours, as WhatsApp allows; none: any.")
    used_today: int
    over_limit: int = Field(description="Those who are written to on a later day.")
    last_day_at: datetime | None
    problem: str | None

    @classmethod
    def of(cls, view: PlanView) -> "PlanOut":
        plain = {name: getattr(view, name) for name in cls.model_fields if name != "costs"}
        costs = [
            CostOut(market=one.market, count=one.count, micros=one.micros) for one in view.costs
        ]
        return cls(costs=costs, **plain)


class FunnelOut(BaseModel):
    """How far the recipients have come. Each of `sent`, `delivered`, `read` counts who went beyond it."""

    audience: int
    pending: int
    queued: int
    sent: int
    delivered: int
    read: int
    replied: int
    failed: int
    unknown: int
    skipped: int
    cancelled: int

    @classmethod
    def of(cls, funnel: Funnel) -> "FunnelOut":
        return cls(**{name: getattr(funnel, name) for name in cls.model_fields})


class ReasonOut(BaseModel):
    """How many failed, or were left out, for one reason."""

    state: str = Field(examples=["failed"])
    reason: str = Field(examples=["131026"])
    words: str = Field(examples=["WhatsApp could not deliver it."])
    count: int

    @classmethod
    def of(cls, one: ReasonCount) -> "ReasonOut":
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class ProgressOut(BaseModel):
    """How a campaign goes, counted from its recipients now."""

    status: str
    problem: str | None
    funnel: FunnelOut
    reasons: list[ReasonOut]


class RecipientOut(BaseModel):
    """One recipient and what became of them."""

    contact_id: UUID
    name: str
    phone: str | None
    state: str = Field(
        examples=["delivered"],
        description="`pending`, `queued`, `sent`, `delivered`, `read`, `failed`, `unknown`, "
        "`skipped` or `cancelled`.",
    )
    reason: str | None = Field(examples=["131026"], description="Why it failed or was left out.")
    reason_words: str
    variant: int
    attempt: int
    message_id: UUID | None
    micros: int
    market: str
    sent_at: datetime | None
    replied_at: datetime | None

    @classmethod
    def of(cls, row: RecipientRow) -> "RecipientOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class LaunchIn(BaseModel):
    skip_missing: bool = Field(False, description="Leave out those for whom a variable is missing.")


class ApproveIn(BaseModel):
    revision: int = Field(
        description="The one that you looked at: what was changed since is not approved."
    )


class TestSendIn(BaseModel):
    contact_id: UUID
    variant: int = 0


class TestSentOut(BaseModel):
    message_id: UUID
    conversation_id: UUID


class PreviewOut(BaseModel):
    """The message that one contact would get."""

    contact_id: UUID
    name: str
    template_name: str
    values: Mapping[str, str]
    missing: list[str] = Field(description="The gaps without a value.")
    text: str


class RetriedOut(BaseModel):
    recipients: int = Field(description="To how many it is sent once more.")


@router.get("")
def campaigns(
    ctx: Ctx, status: str | None = None, after: After = None, limit: Limit = 50
) -> PageOut[CampaignRowOut]:
    """Campaigns, the newest first."""
    page = queries.campaigns(ctx, status=status, after=after, limit=limit)
    return PageOut.of(page, CampaignRowOut.of)


@router.post("", status_code=201)
def create(ctx: Ctx, once: Once, body: CampaignIn) -> CampaignOut:
    """A new draft. Nothing is sent before it is launched."""
    return once(lambda: _shown(ctx, service.create(ctx, body.draft()).id))


@router.get("/{campaign_id}")
def campaign(ctx: Ctx, campaign_id: UUID) -> CampaignOut:
    """One campaign."""
    return _shown(ctx, campaign_id)


@router.put("/{campaign_id}")
def update(ctx: Ctx, campaign_id: UUID, body: CampaignChangeIn) -> CampaignOut:
    """Write a draft anew. 409 where somebody changed it in between, or it was launched."""
    service.update(ctx, campaign_id, body.draft(), revision=body.revision)
    return _shown(ctx, campaign_id)


@router.delete("/{campaign_id}", status_code=204)
def remove(ctx: Ctx, campaign_id: UUID) -> None:
    """Delete a draft."""
    service.remove(ctx, campaign_id)


@router.post("/{campaign_id}/plan")
def plan(ctx: Ctx, campaign_id: UUID) -> PlanOut:
    """Count what launching would do; ask `GET` until `is_ready`."""
    return PlanOut.of(service.plan(ctx, campaign_id))


@router.get("/{campaign_id}/plan")
def planned(ctx: Ctx, campaign_id: UUID) -> PlanOut:
    """The plan as far as it is counted."""
    return PlanOut.of(queries.plan(ctx, campaign_id))


@router.get("/{campaign_id}/progress")
def progress(ctx: Ctx, campaign_id: UUID) -> ProgressOut:
    """How far its recipients have come, and why some did not."""
    shown = queries.campaign(ctx, campaign_id)
    return ProgressOut(
        status=shown.status,
        problem=shown.problem,
        funnel=FunnelOut.of(queries.funnel(ctx, campaign_id)),
        reasons=[ReasonOut.of(one) for one in queries.why_not(ctx, campaign_id)],
    )


@router.get("/{campaign_id}/recipients")
def recipients(
    ctx: Ctx,
    campaign_id: UUID,
    state: str | None = None,
    reason: str | None = None,
    after: After = None,
    limit: Limit = 50,
) -> PageOut[RecipientOut]:
    """Its recipients, of one state or reason if given. They are there from the plan on."""
    page = queries.recipients(
        ctx, campaign_id, state=state, reason=reason, after=after, limit=limit
    )
    return PageOut.of(page, RecipientOut.of)


@router.get("/{campaign_id}/recipients/export", response_class=FileResponse)
def export(ctx: Ctx, campaign_id: UUID) -> FileResponse:
    """Every recipient and what became of them, as CSV. No cell of it can be a formula."""
    return files.written(
        lambda path: queries.export(ctx, campaign_id, path),
        media_type=files.CSV,
        filename=f"campaign-{campaign_id}.csv",
    )


@router.get("/{campaign_id}/preview")
def preview(
    ctx: Ctx, campaign_id: UUID, contact_id: UUID, variant: Annotated[int, Query(ge=0)] = 0
) -> PreviewOut:
    """The message that a contact would get."""
    found = queries.preview(ctx, campaign_id, contact_id, variant=variant)
    return PreviewOut(
        contact_id=found.contact_id,
        name=found.name,
        template_name=found.template_name,
        values=found.values,
        missing=list(found.missing),
        text=found.text,
    )


@router.post("/{campaign_id}/test", status_code=201)
def test_send(ctx: Ctx, once: Once, campaign_id: UUID, body: TestSendIn) -> TestSentOut:
    """Send one message of it to one contact now, outside of the campaign's count."""

    def sent() -> TestSentOut:
        message = service.test_send(ctx, campaign_id, body.contact_id, variant=body.variant)
        return TestSentOut(message_id=message.id, conversation_id=message.conversation_id)

    return once(sent)


@router.post("/{campaign_id}/launch")
def launch(ctx: Ctx, once: Once, campaign_id: UUID, body: LaunchIn) -> CampaignOut:
    """Set it off: at once, at its time, or after approval. Answers before anybody is written to.

    422 `not_enough_money` says which sum the wallet lacks.
    """

    def launched() -> CampaignOut:
        service.launch(ctx, campaign_id, skip_missing=body.skip_missing)
        return _shown(ctx, campaign_id)

    return once(launched)


@router.post("/{campaign_id}/approve")
def approve(ctx: Ctx, campaign_id: UUID, body: ApproveIn) -> CampaignOut:
    """Agree with what somebody wants to send; it is set off."""
    service.approve(ctx, campaign_id, revision=body.revision)
    return _shown(ctx, campaign_id)


@router.put("/{campaign_id}/timing")
def schedule(ctx: Ctx, campaign_id: UUID, body: Timing) -> CampaignOut:
    """Choose another time for one that waits, or for what is left of one that is paused.

    What has not begun and needs approval needs it again.
    """
    service.schedule(ctx, campaign_id, body)
    return _shown(ctx, campaign_id)


@router.post("/{campaign_id}/pause")
def pause(ctx: Ctx, campaign_id: UUID) -> CampaignOut:
    """Write to nobody more. A few seconds' worth of messages still leaves."""
    service.pause(ctx, campaign_id)
    return _shown(ctx, campaign_id)


@router.post("/{campaign_id}/resume")
def resume(ctx: Ctx, campaign_id: UUID) -> CampaignOut:
    """Go on where it stopped."""
    service.resume(ctx, campaign_id)
    return _shown(ctx, campaign_id)


@router.post("/{campaign_id}/cancel")
def cancel(ctx: Ctx, campaign_id: UUID) -> CampaignOut:
    """End it. What has not left is taken back, and its money is free again."""
    service.cancel(ctx, campaign_id)
    return _shown(ctx, campaign_id)


@router.post("/{campaign_id}/retry-failed")
def retry_failed(ctx: Ctx, once: Once, campaign_id: UUID) -> RetriedOut:
    """Send once more to those for whom it failed, and to nobody else."""
    return once(lambda: RetriedOut(recipients=service.retry_failed(ctx, campaign_id)))


@router.post("/{campaign_id}/duplicate", status_code=201)
def duplicate(ctx: Ctx, once: Once, campaign_id: UUID) -> CampaignOut:
    """The same as a new draft."""
    return once(lambda: _shown(ctx, service.duplicate(ctx, campaign_id).id))


def _shown(ctx: Ctx, campaign_id: UUID) -> CampaignOut:
    return CampaignOut.of(queries.campaign(ctx, campaign_id))

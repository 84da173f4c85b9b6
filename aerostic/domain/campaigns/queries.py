"""Every way in which campaigns are looked at. Figures are counted from rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from aerostic.core.errors import Invalid
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.campaigns import (
    access,
    exporting,
    listing,
    planning,
    reasons,
    timing,
    variables,
)
from aerostic.domain.campaigns.listing import REPLIED
from aerostic.domain.campaigns.models import (
    Campaign,
    CampaignEvent,
    CampaignRecipient,
    CampaignResponse,
    RecipientState,
)
from aerostic.domain.campaigns.people import facts_of_contact
from aerostic.domain.campaigns.schemas import (
    CampaignRow,
    CampaignView,
    EventRow,
    Funnel,
    PlanView,
    Preview,
    ReasonCount,
    RecipientRow,
    VariantFunnel,
)
from aerostic.domain.contacts import naming
from aerostic.domain.templates.gaps import VARIABLE
from aerostic.domain.templates.models import Template

NEWEST_EVENTS = 50


@requires(Permission.CAMPAIGNS_READ)
def campaigns(
    ctx: Context, *, status: str | None = None, after: Cursor | None = None, limit: int = 50
) -> Page[CampaignRow]:
    """The newest first."""
    size = page_size(limit)
    statement = select(Campaign).where(col(Campaign.tenant_id) == ctx.tenant_id)
    if status:
        statement = statement.where(col(Campaign.status) == status)
    if after:
        statement = statement.where(col(Campaign.id) < read_cursor(after, UUID)[0])
    found = ctx.session.scalars(statement.order_by(col(Campaign.id).desc()).limit(size + 1)).all()
    names = _template_names(ctx, found[:size])
    rows = [_row(one, names) for one in found[:size]]
    return Page(rows, cursor_of(rows[-1].id) if len(found) > size else None)


@requires(Permission.CAMPAIGNS_READ)
def campaign(ctx: Context, campaign_id: UUID) -> CampaignView:
    """One campaign with what was chosen for it. Raises NotFound."""
    return _view(access.the_campaign(ctx, campaign_id))


@requires(Permission.CAMPAIGNS_READ)
def plan(ctx: Context, campaign_id: UUID) -> PlanView:
    """What launching would do, as far as it is counted; `service.plan` begins the counting."""
    return planning.view(ctx, access.the_campaign(ctx, campaign_id))


@requires(Permission.CAMPAIGNS_READ)
def funnel(ctx: Context, campaign_id: UUID) -> Funnel:
    """How far its recipients have come, now."""
    access.the_campaign(ctx, campaign_id)
    counts, responses = _counts(ctx, campaign_id), _responses(ctx, campaign_id)
    return _funnel(_summed(counts), _summed(responses))


@requires(Permission.CAMPAIGNS_READ)
def variants(ctx: Context, campaign_id: UUID) -> list[VariantFunnel]:
    """The same for each of the texts that are compared: of those to whom it was written."""
    one = access.the_campaign(ctx, campaign_id)
    counts = {
        (variant, state): count
        for (variant, state), count in _counts(ctx, campaign_id).items()
        if state not in (RecipientState.PENDING, RecipientState.SKIPPED)
    }
    responses = _responses(ctx, campaign_id)
    names = [template.name for template in access.templates_of(ctx, access.variants_of(one))]
    return [
        VariantFunnel(index, name, _funnel(_of(counts, index), _of(responses, index)))
        for index, name in enumerate(names)
    ]


@requires(Permission.CAMPAIGNS_READ)
def why_not(ctx: Context, campaign_id: UUID) -> list[ReasonCount]:
    """Failures and people left out, by reason, the commonest first."""
    access.the_campaign(ctx, campaign_id)
    recipient = CampaignRecipient
    statement = (
        select(col(recipient.state), col(recipient.reason), func.count())
        .where(
            *listing.of_campaign(ctx, campaign_id),
            col(recipient.state).in_((RecipientState.FAILED, RecipientState.SKIPPED)),
        )
        .group_by(col(recipient.state), col(recipient.reason))
        .order_by(func.count().desc(), col(recipient.reason))
    )
    return [
        ReasonCount(state, reason or "", reasons.words_of(reason), count)
        for state, reason, count in ctx.session.execute(statement)
    ]


@requires(Permission.CAMPAIGNS_READ)
def recipients(
    ctx: Context,
    campaign_id: UUID,
    *,
    state: str | None = None,
    reason: str | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[RecipientRow]:
    """Recipients in the order of their contacts; of one state, or of one reason. Raises Invalid."""
    access.the_campaign(ctx, campaign_id)
    size = page_size(limit)
    last = read_cursor(after, UUID)[0] if after else None
    found = listing.some(ctx, campaign_id, state=state, reason=reason, after=last, limit=size + 1)
    rows = found[:size]
    return Page(rows, cursor_of(rows[-1].contact_id) if len(found) > size else None)


@requires(Permission.CONTACTS_EXPORT)
def export(ctx: Context, campaign_id: UUID, path: Path) -> int:
    """Write every recipient and what became of them into a CSV file; return how many."""
    access.the_campaign(ctx, campaign_id)
    return exporting.write(ctx, campaign_id, path)


@requires(Permission.CAMPAIGNS_READ)
def preview(ctx: Context, campaign_id: UUID, contact_id: UUID, *, variant: int = 0) -> Preview:
    """The message that this contact would get, whether or not they are of the audience."""
    one = access.the_campaign(ctx, campaign_id)
    chosen = access.variants_of(one)
    if not 0 <= variant < len(chosen):
        raise Invalid("variant", f"This campaign has {len(chosen)} texts.")
    (template,) = access.templates_of(ctx, [chosen[variant]])
    facts = facts_of_contact(ctx, contact_id, access.audience_of(one))
    values = variables.values_of(chosen[variant].variables, facts)
    return Preview(
        contact_id=contact_id,
        name=facts.name or naming.NAMELESS,
        template_id=template.id,
        template_name=template.name,
        values=values,
        missing=tuple(variables.missing(values)),
        text=_text(template, values),
    )


@requires(Permission.CAMPAIGNS_READ)
def events(ctx: Context, campaign_id: UUID) -> list[EventRow]:
    """What was done to it, and what it did by itself, the newest first."""
    access.the_campaign(ctx, campaign_id)
    statement = (
        select(CampaignEvent)
        .where(
            col(CampaignEvent.tenant_id) == ctx.tenant_id,
            col(CampaignEvent.campaign_id) == campaign_id,
        )
        .order_by(col(CampaignEvent.id).desc())
        .limit(NEWEST_EVENTS)
    )
    return [
        EventRow(one.words, one.actor_name, one.created_at)
        for one in ctx.session.scalars(statement)
    ]


# Shapes ------------------------------------------------------------------------------------------


def _view(one: Campaign) -> CampaignView:
    """A campaign as it travels."""
    return CampaignView(
        id=one.id,
        name=one.name,
        status=one.status,
        revision=one.revision,
        category=one.category,
        audience=access.audience_of(one),
        variants=tuple(access.variants_of(one)),
        number_ids=tuple(one.number_ids),
        timing=timing.read(one.timing),
        hold_out_percent=one.hold_out_percent,
        most_per_minute=one.most_per_minute,
        pause_at_failure_percent=one.pause_at_failure_percent,
        needs_approval=one.needs_approval,
        approved_by_name=one.approved_by_name,
        approved_at=one.approved_at,
        problem=one.problem,
        series_id=one.series_id,
        next_turn_at=one.next_turn_at,
        created_by_name=one.created_by_name,
        created_at=one.created_at,
        starts_at=one.starts_at,
        launched_at=one.launched_at,
        paused_at=one.paused_at,
        finished_at=one.finished_at,
    )


def _counts(ctx: Context, campaign_id: UUID) -> dict[tuple[int, str], int]:
    """How many of each text are in each state."""
    recipient = CampaignRecipient
    statement = (
        select(col(recipient.variant), col(recipient.state), func.count())
        .where(*listing.of_campaign(ctx, campaign_id))
        .group_by(col(recipient.variant), col(recipient.state))
    )
    return {(variant, state): count for variant, state, count in ctx.session.execute(statement)}


def _responses(ctx: Context, campaign_id: UUID) -> dict[tuple[int, str], int]:
    recipient, response = CampaignRecipient, CampaignResponse
    statement = (
        select(col(recipient.variant), col(response.kind), func.count())
        .where(
            *listing.of_campaign(ctx, campaign_id),
            col(response.tenant_id) == ctx.tenant_id,
            col(response.campaign_id) == campaign_id,
            col(response.contact_id) == col(recipient.contact_id),
        )
        .group_by(col(recipient.variant), col(response.kind))
    )
    return {(variant, kind): count for variant, kind, count in ctx.session.execute(statement)}


def _summed(counts: Mapping[tuple[int, str], int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, name), count in counts.items():
        found[name] += count
    return found


def _of(counts: Mapping[tuple[int, str], int], variant: int) -> dict[str, int]:
    return {name: count for (one, name), count in counts.items() if one == variant}


def _funnel(counts: Mapping[str, int], responses: Mapping[str, int]) -> Funnel:
    """Who read it was delivered to; whose message was delivered, it was sent to."""
    found = {state: counts.get(state, 0) for state in RecipientState}
    read = found[RecipientState.READ]
    delivered = found[RecipientState.DELIVERED] + read
    return Funnel(
        audience=sum(found.values()),
        pending=found[RecipientState.PENDING],
        queued=found[RecipientState.QUEUED],
        sent=found[RecipientState.SENT] + delivered,
        delivered=delivered,
        read=read,
        replied=responses.get(REPLIED, 0),
        failed=found[RecipientState.FAILED],
        unknown=found[RecipientState.UNKNOWN],
        skipped=found[RecipientState.SKIPPED],
        cancelled=found[RecipientState.CANCELLED],
    )


def _row(one: Campaign, names: Mapping[UUID, str]) -> CampaignRow:
    first = UUID(one.variants[0]["template_id"]) if one.variants else None
    return CampaignRow(
        id=one.id,
        name=one.name,
        status=one.status,
        template_name=names.get(first, "") if first else "",
        problem=one.problem,
        starts_at=one.starts_at,
        launched_at=one.launched_at,
        finished_at=one.finished_at,
        created_at=one.created_at,
        created_by_name=one.created_by_name,
        series_id=one.series_id,
        repeats=bool(one.timing.get("cron")),
    )


def _template_names(ctx: Context, found: Iterable[Campaign]) -> dict[UUID, str]:
    ids = {UUID(one.variants[0]["template_id"]) for one in found if one.variants}
    statement = select(col(Template.id), col(Template.name)).where(
        col(Template.tenant_id) == ctx.tenant_id, col(Template.id).in_(ids)
    )
    return dict(ctx.session.execute(statement).all())


def _text(template: Template, values: Mapping[str, str]) -> str:
    """The body with what is known; a gap without a value stays visible."""
    body = next((one for one in template.components if one.get("type") == "BODY"), {})
    return VARIABLE.sub(
        lambda found: values.get(f"body.{found.group(1)}") or found.group(0),
        str(body.get("text", "")),
    )

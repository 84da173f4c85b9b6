"""Triggers that go by the clock: set times, and silences of contacts.

Whoever takes one locks its row of `due_work`, begins the runs and sets the next time in one transaction: so
each time is kept once, by however many processes. What was missed while nobody was there is made up for once.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import ValidationError
from sqlmodel import col, select

from aerostic.core import due_work
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.ids import first_id_at
from aerostic.core.tenancy import Context
from aerostic.domain.automation import engine, scope
from aerostic.domain.automation.models import Workflow, WorkflowTrigger, WorkflowVersion
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.fields import length_of

SCHEDULE, NO_REPLY = "trigger.schedule", "trigger.no_reply"
BY_THE_CLOCK = frozenset({SCHEDULE, NO_REPLY})
LOOK_BACK_EVERY = timedelta(seconds=5)
AT_A_TIME = 500


def fire(ctx: Context, trigger_id: UUID) -> int:
    """Begin what is due of one trigger, and agree on its next time; return how many runs began."""
    due = select(DueWork).where(
        col(DueWork.kind) == WorkKind.SCHEDULE,
        col(DueWork.tenant_id) == ctx.tenant_id,
        col(DueWork.ref) == trigger_id,
    )
    row = ctx.session.exec(due.with_for_update(skip_locked=True)).first()
    if row is None or row.due_at > ctx.now:
        return 0  # another process is at it, or was
    trigger = ctx.get(WorkflowTrigger, trigger_id)
    config = _config(trigger) if trigger else None
    if trigger is None or config is None:
        due_work.settle(ctx, WorkKind.SCHEDULE, trigger_id)
        return 0
    if trigger.kind == NO_REPLY:
        row.due_at = ctx.now + LOOK_BACK_EVERY
        return _silences(ctx, trigger, config)
    is_first_look = trigger.looked_until is None
    row.due_at = next_time(config.cron, config.time_zone, ctx.now)
    trigger.looked_until = ctx.now
    if is_first_look:
        return 0
    _begin(ctx, trigger)
    return 1


def next_time(cron: str, time_zone: str, after: datetime) -> datetime:
    """The next moment of a schedule, by the clocks of its time zone."""
    local = after.astimezone(ZoneInfo(time_zone))
    found: datetime = croniter(cron, local).get_next(datetime)
    return found.astimezone(after.tzinfo)


def _config(trigger: WorkflowTrigger) -> Any:
    try:
        return BY_KIND[trigger.kind].Config.model_validate(trigger.config)
    except (KeyError, ValidationError):
        return None


def _begin(
    ctx: Context,
    trigger: WorkflowTrigger,
    *,
    conversation_id: UUID | None = None,
    contact_id: UUID | None = None,
    number_id: UUID | None = None,
) -> None:
    version = ctx.get(WorkflowVersion, trigger.version_id)
    workflow = ctx.get(Workflow, trigger.workflow_id)
    if version is None or workflow is None or not workflow.is_enabled:
        return
    engine.begin(
        ctx,
        workflow_id=trigger.workflow_id,
        version_id=version.id,
        version_number=version.number,
        trigger_node=trigger.node_id,
        trigger_kind=trigger.kind,
        given={"trigger": {"kind": trigger.kind, "at": scope.clock(ctx.now)}},
        conversation_id=conversation_id,
        contact_id=contact_id,
        number_id=number_id,
    )


# Silences -----------------------------------------------------------------------------------------

# Our message was the last one for the whole time, and something that answers by itself looks after the
# conversation. Each silence once: a reminder that it brought about must not bring about another.
_SILENT = """
    select v.id, v.contact_id, v.number_id, v.last_inbound_at from conversations v
    join phone_numbers n on n.tenant_id = v.tenant_id and n.id = v.number_id
    where v.tenant_id = %s and v.last_message_at > %s and v.last_message_at <= %s
        and v.last_message_direction = 'outbound' and v.status <> 'closed'
        and coalesce(v.mode, n.mode) in ('automation', 'ai')
    order by v.last_message_at limit %s
"""
_BEGAN = """
    select exists (select from executions where tenant_id = %s and workflow_id = %s
        and id >= %s and conversation_id = %s and trigger_node = %s)
"""


def _silences(ctx: Context, trigger: WorkflowTrigger, config: Any) -> int:
    """Begin a run in each conversation that has been silent for just so long."""
    length = length_of(config.amount, config.unit)
    upto, since = ctx.now - length, (trigger.looked_until or ctx.now) - length
    trigger.looked_until = ctx.now
    cursor = ctx.cursor()
    cursor.execute(_SILENT, (ctx.tenant_id, since, upto, AT_A_TIME), prepare=True)
    begun = 0
    for conversation_id, contact_id, number_id, inbound_at in cursor.fetchall():
        numbers = {str(one) for one in getattr(config, "numbers", [])}
        if numbers and str(number_id) not in numbers:
            continue
        if not _began(ctx, trigger, conversation_id, inbound_at or ctx.now - timedelta(days=365)):
            _begin(
                ctx,
                trigger,
                conversation_id=conversation_id,
                contact_id=contact_id,
                number_id=number_id,
            )
            begun += 1
    return begun


def _began(ctx: Context, trigger: WorkflowTrigger, conversation_id: UUID, since: datetime) -> bool:
    cursor = ctx.cursor()
    first = first_id_at(since)
    values = (ctx.tenant_id, trigger.workflow_id, first, conversation_id, trigger.node_id)
    cursor.execute(_BEGAN, values, prepare=True)
    found = cursor.fetchone()
    return found is not None and bool(found[0])

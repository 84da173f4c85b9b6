"""From recipients to messages in their numbers' queues: a thousand in one transaction, each once.

A recipient, its message, its place in the queue and its share of the hold are written together or not at all.
Only a few seconds' worth waits in a queue: so an answer of the team overtakes, and a pause is felt at once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlmodel import col

from aerostic.core import bulk, due_work
from aerostic.core.errors import Invalid
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import suppression
from aerostic.domain.billing import charging
from aerostic.domain.billing.charging import Outcome as Money
from aerostic.domain.billing.charging import Quote, Recipient, Settled
from aerostic.domain.campaigns import (
    access,
    expansion,
    limits,
    people,
    pricing,
    splitting,
    timing,
    variables,
)
from aerostic.domain.campaigns.models import Campaign, SkipReason
from aerostic.domain.campaigns.people import Cursor, Person
from aerostic.domain.campaigns.schemas import Variant
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber
from aerostic.domain.contacts.words import fold
from aerostic.domain.inbox import content, outbox, template_filling
from aerostic.domain.inbox.drafts import BSUID, envelope
from aerostic.domain.inbox.models import OutboxItem, OutboxState
from aerostic.domain.inbox.template_filling import Filled
from aerostic.domain.templates.models import Template

MOST = 1_000  # in one transaction
SECONDS_AHEAD = 3.0  # of a number's rate wait in its queue
NOBODY = UUID(int=0)
SOON = timedelta(seconds=5)  # what is tried again much later takes no place in the queue


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign sends, looked up once for many recipients."""

    campaign: Campaign
    variants: Sequence[Variant]
    templates: Sequence[Template]
    numbers: Sequence[PhoneNumber]
    portfolio: str
    timing: Timing


@dataclass(slots=True)
class _Letter:
    """A message on its way into a queue."""

    person: Person
    address: str
    template: Template
    variant: int
    filled: Filled
    quote: Quote
    number: PhoneNumber
    id: UUID = field(default_factory=new_id)
    conversation_id: UUID = NOBODY


@dataclass(frozen=True, slots=True)
class Written:
    """How many recipients were taken up, and for how many of them a message was written."""

    taken: int
    messages: int


def plan_of(ctx: Context, campaign: Campaign) -> Plan:
    variants = access.variants_of(campaign)
    return Plan(
        campaign,
        variants,
        access.templates_of(ctx, variants),
        access.numbers_of(ctx, campaign),
        expansion.portfolio_of(ctx, campaign),
        timing.read(campaign.timing),
    )


def room_of(ctx: Context, numbers: Sequence[PhoneNumber]) -> dict[UUID, int]:
    """How many more messages may wait in each number's queue now."""
    rooms = {}
    for one in numbers:
        if one.status == ConnectionStatus.CONNECTED:
            most = max(1, round(one.messages_per_second * SECONDS_AHEAD))
            rooms[one.id] = max(0, most - _waiting(ctx, one.id))
    return rooms


def write(ctx: Context, plan: Plan, rooms: Mapping[UUID, int], *, most: int) -> Written:
    """Take up the next recipients, at most as many as there is room for."""
    campaign = plan.campaign
    found = people.due(ctx, campaign.id, plan.portfolio, most=min(most, MOST, sum(rooms.values())))
    if not found:
        return Written(0, 0)
    later = _later(ctx, plan, found)
    _postpone(ctx, campaign.id, later)
    now = [one for one in found if one.id not in later]
    out: dict[UUID, str] = dict(
        suppression.left_out(ctx, [one.id for one in now], campaign.category)
    )
    letters = _letters(ctx, plan, [one for one in now if one.id not in out], rooms, out)
    expansion.skip(ctx, campaign.id, out)
    if letters:
        _write(ctx, plan, letters)
    return Written(len(found), len(letters))


# Who, what and from where --------------------------------------------------------------------------


def _waiting(ctx: Context, number_id: UUID) -> int:
    waiting = select(func.count()).where(
        col(OutboxItem.tenant_id) == ctx.tenant_id,
        col(OutboxItem.number_id) == number_id,
        col(OutboxItem.state) == OutboxState.QUEUED,
        col(OutboxItem.not_before) <= ctx.now + SOON,
    )
    return ctx.session.scalar(waiting) or 0


def _later(ctx: Context, plan: Plan, found: Sequence[Person]) -> dict[UUID, datetime]:
    """Those whose own clock says that it is too early, or that they sleep."""
    if not plan.timing.asks_the_clock:
        return {}
    moments = {
        one.id: timing.allowed_at(plan.timing, one.facts.phone or one.address, ctx.now)
        for one in found
    }
    return {contact_id: moment for contact_id, moment in moments.items() if moment > ctx.now}


def _letters(
    ctx: Context,
    plan: Plan,
    now: Sequence[Person],
    rooms: Mapping[UUID, int],
    out: dict[UUID, str],
) -> list[_Letter]:
    """What each of them gets; who can not be written to goes `out`, with the reason."""
    campaign = plan.campaign
    quotes = pricing.quotes(ctx, campaign, [one.address or "" for one in now])
    shares = [one.share for one in plan.variants]
    places = _places(plan.numbers, rooms, len(now))
    letters = []
    for one, quote, number in zip(now, quotes, places, strict=True):
        variant = splitting.variant_of(one.id, shares)
        made = _fill(plan, one, variant, quote)
        if isinstance(made, SkipReason):
            out[one.id] = made
            continue
        template = plan.templates[variant]
        letters.append(_Letter(one, one.address or "", template, variant, made, quote, number))
    return letters


def _fill(plan: Plan, person: Person, variant: int, quote: Quote) -> Filled | SkipReason:
    template = plan.templates[variant]
    if not person.address or (
        template.category == "AUTHENTICATION" and BSUID.match(person.address)
    ):
        return SkipReason.NO_ADDRESS
    if quote.problem:
        return SkipReason.NO_PRICE
    values = variables.values_of(plan.variants[variant].variables, person.facts)
    if variables.missing(values):
        return SkipReason.VARIABLE_MISSING
    try:
        return template_filling.fill(template, values)
    except Invalid:
        return SkipReason.VARIABLE_REFUSED


def _places(
    numbers: Sequence[PhoneNumber], rooms: Mapping[UUID, int], count: int
) -> list[PhoneNumber]:
    """A number for each, in turn, as far as each has room."""
    left = {one.id: rooms.get(one.id, 0) for one in numbers}
    places: list[PhoneNumber] = []
    while len(places) < count:
        for one in [number for number in numbers if left[number.id] > 0]:
            places.append(one)
            left[one.id] -= 1
    return places[:count]


# Writing -------------------------------------------------------------------------------------------


_POSTPONED = bulk.columns(contact_id="uuid", due_at="timestamptz")
_POSTPONE = bulk.statement(
    """
    update campaign_recipients r set due_at = given.due_at
    from {given}
    where r.tenant_id = %b and r.campaign_id = %b and r.contact_id = given.contact_id
""",
    _POSTPONED,
)


def _postpone(ctx: Context, campaign_id: UUID, later: Mapping[UUID, datetime]) -> None:
    if later:
        bulk.run(
            ctx.cursor(), _POSTPONE, list(later), list(later.values()), ctx.tenant_id, campaign_id
        )


def _write(ctx: Context, plan: Plan, letters: Sequence[_Letter]) -> None:
    campaign, cursor = plan.campaign, ctx.cursor()
    _find_or_open_conversations(ctx, cursor, letters)
    _insert_messages(ctx, cursor, letters)
    _insert_outbox(ctx, cursor, letters)
    _show_as_last(ctx, cursor, letters)
    _follow(ctx, cursor, campaign.id, letters)
    _charge(ctx, campaign, letters)
    limits.count(ctx, Counter(one.number.id for one in letters))
    for number_id in sorted({one.number.id for one in letters}):
        due_work.wake_lane(ctx, number_id)


_PAIRS = bulk.columns(contact_id="uuid", number_id="uuid")
# Locked in one order by everyone who locks many.
_FIND = bulk.statement(
    """
    select c.contact_id, c.number_id, c.id from {given}
    join conversations c on c.tenant_id = %b
      and c.contact_id = given.contact_id and c.number_id = given.number_id
    order by c.id for no key update of c
""",
    _PAIRS,
)
_CONVERSATIONS = bulk.columns(id="uuid", contact_id="uuid", number_id="uuid")
# Nobody waits for an answer in a conversation that a campaign begins; it opens when they write.
_BEGUN = {
    "status": "'closed'",
    "closed_at": "now()",
    "unread_count": "0",
    "last_message_at": "now()",
    "last_message_preview": "''",
    "last_message_direction": "'outbound'",
    "last_message_status": "'queued'",
    "created_at": "now()",
}


def _find_or_open_conversations(ctx: Context, cursor: Cursor, letters: Sequence[_Letter]) -> None:
    wanted = {(one.person.id, one.number.id): one for one in letters}
    found = _conversations(ctx, cursor, list(wanted))
    missing = [(new_id(), *pair) for pair in wanted if pair not in found]
    if missing:
        bulk.insert(
            cursor,
            "conversations",
            _CONVERSATIONS,
            missing,
            tenant_id=ctx.tenant_id,
            constants=_BEGUN,
        )
        found |= _conversations(ctx, cursor, [(row[1], row[2]) for row in missing])
    for pair, one in wanted.items():
        one.conversation_id = found[pair]


def _conversations(
    ctx: Context, cursor: Cursor, pairs: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], UUID]:
    bulk.run(cursor, _FIND, *zip(*pairs, strict=True), ctx.tenant_id)
    return {(contact_id, number_id): found for contact_id, number_id, found in cursor.fetchall()}


_MESSAGES = bulk.columns(
    id="uuid",
    conversation_id="uuid",
    contact_id="uuid",
    number_id="uuid",
    text="text",
    search_text="text",
    content="jsonb",
    media_id="uuid",
    template_id="uuid",
    occurred_at="timestamptz",
)
_QUEUED = {
    "direction": "'outbound'",
    "type": "'template'",
    "status": "'queued'",
    "origin": "'campaign'",
    "reactions": "'{}'::jsonb",
    "position": "0",
    "created_at": "now()",
}


def _insert_messages(ctx: Context, cursor: Cursor, letters: Sequence[_Letter]) -> None:
    rows = [
        (
            one.id,
            one.conversation_id,
            one.person.id,
            one.number.id,
            one.filled.text,
            fold(one.filled.text),
            orjson.dumps({"template": one.filled.shown | one.filled.node}).decode(),
            one.filled.media_id,
            one.template.id,
            ctx.now,
        )
        for one in letters
    ]
    bulk.insert(
        cursor, "messages", _MESSAGES, rows, tenant_id=ctx.tenant_id, constants=_QUEUED, tail=""
    )


_OUTBOX = bulk.columns(
    id="uuid",
    number_id="uuid",
    conversation_id="uuid",
    recipient="text",
    priority="int4",
    not_before="timestamptz",
    body="jsonb",
)
_WAITING = {"state": "'queued'", "attempts": "0"}


def _insert_outbox(ctx: Context, cursor: Cursor, letters: Sequence[_Letter]) -> None:
    rows = [
        (
            one.id,
            one.number.id,
            one.conversation_id,
            one.address,
            outbox.priority_of(one.template.category),
            ctx.now,
            orjson.dumps(envelope(one.address, "template", one.filled.node)).decode(),
        )
        for one in letters
    ]
    bulk.insert(
        cursor, "outbox", _OUTBOX, rows, tenant_id=ctx.tenant_id, constants=_WAITING, tail=""
    )


_SHOWN = bulk.columns(id="uuid", message_id="uuid", preview="text")
_SHOW = bulk.statement(
    """
    update conversations c set last_message_at = %b, last_message_id = given.message_id,
        last_message_preview = given.preview, last_message_direction = 'outbound',
        last_message_status = 'queued'
    from {given}
    where c.tenant_id = %b and c.id = given.id and c.last_message_at <= %b
""",
    _SHOWN,
)


def _show_as_last(ctx: Context, cursor: Cursor, letters: Sequence[_Letter]) -> None:
    """Unless something newer came in at the same moment."""
    rows = [
        (one.conversation_id, one.id, content.preview("template", one.filled.text))
        for one in letters
    ]
    bulk.run(cursor, _SHOW, ctx.now, *zip(*rows, strict=True), ctx.tenant_id, ctx.now)


_FOLLOWED = bulk.columns(
    contact_id="uuid",
    message_id="uuid",
    number_id="uuid",
    variant="int4",
    micros="int8",
    market="text",
)
_FOLLOW = bulk.statement(
    """
    update campaign_recipients r set state = 'queued', reason = null, due_at = null, sent_at = %b,
        message_id = given.message_id, number_id = given.number_id, variant = given.variant,
        micros = given.micros, market = given.market, attempt = r.attempt + 1
    from {given}
    where r.tenant_id = %b and r.campaign_id = %b and r.contact_id = given.contact_id
""",
    _FOLLOWED,
)


def _follow(ctx: Context, cursor: Cursor, campaign_id: UUID, letters: Sequence[_Letter]) -> None:
    rows: list[tuple[Any, ...]] = [
        (
            one.person.id,
            one.id,
            one.number.id,
            one.variant,
            one.quote.micros,
            one.quote.market,
        )
        for one in letters
    ]
    bulk.run(cursor, _FOLLOW, ctx.now, *zip(*rows, strict=True), ctx.tenant_id, campaign_id)


def _charge(ctx: Context, campaign: Campaign, letters: Sequence[_Letter]) -> None:
    assert campaign.hold_id is not None, "nothing is sent before the money is set aside"
    rows = [
        Recipient(
            one.id,
            one.quote.micros,
            campaign.category,
            one.quote.market,
            one.quote.price_id,
            one.quote.why,
        )
        for one in letters
    ]
    charging.cover(ctx, campaign.hold_id, sum(one.micros for one in rows))
    charging.charge_recipients(ctx, campaign.hold_id, rows)


# Taking back ---------------------------------------------------------------------------------------


_TAKE_BACK = """
    with waiting as (
        select o.id from outbox o
        join campaign_recipients r on r.tenant_id = o.tenant_id and r.message_id = o.id
        where o.tenant_id = %(tenant)s and o.number_id = any(%(numbers)s) and o.state = 'queued'
          and r.campaign_id = %(campaign)s
        order by o.id for update of o skip locked)
    delete from outbox using waiting
    where outbox.tenant_id = %(tenant)s and outbox.id = waiting.id
    returning outbox.id
"""
_CANCEL = """
    update messages set status = 'cancelled'
    where tenant_id = %(tenant)s and id = any(%(ids)s) and status in ('queued', 'sending')
"""
_SHOW_CANCELLED = """
    update conversations c set last_message_status = 'cancelled'
    from messages m
    where m.tenant_id = %(tenant)s and m.id = any(%(ids)s) and c.tenant_id = m.tenant_id
      and c.id = m.conversation_id and c.last_message_id = m.id
"""


def take_back(ctx: Context, campaign: Campaign) -> int:
    """Remove what still waits in the numbers' queues; return how much. Their recipients are cancelled."""
    numbers = list(campaign.number_ids)
    given = {"tenant": ctx.tenant_id, "numbers": numbers, "campaign": campaign.id}
    cursor = ctx.cursor()
    ids = sorted(row[0] for row in cursor.execute(_TAKE_BACK, given).fetchall())
    if ids:
        those = {"tenant": ctx.tenant_id, "ids": ids}
        cursor.execute(_CANCEL, those)
        cursor.execute(_SHOW_CANCELLED, those)
        charging.settle(ctx, [Settled(message_id, Money.CANCELLED) for message_id in ids])
    return len(ids)

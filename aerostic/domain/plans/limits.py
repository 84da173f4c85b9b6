"""What a plan allows, checked where something is about to be used: `check` is one line there.

Called by the rest of the domain, inside the permission of whoever acts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from aerostic.core.errors import Refused
from aerostic.core.tenancy import Context
from aerostic.domain.usage import sums as usage
from aerostic.domain.usage.models import UsageKind


class Limit(StrEnum):
    """As the columns of `plans` are named. Messages and tokens are those of a month."""

    NUMBERS = "numbers"
    MEMBERS = "members"
    CONTACTS = "contacts"
    MESSAGES = "messages"
    TOKENS = "tokens"
    STORAGE = "storage_bytes"


MONTHLY = frozenset({Limit.MESSAGES, Limit.TOKENS})
ENDS_WITH_TRIAL = MONTHLY  # reading and writing down go on; sending and asking models do not


class PlanLimit(Refused):
    """The workspace's plan does not include that."""

    code = "plan_limit"


@dataclass(frozen=True, slots=True)
class Terms:
    """A workspace's plan as it is now. What is in `limits` is limited. `ends_at`: of a trial."""

    slug: str
    name: str
    summary: str
    limits: Mapping[Limit, int]
    ends_at: datetime | None
    time_zone: ZoneInfo
    asked_for: str

    def is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now


_TERMS = """
    select p.slug, p.name, p.summary, p.trial_days, t.created_at, s.trial_ends_at, t.time_zone,
        coalesce(s.asked_for, ''), p.numbers, p.members, p.contacts, p.messages, p.tokens,
        p.storage_bytes
    from tenants t
    left join subscriptions s on s.tenant_id = t.id
    join plans p on case when s.plan_id is null then p.is_default else p.id = s.plan_id end
    where t.id = %s
"""


def terms(ctx: Context) -> Terms:
    """The workspace's own plan, else the default one."""
    row = ctx.cursor().execute(_TERMS, (ctx.tenant_id,), prepare=True).fetchone()
    assert row is not None, "one plan is the default one"
    slug, name, summary, trial_days, began, ends_at, zone, asked_for, *most = row
    if ends_at is None and trial_days is not None:
        ends_at = began + timedelta(days=trial_days)
    pairs = zip(Limit, most, strict=True)
    limits = {limit: value for limit, value in pairs if value is not None}
    return Terms(slug, name, summary, limits, ends_at, ZoneInfo(zone), asked_for)


def check(ctx: Context, limit: Limit, adding: int = 1) -> None:
    """Raises PlanLimit, with the sentence, where so many more are not included."""
    if sentence := refusal(ctx, limit, adding):
        raise PlanLimit(sentence)


def refusal(ctx: Context, limit: Limit, adding: int = 1) -> str:
    """Why so many more are not included; nothing: they are."""
    now = terms(ctx)
    if limit in ENDS_WITH_TRIAL and now.is_over(ctx.now):
        return _trial_over(now)
    most = now.limits.get(limit)
    if most is None:
        return ""
    if limit not in MONTHLY:  # two at once: the second one counts the first
        _take_turns(ctx, limit)
    if used(ctx, limit) + adding <= most:
        return ""
    return _too_many(ctx, now, limit, most)


def room(ctx: Context, limit: Limit) -> int | None:
    """How many more are included; None: as many as one likes. For a limit that is no month's."""
    most = terms(ctx).limits.get(limit)
    if most is None:
        return None
    _take_turns(ctx, limit)
    return max(0, most - used(ctx, limit))


def used(ctx: Context, limit: Limit) -> int:
    """How much of it is used now, or was this month."""
    return _USED[limit](ctx)


def _take_turns(ctx: Context, limit: Limit) -> None:
    name = f"plan:{ctx.tenant_id}:{limit}"
    ctx.cursor().execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


# Sentences


_WAY_UP = "An owner can ask for a larger plan under Billing."


def _trial_over(now: Terms) -> str:
    assert now.ends_at is not None
    ended = now.ends_at.astimezone(now.time_zone)
    return (
        f"Your trial ended on {ended:%-d %B %Y}. Everything can still be read and exported, "
        f"but nothing is sent any more. {_WAY_UP}"
    )


def _too_many(ctx: Context, now: Terms, limit: Limit, most: int) -> str:
    sentence = f"The plan “{now.name}” includes {in_words(limit, most)}"
    if limit not in MONTHLY:
        return f"{sentence}, and that would be more. {_WAY_UP}"
    begins = _next_month(ctx.now.astimezone(now.time_zone))
    return f"{sentence}, and that would be more. It begins anew on {begins:%-d %B}. {_WAY_UP}"


def in_words(limit: Limit, most: int) -> str:
    """`2,000 messages a month`."""
    if limit is Limit.STORAGE:
        return f"{most / 1_000_000:,.0f} MB of documents"
    one, many = _WORDS[limit]
    return f"{most:,} {one if most == 1 else many}"


_WORDS = {
    Limit.NUMBERS: ("WhatsApp number", "WhatsApp numbers"),
    Limit.MEMBERS: ("person in the team", "people in the team, open invitations among them"),
    Limit.CONTACTS: ("contact", "contacts"),
    Limit.MESSAGES: ("message a month", "messages a month"),
    Limit.TOKENS: ("AI token a month", "AI tokens a month"),
}


def _next_month(here: datetime) -> datetime:
    return (here.replace(day=1) + timedelta(days=32)).replace(day=1)


# Counting


def _count(statement: str) -> Callable[[Context], int]:
    def count(ctx: Context) -> int:
        row = ctx.cursor().execute(statement.encode(), {"tenant": ctx.tenant_id}).fetchone()
        return int(row[0]) if row else 0

    return count


_WAITING = _count("select count(*) from outbox where tenant_id = %(tenant)s")


def _messages(ctx: Context) -> int:
    """Those that WhatsApp has taken, and those on their way."""
    return usage.this_month(ctx, UsageKind.OUTGOING_MESSAGE) + _WAITING(ctx)


_USED: dict[Limit, Callable[[Context], int]] = {
    Limit.NUMBERS: _count(
        "select count(*) from phone_numbers"
        " where tenant_id = %(tenant)s and status <> 'disconnected'"
    ),
    Limit.MEMBERS: _count(
        "select (select count(*) from memberships where tenant_id = %(tenant)s) + (select count(*)"
        " from invitations where tenant_id = %(tenant)s and accepted_at is null"
        " and withdrawn_at is null and expires_at > now())"
    ),
    Limit.CONTACTS: _count("select count(*) from contacts where tenant_id = %(tenant)s"),
    Limit.MESSAGES: _messages,
    Limit.TOKENS: lambda ctx: usage.this_month(ctx, UsageKind.AI_AGENT_CALL),
    Limit.STORAGE: lambda ctx: usage.ever(ctx, UsageKind.DOCUMENT_STORAGE),
}

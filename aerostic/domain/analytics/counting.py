"""What one day came to, counted from its rows. Counted again it comes to the same, or to what is newer.

Rows change after their day, as when a message is read a week later, so a day is never added to: its
figures are replaced as a whole.
"""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from aerostic.core.ids import first_id_at
from aerostic.core.tenancy import Context
from aerostic.domain.analytics import days

SILENCE = timedelta(days=60)


class Metric(StrEnum):
    """A figure of a day, and what its key says."""

    RECEIVED = "messages.received"
    WRITTEN = "messages.written"  # by origin
    OUTCOME = "messages.outcome"  # by what it has come to: the status
    FAILURE = "messages.failure"  # by code
    OPENED = "conversations.opened"
    CLOSED = "conversations.closed"  # by who closed; nobody: automation
    BY_PERSON = "people.messages"  # by who wrote
    FIRST_RESPONSE = "people.first_response"  # by who:seconds
    ANSWER = "people.answer"  # by who:seconds
    RESOLUTION = "people.resolution"  # by who closed:seconds
    RUNS = "automation.runs"  # by workflow:status
    CAMPAIGN = "campaigns.recipients"  # by campaign:state
    TURNS = "ai.turns"  # by agent
    TOKENS = "ai.tokens"
    COST = "ai.cost_micros"
    HANDED_OVER = "ai.handed_over"


# As exact as it is shown: to the second below a minute, to the minute below a day, then to the hour.
_SECONDS = """
    case when waited < 60 then waited when waited < 86400 then waited / 60 * 60
    else waited / 3600 * 3600 end
"""

_MESSAGES = """
    with of_day as materialized (
        select direction, origin, status, author_id,
            case when status = 'failed' then coalesce(failure ->> 'code', '') end as code,
            count(*) as many
        from messages
        where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s and origin <> 'history'
        group by 1, 2, 3, 4, 5
    )
    select 'messages.received', '', sum(many) from of_day where direction = 'inbound' having sum(many) > 0
    union all
    select 'messages.written', origin, sum(many) from of_day
    where direction = 'outbound' group by origin
    union all
    select 'messages.outcome', status, sum(many) from of_day
    where direction = 'outbound' and origin <> 'phone_app' group by status
    union all
    select 'messages.failure', code, sum(many) from of_day
    where direction = 'outbound' and code is not null group by code
    union all
    select 'people.messages', author_id::text, sum(many) from of_day
    where direction = 'outbound' and origin = 'inbox' and author_id is not null group by author_id
"""

# Something is opened by the contact's first message, by the first one after it was closed, and by the first
# one after `SILENCE`: further back nothing is looked for.
_OPENED = """
    with arrived as materialized (
        select conversation_id, occurred_at, id,
            lag(occurred_at) over (
                partition by conversation_id order by occurred_at, position, id
            ) as before
        from messages
        where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s and origin = 'contact'
    ), closed as materialized (
        select conversation_id, created_at from conversation_events
        where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s and kind = 'closed'
    )
    select 'conversations.opened', '', count(*) from (
        select from arrived a
        left join lateral (
            select max(e.created_at) as at from conversation_events e
            where e.tenant_id = %(tenant)s and e.kind = 'closed'
                and e.conversation_id = a.conversation_id and e.created_at < a.occurred_at
        ) last_closed on true
        where a.before is null and not exists (
            select from messages m where m.tenant_id = %(tenant)s
                and m.conversation_id = a.conversation_id and m.origin = 'contact'
                and m.id >= %(floor)s and m.id < %(end)s and m.occurred_at < a.occurred_at
                and m.occurred_at > coalesce(last_closed.at, %(floor_at)s)
        )
        union all
        select from arrived a where a.before is not null and exists (
            select from closed c where c.conversation_id = a.conversation_id
                and c.created_at >= a.before and c.created_at < a.occurred_at
        )
    ) as opened
    having count(*) > 0
"""

_CLOSED = """
    with closed as materialized (
        select conversation_id, created_at, coalesce(actor_user_id::text, '') as who
        from conversation_events
        where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s and kind = 'closed'
    ), waited as (
        select who, extract(epoch from c.created_at - began.at)::bigint as waited
        from closed c
        left join lateral (
            select max(e.created_at) as at from conversation_events e
            where e.tenant_id = %(tenant)s and e.conversation_id = c.conversation_id
                and e.kind = 'closed' and e.created_at < c.created_at
        ) last_closed on true
        left join lateral (
            select min(m.occurred_at) as at from messages m
            where m.tenant_id = %(tenant)s and m.conversation_id = c.conversation_id
                and m.origin = 'contact' and m.id >= %(floor)s and m.id < %(end)s
                and m.occurred_at < c.created_at
                and m.occurred_at > coalesce(last_closed.at, %(floor_at)s)
        ) began on true
    )
    select 'conversations.closed', who, count(*) from closed group by who
    union all
    select 'people.resolution', who || ':' || ({seconds}), count(*) from waited
    where waited is not null group by 2
"""

# A wait begins with the first message that nobody answered and ends with any answer; whose answer was a
# person's is counted for them. A campaign's message answers nobody.
_ANSWERS = """
    with replies as materialized (
        select conversation_id, author_id, occurred_at
        from messages
        where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s and direction = 'outbound'
            and origin = 'inbox' and author_id is not null and status not in ('failed', 'cancelled')
    ), framed as (
        select r.*, opened.at as opened_at, opened.at is not null and not exists (
                select from messages m where m.tenant_id = %(tenant)s
                    and m.conversation_id = r.conversation_id and m.origin = 'inbox'
                    and m.author_id is not null and m.status not in ('failed', 'cancelled')
                    and m.id >= %(floor)s and m.id < %(end)s
                    and m.occurred_at > opened.at and m.occurred_at < r.occurred_at
            ) as is_first, waiting.at as waiting_since
        from replies r
        left join lateral (
            select max(e.created_at) as at from conversation_events e
            where e.tenant_id = %(tenant)s and e.conversation_id = r.conversation_id
                and e.kind = 'closed' and e.created_at < r.occurred_at
        ) last_closed on true
        left join lateral (
            select min(m.occurred_at) as at from messages m
            where m.tenant_id = %(tenant)s and m.conversation_id = r.conversation_id
                and m.origin = 'contact' and m.id >= %(floor)s and m.id < %(end)s
                and m.occurred_at < r.occurred_at
                and m.occurred_at > coalesce(last_closed.at, %(floor_at)s)
        ) opened on true
        left join lateral (
            select max(m.occurred_at) as at from messages m
            where m.tenant_id = %(tenant)s and m.conversation_id = r.conversation_id
                and m.direction = 'outbound' and m.origin <> 'campaign'
                and m.status not in ('failed', 'cancelled')
                and m.id >= %(floor)s and m.id < %(end)s and m.occurred_at < r.occurred_at
        ) answered on true
        left join lateral (
            select min(m.occurred_at) as at from messages m
            where m.tenant_id = %(tenant)s and m.conversation_id = r.conversation_id
                and m.origin = 'contact' and m.id >= %(floor)s and m.id < %(end)s
                and m.occurred_at < r.occurred_at
                and m.occurred_at > coalesce(answered.at, %(floor_at)s)
        ) waiting on true
    ), waits as (
        select 'people.first_response' as metric, author_id,
            extract(epoch from occurred_at - opened_at)::bigint as waited
        from framed where is_first
        union all
        select 'people.answer', author_id, extract(epoch from occurred_at - waiting_since)::bigint
        from framed where waiting_since is not null
    )
    select metric, author_id::text || ':' || ({seconds}), count(*) from waits group by 1, 2
"""

_RUNS = """
    select 'automation.runs', workflow_id::text || ':' || status, count(*) from executions
    where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s and mode = 'live'
    group by workflow_id, status
"""

_AGENTS = """
    with turns as materialized (
        select agent_id::text as agent, count(*) as turns, sum(tokens_in + tokens_out) as tokens,
            sum(cost_micros) as cost, count(*) filter (where outcome = 'handed_over') as handed_over
        from agent_turns
        where tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s
        group by agent_id
    )
    select metric, agent, value from turns cross join lateral (values
        ('ai.turns', turns), ('ai.tokens', tokens), ('ai.cost_micros', cost),
        ('ai.handed_over', handed_over)
    ) as one (metric, value) where value <> 0
"""

_CAMPAIGNS = """
    select 'campaigns.recipients', r.campaign_id::text || ':' || r.state, count(*)
    from campaigns c
    join campaign_recipients r on r.tenant_id = c.tenant_id and r.campaign_id = c.id
    where c.tenant_id = %(tenant)s and c.id < %(end)s and c.launched_at is not null
        and (c.finished_at is null or c.finished_at >= %(day)s::date - 1)
        and r.message_id >= %(first)s and r.message_id < %(end)s
    group by r.campaign_id, r.state
"""

_IS_THERE = """
    select exists (select from messages where {day}) or exists (select from executions where {day})
        or exists (select from conversation_events where {day})
        or exists (select from agent_turns where {day})
""".replace("{day}", "tenant_id = %(tenant)s and id >= %(first)s and id < %(end)s")

_PARTS = (_MESSAGES, _OPENED, _CLOSED, _ANSWERS, _RUNS, _AGENTS, _CAMPAIGNS)
_WRITE = "insert into tenant_daily_metrics (tenant_id, metric, key, value, day)"


def count(ctx: Context, day: date, zone: ZoneInfo) -> int:
    """Replace the figures of a day; return how many there are."""
    first, end = days.bounds(day, zone)
    floor_at = datetime.combine(day, time(), tzinfo=zone) - SILENCE
    known = {
        "tenant": ctx.tenant_id,
        "first": first,
        "end": end,
        "day": day,
        "floor": first_id_at(floor_at),
        "floor_at": floor_at,
    }
    cursor = ctx.cursor()
    cursor.execute(
        "delete from tenant_daily_metrics where tenant_id = %s and day = %s and metric = any(%s)",
        (ctx.tenant_id, day, [str(one) for one in Metric]),
    )
    if cursor.execute(_IS_THERE.encode(), known).fetchone() == (False,):
        return 0
    written = 0
    for part in _PARTS:
        figures = part.replace("{seconds}", _SECONDS)
        statement = (
            f"{_WRITE} select %(tenant)s, metric, key, value, %(day)s"  # noqa: S608 - our own words
            f" from ({figures}) as figures (metric, key, value)"
        )
        written += cursor.execute(statement.encode(), known).rowcount
    return written

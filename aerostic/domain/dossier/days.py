"""How many messages went to and fro on each day of a contact."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aerostic.core.tenancy import Context

MOST = 20_000  # messages that are counted: the latest

# A day is one of the workspace's time zone, and stands in the timeline where its last message came.
_DAYS = """
    select max(last.id::text)::uuid, max(last.occurred_at),
           count(*) filter (where last.direction = 'inbound'),
           count(*) filter (where last.direction = 'outbound'
               and last.status not in ('queued', 'sending', 'failed', 'cancelled', 'unknown')),
           count(distinct last.conversation_id),
           min(last.conversation_id::text)::uuid
    from (
        select id, occurred_at, direction, status, conversation_id from messages
        where tenant_id = %(tenant)s and type <> 'reaction' and conversation_id in (
            select id from conversations where tenant_id = %(tenant)s and contact_id = %(contact)s)
        order by occurred_at desc limit %(most)s
    ) last
    group by (last.occurred_at at time zone (select time_zone from tenants where id = %(tenant)s))::date
    having %(before)s::uuid is null or max(last.id::text) < %(before)s::text
    order by 1 desc limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Day:
    """`conversation_id`: where they all stand, if it is one conversation. What is not known to have left
    does not count as sent."""

    last_id: UUID
    last_at: datetime
    received: int
    sent: int
    conversation_id: UUID | None

    @property
    def sentence(self) -> str:
        """`3 messages received, 1 sent.`"""
        if not self.received and not self.sent:
            return "Nothing received, and nothing sent yet."
        if not self.sent:
            return f"{_messages(self.received)} received."
        if not self.received:
            return f"{_messages(self.sent)} sent."
        return f"{_messages(self.received)} received, {self.sent:,} sent."


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count:,} messages"


def of(ctx: Context, contact_id: UUID, before: UUID | None, limit: int) -> list[Day]:
    """The latest days with messages, or those before a place in the timeline."""
    given = {"tenant": ctx.tenant_id, "contact": contact_id, "before": before}
    rows = ctx.cursor().execute(_DAYS, given | {"most": MOST, "limit": limit}).fetchall()
    return [
        Day(last_id, last_at, received, sent, conversation_id if conversations == 1 else None)
        for last_id, last_at, received, sent, conversations, conversation_id in rows
    ]

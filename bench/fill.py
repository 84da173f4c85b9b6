"""A workspace with very many conversations and messages: for measurements, and for tests of query plans."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from aerostic.core.ids import first_id_at, new_id
from aerostic.core.tenancy import Context

BATCH = 10_000
SPAN = timedelta(days=20)

_CONTACTS = """
    insert into contacts (tenant_id, id, name, profile_name, sort_name, attributes, is_blocked, revision,
        created_at, updated_at, last_activity_at)
    select %(tenant)s, id, 'Person ' || id, '', 'person ' || id, '{}', false, 0, now(), now(), now()
    from unnest(%(ids)s::uuid[]) id
"""
_CONVERSATIONS = """
    insert into conversations (tenant_id, id, contact_id, number_id, status, assignee_id, unread_count,
        last_message_at, last_message_preview, last_message_direction, last_message_status, created_at)
    select %(tenant)s, id, id, %(number)s,
        (array['open', 'closed', 'closed', 'closed', 'snoozed'])[1 + mod(place, 5)],
        (%(agents)s::uuid[])[1 + mod(place, %(choices)s)],
        case when mod(place, 50) = 0 then 3 else 0 end,
        at, 'Hello', 'inbound', 'received', now()
    from unnest(%(ids)s::uuid[], %(moments)s::timestamptz[]) with ordinality as row (id, at, place)
"""
_MESSAGES = """
    insert into messages (tenant_id, id, conversation_id, contact_id, number_id, direction, type, text,
        search_text, content, status, origin, reactions, occurred_at, position, created_at)
    select %(tenant)s, id, conversation, conversation, %(number)s, 'inbound', 'text', words, words,
        '{}', 'received', 'contact', '{}', at, 0, at
    from unnest(%(ids)s::uuid[], %(conversations)s::uuid[], %(moments)s::timestamptz[], %(texts)s::text[])
        as row (id, conversation, at, words)
"""
_WORDS = ["order", "table", "tomorrow", "thanks", "delivery", "coffee", "invoice", "please", "open"]


def conversations(
    ctx: Context, number_id: UUID, count: int, *, agents: Sequence[UUID], until: datetime
) -> list[UUID]:
    """So many conversations, their last activity spread evenly over `SPAN`. Every third is nobody's."""
    made = []
    for moments in _spread(count, until):
        ids = [_id_at(moment) for moment in moments]
        given = {
            "tenant": ctx.tenant_id,
            "number": number_id,
            "ids": ids,
            "moments": moments,
            "agents": [*agents, *[None] * len(agents)],
            "choices": len(agents) * 3 // 2,
        }
        ctx.cursor().execute(_CONTACTS, given)
        ctx.cursor().execute(_CONVERSATIONS, given)
        made += ids
    return made


def messages(
    ctx: Context, number_id: UUID, count: int, *, among: Sequence[UUID], until: datetime
) -> None:
    """So many messages, dealt out among the conversations in turn."""
    place = 0
    for moments in _spread(count, until):
        given = {
            "tenant": ctx.tenant_id,
            "number": number_id,
            "ids": [_id_at(moment) for moment in moments],
            "conversations": [among[(place + one) % len(among)] for one in range(len(moments))],
            "moments": moments,
            "texts": [" ".join(random.choices(_WORDS, k=12)) for _ in moments],
        }
        ctx.cursor().execute(_MESSAGES, given)
        place += len(moments)


def labels(ctx: Context, among: Sequence[UUID]) -> tuple[UUID, UUID]:
    """Two labels: one on twenty conversations, one on a tenth of them."""
    rare, common = new_id(), new_id()
    label = "insert into labels (tenant_id, id, name, colour, created_at) values (%s, %s, %s, 'gray', now())"
    attach = """
        insert into conversation_labels (tenant_id, label_id, conversation_id)
        select %s, %s, id from unnest(%s::uuid[]) id
    """
    for label_id, name, ids in (
        (rare, "rare", random.sample(among, 20)),
        (common, "common", random.sample(among, len(among) // 10)),
    ):
        ctx.cursor().execute(label, (ctx.tenant_id, label_id, name))
        ctx.cursor().execute(attach, (ctx.tenant_id, label_id, list(ids)))
    return rare, common


def tag_of_the_oldest(ctx: Context, count: int) -> UUID:
    """A tag on those contacts who stirred longest ago: at the far end of the list."""
    tag = new_id()
    ctx.cursor().execute(
        "insert into tags (tenant_id, id, name, colour, created_at) values (%s, %s, 'old', 'gray', now())",
        (ctx.tenant_id, tag),
    )
    ctx.cursor().execute(
        "insert into contact_tags (tenant_id, tag_id, contact_id) select tenant_id, %s, id from contacts "
        "where tenant_id = %s order by last_activity_at limit %s",
        (tag, ctx.tenant_id, count),
    )
    return tag


def _spread(count: int, until: datetime) -> Iterator[list[datetime]]:
    step = SPAN / count
    for first in range(0, count, BATCH):
        last = min(count, first + BATCH)
        yield [until - SPAN + step * place for place in range(first, last)]


def _id_at(moment: datetime) -> UUID:
    return UUID(int=first_id_at(moment).int | random.getrandbits(62))

"""Reactions as a message keeps them: one of the contact and one of ours, as WhatsApp has it.

`{"contact": {"emoji": "👍"}, "us": {"emoji": "❤️", "user_id": "…"}}`. Ours has no user when it was given on
the phone. A new one of the same side takes the place of the old; an empty emoji takes it away.

Ours is shown as soon as it is queued. The row that leaves keeps under `before` what was shown until then, and
where its sending fails that is shown again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from psycopg.types.json import Jsonb

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context

CONTACT = "contact"
US = "us"
BEFORE = "before"  # in the content of a reaction that leaves: what of ours was shown until then

# Takes `tenant`, `ids` (messages that have just failed or were cancelled), `now`. What is no reaction among
# them is passed over. Shown again is what stood before the oldest of ours that failed in a row; what was
# given meanwhile, by a colleague or on the phone, stays. Answers what is to be told in which conversation.
UNDO = """
    with failed as (
        select m.conversation_id, m.content #>> '{reaction,message_id}' as wamid,
               max(m.failure ->> 'reason') as reason
        from messages m
        where m.tenant_id = %(tenant)s and m.id = any(%(ids)s) and m.type = 'reaction'
          and m.direction = 'outbound'
        group by 1, 2),
    ours as (
        select k.message_id as target, failed.reason, m.id, m.author_id, m.conversation_id,
               m.content #>> '{reaction,emoji}' as emoji, m.content -> 'before' as before,
               m.status in ('failed', 'cancelled') as is_lost
        from failed
        join message_keys k on k.tenant_id = %(tenant)s and k.key = failed.wamid
        join messages m on m.tenant_id = %(tenant)s and m.conversation_id = failed.conversation_id
         and m.type = 'reaction' and m.direction = 'outbound'
         and m.content #>> '{reaction,message_id}' = failed.wamid),
    newest as (select distinct on (target) * from ours order by target, id desc),
    oldest as (
        select distinct on (target) * from ours
        where is_lost and not exists (
            select from ours kept where kept.target = ours.target and not kept.is_lost and kept.id > ours.id)
        order by target, id),
    restored as (
        update messages m
        set reactions = (m.reactions - 'us') || case
            when jsonb_typeof(oldest.before) = 'object' then jsonb_build_object('us', oldest.before)
            else '{}' end
        from newest join oldest on oldest.target = newest.target
        where m.tenant_id = %(tenant)s and m.id = newest.target and newest.is_lost
          and coalesce(m.reactions #>> '{us,emoji}', '') = newest.emoji
          and (m.reactions #>> '{us,user_id}') is not distinct from
              case when newest.emoji = '' then null else newest.author_id::text end
        returning m.id)
    select newest.conversation_id, newest.emoji, newest.reason
    from newest join restored on restored.id = newest.target
"""
TELL = """
    insert into conversation_events
        (tenant_id, id, conversation_id, kind, actor_name, text, details, created_at)
    values (%s, %s, %s, 'reaction_lost', '', '', %s, %s)
"""


def with_reaction(
    reactions: Mapping[str, Any], who: str, emoji: str, user_id: UUID | None = None
) -> dict[str, Any]:
    """The reactions after `who` (`CONTACT` or `US`) reacted."""
    others = {side: given for side, given in reactions.items() if side != who}
    if not emoji:
        return others
    given = {"emoji": emoji} | ({"user_id": str(user_id)} if user_id else {})
    return others | {who: given}


def undo(ctx: Context, ids: Collection[UUID]) -> None:
    """Of messages that have just failed, take back the reactions, and say so in their threads."""
    cursor = ctx.cursor()
    lost = cursor.execute(UNDO, {"tenant": ctx.tenant_id, "ids": sorted(ids)}).fetchall()
    for row in lost:
        cursor.execute(TELL, loss(ctx.tenant_id, cast(Loss, row), ctx.now))


Loss = tuple[UUID, str, str | None]  # the conversation, the emoji ("" took one back), the reason


def loss(tenant_id: UUID, lost: Loss, now: datetime) -> tuple[Any, ...]:
    """What `TELL` writes of a row that `UNDO` answered."""
    conversation_id, emoji, reason = lost
    details = Jsonb({"emoji": emoji, "reason": reason or ""})
    return (tenant_id, new_id(), conversation_id, details, now)

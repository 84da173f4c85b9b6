"""Two contacts turn out to be one person: everything of the younger goes to the older."""

from typing import Any, cast
from uuid import UUID

from psycopg import Cursor

from aerostic.core.tenancy import Context
from aerostic.domain.contacts import history
from aerostic.domain.contacts.schemas import EventKind

_MOVE = (
    "update contact_identities set contact_id = %(kept)s"
    " where tenant_id = %(tenant)s and contact_id = %(gone)s",
    "insert into contact_tags (tenant_id, tag_id, contact_id)"
    " select tenant_id, tag_id, %(kept)s from contact_tags"
    " where tenant_id = %(tenant)s and contact_id = %(gone)s on conflict do nothing",
    "delete from contact_tags where tenant_id = %(tenant)s and contact_id = %(gone)s",
    "insert into list_members (tenant_id, list_id, contact_id, row_number, cells)"
    " select tenant_id, list_id, %(kept)s, row_number, cells from list_members"
    " where tenant_id = %(tenant)s and contact_id = %(gone)s on conflict do nothing",
    "delete from list_members where tenant_id = %(tenant)s and contact_id = %(gone)s",
    "insert into contact_words (tenant_id, word, contact_id)"
    " select tenant_id, word, %(kept)s from contact_words"
    " where tenant_id = %(tenant)s and contact_id = %(gone)s on conflict do nothing",
    "delete from contact_words where tenant_id = %(tenant)s and contact_id = %(gone)s",
    "update contact_events set contact_id = %(kept)s"
    " where tenant_id = %(tenant)s and contact_id = %(gone)s",
    """update contacts k set
           name = case when k.name = '' then g.name else k.name end,
           profile_name = case when k.profile_name = '' then g.profile_name else k.profile_name end,
           phone = coalesce(k.phone, g.phone),
           email = coalesce(k.email, g.email),
           language = coalesce(k.language, g.language),
           country = coalesce(k.country, g.country),
           attributes = g.attributes || k.attributes,
           is_blocked = k.is_blocked or g.is_blocked,
           marketing_stopped_at = coalesce(k.marketing_stopped_at, g.marketing_stopped_at),
           marketing_agreed_at = case
               when coalesce(k.marketing_stopped_at, g.marketing_stopped_at) is null
               then coalesce(k.marketing_agreed_at, g.marketing_agreed_at) end,
           last_activity_at = greatest(k.last_activity_at, g.last_activity_at),
           last_inbound_at = greatest(k.last_inbound_at, g.last_inbound_at),
           revision = k.revision + 1
       from contacts g
       where k.tenant_id = %(tenant)s and k.id = %(kept)s
         and g.tenant_id = %(tenant)s and g.id = %(gone)s""",
    "update contacts set merged_into_id = %(kept)s, phone = null, revision = revision + 1"
    " where tenant_id = %(tenant)s and id = %(gone)s",
)

# What agents remember of both, the older first; of values under a name, this one's stays.
_MEMORY = (
    """insert into agent_memories as k (tenant_id, agent_id, key, conversation_id, said, updated_at)
       select tenant_id, agent_id, %(new)s, coalesce(%(into)s, conversation_id), said, updated_at
       from agent_memories where tenant_id = %(tenant)s and key = %(old)s
       on conflict (tenant_id, agent_id, key) do update set
           said = case when excluded.updated_at > k.updated_at
               then k.said || excluded.said else excluded.said || k.said end,
           updated_at = greatest(k.updated_at, excluded.updated_at)""",
    "delete from agent_memories where tenant_id = %(tenant)s and key = %(old)s",
)
_VALUES = (
    "insert into stored_values (tenant_id, owner, name, value, updated_at)"
    " select tenant_id, %(new)s, name, value, updated_at from stored_values"
    " where tenant_id = %(tenant)s and owner = %(old)s on conflict do nothing",
    "delete from stored_values where tenant_id = %(tenant)s and owner = %(old)s",
)

# Conversations of both on one number become one; the others only change hands.
_TWINS = """
    select k.id, g.id from conversations g
    join conversations k
      on k.tenant_id = g.tenant_id and k.number_id = g.number_id and k.contact_id = %(kept)s
    where g.tenant_id = %(tenant)s and g.contact_id = %(gone)s
"""
_MOVE_THREAD = (
    "update messages set conversation_id = %(into)s, contact_id = %(kept)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s",
    "update message_keys k set conversation_id = %(into)s from messages m"
    " where m.tenant_id = %(tenant)s and m.conversation_id = %(into)s"
    " and k.tenant_id = %(tenant)s and k.message_id = m.id and k.key = m.meta_message_id",
    "update conversation_events set conversation_id = %(into)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s",
    "update outbox set conversation_id = %(into)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s",
    "update media set conversation_id = %(into)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s",
    "insert into conversation_labels (tenant_id, label_id, conversation_id)"
    " select tenant_id, label_id, %(into)s from conversation_labels"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s on conflict do nothing",
    """update conversations k set
           unread_count = k.unread_count + g.unread_count,
           status = case when 'open' in (k.status, g.status) then 'open' else k.status end,
           assignee_id = coalesce(k.assignee_id, g.assignee_id),
           last_message_at = greatest(k.last_message_at, g.last_message_at),
           last_message_id = case when g.last_message_at > k.last_message_at
               then g.last_message_id else k.last_message_id end,
           last_message_preview = case when g.last_message_at > k.last_message_at
               then g.last_message_preview else k.last_message_preview end,
           last_message_direction = case when g.last_message_at > k.last_message_at
               then g.last_message_direction else k.last_message_direction end,
           last_message_status = case when g.last_message_at > k.last_message_at
               then g.last_message_status else k.last_message_status end,
           last_inbound_at = greatest(k.last_inbound_at, g.last_inbound_at),
           last_inbound_meta_id = case
               when k.last_inbound_at is null or g.last_inbound_at > k.last_inbound_at
               then g.last_inbound_meta_id else k.last_inbound_meta_id end,
           window_closes_at = greatest(k.window_closes_at, g.window_closes_at),
           free_entry_until = greatest(k.free_entry_until, g.free_entry_until)
       from conversations g
       where k.tenant_id = %(tenant)s and k.id = %(into)s
         and g.tenant_id = %(tenant)s and g.id = %(from)s""",
    "update agent_memories set conversation_id = %(into)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s",
    "update agent_turns set conversation_id = %(into)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s",
    # A question that was asked there is answered here.
    "update executions set conversation_id = %(into)s, contact_id = %(kept)s"
    " where tenant_id = %(tenant)s and conversation_id = %(from)s and status = 'waiting'",
    "delete from conversation_labels where tenant_id = %(tenant)s and conversation_id = %(from)s",
    "delete from conversations where tenant_id = %(tenant)s and id = %(from)s",
)


def join(ctx: Context, *, kept: UUID, gone: UUID, name: str = "") -> None:
    """Make `gone` a part of `kept`: names, tags, conversations, messages. `gone` stays as a pointer."""
    cursor = ctx.cursor()
    both = {"tenant": ctx.tenant_id, "kept": kept, "gone": gone}
    for into, out_of in cursor.execute(_TWINS, both).fetchall():
        for statement in _MOVE_THREAD:
            cursor.execute(statement, {**both, "into": into, "from": out_of})
        _join_memories(cursor, both, f"conversation:{out_of}", f"conversation:{into}", into=into)
        ctx.announce("conversation", into)
    cursor.execute(
        "update messages m set contact_id = %(kept)s from conversations c"
        " where c.tenant_id = %(tenant)s and c.contact_id = %(gone)s"
        " and m.tenant_id = %(tenant)s and m.conversation_id = c.id",
        both,
    )
    cursor.execute(
        "update conversations set contact_id = %(kept)s"
        " where tenant_id = %(tenant)s and contact_id = %(gone)s",
        both,
    )
    for statement in _MOVE:
        cursor.execute(cast(Any, statement), both)
    _join_memories(cursor, both, f"contact:{gone}", f"contact:{kept}")
    for statement in _VALUES:
        cursor.execute(statement, {**both, "old": f"contact:{gone}", "new": f"contact:{kept}"})
    history.note(ctx, kept, EventKind.MERGED, merged_id=str(gone), name=name)
    ctx.announce("contact", kept)
    ctx.announce("contact", gone)


def _join_memories(
    cursor: Cursor[Any], both: dict[str, Any], old: str, new: str, *, into: UUID | None = None
) -> None:
    for statement in _MEMORY:
        cursor.execute(cast(Any, statement), {**both, "old": old, "new": new, "into": into})

"""Taking everything out of the tables, and off the disk, that says who a contact is or what was said."""

from typing import Any, cast
from uuid import UUID

from psycopg import Cursor

from aerostic.core.tenancy import Context
from aerostic.domain.contacts import history
from aerostic.domain.contacts.schemas import EventKind
from aerostic.domain.deliveries import redacting
from aerostic.domain.inbox import erased, outbox
from aerostic.domain.media import storage

NAME = "Erased contact"

# A contact may be several rows: those that were merged into it still hold what they said.
_ROWS = """
    with recursive one as (
        select id from contacts where tenant_id = %(tenant)s and id = %(contact)s
        union
        select c.id from contacts c join one on c.tenant_id = %(tenant)s and c.merged_into_id = one.id
    ) select id from one
"""
_CONVERSATIONS = (
    "select id from conversations where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)"
)
_NUMBERS = """
    select value from contact_identities
    where tenant_id = %(tenant)s and contact_id = any(%(contacts)s) and kind = 'phone'
"""
_IDENTITIES = """
    select value from contact_identities
    where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)
"""
_WAMIDS = """
    select meta_message_id from messages
    where tenant_id = %(tenant)s and conversation_id = any(%(conversations)s)
      and meta_message_id is not null
"""
_SINCE = (
    "select min(created_at) from contacts where tenant_id = %(tenant)s and id = any(%(contacts)s)"
)
_FILES = """
    delete from media f where f.tenant_id = %(tenant)s and (
        f.conversation_id = any(%(conversations)s)
        or f.id in (
            select media_id from messages
            where tenant_id = %(tenant)s and conversation_id = any(%(conversations)s)))
        and not exists (
            select 1 from messages m where m.tenant_id = %(tenant)s and m.media_id = f.id
            and m.conversation_id <> all(%(conversations)s))
        -- The picture of a campaign that they tested is the workspace's, not theirs.
        and not exists (
            select 1 from campaigns c where c.tenant_id = %(tenant)s
            and strpos(c.variants::text, f.id::text) > 0)
        and not exists (
            select 1 from templates t where t.tenant_id = %(tenant)s
            and strpos(concat(t.components, t.draft, t.files), f.id::text) > 0)
    returning f.storage_key
"""
_STILL_USED = """
    select storage_key from media where tenant_id = %(tenant)s and storage_key = any(%(keys)s)
"""
_MESSAGES = (
    "delete from parked_events p using messages m where p.tenant_id = %(tenant)s"
    " and m.tenant_id = %(tenant)s and m.conversation_id = any(%(conversations)s)"
    " and p.meta_message_id = m.meta_message_id",
    "delete from outbox where tenant_id = %(tenant)s and conversation_id = any(%(conversations)s)"
    " and state = 'queued'",
    "update message_events e set details = '{}' from messages m where e.tenant_id = %(tenant)s"
    " and m.tenant_id = %(tenant)s and m.conversation_id = any(%(conversations)s)"
    " and e.message_id = m.id",
    """update messages set text = '', search_text = '', content = '{}', reactions = '{}', media_id = null,
           meta_message_id = null, reply_to_meta_id = null,
           revoked_at = coalesce(revoked_at, %(now)s),
           status = case when status = 'queued' then 'cancelled' else status end
       where tenant_id = %(tenant)s and conversation_id = any(%(conversations)s)""",
    """update conversations set last_message_preview = '', last_inbound_meta_id = null, unread_count = 0,
           last_message_status = case when last_message_status = 'queued' then 'cancelled'
               else last_message_status end,
           window_closes_at = null, free_entry_until = null, status = 'closed', snoozed_until = null,
           closed_at = coalesce(closed_at, %(now)s)
       where tenant_id = %(tenant)s and id = any(%(conversations)s)""",
    """update conversation_events set text = 'This note was erased with the contact.', details = '{}'
       where tenant_id = %(tenant)s and conversation_id = any(%(conversations)s) and kind = 'note'""",
)
_AGENTS = (
    """delete from agent_memories where tenant_id = %(tenant)s
         and (conversation_id = any(%(conversations)s) or key = any(%(owners)s))""",
    """update agent_turns set question = '', answer = '', calls = '[]'
       where tenant_id = %(tenant)s and conversation_id = any(%(conversations)s)""",
    "delete from stored_values where tenant_id = %(tenant)s and owner = any(%(owners)s)",
)
_PERSON = (
    "delete from contact_identities where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    "delete from contact_tags where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    "delete from contact_words where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    "delete from contact_events where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    "delete from list_members where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    # That they were a recipient stays, so that a campaign's figures add up; what their row said does not.
    """update campaign_recipients set cells = null,
           state = case when due_at is null then state else 'skipped' end,
           reason = case when due_at is null then reason else 'erased' end, due_at = null
       where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)""",
    "delete from delivery_troubles where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    # What a program was answered about them is kept for a day to be repeated.
    "delete from webhook_dispatches where tenant_id = %(tenant)s and contact_id = any(%(contacts)s)",
    """delete from idempotency_keys where tenant_id = %(tenant)s
         and body::text ~ any(%(mentions)s)""",
    """update import_refusals set cells = '{}', reason = 'This row was erased with its contact.'
       where tenant_id = %(tenant)s and exists (
           select 1 from unnest(cells) cell, unnest(%(numbers)s::text[]) number
           where regexp_replace(cell, '\\D', '', 'g') like '%%' || right(number, 9))""",
    """update contacts set name = %(name)s, profile_name = '', sort_name = %(sort_name)s, phone = null,
           email = null, language = null, country = null, attributes = '{}', erased_at = %(now)s,
           updated_at = %(now)s, revision = revision + 1
       where tenant_id = %(tenant)s and id = any(%(contacts)s)""",
)


def erase(ctx: Context, contact_id: UUID) -> None:
    """Empty every row about the contact and delete its files. The caller has locked the contact."""
    cursor = ctx.cursor()
    found: dict[str, Any] = {"tenant": ctx.tenant_id, "now": ctx.now, "contact": contact_id}
    found |= {"name": NAME, "sort_name": NAME.lower()}
    found["contacts"] = _column(cursor, _ROWS, found)
    for one in found["contacts"]:
        outbox.withdraw(ctx, one)
    found["conversations"] = _column(cursor, _CONVERSATIONS, found)
    found["numbers"] = _column(cursor, _NUMBERS, found)
    found["owners"] = [f"contact:{one}" for one in found["contacts"]]
    found["mentions"] = [str(one) for one in (*found["contacts"], *found["conversations"])]
    wamids = _column(cursor, _WAMIDS, found)
    known_by = [*_column(cursor, _IDENTITIES, found), *wamids]
    redacting.ask(ctx, known_by, since=_column(cursor, _SINCE, found)[0])
    erased.forget(ctx, wamids)
    files = {key for key in _column(cursor, _FILES, found) if key}
    for statement in (*_MESSAGES, *_AGENTS, *_PERSON):
        cursor.execute(cast(Any, statement), found)
    history.note(ctx, contact_id, EventKind.ERASED)
    for conversation_id in found["conversations"]:
        ctx.announce("conversation", conversation_id)
    ctx.announce("contact", contact_id)
    _delete_files(ctx, cursor, files)


def _delete_files(ctx: Context, cursor: Cursor[Any], keys: set[str]) -> None:
    """Last, before the commit: a crash in between leaves rows to erase again, never files without rows."""
    parameters = {"tenant": ctx.tenant_id, "keys": sorted(keys)}
    used = set(_column(cursor, _STILL_USED, parameters)) if keys else set()
    for key in keys - used:
        storage.path_of(key).unlink(missing_ok=True)


def _column(cursor: Cursor[Any], statement: str, parameters: dict[str, Any]) -> list[Any]:
    return [row[0] for row in cursor.execute(cast(Any, statement), parameters).fetchall()]

"""What happened to a contact, as rows and as sentences."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import ContactEvent
from aerostic.domain.contacts.schemas import EventKind

_FIELD_NAMES = {
    "name": "the name",
    "phone": "the phone number",
    "email": "the e-mail address",
    "language": "the language",
    "country": "the country",
}


def note(ctx: Context, contact_id: UUID, kind: EventKind, **details: Any) -> None:
    """Write one line of the contact's timeline."""
    note_many(ctx, [contact_id], kind, **details)


def note_many(ctx: Context, contact_ids: Iterable[UUID], kind: EventKind, **details: Any) -> None:
    """Write the same line for many contacts in one statement."""
    rows = [
        {
            "tenant_id": ctx.tenant_id,
            "id": new_id(),
            "contact_id": contact_id,
            "kind": kind,
            "actor_user_id": ctx.actor.user_id,
            "actor_name": ctx.actor.name,
            "details": details,
            "created_at": ctx.now,
        }
        for contact_id in contact_ids
    ]
    if rows:
        ctx.session.execute(insert(ContactEvent), rows)


def sentence(kind: str, details: Mapping[str, Any]) -> str:
    """What happened, as it follows the name of who did it: `added the tag “VIP”`."""
    match kind:
        case EventKind.CREATED:
            return "created this contact"
        case EventKind.IMPORTED:
            verb = "added" if details.get("created") else "updated"
            return f"{verb} this contact by importing {details.get('file_name', 'a file')}"
        case EventKind.EDITED:
            return f"changed {_listed(details.get('fields', []))}"
        case EventKind.TAGGED:
            return f"added the tag “{details.get('tag', '')}”"
        case EventKind.UNTAGGED:
            return f"removed the tag “{details.get('tag', '')}”"
        case EventKind.MERGED:
            return f"merged {details.get('name') or 'another contact'} into this contact"
        case EventKind.BLOCKED:
            return "blocked this contact"
        case EventKind.UNBLOCKED:
            return "unblocked this contact"
        case EventKind.MARKETING_STOPPED if details.get("word"):
            return f"wrote “{details['word']}” and get no marketing messages any more"
        case EventKind.MARKETING_RESUMED if details.get("word"):
            return f"wrote “{details['word']}” and get marketing messages again"
        case EventKind.MARKETING_STOPPED:
            return "told us that this person wants no marketing messages"
        case EventKind.MARKETING_RESUMED:
            return "told us that this person wants marketing messages again"
        case EventKind.ERASED:
            return "erased the personal data of this contact"
        case _:
            return kind.replace("_", " ")


def _listed(fields: list[str]) -> str:
    names = [_FIELD_NAMES.get(field, f"“{field}”") for field in fields] or ["this contact"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

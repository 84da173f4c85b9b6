"""What templates see: the person, the conversation, the message, and what the run has found out."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from aerostic.core.tenancy import Context
from aerostic.domain.inbox import content

MASK = "•••"
# A word of a name that tells that its value opens something.
_SECRET = re.compile(
    r"(^|[-_])(authorization|authorisation|cookie|token|secret|signature|password|passwd|api[-_]?key"
    r"|bearer|hmac)([-_]|$)|^x-.*-key$",
    re.IGNORECASE,
)

# Everything around some runs in one look. Whom a contact was joined with is found by the conversation.
AROUND = """
    select w.id, t.name, c.id, coalesce(nullif(c.name, ''), c.profile_name), c.phone, c.email, c.language,
        c.country, c.attributes,
        array(select g.name from contact_tags ct join tags g on g.tenant_id = ct.tenant_id
            and g.id = ct.tag_id where ct.tenant_id = t.id and ct.contact_id = c.id order by g.name),
        v.id, v.status, u.name,
        array(select l.name from conversation_labels cl join labels l on l.tenant_id = cl.tenant_id
            and l.id = cl.label_id where cl.tenant_id = t.id and cl.conversation_id = v.id order by l.name),
        n.id, n.display_phone_number, n.verified_name
    from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[])
        as w (id, conversation_id, contact_id, number_id)
    join tenants t on t.id = %s
    left join conversations v on v.tenant_id = t.id and v.id = w.conversation_id
    left join contacts c on c.tenant_id = t.id and c.id = coalesce(v.contact_id, w.contact_id)
    left join phone_numbers n on n.tenant_id = t.id and n.id = coalesce(v.number_id, w.number_id)
    left join users u on u.id = v.assignee_id
"""


def around(row: tuple[Any, ...]) -> dict[str, Any]:
    """The parts of a scope that a row of `AROUND` tells."""
    parts: dict[str, Any] = {"workspace": {"name": row[0]}}
    if row[1] is not None:
        parts["contact"] = {
            "id": str(row[1]),
            "name": row[2] or "",
            "phone": f"+{row[3]}" if row[3] else "",
            "email": row[4] or "",
            "language": row[5] or "",
            "country": row[6] or "",
            "attributes": row[7] or {},
            "tags": list(row[8]),
        }
    if row[9] is not None:
        parts["conversation"] = {
            "id": str(row[9]),
            "status": row[10],
            "assignee": row[11] or "",
            "labels": list(row[12]),
        }
    if row[13] is not None:
        parts["number"] = {"id": str(row[13]), "phone": row[14], "name": row[15]}
    return parts


def look_around(
    ctx: Context, conversation_id: UUID | None, contact_id: UUID | None, number_id: UUID | None
) -> dict[str, Any]:
    """The same for one run, inside a transaction."""
    cursor = ctx.cursor()
    about = ([ctx.tenant_id], [conversation_id], [contact_id], [number_id], ctx.tenant_id)
    cursor.execute(AROUND, about, prepare=True)
    row = cursor.fetchone()
    return around(row[1:]) if row else {}


def message(
    message_id: UUID, kind: str, text: str, stored: Mapping[str, Any], media_id: UUID | None
) -> dict[str, Any]:
    """A message that came in, as templates and triggers see it."""
    read = content.read(kind, stored)
    referral = stored.get("referral")
    return {
        "id": str(message_id),
        "type": kind,
        "text": text,
        "body": text,
        "choice_id": read.chosen.id if read.chosen else "",
        "choice_title": read.chosen.title if read.chosen else "",
        "answers": dict(read.entries),
        "referral": dict(referral) if isinstance(referral, Mapping) else None,
        "media_id": str(media_id) if media_id else None,
    }


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """Headers of a request as they may be kept: what opens something is hidden."""
    return {name: MASK if is_secret(name) else value for name, value in given.items()}


@lru_cache(maxsize=4_096)
def is_secret(name: str) -> bool:
    """Whether a name says that its value is nobody's business."""
    return _SECRET.search(name) is not None


def masked(value: Any, depth: int = 0) -> Any:
    """A rendered configuration as the log shows it; itself where nothing is to be hidden."""
    if isinstance(value, list):
        return [_masked_pair(part, depth) for part in value] if value and depth < 20 else value
    if not isinstance(value, dict):
        return value
    hidden = {}
    for name, part in value.items():
        if part and isinstance(part, str):
            if is_secret(name):
                hidden[name] = MASK
        elif part and (inner := masked(part, depth + 1)) is not part:
            hidden[name] = inner
    return {**value, **hidden} if hidden else value


def _masked_pair(part: Any, depth: int) -> Any:
    """`{"name": "Authorization", "value": …}` is how forms keep a header."""
    if isinstance(part, dict) and isinstance(part.get("value"), str):
        name = part.get("name") or part.get("key")
        if isinstance(name, str) and is_secret(name) and part["value"]:
            return {**part, "value": MASK}
    return masked(part, depth + 1)


def clock(now: datetime) -> str:
    """`now` as templates see it."""
    return orjson.dumps(now).decode()[1:-1]  # as `isoformat`, at a fifth of its cost

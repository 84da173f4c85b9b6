"""Who writes after a campaign wrote to them has answered it: counted once, in the arrival's own transaction.

Written beside the recipient, not on it: the row of a recipient is another's to lock, and the two could wait
for each other in a circle.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from aerostic.core import bulk
from aerostic.core.tenancy import Context

ANSWERS_FOR = timedelta(days=3)  # later they write for a reason of their own

# The campaigns' tables, by name: campaigns know the inbox, so the inbox does not import them.
_ANSWERED = """
    insert into campaign_responses (tenant_id, campaign_id, contact_id, kind, at)
    select distinct on (r.contact_id) r.tenant_id, r.campaign_id, r.contact_id, 'replied', %b
    from campaign_recipients r
    where r.tenant_id = %b and r.contact_id = any(%b::uuid[]) and r.sent_at > %b
        and r.message_id is not null
    order by r.contact_id, r.sent_at desc
    on conflict do nothing
"""


def heard(
    ctx: Context, cursor: psycopg.Cursor[tuple[Any, ...]], contact_ids: Iterable[UUID]
) -> None:
    """These people wrote just now: the last campaign that wrote to each of them was answered."""
    those = sorted(set(contact_ids))
    if those:
        bulk.run(cursor, _ANSWERED, ctx.now, ctx.tenant_id, those, ctx.now - ANSWERS_FOR)

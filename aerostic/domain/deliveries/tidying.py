"""Rows that only guard against a repetition, or waited for something that never came."""

from datetime import timedelta

from aerostic.core.tenancy import Context
from aerostic.domain.deliveries import redacting

# Meta repeats a delivery for seven days at most.
SHARES = timedelta(days=30)
PARKED = timedelta(days=30)
IDEMPOTENCY_KEYS = timedelta(days=2)
REDACTIONS = timedelta(hours=1)

_OLD = (
    ("delete from delivery_shares where tenant_id = %s and applied_at < %s", SHARES),
    ("delete from parked_events where tenant_id = %s and received_at < %s", PARKED),
    ("delete from idempotency_keys where tenant_id = %s and created_at < %s", IDEMPOTENCY_KEYS),
)


def tidy(ctx: Context) -> None:
    """Delete what is too old to matter, and see to redactions whose job was lost."""
    cursor = ctx.cursor()
    for statement, age in _OLD:
        cursor.execute(statement, (ctx.tenant_id, ctx.now - age))
    redacting.start_again(ctx, older_than=REDACTIONS)

"""Whether a tenant's money adds up: the projection, each transaction, and every message's charge.

One statement, so that all of it is of the same moment, whoever posts meanwhile.
"""

from dataclasses import dataclass

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context

_FINDINGS = """
    with mine as (select * from ledger_entries where tenant_id = %(tenant)s),
    sums as (select account, sum(micros) as micros from mine group by account),
    kept as (
        select v.* from wallets w cross join lateral (values
            ('available', w.available_micros), ('held', w.held_micros), ('spent', w.spent_micros),
            ('owed', -w.owed_micros), ('funded', -w.funded_micros)) v (account, micros)
        where w.tenant_id = %(tenant)s),
    charged as (
        select c.message_id, c.state, c.micros, c.hold_id, held.micros as held, voided.micros as voided,
               captured.micros as captured, captured.kind as capture_kind
        from charges c
        left join mine held on held.key = 'hold:' || c.message_id
        left join mine voided on voided.key = 'void:' || c.message_id
        left join mine captured on captured.key = 'capture:' || c.message_id
        where c.tenant_id = %(tenant)s and c.micros > 0),
    promised as (
        select (select coalesce(sum(micros), 0) from charged where state = 'held')
             + (select coalesce(sum(micros - assigned_micros), 0) from campaign_holds
                where tenant_id = %(tenant)s and released_at is null) as micros)
    select 'The wallet says ' || coalesce(kept.micros, 0) || ' for ' || coalesce(kept.account, sums.account)
           || ', its entries ' || coalesce(sums.micros, 0) || '.'
    from kept full join sums using (account)
    where coalesce(kept.micros, 0) <> coalesce(sums.micros, 0)
    union all
    select 'The entries of transaction ' || transaction_id || ' sum to ' || sum(micros) || '.'
    from mine group by transaction_id having sum(micros) <> 0
    union all
    select 'The wallet holds ' || kept.micros || ', its messages and campaigns ' || promised.micros || '.'
    from kept, promised where kept.account = 'held' and kept.micros <> promised.micros
    union all
    select 'Message ' || message_id || ' is ' || state || ' at ' || micros
           || ', which its entries do not show.'
    from charged
    where (state = 'captured') <> (captured is not null)
       or (state in ('voided', 'free') and voided is distinct from -micros)
       or (state = 'held' and voided is not null)
       or (captured is not null and abs(captured) <> micros)
       or (capture_kind = 'late' and voided is null)
       or (capture_kind = 'capture' and voided is not null)
       or (hold_id is null and held is distinct from micros)
    union all
    select 'Campaign hold ' || h.id || ' has ' || h.assigned_micros || ' assigned, its messages say '
           || coalesce(c.micros, 0) || '.'
    from campaign_holds h
    left join (select hold_id, sum(micros) as micros from charged group by hold_id) c on c.hold_id = h.id
    where h.tenant_id = %(tenant)s and h.assigned_micros <> coalesce(c.micros, 0)
    limit 100
"""
_COUNTS = """
    select count(*), coalesce(sum(micros), 0) from ledger_entries where tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many entries there are, what they sum to, and what is wrong, a sentence each."""

    entries: int
    sum_micros: int
    findings: list[str]


@requires(Permission.PLATFORM_PRICES)
def verify(ctx: Context) -> Verified:
    """Recompute everything from the entries."""
    given = {"tenant": ctx.tenant_id}
    entries, total = ctx.cursor().execute(_COUNTS, given).fetchone() or (0, 0)
    findings = [row[0] for row in ctx.cursor().execute(_FINDINGS, given).fetchall()]
    return Verified(entries, int(total), findings)

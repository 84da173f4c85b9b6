"""Postings: entries that sum to zero, and the wallet's balances with them, in one statement.

Whoever posts holds the wallet's row until the commit, so a posting is the last thing of a transaction
(`postings.py` sees to it): nobody who waits for the wallet holds it up for longer than a commit takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aerostic.core import arrays
from aerostic.core.ids import new_id
from aerostic.domain.billing.models import Account, EntryKind

COUNTED = (Account.HELD, Account.SPENT, Account.FUNDED)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry that is given. The wallet's own side, available or owed, follows from all of them.

    With a `key`, the same posting a second time is refused by the database.
    """

    account: Account
    micros: int
    key: str | None = None
    message_id: UUID | None = None
    refers_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """Lines of one kind. `is_strict`: only if the balance and the credit line allow it.

    `credit_micros`: what the credit line is from now on.
    """

    kind: EntryKind
    lines: Sequence[Line]
    actor_name: str
    now: datetime
    note: str = ""
    is_strict: bool = False
    credit_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """After a posting. `has_become_low`: it fell below the line that the owner drew, just now."""

    available_micros: int
    owed_micros: int
    held_micros: int
    has_become_low: bool


# First, and by itself: a statement sees what was committed before it began, so the one that posts must begin
# when the wallet is ours.
LOCK = "select from wallets where tenant_id = %s for update"
# What is free to spend goes down to the credit line and no further; what lies below it is owed, and is paid
# before anything is available again.
POST = """
    with was as (
        select available_micros as available, owed_micros as owed, low_balance_micros as low, is_low,
               coalesce(%(credit)s::bigint, credit_limit_micros) as credit
        from wallets where tenant_id = %(tenant)s),
    meant as (
        select was.*, available - owed - %(given)s::bigint as net,
               greatest(available - owed - %(given)s::bigint, -credit) as then_available,
               greatest(0, -credit - (available - owed - %(given)s::bigint)) as then_owed
        from was),
    moved as (
        update wallets w
        set available_micros = then_available, owed_micros = then_owed,
            held_micros = w.held_micros + %(held)s, spent_micros = w.spent_micros + %(spent)s,
            funded_micros = w.funded_micros - %(funded)s, credit_limit_micros = credit,
            is_low = low is not null and then_available < low
        from meant
        where w.tenant_id = %(tenant)s and (not %(strict)s or net >= -credit)
        returning then_available, then_owed, w.held_micros as then_held, available, owed,
                  w.is_low and not meant.is_low as has_become_low),
    lines as (
        select given.* from moved, unnest(
            %(ids)s::uuid[], %(accounts)s::text[], %(micros)s::int8[], %(keys)s::text[],
            %(messages)s::uuid[], %(refers)s::uuid[])
            as given (id, account, micros, key, message_id, refers_to)
        union all
        select %(available_id)s::uuid, 'available', then_available - available, null, null, null from moved
        union all
        select %(owed_id)s::uuid, 'owed', owed - then_owed, null, null, null from moved),
    written as (
        insert into ledger_entries (tenant_id, id, transaction_id, kind, account, micros, key, message_id,
                                    refers_to, note, actor_name, created_at)
        select %(tenant)s, id, %(transaction)s, %(kind)s, account, micros, key, message_id, refers_to,
               %(note)s, %(actor)s, %(now)s
        from lines where micros <> 0),
    told as (
        insert into due_work (kind, tenant_id, ref, due_at)
        select 'low_balance', %(tenant)s, %(tenant)s, %(now)s from moved where has_become_low
        on conflict do nothing)
    select then_available, then_owed, then_held, has_become_low from moved
"""


def values_of(tenant_id: UUID, posting: Posting) -> dict[str, Any]:
    """What `POST` is given."""
    lines = posting.lines
    sums = dict.fromkeys(COUNTED, 0)
    for line in lines:
        sums[line.account] += line.micros
    return {
        "tenant": tenant_id,
        "transaction": new_id(),
        "kind": str(posting.kind),
        "note": posting.note,
        "actor": posting.actor_name,
        "now": posting.now,
        "strict": posting.is_strict,
        "credit": posting.credit_micros,
        "given": sum(sums.values()),
        "held": sums[Account.HELD],
        "spent": sums[Account.SPENT],
        "funded": sums[Account.FUNDED],
        "ids": arrays.encode("uuid", [new_id() for _ in lines]),
        "accounts": arrays.encode("text", [str(line.account) for line in lines]),
        "micros": arrays.encode("int8", [line.micros for line in lines]),
        "keys": arrays.encode("text", [line.key for line in lines]),
        "messages": arrays.encode("uuid", [line.message_id for line in lines]),
        "refers": arrays.encode("uuid", [line.refers_to for line in lines]),
        "available_id": new_id(),
        "owed_id": new_id(),
    }

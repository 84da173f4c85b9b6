"""One tenant's share of some deliveries, in one transaction that also marks it as applied.

Everything at once first. Should that fail, the share is halved again and again until the change at fault
stands alone: it is parked with its reason, the rest proceeds.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy.exc import OperationalError

from aerostic.core import bulk
from aerostic.core.permissions import Actor
from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.deliveries import account_changes
from aerostic.domain.deliveries.claiming import Problem
from aerostic.domain.deliveries.routing import ACCOUNT_FIELDS, Part
from aerostic.domain.inbox import apply
from aerostic.domain.inbox.apply import Received

log = logging.getLogger(__name__)

TRIES = 3
_TRANSIENT = (psycopg.OperationalError, OperationalError)


class _Attempt:
    """Remembers what went wrong instead of raising it, unless it is certain to pass by itself.

    One change that meets a bug of ours must not hold up everybody else's messages for ever, so here, and only
    here, any error counts. It is logged as the bug that it is.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> "_Attempt":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        return True

    @property
    def is_transient(self) -> bool:
        return isinstance(self.error, _TRANSIENT)


def apply_share(actor: Actor, tenant_id: UUID, parts: Sequence[Part]) -> None:
    """Apply what is not applied yet. Problems, or being held up, are noted at the deliveries."""
    for _ in range(TRIES):
        attempt = _Attempt()
        with attempt:
            _in_one_transaction(actor, tenant_id, parts, carefully=False)
        if attempt.error and not attempt.is_transient:
            log.warning("a share of %d changes is applied in parts: %s", len(parts), attempt.error)
            with attempt:
                attempt.error = None
                _in_one_transaction(actor, tenant_id, parts, carefully=True)
        if attempt.error is None:
            return
        log.warning("a share was not applied: %s", attempt.error)
    for part in parts:
        part.delivery.is_held_up = True


def _in_one_transaction(
    actor: Actor, tenant_id: UUID, parts: Sequence[Part], *, carefully: bool
) -> None:
    with unit_of_work(tenant_id, actor) as ctx:
        with ctx.cursor().connection.pipeline():
            apply.lock(ctx)
            earlier = _claim(ctx, {part.delivery.id for part in parts})
        fresh = [part for part in parts if part.delivery.id not in earlier]
        problems = _apply_or_halve(ctx, fresh) if carefully else _apply(ctx, fresh)
        _note(ctx, problems)
    for part, problem in problems:
        part.delivery.problems.append(problem)
    _repeat_problems(parts, earlier)


_SHARES = bulk.columns(delivery_id="uuid")


def _claim(ctx: Context, ids: set[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Mark the shares as applied. Return those that were before, with their problems."""
    cursor = ctx.cursor()
    bulk.insert(
        cursor,
        "delivery_shares",
        _SHARES,
        [(one,) for one in sorted(ids)],
        tenant_id=ctx.tenant_id,
        constants={"applied_at": "now()", "problems": "'[]'::jsonb"},
        tail="on conflict do nothing returning delivery_id",
    )
    before = ids - {delivery_id for (delivery_id,) in cursor.fetchall()}
    if not before:
        return {}
    cursor.execute(
        "select delivery_id, problems from delivery_shares"
        " where tenant_id = %s and delivery_id = any(%s)",
        (ctx.tenant_id, list(before)),
    )
    return dict(cursor.fetchall())


Problems = list[tuple[Part, Problem]]


def _apply(ctx: Context, parts: Sequence[Part]) -> Problems:
    """Everything at once."""
    if not parts:
        return []
    numbers = _numbers(ctx, {part.change.phone_number_id for part in parts} - {""})
    received: list[Received] = []
    problems: Problems = []
    for part in parts:
        if part.change.field in ACCOUNT_FIELDS:
            continue
        number = numbers.get(part.change.phone_number_id)
        if number is None:
            reason = "The workspace has no number of that id any more."
            problems.append((part, part.problem("unknown_number", reason, ctx.tenant_id)))
            continue
        received.append(Received(part.delivery.id, *number, part.reading))
    apply.apply(ctx, received)
    for part in parts:
        if part.change.field in ACCOUNT_FIELDS:
            account_changes.apply(ctx, part.change)
    return problems


def _apply_or_halve(ctx: Context, parts: Sequence[Part]) -> Problems:
    attempt = _Attempt()
    problems: Problems = []
    with attempt, ctx.session.begin_nested():
        problems = _apply(ctx, parts)
    if attempt.error is None:
        return problems
    if attempt.is_transient:
        raise attempt.error
    if len(parts) > 1:
        middle = len(parts) // 2
        return [*_apply_or_halve(ctx, parts[:middle]), *_apply_or_halve(ctx, parts[middle:])]
    log.error("a change is parked", exc_info=attempt.error)
    return [(parts[0], parts[0].problem("failed", _in_words(attempt.error), ctx.tenant_id))]


def _in_words(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0][:300]
    return f"It could not be applied: {said or type(error).__name__}."


_NUMBERS = """
    select n.phone_number_id, n.id, a.portfolio_id from phone_numbers n
    join whatsapp_accounts a on a.tenant_id = n.tenant_id and a.id = n.account_id
    where n.tenant_id = %s and n.phone_number_id = any(%s)
"""


def _numbers(ctx: Context, phone_number_ids: set[str]) -> dict[str, tuple[UUID, str]]:
    """Our number and its portfolio, by Meta's id."""
    cursor = ctx.cursor()
    cursor.execute(_NUMBERS, (ctx.tenant_id, list(phone_number_ids)), prepare=True)
    return {known: (number_id, portfolio) for known, number_id, portfolio in cursor.fetchall()}


def _note(ctx: Context, problems: Problems) -> None:
    """In the share itself: should we die before the delivery is marked, the next one reads them here."""
    by_delivery: dict[UUID, list[dict[str, Any]]] = {}
    for part, problem in problems:
        by_delivery.setdefault(part.delivery.id, []).append(asdict(problem))
    if by_delivery:
        told = [orjson.dumps(these).decode() for these in by_delivery.values()]
        bulk.run(ctx.cursor(), _NOTE, list(by_delivery), told, ctx.tenant_id)


_NOTE = bulk.statement(
    "update delivery_shares s set problems = given.problems from {given}"
    " where s.tenant_id = %b and s.delivery_id = given.delivery_id",
    bulk.columns(delivery_id="uuid", problems="jsonb"),
)


def _repeat_problems(parts: Iterable[Part], earlier: dict[UUID, list[dict[str, Any]]]) -> None:
    for delivery in {part.delivery.id: part.delivery for part in parts}.values():
        for told in earlier.get(delivery.id, []):
            tenant_id = UUID(told["tenant_id"]) if told["tenant_id"] else None
            delivery.problems.append(Problem(**{**told, "tenant_id": tenant_id}))

"""Wallets, prices and the ledger, without a browser."""

from datetime import date
from pathlib import Path

from sqlmodel import select

from aerostic.core import money
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.billing import pricing, service, verifying
from aerostic.domain.billing.pricing import PriceRow
from aerostic.domain.tenants.models import Tenant
from aerostic.operations.errors import OperationError

OPERATOR = system("command line", Permission.PLATFORM_PRICES)


def top_up(slug: str, amount: str, *, key: str | None, note: str) -> str:
    """Put money into a wallet. Returns what it holds now. The same key again changes nothing."""
    with unit_of_work(_tenant(slug).id, OPERATOR) as ctx:
        view = service.top_up(ctx, money.micros_of(amount), key=key or str(new_id()), note=note)
        return money.shown(view.available_micros, view.currency)


def adjust(slug: str, amount: str, *, note: str) -> str:
    """Put a balance right. Returns what it is now."""
    with unit_of_work(_tenant(slug).id, OPERATOR) as ctx:
        view = service.adjust(ctx, money.micros_of(amount), key=str(new_id()), note=note)
        return money.shown(view.available_micros, view.currency)


def set_credit(slug: str, amount: str, *, note: str) -> str:
    """Set a credit line. Returns what can be spent now."""
    with unit_of_work(_tenant(slug).id, OPERATOR) as ctx:
        view = service.set_credit_limit(ctx, money.micros_of(amount), note=note)
        return money.shown(view.spendable_micros, view.currency)


def verify() -> tuple[int, int, list[str]]:
    """How many wallets and entries were recomputed, and what was found wrong."""
    with shared_work(OPERATOR) as ctx:
        tenants = ctx.session.exec(select(Tenant).order_by(Tenant.slug)).all()
    entries, findings = 0, []
    for tenant in tenants:
        with unit_of_work(tenant.id, OPERATOR) as ctx:
            found = verifying.verify(ctx)
        entries += found.entries
        findings += [f"{tenant.slug}: {one}" for one in found.findings]
    return len(tenants), entries, findings


def export_prices(slug: str | None) -> str:
    """The default rate card as CSV, or a tenant's own prices."""
    if slug is None:
        with shared_work(OPERATOR) as ctx:
            return pricing.write_csv(pricing.rate_card(ctx))
    with unit_of_work(_tenant(slug).id, OPERATOR) as ctx:
        return pricing.write_csv(pricing.own_prices(ctx))


def import_prices(path: Path, slug: str | None) -> int:
    """Take in a CSV, all of it or nothing. Returns how many prices it had."""
    text = _text(path)
    if slug is None:
        with shared_work(OPERATOR) as ctx:
            return pricing.import_card(ctx, text)
    with unit_of_work(_tenant(slug).id, OPERATOR) as ctx:
        rows = pricing.read_csv(text)
        pricing.set_prices(ctx, rows)
        return len(rows)


def preview_prices(path: Path, slug: str) -> list[str]:
    """What the last 30 days would have cost at the prices of a CSV, a line for each market and category."""
    with unit_of_work(_tenant(slug).id, OPERATOR) as ctx:
        found = pricing.preview(ctx, _of_today(pricing.read_csv(_text(path))))
    lines = [
        f"{one.market:<36}{one.category:<16}{one.messages:>9,}{money.amount(one.was_micros):>16}"
        f"{money.amount(one.would_be_micros):>16}"
        for one in found
    ]
    was = money.amount(sum(one.was_micros for one in found))
    would_be = money.amount(sum(one.would_be_micros for one in found))
    heading = f"{'market':<36}{'category':<16}{'messages':>9}{'was':>16}{'would be':>16}"
    return [heading, *lines, f"{'all':<61}{was:>16}{would_be:>16}"]


def _of_today(rows: list[PriceRow]) -> list[PriceRow]:
    """Of several prices of one market and category, the latest: a preview is of a new price."""
    latest: dict[tuple[str, str], PriceRow] = {}
    for one in sorted(rows, key=_day):
        latest[one.market, one.category] = one
    return list(latest.values())


def _day(row: PriceRow) -> date:
    return row.valid_from


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperationError(f"{path} can not be read: {error}") from error


def _tenant(slug: str) -> Tenant:
    with shared_work(OPERATOR) as ctx:
        found = ctx.session.exec(select(Tenant).where(Tenant.slug == slug)).one_or_none()
    if found is None:
        raise OperationError(f"There is no workspace {slug}.")
    return found

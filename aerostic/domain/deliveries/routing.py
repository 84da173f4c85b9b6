"""Which change of a delivery is whose. What nobody's is, is kept with the reason, never dropped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import AccountDirectory, NumberDirectory
from aerostic.domain.deliveries.claiming import Claimed, Problem
from aerostic.integrations.meta import webhooks
from aerostic.integrations.meta.webhooks import Change, Reading, Unreadable

# About conversations on a number.
CONVERSATION_FIELDS = frozenset({"messages", "smb_message_echoes", "history", "user_id_update"})
# About an account, its numbers, its templates or the wishes of people.
ACCOUNT_FIELDS = frozenset(
    {
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "message_template_components_update",
        "phone_number_quality_update",
        "business_capability_update",
        "account_update",
        "user_preferences",
    }
)
# Meta's, but nothing here uses them. They stay in the log and are no problem.
UNUSED_FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "automatic_events",
        "calls",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "partner_solutions",
        "payment_configuration_update",
        "phone_number_name_update",
        "security",
        "smb_app_state_sync",
        "tracking_events",
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One change on its way to a tenant."""

    delivery: Claimed
    change: Change
    reading: Reading

    def problem(self, kind: str, reason: str, tenant_id: UUID | None = None) -> Problem:
        return Problem(kind, reason, self.change.entry, self.change.index, tenant_id)


def route(ctx: Context, claimed: Sequence[Claimed]) -> dict[UUID, list[Part]]:
    """Every readable change by its tenant, in order. Problems go to their deliveries."""
    parts = [part for delivery in claimed for part in _parts(delivery)]
    numbers, accounts = _directories(ctx, parts)
    shares: dict[UUID, list[Part]] = {}
    for part in parts:
        number, account = part.change.phone_number_id, account_of(part.change)
        tenant_id = numbers.get(number) if number else accounts.get(account)
        if tenant_id is not None:
            shares.setdefault(tenant_id, []).append(part)
        elif not _concerns_nobody_yet(part.change):
            part.delivery.problems.append(_nobodys(part, number, account))
    return shares


def account_of(change: Change) -> str:
    """Meta's id of the account. On a partner's events the entry names the portfolio instead."""
    about = change.value.get("waba_info")
    named = about.get("waba_id") if isinstance(about, dict) else None
    return str(named or change.account_id)


def _concerns_nobody_yet(change: Change) -> bool:
    """An account that is being shared with us is told of before it is connected."""
    return change.field == "account_update" and str(change.value.get("event")).startswith("PARTNER")


def _nobodys(part: Part, number: str, account: str) -> Problem:
    if number:
        return part.problem(
            "unknown_number", f"No workspace has connected the number {number[:64]}."
        )
    return part.problem(
        "unknown_account", f"No workspace has connected the account {account[:64]}."
    )


def _parts(delivery: Claimed) -> list[Part]:
    """What a delivery says, change by change. One that can not be read keeps none of the others."""
    try:
        changes = webhooks.changes_of(webhooks.parse(delivery.body))
    except Unreadable as error:
        delivery.problems.append(Problem("unreadable", str(error)))
        return []
    return [part for change in changes if (part := _part(delivery, change))]


def _part(delivery: Claimed, change: Change) -> Part | None:
    if change.field in UNUSED_FIELDS:
        return None
    if change.field in ACCOUNT_FIELDS:
        return Part(delivery, change, Reading())
    if change.field not in CONVERSATION_FIELDS:
        reason = f"The field “{change.field[:64]}” is not known. Its content is kept."
        delivery.problems.append(Problem("unknown_field", reason, change.entry, change.index))
        return None
    try:
        return Part(delivery, change, webhooks.read(change))
    except Unreadable as error:
        delivery.problems.append(Problem("unreadable", str(error), change.entry, change.index))
        return None


def _directories(ctx: Context, parts: Iterable[Part]) -> tuple[dict[str, UUID], dict[str, UUID]]:
    """Tenants by number and by account."""
    parts = list(parts)
    numbers = {part.change.phone_number_id for part in parts} - {""}
    accounts = {account_of(part.change) for part in parts if not part.change.phone_number_id}
    return _tenants_of_numbers(ctx, numbers), _tenants_of_accounts(ctx, accounts)


def _tenants_of_numbers(ctx: Context, numbers: set[str]) -> dict[str, UUID]:
    if not numbers:
        return {}
    table = NumberDirectory
    statement = select(table.phone_number_id, table.tenant_id)
    return dict(ctx.session.exec(statement.where(col(table.phone_number_id).in_(numbers))).all())


def _tenants_of_accounts(ctx: Context, accounts: set[str]) -> dict[str, UUID]:
    if not accounts:
        return {}
    table = AccountDirectory
    statement = select(table.meta_account_id, table.tenant_id)
    return dict(ctx.session.exec(statement.where(col(table.meta_account_id).in_(accounts))).all())

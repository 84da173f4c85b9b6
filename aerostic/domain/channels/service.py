"""Connect WhatsApp numbers, look after them, let them go."""

import logging
from uuid import UUID

from sqlalchemy import func
from sqlmodel import select

from aerostic.core import crypto, due_work
from aerostic.core.errors import AppError, Conflict, Invalid, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import (
    AccountDirectory,
    ConnectionStatus,
    NumberDirectory,
    NumberMode,
    PhoneNumber,
    WhatsappAccount,
)
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import Listener
from aerostic.integrations.meta.management import Management, NumberFacts, TokenRefused

log = logging.getLogger(__name__)


@requires(Permission.NUMBERS_MANAGE)
def connect_number(
    ctx: Context, *, meta_account_id: str, phone_number_id: str, access_token: str
) -> PhoneNumber:
    """Check the three with Meta, have its webhooks sent to us, and remember them; again renews the token.

    Raises Invalid for what can not be an id, Refused in Meta's name, Conflict if another workspace has it.
    """
    account_id = _digits("meta_account_id", meta_account_id)
    number_id = _digits("phone_number_id", phone_number_id)
    token = _token(access_token)
    # Nothing has touched the database yet: no transaction is open while Meta answers.
    with Management(token) as meta:
        facts = meta.account(account_id)
        number = _number_in_account(meta, account_id, number_id)
        meta.subscribe(account_id)
    account = _remember_account(ctx, account_id, facts, token)
    return _remember_number(ctx, account, number)


def _digits(field: str, value: str) -> str:
    cleaned = value.strip()
    if not (cleaned.isascii() and cleaned.isdigit() and 5 <= len(cleaned) <= 32):
        raise Invalid(field, "This is a number of Meta's, such as 100000000000001: digits only.")
    return cleaned


def _token(pasted: str) -> str:
    """It travels in a header, which holds nothing but plain letters."""
    token = pasted.strip()
    if not token:
        raise Invalid("access_token", "Paste the access token.")
    if not (token.isascii() and token.isprintable()):
        raise Invalid("access_token", "A token is plain letters and digits. Copy it once more.")
    return token


def _number_in_account(meta: Management, account_id: str, number_id: str) -> NumberFacts:
    for number in meta.numbers_of(account_id):
        if number.phone_number_id == number_id:
            return number
    raise Invalid("phone_number_id", "This account has no such number. Check both ids.")


def _remember_account(
    ctx: Context, meta_id: str, facts: dict[str, object], token: str
) -> WhatsappAccount:
    _claim(ctx, AccountDirectory, meta_id, "account")
    found = ctx.session.exec(
        select(WhatsappAccount).where(WhatsappAccount.meta_account_id == meta_id)
    )
    account = found.one_or_none() or WhatsappAccount(
        id=new_id(), meta_account_id=meta_id, access_token_sealed=""
    )
    owner = facts.get("owner_business_info")
    account.portfolio_id = str(owner.get("id", "")) if isinstance(owner, dict) else ""
    account.name = str(facts.get("name", ""))
    account.access_token_sealed = crypto.encrypt(token, bound_to=token_place(account.id))
    account.status, account.problem = ConnectionStatus.CONNECTED, None
    account.checked_at = ctx.now
    ctx.session.add(account)
    ctx.session.merge(
        AccountDirectory(meta_account_id=meta_id, tenant_id=ctx.tenant_id, account_id=account.id)
    )
    ctx.session.flush()
    ctx.enqueue("workers.jobs.templates.sync", account_id=str(account.id))
    return account


def _remember_number(ctx: Context, account: WhatsappAccount, facts: NumberFacts) -> PhoneNumber:
    meta_id = facts.phone_number_id
    _claim(ctx, NumberDirectory, meta_id, "number")
    found = ctx.session.exec(select(PhoneNumber).where(PhoneNumber.phone_number_id == meta_id))
    known = found.one_or_none()
    if known is None or known.status == ConnectionStatus.DISCONNECTED:
        plans.check(ctx, Limit.NUMBERS)
    number = known or PhoneNumber(
        id=new_id(), account_id=account.id, phone_number_id=meta_id, display_phone_number=""
    )
    number.account_id = account.id
    apply_facts(number, facts)
    number.status, number.problem = ConnectionStatus.CONNECTED, None
    number.checked_at = ctx.now
    ctx.session.add(number)
    ctx.session.merge(
        NumberDirectory(phone_number_id=meta_id, tenant_id=ctx.tenant_id, number_id=number.id)
    )
    ctx.announce("number", number.id)
    ctx.session.flush()
    due_work.wake_lane(ctx, number.id)
    return number


def _claim(
    ctx: Context, directory: type[AccountDirectory | NumberDirectory], meta_id: str, what: str
) -> None:
    """Two workspaces at once: the lock lets one in, the other is told."""
    ctx.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(meta_id, 0))))
    owner = ctx.session.get(directory, meta_id)
    if isinstance(owner, AccountDirectory | NumberDirectory) and owner.tenant_id != ctx.tenant_id:
        raise Conflict(f"Another workspace uses this {what}. Disconnect it there first.")


def apply_facts(number: PhoneNumber, facts: NumberFacts) -> None:
    """Take over what Meta says about a number."""
    number.display_phone_number = facts.display_phone_number
    number.verified_name = facts.verified_name
    number.quality_rating = facts.quality_rating
    number.messaging_limit = facts.messaging_limit
    number.messages_per_second = facts.messages_per_second
    number.is_coexistence = facts.is_coexistence


@requires(Permission.NUMBERS_MANAGE)
def check_account(ctx: Context, account_id: UUID) -> WhatsappAccount:
    """Ask Meta about an account's token and numbers now. What it says is on the screen afterwards."""
    account = _account(ctx, account_id)
    token, version = access_token(account), account.graph_version
    ctx.release()
    try:
        with Management(token, graph_version=version) as meta:
            facts = {
                fact.phone_number_id: fact for fact in meta.numbers_of(account.meta_account_id)
            }
    except TokenRefused as error:
        _needs_attention(ctx, account, error)
        return account
    account.status, account.problem, account.checked_at = ConnectionStatus.CONNECTED, None, ctx.now
    for number in _numbers(ctx, account):
        _refresh(ctx, number, facts.get(number.phone_number_id))
    return account


def _refresh(ctx: Context, number: PhoneNumber, facts: NumberFacts | None) -> None:
    number.checked_at = ctx.now
    ctx.announce("number", number.id)
    if facts is None:
        number.status = ConnectionStatus.NEEDS_ATTENTION
        number.problem = "Meta no longer lists this number in its account."
        return
    apply_facts(number, facts)
    number.status, number.problem = ConnectionStatus.CONNECTED, None
    ctx.session.flush()
    due_work.wake_lane(ctx, number.id)  # what waited while it needed attention leaves


def _needs_attention(ctx: Context, account: WhatsappAccount, error: AppError) -> None:
    account.status, account.problem = ConnectionStatus.NEEDS_ATTENTION, error.message
    account.checked_at = ctx.now
    for number in _numbers(ctx, account):
        number.status, number.problem = ConnectionStatus.NEEDS_ATTENTION, error.message
        ctx.announce("number", number.id)


@requires(Permission.NUMBERS_MANAGE)
def disconnect_number(ctx: Context, number_id: UUID) -> None:
    """Stop receiving and sending on a number. Its conversations stay; connecting again continues them."""
    number = ctx.get(PhoneNumber, number_id, for_update=True)
    if number is None:
        raise NotFound("That number no longer exists.")
    number.status, number.problem = ConnectionStatus.DISCONNECTED, None
    directory = ctx.session.get(NumberDirectory, number.phone_number_id)
    if directory is not None:
        ctx.session.delete(directory)
    ctx.announce("number", number.id)
    ctx.session.flush()
    due_work.wake_lane(ctx, number.id)  # what waits to leave is told that it will not
    account = _account(ctx, number.account_id)
    if not _numbers(ctx, account):
        _let_go(ctx, account)


def _let_go(ctx: Context, account: WhatsappAccount) -> None:
    """With its last number gone, the token is forgotten and Meta told to send no more."""
    token, version = access_token(account), account.graph_version
    account.status, account.access_token_sealed = ConnectionStatus.DISCONNECTED, ""
    directory = ctx.session.get(AccountDirectory, account.meta_account_id)
    if directory is not None:
        ctx.session.delete(directory)
    ctx.release()
    try:
        with Management(token, graph_version=version) as meta:
            meta.unsubscribe(account.meta_account_id)
    except AppError as error:  # a dead token can not unsubscribe; nothing of ours depends on it
        log.info("could not unsubscribe from account %s: %s", account.id, error.message)


@requires(Permission.NUMBERS_MANAGE)
def set_mode(ctx: Context, number_id: UUID, mode: NumberMode) -> None:
    """Who answers on a number: a person, automation, AI, or nobody for now."""
    number = ctx.get(PhoneNumber, number_id, for_update=True)
    if number is None:
        raise NotFound("That number no longer exists.")
    number.mode = mode
    if mode in {NumberMode.AUTOMATION, NumberMode.AI}:
        telling.listen(ctx, Listener.AUTOMATION, wanted=True)
    ctx.announce("number", number.id)


def token_place(account_id: UUID) -> str:
    """What binds a sealed token to its row."""
    return f"whatsapp_accounts.access_token_sealed.{account_id}"


def access_token(account: WhatsappAccount) -> str:
    """The plain token of an account of the caller's tenant. Refused once it was disconnected."""
    if not account.access_token_sealed:
        raise Refused("This account is disconnected. Connect it again first.")
    return crypto.decrypt(account.access_token_sealed, bound_to=token_place(account.id))


def _account(ctx: Context, account_id: UUID) -> WhatsappAccount:
    account = ctx.get(WhatsappAccount, account_id)
    if account is None:
        raise NotFound("That account no longer exists.")
    return account


def _numbers(ctx: Context, account: WhatsappAccount) -> list[PhoneNumber]:
    statement = select(PhoneNumber).where(
        PhoneNumber.account_id == account.id, PhoneNumber.status != ConnectionStatus.DISCONNECTED
    )
    return list(ctx.session.exec(statement))

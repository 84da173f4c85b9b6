"""What Meta tells about an account: its templates, its numbers, its standing, and who wants no marketing.

Field by field after the webhooks reference (November 2026). Rare, so one row at a time.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core import clock
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import consent
from aerostic.domain.audiences.consent import Told
from aerostic.domain.audiences.models import ConsentSource, Decision
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber, WhatsappAccount
from aerostic.domain.deliveries.routing import account_of
from aerostic.domain.inbox import people
from aerostic.domain.templates import told
from aerostic.domain.templates.models import Template
from aerostic.integrations.meta import webhooks
from aerostic.integrations.meta.webhooks import Change, Node, Unreadable

UPGRADED_PER_SECOND = 1000


def apply(ctx: Context, change: Change) -> None:
    """Take one change over. Applying it again changes nothing."""
    account = _account(ctx, change)
    _APPLY[change.field](ctx, account, change)


def _account(ctx: Context, change: Change) -> WhatsappAccount:
    statement = select(WhatsappAccount).where(WhatsappAccount.tenant_id == ctx.tenant_id)
    if change.phone_number_id:
        statement = statement.join(
            PhoneNumber,
            (col(PhoneNumber.tenant_id) == col(WhatsappAccount.tenant_id))
            & (col(PhoneNumber.account_id) == col(WhatsappAccount.id)),
        ).where(PhoneNumber.phone_number_id == change.phone_number_id)
    else:
        statement = statement.where(WhatsappAccount.meta_account_id == account_of(change))
    account = ctx.session.exec(statement).first()
    if account is None:
        raise Unreadable("The workspace has no account of that id any more.")
    return account


# Templates


def _template(ctx: Context, account: WhatsappAccount, value: Node) -> Template | None:
    """By Meta's id, else by name and language. One made elsewhere is fetched by a sync."""
    ours = select(Template).where(
        Template.tenant_id == ctx.tenant_id, Template.account_id == account.id
    )
    meta_id = str(value.get("message_template_id") or "")
    found = (
        ctx.session.exec(ours.where(Template.meta_template_id == meta_id)).first()
        if meta_id
        else None
    )
    found = (
        found
        or ctx.session.exec(
            ours.where(
                Template.name == str(value.get("message_template_name") or ""),
                Template.language == str(value.get("message_template_language") or ""),
            )
        ).first()
    )
    if found is None:
        ctx.enqueue("workers.jobs.templates.sync", account_id=str(account.id))
    else:
        ctx.announce("template", found.id)
    return found


def _template_status(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    template = _template(ctx, account, change.value)
    if template is not None:
        told.status(ctx, template, change.value)


def _template_quality(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    template = _template(ctx, account, change.value)
    if template is not None:
        told.quality(ctx, template, str(change.value.get("new_quality_score") or ""))


def _template_category(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    template = _template(ctx, account, change.value)
    if template is not None:
        told.category(ctx, template, change.value)


_PARTS = {
    "HEADER": "message_template_title",
    "BODY": "message_template_element",
    "FOOTER": "message_template_footer",
}


def _template_components(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    template = _template(ctx, account, change.value)
    if template is None:
        return
    changed = []
    for component in template.components:
        told = change.value.get(_PARTS.get(str(component.get("type")), ""))
        changed.append({**component, "text": told} if isinstance(told, str) else component)
    template.components = changed
    if "message_template_buttons" in change.value:  # told in other words than a listing uses
        ctx.enqueue("workers.jobs.templates.sync", account_id=str(account.id))


# Numbers and the account


def _numbers(ctx: Context, account: WhatsappAccount) -> list[PhoneNumber]:
    ours = PhoneNumber.tenant_id == ctx.tenant_id, PhoneNumber.account_id == account.id
    return list(ctx.session.exec(select(PhoneNumber).where(*ours)))


def _digits(text: object) -> str:
    return "".join(one for one in str(text or "") if one.isdigit())


def _limit(value: Node) -> str:
    """People a day, `unlimited`, or nothing told. Meta writes -1, or `TIER_…` as it used to."""
    told = value.get("max_daily_conversations_per_business")
    if told is None:
        told = value.get("current_limit") or value.get("max_daily_conversation_per_phone")
    if told in (-1, "-1", "TIER_UNLIMITED"):
        return "TIER_UNLIMITED"
    if isinstance(told, int):
        return f"TIER_{told // 1000}K" if told >= 1000 else f"TIER_{told}"
    return str(told or "")


def _number_quality(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    shown = _digits(change.value.get("display_phone_number"))
    for number in _numbers(ctx, account):
        if _digits(number.display_phone_number) == shown:
            if change.value.get("event") == "THROUGHPUT_UPGRADE":
                number.messages_per_second = UPGRADED_PER_SECOND
            number.messaging_limit = _limit(change.value) or number.messaging_limit
            ctx.announce("number", number.id)


def _capability(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    for number in _numbers(ctx, account):
        number.messaging_limit = _limit(change.value) or number.messaging_limit
        ctx.announce("number", number.id)


_PROBLEMS = {
    "ACCOUNT_DELETED": "Meta has deleted this account.",
    "ACCOUNT_RESTRICTION": "Meta has restricted this account",
    "ACCOUNT_VIOLATION": "Meta reports a violation of its policy",
    "PARTNER_REMOVED": "This account is no longer shared with the platform. Connect it again.",
    "PARTNER_APP_UNINSTALLED": "The platform's app was removed from this account. Connect it again.",
    "ACCOUNT_OFFBOARDED": "This account was disconnected in the WhatsApp Business app.",
}


def _account_update(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    event = str(change.value.get("event") or "")
    if event == "DISABLED_UPDATE":
        problem = _ban(change.value)
    elif event in _PROBLEMS:
        problem = _with_details(_PROBLEMS[event], change.value)
    elif event == "ACCOUNT_RECONNECTED":
        problem = ""
    else:
        return
    _show(ctx, account, problem or None)


def _ban(value: Node) -> str:
    about = value.get("ban_info")
    about = about if isinstance(about, dict) else {}
    state, date = str(about.get("waba_ban_state") or ""), str(about.get("waba_ban_date") or "")
    if state == "REINSTATE":
        return ""
    if state == "SCHEDULE_FOR_DISABLE":
        return f"Meta will disable this account on {date or 'a date that it has not told'}."
    return f"Meta has disabled this account{f' on {date}' if date else ''}."


def _with_details(sentence: str, value: Node) -> str:
    """The kinds of restriction or violation in Meta's words."""
    if sentence.endswith("."):
        return sentence
    told: list[str] = []
    restrictions = value.get("restriction_info")
    for one in restrictions if isinstance(restrictions, list) else []:
        if isinstance(one, dict) and one.get("restriction_type"):
            told.append(str(one["restriction_type"]).replace("_", " ").lower())
    violation = value.get("violation_info")
    if isinstance(violation, dict) and violation.get("violation_type"):
        told.append(str(violation["violation_type"]).replace("_", " ").lower())
    return f"{sentence}: {', '.join(told)}." if told else f"{sentence}."


def _show(ctx: Context, account: WhatsappAccount, problem: str | None) -> None:
    status = ConnectionStatus.NEEDS_ATTENTION if problem else ConnectionStatus.CONNECTED
    account.status, account.problem = status, problem
    for number in _numbers(ctx, account):
        if number.status != ConnectionStatus.DISCONNECTED:
            number.status, number.problem = status, problem
            ctx.announce("number", number.id)


# Wishes


def _preferences(ctx: Context, account: WhatsappAccount, change: Change) -> None:
    """Someone stops or resumes marketing. Remembered of strangers too, who may be imported tomorrow."""
    told = [
        (person, node)
        for person, node in webhooks.read_preferences(change.value)
        if node.get("category") == "marketing_messages"
    ]
    seen = [people.Sighting(person, account.portfolio_id, ctx.now) for person, _ in told]
    contact_ids = people.find_or_make(ctx, seen) if seen else []
    decisions = [
        _decision(ctx, contact_id, node)
        for contact_id, (_, node) in zip(contact_ids, told, strict=True)
        if contact_id != people.NOBODY
    ]
    consent.record(ctx, decisions)


def _decision(ctx: Context, contact_id: UUID, node: Node) -> Told:
    stops = node.get("value") == "stop"
    decision = Decision.STOPPED if stops else Decision.AGREED
    return Told(contact_id, decision, ConsentSource.WHATSAPP, _moment(ctx, node))


def _moment(ctx: Context, node: Node) -> datetime:
    try:
        return clock.from_meta(node["timestamp"])
    except (KeyError, ValueError):
        return ctx.now


_APPLY: dict[str, Callable[[Context, WhatsappAccount, Change], None]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "template_category_update": _template_category,
    "message_template_components_update": _template_components,
    "phone_number_quality_update": _number_quality,
    "business_capability_update": _capability,
    "account_update": _account_update,
    "user_preferences": _preferences,
}

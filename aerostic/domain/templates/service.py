"""Keep our copy of an account's templates equal to Meta's."""

from uuid import UUID

from sqlmodel import select

from aerostic.core.errors import NotFound
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import WhatsappAccount
from aerostic.domain.channels.service import access_token
from aerostic.domain.templates.models import Template
from aerostic.integrations.meta.management import Management, TemplateFacts

DELETED = "DELETED"


@requires(Permission.TEMPLATES_MANAGE)
def sync(ctx: Context, account_id: UUID) -> int:
    """Take over every template of an account; return how many. A listing that fails changes nothing."""
    account = ctx.get(WhatsappAccount, account_id)
    if account is None:
        raise NotFound("That account no longer exists.")
    token, version = access_token(account), account.graph_version
    ctx.release()
    with Management(token, graph_version=version) as meta:
        listed = meta.templates(account.meta_account_id)
    known = {(row.name, row.language): row for row in _templates_of(ctx, account_id)}
    for facts in listed:
        _take_over(ctx, account_id, known.pop((facts.name, facts.language), None), facts)
    for gone in known.values():  # messages still refer to them, so they stay, marked
        gone.status, gone.synced_at = DELETED, ctx.now
    ctx.announce("template", account_id)
    return len(listed)


def _templates_of(ctx: Context, account_id: UUID) -> list[Template]:
    statement = select(Template).where(Template.account_id == account_id).with_for_update()
    return list(ctx.session.exec(statement))


def _take_over(
    ctx: Context, account_id: UUID, known: Template | None, facts: TemplateFacts
) -> None:
    template = known or Template(
        account_id=account_id,
        name=facts.name,
        language=facts.language,
        category=facts.category,
        status=facts.status,
    )
    template.meta_template_id = facts.meta_template_id
    template.category, template.status = facts.category, facts.status
    template.quality, template.rejection_reason = facts.quality, facts.rejection_reason
    template.parameter_format = facts.parameter_format
    template.components = facts.components
    template.synced_at = ctx.now
    ctx.session.add(template)

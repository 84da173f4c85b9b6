"""Look at templates."""

from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.templates.models import Template

APPROVED = "APPROVED"


@requires(Permission.TEMPLATES_READ)
def templates(
    ctx: Context, *, account_id: UUID | None = None, status: str | None = None
) -> list[Template]:
    """Templates by name. An account has at most 6,000 of them, so this is one list."""
    statement = select(Template).order_by(col(Template.name), col(Template.language))
    if account_id is not None:
        statement = statement.where(Template.account_id == account_id)
    if status is not None:
        statement = statement.where(Template.status == status)
    return list(ctx.session.exec(statement))


@requires(Permission.TEMPLATES_READ)
def template(ctx: Context, template_id: UUID) -> Template:
    """One template. Raises NotFound."""
    found = ctx.get(Template, template_id)
    if found is None:
        raise NotFound("That template no longer exists.")
    return found

"""A Python prompt inside a transaction, for looking and for careful changes."""

import code

from sqlmodel import select

from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import Context, platform_work, shared_work, unit_of_work
from aerostic.domain.identity.models import Tenant
from aerostic.operations.errors import OperationError

BANNER = """Aerostic, as the system, in {place}.
`ctx` is the context that every domain function takes first; `ctx.session` asks the database.
Leaving with Ctrl-D keeps the changes; `raise SystemExit("no")` drops them."""


def open_prompt(slug: str | None) -> None:
    """A prompt with `ctx`: of a workspace, or of the platform where none is named."""
    actor = system("shell", *Permission)
    if slug is None:
        with platform_work(actor) as ctx:
            _interact(ctx, "the platform's own tables")
        return
    with shared_work(actor) as ctx:
        tenant = ctx.session.exec(select(Tenant).where(Tenant.slug == slug)).one_or_none()
    if tenant is None:
        raise OperationError(f"There is no workspace “{slug}”.")
    with unit_of_work(tenant.id, actor) as ctx:
        _interact(ctx, f"workspace “{tenant.name}”")


def _interact(ctx: Context, place: str) -> None:
    names = {"ctx": ctx, "select": select}
    code.interact(BANNER.format(place=place), local=names, exitmsg="")

"""What a route asks for, by meaning: who is signed in, and a context to act in."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import APIKeyCookie

from aerostic.core.errors import AppError, NotFound, SignInNeeded
from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import Context, platform_work, shared_work, unit_of_work
from aerostic.domain.identity import queries
from aerostic.domain.identity.models import Tenant
from aerostic.domain.identity.queries import Principal
from backend_api import rate_limit
from backend_api.security import ACCESS_COOKIE, address_of

_session_cookie = APIKeyCookie(
    name=ACCESS_COOKIE,
    scheme_name="Session cookie",
    description="Set by `POST /auth/session`.",
    auto_error=False,
)


class WorkspaceNeeded(AppError):
    code = "workspace_needed"


def _visitor(
    request: Request, access_token: Annotated[str | None, Depends(_session_cookie)]
) -> Principal | None:
    with shared_work(STRANGER) as ctx:
        found = queries.principal(ctx, access_token) if access_token else None
    if found:
        request.state.user_id = str(found.user_id)
        rate_limit.count(request, str(found.session_id))
    return found


def _signed(visitor: Annotated[Principal | None, Depends(_visitor)]) -> Principal:
    if visitor is None:
        raise SignInNeeded("Please sign in first.")
    return visitor


Visitor = Annotated[Principal | None, Depends(_visitor)]
Signed = Annotated[Principal, Depends(_signed)]
Address = Annotated[str, Depends(address_of)]


def workspace_of(principal: Principal, named: str | None) -> UUID:
    """The workspace that a request is for: the one it names, by id or slug, else the only one there is.

    One that the caller is no member of does not exist for them.
    """
    if named is None and len(principal.memberships) == 1:
        return next(iter(principal.memberships))
    if not principal.memberships:
        raise NotFound("You are in no workspace yet. Ask for an invitation, or register a new one.")
    if named is None:
        raise WorkspaceNeeded("Say which workspace: send its id or its short name as X-Workspace.")
    for tenant_id, membership in principal.memberships.items():
        if named in {str(tenant_id), membership.slug}:
            return tenant_id
    raise NotFound("There is no such workspace among yours.")


def _context(
    principal: Signed,
    address: Address,
    x_workspace: Annotated[
        str | None,
        Header(
            alias="X-Workspace",
            max_length=100,
            description="Id or short name. Needed by members of several workspaces.",
        ),
    ] = None,
) -> Iterator[Context]:
    tenant_id = workspace_of(principal, x_workspace)
    actor = principal.actor_in(tenant_id, address)
    assert actor is not None, "workspace_of finds memberships only"
    with unit_of_work(tenant_id, actor) as ctx:
        yield ctx


def _personal_context(principal: Signed, address: Address) -> Iterator[Context]:
    with shared_work(principal.personal_actor(address)) as ctx:
        yield ctx


def _platform_context(principal: Signed, address: Address) -> Iterator[Context]:
    actor = principal.platform_actor(address)
    if actor is None:
        raise NotFound("There is nothing at this address.")
    with platform_work(actor) as ctx:
        yield ctx


def _staff_context(principal: Signed, address: Address, tenant_id: UUID) -> Iterator[Context]:
    """The platform's staff inside of one workspace, with the platform's permissions and no others."""
    actor = principal.platform_actor(address)
    if actor is None:
        raise NotFound("There is nothing at this address.")
    with unit_of_work(tenant_id, actor) as ctx:
        if ctx.session.get(Tenant, tenant_id) is None:
            raise NotFound("There is no such workspace.")
        yield ctx


# scope="function": commit before the answer leaves, so that a failed commit is never a 200.
Ctx = Annotated[Context, Depends(_context, scope="function")]
PersonalCtx = Annotated[Context, Depends(_personal_context, scope="function")]
StaffCtx = Annotated[Context, Depends(_staff_context, scope="function")]
PlatformCtx = Annotated[Context, Depends(_platform_context, scope="function")]

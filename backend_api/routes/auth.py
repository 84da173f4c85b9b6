"""Signing in and out: cookies for browsers and programs alike."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from aerostic.core.errors import Invalid, SignInNeeded
from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import queries, service
from aerostic.domain.identity.queries import Principal
from aerostic.domain.identity.sessions import SignedIn
from backend_api.deps import Address
from backend_api.errors import of_app_error
from backend_api.security import ACCESS_COOKIE, REFRESH_COOKIE, clear_session, set_session

router = APIRouter(prefix="/auth", tags=["Signing in"])


class SignInIn(BaseModel):
    """Either e-mail and password (and a code, where a second factor is set up), or a ticket."""

    email: str = Field("", max_length=320, examples=["owner@demo.test"])
    password: str = Field("", max_length=4096, examples=["a long sentence of yours"])
    code: str = Field("", max_length=40, examples=["123456"])
    ticket: str = Field("", max_length=200, description="A page's one-time ticket.", examples=[""])


class WorkspaceOut(BaseModel):
    """A workspace of the person who is signed in, and their role there."""

    id: UUID
    name: str
    slug: str
    role: str
    status: str


class PersonOut(BaseModel):
    """Who is signed in."""

    id: UUID
    name: str
    email: str
    platform_role: str | None
    must_set_up_second_factor: bool = Field(
        description="True for a super admin without a second factor: nothing else works until then."
    )
    workspaces: list[WorkspaceOut]

    @classmethod
    def of(cls, principal: Principal) -> "PersonOut":
        return cls(
            id=principal.user_id,
            name=principal.name,
            email=principal.email,
            platform_role=principal.platform_role,
            must_set_up_second_factor=principal.must_enrol,
            workspaces=[
                WorkspaceOut(id=key, name=row.name, slug=row.slug, role=row.role, status=row.status)
                for key, row in principal.memberships.items()
            ],
        )


@router.post("/session")
def sign_in(request: Request, response: Response, address: Address, body: SignInIn) -> PersonOut:
    """Sign in. The answer sets the session's cookies and names the workspaces."""
    agent = request.headers.get("user-agent", "")
    with shared_work(STRANGER) as ctx:
        if body.ticket:
            signed = service.redeem_ticket(ctx, body.ticket, ip=address, user_agent=agent)
        elif body.email and body.password:
            signed = service.sign_in(
                ctx, body.email, body.password, body.code, ip=address, user_agent=agent
            )
        else:
            raise Invalid("email", "Send an e-mail address and a password, or a ticket.")
    return signed_in(response, signed)


@router.post("/refresh")
def refresh(request: Request, response: Response, address: Address) -> PersonOut:
    """Swap the refresh cookie for the next pair. One used before ends its session."""
    token = request.cookies.get(REFRESH_COOKIE, "")
    with shared_work(STRANGER) as ctx:
        signed = service.refresh(ctx, token, ip=address) if token else None
    if signed is None:
        return _signed_out(request)  # type: ignore[return-value]
    return signed_in(response, signed)


@router.post("/logout", status_code=204)
def sign_out(request: Request) -> Response:
    """Sign out here. Without a session there is nothing to do, and that is fine."""
    with shared_work(STRANGER) as ctx:
        service.sign_out(
            ctx,
            access_token=request.cookies.get(ACCESS_COOKIE, ""),
            refresh_token=request.cookies.get(REFRESH_COOKIE, ""),
        )
    response = Response(status_code=204)
    clear_session(response)
    return response


def signed_in(response: Response, signed: SignedIn) -> PersonOut:
    """Hand out the cookies, and say who it is."""
    with shared_work(STRANGER) as ctx:
        principal = queries.principal(ctx, signed.access_token)
    if principal is None:
        raise SignInNeeded("Please sign in again.")
    set_session(response, signed)
    return PersonOut.of(principal)


def _signed_out(request: Request) -> Response:
    """The session is over: take the cookies back along with the refusal."""
    refusal = of_app_error(request, SignInNeeded("Your session has ended. Please sign in again."))
    clear_session(refusal)
    return refusal

"""Signing in and out: cookies for browsers and programs alike."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from aerostic.core.errors import Invalid, SignInNeeded
from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import Context, shared_work
from aerostic.domain.identity import queries, service
from aerostic.domain.identity.queries import Principal
from aerostic.domain.identity.sessions import Proven, SignedIn
from aerostic.domain.tenants import queries as tenants_queries
from aerostic.domain.tenants import service as tenants
from backend_api.deps import Address, Visitor
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
    name: str = Field(examples=["Bluebird Café"])
    slug: str = Field(examples=["bluebird-cafe"])
    role: str = Field(examples=["owner"])
    status: str = Field(examples=["active"])

    @classmethod
    def all_of(cls, principal: Principal) -> "list[WorkspaceOut]":
        return [
            cls(id=key, name=row.name, slug=row.slug, role=row.role, status=row.status)
            for key, row in principal.memberships.items()
        ]


class PersonOut(BaseModel):
    """Who is signed in."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    email: str = Field(examples=["ada@example.com"])
    platform_role: str | None = Field(examples=[None])
    must_set_up_second_factor: bool = Field(
        examples=[False],
        description="True for a super admin without a second factor: nothing else works until then.",
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
            workspaces=WorkspaceOut.all_of(principal),
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


class RegisterIn(BaseModel):
    """A new person and their new workspace."""

    email: str = Field(max_length=320, examples=["ada@example.com"])
    password: str = Field(max_length=4096, examples=["a long sentence of yours"])
    name: str = Field(max_length=1000, examples=["Ada Lovelace"])
    workspace: str = Field(max_length=1000, examples=["Bluebird Café"])


class RegistrationOut(BaseModel):
    """A code is on its way by e-mail; send it back with this id."""

    registration: UUID


class ConfirmIn(BaseModel):
    """The code from the e-mail."""

    registration: UUID
    code: str = Field(max_length=40, examples=["123456"])


class ForgotIn(BaseModel):
    """Whose password is forgotten."""

    email: str = Field(max_length=320, examples=["ada@example.com"])


class ForgotOut(BaseModel):
    """An e-mail is on its way; send its code back with this id."""

    reset: UUID


class ResetIn(BaseModel):
    """The code from the e-mail and a new password."""

    reset: UUID
    code: str = Field(max_length=40, examples=["123456"])
    password: str = Field(max_length=4096, examples=["another long sentence"])


class AcceptIn(BaseModel):
    """The token of an invitation's link. `name` and `password` for someone new, or the password of an
    account; neither for who is signed in."""

    token: str = Field(max_length=200, examples=["the part after token= in the link"])
    name: str = Field("", max_length=1000, examples=["Ada Lovelace"])
    password: str = Field("", max_length=4096, examples=["a long sentence of yours"])
    code: str = Field("", max_length=40, examples=[""])


class OfferOut(BaseModel):
    """What an invitation offers, and whether its e-mail address has an account already."""

    workspace: str = Field(examples=["Bluebird Café"])
    email: str = Field(examples=["ada@example.com"])
    role: str = Field(examples=["agent"])
    has_account: bool


@router.post("/register", status_code=202)
def register(address: Address, body: RegisterIn) -> RegistrationOut:
    """Ask for an account. The same answer for an address that has one: the e-mail says more."""
    with shared_work(STRANGER) as ctx:
        return RegistrationOut(registration=service.register(ctx, **body.model_dump(), ip=address))


@router.post("/register/confirm", status_code=201)
def confirm(request: Request, response: Response, address: Address, body: ConfirmIn) -> PersonOut:
    """Show the code. Makes the account and its workspace, and signs in."""
    with shared_work(STRANGER) as ctx:
        proven = service.confirm_registration(ctx, body.registration, body.code, ip=address)
        signed = _open(ctx, request, address, proven)
    return signed_in(response, signed)


@router.post("/forgot", status_code=202)
def forgot(address: Address, body: ForgotIn) -> ForgotOut:
    """Ask for a new password. The same answer for every address: the e-mail says more."""
    with shared_work(STRANGER) as ctx:
        return ForgotOut(reset=service.forgot_password(ctx, body.email, ip=address))


@router.post("/reset", status_code=204)
def reset(address: Address, body: ResetIn) -> None:
    """Set a new password with the code. Signs out everywhere."""
    with shared_work(STRANGER) as ctx:
        service.reset_password(ctx, body.reset, body.code, body.password, ip=address)


@router.get("/invitations/offer")
def offer(address: Address, token: Annotated[str, Query(max_length=200)]) -> OfferOut:
    """What the link of an invitation leads to."""
    with shared_work(STRANGER) as ctx:
        found = tenants_queries.offer(ctx, token, ip=address)
    return OfferOut(
        workspace=found.workspace,
        email=found.email,
        role=found.role,
        has_account=found.has_account,
    )


@router.post("/invitations/accept")
def accept(
    request: Request, response: Response, address: Address, visitor: Visitor, body: AcceptIn
) -> PersonOut:
    """Join the workspace that the link stands for, and be signed in."""
    actor = visitor.personal_actor(address) if visitor else STRANGER
    with shared_work(actor) as ctx:
        proven = tenants.accept_invitation(ctx, **body.model_dump(), ip=address)
        signed = _open(ctx, request, address, proven) if proven else None
    if signed:
        return signed_in(response, signed)
    return PersonOut.of(_holder(request.cookies.get(ACCESS_COOKIE, "")))


def _open(ctx: Context, request: Request, address: str, proven: Proven) -> SignedIn:
    agent = request.headers.get("user-agent", "")
    return service.open_session(ctx, proven, ip=address, user_agent=agent)


def signed_in(response: Response, signed: SignedIn) -> PersonOut:
    """Hand out the cookies, and say who it is."""
    person = PersonOut.of(_holder(signed.access_token))
    set_session(response, signed)
    return person


def _holder(access_token: str) -> Principal:
    with shared_work(STRANGER) as ctx:
        principal = queries.principal(ctx, access_token)
    if principal is None:
        raise SignInNeeded("Please sign in again.")
    return principal


def _signed_out(request: Request) -> Response:
    """The session is over: take the cookies back along with the refusal."""
    refusal = of_app_error(request, SignInNeeded("Your session has ended. Please sign in again."))
    clear_session(refusal)
    return refusal

"""One's own account: name, password, sessions, second factor."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from aerostic.domain.identity import queries, service
from aerostic.domain.identity.queries import SessionRow
from backend_api.deps import PersonalCtx, Signed
from backend_api.pages import PageOut
from backend_api.routes.auth import WorkspaceOut
from backend_api.security import clear_session

router = APIRouter(prefix="/api/v1/me", tags=["Me"])

Password = Field(max_length=4096, examples=["a long sentence of yours"])
Code = Field(max_length=40, examples=["123456"])


class MeOut(BaseModel):
    """The person who is signed in."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    email: str = Field(examples=["ada@example.com"])
    has_second_factor: bool
    recovery_codes_left: int
    workspaces: list[WorkspaceOut]


class MeIn(BaseModel):
    """What can be changed about oneself."""

    name: str = Field(max_length=1000, examples=["Ada Lovelace"])


class NewPasswordIn(BaseModel):
    """The password of now and the one to come."""

    current: str = Password
    new: str = Field(max_length=4096, examples=["another long sentence"])


class SessionOut(BaseModel):
    """A browser or program that is signed in."""

    id: UUID
    ip: str = Field(examples=["203.0.113.7"])
    user_agent: str = Field(examples=["Mozilla/5.0 …"])
    created_at: datetime
    last_seen_at: datetime = Field(description="To within a quarter of an hour.")
    is_current: bool

    @classmethod
    def of(cls, row: SessionRow) -> "SessionOut":
        return cls(
            id=row.id,
            ip=row.ip,
            user_agent=row.user_agent,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.is_current,
        )


class PasswordIn(BaseModel):
    """One's own password: an open session alone is not enough for this."""

    password: str = Password


class CodeIn(BaseModel):
    """A code of the authenticator app."""

    code: str = Code


class BothIn(PasswordIn, CodeIn):
    """Password and a code of the authenticator app, or a recovery code."""


class TotpOut(BaseModel):
    """For the authenticator app: a picture to scan, or the secret to type."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodesOut(BaseModel):
    """Shown this once. Each signs in once in place of the authenticator app."""

    recovery_codes: list[str] = Field(examples=[["abcd-efgh-jkmn"]])


@router.get("")
def me(ctx: PersonalCtx, principal: Signed) -> MeOut:
    """Who is signed in, and in which workspaces."""
    profile = queries.profile(ctx)
    return MeOut(
        id=profile.id,
        name=profile.name,
        email=profile.email,
        has_second_factor=profile.has_second_factor,
        recovery_codes_left=profile.recovery_codes_left,
        workspaces=WorkspaceOut.all_of(principal),
    )


@router.patch("", status_code=204)
def rename(ctx: PersonalCtx, body: MeIn) -> None:
    """Change one's own name."""
    service.rename_me(ctx, body.name)


@router.post("/password", status_code=204)
def change_password(ctx: PersonalCtx, body: NewPasswordIn) -> None:
    """Change the password. Signs out everywhere else."""
    service.change_password(ctx, body.current, body.new)


@router.get("/sessions")
def sessions(ctx: PersonalCtx) -> PageOut[SessionOut]:
    """Where one is signed in, this session first."""
    return PageOut(items=[SessionOut.of(row) for row in queries.sessions(ctx)], next_cursor=None)


@router.delete("/sessions/{session_id}", status_code=204)
def revoke(ctx: PersonalCtx, session_id: UUID) -> Response:
    """Sign out one session."""
    service.revoke_session(ctx, session_id)
    response = Response(status_code=204)
    if session_id == ctx.actor.session_id:
        clear_session(response)
    return response


@router.delete("/sessions", status_code=204)
def revoke_others(ctx: PersonalCtx) -> None:
    """Sign out everywhere but here."""
    service.revoke_other_sessions(ctx)


@router.post("/totp")
def start_totp(ctx: PersonalCtx, body: PasswordIn) -> TotpOut:
    """Begin to set up an authenticator app. It counts once a code of it is confirmed."""
    setup = service.start_totp(ctx, body.password)
    return TotpOut(secret=setup.secret, uri=setup.uri, qr_svg=setup.qr_svg)


@router.post("/totp/confirm")
def confirm_totp(ctx: PersonalCtx, body: CodeIn) -> RecoveryCodesOut:
    """Put the authenticator app in force. Signs out everywhere else."""
    return RecoveryCodesOut(recovery_codes=service.confirm_totp(ctx, body.code))


@router.post("/totp/recovery-codes")
def renew_recovery_codes(ctx: PersonalCtx, body: BothIn) -> RecoveryCodesOut:
    """New recovery codes; the old ones stop working."""
    codes = service.renew_recovery_codes(ctx, body.password, body.code)
    return RecoveryCodesOut(recovery_codes=codes)


@router.post("/totp/remove", status_code=204)
def stop_totp(ctx: PersonalCtx, body: BothIn) -> None:
    """Go without an authenticator app again."""
    service.stop_totp(ctx, body.password, body.code)

"""Sessions: a short access token for every request, and a refresh token that works once.

Only digests are stored. A refresh token's successor is derived from it with the product's secret, so that
two tabs that refresh at the same moment are handed the same pair and neither is signed out; the decision
is in `docs/decisions/refresh-tokens.md`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import col

from aerostic.core.crypto import digest, keyed_digest, new_token
from aerostic.core.permissions import PlatformRole
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import RefreshToken, User, UserSession
from aerostic.domain.platform.alarms import raise_alarm

ACCESS = timedelta(minutes=15)
UNUSED = timedelta(days=30)
GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Proven:
    """Someone who has just shown who they are. Only `identity` makes one; a session is opened from it."""

    user_id: UUID
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser is handed. `must_enrol`: a super admin must set up a second factor first."""

    user_id: UUID
    session_id: UUID
    access_token: str
    refresh_token: str
    access_expires_at: datetime
    expires_at: datetime
    must_enrol: bool


def opened(ctx: Context, proven: Proven, *, ip: str, user_agent: str) -> SignedIn:
    """A new session."""
    session = UserSession(
        user_id=proven.user_id,
        second_factor=proven.second_factor,
        access_expires_at=ctx.now + ACCESS,
        expires_at=ctx.now + UNUSED,
        ip=ip[:64],
        user_agent=user_agent[:300],
    )
    ctx.session.add(session)
    ctx.session.flush()
    refresh_token = new_token()
    _store(ctx, session, refresh_token)
    return _signed_in(ctx, session, refresh_token)


def rotated(ctx: Context, refresh_token: str, *, ip: str) -> SignedIn | None:
    """The next pair for a refresh token, or None.

    The token is used up. Again within the grace: the same pair, as long as that is still unused. Again
    later: somebody has a copy, so the session ends here and an alarm is raised. The caller must commit
    in every case.
    """
    token = ctx.session.get(RefreshToken, digest(refresh_token), with_for_update=True)
    if token is None:
        return None
    session = ctx.session.get_one(UserSession, token.session_id, with_for_update=True)
    if not _is_live(ctx, session):
        return None
    successor = keyed_digest(refresh_token, purpose="refresh token")
    if token.used_at is None:
        _use(ctx, token, session, successor)
    elif not _is_same_moment(ctx, token, successor):
        end(ctx, session, because="refresh token used twice")
        raise_alarm("refresh_token_reused", user_id=session.user_id, ip=ip, session=str(session.id))
        return None
    return _signed_in(ctx, session, successor)


def end(ctx: Context, session: UserSession, *, because: str) -> None:
    """Nothing signed in with this session works any more."""
    session.revoked_at, session.revoked_because = ctx.now, because
    ctx.session.add(session)


def end_all(ctx: Context, user_id: UUID, *, because: str, except_for: UUID | None = None) -> int:
    """End every session of a user, but for one; return how many."""
    return rows_changed(
        ctx,
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.revoked_at).is_(None))
        .where(col(UserSession.id).is_distinct_from(except_for))
        .values(revoked_at=ctx.now, revoked_because=because),
    )


def rows_changed(ctx: Context, statement: UpdateBase) -> int:
    """Run a statement over many rows; return how many it touched."""
    result = ctx.session.connection().execute(statement)
    return result.rowcount


def access_token_of(refresh_token: str) -> str:
    """The access token handed out beside it: derived, so that it need not be stored."""
    return keyed_digest(refresh_token, purpose="access token")


def _store(ctx: Context, session: UserSession, refresh_token: str) -> None:
    access_digest = digest(access_token_of(refresh_token))
    ctx.session.add(
        RefreshToken(
            digest=digest(refresh_token),
            access_digest=access_digest,
            session_id=session.id,
            issued_at=ctx.now,
        )
    )


def _use(ctx: Context, token: RefreshToken, session: UserSession, successor: str) -> None:
    token.used_at = ctx.now
    session.last_seen_at = ctx.now
    session.access_expires_at = ctx.now + ACCESS
    session.expires_at = ctx.now + UNUSED
    ctx.session.add_all([token, session])
    _store(ctx, session, successor)


def _is_same_moment(ctx: Context, token: RefreshToken, successor: str) -> bool:
    """Two tabs, or a request repeated because its answer was lost."""
    following = ctx.session.get(RefreshToken, digest(successor))
    just_now = token.used_at is not None and ctx.now - token.used_at <= GRACE
    return just_now and following is not None and following.used_at is None


def _is_live(ctx: Context, session: UserSession) -> bool:
    user = ctx.session.get_one(User, session.user_id)
    ended = session.revoked_at is not None or session.expires_at <= ctx.now
    return not ended and user.disabled_at is None


def _signed_in(ctx: Context, session: UserSession, refresh_token: str) -> SignedIn:
    user = ctx.session.get_one(User, session.user_id)
    return SignedIn(
        user_id=session.user_id,
        session_id=session.id,
        access_token=access_token_of(refresh_token),
        refresh_token=refresh_token,
        access_expires_at=session.access_expires_at,
        expires_at=session.expires_at,
        must_enrol=user.platform_role == PlatformRole.SUPER_ADMIN and not session.second_factor,
    )

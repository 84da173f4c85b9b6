"""Registering, signing in and out, and looking after one's own account.

Nothing here tells whether an e-mail address has an account: the answers are equal and cost the same.
"""

import json
from uuid import UUID

from redis.exceptions import RedisError
from sqlmodel import col, select

from aerostic.core import queue
from aerostic.core.crypto import digest, new_token
from aerostic.core.errors import SignInNeeded, Unavailable
from aerostic.core.permissions import public
from aerostic.core.tenancy import Context
from aerostic.domain.identity import attempts, passwords, second_factor, sessions
from aerostic.domain.identity.models import RefreshToken, User, UserSession
from aerostic.domain.identity.sessions import Proven, SignedIn

TICKET_SECONDS = 30


class SignInRefused(SignInNeeded):
    """One answer for every cause: unknown address, wrong password, missing or wrong code, disabled."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__(
            "That did not work. Please check your e-mail address and password, and the code of your "
            "authenticator app if you use one."
        )


class TicketGone(SignInNeeded):
    code = "ticket_gone"


@public("whoever signs in is a stranger until then")
def prove(ctx: Context, email: str, password: str, code: str = "", *, ip: str = "") -> Proven:
    """Who someone is, by password and second factor. Raises SignInRefused, TooMany, Unavailable."""
    address = email.strip().lower()
    attempts.count(attempts.SIGN_INS_PER_ADDRESS, ip)
    attempts.count(attempts.SIGN_INS_PER_ACCOUNT, address)
    user = ctx.session.exec(select(User).where(User.email == address)).first()
    is_right = passwords.is_right(password, user.password_hash if user else None)
    if user is None or not is_right or user.disabled_at is not None:
        raise SignInRefused
    proven = Proven(user.id, second_factor=_pass_second_factor(ctx, user, code))
    if passwords.needs_upgrade(user.password_hash):
        user.password_hash = passwords.hashed(password)
        ctx.session.add(user)
    attempts.forget(attempts.SIGN_INS_PER_ACCOUNT, address)
    return proven


@public("the door has just proven who it is")
def open_session(ctx: Context, proven: Proven, *, ip: str = "", user_agent: str = "") -> SignedIn:
    """Sign in who has just proven who they are."""
    return sessions.opened(ctx, proven, ip=ip, user_agent=user_agent)


@public("whoever signs in is a stranger until then")
def sign_in(
    ctx: Context, email: str, password: str, code: str = "", *, ip: str = "", user_agent: str = ""
) -> SignedIn:
    """A session for a password and, where one is set up, a second factor. Raises as `prove` does."""
    return open_session(ctx, prove(ctx, email, password, code, ip=ip), ip=ip, user_agent=user_agent)


@public("the door has just proven who it is")
def issue_ticket(ctx: Context, proven: Proven) -> str:
    """A ticket that signs in the browser that brings it: once, within thirty seconds.

    For pages, which talk through a socket and so can not be handed a cookie.
    """
    ticket = new_token()
    body = json.dumps({"user_id": str(proven.user_id), "second_factor": proven.second_factor})
    try:
        queue.connection().set(_ticket_key(ticket), body, ex=TICKET_SECONDS)
    except RedisError as error:
        raise Unavailable(
            "Signing in is paused for a moment. Please try again in a minute."
        ) from error
    return ticket


@public("the ticket says who it is")
def redeem_ticket(ctx: Context, ticket: str, *, ip: str = "", user_agent: str = "") -> SignedIn:
    """The session that a ticket stands for. Raises TicketGone for one that is used, old or made up."""
    try:
        body = queue.connection().getdel(_ticket_key(ticket))
    except RedisError as error:
        raise Unavailable(
            "Signing in is paused for a moment. Please try again in a minute."
        ) from error
    if body is None:
        raise TicketGone("That took too long. Please sign in again.")
    told = json.loads(body)  # type: ignore[arg-type]
    proven = Proven(UUID(told["user_id"]), second_factor=told["second_factor"])
    return open_session(ctx, proven, ip=ip, user_agent=user_agent)


@public("the refresh token says who it is")
def refresh(ctx: Context, refresh_token: str, *, ip: str = "") -> SignedIn | None:
    """The next pair of tokens, or None. Commit in either case: None may have ended a stolen session."""
    return sessions.rotated(ctx, refresh_token, ip=ip)


@public("whoever holds a token may end its session")
def sign_out(ctx: Context, *, access_token: str = "", refresh_token: str = "") -> bool:
    """End the session of either token; False where there is none."""
    by_access = RefreshToken.access_digest == digest(access_token)
    by_refresh = RefreshToken.digest == digest(refresh_token)
    session = ctx.session.exec(
        select(UserSession)
        .join(RefreshToken, col(RefreshToken.session_id) == UserSession.id)
        .where(by_access | by_refresh, col(UserSession.revoked_at).is_(None))
    ).first()
    if session is None:
        return False
    sessions.end(ctx, session, because="signed out")
    return True


def _pass_second_factor(ctx: Context, user: User, code: str) -> bool:
    """True with a right code, False where none is set up. Raises SignInRefused."""
    if not second_factor.is_in_force(user):
        return False
    ctx.session.refresh(user, with_for_update=True)  # the same code, twice at once, works once
    if not second_factor.accepts(ctx, user, code):
        raise SignInRefused
    ctx.session.add(user)
    return True


def _ticket_key(ticket: str) -> str:
    return f"ticket:{digest(ticket)}"

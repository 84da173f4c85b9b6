"""Registering, signing in and out, and looking after one's own account.

Nothing here tells whether an e-mail address has an account: the answers are equal and cost the same.
"""

import json
from datetime import timedelta
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import delete, update
from sqlmodel import col, select

from aerostic.core import metrics, queue
from aerostic.core.crypto import digest, new_token
from aerostic.core.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    SignInNeeded,
)
from aerostic.core.permissions import (
    PLATFORM_POWER,
    ActorKind,
    Permission,
    PlatformRole,
    Power,
    public,
    require_power_over,
    requires,
)
from aerostic.core.tenancy import Context
from aerostic.domain.identity import (
    attempts,
    codes,
    mails,
    passwords,
    people,
    second_factor,
    sessions,
)
from aerostic.domain.identity.codes import WrongCode
from aerostic.domain.identity.models import (
    CodePurpose,
    RefreshToken,
    User,
    UserSession,
    VerificationCode,
)
from aerostic.domain.identity.second_factor import TotpSetup
from aerostic.domain.identity.sessions import Proven, SignedIn
from aerostic.domain.platform.alarms import raise_alarm

TICKET_SECONDS = 30
KEPT_AFTER_THE_END = timedelta(days=30)


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
    address = people.as_kept(email)
    _count_sign_in(address, ip)
    user = people.by_email(ctx, address)
    is_right = passwords.is_right(password, user.password_hash if user else None)
    if user is None or not is_right or user.disabled_at is not None:
        metrics.SIGN_INS.labels("refused").inc()
        raise SignInRefused
    proven = Proven(user.id, second_factor=_pass_second_factor(ctx, user, code))
    _upgrade(ctx, user, password)
    attempts.forget(attempts.SIGN_INS_PER_ACCOUNT, address)
    metrics.SIGN_INS.labels("proven").inc()
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
        queue.prompt_connection().set(_ticket_key(ticket), body, ex=TICKET_SECONDS)
    except RedisError as error:
        raise attempts.paused() from error
    return ticket


@public("the ticket says who it is")
def redeem_ticket(ctx: Context, ticket: str, *, ip: str = "", user_agent: str = "") -> SignedIn:
    """The session that a ticket stands for. Raises TicketGone for one that is used, old or made up."""
    try:
        body = queue.prompt_connection().getdel(_ticket_key(ticket))
    except RedisError as error:
        raise attempts.paused() from error
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


@public("whoever registers is a stranger until then")
def register(
    ctx: Context, *, email: str, password: str, name: str, workspace: str, ip: str = ""
) -> UUID:
    """Send a code by e-mail; nothing exists until it is confirmed. Returns the registration's id.

    An address that has an account gets another e-mail and a code that never fits. Raises Invalid, TooMany.
    """
    address = people.address(email)
    person, company = people.name(name), people.name(workspace, field="workspace")
    passwords.check_strength(password, email=address)
    _count_mail(address, ip)
    password_hash = passwords.hashed(password)
    pending = {
        "email": address,
        "name": person,
        "workspace": company,
        "password_hash": password_hash,
    }
    if people.by_email(ctx, address):
        registration_id, _ = codes.issue(ctx, CodePurpose.REGISTER, address, pending=None)
        mails.already_registered(ctx, address)
    else:
        registration_id, code = codes.issue(ctx, CodePurpose.REGISTER, address, pending=pending)
        mails.registration_code(ctx, address, person, code)
    return registration_id


@public("the code proves the address")
def confirm_registration(ctx: Context, registration_id: UUID, code: str, *, ip: str = "") -> Proven:
    """Make the user and their workspace. Raises WrongCode, TooMany."""
    pending = codes.redeem(ctx, CodePurpose.REGISTER, registration_id, code, ip=ip)
    user = people.add_user(
        ctx, email=pending["email"], name=pending["name"], password_hash=pending["password_hash"]
    )
    if user is None:  # registered twice, and the other one was confirmed first
        raise WrongCode
    people.found_workspace(ctx, name=pending["workspace"], owner_id=user.id)
    return Proven(user.id)


@public("who forgot their password can not sign in")
def forgot_password(ctx: Context, email: str, *, ip: str = "") -> UUID:
    """Send a code by e-mail. Returns the id to reset with, whether or not the address has an account."""
    address = people.address(email)
    _count_mail(address, ip)
    user = people.by_email(ctx, address)
    pending = {"user_id": str(user.id)} if user else None
    reset_id, code = codes.issue(ctx, CodePurpose.RESET_PASSWORD, address, pending=pending)
    if user:
        mails.reset_code(ctx, address, user.name, code)
    else:
        mails.nothing_to_reset(ctx, address)
    return reset_id


@public("the code proves the address")
def reset_password(ctx: Context, reset_id: UUID, code: str, password: str, *, ip: str = "") -> None:
    """A new password; every session ends. A second factor stays. Raises WrongCode, Invalid, TooMany."""
    pending = codes.redeem(ctx, CodePurpose.RESET_PASSWORD, reset_id, code, ip=ip)
    user = _locked(ctx, UUID(pending["user_id"]))
    _set_password(ctx, user, password)
    sessions.end_all(ctx, user.id, because="password reset")


@requires(Permission.PROFILE_MANAGE)
def rename_me(ctx: Context, name: str) -> None:
    """Change one's own name. Raises Invalid."""
    user = _self(ctx)
    user.name = people.name(name)
    ctx.session.add(user)


@requires(Permission.PROFILE_MANAGE)
def change_password(ctx: Context, current: str, new: str) -> None:
    """A new password; every other session ends. Raises Invalid."""
    user = _self(ctx)
    _check_own_password(user, current, field="current")
    _set_password(ctx, user, new)
    sessions.end_all(ctx, user.id, because="password changed", except_for=ctx.actor.session_id)


@requires(Permission.PROFILE_MANAGE)
def revoke_session(ctx: Context, session_id: UUID) -> None:
    """Sign out another browser, or this one. Raises NotFound for what is not one's own."""
    session = ctx.session.get(UserSession, session_id, with_for_update=True)
    if session is None or session.user_id != ctx.actor.user_id or session.revoked_at:
        raise NotFound("That session has ended already.")
    sessions.end(ctx, session, because="revoked by its user")


@requires(Permission.PROFILE_MANAGE)
def revoke_other_sessions(ctx: Context) -> int:
    """Sign out everywhere but here; returns how many sessions that ended."""
    user = _self(ctx)
    return sessions.end_all(
        ctx, user.id, because="revoked by its user", except_for=ctx.actor.session_id
    )


@requires(Permission.PROFILE_MANAGE)
def start_totp(ctx: Context, password: str) -> TotpSetup:
    """A secret for the authenticator app. It counts once a code of it is confirmed.

    Asks for the password: a session left open must not lock its owner out. Raises Invalid, Conflict.
    """
    user = _self(ctx)
    _check_own_password(user, password)
    if second_factor.is_in_force(user):
        raise Conflict("An authenticator app is set up already. Remove it first to use another.")
    setup = second_factor.begin(user)
    ctx.session.add(user)
    return setup


@requires(Permission.PROFILE_MANAGE)
def confirm_totp(ctx: Context, code: str) -> list[str]:
    """Put the authenticator app in force, and sign out elsewhere. Returns ten recovery codes, shown once."""
    user = _self(ctx)
    _count_check(user)
    if user.totp_secret_sealed is None or user.totp_confirmed_at is not None:
        raise Conflict("Please begin by scanning the picture again.")
    if not second_factor.accepts(ctx, user, code):
        raise WrongCode
    user.totp_confirmed_at = ctx.now
    recovery_codes = second_factor.new_recovery_codes(user)
    ctx.session.add(user)
    _has_second_factor(ctx)
    sessions.end_all(ctx, user.id, because="second factor set up", except_for=ctx.actor.session_id)
    mails.second_factor_changed(ctx, user.email, user.name, is_on=True)
    return recovery_codes


@requires(Permission.PROFILE_MANAGE)
def renew_recovery_codes(ctx: Context, password: str, code: str) -> list[str]:
    """Ten new recovery codes; the old ones stop working. Raises Invalid, WrongCode."""
    user = _self(ctx)
    _check_both_factors(ctx, user, password, code)
    recovery_codes = second_factor.new_recovery_codes(user)
    ctx.session.add(user)
    return recovery_codes


@requires(Permission.PROFILE_MANAGE)
def stop_totp(ctx: Context, password: str, code: str) -> None:
    """Remove the authenticator app. Raises Invalid, WrongCode; Refused for a super admin."""
    user = _self(ctx)
    if user.platform_role == PlatformRole.SUPER_ADMIN:
        raise Refused("Super admins can not go without a second factor.")
    _check_both_factors(ctx, user, password, code)
    second_factor.remove(user)
    ctx.session.add(user)
    mails.second_factor_changed(ctx, user.email, user.name, is_on=False)


@requires(Permission.PLATFORM_USERS)
def create_user(
    ctx: Context, *, email: str, name: str, password: str, platform_role: PlatformRole | None = None
) -> User:
    """A user without the e-mail code. Only the command line may give a platform role.

    Raises Invalid, Conflict, NotAllowed.
    """
    if platform_role and ctx.actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed("Platform roles are given on the command line of the server only.")
    address = people.address(email)
    passwords.check_strength(password, email=address)
    user = people.add_user(
        ctx,
        email=address,
        name=people.name(name),
        password_hash=passwords.hashed(password),
        platform_role=platform_role,
    )
    if user is None:
        raise Conflict("There is a user with that e-mail address already.")
    return user


@requires(Permission.PLATFORM_USERS)
def set_password(ctx: Context, email: str, password: str) -> None:
    """Give a user a new password and sign them out. Raises NotFound, Invalid, NotAllowed."""
    user = people.by_email(ctx, people.as_kept(email))
    if user is None:
        raise NotFound("There is no user with that e-mail address.")
    if ctx.actor.kind is not ActorKind.SYSTEM:
        require_power_over(ctx.actor, _platform_power(user))
    _set_password(ctx, user, password)
    sessions.end_all(ctx, user.id, because="password set by the platform")


@requires(Permission.PLATFORM_SECURITY)
def tidy(ctx: Context) -> int:
    """Delete what has been over for thirty days: sessions, their tokens, and codes. Returns how many rows."""
    long_ago = ctx.now - KEPT_AFTER_THE_END
    over = select(UserSession.id).where(
        (col(UserSession.expires_at) < long_ago) | (col(UserSession.revoked_at) < long_ago)
    )
    statements = (
        delete(RefreshToken).where(col(RefreshToken.session_id).in_(over)),
        delete(UserSession).where(col(UserSession.id).in_(over)),
        delete(VerificationCode).where(col(VerificationCode.expires_at) < long_ago),
    )
    return sum(sessions.rows_changed(ctx, one) for one in statements)


def _count_mail(address: str, ip: str) -> None:
    attempts.count(attempts.MAILS_PER_ADDRESS, attempts.network_of(ip))
    attempts.count(attempts.MAILS_PER_ACCOUNT, address)


def _self(ctx: Context) -> User:
    """The actor's own row, locked. Raises SignInNeeded."""
    if ctx.actor.user_id is None:
        raise SignInNeeded("Please sign in first.")
    return _locked(ctx, ctx.actor.user_id)


def _locked(ctx: Context, user_id: UUID) -> User:
    return ctx.session.get_one(User, user_id, with_for_update=True, populate_existing=True)


def _set_password(ctx: Context, user: User, password: str) -> None:
    passwords.check_strength(password, email=user.email)
    user.password_hash = passwords.hashed(password)
    ctx.session.add(user)
    mails.password_changed(ctx, user.email, user.name)


def _count_check(user: User) -> None:
    attempts.count(attempts.CHECKS_PER_USER, str(user.id))


def _check_own_password(user: User, password: str, *, field: str = "password") -> None:
    _count_check(user)
    if not passwords.is_right(password, user.password_hash):
        raise Invalid(field, "That is not your password.")


def _check_both_factors(ctx: Context, user: User, password: str, code: str) -> None:
    _check_own_password(user, password)
    if not second_factor.is_in_force(user):
        raise Conflict("No authenticator app is set up.")
    if not second_factor.accepts(ctx, user, code):
        raise WrongCode


def _has_second_factor(ctx: Context) -> None:
    """This session's holder has just shown a code."""
    session = ctx.session.get(UserSession, ctx.actor.session_id) if ctx.actor.session_id else None
    if session:
        session.second_factor = True
        ctx.session.add(session)


def _platform_power(user: User) -> int:
    return PLATFORM_POWER[PlatformRole(user.platform_role)] if user.platform_role else Power.NOBODY


def _count_sign_in(address: str, ip: str) -> None:
    attempts.count(attempts.SIGN_INS_PER_ADDRESS, attempts.network_of(ip))
    if attempts.count(attempts.SIGN_INS_PER_ACCOUNT, address) == 0:
        raise_alarm("sign_in_guesses", ip=ip, email=address)


def _upgrade(ctx: Context, user: User, password: str) -> None:
    """Hash the password at today's cost, unless it was changed since it was looked at."""
    if passwords.needs_upgrade(user.password_hash):
        unchanged = (col(User.id) == user.id) & (col(User.password_hash) == user.password_hash)
        new_hash = passwords.hashed(password)
        ctx.session.execute(update(User).where(unchanged).values(password_hash=new_hash))


def _pass_second_factor(ctx: Context, user: User, code: str) -> bool:
    """True with a right code, False where none is set up. Raises SignInRefused."""
    if not second_factor.is_in_force(user):
        return False
    ctx.session.refresh(user, with_for_update=True)  # the same code, twice at once, works once
    if not second_factor.accepts(ctx, user, code):
        metrics.SIGN_INS.labels("refused").inc()
        raise SignInRefused
    ctx.session.add(user)
    return True


def _ticket_key(ticket: str) -> str:
    return f"ticket:{digest(ticket)}"

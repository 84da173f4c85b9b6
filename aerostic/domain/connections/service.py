"""Connecting Google accounts, letting them go, and handing out access to what they allow.

Tokens lie sealed (AES-256-GCM, bound to their row and column). Nobody who is signed in ever gets one: only
the parts of the system that call Google, one access token at a time.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import crypto
from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.permissions import ActorKind, Permission, public, requires
from aerostic.core.tenancy import Context
from aerostic.domain.connections.models import (
    ConnectionStatus,
    GoogleAccountUse,
    GoogleConnection,
    OAuthState,
)
from aerostic.integrations.google import oauth
from aerostic.integrations.google.errors import GoogleProblem
from aerostic.integrations.google.oauth import Person, Scope, Tokens

STATE_LIVES = timedelta(minutes=15)
MOST_CONNECTIONS = 50
# An access token that ends sooner is renewed first: a step may take a minute.
MARGIN = timedelta(seconds=90)
# So long does one process have for asking Google; then another may.
REFRESH_LEASE = timedelta(seconds=30)
TITLES = {Scope.DRIVE: "Google Drive", Scope.SHEETS: "Google Sheets"}


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in under way that has just come back."""

    tenant_id: UUID
    user_id: UUID
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Disconnected:
    """`is_revoked`: the permission has ended at Google too. `is_shared`: another workspace uses the account,
    so it was left as it is there."""

    email: str
    is_revoked: bool
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Access:
    """An access token that is good for a while."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Errand:
    """Whoever gets this asks Google for a new access token, and nobody else does meanwhile."""

    ticket: UUID
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Underway:
    """Somebody else is asking Google right now."""


# Connecting


@requires(Permission.CONNECTIONS_MANAGE)
def begin(ctx: Context, scopes: Iterable[Scope], *, connection_id: UUID | None = None) -> str:
    """The address of Google's page for these permissions; `connection_id` to ask more of one account."""
    if not oauth.is_set_up():
        raise Refused(
            "This installation has no Google client yet. Its operator sets AEROSTIC_GOOGLE_CLIENT_ID "
            "and AEROSTIC_GOOGLE_CLIENT_SECRET."
        )
    wanted = set(scopes)
    if not wanted:
        raise Invalid("services", "Choose Google Drive, Google Sheets, or both.")
    if ctx.actor.user_id is None:
        raise NotAllowed("A Google account is connected by a person, in a browser.")
    known = _the_connection(ctx, connection_id) if connection_id else None
    if known is None:
        _check_room(ctx)
    state, verifier = crypto.new_token(), crypto.new_token(48)
    _remember(ctx, ctx.actor.user_id, state, verifier)
    hint = known.email if known else ""
    return oauth.consent_url(state=state, verifier=verifier, scopes=wanted, login_hint=hint)


def _check_room(ctx: Context) -> None:
    mine = col(GoogleConnection.tenant_id) == ctx.tenant_id
    count = ctx.session.scalar(select(func.count()).select_from(GoogleConnection).where(mine)) or 0
    if count >= MOST_CONNECTIONS:
        raise Refused(f"A workspace connects at most {MOST_CONNECTIONS} Google accounts.")


def _remember(ctx: Context, user_id: UUID, state: str, verifier: str) -> None:
    ctx.session.execute(delete(OAuthState).where(col(OAuthState.expires_at) < ctx.now))
    digest = crypto.digest(state)
    ctx.session.add(
        OAuthState(
            digest=digest,
            tenant_id=ctx.tenant_id,
            user_id=user_id,
            verifier_sealed=crypto.encrypt(verifier, bound_to=_place_of_state(digest)),
            expires_at=ctx.now + STATE_LIVES,
        )
    )


@public("Google brings a browser back with nothing but the state; it counts for whoever began only")
def take_state(ctx: Context, state: str, *, user_id: UUID) -> Pending:
    """The sign-in that this state began, once, for the person who began it. Raises Refused."""
    digest = crypto.digest(state)
    this = (col(OAuthState.digest) == digest, col(OAuthState.user_id) == user_id)
    found = ctx.session.execute(
        delete(OAuthState)
        .where(*this)
        .returning(
            col(OAuthState.tenant_id), col(OAuthState.verifier_sealed), col(OAuthState.expires_at)
        )
    ).one_or_none()
    if found is None or found[2] < ctx.now:
        raise Refused("This sign-in at Google is too old, or was used already. Please begin again.")
    return Pending(found[0], user_id, crypto.decrypt(found[1], bound_to=_place_of_state(digest)))


@requires(Permission.CONNECTIONS_MANAGE)
def finish(ctx: Context, pending: Pending, code: str) -> GoogleConnection:
    """Trade Google's code, see what was granted, and keep it. Raises Refused, GoogleProblem."""
    ctx.release()
    tokens = asyncio.run(oauth.trade_code(code, pending.verifier))
    granted = [scope for scope in Scope if scope in tokens.scopes]
    if not granted:
        raise Refused(
            "Nothing was allowed at Google. Begin again, and leave Drive or Sheets ticked."
        )
    person = asyncio.run(oauth.person(tokens.access))
    connection = _of_person(ctx, person)
    if not tokens.refresh and not connection.refresh_token_sealed:
        raise Refused("Google gave no lasting permission. Please begin again.")
    connection.email, connection.name = person.email, person.name
    connection.scopes = [str(scope) for scope in granted]
    connection.status, connection.problem = ConnectionStatus.CONNECTED, ""
    connection.connected_by, connection.updated_at = ctx.actor.user_id, ctx.now
    _keep(ctx, connection, tokens)
    ctx.session.add(connection)
    ctx.write_unless_taken(Conflict("This account is being connected twice. Please try again."))
    _note_use(ctx, connection)
    ctx.announce("connection", connection.id)
    return connection


def _of_person(ctx: Context, person: Person) -> GoogleConnection:
    """The row of this account, locked, or a new one."""
    mine = col(GoogleConnection.tenant_id) == ctx.tenant_id
    this = select(GoogleConnection).where(mine, col(GoogleConnection.subject) == person.subject)
    found = ctx.session.exec(this.with_for_update()).one_or_none()
    return found or GoogleConnection(subject=person.subject, email=person.email)


def _keep(ctx: Context, connection: GoogleConnection, tokens: Tokens) -> None:
    connection.access_token_sealed = _seal(connection.id, "access", tokens.access)
    connection.access_until = ctx.now + timedelta(seconds=tokens.seconds)
    if tokens.refresh:
        connection.refresh_token_sealed = _seal(connection.id, "refresh", tokens.refresh)
    connection.refreshed_by, connection.refreshing_until = None, None


def _note_use(ctx: Context, connection: GoogleConnection) -> None:
    row = {
        "account_digest": _digest_of(connection.subject),
        "connection_id": connection.id,
        "tenant_id": ctx.tenant_id,
    }
    ctx.session.execute(insert(GoogleAccountUse).values(row).on_conflict_do_nothing())


# Letting go


@requires(Permission.CONNECTIONS_MANAGE)
def disconnect(ctx: Context, connection_id: UUID) -> Disconnected:
    """Forget the account's tokens, and end the permission at Google unless another workspace uses it.

    The tokens are gone whatever Google answers. Steps that used the account fail from now on and say why.
    """
    connection = _the_connection(ctx, connection_id, for_update=True)
    token = _open(connection, "refresh") if connection.refresh_token_sealed else ""
    is_shared = _end_use(ctx, connection)
    email = connection.email
    ctx.session.delete(connection)
    ctx.announce("connection", connection_id)
    ctx.release()
    return Disconnected(email, bool(token) and not is_shared and _revoke(token), is_shared)


def _end_use(ctx: Context, connection: GoogleConnection) -> bool:
    """Take this use out of the directory; whether others are left. Two who leave at once see each other."""
    this = col(GoogleAccountUse.account_digest) == _digest_of(connection.subject)
    uses = ctx.session.exec(select(GoogleAccountUse).where(this).with_for_update()).all()
    for use in uses:
        if use.connection_id == connection.id:
            ctx.session.delete(use)
    return any(use.connection_id != connection.id for use in uses)


def _revoke(token: str) -> bool:
    try:
        asyncio.run(oauth.revoke(token))
    except GoogleProblem:
        return False
    return True


# Access, for the parts of the system that call Google


@requires(Permission.AUTOMATION_RUN)
def claim_access(ctx: Context, connection_id: UUID, scope: Scope) -> Access | Errand | Underway:
    """Access that is good for a while, or the errand to fetch it, or that somebody is on that errand.

    Raises Refused where the account does not allow it, NotFound where it is not connected any more.
    """
    _check_is_system(ctx)
    connection = ctx.get(GoogleConnection, connection_id, for_update=True)
    if connection is None:
        raise NotFound("The Google account that this uses is not connected any more.")
    if connection.status == ConnectionStatus.NEEDS_ATTENTION:
        raise Refused(f"{connection.email}: {connection.problem}")
    if scope not in connection.scopes:
        raise Refused(
            f"{connection.email} was connected without {TITLES[scope]}. Connect it again under "
            "Settings, Connections, and allow it."
        )
    if connection.access_until and connection.access_until > ctx.now + MARGIN:
        return Access(_open(connection, "access"))
    if connection.refreshing_until and connection.refreshing_until > ctx.now:
        return Underway()
    connection.refreshed_by, connection.refreshing_until = new_id(), ctx.now + REFRESH_LEASE
    return Errand(connection.refreshed_by, _open(connection, "refresh"))


@requires(Permission.AUTOMATION_RUN)
def keep_access(ctx: Context, connection_id: UUID, ticket: UUID, tokens: Tokens) -> None:
    """What the errand brought. It counts even if the errand took too long: the token is a good one."""
    _check_is_system(ctx)
    connection = ctx.get(GoogleConnection, connection_id, for_update=True)
    if connection is not None and connection.refreshed_by == ticket:
        _keep(ctx, connection, tokens)


@requires(Permission.AUTOMATION_RUN)
def give_up_errand(ctx: Context, connection_id: UUID, ticket: UUID, *, ended: str = "") -> None:
    """Nothing was brought. `ended`: the permission is gone, in a sentence, until a person connects again."""
    _check_is_system(ctx)
    connection = ctx.get(GoogleConnection, connection_id, for_update=True)
    if connection is None or connection.refreshed_by != ticket:
        return
    connection.refreshed_by, connection.refreshing_until = None, None
    if ended:
        connection.status, connection.problem = ConnectionStatus.NEEDS_ATTENTION, ended
        connection.access_until, connection.updated_at = None, ctx.now
        ctx.announce("connection", connection.id)


@requires(Permission.AUTOMATION_RUN)
def drop_access(ctx: Context, connection_id: UUID, token: str) -> None:
    """Google did not take this access token: whoever comes next fetches another, unless it is there."""
    _check_is_system(ctx)
    connection = ctx.get(GoogleConnection, connection_id, for_update=True)
    if connection is None or connection.access_until is None:
        return
    if crypto.same(_open(connection, "access"), token):
        connection.access_until = None


def _check_is_system(ctx: Context) -> None:
    if ctx.actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed("Connected accounts are used by workflows. Nobody can read their tokens.")


def _the_connection(
    ctx: Context, connection_id: UUID, *, for_update: bool = False
) -> GoogleConnection:
    found = ctx.get(GoogleConnection, connection_id, for_update=for_update)
    if found is None:
        raise NotFound("That Google account is not connected here any more.")
    return found


def _digest_of(subject: str) -> str:
    return crypto.keyed_digest(subject, purpose="google account")


def _seal(connection_id: UUID, which: str, token: str) -> str:
    return crypto.encrypt(token, bound_to=_place(connection_id, which))


def _open(connection: GoogleConnection, which: str) -> str:
    sealed = getattr(connection, f"{which}_token_sealed")
    return crypto.decrypt(sealed, bound_to=_place(connection.id, which))


def _place(connection_id: UUID, which: str) -> str:
    return f"google_connections.{which}_token_sealed.{connection_id}"


def _place_of_state(digest: str) -> str:
    return f"oauth_states.verifier_sealed.{digest}"

"""Looking at people: who sends this request, and where they are signed in."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.crypto import digest
from aerostic.core.errors import NotAllowed
from aerostic.core.permissions import (
    Actor,
    ActorKind,
    Permission,
    PlatformRole,
    Power,
    Role,
    member,
    platform_staff,
    public,
    requires,
)
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import (
    Membership,
    RefreshToken,
    Tenant,
    TenantStatus,
    User,
    UserSession,
)
from aerostic.domain.identity.sessions import ACCESS


class WorkspaceSuspended(NotAllowed):
    """The tenant stands still, by a decision of the platform's staff."""

    code = "workspace_suspended"


class SecondFactorNeeded(NotAllowed):
    """A super admin without a second factor may do one thing: set one up."""

    code = "second_factor_needed"


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """A user's place in a workspace."""

    role: Role
    name: str
    slug: str
    status: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends this request."""

    user_id: UUID
    name: str
    email: str
    session_id: UUID
    platform_role: PlatformRole | None
    memberships: dict[UUID, MembershipRow]
    second_factor: bool

    @property
    def must_enrol(self) -> bool:
        """Super admins work with a second factor or not at all."""
        return self.platform_role == PlatformRole.SUPER_ADMIN and not self.second_factor

    def actor_in(self, tenant_id: UUID, ip: str = "") -> Actor | None:
        """The member acting in a workspace, or None for who is no member.

        Raises WorkspaceSuspended, SecondFactorNeeded.
        """
        membership = self.memberships.get(tenant_id)
        if membership is None:
            return None
        self._require_second_factor()
        if membership.status == TenantStatus.SUSPENDED:
            raise WorkspaceSuspended(
                f"The workspace “{membership.name}” is suspended. Its data is safe; please contact "
                "support to have it opened again."
            )
        return member(self.user_id, self.name, membership.role, session_id=self.session_id, ip=ip)

    def platform_actor(self, ip: str = "") -> Actor | None:
        """One of the platform's staff acting outside of any workspace, or None for who is not."""
        if self.platform_role is None:
            return None
        self._require_second_factor()
        return platform_staff(
            self.user_id, self.name, self.platform_role, session_id=self.session_id, ip=ip
        )

    def personal_actor(self, ip: str = "") -> Actor:
        """Someone acting on nothing but their own account."""
        own = frozenset({Permission.PROFILE_MANAGE})
        return Actor(
            ActorKind.USER, self.name, own, Power.NOBODY, self.user_id, self.session_id, ip
        )

    def _require_second_factor(self) -> None:
        if self.must_enrol:
            raise SecondFactorNeeded(
                "Super admins need a second factor. Please set up your authenticator app first."
            )


@public("finds out who sends a request, before anything else is known")
def principal(ctx: Context, access_token: str) -> Principal | None:
    """Who holds this access token, or None: unknown, expired, signed out, or disabled."""
    tokens = [access_token]
    return _holders(ctx, tokens, RefreshToken.issued_at, ctx.now - ACCESS).get(access_token)


@public("finds out whose page sends an event, before anything else is known")
def socket_principals(ctx: Context, access_tokens: Collection[str]) -> dict[str, Principal]:
    """As `principal`, for pages that are open already, by token.

    A socket's cookie is frozen at the moment it connected. So any token of the session will do, as long
    as the page keeps refreshing it.
    """
    return _holders(ctx, access_tokens, UserSession.access_expires_at, ctx.now)


def _holders(
    ctx: Context, access_tokens: Collection[str], fresh: object, since: datetime
) -> dict[str, Principal]:
    digests = {digest(token): token for token in access_tokens}
    found = ctx.session.exec(
        select(RefreshToken.access_digest, UserSession, User)
        .join(UserSession, col(RefreshToken.session_id) == UserSession.id)
        .join(User, col(User.id) == UserSession.user_id)
        .where(col(RefreshToken.access_digest).in_(digests))
        .where(col(UserSession.revoked_at).is_(None), UserSession.expires_at > ctx.now)
        .where(col(User.disabled_at).is_(None), col(fresh) > since)
    ).all()
    memberships = _memberships(ctx, {user.id for _, _, user in found})
    return {
        digests[stored]: _principal(session, user, memberships[user.id])
        for stored, session, user in found
    }


def _principal(
    session: UserSession, user: User, memberships: dict[UUID, MembershipRow]
) -> Principal:
    return Principal(
        user_id=user.id,
        name=user.name,
        email=user.email,
        session_id=session.id,
        platform_role=PlatformRole(user.platform_role) if user.platform_role else None,
        memberships=memberships,
        second_factor=session.second_factor,
    )


def _memberships(
    ctx: Context, user_ids: Collection[UUID]
) -> defaultdict[UUID, dict[UUID, MembershipRow]]:
    """Each user's workspaces, by name."""
    found: defaultdict[UUID, dict[UUID, MembershipRow]] = defaultdict(dict)
    if not user_ids:
        return found
    rows = ctx.session.exec(
        select(Membership, Tenant)
        .join(Tenant, col(Tenant.id) == Membership.tenant_id)
        .where(col(Membership.user_id).in_(user_ids))
        .order_by(Tenant.name, col(Tenant.id))
    )
    for one, tenant in rows:
        place = MembershipRow(Role(one.role), tenant.name, tenant.slug, tenant.status)
        found[one.user_id][tenant.id] = place
    return found


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser or program in which one is signed in."""

    id: UUID
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


@requires(Permission.PROFILE_MANAGE)
def sessions(ctx: Context) -> list[SessionRow]:
    """Where the actor is signed in, this one first, then the latest."""
    rows = ctx.session.exec(
        select(UserSession)
        .where(UserSession.user_id == ctx.actor.user_id, UserSession.expires_at > ctx.now)
        .where(col(UserSession.revoked_at).is_(None))
        .order_by(col(UserSession.last_seen_at).desc(), col(UserSession.id))
        .limit(100)
    )
    shown = [_session_row(row, ctx.actor) for row in rows]
    return sorted(shown, key=lambda row: not row.is_current)


def _session_row(row: UserSession, actor: Actor) -> SessionRow:
    return SessionRow(
        row.id,
        row.ip,
        row.user_agent,
        row.created_at,
        row.last_seen_at,
        row.id == actor.session_id,
    )


@dataclass(frozen=True, slots=True)
class Profile:
    """One's own account."""

    id: UUID
    name: str
    email: str
    has_second_factor: bool
    recovery_codes_left: int


@requires(Permission.PROFILE_MANAGE)
def profile(ctx: Context) -> Profile:
    """The actor's own account."""
    user = ctx.session.get_one(User, ctx.actor.user_id)
    return Profile(
        user.id,
        user.name,
        user.email,
        user.totp_confirmed_at is not None,
        len(user.recovery_code_digests),
    )

"""Who may do what. One list of permissions, one ladder of power, one gate.

Power is a number: nobody acts on, invites, promotes or impersonates anyone at or above their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from aerostic.core.errors import NotAllowed

if TYPE_CHECKING:
    from aerostic.core.tenancy import Context

P = ParamSpec("P")
R = TypeVar("R")


class Permission(StrEnum):
    """What a person, a key or a system actor may do. `platform:` ones are for the platform's staff."""

    WORKSPACE_READ = "workspace:read"
    WORKSPACE_MANAGE = "workspace:manage"
    PROFILE_MANAGE = "profile:manage"
    TEAM_READ = "team:read"
    TEAM_MANAGE = "team:manage"
    NUMBERS_READ = "numbers:read"
    NUMBERS_MANAGE = "numbers:manage"
    INBOX_READ = "inbox:read"
    INBOX_REPLY = "inbox:reply"
    INBOX_MANAGE = "inbox:manage"
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    CONTACTS_IMPORT = "contacts:import"
    CONTACTS_EXPORT = "contacts:export"
    CONTACTS_ERASE = "contacts:erase"
    TEMPLATES_READ = "templates:read"
    TEMPLATES_MANAGE = "templates:manage"
    AUTOMATION_READ = "automation:read"
    AUTOMATION_MANAGE = "automation:manage"
    AUTOMATION_RUN = "automation:run"
    AI_READ = "ai:read"
    AI_MANAGE = "ai:manage"
    CONNECTIONS_READ = "connections:read"
    CONNECTIONS_MANAGE = "connections:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"
    BILLING_READ = "billing:read"
    BILLING_MANAGE = "billing:manage"
    ANALYTICS_READ = "analytics:read"
    METRICS_FOLD = "metrics:fold"
    DELIVERIES_APPLY = "deliveries:apply"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_MANAGE = "campaigns:manage"
    CAMPAIGNS_LAUNCH = "campaigns:launch"
    CAMPAIGNS_APPROVE = "campaigns:approve"
    MESSAGES_SEND = "messages:send"
    MEDIA_STORE = "media:store"
    PLATFORM_DELIVERIES = "platform:deliveries"
    PLATFORM_TENANTS = "platform:tenants"
    PLATFORM_USERS = "platform:users"
    PLATFORM_SECURITY = "platform:security"
    PLATFORM_PRICES = "platform:prices"


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"


class PlatformRole(StrEnum):
    SUPER_ADMIN = "super_admin"
    PLATFORM_ADMIN = "platform_admin"


class Power(IntEnum):
    SUPER_ADMIN = 100
    PLATFORM_ADMIN = 80
    OWNER = 60
    ADMIN = 40
    AGENT = 20
    NOBODY = 0


ROLE_POWER = {Role.OWNER: Power.OWNER, Role.ADMIN: Power.ADMIN, Role.AGENT: Power.AGENT}
PLATFORM_POWER = {
    PlatformRole.SUPER_ADMIN: Power.SUPER_ADMIN,
    PlatformRole.PLATFORM_ADMIN: Power.PLATFORM_ADMIN,
}

_AGENT = frozenset(
    {
        Permission.WORKSPACE_READ,
        Permission.PROFILE_MANAGE,
        Permission.TEAM_READ,
        Permission.NUMBERS_READ,
        Permission.INBOX_READ,
        Permission.INBOX_REPLY,
        Permission.CONTACTS_READ,
        Permission.CONTACTS_WRITE,
        Permission.TEMPLATES_READ,
    }
)
_ADMIN = _AGENT | {
    Permission.INBOX_MANAGE,
    Permission.CONTACTS_IMPORT,
    Permission.CONTACTS_EXPORT,
    Permission.TEMPLATES_MANAGE,
    Permission.AUTOMATION_READ,
    Permission.AUTOMATION_MANAGE,
    Permission.AUTOMATION_RUN,
    Permission.AI_READ,
    Permission.AI_MANAGE,
    Permission.CONNECTIONS_READ,
    Permission.CONNECTIONS_MANAGE,
    Permission.CAMPAIGNS_READ,
    Permission.CAMPAIGNS_MANAGE,
    Permission.CAMPAIGNS_LAUNCH,
    Permission.ANALYTICS_READ,
}
_OWNER = _ADMIN | {
    Permission.WORKSPACE_MANAGE,
    Permission.TEAM_MANAGE,
    Permission.NUMBERS_MANAGE,
    Permission.CONTACTS_ERASE,
    Permission.WEBHOOKS_MANAGE,
    Permission.CAMPAIGNS_APPROVE,
    Permission.BILLING_READ,
    Permission.BILLING_MANAGE,
}
_PLATFORM_ADMIN = frozenset(
    {
        Permission.PROFILE_MANAGE,
        Permission.PLATFORM_DELIVERIES,
        Permission.PLATFORM_TENANTS,
        Permission.PLATFORM_USERS,
        Permission.PLATFORM_SECURITY,
        Permission.PLATFORM_PRICES,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.AGENT: _AGENT,
}
PLATFORM_PERMISSIONS: dict[PlatformRole, frozenset[Permission]] = {
    PlatformRole.SUPER_ADMIN: _PLATFORM_ADMIN,
    PlatformRole.PLATFORM_ADMIN: _PLATFORM_ADMIN,
}


class ActorKind(StrEnum):
    USER = "user"
    SYSTEM = "system"
    API_KEY = "api_key"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting: a member, a member of the platform's staff, or a named part of the system."""

    kind: ActorKind
    name: str
    permissions: frozenset[Permission]
    power: int = Power.NOBODY
    user_id: UUID | None = None
    session_id: UUID | None = None
    ip: str = ""

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def member(
    user_id: UUID,
    name: str,
    role: Role,
    *,
    session_id: UUID | None = None,
    ip: str = "",
) -> Actor:
    """A user acting inside a tenant, with what their role there allows."""
    return Actor(
        ActorKind.USER,
        name,
        ROLE_PERMISSIONS[role],
        ROLE_POWER[role],
        user_id,
        session_id,
        ip,
    )


def platform_staff(
    user_id: UUID,
    name: str,
    role: PlatformRole,
    *,
    session_id: UUID | None = None,
    ip: str = "",
) -> Actor:
    """One of the platform's own staff, outside of any tenant."""
    permissions, power = PLATFORM_PERMISSIONS[role], PLATFORM_POWER[role]
    return Actor(ActorKind.USER, name, permissions, power, user_id, session_id, ip)


def system(name: str, *permissions: Permission) -> Actor:
    """A part of the system, such as `deliveries` or `sender`, with just what its work needs."""
    return Actor(ActorKind.SYSTEM, name, frozenset(permissions), Power.NOBODY)


STRANGER = Actor(ActorKind.STRANGER, "a visitor", frozenset())


def requires(
    permission: Permission,
) -> Callable[[Callable[Concatenate["Context", P], R]], Callable[Concatenate["Context", P], R]]:
    """Refuse the call unless the actor holds `permission`. Every public domain function has one."""

    def decorate(
        action: Callable[Concatenate["Context", P], R],
    ) -> Callable[Concatenate["Context", P], R]:
        @wraps(action)
        def checked(ctx: "Context", /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not ctx.actor.may(permission):
                raise NotAllowed("Your role here does not include that. An owner can change it.")
            return action(ctx, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def public(why: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The only alternative to `requires`: open to strangers, for the reason given."""

    def decorate(action: Callable[P, R]) -> Callable[P, R]:
        action.public = why  # type: ignore[attr-defined]
        return action

    return decorate


def gate_of(action: Callable[..., Any]) -> Permission | str | None:
    """What guards a domain function: its permission, the reason why it is public, or nothing."""
    return getattr(action, "permission", None) or getattr(action, "public", None)


def require_power_over(actor: Actor, power: int) -> None:
    """Refuse to act on someone at or above the actor's own power."""
    if actor.power <= power:
        raise NotAllowed("You can not change someone whose role is equal to or above yours.")

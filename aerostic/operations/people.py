"""Users and workspaces without a browser. Passwords are made here and shown once."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import select

from aerostic.core.errors import NotFound
from aerostic.core.permissions import Permission, PlatformRole, system
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import people, service
from aerostic.domain.identity.models import Tenant
from aerostic.domain.plans import service as plans
from aerostic.domain.tenants import service as tenants

OPERATOR = system("command line", Permission.PLATFORM_USERS, Permission.PLATFORM_TENANTS)


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who was made. The password is nowhere else."""

    email: str
    password: str


def new_password() -> str:
    return secrets.token_urlsafe(15)


def create_user(email: str, name: str, *, super_admin: bool) -> NewUser:
    """A user who can sign in at once."""
    password = new_password()
    role = PlatformRole.SUPER_ADMIN if super_admin else None
    with shared_work(OPERATOR) as ctx:
        user = service.create_user(
            ctx, email=email, name=name, password=password, platform_role=role
        )
        return NewUser(user.email, password)


def reset_password(email: str) -> NewUser:
    """A new password; whoever was signed in with the old one is signed out."""
    password = new_password()
    with shared_work(OPERATOR) as ctx:
        service.set_password(ctx, email, password)
    return NewUser(email, password)


def give_plan(slug: str, plan: str, until: date | None) -> None:
    """A workspace's plan from now on; a trial ends at the end of that day (UTC), if one is given."""
    ends_at = datetime.combine(until, time(), UTC) + timedelta(days=1) if until else None
    with shared_work(OPERATOR) as ctx:
        found = ctx.session.exec(select(Tenant.id).where(Tenant.slug == slug)).one_or_none()
        if found is None:
            raise NotFound(f"There is no workspace “{slug}”.")
        plans.assign(ctx, found, plan, trial_ends_at=ends_at)


def make_default_plan(plan: str) -> None:
    """The plan of every workspace that was given none."""
    with shared_work(OPERATOR) as ctx:
        plans.make_default(ctx, plan)


def create_tenant(name: str, *, owner: str, slug: str | None) -> tuple[str, NewUser | None]:
    """A workspace, and its owner where there is no such user yet. Returns its slug."""
    with shared_work(OPERATOR) as ctx:
        user, made = people.by_email(ctx, owner.strip().lower()), None
        if user is None:
            made = NewUser(owner, new_password())
            user = service.create_user(
                ctx, email=owner, name=owner.partition("@")[0], password=made.password
            )
        tenant = tenants.create_tenant(ctx, name, owner_id=user.id, slug=slug)
        return tenant.slug, made

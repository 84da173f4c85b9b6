"""What an e-mail address and a name are, and how a user and a workspace come to be."""

import re
import unicodedata
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select

from aerostic.core.crypto import new_digits
from aerostic.core.errors import Invalid
from aerostic.core.permissions import PlatformRole, Role
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Membership, Tenant, User

LONGEST_NAME = 80


def address(typed: str) -> str:
    """An e-mail address as it is kept: checked, in lower case. Raises Invalid."""
    try:
        checked = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid("email", "That does not look like an e-mail address.") from error
    return checked.normalized.lower()


def as_kept(typed: str) -> str:
    """How an address would be kept, for looking it up. What is no address finds nobody."""
    try:
        return address(typed)
    except Invalid:
        return typed.strip().lower().replace("\0", "")


def name(typed: str, *, field: str = "name") -> str:
    """A name of a person or a workspace, without what can not be seen. Raises Invalid."""
    visible = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in typed[:1000])
    tidy = " ".join(visible.split())
    if not tidy:
        raise Invalid(field, "Please enter a name.")
    if len(tidy) > LONGEST_NAME or len(typed) > 1000:
        raise Invalid(field, f"Please use at most {LONGEST_NAME} characters.")
    return tidy


def by_email(ctx: Context, email: str) -> User | None:
    return ctx.session.exec(select(User).where(User.email == email)).first()


def add_user(
    ctx: Context,
    *,
    email: str,
    name: str,
    password_hash: str,
    platform_role: PlatformRole | None = None,
) -> User | None:
    """A new user, or None if the address has one already, be it since a moment ago."""
    user = User(email=email, name=name, password_hash=password_hash, platform_role=platform_role)
    added = ctx.session.execute(
        insert(User).values(**user.model_dump()).on_conflict_do_nothing().returning(User.id)  # type: ignore[call-overload]
    ).first()
    return ctx.session.get_one(User, user.id) if added else None


def found_workspace(ctx: Context, *, name: str, owner_id: UUID, slug: str | None = None) -> Tenant:
    """A new workspace with its owner."""
    # One at a time, so that two of the same name do not take the same short name.
    ctx.session.execute(text("select pg_advisory_xact_lock(hashtext('tenants.slug'))"))
    tenant = Tenant(name=name, slug=_free_slug(ctx, slug or _slug_of(name)))
    ctx.session.add(tenant)
    ctx.session.flush()
    ctx.session.add(Membership(tenant_id=tenant.id, user_id=owner_id, role=Role.OWNER))
    return tenant


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "workspace"


def _free_slug(ctx: Context, wanted: str) -> str:
    slug = wanted
    while ctx.session.exec(select(Tenant.id).where(Tenant.slug == slug)).first():
        slug = f"{wanted}-{new_digits(4)}"
    return slug

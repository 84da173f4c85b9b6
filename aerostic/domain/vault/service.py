"""Every way in which a secret changes, and the one way in which it is opened."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from aerostic.core import crypto
from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from aerostic.core.permissions import ActorKind, Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.vault.models import Secret

LONGEST_NAME = 60
LONGEST_VALUE = 8_000
MOST_SECRETS = 200
MOST_HOSTS = 20
USED_ANEW = timedelta(minutes=1)  # a busy workflow does not write the row at each call

_HOST = re.compile(
    r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)


class Keep(Enum):
    """Stands for what a change leaves as it is."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


@dataclass(frozen=True, slots=True)
class Opened:
    """A secret in the clear, for one call. Its text never shows it."""

    name: str
    value: str
    hosts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Opened({self.name})"

    def check_host(self, host: str) -> None:
        """Raise Refused unless it may be sent there."""
        if self.hosts and not any(_covers(one, host.lower()) for one in self.hosts):
            raise Refused(f"The secret “{self.name}” may not be sent to {host}.")


@requires(Permission.CONNECTIONS_MANAGE)
def create(ctx: Context, name: str, value: str, *, hosts: Sequence[str] = ()) -> Secret:
    """Keep a secret. Its value can be replaced later, and never be read."""
    count = select(func.count()).where(col(Secret.tenant_id) == ctx.tenant_id)
    if (ctx.session.scalar(count) or 0) >= MOST_SECRETS:
        raise Refused(f"A workspace keeps at most {MOST_SECRETS} secrets. Delete one first.")
    secret = Secret(
        name=_name(ctx, name), sealed="", hosts=_hosts(hosts), made_by=ctx.actor.user_id
    )
    secret.sealed = _seal(secret.id, value)
    ctx.session.add(secret)
    ctx.write_unless_taken(_taken(secret.name))
    ctx.announce("secret", secret.id)
    return secret


@requires(Permission.CONNECTIONS_MANAGE)
def change(
    ctx: Context,
    secret_id: UUID,
    *,
    name: str | Keep = KEEP,
    value: str | Keep = KEEP,
    hosts: Sequence[str] | Keep = KEEP,
) -> Secret:
    """Rename it, give it another value, or say where it may be sent.

    Who widens where it may be sent must know the value: else a member could send it to themselves.
    """
    secret = _the_secret(ctx, secret_id, for_update=True)
    if hosts is not KEEP:
        _change_hosts(secret, _hosts(hosts), has_value=value is not KEEP)
    if name is not KEEP:
        secret.name = _name(ctx, name, besides=secret.id)
    if value is not KEEP:
        secret.sealed = _seal(secret.id, value)
    secret.changed_at = ctx.now
    ctx.write_unless_taken(_taken(secret.name))
    ctx.announce("secret", secret.id)
    return secret


@requires(Permission.CONNECTIONS_MANAGE)
def delete(ctx: Context, secret_id: UUID) -> None:
    """Forget a secret. What uses it fails from now on, and says why."""
    ctx.session.delete(_the_secret(ctx, secret_id))
    ctx.announce("secret", secret_id)


@requires(Permission.AUTOMATION_RUN)
def open_for_use(ctx: Context, secret_id: UUID) -> Opened:
    """The value, for a part of the system that is about to use it. No person and no key gets it."""
    if ctx.actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed("Secrets are used by workflows. Nobody can read them.")
    secret = _the_secret(ctx, secret_id)
    if secret.used_at is None or ctx.now - secret.used_at > USED_ANEW:
        secret.used_at = ctx.now
    value = crypto.decrypt(secret.sealed, bound_to=_place(secret.id))
    return Opened(secret.name, value, tuple(secret.hosts))


def _the_secret(ctx: Context, secret_id: UUID, *, for_update: bool = False) -> Secret:
    """Raises NotFound."""
    found = ctx.get(Secret, secret_id, for_update=for_update)
    if found is None:
        raise NotFound("That secret no longer exists.")
    return found


def _change_hosts(secret: Secret, hosts: list[str], *, has_value: bool) -> None:
    is_wider = bool(secret.hosts) and (not hosts or not set(hosts) <= set(secret.hosts))
    if is_wider and not has_value:
        raise Invalid("value", "Enter the secret again to allow it in more places.")
    secret.hosts = hosts


def _name(ctx: Context, typed: str, *, besides: UUID | None = None) -> str:
    name = " ".join(typed.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid("name", f"A secret's name has 1 to {LONGEST_NAME} characters.")
    same = select(Secret.id).where(
        col(Secret.tenant_id) == ctx.tenant_id, func.lower(Secret.name) == name.lower()
    )
    if set(ctx.session.exec(same)) - {besides}:
        raise _taken(name)
    return name


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a secret “{name}” already.", code="secret_exists")


def _seal(secret_id: UUID, value: str) -> str:
    if not value.strip():
        raise Invalid("value", "Enter the secret.")
    if len(value) > LONGEST_VALUE or any(sign in value for sign in "\x00\r\n"):
        raise Invalid("value", f"A secret is one line of at most {LONGEST_VALUE:,} characters.")
    return crypto.encrypt(value.strip(), bound_to=_place(secret_id))


def _place(secret_id: UUID) -> str:
    return f"secrets.sealed.{secret_id}"


def _hosts(given: Sequence[str]) -> list[str]:
    hosts = list(dict.fromkeys(one.strip().lower() for one in given if one.strip()))
    if len(hosts) > MOST_HOSTS:
        raise Invalid("hosts", f"Name at most {MOST_HOSTS} places.")
    for host in hosts:
        if len(host) > 253 or not _HOST.fullmatch(host):
            raise Invalid("hosts", f"“{host[:60]}” is not a host. Write it like api.example.com.")
    return hosts


def _covers(allowed: str, host: str) -> bool:
    """`*.example.com` covers what stands under it, and nothing else."""
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed

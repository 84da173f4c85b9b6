"""Real servers, one database a test worker, and a second tenant in every room.

Tests commit as the product does. Each makes tenants of its own, so row security keeps them apart.
"""

import base64
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

if TYPE_CHECKING:
    from aerostic.core.tenancy import Context

from tests.servers import ServerUrls, start_servers

MIGRATED = "AEROSTIC_TEST_MIGRATED"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.workers_of_tests import ByRoom  # only where xdist deals

    return ByRoom(config, log)


def pytest_configure(config: pytest.Config) -> None:
    servers = start_servers()
    config.add_cleanup(servers.stop)
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    _set_environment(servers)
    if MIGRATED not in os.environ:
        _migrate()
        os.environ[MIGRATED] = "1"
    if worker:
        _use_database_of_its_own(servers, worker)


def _set_environment(servers: ServerUrls) -> None:
    os.environ |= {
        "AEROSTIC_ENV": "test",
        "AEROSTIC_SECRET_KEY": "test-" + "0" * 32,
        "AEROSTIC_ENCRYPTION_KEYS": "t1:" + base64.urlsafe_b64encode(b"k" * 32).decode(),
        "AEROSTIC_DATABASE_URL": servers.app_url,
        "AEROSTIC_DATABASE_OWNER_URL": servers.owner_url,
        "AEROSTIC_REDIS_URL": servers.redis_url,
        "AEROSTIC_META_APP_ID": "app",
        "AEROSTIC_META_APP_SECRET": "app-secret",
        "AEROSTIC_META_VERIFY_TOKEN": "verify-me",
        "AEROSTIC_BCRYPT_ROUNDS": "4",
        "AEROSTIC_DATA_DIR": tempfile.mkdtemp(prefix="aerostic-test-data-"),
    }


def _migrate() -> None:
    from alembic.config import Config

    from alembic import command

    command.upgrade(Config(Path(__file__).parent.parent / "alembic.ini"), "head")


def _use_database_of_its_own(servers: ServerUrls, worker: str) -> None:
    template = urlsplit(servers.app_url).path.removeprefix("/")
    name = f"{template}_{worker}"
    with psycopg.connect(servers.superuser_url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(1)")  # a template is copied by one at a time
        clone = sql.SQL("create database {} template {} owner aerostic_owner")
        connection.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))
    for setting in ("AEROSTIC_DATABASE_URL", "AEROSTIC_DATABASE_OWNER_URL"):
        os.environ[setting] = urlunsplit(urlsplit(os.environ[setting])._replace(path=f"/{name}"))
    number = int(worker.removeprefix("gw")) + 1
    os.environ["AEROSTIC_REDIS_URL"] = urlunsplit(
        urlsplit(servers.redis_url)._replace(path=f"/{number}")
    )


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    from aerostic.core import queue

    queue.connection().flushdb()


@dataclass(frozen=True)
class Place:
    """A tenant with one number and one person of each role. Tests act through it."""

    tenant_id: UUID
    slug: str
    number_id: UUID
    phone_number_id: str
    account_id: UUID
    meta_account_id: str
    owner_id: UUID
    admin_id: UUID
    agent_id: UUID
    emails: dict[str, str]

    def work(self, role: str = "owner") -> "AbstractContextManager[Context]":
        """A unit of work as the person of that role."""
        from aerostic.core.permissions import Role, member
        from aerostic.core.tenancy import unit_of_work

        user_id = getattr(self, f"{role}_id")
        return unit_of_work(self.tenant_id, member(user_id, role.title(), Role(role)))

    def system_work(self) -> "AbstractContextManager[Context]":
        """A unit of work of the system with every permission."""
        from aerostic.core.permissions import Permission, system
        from aerostic.core.tenancy import unit_of_work

        return unit_of_work(self.tenant_id, system("test", *Permission))


PASSWORD = "correct horse battery staple"


@pytest.fixture
def make_place() -> Callable[..., Place]:
    return _make_place


@pytest.fixture
def place() -> Place:
    return _make_place("Bluebird Café")


@pytest.fixture
def rival() -> Place:
    return _make_place("Rival")


def _make_place(name: str = "Bluebird Café", *, funds: int = 1_000_000_000) -> Place:
    """Rows only: how a workspace comes to be is tested where that is done. `funds`: micro-dollars."""
    import bcrypt

    from aerostic.core.crypto import encrypt
    from aerostic.core.ids import new_id
    from aerostic.core.permissions import Permission, Role, system
    from aerostic.core.tenancy import shared_work, unit_of_work
    from aerostic.domain.billing import service as billing
    from aerostic.domain.channels.models import (
        AccountDirectory,
        NumberDirectory,
        PhoneNumber,
        WhatsappAccount,
    )
    from aerostic.domain.identity.models import User
    from aerostic.domain.tenants.models import Membership, Tenant

    somebody = system("test", *Permission)
    mark = secrets.token_hex(5)
    tenant = Tenant(name=name, slug=f"w-{mark}")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    users = {
        role: User(email=f"{role}-{mark}@example.test", name=role.title(), password_hash=hashed)
        for role in Role
    }
    with shared_work(somebody) as ctx:
        ctx.session.add_all([tenant, *users.values()])
        ctx.session.flush()
        ctx.session.add_all(
            Membership(tenant_id=tenant.id, user_id=user.id, role=role)
            for role, user in users.items()
        )
    account_id = new_id()
    sealed = encrypt(
        "token-of-" + mark, bound_to=f"whatsapp_accounts.access_token_sealed.{account_id}"
    )
    digits = str(secrets.randbelow(10**12) + 10**14)
    account = WhatsappAccount(
        id=account_id,
        meta_account_id="2" + digits,
        portfolio_id="3" + digits,
        access_token_sealed=sealed,
    )
    number = PhoneNumber(
        account_id=account_id,
        phone_number_id="1" + digits,
        display_phone_number="+1 555 000 " + digits[-4:],
    )
    with unit_of_work(tenant.id, somebody) as ctx:
        ctx.session.add(account)
        ctx.session.flush()
        ctx.session.add(number)
        if funds:
            billing.top_up(ctx, funds, key="test")
    with shared_work(somebody) as ctx:
        ctx.session.add_all(
            [
                NumberDirectory(
                    phone_number_id=number.phone_number_id, tenant_id=tenant.id, number_id=number.id
                ),
                AccountDirectory(
                    meta_account_id=account.meta_account_id,
                    tenant_id=tenant.id,
                    account_id=account.id,
                ),
            ]
        )
    return Place(
        tenant_id=tenant.id,
        slug=tenant.slug,
        number_id=number.id,
        phone_number_id=number.phone_number_id,
        account_id=account.id,
        meta_account_id=account.meta_account_id,
        owner_id=users[Role.OWNER].id,
        admin_id=users[Role.ADMIN].id,
        agent_id=users[Role.AGENT].id,
        emails={str(role): user.email for role, user in users.items()},
    )


@pytest.fixture
def run_jobs() -> Callable[[], int]:
    """Run everything that is queued, as a worker would, until nothing is; return how many ran."""

    def run() -> int:
        from rq import SimpleWorker
        from rq.serializers import JSONSerializer

        from aerostic.core import queue

        before = 0
        while True:
            queues = [queue.queue(name) for name in queue.QueueName]
            waiting = sum(len(one) for one in queues)
            if not waiting:
                return before
            worker = SimpleWorker(queues, connection=queue.connection(), serializer=JSONSerializer)
            worker.work(burst=True)
            failed = [job for one in queues for job in one.failed_job_registry.get_job_ids()]
            assert not failed, f"jobs failed: {failed}"
            before += waiting

    return run

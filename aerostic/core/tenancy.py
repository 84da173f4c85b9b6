"""Whose rows a transaction may see, and the context that every domain function takes first.

PostgreSQL's row-level security decides what a transaction sees; this module tells it for which tenant.
No tenant set means no rows. Keys of tenant tables are `(tenant_id, id)`, and so are the foreign keys
between them, because row security does not guard foreign-key checks.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Connection, DateTime, ForeignKeyConstraint, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Field, Session, SQLModel

from aerostic.core import clock, database, live, queue
from aerostic.core.errors import Conflict
from aerostic.core.ids import new_id
from aerostic.core.permissions import Actor

M = TypeVar("M", bound="TenantModel")

SQLModel.metadata.naming_convention = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

PLATFORM = "platform"


def moment(**options: Any) -> Any:
    """A column for a moment in time: always with its zone."""
    return Field(sa_type=DateTime(timezone=True), **options)


def created() -> Any:
    """A column that says when the row was made."""
    return moment(default_factory=clock.now)


def belongs_to(parent: str, column: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key inside one tenant: `(tenant_id, column)` to `(tenant_id, id)` of the parent."""
    return ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{parent}.tenant_id", f"{parent}.id"],
        ondelete=on_delete,
    )


class TenantModel(SQLModel):
    """A row that belongs to one tenant. The session stamps `tenant_id`; nobody sets it by hand."""

    # No foreign key to tenants: every policy already compares it, and a check per row costs.
    tenant_id: UUID = Field(default=None, primary_key=True)


class AppendOnlyModel(TenantModel):
    """A row that is written once and never changed: the app's role may not, and a trigger refuses."""


class PlatformModel(SQLModel):
    """A private row of the platform: seen only inside `platform_work`."""


class SharedModel(SQLModel):
    """A row without row security. Holds nothing private; listed in `tests/architecture`."""


class ScopedSession(Session):
    """A session whose every transaction tells PostgreSQL its tenant and scope."""

    def __init__(self, *, tenant_id: UUID | None, scope: str = "") -> None:
        super().__init__(database.engine(), expire_on_commit=False)
        self.tenant_id = tenant_id
        self.scope = scope


SET_SCOPE = "select set_config('app.tenant_id', %s, true), set_config('app.scope', %s, true)"


@event.listens_for(ScopedSession, "after_begin")
def _tell_postgres(session: ScopedSession, _tx: SessionTransaction, connection: Connection) -> None:
    connection.exec_driver_sql(SET_SCOPE, (str(session.tenant_id or ""), session.scope))


@event.listens_for(ScopedSession, "before_flush")
def _stamp(session: ScopedSession, *_: Any) -> None:
    for row in session.new:
        if isinstance(row, TenantModel):
            row.tenant_id = session.tenant_id  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, for which tenant, inside which transaction, at which moment."""

    session: ScopedSession
    actor: Actor
    now: datetime
    tenant: UUID | None = None
    _jobs: list[queue.Job] = field(default_factory=list)
    _changes: set[tuple[str, str]] = field(default_factory=set)
    _wakes: set[tuple[str, str]] = field(default_factory=set)

    @property
    def tenant_id(self) -> UUID:
        """The tenant. Asking for it in platform work is a bug."""
        if self.tenant is None:
            raise RuntimeError("this work belongs to no tenant")
        return self.tenant

    def get(self, model: type[M], row_id: UUID, *, for_update: bool = False) -> M | None:
        """A row of this tenant by its id, or None: what is another's does not exist."""
        key = (self.tenant_id, row_id)
        return self.session.get(model, key, with_for_update=for_update or None)

    def enqueue(
        self,
        name: str,
        *,
        queue_name: queue.QueueName = queue.QueueName.DEFAULT,
        once_as: str | None = None,
        **kwargs: queue.JSON,
    ) -> None:
        """Ask for a job that starts only if this transaction commits."""
        if self.tenant is not None:
            kwargs = {"tenant_id": str(self.tenant), **kwargs}
        self._jobs.append(queue.Job(name, kwargs, queue_name, once_as))

    def announce(self, kind: str, row_id: UUID | str) -> None:
        """Tell open pages, after the commit, that something changed."""
        self._changes.add((kind, str(row_id)))

    def wake(self, lane: str, work: str) -> None:
        """Tell a hot lane, after the commit, that work is there: a hint, it looks by itself too."""
        self._wakes.add((lane, work))

    def write_unless_taken(self, taken: Conflict) -> None:
        """Write what was changed. Two may choose one name at one moment: the second is told so."""
        try:
            self.session.flush()
        except IntegrityError as error:
            raise taken from error

    def release(self) -> None:
        """Commit what is done so far, so that nothing is held open across a call to the outside."""
        self.session.commit()

    def cursor(self) -> psycopg.Cursor[Any]:
        """The transaction's own psycopg cursor, for statements over thousands of rows."""
        self.session.flush()
        raw = self.session.connection().connection.dbapi_connection
        assert isinstance(raw, psycopg.Connection)
        return raw.cursor()


@contextmanager
def unit_of_work(tenant_id: UUID, actor: Actor) -> Iterator[Context]:
    """One transaction for one tenant: commit at the end, then start its jobs and announce."""
    with ScopedSession(tenant_id=tenant_id) as session:
        ctx = Context(session, actor, clock.now(), tenant_id)
        yield ctx
        session.commit()
    _after_commit(ctx)


@contextmanager
def platform_work(actor: Actor) -> Iterator[Context]:
    """One transaction over the platform's private rows: for the console and the delivery parser."""
    with ScopedSession(tenant_id=None, scope=PLATFORM) as session:
        ctx = Context(session, actor, clock.now())
        yield ctx
        session.commit()
    _after_commit(ctx)


@contextmanager
def shared_work(actor: Actor) -> Iterator[Context]:
    """One transaction that sees only shared tables: sign-in, directories, sweepers."""
    with ScopedSession(tenant_id=None) as session:
        ctx = Context(session, actor, clock.now())
        yield ctx
        session.commit()
    _after_commit(ctx)


def _after_commit(ctx: Context) -> None:
    queue.start(ctx._jobs)
    if ctx._changes and ctx.tenant:
        live.announce(ctx.tenant, ctx._changes)
    live.wake(ctx._wakes)


@asynccontextmanager
async def lane_transaction(
    pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]],
    *,
    tenant_id: UUID | None = None,
    scope: str = "",
) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
    """The hot lanes' only way to a transaction: the same settings as `unit_of_work`, asynchronous."""
    async with pool.connection() as connection, connection.transaction():
        cursor = connection.cursor()
        await cursor.execute(SET_SCOPE, (str(tenant_id or ""), scope))
        yield cursor


def new_key() -> Any:
    """The `id` of a row: a UUIDv7, the second part of its key."""
    return Field(default_factory=new_id, primary_key=True)

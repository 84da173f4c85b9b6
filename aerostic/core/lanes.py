"""Connections for the hot lanes: asynchronous, few, and as the app's role.

A lane opens `tenancy.lane_transaction` on a pool. Where a single statement is the whole transaction, a `Line`
runs it with a tenth of the work: the statement itself sets its scope, for its own duration, so that no round
trip is spent on it, and libpq is used as it is, without a cursor around it.
"""

import asyncio
import os
import struct
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg_pool import AsyncConnectionPool

from aerostic.core import database

LanePool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

# A policy is checked for each row after the row was made, so after this has been evaluated.
_PLATFORM = "(select set_config('app.scope', 'platform', true) as scope) as allowed"
_NAME = b"line"
_BINARY = 1
_UUID, _BYTEA = 2950, 17  # PostgreSQL's numbers of these types
LOOK_AGAIN = 0.5  # seconds


def platform_statement(text: str) -> str:
    """The text with `{allowed}`, one row, as the platform's scope; it must read `allowed.scope`."""
    return text.replace("{allowed}", _PLATFORM)


def lane_pool(size: int, *, name: str) -> LanePool:
    """A pool of `size` connections, not open yet. Each statement commits unless told otherwise."""
    return AsyncConnectionPool(
        database.psycopg_url(),
        min_size=size,
        max_size=size,
        open=False,
        name=name,
        timeout=5,
        kwargs={"autocommit": True, "application_name": f"aerostic {name}"},
    )


class Line:
    """One connection that runs one prepared statement, again and again, one at a time."""

    def __init__(self, statement: str, *, name: str) -> None:
        self._statement = statement.encode()
        self._name = name
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Future[None] | None = None
        self._refusal = ""
        self._socket = -1
        self._later: asyncio.TimerHandle | None = None

    async def run(self, *values: bytes) -> None:
        """Execute and commit. Raises psycopg.Error; a broken connection is opened anew the next time."""
        try:
            connection = self._connection or await self._open()
            await self._execute(connection.pgconn, values)
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        connection = await psycopg.AsyncConnection.connect(
            database.psycopg_url(), autocommit=True, application_name=f"aerostic {self._name}"
        )
        self._connection, self._loop = connection, asyncio.get_running_loop()
        prepared = connection.pgconn.prepare(_NAME, self._statement)
        if prepared.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(prepared.error_message.decode(errors="replace"))
        # Our own number of it: libpq closes its own when the connection breaks, inside of a call, and whoever
        # connects next gets that number while the loop still watches it for us.
        self._socket = os.dup(connection.pgconn.socket)
        self._loop.add_reader(self._socket, self._readable)
        return connection

    async def _execute(self, server: PGconn, values: Sequence[bytes]) -> None:
        assert self._loop is not None, "opened together with the connection"
        self._done, self._refusal = self._loop.create_future(), ""
        server.send_query_prepared(_NAME, values, [_BINARY] * len(values), _BINARY)
        if server.flush():
            self._loop.add_writer(self._socket, self._writable)
        self._later = self._loop.call_later(LOOK_AGAIN, self._look_again)
        try:
            await self._done
        finally:
            self._later.cancel()  # whichever is the last

    def _look_again(self) -> None:
        """After an outage, sockets come and go at once, and uvloop was seen to forget one that it watches."""
        if self._loop is None or self._socket < 0:
            return
        self._loop.remove_reader(self._socket)
        self._loop.add_reader(self._socket, self._readable)
        self._later = self._loop.call_later(LOOK_AGAIN, self._look_again)
        self._readable()

    def _writable(self) -> None:
        """A large batch leaves in pieces."""
        server = self._server()
        try:
            if server is not None and not server.flush():
                self._stop_writing()
        except psycopg.Error as error:
            self._end(error)

    def _stop_writing(self) -> None:
        assert self._loop is not None, "who writes was opened"
        self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        server = self._server()
        if server is None:
            return
        try:
            server.consume_input()
            while not server.is_busy():
                result = server.get_result()
                if result is None:
                    self._end(psycopg.DatabaseError(self._refusal) if self._refusal else None)
                    return
                if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
                    self._refusal = result.error_message.decode(errors="replace").strip()
        except psycopg.Error as error:
            self._end(error)

    def _server(self) -> PGconn | None:
        return self._connection.pgconn if self._connection else None

    def _end(self, error: psycopg.Error | None) -> None:
        done, self._done = self._done, None
        if done is None or done.done():
            if error is not None and self._loop is not None:  # it broke while nobody was waiting
                self._loop.create_task(self.close())
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    async def close(self) -> None:
        """Let go of the connection. A later `run` opens another."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._loop is not None and self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            os.close(self._socket)
            self._socket = -1
        await connection.close()


def uuid_array(ids: Iterable[UUID]) -> bytes:
    """`uuid[]` as PostgreSQL reads it in binary."""
    return _array(_UUID, [one.bytes for one in ids])


def bytea_array(texts: Sequence[bytes]) -> bytes:
    """`bytea[]` as PostgreSQL reads it in binary."""
    return _array(_BYTEA, texts)


def _array(kind: int, elements: Sequence[bytes]) -> bytes:
    """One dimension, no nulls, counted from one; each element with its length before it."""
    parts = [struct.pack(">iiIii", 1, 0, kind, len(elements), 1)]
    for element in elements:
        parts.append(len(element).to_bytes(4, "big"))
        parts.append(element)
    return b"".join(parts)

"""Several prepared statements in one go: one write, one read, one transaction.

As a `Line` (`lanes.py`), with libpq as it is: psycopg's own pipeline looks up after every statement, and
that was a third of the time of a process that writes many small transactions.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus, PipelineStatus
from psycopg.pq.abc import PGconn, PGresult

from aerostic.core import arrays, database

_BINARY = 1
_SCOPE = b"scope"
_SET_SCOPE = b"select set_config('app.tenant_id', $1, true), set_config('app.scope', '', true)"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_MICROSECOND = timedelta(microseconds=1)
PATIENCE = 30.0  # seconds for one transaction

Asked = tuple[str, Sequence[Any]]  # a statement with `%b` for each value, and the values


class Pipe:
    """One connection that runs transactions of prepared statements, one at a time, each for some tenants."""

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._prepared: dict[str, bytes] = {}
        self._socket = -1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Future[list[PGresult]] | None = None
        self._results: list[PGresult] = []

    async def run(self, asked: Iterable[tuple[UUID | None, Sequence[Asked]]]) -> list[list[bytes]]:
        """Commit all statements together; return the first column of each one's rows, in binary.

        With nobody's rows but shared ones where no tenant is named first.
        Raises psycopg.Error, and then nothing of it was done; a broken connection is opened anew next time.
        """
        by_tenant = list(asked)
        try:
            server = self._connection.pgconn if self._connection else await self._open()
            for _, statements in by_tenant:
                for text, _ in statements:
                    self._prepare(server, text)
            results = await self._execute(server, by_tenant)
        except BaseException:
            await self.close()
            raise
        return [_rows(one) for one in results]

    async def close(self) -> None:
        """Let go of the connection. A later `run` opens another."""
        connection, self._connection = self._connection, None
        self._prepared.clear()
        if self._socket >= 0 and self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            os.close(self._socket)
            self._socket = -1
        if connection is not None:
            await connection.close()

    async def _open(self) -> PGconn:
        connection = await psycopg.AsyncConnection.connect(
            database.psycopg_url(), autocommit=True, application_name=f"aerostic {self._name}"
        )
        self._connection, self._loop = connection, asyncio.get_running_loop()
        server = connection.pgconn
        _check(server.prepare(_SCOPE, _SET_SCOPE))
        # Our own number of it: see `lanes.Line`.
        self._socket = os.dup(server.socket)
        self._loop.add_reader(self._socket, self._readable)
        return server

    def _prepare(self, server: PGconn, text: str) -> None:
        """Once a connection: between transactions nothing is on its way."""
        if text not in self._prepared:
            name = b"p%d" % len(self._prepared)
            _check(server.prepare(name, _numbered(text)))
            self._prepared[text] = name

    async def _execute(
        self, server: PGconn, by_tenant: Sequence[tuple[UUID | None, Sequence[Asked]]]
    ) -> list[PGresult]:
        assert self._loop is not None, "opened together with the connection"
        self._done, self._results = self._loop.create_future(), []
        server.enter_pipeline_mode()
        kinds = []
        for tenant_id, statements in by_tenant:
            if tenant_id is not None:
                server.send_query_prepared(_SCOPE, [tenant_id.hex.encode()], [0], _BINARY)
                kinds.append(False)
            for text, values in statements:
                encoded = [_encoded(one) for one in values]
                formats = [_BINARY] * len(encoded)
                server.send_query_prepared(self._prepared[text], encoded, formats, _BINARY)
                kinds.append(True)
        server.pipeline_sync()
        if server.flush():
            self._loop.add_writer(self._socket, self._writable)
        late = psycopg.OperationalError(f"PostgreSQL did not answer within {PATIENCE:g} seconds.")
        too_late = self._loop.call_later(PATIENCE, self._end, late)
        try:
            results = await self._done
        finally:
            too_late.cancel()
        if server.pipeline_status != PipelineStatus.OFF:
            server.exit_pipeline_mode()
        return [one for one, is_asked in zip(results, kinds, strict=True) if is_asked]

    def _writable(self) -> None:
        """A large batch leaves in pieces."""
        server = self._connection.pgconn if self._connection else None
        try:
            if server is not None and not server.flush() and self._loop is not None:
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._end(error)

    def _readable(self) -> None:
        server = self._connection.pgconn if self._connection else None
        if server is None:
            return
        try:
            server.consume_input()
            while not server.is_busy():
                result = server.get_result()
                if result is None:
                    if self._done is None:
                        return  # nothing is asked
                    continue  # it only parts one statement from the next
                if result.status == ExecStatus.PIPELINE_SYNC:
                    self._end(None)
                    return
                self._results.append(result)
        except psycopg.Error as error:
            self._end(error)

    def _end(self, error: psycopg.Error | None) -> None:
        done, self._done = self._done, None
        if done is None or done.done():
            if error is not None and self._loop is not None:  # it broke while nobody was waiting
                self._loop.create_task(self.close())
            return
        error = error or next(filter(None, map(_refusal, self._results)), None)
        if error is None:
            done.set_result(self._results)
        else:
            done.set_exception(error)


def _numbered(text: str) -> bytes:
    """`%b` as libpq writes it: `$1`, `$2` …"""
    first, *rest = text.split("%b")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(rest, 1))]).encode()


def _encoded(value: Any) -> bytes:
    """A text, an id, a moment, or what is encoded already: nothing else travels here."""
    if isinstance(value, arrays.Encoded):
        return value
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        return ((value - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True)
    assert isinstance(value, str)
    return value.encode()


def _rows(result: PGresult) -> list[bytes]:
    return [result.get_value(row, 0) or b"" for row in range(result.ntuples)]


def _check(result: PGresult) -> None:
    refusal = _refusal(result)
    if refusal is not None:
        raise refusal


def _refusal(result: PGresult) -> psycopg.Error | None:
    if result.status in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.PIPELINE_ABORTED}:
        return None
    said = result.error_message.decode(errors="replace").strip()
    state = result.error_field(67)  # PG_DIAG_SQLSTATE
    try:
        return psycopg.errors.lookup((state or b"").decode())(said)
    except KeyError:
        return psycopg.OperationalError(said)

"""What the simulator remembers: one SQLite file, written from one event loop."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aerostic.simulator.tables import SCHEMA, TABLES

Json = dict[str, Any]
Row = sqlite3.Row


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Store:
    """Short statements on one connection.

    WAL keeps them in the tens of microseconds and safe from `kill -9`.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The ASGI server may create the application in one thread and run it in another; never in
        # two at once.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._depth = 0
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=5000",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def all(self, statement: str, *values: object) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, *values: object) -> Row | None:
        row: Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def figure(self, statement: str, *values: object) -> float:
        """The first column of the first row, zero where there is none."""
        row = self.one(statement, *values)
        return 0 if row is None or row[0] is None else row[0]

    def run(self, statement: str, *values: object) -> int:
        """Change something; how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def insert(self, table: str, **values: object) -> int:
        """One row from column names that our own code spells. Returns its row id."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        # Neither the table nor the columns ever come from a request.
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608
        return self._connection.execute(statement, tuple(values.values())).lastrowid or 0

    def run_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self.transaction():
            self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested blocks join the outermost."""
        if self._depth:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._depth = 0

    def setting(self, name: str, default: Any) -> Any:
        row = self.one("SELECT value FROM settings WHERE name = ?", name)
        return default if row is None else json.loads(row["value"])

    def remember(self, name: str, value: object) -> None:
        self.run(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
            "value = excluded.value",
            name,
            dumps(value),
        )

    def forget_everything(self) -> None:
        """Empty every table, keeping the file."""
        with self.transaction():
            for table in reversed(TABLES):
                self.run(f"DELETE FROM {table}")  # noqa: S608 - a fixed list

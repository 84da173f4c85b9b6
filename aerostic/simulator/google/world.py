"""What Google's stand-in remembers: people, grants, tokens, files. One SQLite file, safe from a kill."""

import json
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request

Json = dict[str, Any]

#: Part of the file's name. Raise it with every change of what is kept.
VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, key));
CREATE TABLE IF NOT EXISTS contents (key TEXT PRIMARY KEY, bytes BLOB NOT NULL);
"""

PEOPLE = (
    {"sub": "110000000000000000001", "email": "amara.okafor@gmail.test", "name": "Amara Okafor"},
    {"sub": "110000000000000000002", "email": "lena.fischer@gmail.test", "name": "Lena Fischer"},
)


@dataclass
class Trouble:
    """What the next requests meet: this status, so many times, after so many seconds."""

    status: int = 0
    times: int = 0
    seconds: float = 0.0


@dataclass
class GoogleWorld:
    """Everything but the doors. `client_id` and `client_secret` are of the one application it knows."""

    database: sqlite3.Connection
    client_id: str
    client_secret: str
    #: How long an access token opens.
    token_seconds: int = 3599
    trouble: Trouble = field(default_factory=Trouble)
    seen: "deque[Json]" = field(default_factory=lambda: deque(maxlen=500))

    def keep(self, kind: str, key: str, value: Json) -> None:
        self.database.execute("REPLACE INTO kept VALUES (?, ?, ?)", (kind, key, json.dumps(value)))

    def find(self, kind: str, key: str) -> Json | None:
        found = self.database.execute(
            "SELECT value FROM kept WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return json.loads(found[0]) if found else None

    def forget(self, kind: str, key: str) -> None:
        self.database.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))

    def each(self, kind: str) -> Iterator[tuple[str, Json]]:
        rows = self.database.execute("SELECT key, value FROM kept WHERE kind = ?", (kind,))
        return ((key, json.loads(value)) for key, value in rows.fetchall())

    def keep_content(self, key: str, content: bytes) -> None:
        self.database.execute("REPLACE INTO contents VALUES (?, ?)", (key, content))

    def content(self, key: str) -> bytes:
        found = self.database.execute("SELECT bytes FROM contents WHERE key = ?", (key,)).fetchone()
        return bytes(found[0]) if found else b""

    def close(self) -> None:
        self.database.close()


def open_google(folder: Path, *, client_id: str, client_secret: str) -> GoogleWorld:
    """The world in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(
        folder / f"google-{VERSION}.sqlite3", isolation_level=None, check_same_thread=False
    )
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.executescript(_TABLES)
    return GoogleWorld(database, client_id, client_secret)


def world_of(request: Request) -> GoogleWorld:
    world: GoogleWorld = request.app.state.google
    return world


def person(sub: str) -> Json | None:
    return next((one for one in PEOPLE if one["sub"] == sub), None)


def new_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def new_file_id() -> str:
    return "1" + secrets.token_urlsafe(32)


def now() -> float:
    """Google lives in real time: the simulated clock is WhatsApp's."""
    return time.time()


def written(moment: float) -> str:
    """RFC 3339, as Drive writes a time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))

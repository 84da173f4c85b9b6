"""Someone posts to the webhook without our apps' secret: told to the platform's staff, within measure."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from aerostic.core import clock
from aerostic.core.ids import new_id
from aerostic.core.lanes import LanePool, lane_pool, platform_statement

log = logging.getLogger(__name__)

PAUSE = 60.0  # seconds between two rows of a kind: an attacker must not fill the table

_TELL = platform_statement(
    "insert into security_events (id, kind, ip, details, created_at)"
    " select %s, %s, %s, %s::jsonb, %s from {allowed} where allowed.scope is not null"
)


@dataclass
class WrongSignatures:
    """Counts them, and writes one security event a minute and kind, with how many there were."""

    _since: Counter[str] = field(default_factory=Counter)
    _quiet_until: dict[str, float] = field(default_factory=dict)
    _pool: LanePool | None = None

    async def note(self, kind: str, ip: str) -> None:
        self._since[kind] += 1
        now = asyncio.get_running_loop().time()
        if now < self._quiet_until.get(kind, 0.0):
            return
        self._quiet_until[kind] = now + PAUSE
        try:
            await self._tell(kind, ip, self._since.pop(kind))
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.error("a security event (%s) was not kept: %s", kind, error)

    async def _tell(self, kind: str, ip: str, count: int) -> None:
        if self._pool is None:
            self._pool = lane_pool(1, name="alarms")
            await self._pool.open()
        details = orjson.dumps({"posts": count, "path": "/webhooks/meta"}).decode()
        async with self._pool.connection() as connection:
            row = (new_id(), f"webhook_{kind}", ip, details, clock.now())
            await connection.execute(cast(Any, _TELL), row)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

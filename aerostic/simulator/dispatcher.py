"""Carries queued webhooks to the product until each was answered with 200."""

import asyncio
import json
import time
from contextlib import suppress

import aiohttp

from aerostic.simulator.store import Json, Row
from aerostic.simulator.webhooks import delivery, raw_body, signature
from aerostic.simulator.world import World

_IDLE_SECONDS = 1.0
#: With reordering on, webhooks are gathered this long so that there is something to turn round.
_REORDER_GATHER_SECONDS = 0.4
_KEEP_DELIVERED = 5000


class Dispatcher:
    """One task. At least once: a webhook that was on its way when the process died leaves again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._flights: set[asyncio.Task[None]] = set()
        self._landed = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        self._world.store.run("UPDATE webhooks SET state = 'RETRYING' WHERE state = 'SENDING'")
        connector = aiohttp.TCPConnector(limit=self._world.config.webhook_connections)
        timeout = aiohttp.ClientTimeout(total=self._world.config.webhook_timeout_seconds)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            try:
                while True:
                    await self._round(session)
            finally:
                for flight in self._flights:
                    flight.cancel()
                await asyncio.gather(*self._flights, return_exceptions=True)

    async def post(
        self, session: aiohttp.ClientSession, url: str, raw: bytes, is_signed: bool = True
    ) -> tuple[int, str]:
        """One request. Status 0 stands for no answer at all."""
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua"}
        if is_signed:
            headers["X-Hub-Signature-256"] = signature(self._world.config.app_secret, raw)
        try:
            async with session.post(
                url, data=raw, headers=headers, allow_redirects=False
            ) as answer:
                text = await answer.text(errors="replace")
                return answer.status, text[:200]
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            return 0, f"{type(fault).__name__}: {fault}"[:200]

    async def _round(self, session: aiohttp.ClientSession) -> None:
        self._world.webhooks_changed.clear()
        for url, rows in self._claim():
            flight = asyncio.create_task(self._fly(session, url, rows))
            self._flights.add(flight)
            flight.add_done_callback(self._land)
        await self._wait()

    def _land(self, flight: "asyncio.Task[None]") -> None:
        self._flights.discard(flight)
        self._landed.set()
        # A fault here is a bug of ours; let the loop's handler show it rather than swallow it.
        if not flight.cancelled() and (fault := flight.exception()) is not None:
            raise fault

    async def _wait(self) -> None:
        """Sleep until something is due, was added or, when all connections are busy, one is free again."""
        if len(self._flights) >= self._world.config.webhook_connections:
            self._landed.clear()
            await self._landed.wait()
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._world.webhooks_changed.wait(), self._pause())

    def _pause(self) -> float:
        due = self._world.store.one(
            "SELECT min(due_real_at) AS due FROM webhooks WHERE state IN ('PENDING', 'RETRYING')"
        )
        if due is None or due["due"] is None:
            return _IDLE_SECONDS
        gather = _REORDER_GATHER_SECONDS if self._world.trouble.now.reorder else 0.0
        return float(min(_IDLE_SECONDS, max(0.005, due["due"] + gather - time.time())))

    def _claim(self) -> list[tuple[str, list[Row]]]:
        """What leaves now, in deliveries, each marked as on its way."""
        trouble, store = self._world.trouble.now, self._world.store
        free = self._world.config.webhook_connections - len(self._flights)
        latest = time.time() - (_REORDER_GATHER_SECONDS if trouble.reorder else 0.0)
        oldest = store.one(
            "SELECT 1 FROM webhooks WHERE state IN ('PENDING', 'RETRYING') AND due_real_at <= ? LIMIT 1",
            latest,
        )
        if oldest is None or free <= 0:
            return []
        rows = store.all(
            "SELECT webhooks.*, coalesce(numbers.callback_url, accounts.callback_url) AS override "
            "FROM webhooks "
            "LEFT JOIN accounts ON accounts.id = webhooks.account_id "
            "LEFT JOIN numbers ON numbers.id = json_extract(webhooks.value, '$.metadata.phone_number_id') "
            "WHERE webhooks.state IN ('PENDING', 'RETRYING') AND webhooks.due_real_at <= ? "
            "ORDER BY webhooks.due_real_at, webhooks.id LIMIT ?",
            time.time(),
            free * trouble.batch_size,
        )
        store.run_many(
            "UPDATE webhooks SET state = 'SENDING' WHERE id = ?", [(row["id"],) for row in rows]
        )
        return self._deliveries(rows[::-1] if trouble.reorder else rows)

    def _deliveries(self, rows: list[Row]) -> list[tuple[str, list[Row]]]:
        size = self._world.trouble.now.batch_size
        by_url: dict[str, list[Row]] = {}
        for row in rows:
            by_url.setdefault(row["override"] or self._world.config.webhook_url, []).append(row)
        return [
            (url, listed[start : start + size])
            for url, listed in by_url.items()
            for start in range(0, len(listed), size)
        ]

    async def _fly(self, session: aiohttp.ClientSession, url: str, rows: list[Row]) -> None:
        changes: list[tuple[str, str, Json]] = [
            (row["account_id"], row["field"], json.loads(row["value"])) for row in rows
        ]
        raw = raw_body(delivery(changes, self._world.clock.now()))
        copies = 1 + self._world.trouble.now.duplicates
        answers = await asyncio.gather(*(self.post(session, url, raw) for _ in range(copies)))
        refused = next((answer for answer in answers if answer[0] != 200), None)
        if refused is None:
            self._delivered(rows)
        else:
            self._retry(rows, f"HTTP {refused[0]}: {refused[1]}" if refused[0] else refused[1])

    def _delivered(self, rows: list[Row]) -> None:
        store = self._world.store
        with store.transaction():
            for row in rows:
                store.run(
                    "UPDATE webhooks SET state = 'DELIVERED', last_error = NULL WHERE id = ?",
                    row["id"],
                )
                if row["message_id"]:
                    store.run(
                        "UPDATE messages SET status = 'delivered' "
                        "WHERE id = ? AND direction = 'inbound' AND status = 'sent'",
                        row["message_id"],
                    )
            newest = rows[-1]["id"]
            if newest % 100 == 0:
                store.run(
                    "DELETE FROM webhooks WHERE state = 'DELIVERED' AND id < ?",
                    newest - _KEEP_DELIVERED,
                )
        for row in rows:
            if row["message_id"]:
                self._world.hub.tell(
                    "status", message_id=row["message_id"], status="delivered", is_inbound=True
                )

    def _retry(self, rows: list[Row], reason: str) -> None:
        """Back off exponentially, give up after seven days."""
        config, now = self._world.config, time.time()
        with self._world.store.transaction():
            for row in rows:
                attempts = row["attempts"] + 1
                wait = min(
                    config.retry_longest_seconds,
                    config.retry_first_seconds * 2 ** min(attempts - 1, 20),
                )
                is_over = now - row["created_real_at"] > config.retry_for_seconds
                self._world.store.run(
                    "UPDATE webhooks SET state = ?, attempts = ?, due_real_at = ?, last_error = ? "
                    "WHERE id = ?",
                    "FAILED" if is_over else "RETRYING",
                    attempts,
                    now + wait,
                    reason,
                    row["id"],
                )

"""The delivery log of the platform's staff."""

from dataclasses import dataclass
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.domain.deliveries import queries, service
from aerostic.domain.deliveries.models import DeliveryStatus
from aerostic.state.base import AppState
from aerostic.state.guard import access
from aerostic.state.paged import Paged


@dataclass(frozen=True)
class DeliveryLine:
    id: str
    received_at: str
    size: str
    status: str
    attempts: int
    problems: int
    reason: str

    @classmethod
    def of(cls, row: queries.DeliveryRow) -> "DeliveryLine":
        return cls(
            id=str(row.id),
            received_at=row.received_at.isoformat(),
            size=f"{row.size:,} bytes",
            status=row.status.value,
            attempts=row.attempts,
            problems=row.problems,
            reason=row.reason,
        )


@dataclass(frozen=True)
class ProblemLine:
    where: str
    reason: str
    workspace: str
    is_resolved: bool

    @classmethod
    def of(cls, row: queries.ProblemRow) -> "ProblemLine":
        what = row.kind.replace("_", " ")
        where = f"Entry {row.entry}, change {row.change}: {what}"
        return cls(where, row.reason, row.tenant_name, row.resolved_at is not None)


NO_DELIVERY = DeliveryLine("", "", "", "", 0, 0, "")


class Deliveries(Paged, AppState):
    rows: list[DeliveryLine] = []
    status: str = "all"
    is_loading: bool = True
    parked: int = 0
    open_row: DeliveryLine = NO_DELIVERY
    fields: list[str] = []
    body: str = ""
    is_cut: bool = False
    problems: list[ProblemLine] = []

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    async def load(self) -> None:
        self.open_row = NO_DELIVERY
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    async def filter_by(self, status: str | list[str]) -> None:
        self.status = str(status)
        self._from_the_first()
        await self._read()

    async def _read(self) -> None:
        page = await self.call_platform(queries.deliveries, self._status(), self._start())
        self.parked = await self.call_platform(queries.parked_count)
        self.rows = [DeliveryLine.of(row) for row in page.items]
        self._shown(page.next_cursor)
        self.is_loading = False

    def _status(self) -> DeliveryStatus | None:
        return None if self.status == "all" else DeliveryStatus(self.status)

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    async def open(self, delivery_id: str) -> None:
        await self._read_one(UUID(delivery_id))

    async def _read_one(self, delivery_id: UUID) -> None:
        detail = await self.call_platform(queries.delivery, delivery_id)
        self.open_row, self.fields = DeliveryLine.of(detail.row), detail.fields
        self.body, self.is_cut = detail.body, detail.is_cut
        self.problems = [ProblemLine.of(row) for row in detail.problems]

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    def close(self) -> None:
        self.open_row, self.body, self.problems = NO_DELIVERY, "", []

    @rx.event
    @access(Permission.PLATFORM_DELIVERIES, platform=True)
    async def replay(self) -> EventSpec:
        """Apply it again: what was applied before is not applied twice."""
        delivery_id = UUID(self.open_row.id)
        _, sorry = await self.attempt(self.call_platform(service.replay, delivery_id))
        await self._read_one(delivery_id)
        await self._read()
        return sorry or rx.toast.success(
            "It is queued again. Open it in a moment to see what became of it."
        )

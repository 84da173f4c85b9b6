"""The workspace's plan: what is used of it, and asking for another."""

from dataclasses import dataclass

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.domain.plans import queries, service
from aerostic.domain.plans.limits import Limit
from aerostic.domain.plans.queries import Allowance, OtherPlan, PlanView
from aerostic.state.base import AppState
from aerostic.state.guard import access

WORDS = {
    Limit.NUMBERS: "WhatsApp numbers",
    Limit.MEMBERS: "People in the team",
    Limit.CONTACTS: "Contacts",
    Limit.MESSAGES: "Messages this month",
    Limit.TOKENS: "AI tokens this month",
    Limit.STORAGE: "Documents",
}
FULL, NEARLY = 100, 80  # percent


@dataclass(frozen=True)
class AllowanceLine:
    """`percent` -1: no limit."""

    name: str
    used: str
    most: str
    percent: int
    is_tight: bool

    @classmethod
    def of(cls, row: Allowance) -> "AllowanceLine":
        most = row.most
        percent = -1 if most is None else min(FULL, round(row.used * 100 / max(most, 1)))
        shown = "no limit" if most is None else f"of {_amount(row.limit, most)}"
        return cls(
            WORDS[row.limit], _amount(row.limit, row.used), shown, percent, percent >= NEARLY
        )


@dataclass(frozen=True)
class OtherLine:
    slug: str
    name: str
    summary: str
    includes: str
    is_asked_for: bool

    @classmethod
    def of(cls, row: OtherPlan) -> "OtherLine":
        return cls(row.slug, row.name, row.summary, ", ".join(row.includes), row.is_asked_for)


class YourPlan(AppState):
    name: str = ""
    summary: str = ""
    ends_at: str = ""
    is_over: bool = False
    allowances: list[AllowanceLine] = []
    others: list[OtherLine] = []
    is_loading: bool = True

    @rx.event
    @access(Permission.BILLING_READ)
    async def load(self) -> None:
        self._show(await self.call(queries.plan))

    @rx.event
    @access(Permission.BILLING_MANAGE)
    async def ask_for(self, slug: str) -> EventSpec:
        _, sorry = await self.attempt(self.call(service.ask_for, slug))
        self._show(await self.call(queries.plan))
        words = "Asked. Whoever runs this platform was told by e-mail and will answer you."
        return sorry or rx.toast.success(words)

    def _show(self, found: PlanView) -> None:
        self.name, self.summary = found.name, found.summary
        self.ends_at = found.ends_at.isoformat() if found.ends_at else ""
        self.is_over = found.is_over
        self.allowances = [AllowanceLine.of(one) for one in found.allowances]
        self.others = [OtherLine.of(one) for one in found.others]
        self.is_loading = False


def _amount(limit: Limit, many: int) -> str:
    return f"{many / 1_000_000:,.1f} MB" if limit is Limit.STORAGE else f"{many:,}"

"""The workspace's money: balances, the ledger page by page, statements, and the line for a notice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core import clock, money
from aerostic.core.permissions import Permission
from aerostic.domain.billing import queries, service
from aerostic.domain.billing.models import EntryKind
from aerostic.domain.billing.queries import EntryFilter, EntryRow, Explained
from aerostic.domain.billing.statements import WORDS
from aerostic.domain.billing.wallets import WalletView
from aerostic.domain.tenants import queries as tenants
from aerostic.state.base import AppState
from aerostic.state.contacts import download, failed_download
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.paged import Paged

Events = AsyncIterator[EventSpec | None]
EVERYTHING = "all"
A_MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Purse:
    """The balances, in words. `low_balance`: nothing where nobody is to be told."""

    available: str = ""
    held: str = ""
    spent: str = ""
    owed: str = ""
    credit: str = ""
    low_balance: str = ""
    low_balance_shown: str = ""
    is_low: bool = False
    is_empty: bool = False

    @classmethod
    def of(cls, view: WalletView) -> "Purse":
        def shown(micros: int) -> str:
            return money.shown(micros, view.currency) if micros else ""

        low = view.low_balance_micros or 0
        return cls(
            available=money.shown(view.available_micros, view.currency),
            held=money.shown(view.held_micros, view.currency),
            spent=money.shown(view.spent_micros, view.currency),
            owed=shown(view.owed_micros),
            credit=shown(view.credit_limit_micros),
            low_balance=money.decimal(low) if low else "",
            low_balance_shown=shown(low),
            is_low=view.is_low,
            is_empty=view.spendable_micros <= 0,
        )


@dataclass(frozen=True)
class Line:
    """A posting. `change`: what it did to what can be spent, nothing for a capture."""

    id: str
    posted_at: str
    kind: str
    words: str
    amount: str
    change: str
    about: str
    message_id: str

    @classmethod
    def of(cls, row: EntryRow) -> "Line":
        sign = "+" if row.change_micros > 0 else ""
        return cls(
            id=str(row.id),
            posted_at=row.posted_at.isoformat(),
            kind=row.kind.value,
            words=WORDS[row.kind],
            amount=money.amount(row.amount_micros),
            change=f"{sign}{money.amount(row.change_micros)}" if row.change_micros else "",
            about=row.note or ("Message" if row.message_id else ""),
            message_id=str(row.message_id or ""),
        )


@dataclass(frozen=True)
class Explanation:
    """What one message cost, and why."""

    why: str = ""
    state: str = ""
    is_late: bool = False
    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, found: Explained) -> "Explanation":
        lines = tuple(Line.of(row) for row in found.entries)
        return cls(found.why, STATES[found.state], found.is_late, lines)


STATES = {
    "free": "Free",
    "held": "Set aside: WhatsApp has not told yet that it was delivered.",
    "captured": "Charged: it was delivered.",
    "voided": "Given back: it was not delivered.",
}


class Billing(Form, Paged, AppState):
    purse: Purse = Purse()
    slug: str = ""
    lines: list[Line] = []
    kind: str = EVERYTHING
    is_loading: bool = True
    is_drawing: bool = False  # the dialog about the low balance is open
    explanation: Explanation = Explanation()
    first: str = ""
    last: str = ""

    @rx.event
    @access(Permission.BILLING_READ)
    async def load(self) -> None:
        """The wallet and its newest postings, kept up to date from now on."""
        await self.watch()
        self.explanation, self.is_drawing = Explanation(), False
        self.last = str(clock.today())
        self.first = str(clock.today() - A_MONTH)
        self.slug = (await self.call(tenants.workspace)).slug
        self._from_the_first()
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"wallet", "everything"}:
            await self._read()

    async def _read(self) -> None:
        self.purse = Purse.of(await self.call(queries.wallet))
        kind = None if self.kind == EVERYTHING else EntryKind(self.kind)
        wanted = EntryFilter(kind=kind, only_postings=True)
        page = await self.call(queries.entries, wanted, self._start(), 25)
        self.lines = [Line.of(row) for row in page.items]
        self._shown(page.next_cursor)
        self.is_loading = False

    @rx.event
    @access(Permission.BILLING_READ)
    async def filter_by(self, kind: str) -> None:
        self.kind = kind if kind in {one.value for one in EntryKind} else EVERYTHING
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.BILLING_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.BILLING_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    @rx.event
    @access(Permission.BILLING_READ)
    async def explain(self, message_id: str) -> None:
        self.explanation = Explanation.of(await self.call(queries.explain, UUID(message_id)))

    @rx.event
    @access(Permission.BILLING_READ)
    def close(self) -> None:
        """Every dialog of the page."""
        self.explanation, self.is_drawing = Explanation(), False

    @rx.event
    @access(Permission.BILLING_MANAGE)
    def begin_drawing(self) -> None:
        self._clear()
        self.is_drawing = True

    @rx.event
    @access(Permission.BILLING_MANAGE)
    async def draw(self, form: dict[str, Any]) -> Events:
        """Where the line is below which owners are told. An empty field: nobody is."""
        self.is_busy = True
        yield None
        done, _ = await self._send(self._draw(typed(form, "low_balance").strip()))
        if done:
            self.is_drawing = False
            await self._read()
            yield rx.toast.success("Saved.")

    async def _draw(self, text: str) -> None:
        micros = money.micros_of(text, "low_balance") if text else None
        await self.call(service.set_low_balance, micros)

    @rx.event
    @access(Permission.BILLING_READ)
    def begin_on(self, day: str) -> None:
        self.first = day

    @rx.event
    @access(Permission.BILLING_READ)
    def end_on(self, day: str) -> None:
        self.last = day

    @rx.event
    @access(Permission.BILLING_READ)
    def download(self, kind: str) -> EventSpec:
        """A statement of the chosen days as a file."""
        try:
            asked = {"since": _day(self.first), "until": _day(self.last)}
        except ValueError:
            return rx.toast.error("Choose the first and the last day.")
        suffix = "pdf" if kind == "pdf" else "csv"
        path = f"/api/v1/wallet/statement.{suffix}?{urlencode(asked)}"
        return download(path, self._workspace, Billing.downloaded)

    @rx.event
    @access(Permission.BILLING_READ)
    def downloaded(self, answer: dict[str, Any]) -> EventSpec | None:
        return failed_download(answer)


def _day(text: str) -> str:
    return str(date.fromisoformat(text))

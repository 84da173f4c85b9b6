"""WhatsApp accounts and numbers: connect, check, disconnect."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.settings import settings
from aerostic.domain.channels import queries, service
from aerostic.domain.channels.models import NumberMode
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

Events = AsyncIterator[EventSpec | None]

STATUS_WORDS = {
    "connected": "Connected",
    "needs_attention": "Needs attention",
    "disconnected": "Disconnected",
}
QUALITY_WORDS = {"GREEN": "High", "YELLOW": "Medium", "RED": "Low"}


@dataclass(frozen=True)
class NumberLine:
    """A number with what Meta says of it, in words."""

    id: str
    phone: str
    name: str
    phone_number_id: str
    status: str
    status_words: str
    problem: str
    quality: str
    limit: str
    per_second: int
    is_connected: bool
    mode: str

    @classmethod
    def of(cls, row: queries.NumberRow, *, beside: str | None) -> "NumberLine":
        """`beside` is its account's problem, which is not said once more."""
        return cls(
            id=str(row.id),
            phone=row.display_phone_number,
            name=row.verified_name,
            phone_number_id=row.phone_number_id,
            status=row.status,
            status_words=STATUS_WORDS.get(row.status, row.status),
            problem=row.problem if row.problem and row.problem != beside else "",
            quality=QUALITY_WORDS.get(row.quality_rating, "Not rated yet"),
            limit=_limit_in_words(row.messaging_limit),
            per_second=row.messages_per_second,
            is_connected=row.status != "disconnected",
            mode=row.mode,
        )


@dataclass(frozen=True)
class AccountCard:
    """A WhatsApp Business Account with its numbers."""

    id: str
    name: str
    meta_account_id: str
    status: str
    status_words: str
    problem: str
    checked_at: str
    is_connected: bool
    numbers: list[NumberLine]

    @classmethod
    def of(cls, row: queries.AccountRow) -> "AccountCard":
        return cls(
            id=str(row.id),
            name=row.name or "WhatsApp account",
            meta_account_id=row.meta_account_id,
            status=row.status,
            status_words=STATUS_WORDS.get(row.status, row.status),
            problem=row.problem or "",
            checked_at=row.checked_at.isoformat() if row.checked_at else "",
            is_connected=row.status != "disconnected",
            numbers=[NumberLine.of(number, beside=row.problem) for number in row.numbers],
        )


def _limit_in_words(limit: str) -> str:
    """Meta says `TIER_1K`; a person reads “1,000 people a day”."""
    tier = limit.removeprefix("TIER_")
    if tier == "UNLIMITED":
        return "No limit"
    digits, thousands = tier.removesuffix("K"), 1000 if tier.endswith("K") else 1
    if not digits.isdigit():
        return "Not known yet"
    return f"{int(digits) * thousands:,} people a day"


class Numbers(Form, AppState):
    accounts: list[AccountCard] = []
    is_loading: bool = True
    is_connecting: bool = False
    checking: str = ""
    closing_id: str = ""
    closing_phone: str = ""
    webhook_url: str = ""

    @rx.event
    @access(Permission.NUMBERS_READ)
    async def load(self) -> None:
        self.webhook_url = f"{settings().public_url}/webhooks/meta"
        await self._read()

    async def _read(self) -> None:
        rows = await self.call(queries.accounts)
        self.accounts = [AccountCard.of(row) for row in rows]
        self.is_loading = False

    @rx.event
    @access(Permission.NUMBERS_MANAGE)
    def begin(self) -> None:
        self._clear()
        self.is_connecting = True

    @rx.event
    @access(Permission.NUMBERS_READ)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.is_connecting, self.closing_id = False, ""

    @rx.event
    @access(Permission.NUMBERS_MANAGE)
    async def connect(self, form: dict[str, Any]) -> Events:
        """Check the three with Meta and remember them. The token is never shown again."""
        self.is_busy = True
        yield None
        connecting = self.call(
            service.connect_number,
            meta_account_id=typed(form, "meta_account_id"),
            phone_number_id=typed(form, "phone_number_id"),
            access_token=typed(form, "access_token"),
        )
        done, _ = await self._send(connecting)
        if done:
            self.is_connecting = False
            await self._read()
            yield rx.toast.success("Connected. Messages to this number now arrive in the inbox.")

    @rx.event
    @access(Permission.NUMBERS_MANAGE)
    async def check(self, account_id: str) -> Events:
        """Ask Meta how the account and its numbers are doing."""
        self.checking = account_id
        yield None
        _, sorry = await self.attempt(self.call(service.check_account, UUID(account_id)))
        self.checking = ""
        await self._read()
        yield sorry or rx.toast.success("Checked with Meta just now.")

    @rx.event
    @access(Permission.NUMBERS_MANAGE)
    async def choose_mode(self, number_id: str, mode: str) -> EventSpec | None:
        """Who answers what comes in on a number, where its conversation does not say otherwise."""
        work = self.call(service.set_mode, UUID(number_id), NumberMode(mode))
        _, sorry = await self.attempt(work)
        await self._read()
        return sorry

    @rx.event
    @access(Permission.NUMBERS_MANAGE)
    def ask_to_disconnect(self, number_id: str, phone: str) -> None:
        self.closing_id, self.closing_phone = number_id, phone

    @rx.event
    @access(Permission.NUMBERS_MANAGE)
    async def disconnect(self) -> EventSpec:
        number_id, phone = UUID(self.closing_id), self.closing_phone
        self._close()
        await self.call(service.disconnect_number, number_id)
        await self._read()
        return rx.toast.success(f"{phone} is disconnected. Its conversations stay in the inbox.")

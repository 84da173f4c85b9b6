"""One's own account: name, password, second factor, and where one is signed in."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.domain.identity import queries, service
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

Events = AsyncIterator[EventSpec | None]


@dataclass(frozen=True)
class SignedInAt:
    """A browser or program in which one is signed in."""

    id: str
    what: str
    ip: str
    last_seen_at: str
    is_current: bool

    @classmethod
    def of(cls, row: queries.SessionRow) -> "SignedInAt":
        return cls(
            str(row.id),
            browser_in_words(row.user_agent),
            row.ip,
            row.last_seen_at.isoformat(),
            row.is_current,
        )


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS", "Mac"),
    ("Windows", "Windows"),
    ("Linux", "Linux"),
)


def browser_in_words(user_agent: str) -> str:
    """`Firefox on Linux`; a program's own name; or that it did not say."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    program = re.match(r"[\w .-]{1,40}", user_agent)
    return program[0] if program else "A program without a name"


class Profile(Form, AppState):
    name: str = ""
    email: str = ""

    @rx.event
    @access()
    async def load(self) -> None:
        row = await self.call_shared(queries.profile)
        self.name, self.email = row.name, row.email

    @rx.event
    @access()
    async def rename(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        done, _ = await self._send(self.call_shared(service.rename_me, typed(form, "name")))
        if done:
            yield rx.toast.success("Saved. Your colleagues see your new name from now on.")


class Password(Form, AppState):
    # Counts up with each success, so that the form is emptied.
    changes: int = 0

    @rx.event
    @access()
    async def change(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        current, new = typed(form, "current"), typed(form, "password")
        done, _ = await self._send(self.call_shared(service.change_password, current, new))
        if done:
            self.changes += 1
            yield rx.toast.success("Your password is changed. You were signed out everywhere else.")


class Sessions(AppState):
    sessions: list[SignedInAt] = []
    is_loading: bool = True

    @rx.event
    @access()
    async def load(self) -> None:
        await self._read()

    async def _read(self) -> None:
        rows = await self.call_shared(queries.sessions)
        self.sessions = [SignedInAt.of(row) for row in rows]
        self.is_loading = False

    @rx.event
    @access()
    async def revoke(self, session_id: str) -> EventSpec:
        await self.call_shared(service.revoke_session, UUID(session_id))
        await self._read()
        return rx.toast.success("Signed out there.")

    @rx.event
    @access()
    async def revoke_others(self) -> EventSpec:
        ended = await self.call_shared(service.revoke_other_sessions)
        await self._read()
        return rx.toast.success(
            f"Signed out in {ended} other places." if ended else "You are signed in only here."
        )


class SecondFactor(Form, AppState):
    """Setting up an authenticator app. The secret is shown, and gone from here with the last step."""

    step: str = "idle"  # idle, password, scan, codes, stop
    is_on: bool = False
    codes_left: int = 0
    picture: str = ""
    secret: str = ""
    recovery_codes: list[str] = []

    @rx.event
    @access()
    async def load(self) -> None:
        self._forget()
        await self._read()

    async def _read(self) -> None:
        row = await self.call_shared(queries.profile)
        self.is_on, self.codes_left = row.has_second_factor, row.recovery_codes_left

    def _forget(self) -> None:
        self._clear()
        self.step, self.picture, self.secret, self.recovery_codes = "idle", "", "", []

    @rx.event
    @access()
    def begin(self) -> None:
        self._forget()
        self.step = "password"

    @rx.event
    @access()
    def begin_stopping(self) -> None:
        self._forget()
        self.step = "stop"

    @rx.event
    @access()
    async def close(self) -> None:
        self._forget()
        await self._read()

    @rx.event
    @access()
    async def show_secret(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        done, setup = await self._send(
            self.call_shared(service.start_totp, typed(form, "password"))
        )
        if done and setup:
            self.picture, self.secret, self.step = setup.qr_svg, setup.secret, "scan"

    @rx.event
    @access()
    async def confirm(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        done, codes = await self._send(self.call_shared(service.confirm_totp, typed(form, "code")))
        if done and codes:
            self._forget()
            self.recovery_codes, self.step = codes, "codes"
            await self._read()

    @rx.event
    @access()
    async def stop(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        password, code = typed(form, "password"), typed(form, "code")
        done, _ = await self._send(self.call_shared(service.stop_totp, password, code))
        if done:
            self._forget()
            await self._read()
            yield rx.toast.success("The second factor is off.")

    @rx.event
    @access()
    def download_codes(self) -> EventSpec:
        """The recovery codes as a text file, made in the page."""
        text = "Aerostic recovery codes. Each works once.\n\n" + "\n".join(self.recovery_codes)
        return rx.download(data=text, filename="aerostic-recovery-codes.txt")

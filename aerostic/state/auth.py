"""Signing in, registering, and the ways back to an account."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import Invalid
from aerostic.core.tenancy import Context
from aerostic.domain.identity import service as identity
from aerostic.domain.identity.sessions import Proven
from aerostic.domain.tenants import queries as tenants
from aerostic.domain.tenants import service as team
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access, caller

Events = AsyncIterator[EventSpec | None]


def _ticket_for_password(ctx: Context, email: str, password: str, code: str, ip: str) -> str:
    return identity.issue_ticket(ctx, identity.prove(ctx, email, password, code, ip=ip))


def _ticket(ctx: Context, proven: Proven) -> str:
    return identity.issue_ticket(ctx, proven)


def enter(ticket: str, to: str, callback: Any) -> EventSpec:
    """Have the browser trade the ticket for its cookies and open a page."""
    arguments = f"{json.dumps(ticket)}, {json.dumps(to)}"
    return rx.call_script(f"window.aerostic.enter({arguments})", callback=callback)


class SignIn(Form, AppState):
    asks_code: bool = False

    @rx.event
    @access(public=True)
    def open(self) -> EventSpec | None:
        """Whoever is signed in already goes where they wanted to."""
        self._clear()
        self.is_busy = False
        principal = caller.get().principal
        return rx.redirect(self._next(), replace=True) if principal else None

    @rx.event
    @access(public=True)
    def ask_code(self) -> None:
        self.asks_code = True

    @rx.event
    @access(public=True)
    async def submit(self, form: dict[str, Any]) -> Events:
        """Prove who it is, then hand the browser a ticket for its cookies."""
        self.is_busy = True
        yield None
        email, password = typed(form, "email"), typed(form, "password")
        proof = self.call_shared(
            _ticket_for_password, email, password, typed(form, "code"), caller.get().ip
        )
        done, ticket = await self._send(proof)
        if done and ticket:
            self.is_busy = True
            yield enter(ticket, self._next(), SignIn.entered)
        else:
            self.asks_code = True  # one answer for every cause: a missing code may be it

    @rx.event
    @access(public=True)
    def entered(self, is_in: bool) -> None:
        """The browser has its cookies and leaves, or the ticket was too old."""
        self.is_busy = False
        if not is_in:
            self.problem = "That took too long. Please sign in again."

    def _next(self) -> str:
        wanted = str(self.router.url.query_parameters.get("next", ""))
        is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
        return wanted if is_ours else "/dashboard"


class Registration(Form, AppState):
    email: str = ""
    is_sent: bool = False
    _registration_id: str = ""

    @rx.event
    @access(public=True)
    def open(self) -> EventSpec | None:
        self._clear()
        self.is_busy, self.is_sent, self._registration_id = False, False, ""
        return rx.redirect("/dashboard", replace=True) if caller.get().principal else None

    @rx.event
    @access(public=True)
    async def submit(self, form: dict[str, Any]) -> Events:
        """Send the code. Nothing exists until it is confirmed."""
        self.is_busy = True
        yield None
        asked = self.call_shared(
            identity.register,
            email=typed(form, "email"),
            password=typed(form, "password"),
            name=typed(form, "name"),
            workspace=typed(form, "workspace"),
            ip=caller.get().ip,
        )
        done, registration_id = await self._send(asked)
        if done:
            self._registration_id, self.email = str(registration_id), typed(form, "email").strip()
            self.is_sent = True

    @rx.event
    @access(public=True)
    async def confirm(self, form: dict[str, Any]) -> Events:
        """The code proves the address: make the workspace and sign in."""
        self.is_busy = True
        yield None
        confirmed = self.call_shared(
            _confirm_and_issue, self._registration_id, typed(form, "code"), caller.get().ip
        )
        done, ticket = await self._send(confirmed)
        if done and ticket:
            self.is_busy = True
            yield enter(ticket, "/dashboard", Registration.entered)

    @rx.event
    @access(public=True)
    def entered(self, is_in: bool) -> EventSpec | None:
        """In, or (the ticket was too old) to the sign-in page: the account exists by now."""
        self.is_busy = False
        return None if is_in else rx.redirect("/login")

    @rx.event
    @access(public=True)
    def begin_again(self) -> None:
        self._clear()
        self.is_sent = False


def _confirm_and_issue(ctx: Context, registration_id: str, code: str, ip: str) -> str:
    return _ticket(ctx, identity.confirm_registration(ctx, _id(registration_id), code, ip=ip))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("code", "Please ask for a new code.") from None


class PasswordReset(Form, AppState):
    email: str = ""
    step: str = "ask"  # ask, code, done
    _reset_id: str = ""

    @rx.event
    @access(public=True)
    def open(self) -> None:
        self._clear()
        self.is_busy, self.step, self._reset_id = False, "ask", ""

    @rx.event
    @access(public=True)
    async def ask(self, form: dict[str, Any]) -> Events:
        """Send a code, or an e-mail that says there is no account: the page says the same either way."""
        self.is_busy = True
        yield None
        email = typed(form, "email")
        done, reset_id = await self._send(
            self.call_shared(identity.forgot_password, email, ip=caller.get().ip)
        )
        if done:
            self._reset_id, self.email, self.step = str(reset_id), email.strip(), "code"

    @rx.event
    @access(public=True)
    async def submit(self, form: dict[str, Any]) -> Events:
        """Set the new password; every session of the account ends."""
        self.is_busy = True
        yield None
        done, _ = await self._send(self._reset(typed(form, "code"), typed(form, "password")))
        if done:
            self.step = "done"

    async def _reset(self, code: str, password: str) -> None:
        reset_id = _id(self._reset_id)
        await self.call_shared(
            identity.reset_password, reset_id, code, password, ip=caller.get().ip
        )


class Invitation(Form, AppState):
    """The page behind the link of an invitation."""

    is_known: bool = False
    is_gone: bool = False
    workspace: str = ""
    email: str = ""
    role: str = ""
    has_account: bool = False
    # Signed in already: as whom.
    signed_in_as: str = ""

    @rx.event
    @access(public=True)
    async def open(self) -> None:
        self._clear()
        self.is_busy, self.is_gone, self.is_known = False, False, False
        done, offer = await self._send(
            self.call_shared(tenants.offer, self._token(), ip=caller.get().ip)
        )
        principal = caller.get().principal
        self.signed_in_as = principal.email if principal else ""
        self.is_known, self.is_gone = True, not done
        if offer:
            self.workspace, self.email = offer.workspace, offer.email
            self.role, self.has_account = offer.role.value, offer.has_account

    @rx.event
    @access(public=True)
    async def accept(self, form: dict[str, Any]) -> Events:
        """Join, then sign in; who is signed in as the invited person only joins."""
        self.is_busy = True
        yield None
        done, ticket = await self._send(
            self.call_shared(_accept, self._token(), form, caller.get().ip)
        )
        if done and ticket:
            self.is_busy = True
            yield enter(ticket, "/dashboard", Invitation.entered)
        elif done:
            yield rx.call_script("window.location.assign('/dashboard')")

    @rx.event
    @access(public=True)
    def entered(self, is_in: bool) -> EventSpec | None:
        self.is_busy = False
        return None if is_in else rx.redirect("/login")

    def _token(self) -> str:
        return str(self.router.url.query_parameters.get("token", ""))


def _accept(ctx: Context, token: str, form: dict[str, Any], ip: str) -> str:
    proven = team.accept_invitation(
        ctx,
        token,
        name=typed(form, "name"),
        password=typed(form, "password"),
        code=typed(form, "code"),
        ip=ip,
    )
    return _ticket(ctx, proven) if proven else ""

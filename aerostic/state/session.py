"""Who is signed in and where: what the frame around every page shows."""

from dataclasses import dataclass

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.settings import settings
from aerostic.state.base import AppState
from aerostic.state.guard import access, caller


@dataclass(frozen=True)
class WorkspaceChoice:
    """One of the person's workspaces, in the switcher."""

    id: str
    name: str
    role: str


class SignedIn(AppState):
    """First in every `on_load` of a signed-in page: `on_load=[SignedIn.enter, InboxState.load]`."""

    user_id: str = ""
    name: str = ""
    email: str = ""
    workspace_name: str = ""
    role: str = ""
    workspaces: list[WorkspaceChoice] = []
    # What the role includes, as the permissions' own texts: `SignedIn.may.contains("team:manage")`.
    may: list[str] = []
    is_staff: bool = False
    has_simulator: bool = False
    here: str = ""

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def enter(self) -> None:
        """Show the person and their workspace in the frame."""
        who = caller.get()
        assert who.principal
        assert who.actor
        self._show_person()
        self.here = who.workspace
        self.may = sorted(who.actor.permissions)
        place = who.principal.memberships[who.tenant_id] if who.tenant_id else None
        self.workspace_name = place.name if place else ""
        self.role = str(place.role) if place else ""

    @rx.event
    @access()
    async def enter_outside(self) -> None:
        """The same for a page that belongs to no workspace."""
        self._show_person()
        self.here, self.workspace_name, self.role, self.may = "", "", "", []

    def _show_person(self) -> None:
        principal = caller.get().principal
        assert principal
        self.user_id = str(principal.user_id)
        self.name, self.email = principal.name, principal.email
        self.is_staff = caller.get().staff is not None
        self.has_simulator = bool(settings().simulator_url)
        self.workspaces = [
            WorkspaceChoice(str(tenant_id), place.name, str(place.role))
            for tenant_id, place in principal.memberships.items()
        ]

    @rx.event
    @access(public=True)
    def sign_out(self) -> EventSpec:
        """End the session; the browser then leaves for the sign-in page."""
        return rx.call_script("window.aerostic.signOut()")

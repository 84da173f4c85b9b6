"""Which workspace to open."""

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.state.base import AppState
from aerostic.state.guard import access, caller


class Workspaces(AppState):
    is_known: bool = False

    @rx.event
    @access()
    async def choose(self) -> EventSpec | None:
        """One workspace: straight to it. Staff without any: to the platform's pages. Else: let choose."""
        who = caller.get()
        assert who.principal
        if who.principal.must_enrol:
            return rx.redirect("/second-factor", replace=True)
        if len(who.principal.memberships) == 1:
            (only,) = who.principal.memberships
            return rx.redirect(f"/dashboard/{only}/inbox", replace=True)
        if who.staff and not who.principal.memberships:
            return rx.redirect("/admin/deliveries", replace=True)
        self.is_known = True
        return None

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def open_inbox(self) -> EventSpec:
        """A workspace's first page."""
        return rx.redirect(f"/dashboard/{caller.get().workspace}/inbox", replace=True)

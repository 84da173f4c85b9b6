"""The page with the phone: whether there is one, and whose inbox stands beside it."""

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.settings import settings
from aerostic.state.base import AppState
from aerostic.state.guard import access, caller


class Simulator(AppState):
    is_here: bool = False
    inbox: str = ""

    @rx.event
    @access(public=True)
    async def load(self) -> EventSpec | None:
        """Without a simulator this page does not exist. The inbox: of the reader's first workspace."""
        if not settings().simulator_url:
            return rx.redirect("/404", replace=True)
        self.is_here, self.inbox = True, ""
        principal = caller.get().principal
        if principal and principal.memberships:
            self.inbox = f"/dashboard/{next(iter(principal.memberships))}/inbox"
        return None

"""The team of a workspace: who is in it, who is invited, and what each may do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission, Role
from aerostic.core.settings import settings
from aerostic.domain.team import service as team
from aerostic.domain.tenants import queries, service
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.paged import Paged

Events = AsyncIterator[EventSpec | None]


@dataclass(frozen=True)
class Member:
    """A line of the team. `can_change`: the reader has power over them."""

    id: str
    name: str
    email: str
    role: str
    joined_at: str
    has_second_factor: bool
    is_self: bool
    can_change: bool

    @classmethod
    def of(cls, row: queries.MemberRow) -> "Member":
        return cls(
            id=str(row.user_id),
            name=row.name,
            email=row.email,
            role=row.role.value,
            joined_at=row.joined_at.isoformat(),
            has_second_factor=row.has_second_factor,
            is_self=row.is_self,
            can_change=row.can_change,
        )


@dataclass(frozen=True)
class Invited:
    """An invitation that waits for an answer."""

    id: str
    email: str
    role: str
    invited_by: str
    expires_at: str
    is_expired: bool

    @classmethod
    def of(cls, row: queries.InvitationRow) -> "Invited":
        return cls(
            id=str(row.id),
            email=row.email,
            role=row.role.value,
            invited_by=row.invited_by,
            expires_at=row.expires_at.isoformat(),
            is_expired=row.is_expired,
        )


NO_MEMBER = Member("", "", "", "", "", False, False, False)


class Team(Form, Paged, AppState):
    members: list[Member] = []
    invitations: list[Invited] = []
    is_loading: bool = True
    has_more_invitations: bool = False
    is_inviting: bool = False
    leaving: Member = NO_MEMBER
    successor: Member = NO_MEMBER

    @rx.event
    @access(Permission.TEAM_READ)
    async def load(self) -> None:
        """The team from its beginning, and kept up to date from now on."""
        await self.watch()
        self._from_the_first()
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"member", "workspace", "everything"}:
            await self._read()

    async def _read(self) -> None:
        page = await self.call(queries.members, self._start())
        invited = await self.call(queries.invitations)
        self.members = [Member.of(row) for row in page.items]
        self._shown(page.next_cursor)
        self.invitations = [Invited.of(row) for row in invited.items]
        self.has_more_invitations = invited.next_cursor is not None
        self.is_loading = False

    @rx.event
    @access(Permission.TEAM_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.TEAM_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    @rx.event
    @access(Permission.TEAM_MANAGE)
    def begin_inviting(self) -> None:
        self._clear()
        self.is_inviting = True

    @rx.event
    @access(Permission.TEAM_READ)
    def close(self) -> None:
        """Every dialog of the page."""
        self._close()

    def _close(self) -> None:
        self.is_inviting, self.leaving, self.successor = False, NO_MEMBER, NO_MEMBER

    @rx.event
    @access(Permission.TEAM_MANAGE)
    async def invite(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        email, role = typed(form, "email").strip(), Role(typed(form, "role") or Role.AGENT)
        done, _ = await self._send(self.call(service.invite, email, role))
        if done:
            self.is_inviting = False
            await self._read()
            yield rx.toast.success(_invited(email))

    @rx.event
    @access(Permission.TEAM_MANAGE)
    async def withdraw(self, invitation_id: str) -> EventSpec:
        await self.call(service.withdraw_invitation, UUID(invitation_id))
        await self._read()
        return rx.toast.success("The invitation is withdrawn. Its link no longer works.")

    @rx.event
    @access(Permission.TEAM_MANAGE)
    async def change_role(self, user_id: str, role: str) -> EventSpec:
        await self.call(service.change_role, UUID(user_id), Role(role))
        await self._read()
        return rx.toast.success("The role is changed, at once.")

    @rx.event
    @access(Permission.WORKSPACE_READ)
    def ask_to_remove(self, user_id: str) -> None:
        """Ask before someone is taken out, or leaves."""
        self.leaving = self._member(user_id)

    @rx.event
    @access(Permission.TEAM_MANAGE)
    async def remove(self) -> EventSpec:
        gone = self.leaving
        self._close()
        await self.call(team.remove_member, UUID(gone.id))
        await self._read()
        return rx.toast.success(f"{gone.name} is no longer in this workspace.")

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def leave(self) -> EventSpec:
        self._close()
        await self.call(team.leave)
        return rx.call_script("window.location.assign('/dashboard')")

    @rx.event
    @access(Permission.TEAM_MANAGE)
    def ask_to_hand_over(self, user_id: str) -> None:
        self.successor = self._member(user_id)

    @rx.event
    @access(Permission.TEAM_MANAGE)
    async def hand_over(self) -> EventSpec:
        """Another owner; the one before becomes an admin, and sees the page as one."""
        successor = self.successor
        self._close()
        await self.call(service.transfer_ownership, UUID(successor.id))
        return rx.call_script("window.location.reload()")

    def _member(self, user_id: str) -> Member:
        return next((one for one in self.members if one.id == user_id), NO_MEMBER)


def _invited(email: str) -> str:
    if settings().smtp_url.get_secret_value():
        return f"An invitation is on its way to {email}. It is open for seven days."
    return (
        f"{email} is invited, for seven days. No mail server is set, "
        "so the mail with the link lies in the data folder, under mail."
    )

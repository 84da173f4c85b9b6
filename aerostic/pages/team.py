"""The team: members, invitations, roles."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission, Role
from aerostic.state.session import SignedIn
from aerostic.state.team import Invited, Member, Team

ROLE_COLOURS = rx.Var.create({"owner": theme.INFO, "admin": theme.GOOD, "agent": theme.NEUTRAL})
ROLES = (
    (Role.AGENT, "Agent: answers in the inbox"),
    (Role.ADMIN, "Admin: also templates, labels, imports and exports"),
)
may_manage = SignedIn.may.contains(str(Permission.TEAM_MANAGE))


@rx.page(
    route="/dashboard/[workspace_id]/team",
    title="Team · Aerostic",
    on_load=[SignedIn.enter, Team.load],
)
def team() -> rx.Component:
    return shell(
        rx.flex(_members(), _invitations(), direction="column", gap=theme.S5),
        _invite_dialog(),
        _leave_dialog(),
        _hand_over_dialog(),
        title="Team",
        active="team",
    )


def _members() -> rx.Component:
    invite = rx.cond(
        may_manage, kit.button("Invite", icon="user-plus", on_click=Team.begin_inviting)
    )
    return kit.section(
        "Members",
        "Everyone who can open this workspace, and what their role lets them do.",
        kit.table(
            ["Name", "Role", "Second factor", "Joined", ""],
            Team.members,
            _member_row,
            is_loading=Team.is_loading,
            when_empty=kit.empty("users", "Nobody yet", "Invite your first colleague."),
        ),
        kit.pages(Team.page_number, Team.has_next, Team.previous_page, Team.next_page),
        actions=[invite],
    )


def _member_row(member: Member) -> list[rx.Component]:
    return [
        _person(member),
        rx.cond(
            member.can_change,
            _role_choice(member),
            kit.badge(member.role.capitalize(), ROLE_COLOURS[member.role]),
        ),
        rx.cond(
            member.has_second_factor,
            kit.badge("On", theme.GOOD, "shield-check"),
            kit.badge("Off", theme.NEUTRAL),
        ),
        kit.muted(kit.at(member.joined_at, "D MMM YYYY"), white_space="nowrap"),
        _member_menu(member),
    ]


def _person(member: Member) -> rx.Component:
    return rx.flex(
        kit.avatar(member.name),
        rx.box(
            rx.flex(
                kit.text(member.name, weight="medium"),
                rx.cond(member.is_self, kit.muted("(you)", size="1")),
                gap=theme.S1,
                align="center",
            ),
            kit.muted(member.email, size="1"),
        ),
        align="center",
        gap=theme.S3,
    )


def _role_choice(member: Member) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label="Role of " + member.name, variant="soft", color_scheme="gray"),
        rx.select.content(
            *(rx.select.item(role.value.title(), value=role.value) for role, _ in ROLES),
            position="popper",
        ),
        value=member.role,
        on_change=lambda role: Team.change_role(member.id, role),
        size="1",
    )


def _member_menu(member: Member) -> rx.Component:
    remove = rx.dropdown_menu.item(
        rx.cond(member.is_self, "Leave the workspace", "Remove from the workspace"),
        color="red",
        on_select=Team.ask_to_remove(member.id),
    )
    hand_over = rx.dropdown_menu.item(
        "Make them the owner", on_select=Team.ask_to_hand_over(member.id)
    )
    return rx.cond(
        member.can_change | member.is_self,
        rx.dropdown_menu.root(
            rx.dropdown_menu.trigger(
                rx.icon_button(
                    rx.icon("ellipsis", size=18),
                    variant="ghost",
                    color_scheme="gray",
                    aria_label="More about " + member.name,
                )
            ),
            rx.dropdown_menu.content(rx.cond(may_manage & ~member.is_self, hand_over), remove),
        ),
        rx.fragment(),
    )


def _invitations() -> rx.Component:
    return rx.cond(
        Team.invitations.length() > 0,
        kit.section(
            "Invitations",
            "Open until they are accepted, for seven days at most.",
            kit.table(
                ["E-mail", "Role", "Invited by", "Open until", ""],
                Team.invitations,
                _invitation_row,
            ),
            rx.cond(
                Team.has_more_invitations,
                kit.muted(
                    "These are the latest. Earlier ones appear as these are answered or withdrawn.",
                    align="center",
                ),
            ),
        ),
    )


def _invitation_row(invited: Invited) -> list[rx.Component]:
    return [
        kit.text(invited.email, weight="medium"),
        kit.badge(invited.role.capitalize(), ROLE_COLOURS[invited.role]),
        kit.muted(invited.invited_by),
        rx.cond(
            invited.is_expired,
            kit.badge("Expired", theme.WARN),
            kit.muted(kit.at(invited.expires_at), white_space="nowrap"),
        ),
        rx.cond(
            may_manage,
            kit.button(
                "Withdraw",
                variant="ghost",
                color_scheme="red",
                size="1",
                margin="0",
                on_click=Team.withdraw(invited.id),
            ),
        ),
    ]


def _invite_dialog() -> rx.Component:
    return kit.dialog(
        "Invite a colleague",
        rx.form(
            rx.flex(
                kit.field(
                    "E-mail", "email", kind="email", error=Team.errors["email"], required=True
                ),
                kit.choice(
                    "Role",
                    "role",
                    [(role.value, words) for role, words in ROLES],
                    default_value=Role.AGENT.value,
                ),
                kit.refusal(Team.problem),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=Team.close,
                ),
                kit.button("Send the invitation", type="submit", loading=Team.is_busy),
            ),
            on_submit=Team.invite,
        ),
        note="They get a link by e-mail and choose their own password.",
        is_open=Team.is_inviting,
        on_close=Team.close,
    )


def _leave_dialog() -> rx.Component:
    member = Team.leaving
    return rx.cond(
        member.is_self,
        kit.confirm(
            "Leave this workspace?",
            "You lose sight of its conversations at once. Only an invitation brings you back.",
            is_open=member.id != "",
            act="Leave",
            on_confirm=Team.leave,
            on_cancel=Team.close,
        ),
        kit.confirm(
            "Remove " + member.name + "?",
            "They lose sight of this workspace at once, on every device. What they wrote stays.",
            is_open=member.id != "",
            act="Remove",
            on_confirm=Team.remove,
            on_cancel=Team.close,
        ),
    )


def _hand_over_dialog() -> rx.Component:
    return kit.confirm(
        "Make " + Team.successor.name + " the owner?",
        "They can then do everything here, also with you. You become an admin.",
        is_open=Team.successor.id != "",
        act="Hand over",
        on_confirm=Team.hand_over,
        on_cancel=Team.close,
    )

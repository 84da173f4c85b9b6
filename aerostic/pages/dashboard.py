"""`/dashboard`: no page of its own, but the way to the right one."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import mark, shell
from aerostic.state.session import SignedIn, WorkspaceChoice
from aerostic.state.workspaces import Workspaces


@rx.page(
    route="/dashboard",
    title="Your workspaces · Aerostic",
    on_load=[SignedIn.enter_outside, Workspaces.choose],
)
def dashboard() -> rx.Component:
    return shell(
        rx.cond(
            Workspaces.is_known,
            rx.cond(SignedIn.workspaces.length() > 0, _choices(), _none()),
            kit.skeleton_rows(3),
        ),
        title="Your workspaces",
    )


def _choices() -> rx.Component:
    return kit.card(
        kit.heading("Where to?", "You are a member of more than one workspace."),
        rx.flex(
            rx.foreach(SignedIn.workspaces, _choice),
            direction="column",
            gap=theme.S2,
            margin_top=theme.S4,
        ),
        max_width="560px",
    )


def _choice(place: WorkspaceChoice) -> rx.Component:
    return rx.link(
        kit.avatar(place.name),
        rx.box(
            rx.text(place.name, size="3", weight="medium"),
            kit.muted(place.role, size="1", text_transform="capitalize"),
            flex="1",
            min_width="0",
        ),
        rx.icon("chevron-right", size=18, color=theme.MUTED),
        href=f"/dashboard/{place.id}",
        underline="none",
        display="flex",
        align_items="center",
        gap=theme.S3,
        padding=theme.S3,
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS_SMALL,
        color=theme.INK,
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def _none() -> rx.Component:
    return kit.card(
        kit.empty(
            "building-2",
            "You are in no workspace",
            "Ask an owner to invite you with the e-mail address that you signed in with.",
        )
    )


@rx.page(
    route="/dashboard/[workspace_id]",
    title="Aerostic",
    on_load=[SignedIn.enter, Workspaces.open_inbox],
)
def workspace() -> rx.Component:
    return rx.center(mark(44), height="100dvh", custom_attrs={"data-signed-in": "true"})

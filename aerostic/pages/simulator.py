"""`/simulator`: a customer's phone, and on wide screens the inbox that answers."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.phone import phone
from aerostic.components.shell import wordmark
from aerostic.state.simulator import Simulator


@rx.page(route="/simulator", title="Simulator · Aerostic", on_load=Simulator.load)
def simulator() -> rx.Component:
    return rx.flex(
        _header(),
        rx.flex(
            rx.el.main(
                rx.cond(Simulator.is_here, phone()),
                display="flex",
                justify_content="center",
                width=["100%", "100%", "100%", "430px"],
                flex_shrink="0",
                height="100%",
                overflow_y="auto",
                padding_top=["0", "0", "0", theme.S5],
            ),
            rx.box(
                rx.cond(Simulator.inbox != "", _inbox(), _sign_in()),
                display=["none", "none", "none", "block"],
                flex="1",
                min_width="0",
                border_left=f"1px solid {theme.LINE}",
            ),
            flex="1",
            min_height="0",
        ),
        direction="column",
        height="100dvh",
        background=theme.PAGE,
    )


def _header() -> rx.Component:
    return rx.flex(
        rx.el.a(wordmark(), href="/dashboard", class_name="plain"),
        rx.heading("Simulator", as_="h1", size="3", color=theme.MUTED, weight="medium"),
        kit.muted(
            "Write as a customer on the left, answer on the right. Nothing leaves this machine.",
            display=theme.ONLY_WIDE,
        ),
        as_="header",
        align="center",
        gap=theme.S4,
        height=theme.BAR_HEIGHT,
        flex_shrink="0",
        padding_x=theme.S4,
        background=theme.SURFACE,
        border_bottom=f"1px solid {theme.LINE}",
    )


def _inbox() -> rx.Component:
    return rx.el.iframe(
        src=Simulator.inbox, title="The inbox", width="100%", height="100%", border="0"
    )


def _sign_in() -> rx.Component:
    return rx.center(
        kit.empty(
            "inbox",
            "The inbox goes here",
            "Sign in, and what the phone writes appears beside it.",
            rx.link(kit.button("Sign in"), href="/login?next=/simulator"),
        ),
        height="100%",
    )

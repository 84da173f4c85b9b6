"""`/`: what this is, in one look. Nothing here that is not so."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.entrance import glimpse
from aerostic.components.shell import wordmark

FACTS = (
    (
        "messages-square",
        "One inbox for everyone",
        "Every WhatsApp number of your company in one list. Assign a conversation, leave a private note, "
        "answer with a ready reply, and see who else is looking.",
    ),
    (
        "shield-check",
        "Nothing lost, nothing twice",
        "A message is on disk before WhatsApp hears that we have it. Delivered twice, it is shown once. "
        "A send whose fate is unknown is shown to you, never repeated behind your back.",
    ),
    (
        "server",
        "On your own machine",
        "It runs with one command, with its database inside. Each workspace is kept apart by the database "
        "itself, and access tokens are encrypted.",
    ),
)


@rx.page(route="/", title="Aerostic: your team on WhatsApp")
def landing() -> rx.Component:
    return rx.box(
        _header(),
        rx.el.main(_hero(), _facts(), id="main"),
        background=theme.PAGE,
        min_height="100dvh",
    )


def _header() -> rx.Component:
    return rx.flex(
        wordmark(),
        rx.flex(
            rx.link(
                kit.button("Sign in", variant="ghost", color_scheme="gray", margin="0"),
                href="/login",
            ),
            rx.link(kit.button("Create a workspace"), href="/register", display=theme.ONLY_WIDE),
            gap=theme.S4,
            align="center",
        ),
        as_="header",
        justify="between",
        align="center",
        max_width="1120px",
        margin_x="auto",
        padding=f"{theme.S4} {theme.S5}",
    )


def _hero() -> rx.Component:
    return rx.flex(
        rx.flex(
            rx.heading(
                "Your whole team, on one WhatsApp number.",
                as_="h1",
                size=rx.breakpoints(initial="8", md="9"),
                weight="bold",
                style={"text_wrap": "balance"},
            ),
            rx.text(
                "Aerostic is a shared inbox for the WhatsApp Business Platform that you host yourself. "
                "Customers write as they always do; your team answers together.",
                size="4",
                color=theme.MUTED,
                max_width="46ch",
            ),
            rx.flex(
                rx.link(kit.button("Create a workspace", size="4"), href="/register"),
                rx.link(kit.button("Sign in", size="4", variant="soft"), href="/login"),
                gap=theme.S3,
                wrap="wrap",
            ),
            direction="column",
            gap=theme.S5,
            flex="1",
        ),
        rx.center(
            glimpse(),
            flex="1",
            width="100%",
            padding=theme.S6,
            border_radius="28px",
            background="linear-gradient(150deg, #0c3b2e, #0a5a44 55%, #107c5d)",
            aria_hidden="true",
        ),
        direction=rx.breakpoints(initial="column", md="row"),
        align="center",
        gap=theme.S8,
        max_width="1120px",
        margin_x="auto",
        padding=[f"{theme.S6} {theme.S5}", f"{theme.S6} {theme.S5}", f"{theme.S9} {theme.S5}"],
    )


def _facts() -> rx.Component:
    return rx.grid(
        *(_fact(*fact) for fact in FACTS),
        columns=rx.breakpoints(initial="1", md="3"),
        gap=theme.S5,
        max_width="1120px",
        margin_x="auto",
        padding=f"0 {theme.S5} {theme.S9}",
    )


def _fact(icon: str, title: str, words: str) -> rx.Component:
    return kit.card(
        rx.icon(icon, size=22, color=theme.ACCENT_INK),
        rx.heading(title, as_="h2", size="4", margin_top=theme.S3),
        kit.muted(words, margin_top=theme.S2, style={"line_height": "1.6"}),
    )

"""What is not there, or not yours: the two look the same."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import wordmark


@rx.page(route="/404", title="Not found · Aerostic")
def not_found() -> rx.Component:
    return rx.center(
        rx.vstack(
            wordmark(),
            rx.heading("There is nothing here", as_="h1", size="7", margin_top=theme.S5),
            kit.muted(
                "The address may be mistyped, or the page belongs to a workspace that you are not in.",
                size="3",
                align="center",
                max_width="42ch",
            ),
            rx.flex(
                rx.link(kit.button("Your workspaces", size="3"), href="/dashboard"),
                rx.link(kit.button("Home", size="3", variant="soft"), href="/"),
                gap=theme.S3,
                margin_top=theme.S3,
            ),
            align="center",
            gap=theme.S3,
        ),
        as_="main",
        min_height="100dvh",
        padding=theme.S5,
        background=theme.PAGE,
    )

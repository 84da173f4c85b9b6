"""What the pages of campaigns share."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.state.session import SignedIn

_COLOURS = rx.Var.create(
    {
        "draft": theme.NEUTRAL,
        "awaiting_approval": theme.WARN,
        "scheduled": theme.INFO,
        "preparing": theme.INFO,
        "running": theme.INFO,
        "paused": theme.WARN,
        "done": theme.GOOD,
        "cancelled": theme.NEUTRAL,
    }
)


def campaign_path(campaign_id: rx.Var[str] | str) -> rx.Var[str]:
    return "/dashboard/" + SignedIn.here + "/campaigns/" + campaign_id


def status_badge(status: rx.Var[str], words: rx.Var[str]) -> rx.Component:
    return kit.badge(words, _COLOURS[status])


def figure(label: Any, value: Any, note: Any = "") -> rx.Component:
    """One number that matters, with what it counts."""
    return rx.box(
        rx.text(value, size="6", weight="bold", style={"font_variant_numeric": "tabular-nums"}),
        kit.muted(label),
        kit.muted(note, size="1") if note is not None else rx.fragment(),
        background=theme.SUNKEN,
        border_radius=theme.RADIUS_SMALL,
        padding=theme.S3,
        min_width="0",
    )

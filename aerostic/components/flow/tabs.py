"""A row of tabs whose contents stand elsewhere on the page."""

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from aerostic.components import theme


def tabs(
    label: str, options: Sequence[tuple[str, str]], shown: rx.Var[str], choose: Callable[[str], Any]
) -> rx.Component:
    """`options` are (key, words); `choose(key)` is the event that shows one."""
    return rx.flex(
        *(_tab(key, words, shown == key, choose(key)) for key, words in options),
        role="tablist",
        aria_label=label,
        gap=theme.S1,
    )


def _tab(key: str, words: str, is_shown: rx.Var[bool], act: Any) -> rx.Component:
    return rx.el.button(
        words,
        type="button",
        role="tab",
        aria_selected=is_shown,
        on_click=act,
        padding="7px 12px",
        border="0",
        border_radius=theme.RADIUS_SMALL,
        font_size="14px",
        font_weight=rx.cond(is_shown, "600", "500"),
        color=rx.cond(is_shown, theme.ACCENT_INK, theme.MUTED),
        background=rx.cond(is_shown, theme.SELECTED, "transparent"),
        cursor="pointer",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )

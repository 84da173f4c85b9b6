"""A message as the recipient's phone shows it."""

import reflex as rx

from aerostic.components import theme
from aerostic.state.campaign_lines import Bubble, Button

PAPER, BUBBLE, INK, QUIET, LINK = "#efeae2", "#ffffff", "#111b21", "#54656f", "#00695c"


def handset(bubble: rx.Var[Bubble], name: rx.Var[str] | str) -> rx.Component:
    """The chat with one message in it. Its colours are WhatsApp's own, by day and by night."""
    return rx.box(
        rx.flex(
            rx.center(
                rx.icon("store", size=14, color="#075e54"),
                width="24px",
                height="24px",
                border_radius="99px",
                background="#ffffff",
                flex_shrink="0",
            ),
            rx.text(name, size="2", weight="medium", color="#ffffff", truncate=True),
            align="center",
            gap=theme.S2,
            padding="10px 14px",
            background="#075e54",
        ),
        rx.box(_bubble(bubble), padding="16px 12px 28px", background=PAPER, min_height="300px"),
        border=f"6px solid {theme.LINE_STRONG}",
        border_radius="26px",
        overflow="hidden",
        width="100%",
        max_width="320px",
        margin="0 auto",
        role="img",
        aria_label="How the message looks on a phone",
    )


def _bubble(one: rx.Var[Bubble]) -> rx.Component:
    return rx.box(
        rx.cond(one.media != "", _media(one)),
        rx.cond(one.header != "", _text(one.header, weight="bold")),
        _text(one.body, size="2"),
        rx.cond(one.footer != "", _text(one.footer, size="1", color=QUIET)),
        rx.foreach(one.cards, _card),
        rx.foreach(one.buttons, _button),
        background=BUBBLE,
        border_radius="10px",
        padding="8px 10px",
        max_width="92%",
        box_shadow="0 1px 1px rgba(0,0,0,.15)",
    )


def _media(one: rx.Var[Bubble]) -> rx.Component:
    return rx.cond(
        one.media_url != "",
        rx.image(src=one.media_url, alt="", width="100%", border_radius="8px", margin_bottom="6px"),
        rx.center(
            rx.icon("image", size=20, color=QUIET),
            rx.text(one.media, size="1", color=QUIET),
            gap=theme.S2,
            height="110px",
            background="#e3e6e8",
            border_radius="8px",
            margin_bottom="6px",
        ),
    )


def _text(words: rx.Var[str], **props: str) -> rx.Component:
    style = {"white_space": "pre-wrap", "overflow_wrap": "anywhere"}
    return rx.text(words, **{"size": "2", "color": INK, "style": style, **props})


def _card(words: rx.Var[str]) -> rx.Component:
    return rx.box(
        _text(words, size="1"),
        border=f"1px solid {QUIET}",
        border_radius="8px",
        padding="6px 8px",
        margin_top="6px",
    )


def _button(one: rx.Var[Button]) -> rx.Component:
    return rx.center(
        rx.text(one.label, size="2", weight="medium", color=LINK),
        border_top="1px solid #e3e6e8",
        padding="8px 0 4px",
        margin_top="6px",
    )

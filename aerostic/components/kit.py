"""The pieces that every page is made of. One table, one form field, one dialog, one badge: no second kind."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from aerostic.components import theme

Child = rx.Component | rx.Var | str
Click = Any  # an event handler, a spec, or a list of them, as Reflex takes it


# Text and time


def text(*children: Any, **props: Any) -> rx.Component:
    return rx.text(*children, **{"size": "2", "color": theme.INK, **props})


def muted(*children: Any, **props: Any) -> rx.Component:
    """Second in importance: explanations, times, counts."""
    return rx.text(*children, **{"size": "2", "color": theme.MUTED, **props})


def heading(title: Any, note: Any = "", *actions: rx.Component) -> rx.Component:
    """The head of a section: its name, one line of what it is for, its actions on the right."""
    return rx.flex(
        rx.box(
            rx.heading(title, as_="h2", size="4", weight="bold"),
            muted(note, margin_top="2px"),
            min_width="0",
        ),
        rx.flex(*actions, gap=theme.S2, align="center", wrap="wrap") if actions else rx.fragment(),
        justify="between",
        align="start",
        gap=theme.S4,
        wrap="wrap",
        width="100%",
    )


def when(moment: rx.Var[str] | str, **props: Any) -> rx.Component:
    """A moment in the reader's own zone: `5 minutes ago`, with the full time on hover."""
    return rx.moment(moment, from_now=True, with_title=True, title_format="LLLL", **props)


def at(moment: rx.Var[str] | str, pattern: str = "D MMM YYYY, HH:mm") -> rx.Component:
    """A moment in the reader's own zone, spelled out."""
    return rx.moment(moment, format=pattern)


def key(name: str) -> rx.Component:
    return rx.el.kbd(
        name,
        font_size="11px",
        font_family="inherit",
        color=theme.MUTED,
        border=f"1px solid {theme.LINE}",
        border_bottom_width="2px",
        border_radius="5px",
        padding="0 5px",
        white_space="nowrap",
    )


def keys(*names: str) -> rx.Component:
    """A keyboard hint, for those who have one."""
    return rx.flex(*(key(name) for name in names), gap="3px", display=theme.ONLY_WIDE)


def code(value: Any) -> rx.Component:
    """An identifier to read aloud or copy."""
    return rx.code(
        value, size="2", variant="soft", color_scheme="gray", style={"word_break": "break-all"}
    )


# Marks


def badge(label: Any, colour: Any = theme.NEUTRAL, icon: str = "") -> rx.Component:
    """A state in one word. The colour repeats what the word says, and never says it alone."""
    inside = [rx.icon(icon, size=12)] if icon else []
    return rx.badge(*inside, label, color_scheme=colour, variant="soft", radius="full", size="2")


def avatar(name: rx.Var[str] | str, *, size: str = "2") -> rx.Component:
    """The first letters of a name; a sign for one that is a number."""
    initials = (
        rx.Var(
            f"(({name!s}).match(/(?<![\\p{{L}}\\p{{N}}])\\p{{L}}/gu)?.slice(0,2)"
            ".join('').toUpperCase() || '#')",
            _var_data=name._get_all_var_data(),
        ).to(str)
        if isinstance(name, rx.Var)
        else "".join(word[0] for word in name.split()[:2]).upper()
    )
    return rx.avatar(fallback=initials, size=size, radius="full", variant="soft", flex_shrink="0")


def skeleton(*, width: str = "100%", height: str = "14px") -> rx.Component:
    """The place of something that is on its way."""
    return rx.box(class_name="skeleton", width=width, height=height, aria_hidden="true")


def skeleton_rows(count: int = 5) -> rx.Component:
    row = rx.hstack(
        rx.box(class_name="skeleton", width="32px", height="32px", border_radius="99px"),
        rx.vstack(
            skeleton(width="38%"), skeleton(width="64%", height="11px"), width="100%", gap="7px"
        ),
        width="100%",
        padding=theme.S3,
        align="center",
    )
    return rx.box(*(row for _ in range(count)), width="100%", role="status", aria_label="Loading")


# Surfaces


def card(*children: Child, **props: Any) -> rx.Component:
    """A raised sheet with one subject."""
    return rx.box(
        *children,
        **{
            "background": theme.SURFACE,
            "border": f"1px solid {theme.LINE}",
            "border_radius": theme.RADIUS,
            "padding": [theme.S4, theme.S4, theme.S5],
            "width": "100%",
            "min_width": "0",
            **props,
        },
    )


def section(
    title: str, note: str, *children: Child, actions: Sequence[rx.Component] = ()
) -> rx.Component:
    """A card with a head."""
    return card(
        rx.flex(heading(title, note, *actions), *children, direction="column", gap=theme.S5)
    )


def note(message: Any, *, tone: str = theme.INFO, icon: str = "info") -> rx.Component:
    """One thing the reader should know before going on."""
    return rx.callout(message, icon=icon, color_scheme=tone, size="1", width="100%")


def refusal(problem: rx.Var[str]) -> rx.Component:
    """Why a form was refused, where no one field is to blame."""
    return rx.cond(problem != "", note(problem, tone=theme.BAD, icon="circle-alert"))


def empty(icon: str, title: str, hint: Any, *actions: rx.Component) -> rx.Component:
    """Nothing here yet: what will be, and how to begin."""
    return rx.center(
        rx.vstack(
            rx.center(
                rx.icon(icon, size=24, color=theme.ACCENT_INK),
                width="56px",
                height="56px",
                border_radius="18px",
                background=theme.SELECTED,
            ),
            rx.heading(title, as_="h3", size="4", align="center"),
            muted(hint, align="center", max_width="44ch"),
            *actions,
            align="center",
            gap=theme.S3,
        ),
        width="100%",
        padding=f"{theme.S8} {theme.S4}",
    )


def failed(message: Any, retry: Click) -> rx.Component:
    """It could not be read: what happened, and the way to try again."""
    return empty(
        "cloud-off",
        "That did not load",
        message,
        button("Try again", on_click=retry, variant="soft", icon="rotate-cw"),
    )


# Buttons


def button(
    label: Any,
    *,
    icon: str = "",
    variant: str = "solid",
    **props: Any,
) -> rx.Component:
    """`variant`: `solid` for the one main act of a place, `soft` beside it, `ghost` for the rest."""
    inside = [rx.icon(icon, size=16)] if icon else []
    return rx.button(
        *inside, label, **{"variant": variant, "size": "2", "cursor": "pointer", **props}
    )


def icon_button(icon: str, label: str, **props: Any) -> rx.Component:
    """A button that shows a sign and says its name to those who cannot see it."""
    return rx.tooltip(
        rx.icon_button(
            rx.icon(icon, size=18),
            **{
                "aria_label": label,
                "variant": "ghost",
                "color_scheme": "gray",
                "size": "2",
                "cursor": "pointer",
                "margin": "0",
                **props,
            },
        ),
        content=label,
    )


# Forms


def field(
    label: str,
    name: str,
    *,
    kind: str = "text",
    error: Any = "",
    hint: str = "",
    control: rx.Component | None = None,
    **props: Any,
) -> rx.Component:
    """A labelled field with its hint or its error below; `name` is the key in the form's data."""
    ident = props.pop("id", f"field-{name}")
    inside = control or rx.input(
        **{
            "id": ident,
            "name": name,
            "type": kind,
            "size": "3",
            "width": "100%",
            "aria_describedby": f"{ident}-help",
            **props,
        }
    )
    return rx.box(
        rx.el.label(
            rx.text(label, size="2", weight="medium", as_="span"),
            html_for=ident,
            display="block",
            margin_bottom="6px",
        ),
        inside,
        rx.box(_help(error, hint), id=f"{ident}-help", aria_live="polite"),
        width="100%",
    )


def _help(error: Any, hint: str) -> rx.Component:
    quiet = muted(hint, size="1", margin_top="5px") if hint else rx.fragment()
    if isinstance(error, str) and not error:
        return quiet
    return rx.cond(error, rx.text(error, size="1", color="var(--red-11)", margin_top="5px"), quiet)


def choice(
    label: str, name: str, options: Sequence[tuple[str, str]], *, hint: str = "", **props: Any
) -> rx.Component:
    """A labelled choice of a few; `options` are (value, words)."""
    ident = props.pop("id", f"field-{name}")
    picker = rx.select.root(
        rx.select.trigger(id=ident, width="100%"),
        rx.select.content(
            *(rx.select.item(words, value=value) for value, words in options), position="popper"
        ),
        name=name,
        size="3",
        **props,
    )
    return field(label, name, control=picker, hint=hint, id=ident)


# Dialogs


def dialog(
    title: Any,
    *children: Child,
    is_open: rx.Var[bool],
    on_close: Click,
    note: Any = "",
    width: str = "480px",
) -> rx.Component:
    """A question or a small form above the page. Esc and a click beside it close it."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, size="5"),
            rx.dialog.description(note, size="2", color=theme.MUTED, margin_bottom=theme.S4),
            *children,
            max_width=width,
            border_radius=theme.RADIUS,
        ),
        open=is_open,
        on_open_change=on_close,
    )


def dialog_actions(*buttons: rx.Component) -> rx.Component:
    """The foot of a dialog: the act on the right, the way back beside it."""
    return rx.flex(*buttons, gap=theme.S3, justify="end", margin_top=theme.S5, wrap="wrap")


def confirm(
    title: Any,
    consequence: Any,
    *,
    is_open: rx.Var[bool],
    act: str,
    on_confirm: Click,
    on_cancel: Click,
    is_busy: rx.Var[bool] | bool = False,
) -> rx.Component:
    """Ask before something that can not be taken back; `act` names it: “Remove Ana”, never “OK”."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(title, size="5"),
            rx.alert_dialog.description(consequence, size="2", color=theme.MUTED),
            dialog_actions(
                button("Keep", variant="soft", color_scheme="gray", on_click=on_cancel),
                button(act, color_scheme="red", on_click=on_confirm, loading=is_busy),
            ),
            max_width="440px",
            border_radius=theme.RADIUS,
        ),
        open=is_open,
    )


# Tables


def table(
    columns: Sequence[str],
    rows: rx.Var[list[Any]],
    row: Any,
    *,
    is_loading: rx.Var[bool] | bool = False,
    error: rx.Var[str] | str = "",
    retry: Click = None,
    when_empty: rx.Component | None = None,
    has_more: rx.Var[bool] | bool = False,
    on_more: Click = None,
    too_many: str = "There is more. Narrow the filter, or",
) -> rx.Component:
    """Rows of one kind with each of its states: loading, could not load, empty, and more than fits.

    `row` makes the cells: `lambda member: [cell, cell, …]`. On a telephone the table scrolls sideways.
    """
    grid = rx.box(
        rx.table.root(
            rx.table.header(rx.table.row(*(_column(name) for name in columns))),
            rx.table.body(
                rx.foreach(
                    rows,
                    lambda one: rx.table.row(*(rx.table.cell(c) for c in row(one)), align="center"),
                )
            ),
            variant="ghost",
            size="2",
            width="100%",
        ),
        overflow_x="auto",
        width="100%",
        tab_index=0,
        role="region",
        aria_label="Table",
        class_name="sideways scroll-quietly",
    )
    filled = rx.cond(rows.length() > 0, grid, when_empty or empty("inbox", "Nothing here yet", ""))
    loaded = rx.cond(is_loading, skeleton_rows(), filled)
    return rx.box(
        rx.cond(error, failed(error, retry), loaded) if retry is not None else loaded,
        more(has_more, on_more, too_many) if on_more is not None else rx.fragment(),
        width="100%",
    )


def _column(name: str) -> rx.Component:
    return rx.table.column_header_cell(
        rx.text(name, size="1", weight="medium", color=theme.MUTED, as_="span"),
        white_space="nowrap",
    )


def more(has_more: rx.Var[bool] | bool, on_more: Click, words: str) -> rx.Component:
    """The foot of a list that goes on."""
    return rx.cond(
        has_more,
        rx.hstack(
            muted(words),
            button("show more", on_click=on_more, variant="soft", size="1"),
            justify="center",
            align="center",
            padding=theme.S4,
        ),
    )


def pages(
    number: rx.Var[int], has_next: rx.Var[bool], on_previous: Click, on_next: Click
) -> rx.Component:
    """The foot of a list that is shown page by page; nothing where one page holds it all."""
    return rx.cond(
        has_next | (number > 1),
        rx.flex(
            button(
                "Previous",
                icon="chevron-left",
                variant="soft",
                color_scheme="gray",
                size="1",
                disabled=number <= 1,
                on_click=on_previous,
            ),
            muted("Page ", number.to_string(), role="status"),
            button(
                "Next",
                icon="chevron-right",
                variant="soft",
                color_scheme="gray",
                size="1",
                disabled=~has_next,
                on_click=on_next,
            ),
            justify="center",
            align="center",
            gap=theme.S3,
            padding_top=theme.S4,
        ),
    )

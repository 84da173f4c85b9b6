"""Charts: drawn from rows, in the colours of the theme, with nothing but the browser's own SVG.

A chart never stands alone: `with_table` puts its figures beside it, for those who can not see it.
"""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from aerostic.components import kit, theme

_bars = rx.asset("bars.jsx", shared=True)

# To tell apart in both appearances, and without seeing red from green.
GREEN, BLUE, AMBER, RED, VIOLET = (
    f"var(--{colour}-9)" for colour in ("jade", "blue", "amber", "red", "violet")
)


class Bars(rx.NoSSRComponent):
    """Groups of bars. `bars`: `{"label", "full", "values"}`, a value for each of `series`."""

    library = _bars.importable_path
    tag = "Bars"

    bars: rx.Var[list[dict[str, Any]]]
    series: rx.Var[list[dict[str, str]]]
    stacked: rx.Var[bool]
    label: rx.Var[str]


def bars(
    rows: rx.Var[list[dict[str, Any]]],
    series: Sequence[tuple[str, str]],
    *,
    label: str,
    stacked: bool = False,
) -> rx.Component:
    """A chart of bars; `series` are (name, colour), `label` says what it shows."""
    named = [{"name": name, "colour": colour} for name, colour in series]
    return Bars.create(bars=rows, series=named, stacked=stacked, label=label)


def with_table(
    rows: rx.Var[list[dict[str, Any]]],
    series: Sequence[tuple[str, str]],
    *,
    label: str,
    first: str,
    stacked: bool = False,
) -> rx.Component:
    """A chart, and under it the same figures as a table to unfold. `first` heads the table's first column."""
    return rx.box(
        bars(rows, series, label=label, stacked=stacked),
        rx.el.details(
            rx.el.summary("The figures as a table", class_name="chart-unfold"),
            kit.table([first, *(name for name, _ in series)], rows, _row(len(series))),
            margin_top=theme.S3,
        ),
        width="100%",
        min_width="0",
    )


def _row(many: int) -> Any:
    def cells(row: rx.Var[dict[str, Any]]) -> list[rx.Component]:
        values = row["values"].to(list[int])
        numbers = [kit.text(values[at].to_string()) for at in range(many)]
        return [kit.text(row["full"], white_space="nowrap"), *numbers]

    return cells

"""`/admin/deliveries`: every webhook that Meta posted, byte for byte, and what became of it."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.state.deliveries import Deliveries, DeliveryLine, ProblemLine
from aerostic.state.session import SignedIn

STATUS_COLOURS = rx.Var.create({"pending": theme.INFO, "done": theme.GOOD, "parked": theme.WARN})
FILTERS = (("all", "All"), ("pending", "Pending"), ("done", "Done"), ("parked", "Parked"))


@rx.page(
    route="/admin/deliveries",
    title="Deliveries · Aerostic",
    on_load=[SignedIn.enter_outside, Deliveries.load],
)
def deliveries() -> rx.Component:
    return shell(
        kit.section(
            "Delivery log",
            "What Meta posted, and what became of it. Parked: some part could not be applied.",
            _filters(),
            kit.table(
                ["Received", "Status", "Size", "Retries", "Why", ""],
                Deliveries.rows,
                _row,
                is_loading=Deliveries.is_loading,
                when_empty=kit.empty(
                    "package-check", "No deliveries here", "Nothing of this status."
                ),
            ),
            kit.pages(
                Deliveries.page_number,
                Deliveries.has_next,
                Deliveries.previous_page,
                Deliveries.next_page,
            ),
            actions=[
                kit.button("Refresh", icon="refresh-cw", variant="soft", on_click=Deliveries.load)
            ],
        ),
        _detail(),
        title="Deliveries",
        active="deliveries",
    )


def _filters() -> rx.Component:
    return rx.flex(
        rx.segmented_control.root(
            *(rx.segmented_control.item(words, value=value) for value, words in FILTERS),
            value=Deliveries.status,
            on_change=Deliveries.filter_by,
            size={"initial": "1", "sm": "2"},
            max_width="100%",
        ),
        rx.cond(
            Deliveries.parked > 0, kit.badge(Deliveries.parked.to_string() + " parked", theme.WARN)
        ),
        align="center",
        gap=theme.S3,
        wrap="wrap",
    )


def _row(line: DeliveryLine) -> list[rx.Component]:
    return [
        kit.text(kit.at(line.received_at, "D MMM, HH:mm:ss"), white_space="nowrap"),
        kit.badge(line.status.capitalize(), STATUS_COLOURS[line.status]),
        kit.muted(line.size, white_space="nowrap"),
        kit.muted(line.attempts),
        kit.muted(line.reason, min_width="200px", max_width="320px"),
        kit.button(
            "Open", variant="ghost", size="1", margin="0", on_click=Deliveries.open(line.id)
        ),
    ]


def _detail() -> rx.Component:
    row = Deliveries.open_row
    return kit.dialog(
        "Delivery",
        rx.flex(
            rx.flex(
                kit.badge(row.status.capitalize(), STATUS_COLOURS[row.status]),
                kit.muted(kit.at(row.received_at, "D MMM YYYY, HH:mm:ss"), ", ", row.size),
                rx.foreach(Deliveries.fields, lambda field: kit.badge(field)),
                gap=theme.S2,
                align="center",
                wrap="wrap",
            ),
            rx.box(kit.code(row.id)),
            rx.foreach(Deliveries.problems, _problem),
            rx.cond(Deliveries.is_cut, kit.muted("Only the beginning is shown.")),
            rx.box(
                rx.el.pre(
                    Deliveries.body,
                    font_size="12px",
                    white_space="pre-wrap",
                    word_break="break-word",
                ),
                background=theme.SUNKEN,
                border=f"1px solid {theme.LINE}",
                border_radius=theme.RADIUS_SMALL,
                padding=theme.S3,
                max_height="44vh",
                overflow="auto",
                tab_index=0,
                role="region",
                aria_label="What was posted",
            ),
            direction="column",
            gap=theme.S3,
        ),
        kit.dialog_actions(
            kit.button("Close", variant="soft", color_scheme="gray", on_click=Deliveries.close),
            kit.button("Apply again", icon="rotate-cw", on_click=Deliveries.replay),
        ),
        is_open=row.id != "",
        on_close=Deliveries.close,
        note="What was applied before is not applied a second time.",
        width="760px",
    )


def _problem(problem: ProblemLine) -> rx.Component:
    words = rx.fragment(
        rx.text.strong(problem.where),
        rx.cond(problem.workspace != "", " (" + problem.workspace + ")", ""),
        ": ",
        problem.reason,
        rx.cond(problem.is_resolved, " Resolved since.", ""),
    )
    return rx.cond(
        problem.is_resolved,
        kit.note(words, tone=theme.GOOD, icon="check"),
        kit.note(words, tone=theme.WARN, icon="triangle-alert"),
    )

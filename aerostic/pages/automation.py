"""The list of workflows."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.flow.parts import begins, picture
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.automation import Automation, StarterLine, WorkflowLine
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.AUTOMATION_MANAGE))
WHICH = (("all", "All"), ("on", "Switched on"), ("off", "Switched off"), ("archived", "Archived"))


@rx.page(
    route="/dashboard/[workspace_id]/automation",
    title="Automation · Aerostic",
    on_load=[SignedIn.enter, Automation.load],
)
def automation() -> rx.Component:
    return shell(
        rx.script(src="/automation.js"),
        rx.flex(
            kit.heading(
                "Workflows",
                "What happens by itself when someone writes, taps a button, or a program calls.",
                rx.cond(
                    may_manage,
                    rx.fragment(
                        kit.button(
                            "Import",
                            icon="file-up",
                            variant="soft",
                            on_click=Automation.open_dialog("import"),
                        ),
                        kit.button(
                            "New workflow", icon="plus", on_click=Automation.open_dialog("new")
                        ),
                    ),
                ),
            ),
            kit.card(_filters(), _list(), padding=theme.S4),
            direction="column",
            gap=theme.S4,
        ),
        _new_dialog(),
        _import_dialog(),
        title="Automation",
        active="automation",
    )


def _filters() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.input(
                rx.input.slot(rx.icon("search", size=16)),
                placeholder="Name of a workflow",
                aria_label="Search workflows",
                default_value=Automation.text,
                on_change=Automation.search.debounce(250),
                size="3",
                width="100%",
            ),
            flex="1",
            min_width=["100%", "100%", "240px"],
        ),
        rx.select.root(
            rx.select.trigger(aria_label="Which workflows"),
            rx.select.content(
                *(rx.select.item(words, value=key) for key, words in WHICH), position="popper"
            ),
            value=Automation.which,
            on_change=Automation.choose,
            size="3",
        ),
        gap=theme.S3,
        wrap="wrap",
        margin_bottom=theme.S3,
    )


def _list() -> rx.Component:
    return rx.box(
        rx.cond(
            Automation.is_loading,
            kit.skeleton_rows(),
            rx.cond(
                Automation.rows.length() > 0,
                rx.flex(rx.foreach(Automation.rows, _line), direction="column"),
                _none(),
            ),
        ),
        kit.pages(
            Automation.page_number,
            Automation.has_next,
            Automation.previous_page,
            Automation.next_page,
        ),
    )


def _none() -> rx.Component:
    return rx.cond(
        Automation.is_narrowed,
        kit.empty("search-x", "No workflow like that", "Try fewer letters, or show all of them."),
        kit.empty(
            "workflow",
            "No workflows yet",
            "Begin with one that is already drawn, such as a welcome, and make it yours.",
            rx.cond(
                may_manage,
                kit.button(
                    "Choose a starter", icon="sparkles", on_click=Automation.open_dialog("new")
                ),
            ),
        ),
    )


def _line(line: WorkflowLine) -> rx.Component:
    return rx.flex(
        rx.box(begins(signs=line.begins), width="74px", flex_shrink="0"),
        rx.box(
            rx.link(
                line.name,
                href=f"/dashboard/{SignedIn.here}/automation/{line.id}",
                size="2",
                weight="medium",
                color=theme.INK,
                class_name="covers",
            ),
            kit.muted(
                rx.cond(
                    line.description != "",
                    line.description,
                    rx.cond(
                        line.published == 0, "Draft, never published", "Saved by " + line.saved_by
                    ),
                ),
                size="1",
                truncate=True,
            ),
            flex="1",
            min_width="0",
        ),
        rx.cond(
            (line.published > 0) & line.has_changes,
            rx.box(kit.badge("Unpublished changes", theme.WARN), display=["none", "none", "block"]),
        ),
        rx.box(_last_run(line), width=["100%", "100%", "190px"], order=["3", "3", "0"]),
        rx.switch(
            checked=line.is_enabled,
            on_change=lambda is_on: Automation.switch(line.id, is_on),
            disabled=~may_manage | (line.published == 0),
            aria_label="Runs begin: " + line.name,
            title=rx.cond(line.published == 0, "Publish it first", "Whether runs begin"),
            position="relative",
            z_index="1",
        ),
        align="center",
        gap=theme.S3,
        wrap=rx.breakpoints(initial="wrap", md="nowrap"),
        position="relative",
        padding=f"{theme.S3} {theme.S2}",
        border_radius=theme.RADIUS_SMALL,
        _hover={"background": theme.HOVER},
        role="group",
        aria_label=line.name,
    )


def _last_run(line: WorkflowLine) -> rx.Component:
    return rx.cond(
        line.last_run_at != "",
        rx.box(
            rx.flex(
                kit.badge(line.last_run, line.last_run_colour),
                kit.muted(kit.when(line.last_run_at), size="1", white_space="nowrap"),
                align="center",
                gap=theme.S2,
            ),
            rx.cond(
                line.failures > 0,
                rx.text(
                    line.failures.to_string() + " failed in the last 7 days",
                    size="1",
                    color="var(--red-11)",
                ),
            ),
        ),
        kit.muted("Has not run yet", size="1"),
    )


# Making one -------------------------------------------------------------------------------------------


def _new_dialog() -> rx.Component:
    return kit.dialog(
        "New workflow",
        rx.form(
            kit.field("Name", "name", placeholder="What it is for", max_length=120),
            rx.el.fieldset(
                rx.el.legend(
                    rx.text("Begin with", size="2", weight="medium", as_="span"),
                    margin_bottom="6px",
                ),
                rx.grid(
                    _starter_choice(
                        "", "An empty canvas", "Draw it from the first step on.", _blank()
                    ),
                    rx.foreach(Automation.starters, _starter),
                    columns=rx.breakpoints(initial="1", sm="2"),
                    gap=theme.S3,
                ),
                border="0",
                padding="0",
                margin_top=theme.S4,
                max_height=["50vh", "50vh", "56vh"],
                overflow_y="auto",
                class_name="scroll-quietly",
            ),
            kit.refusal(Automation.problem),
            kit.dialog_actions(_cancel(), kit.button("Make it", type="submit")),
            on_submit=Automation.create,
        ),
        note="Nothing runs before you publish it.",
        is_open=Automation.dialog == "new",
        on_close=Automation.close,
        width="760px",
    )


def _starter(starter: StarterLine) -> rx.Component:
    return _starter_choice(
        starter.key,
        starter.title,
        starter.summary,
        picture(spots=starter.spots, lines=starter.lines, title=starter.title),
    )


def _blank() -> rx.Component:
    return rx.center(
        rx.icon("plus", size=22, color=theme.MUTED),
        height="104px",
        border=f"1px dashed {theme.LINE_STRONG}",
        border_radius="10px",
        width="100%",
    )


def _starter_choice(key: Any, title: Any, summary: Any, drawn: rx.Component) -> rx.Component:
    is_chosen = Automation.chosen == key
    return rx.el.button(
        drawn,
        rx.text(title, size="2", weight="medium", color=theme.INK, margin_top="8px"),
        rx.text(summary, size="1", color=theme.MUTED),
        type="button",
        on_click=Automation.pick(key),
        aria_pressed=is_chosen,
        aria_label=title,
        text_align="left",
        padding="10px",
        border=rx.cond(is_chosen, f"2px solid {theme.ACCENT_SOLID}", f"2px solid {theme.LINE}"),
        border_radius=theme.RADIUS_SMALL,
        background="transparent",
        cursor="pointer",
        width="100%",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def _cancel() -> rx.Component:
    return kit.button(
        "Cancel", variant="soft", color_scheme="gray", type="button", on_click=Automation.close
    )


def _import_dialog() -> rx.Component:
    return kit.dialog(
        "Import a workflow",
        rx.cond(
            Automation.remarks.length() > 0,
            rx.box(
                kit.text("It is here. Before you publish it, look at this:", weight="medium"),
                rx.el.ul(
                    rx.foreach(Automation.remarks, lambda one: rx.el.li(kit.text(one))),
                    padding_left="20px",
                    margin_top=theme.S2,
                ),
                kit.dialog_actions(kit.button("Open it", on_click=Automation.open_made)),
            ),
            rx.box(
                kit.field(
                    "File",
                    "file",
                    id="workflow-file",
                    control=rx.el.input(
                        id="workflow-file", type="file", accept=".json,application/json"
                    ),
                ),
                kit.refusal(Automation.problem),
                kit.dialog_actions(
                    _cancel(),
                    kit.button(
                        "Import",
                        on_click=rx.call_script(
                            "window.aerosticAutomation.readFile('workflow-file')",
                            callback=Automation.take_file,
                        ),
                    ),
                ),
            ),
        ),
        note="A file exported here, or from n8n. What has no equal here is listed.",
        is_open=Automation.dialog == "import",
        on_close=Automation.close,
    )

"""Importing a list of contacts, step by step."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.pages.contacts import contact_path
from aerostic.state.contact_import import Column, ImportWizard, Progress, Refused
from aerostic.state.session import SignedIn

STATUS_COLOURS = rx.Var.create(
    {
        "uploaded": theme.NEUTRAL,
        "queued": theme.INFO,
        "running": theme.INFO,
        "done": theme.GOOD,
        "cancelled": theme.WARN,
        "failed": theme.BAD,
    }
)
progress = ImportWizard.progress


@rx.page(
    route="/dashboard/[workspace_id]/contacts/import",
    title="Import contacts · Aerostic",
    on_load=[SignedIn.enter, ImportWizard.load],
)
def contact_import() -> rx.Component:
    return shell(
        rx.script(src="/contacts.js"),
        rx.link("← All contacts", href=contact_path(""), size="2", color=theme.ACCENT_INK),
        rx.flex(
            rx.cond(
                ImportWizard.problem != "",
                kit.note(ImportWizard.problem, tone=theme.BAD, icon="circle-alert"),
            ),
            rx.match(
                ImportWizard.step,
                ("map", _map()),
                ("run", _run()),
                ("done", _done()),
                rx.fragment(_upload(), _recent()),
            ),
            direction="column",
            gap=theme.S4,
            margin_top=theme.S3,
        ),
        title="Import contacts",
        active="contacts",
    )


def _upload() -> rx.Component:
    return kit.section(
        "Choose a file",
        "CSV or Excel (.xlsx), up to 50 MB. One person a line, with a column for the phone number.",
        kit.field(
            "File",
            "file",
            control=rx.el.input(
                id="import-file",
                type="file",
                accept=".csv,.tsv,.txt,.xlsx",
                on_change=lambda _: ImportWizard.upload,
                disabled=ImportWizard.is_uploading,
                padding=theme.S3,
                border=f"1px dashed {theme.LINE_STRONG}",
                border_radius=theme.RADIUS_SMALL,
                width="100%",
                color=theme.INK,
            ),
            id="import-file",
            hint="Nobody is imported before you have seen what the columns become.",
        ),
        rx.cond(
            ImportWizard.is_uploading,
            rx.flex(rx.spinner(), kit.text("Reading the file…"), gap=theme.S2, role="status"),
        ),
    )


def _recent() -> rx.Component:
    return rx.cond(
        ImportWizard.recent.length() > 0,
        kit.section(
            "Earlier imports",
            "",
            kit.table(
                ["File", "State", "Added", "Updated", "Refused", "When"],
                ImportWizard.recent,
                _recent_row,
            ),
        ),
    )


def _recent_row(one: Progress) -> list[rx.Component]:
    return [
        kit.button(
            one.file_name,
            variant="ghost",
            size="1",
            margin="0",
            on_click=ImportWizard.open_recent(one.id),
        ),
        kit.badge(one.status.capitalize(), STATUS_COLOURS[one.status]),
        kit.text(one.created),
        kit.text(one.updated),
        kit.text(one.refused),
        kit.muted(kit.when(one.at), white_space="nowrap"),
    ]


def _map() -> rx.Component:
    return rx.form(
        rx.flex(
            kit.section(
                progress.file_name,
                progress.total.to_string() + " rows · " + progress.about,
                kit.table(["Column", "Becomes", "For example"], ImportWizard.columns, _column),
            ),
            kit.section(
                "The first rows",
                "As they were read. If letters look wrong, save the file as UTF-8 and upload it again.",
                _preview(),
            ),
            kit.section("How to import", "", _options()),
            direction="column",
            gap=theme.S4,
        ),
        on_submit=ImportWizard.start,
    )


def _column(column: Column) -> list[rx.Component]:
    return [
        kit.text(column.name, weight="medium"),
        rx.select.root(
            rx.select.trigger(
                aria_label="What the column " + column.name + " becomes", width="170px"
            ),
            rx.select.content(
                rx.foreach(
                    ImportWizard.targets, lambda one: rx.select.item(one.label, value=one.value)
                ),
                position="popper",
            ),
            value=column.target,
            on_change=lambda target: ImportWizard.choose_target(column.index, target),
        ),
        kit.muted(column.sample, style={"overflow_wrap": "anywhere"}),
    ]


def _preview() -> rx.Component:
    head = rx.foreach(
        ImportWizard.columns,
        lambda one: rx.table.column_header_cell(one.name, white_space="nowrap"),
    )
    return rx.box(
        rx.table.root(
            rx.table.header(rx.table.row(head)),
            rx.table.body(rx.foreach(ImportWizard.preview, _preview_row)),
            size="1",
            variant="ghost",
        ),
        overflow_x="auto",
        class_name="scroll-quietly",
        tab_index=0,
        role="region",
        aria_label="The first rows of the file",
    )


def _preview_row(cells: rx.Var[list[str]]) -> rx.Component:
    return rx.table.row(
        rx.foreach(
            cells, lambda cell: rx.table.cell(rx.text(cell, truncate=True, max_width="220px"))
        )
    )


def _options() -> rx.Component:
    return rx.flex(
        rx.grid(
            kit.field(
                "Country of numbers without a code",
                "default_country",
                placeholder="DE",
                error=ImportWizard.errors["default_country"],
                hint="Two letters, such as DE or BR.",
            ),
            kit.choice(
                "People who are here already",
                "updates",
                [("update", "Update them"), ("keep", "Leave them as they are")],
                default_value="update",
                hint="An empty cell never empties what you keep.",
            ),
            kit.field("Tag for everyone", "tag", id="field-tag", control=_tag_choice()),
            columns={"initial": "1", "md": "3"},
            gap=theme.S4,
        ),
        rx.cond(
            ImportWizard.errors["mapping"],
            kit.note(ImportWizard.errors["mapping"], tone=theme.BAD, icon="circle-alert"),
        ),
        kit.dialog_actions(
            kit.button(
                "Do not import",
                variant="soft",
                color_scheme="gray",
                type="button",
                on_click=ImportWizard.cancel,
            ),
            kit.button(
                "Import " + progress.total.to_string() + " rows",
                type="submit",
                loading=ImportWizard.is_busy,
            ),
        ),
        direction="column",
        gap=theme.S3,
    )


def _tag_choice() -> rx.Component:
    return rx.select.root(
        rx.select.trigger(id="field-tag", width="100%"),
        rx.select.content(
            rx.select.item("None", value="none"),
            rx.foreach(ImportWizard.tags, lambda tag: rx.select.item(tag.name, value=tag.id)),
            position="popper",
        ),
        name="tag",
        default_value="none",
        size="3",
    )


def _run() -> rx.Component:
    return kit.section(
        "Importing " + progress.file_name,
        "You can leave this page: it goes on by itself.",
        rx.progress(value=progress.percent, aria_label="How much is imported", width="100%"),
        rx.flex(
            kit.text(
                progress.done.to_string() + " of " + progress.total.to_string() + " rows",
                role="status",
            ),
            kit.button("Stop", variant="soft", color_scheme="red", on_click=ImportWizard.cancel),
            justify="between",
            align="center",
        ),
        _counters(),
    )


def _done() -> rx.Component:
    return kit.section(
        progress.file_name,
        rx.match(
            progress.status,
            (
                "done",
                rx.cond(
                    progress.refused > 0,
                    "Taken in, but for the rows below.",
                    "Everything was taken in.",
                ),
            ),
            ("cancelled", "Stopped. What was taken in until then stays."),
            progress.problem,
        ),
        _counters(),
        rx.cond(progress.refused > 0, _report()),
        kit.dialog_actions(
            kit.button("Import another file", variant="soft", on_click=ImportWizard.again),
            rx.link(
                kit.button("See the contacts", tab_index=-1),
                href=contact_path(""),
                underline="none",
            ),
        ),
    )


def _counters() -> rx.Component:
    return rx.grid(
        _counter("Added", progress.created),
        _counter("Updated", progress.updated),
        _counter("Unchanged", progress.unchanged),
        _counter("Refused", progress.refused),
        columns={"initial": "2", "md": "4"},
        gap=theme.S3,
    )


def _counter(label: str, number: Any) -> rx.Component:
    return rx.box(
        rx.text(number, size="6", weight="bold"),
        kit.muted(label),
        background=theme.SUNKEN,
        border_radius=theme.RADIUS_SMALL,
        padding=theme.S3,
    )


def _report() -> rx.Component:
    return rx.box(
        kit.heading(
            "Refused rows",
            "Mend them in the report, then import that file.",
            kit.button(
                "Download the report",
                icon="download",
                variant="soft",
                on_click=ImportWizard.download_report,
            ),
        ),
        kit.table(["Row", "Why", "What it held"], ImportWizard.refusals, _refused_row),
    )


def _refused_row(one: Refused) -> list[rx.Component]:
    return [
        kit.text(one.row),
        kit.text(one.reason),
        kit.muted(one.cells, style={"overflow_wrap": "anywhere"}),
    ]

"""One workflow: its canvas, its runs, its versions."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.flow.parts import flow_editor
from aerostic.components.flow.runs import runs
from aerostic.components.flow.tabs import tabs
from aerostic.components.flow.test_panel import test_panel
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.flow_choices import FlowChoices
from aerostic.state.runs import Runs
from aerostic.state.session import SignedIn
from aerostic.state.workflow import Difference, FindingLine, VersionLine, WorkflowEditor

TABS = (("editor", "Editor"), ("runs", "Runs"), ("versions", "Versions"))
may_manage = SignedIn.may.contains(str(Permission.AUTOMATION_MANAGE))


@rx.page(
    route="/dashboard/[workspace_id]/automation/[workflow_id]",
    title="Workflow · Aerostic",
    on_load=[SignedIn.enter, WorkflowEditor.load],
)
def workflow() -> rx.Component:
    return shell(
        rx.script(src="/automation.js"),
        rx.cond(
            WorkflowEditor.missing != "",
            rx.center(
                kit.empty("workflow", "Not here", WorkflowEditor.missing, _back_to_list()),
                height="100%",
            ),
            rx.flex(
                _head(),
                _archived(),
                _unheard(),
                _behind(),
                _editor(),
                _runs(),
                _versions(),
                direction="column",
                height="100%",
            ),
        ),
        _publish_dialog(),
        _rename_dialog(),
        _conflict_dialog(),
        _archive_dialog(),
        _restore_dialog(),
        title="Automation",
        active="automation",
        fills=True,
    )


def _list_path() -> rx.Var[str]:
    return rx.Var.create(f"/dashboard/{SignedIn.here}/automation")


def _back_to_list() -> rx.Component:
    return rx.link(kit.button("All workflows", variant="soft"), href=_list_path())


# The head ---------------------------------------------------------------------------------------------


def _head() -> rx.Component:
    return rx.flex(
        rx.link(
            rx.icon("arrow-left", size=18),
            href=_list_path(),
            aria_label="All workflows",
            color=theme.MUTED,
            display="flex",
        ),
        rx.heading(
            WorkflowEditor.name, as_="h2", size="3", truncate=True, min_width="0", max_width="38ch"
        ),
        rx.box(_state_badge(), display=["none", "none", "block"]),
        rx.spacer(),
        rx.box(_tabs(), order=["3", "3", "0"], width=["100%", "100%", "auto"]),
        rx.spacer(display=["none", "none", "block"]),
        _on_off(),
        rx.cond(may_manage, _menu()),
        align="center",
        gap=theme.S3,
        wrap=rx.breakpoints(initial="wrap", md="nowrap"),
        padding=f"{theme.S2} {theme.S4}",
        min_height="52px",
        border_bottom=f"1px solid {theme.LINE}",
        background=theme.SURFACE,
        flex_shrink="0",
    )


def _state_badge() -> rx.Component:
    return rx.cond(
        WorkflowEditor.published == 0,
        kit.badge("Draft, never published", theme.NEUTRAL),
        rx.cond(
            WorkflowEditor.has_changes,
            kit.badge(
                "Version " + WorkflowEditor.published.to_string() + ", with unpublished changes",
                theme.WARN,
            ),
            kit.badge("Version " + WorkflowEditor.published.to_string(), theme.GOOD),
        ),
    )


def _tabs() -> rx.Component:
    return tabs("Parts of the workflow", TABS, WorkflowEditor.tab, WorkflowEditor.open_tab)


def _on_off() -> rx.Component:
    words = rx.cond(WorkflowEditor.is_enabled, "On", "Off")
    return rx.flex(
        rx.text(words, size="2", weight="medium", as_="span", aria_hidden="true"),
        rx.switch(
            checked=WorkflowEditor.is_enabled,
            on_change=WorkflowEditor.switch,
            disabled=~may_manage | (WorkflowEditor.published == 0),
            aria_label="Runs begin",
            title=rx.cond(WorkflowEditor.published == 0, "Publish it first", "Whether runs begin"),
        ),
        align="center",
        gap=theme.S2,
    )


def _menu() -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis-vertical", size=18),
                aria_label="More",
                variant="ghost",
                color_scheme="gray",
                margin="0",
            )
        ),
        rx.dropdown_menu.content(
            rx.dropdown_menu.item(
                rx.icon("pencil", size=15),
                "Name and settings",
                on_select=WorkflowEditor.open_dialog("rename"),
            ),
            rx.dropdown_menu.item(
                rx.icon("copy", size=15), "Duplicate", on_select=WorkflowEditor.duplicate
            ),
            rx.dropdown_menu.item(
                rx.icon("download", size=15), "Export as a file", on_select=WorkflowEditor.export
            ),
            rx.dropdown_menu.separator(),
            rx.dropdown_menu.item(
                rx.icon("archive", size=15),
                "Archive",
                color="red",
                on_select=WorkflowEditor.open_dialog("archive"),
            ),
        ),
    )


def _archived() -> rx.Component:
    return rx.cond(
        WorkflowEditor.is_archived,
        rx.flex(
            kit.text("This workflow is archived: it does not run and can not be changed."),
            rx.cond(
                may_manage,
                kit.button(
                    "Bring it back", variant="soft", size="1", on_click=WorkflowEditor.unarchive
                ),
            ),
            align="center",
            gap=theme.S3,
            padding=f"{theme.S2} {theme.S4}",
            background="var(--amber-a3)",
        ),
    )


def _unheard() -> rx.Component:
    return rx.cond(
        (WorkflowEditor.unheard != "") & WorkflowEditor.is_enabled,
        rx.flex(
            rx.icon("triangle-alert", size=16, color="var(--amber-11)", flex_shrink="0"),
            kit.text(WorkflowEditor.unheard),
            rx.link(
                "Choose it under Settings → Numbers",
                href=f"/dashboard/{SignedIn.here}/settings",
                size="2",
                white_space="nowrap",
            ),
            role="status",
            align="center",
            gap=theme.S3,
            wrap="wrap",
            padding=f"{theme.S2} {theme.S4}",
            background="var(--amber-a3)",
        ),
    )


def _behind() -> rx.Component:
    return rx.cond(
        WorkflowEditor.is_behind,
        rx.flex(
            rx.icon("refresh-cw", size=16, color="var(--amber-11)", flex_shrink="0"),
            kit.text("Someone saved this workflow elsewhere. What you see is older."),
            kit.button(
                "Show what was saved", variant="soft", size="1", on_click=WorkflowEditor.take_theirs
            ),
            role="status",
            align="center",
            gap=theme.S3,
            wrap="wrap",
            padding=f"{theme.S2} {theme.S4}",
            background="var(--amber-a3)",
        ),
    )


# The tabs ---------------------------------------------------------------------------------------------


def _part(key: str, *children: rx.Component, **props: Any) -> rx.Component:
    """Hidden rather than gone: what was drawn and not saved yet is in the canvas."""
    return rx.box(
        *children,
        **{
            "display": rx.cond(WorkflowEditor.tab == key, "block", "none"),
            "flex": "1",
            "min_height": "0",
            "width": "100%",
            **props,
        },
    )


def _editor() -> rx.Component:
    return _part(
        "editor",
        rx.cond(
            WorkflowEditor.opened.contains("number"),
            flow_editor(
                rx.cond(Runs.is_testing, test_panel()),
                workspace=SignedIn.here,
                kinds=FlowChoices.kinds,
                sentences=FlowChoices.sentences,
                choices=FlowChoices.choices,
                opened=WorkflowEditor.opened,
                ports=WorkflowEditor.ports,
                findings=WorkflowEditor.findings,
                saved=WorkflowEditor.saved,
                focus=WorkflowEditor.focus,
                samples=Runs.samples,
                run=rx.cond(Runs.is_testing, Runs.tried, rx.Var.create({})),
                step=Runs.tried_step,
                may_edit=may_manage & ~WorkflowEditor.is_archived,
                is_active=WorkflowEditor.tab == "editor",
                is_testing=Runs.is_testing,
                on_commit=WorkflowEditor.commit,
                on_save=WorkflowEditor.save,
                on_test=Runs.begin_testing,
                on_publish=WorkflowEditor.open_dialog("publish"),
                on_step=Runs.look_at_tried,
            ),
            rx.box(kit.skeleton_rows(4), padding=theme.S5),
        ),
        overflow_y=["auto", "auto", "hidden"],
    )


def _runs() -> rx.Component:
    return _part("runs", rx.cond(WorkflowEditor.tab == "runs", runs()), overflow_y="auto")


def _versions() -> rx.Component:
    return _part(
        "versions",
        rx.box(
            kit.section(
                "Versions",
                "What was published. Runs keep the version that they began with.",
                rx.cond(
                    WorkflowEditor.versions.length() > 0,
                    rx.flex(
                        rx.foreach(WorkflowEditor.versions, _version),
                        direction="column",
                        gap=theme.S2,
                    ),
                    kit.empty(
                        "rocket",
                        "Nothing is published yet",
                        "Publish the draft, and it runs. You can always come back to it from here.",
                    ),
                ),
            ),
            padding=[theme.S4, theme.S4, theme.S5],
            max_width=theme.MAX_WIDTH,
        ),
        overflow_y="auto",
    )


def _version(version: VersionLine) -> rx.Component:
    is_compared = WorkflowEditor.compared == version.number.to_string()
    return rx.box(
        rx.flex(
            rx.box(
                rx.flex(
                    kit.text("Version ", version.number.to_string(), weight="medium"),
                    rx.cond(version.is_current, kit.badge("Current", theme.GOOD)),
                    align="center",
                    gap=theme.S2,
                ),
                kit.muted(kit.at(version.at), " · ", version.by),
                rx.cond(version.note != "", kit.text(version.note, margin_top="4px")),
                flex="1",
                min_width="180px",
            ),
            kit.button(
                rx.cond(is_compared, "Hide the comparison", "Compare with the draft"),
                variant="soft",
                color_scheme="gray",
                size="1",
                on_click=WorkflowEditor.compare(version.number),
            ),
            rx.cond(
                may_manage,
                kit.button(
                    "Restore as draft",
                    variant="soft",
                    size="1",
                    on_click=WorkflowEditor.ask_to_restore(version.number),
                ),
            ),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        rx.cond(is_compared, differences(WorkflowEditor.differences, "The draft is the same.")),
        padding=theme.S3,
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS_SMALL,
    )


def differences(lines: rx.Var[list[Difference]], when_none: str) -> rx.Component:
    return rx.cond(
        lines.length() > 0,
        rx.flex(
            rx.foreach(lines, _difference),
            direction="column",
            gap="6px",
            margin_top=theme.S3,
            padding=theme.S3,
            border_radius=theme.RADIUS_SMALL,
            background=theme.SUNKEN,
        ),
        kit.muted(when_none, margin_top=theme.S3),
    )


def _difference(line: Difference) -> rx.Component:
    tone = rx.match(line.sign, ("+", "var(--jade-11)"), ("−", "var(--red-11)"), "var(--amber-11)")
    return rx.flex(
        rx.text(line.sign, size="2", weight="bold", color=tone, width="14px", flex_shrink="0"),
        rx.box(
            kit.text(line.text),
            rx.cond(
                (line.before != "") | (line.after != ""),
                rx.box(
                    rx.el.del_(line.before, style={"color": "var(--red-11)"}),
                    rx.text(" → ", as_="span", color=theme.MUTED),
                    rx.el.ins(
                        line.after, style={"color": "var(--jade-11)", "textDecoration": "none"}
                    ),
                    font_size="12.5px",
                    overflow_wrap="anywhere",
                ),
            ),
            min_width="0",
        ),
        gap=theme.S2,
    )


# Dialogs ----------------------------------------------------------------------------------------------


def _is_open(name: str) -> rx.Var[bool]:
    return WorkflowEditor.dialog == name


def _publish_dialog() -> rx.Component:
    return kit.dialog(
        "Publish",
        rx.cond(
            WorkflowEditor.errors.length() > 0,
            rx.flex(
                rx.foreach(WorkflowEditor.errors, _finding),
                direction="column",
                gap="6px",
                max_height="280px",
                overflow_y="auto",
                margin_bottom=theme.S4,
                tab_index=0,
                role="region",
                aria_label="What was found",
            ),
        ),
        rx.form(
            rx.cond(
                WorkflowEditor.is_ready,
                kit.field(
                    "What is new?",
                    "note",
                    hint="A line for the list of versions. It may stay empty.",
                    max_length=500,
                ),
            ),
            kit.refusal(WorkflowEditor.problem),
            kit.dialog_actions(
                _cancel(),
                kit.button(
                    "Publish", icon="rocket", type="submit", disabled=~WorkflowEditor.is_ready
                ),
            ),
            on_submit=WorkflowEditor.publish,
        ),
        note=rx.cond(
            WorkflowEditor.is_ready,
            "The draft becomes the version that runs. Runs under way end with their own version.",
            "This can not be published yet. Choose a line to go there.",
        ),
        is_open=_is_open("publish"),
        on_close=WorkflowEditor.close,
        width="520px",
    )


def _finding(finding: FindingLine) -> rx.Component:
    is_error = finding.severity == "error"
    return rx.el.button(
        rx.icon(
            "triangle-alert",
            size=15,
            color=rx.cond(is_error, "var(--red-11)", "var(--amber-11)"),
            flex_shrink="0",
            margin_top="2px",
        ),
        rx.box(
            kit.text(finding.sentence),
            rx.cond(finding.page != "", kit.muted("Choose who answers under Settings → Numbers.")),
            rx.cond(finding.name != "", kit.muted(finding.name, size="1")),
            min_width="0",
        ),
        type="button",
        on_click=WorkflowEditor.look_at(finding.node_id),
        display="flex",
        gap=theme.S2,
        width="100%",
        text_align="left",
        padding="8px 10px",
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS_SMALL,
        background="transparent",
        cursor="pointer",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def _cancel(words: str = "Cancel") -> rx.Component:
    return kit.button(
        words, variant="soft", color_scheme="gray", type="button", on_click=WorkflowEditor.close
    )


def _rename_dialog() -> rx.Component:
    return kit.dialog(
        "Name and settings",
        rx.form(
            rx.flex(
                kit.field("Name", "name", default_value=WorkflowEditor.name, max_length=120),
                kit.field(
                    "Description",
                    "description",
                    default_value=WorkflowEditor.description,
                    max_length=500,
                    hint="What it is for, in the list.",
                ),
                rx.cond(WorkflowEditor.has_webhook, _posts()),
                kit.refusal(WorkflowEditor.problem),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(_cancel(), kit.button("Save", type="submit")),
            on_submit=WorkflowEditor.change,
        ),
        is_open=_is_open("rename"),
        on_close=WorkflowEditor.close,
    )


def _posts() -> rx.Component:
    return rx.fragment(
        rx.el.label(
            rx.switch(
                name="webhook_waits",
                default_checked=WorkflowEditor.webhook_waits,
                aria_label="A post waits for the answer of the run",
            ),
            rx.box(
                kit.text("A post waits for the answer of the run", weight="medium"),
                kit.muted("Otherwise it is answered with 202 at once.", size="1"),
            ),
            display="flex",
            gap=theme.S3,
        ),
        kit.field(
            "Most posts a minute",
            "webhook_rate",
            kind="number",
            default_value=WorkflowEditor.webhook_rate.to_string(),
        ),
    )


def _conflict_dialog() -> rx.Component:
    """Not closed by a click beside it: something has to be chosen."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title("Someone else saved this workflow", size="5"),
            rx.alert_dialog.description(WorkflowEditor.conflict, size="2", color=theme.MUTED),
            rx.flex(
                _way(
                    "Take theirs",
                    "What you changed since your last save is dropped.",
                    WorkflowEditor.take_theirs,
                ),
                _way(
                    "Keep mine",
                    "What they saved is replaced by what you see.",
                    WorkflowEditor.keep_mine,
                ),
                _way(
                    "Keep mine as a workflow of its own",
                    "Both stay. You go on in the copy.",
                    WorkflowEditor.keep_as_copy,
                ),
                direction="column",
                gap=theme.S2,
                margin_top=theme.S4,
            ),
            max_width="460px",
            border_radius=theme.RADIUS,
        ),
        open=_is_open("conflict"),
    )


def _way(words: str, consequence: str, act: Any) -> rx.Component:
    return rx.el.button(
        rx.text(words, size="2", weight="medium", color=theme.INK),
        rx.text(consequence, size="1", color=theme.MUTED),
        type="button",
        aria_label=words,
        on_click=act,
        width="100%",
        text_align="left",
        padding=theme.S3,
        border=f"1px solid {theme.LINE_STRONG}",
        border_radius=theme.RADIUS_SMALL,
        background="transparent",
        cursor="pointer",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def _archive_dialog() -> rx.Component:
    return kit.confirm(
        "Archive “" + WorkflowEditor.name + "”?",
        "Nothing begins a run of it any more. Its versions and runs stay, and you can bring it back.",
        is_open=_is_open("archive"),
        act="Archive it",
        on_confirm=WorkflowEditor.archive,
        on_cancel=WorkflowEditor.close,
    )


def _restore_dialog() -> rx.Component:
    return kit.confirm(
        "Restore version " + WorkflowEditor.restored.to_string() + "?",
        "The draft has changes that were never published. They will be gone.",
        is_open=_is_open("restore"),
        act="Restore as draft",
        on_confirm=WorkflowEditor.restore,
        on_cancel=WorkflowEditor.close,
    )

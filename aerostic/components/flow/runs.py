"""The runs of a workflow: the list, and one of them on the canvas with its steps beside it."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.flow.parts import flow_editor, status
from aerostic.core.permissions import Permission
from aerostic.state.flow_choices import FlowChoices
from aerostic.state.runs import Choice, RunHead, RunLine, Runs, StepLine, StepPair
from aerostic.state.session import SignedIn
from aerostic.state.workflow import WorkflowEditor

may_run = SignedIn.may.contains(str(Permission.AUTOMATION_RUN))
STATUSES = (
    ("any", "Any outcome"),
    ("running", "Running"),
    ("waiting", "Waiting"),
    ("unknown", "Needs a choice"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("stopped", "Stopped by a limit"),
    ("cancelled", "Cancelled"),
)
SINCE = (
    ("any", "Any time"),
    ("day", "The last day"),
    ("week", "The last 7 days"),
    ("month", "The last 31 days"),
)


def runs() -> rx.Component:
    return rx.fragment(
        rx.cond(Runs.head.id != "", _one(), _list()), _choice_dialog(), _cancel_dialog()
    )


# The list ---------------------------------------------------------------------------------------------


def _list() -> rx.Component:
    return rx.box(
        kit.card(
            rx.flex(
                _picker("Outcome", Runs.status, "status", STATUSES),
                _picker("When", Runs.since, "since", SINCE),
                rx.select.root(
                    rx.select.trigger(aria_label="Begun by"),
                    rx.select.content(
                        rx.select.item("Any trigger", value="any"),
                        rx.foreach(Runs.triggers, _item),
                        position="popper",
                    ),
                    value=Runs.trigger,
                    on_change=lambda value: Runs.narrow("trigger", value),
                ),
                gap=theme.S3,
                wrap="wrap",
                margin_bottom=theme.S3,
            ),
            rx.cond(
                Runs.is_loading,
                kit.skeleton_rows(),
                rx.cond(
                    Runs.rows.length() > 0,
                    rx.flex(rx.foreach(Runs.rows, _row), direction="column"),
                    kit.empty(
                        "history",
                        "No runs",
                        "What begins this workflow appears here, with each of its steps.",
                    ),
                ),
            ),
            kit.pages(Runs.page_number, Runs.has_next, Runs.previous_page, Runs.next_page),
            padding=theme.S4,
        ),
        padding=[theme.S4, theme.S4, theme.S5],
        max_width=theme.MAX_WIDTH,
    )


def _picker(
    label: str, value: Any, name: str, options: tuple[tuple[str, str], ...]
) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=label),
        rx.select.content(
            *(rx.select.item(words, value=key) for key, words in options), position="popper"
        ),
        value=value,
        on_change=lambda chosen: Runs.narrow(name, chosen),
    )


def _item(one: Choice) -> rx.Component:
    return rx.select.item(one.words, value=one.value)


def _row(line: RunLine) -> rx.Component:
    return rx.el.button(
        rx.flex(
            rx.box(kit.badge(line.words, line.colour), width="132px", flex_shrink="0"),
            rx.box(
                kit.text(
                    rx.cond(line.whom != "", line.begun_by + " · " + line.whom, line.begun_by),
                    weight="medium",
                ),
                kit.muted(
                    kit.at(line.at, "D MMM YYYY, HH:mm:ss"),
                    " · ",
                    line.version,
                    " · ",
                    line.steps,
                    size="1",
                ),
                rx.cond(line.reason != "", rx.text(line.reason, size="1", color="var(--red-11)")),
                flex="1",
                min_width="180px",
            ),
            rx.cond(line.is_recorded, kit.badge("Recorded", theme.INFO)),
            kit.muted(line.lasted, white_space="nowrap"),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        type="button",
        on_click=Runs.show(line.id),
        width="100%",
        text_align="left",
        padding=f"{theme.S3} {theme.S2}",
        border="0",
        border_bottom=f"1px solid {theme.LINE}",
        background="transparent",
        cursor="pointer",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


# One of them ------------------------------------------------------------------------------------------


def _one() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.cond(
                Runs.opened.contains("number"),
                flow_editor(
                    workspace=SignedIn.here,
                    kinds=FlowChoices.kinds,
                    sentences=FlowChoices.sentences,
                    choices=FlowChoices.choices,
                    opened=Runs.opened,
                    ports=Runs.ports,
                    run=Runs.run,
                    step=Runs.step,
                    focus=Runs.focus,
                    may_edit=False,
                    is_active=True,
                    on_step=Runs.look_at,
                ),
            ),
            flex="1",
            min_width="0",
            min_height="0",
            display=["none", "none", "block"],
        ),
        _beside(),
        height="100%",
        width="100%",
        direction=rx.breakpoints(initial="column", md="row"),
    )


def _beside() -> rx.Component:
    return rx.el.aside(
        rx.flex(
            kit.icon_button("arrow-left", "All runs", size="1", on_click=Runs.leave),
            rx.heading("Run", as_="h3", size="3"),
            rx.spacer(),
            rx.cond(Runs.head.is_recorded, kit.badge("Recorded", theme.INFO)),
            align="center",
            gap=theme.S2,
        ),
        outcome(Runs.head),
        rx.cond(may_run, _acts()),
        rx.cond(Runs.pairs.length() > 0, _compared()),
        rx.el.ol(
            rx.foreach(Runs.steps, _repeatable),
            list_style="none",
            padding="0",
            margin=f"{theme.S3} 0 0",
            aria_label="Steps of the run",
        ),
        aria_label="The run",
        width=["100%", "100%", "320px"],
        flex_shrink="0",
        padding=theme.S4,
        overflow_y=["visible", "visible", "auto"],
        border_right=f"1px solid {theme.LINE}",
        background=theme.SURFACE,
        order="-1",
    )


def outcome(head: RunHead) -> rx.Component:
    """How a run stands, in words."""
    return rx.box(
        rx.flex(
            kit.badge(head.words, head.colour),
            kit.muted(head.lasted),
            align="center",
            gap=theme.S2,
            margin_top=theme.S2,
        ),
        rx.cond(head.whom != "", kit.text(head.whom, weight="medium", margin_top="6px")),
        kit.muted(
            head.begun_by,
            " · ",
            head.version,
            " · ",
            kit.at(head.at, "D MMM, HH:mm:ss"),
            size="1",
            margin_top="6px",
        ),
        rx.cond(
            head.waits_for != "",
            kit.text(
                head.waits_for,
                rx.cond(
                    head.wakes_at != "",
                    rx.fragment(" until ", kit.at(head.wakes_at, "D MMM, HH:mm")),
                ),
                ".",
                margin_top=theme.S2,
            ),
        ),
        rx.cond(
            head.reason != "",
            rx.box(
                kit.note(
                    head.reason,
                    tone=rx.cond(head.is_living, theme.WARN, theme.BAD),
                    icon="circle-alert",
                ),
                margin_top=theme.S2,
            ),
        ),
    )


def _acts() -> rx.Component:
    return rx.flex(
        rx.cond(
            Runs.head.is_unknown,
            kit.button("Choose what counts", size="1", on_click=Runs.ask("unknown")),
        ),
        rx.cond(
            Runs.head.is_living,
            kit.button(
                "Cancel the run",
                size="1",
                variant="soft",
                color_scheme="red",
                on_click=Runs.ask("cancel"),
            ),
            rx.dropdown_menu.root(
                rx.dropdown_menu.trigger(
                    kit.button("Replay against…", icon="rotate-cw", size="1", variant="soft")
                ),
                rx.dropdown_menu.content(
                    rx.dropdown_menu.item("Its own version", on_select=Runs.replay("own")),
                    rx.foreach(
                        WorkflowEditor.versions,
                        lambda one: rx.dropdown_menu.item(
                            "Version " + one.number.to_string(),
                            on_select=Runs.replay(one.number.to_string()),
                        ),
                    ),
                ),
            ),
        ),
        gap=theme.S2,
        wrap="wrap",
        margin_top=theme.S3,
    )


def _compared() -> rx.Component:
    return rx.box(
        kit.text("Then, and now", weight="medium", margin_bottom="6px"),
        rx.foreach(Runs.pairs, _pair),
        margin_top=theme.S4,
        padding=theme.S3,
        border_radius=theme.RADIUS_SMALL,
        background=theme.SUNKEN,
        role="region",
        aria_label="Then, and now",
    )


def _pair(pair: StepPair) -> rx.Component:
    return rx.box(
        rx.flex(
            rx.el.button(
                kit.text(pair.name, truncate=True),
                type="button",
                on_click=Runs.choose_step(pair.node),
                flex="1",
                min_width="0",
                text_align="left",
                border="0",
                padding="0",
                background="transparent",
                cursor="pointer",
                **theme.FOCUS,
            ),
            rx.cond(
                pair.is_same,
                kit.muted("the same", size="1"),
                rx.cond(
                    pair.before == pair.after,
                    rx.text("another output", size="1", weight="medium"),
                    rx.flex(
                        rx.text(pair.before, size="1", color=theme.MUTED),
                        rx.text("→", size="1", color=theme.MUTED),
                        rx.text(pair.after, size="1", weight="medium"),
                        gap="4px",
                    ),
                ),
            ),
            align="center",
            gap=theme.S2,
        ),
        rx.cond(pair.output_before + pair.output_after != "", _outputs(pair)),
        padding="3px 0",
    )


def _outputs(pair: StepPair) -> rx.Component:
    return rx.box(
        rx.el.del_(pair.output_before, style={"color": "var(--red-11)"}),
        rx.text(" → ", as_="span", color=theme.MUTED),
        rx.el.ins(pair.output_after, style={"color": "var(--jade-11)", "textDecoration": "none"}),
        font_size="12px",
        overflow_wrap="anywhere",
    )


def step_line(step: StepLine) -> rx.Component:
    """One step, in the order of the run."""
    return _step(step)


def _step(step: StepLine, *acts: rx.Component) -> rx.Component:
    return rx.el.li(
        rx.flex(
            status(status=step.status),
            rx.el.button(
                rx.text(step.name, size="2", as_="span"),
                type="button",
                on_click=Runs.choose_step(step.node),
                flex="1",
                min_width="0",
                text_align="left",
                border="0",
                padding="0",
                background="transparent",
                cursor="pointer",
                **theme.FOCUS,
            ),
            kit.muted(step.lasted, size="1", white_space="nowrap"),
            *acts,
            align="center",
            gap=theme.S2,
        ),
        rx.cond(
            step.error != "",
            rx.text(step.error, size="1", color="var(--red-11)", padding_left="24px"),
        ),
        rx.cond(
            step.way != "",
            kit.muted("went on through “", step.way, "”", size="1", padding_left="24px"),
        ),
        padding="5px 0",
    )


def _repeatable(step: StepLine) -> rx.Component:
    again = kit.icon_button(
        "play", "Run again from here", size="1", on_click=Runs.retry_from(step.number)
    )
    return _step(step, rx.cond(may_run & ~Runs.head.is_living, again))


# When nobody knows whether a call was done ------------------------------------------------------------


def _choice_dialog() -> rx.Component:
    return kit.dialog(
        "Was it done?",
        rx.form(
            kit.field(
                "What came out, as JSON",
                "output",
                hint="Only for “It was done”: later steps see it as the output of this step.",
                placeholder='{"id": 17}',
            ),
            kit.refusal(Runs.problem),
            rx.flex(
                kit.button("It was done: go on", type="submit"),
                kit.button(
                    "It was not: call again",
                    type="button",
                    variant="soft",
                    on_click=Runs.choose("retry", rx.Var.create({})),
                ),
                kit.button(
                    "Let it fail",
                    type="button",
                    variant="soft",
                    color_scheme="red",
                    on_click=Runs.choose("fail", rx.Var.create({})),
                ),
                kit.button(
                    "Not now",
                    type="button",
                    variant="soft",
                    color_scheme="gray",
                    on_click=Runs.close,
                ),
                gap=theme.S2,
                wrap="wrap",
                margin_top=theme.S4,
            ),
            on_submit=lambda form: Runs.choose("skip", form),
        ),
        note=rx.fragment(
            "We were interrupted while “",
            Runs.head.doubted,
            "” was calling, and never heard the answer. Look there whether it was done, then choose.",
        ),
        is_open=Runs.dialog == "unknown",
        on_close=Runs.close,
    )


def _cancel_dialog() -> rx.Component:
    return kit.confirm(
        "Cancel this run?",
        "It ends here. What it has done stays done, and what was to come does not happen.",
        is_open=Runs.dialog == "cancel",
        act="Cancel the run",
        on_confirm=Runs.cancel,
        on_cancel=Runs.close,
    )

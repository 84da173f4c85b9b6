"""How the workspace is doing: figures of days, drawn from its rows."""

from collections.abc import Callable, Sequence

import reflex as rx

from aerostic.components import charts, kit, theme
from aerostic.components.shell import shell
from aerostic.state.analytics import Analytics, Head, Line
from aerostic.state.session import SignedIn

LENGTHS = (("7", "7 days"), ("28", "28 days"), ("90", "90 days"), ("365", "12 months"))


@rx.page(
    route="/dashboard/[workspace_id]/analytics",
    title="Analytics · Aerostic",
    on_load=[SignedIn.enter, Analytics.load],
)
def analytics() -> rx.Component:
    return shell(
        rx.script(src="/contacts.js"),
        rx.flex(
            _days(),
            rx.cond(Analytics.is_loading, kit.card(kit.skeleton_rows(6)), _figures()),
            direction="column",
            gap=theme.S5,
        ),
        title="Analytics",
        active="analytics",
    )


def _figures() -> rx.Component:
    return rx.flex(
        _heads(),
        _messages(),
        _conversations(),
        _people(),
        _outcomes(),
        _campaigns(),
        _workflows(),
        _agents(),
        direction="column",
        gap=theme.S5,
    )


# Which days


def _days() -> rx.Component:
    return rx.flex(
        rx.segmented_control.root(
            *(rx.segmented_control.item(words, value=value) for value, words in LENGTHS),
            value=Analytics.length,
            on_change=Analytics.show_last,
            size={"initial": "1", "sm": "2"},
        ),
        rx.flex(
            _day("From", Analytics.first, Analytics.begin_on),
            _day("to", Analytics.last, Analytics.end_on),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        _counted(),
        align="center",
        justify="between",
        gap=theme.S3,
        wrap="wrap",
    )


def _day(label: str, value: rx.Var[str], on_change: rx.event.EventType[str]) -> rx.Component:
    return rx.el.label(
        rx.text(label, size="2", color=theme.MUTED, as_="span"),
        rx.input(type="date", value=value, on_change=on_change, size="2", width="150px"),
        display="flex",
        align_items="center",
        gap=theme.S2,
    )


def _counted() -> rx.Component:
    return rx.cond(
        Analytics.counted_at != "",
        kit.muted(
            "Days in ", Analytics.time_zone, ". Counted ", kit.when(Analytics.counted_at), "."
        ),
        kit.muted("Nothing has been counted yet. The first figures come within a minute."),
    )


# The heads


def _heads() -> rx.Component:
    return rx.grid(
        rx.foreach(Analytics.heads, _head),
        columns={"initial": "2", "md": "4"},
        gap=theme.S3,
        width="100%",
    )


def _head(head: rx.Var[Head]) -> rx.Component:
    return kit.card(
        kit.muted(head.name, weight="medium"),
        rx.text(head.value, size="6", weight="bold", letter_spacing="-0.02em", color=theme.INK),
        kit.muted(head.hint, size="1"),
        kit.muted("Before: ", head.before, size="1", margin_top="2px"),
        padding=theme.S4,
    )


# The tables


def _messages() -> rx.Component:
    received = [("Received", charts.BLUE), ("Sent", charts.GREEN)]
    senders = [
        ("People", charts.GREEN),
        ("Automation", charts.VIOLET),
        ("Campaigns", charts.AMBER),
        ("API", charts.BLUE),
    ]
    return kit.section(
        "Messages",
        "What came in and what went out, and who wrote it. History from a phone is not counted.",
        charts.with_table(
            Analytics.messages, received, label="Messages received and sent", first="When"
        ),
        rx.heading("Who wrote what was sent", as_="h3", size="3"),
        charts.with_table(
            Analytics.senders,
            senders,
            label="Messages sent by people, automation, campaigns and the API",
            first="When",
            stacked=True,
        ),
        actions=[_csv("days")],
    )


def _conversations() -> rx.Component:
    series = [("Opened", charts.BLUE), ("Closed", charts.GREEN)]
    return kit.section(
        "Conversations",
        "Opened by someone's first message, or their first after it was closed.",
        charts.with_table(
            Analytics.conversations,
            series,
            label="Conversations opened and closed",
            first="When",
        ),
        _table(
            [
                "How long it took",
                "Half within",
                "Nine of ten within",
                "Before: half",
                "nine of ten",
            ],
            Analytics.times,
            "",
            "",
        ),
    )


def _people() -> rx.Component:
    return kit.section(
        "People",
        "What each person did. An answer ends a wait: times are the middle of theirs.",
        _table(
            [
                "Name",
                "Messages",
                "Answers",
                "Answered within",
                "First responses",
                "First within",
                "Closed",
                "Closed within",
            ],
            Analytics.people,
            "users",
            "Nobody wrote or closed anything in these days.",
        ),
        actions=[_csv("people")],
    )


def _outcomes() -> rx.Component:
    return kit.section(
        "Delivery",
        "What has become of the messages of these days so far, and why some failed.",
        _table(
            ["What became of them", "Messages", "Share"],
            Analytics.outcomes,
            "send",
            "Nothing was sent in these days.",
        ),
        rx.cond(
            Analytics.failures.length() > 0,
            _table(["Why they failed", "Code", "Messages"], Analytics.failures, "", ""),
        ),
        actions=[_csv("outcomes"), _csv("failures", "Failures as CSV")],
    )


def _campaigns() -> rx.Component:
    return kit.section(
        "Campaigns",
        "People whom campaigns wrote to in these days.",
        _table(
            ["Campaign", "Recipients", "Delivered", "Read", "Failed"],
            Analytics.campaigns,
            "megaphone",
            "No campaign wrote to anyone in these days.",
        ),
        actions=[_csv("campaigns")],
    )


def _workflows() -> rx.Component:
    return kit.section(
        "Automation",
        "Runs of workflows that began in these days. Try-outs are not counted.",
        charts.with_table(
            Analytics.runs, [("Runs", charts.VIOLET)], label="Runs of workflows", first="When"
        ),
        _table(
            ["Workflow", "Runs", "Done", "Failed", "Stopped", "Still running"],
            Analytics.workflows,
            "workflow",
            "No workflow ran in these days.",
        ),
        actions=[_csv("workflows")],
    )


def _agents() -> rx.Component:
    return kit.section(
        "AI",
        "Turns of agents, trials too, and what they cost at the model's list price.",
        _table(
            ["Agent", "Turns", "Tokens", "Cost", "Handed over"],
            Analytics.agents,
            "bot",
            "No agent was asked in these days.",
        ),
        actions=[_csv("agents")],
    )


def _table(
    columns: Sequence[str], rows: rx.Var[list[Line]], icon: str, when_empty: str
) -> rx.Component:
    nothing = kit.empty(icon, "Nothing here", when_empty) if icon else None
    return kit.table(columns, rows, _cells(len(columns)), when_empty=nothing)


def _cells(many: int) -> Callable[[rx.Var[Line]], list[rx.Component]]:
    def cells(line: rx.Var[Line]) -> list[rx.Component]:
        first = kit.text(line.cells[0], weight="medium", min_width="120px")
        return [first, *(kit.text(line.cells[at], white_space="nowrap") for at in range(1, many))]

    return cells


def _csv(table: str, label: str = "CSV") -> rx.Component:
    return kit.button(
        label,
        icon="download",
        variant="soft",
        size="1",
        on_click=Analytics.download(table),
        aria_label=label if label != "CSV" else f"{table.capitalize()} as CSV",
    )

"""The builder of a segment."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.state.segment import LeftOut, PersonLine, SegmentBuilder
from aerostic.state.segment_lines import Group, Line
from aerostic.state.session import SignedIn


@rx.page(
    route="/dashboard/[workspace_id]/campaigns/segment",
    title="Segment · Aerostic",
    on_load=[SignedIn.enter, SegmentBuilder.load],
)
def segment() -> rx.Component:
    back = "/dashboard/" + SignedIn.here + "/campaigns?tab=audiences"
    return shell(
        rx.link("← All audiences", href=back, size="2", color=theme.ACCENT_INK),
        rx.grid(
            rx.flex(_head(), _conditions(), direction="column", gap=theme.S4, min_width="0"),
            _found(),
            columns={"initial": "1", "md": "minmax(0, 5fr) minmax(0, 3fr)"},
            gap=theme.S4,
            margin_top=theme.S3,
            align="start",
        ),
        title=rx.cond(SegmentBuilder.id == "", "New segment", SegmentBuilder.name),
        active="campaigns",
    )


def _head() -> rx.Component:
    return kit.card(
        rx.flex(
            kit.field(
                "Name",
                "name",
                id="segment-name",
                value=SegmentBuilder.name,
                on_change=SegmentBuilder.set_name,
                error=SegmentBuilder.errors["name"],
                placeholder="Regulars who have not written for a month",
                max_length=80,
            ),
            rx.cond(
                SegmentBuilder.errors["filter"],
                kit.note(SegmentBuilder.errors["filter"], tone=theme.BAD, icon="circle-alert"),
            ),
            kit.refusal(SegmentBuilder.problem),
            rx.flex(
                kit.button(
                    "Save the segment",
                    icon="check",
                    on_click=SegmentBuilder.save,
                    loading=SegmentBuilder.is_busy,
                ),
                justify="end",
            ),
            direction="column",
            gap=theme.S4,
        )
    )


def _conditions() -> rx.Component:
    form = rx.flex(
        rx.cond(SegmentBuilder.groups.length() > 1, _between_groups()),
        rx.foreach(SegmentBuilder.groups, _group),
        rx.flex(
            kit.button(
                "Another group",
                icon="plus",
                variant="soft",
                color_scheme="gray",
                on_click=SegmentBuilder.add_group,
            ),
        ),
        direction="column",
        gap=theme.S4,
    )
    deep = kit.note(
        SegmentBuilder.sentence
        + ". This filter was made by a program and goes deeper than this form; change it there."
    )
    return rx.cond(SegmentBuilder.is_deep, deep, form)


def _between_groups() -> rx.Component:
    return rx.flex(
        kit.text("Someone belongs who matches"),
        _match("How the groups join", SegmentBuilder.match, SegmentBuilder.set_match),
        kit.text("these groups."),
        align="center",
        gap=theme.S2,
        wrap="wrap",
    )


def _match(label: str, value: rx.Var[str], on_change: kit.Click) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=label),
        rx.select.content(
            rx.select.item("all of", value="all"),
            rx.select.item("any of", value="any"),
            position="popper",
        ),
        value=value,
        on_change=on_change,
    )


def _group(group: Group) -> rx.Component:
    return kit.card(
        rx.flex(
            rx.flex(
                kit.text("Who matches"),
                _match(
                    "How the conditions join",
                    group.match,
                    lambda match: SegmentBuilder.set_group_match(group.id, match),
                ),
                kit.text("these conditions"),
                align="center",
                gap=theme.S2,
                wrap="wrap",
            ),
            rx.foreach(group.lines, _line),
            rx.flex(
                kit.button(
                    "Add a condition",
                    icon="plus",
                    variant="ghost",
                    margin="0",
                    on_click=SegmentBuilder.add_line(group.id),
                )
            ),
            direction="column",
            gap=theme.S3,
        )
    )


def _line(line: Line) -> rx.Component:
    return rx.flex(
        _select(
            "What the condition is about",
            SegmentBuilder.subjects,
            line.subject,
            lambda subject: SegmentBuilder.set_subject(line.id, subject),
        ),
        _select(
            "How it is compared",
            line.tests,
            line.test,
            lambda test: SegmentBuilder.set_test(line.id, test),
        ),
        _value(line),
        kit.icon_button(
            "x", "Take this condition out", on_click=SegmentBuilder.remove_line(line.id)
        ),
        gap=theme.S2,
        align="center",
        wrap="wrap",
        padding=theme.S3,
        background=theme.SUNKEN,
        border_radius=theme.RADIUS_SMALL,
        key=line.id,
    )


def _select(label: str, options: rx.Var, value: rx.Var[str], on_change: kit.Click) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=label, max_width="240px"),
        rx.select.content(
            rx.foreach(options, lambda one: rx.select.item(one.label, value=one.value)),
            position="popper",
        ),
        value=value,
        on_change=on_change,
    )


def _value(line: Line) -> rx.Component:
    return rx.match(
        line.control,
        ("none", rx.fragment()),
        ("choice", _chosen(line)),
        ("number", _typed(line, "number", "90px")),
        ("date", _typed(line, "date", "160px")),
        _typed(line, "text", "200px"),
    )


def _chosen(line: Line) -> rx.Component:
    nothing = kit.muted("There is none in this workspace yet.")
    those = rx.flex(
        _select(
            "Which one",
            line.offers,
            line.value,
            lambda value: SegmentBuilder.set_value(line.id, value),
        ),
        rx.cond(
            line.extras.length() > 0,
            _select(
                "What became of it",
                line.extras,
                line.extra,
                lambda extra: SegmentBuilder.set_extra(line.id, extra),
            ),
        ),
        gap=theme.S2,
        wrap="wrap",
    )
    return rx.cond(line.offers.length() > 0, those, nothing)


def _typed(line: Line, kind: str, width: str) -> rx.Component:
    return rx.flex(
        rx.input(
            default_value=line.value,
            type=kind,
            aria_label="Compared with",
            width=width,
            on_blur=lambda value: SegmentBuilder.set_value(line.id, value),
            key=line.id + line.subject + line.control,
        ),
        kit.muted(line.hint),
        align="center",
        gap=theme.S2,
        wrap="wrap",
    )


def _found() -> rx.Component:
    return kit.card(
        rx.flex(
            kit.heading("Who is in it", "Counted now. Campaigns ask again when they are launched."),
            rx.cond(
                SegmentBuilder.count_problem != "",
                kit.note(SegmentBuilder.count_problem, tone=theme.WARN, icon="circle-alert"),
            ),
            rx.cond(
                SegmentBuilder.is_counting & ~SegmentBuilder.is_counted,
                kit.skeleton_rows(3),
                rx.cond(SegmentBuilder.is_counted, _figures()),
            ),
            direction="column",
            gap=theme.S4,
        ),
        position=["static", "static", "static", "sticky"],
        top="0",
    )


def _figures() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.text(SegmentBuilder.reachable, size="8", weight="bold", role="status"),
            kit.muted("people would get a campaign, of " + SegmentBuilder.total + " who match"),
            opacity=rx.cond(SegmentBuilder.is_counting, "0.5", "1"),
        ),
        rx.foreach(SegmentBuilder.left_out, _left_out),
        rx.separator(size="4"),
        rx.foreach(SegmentBuilder.people, _person),
        direction="column",
        gap=theme.S3,
    )


def _left_out(one: LeftOut) -> rx.Component:
    return rx.flex(
        kit.muted(one.words), kit.text(one.number, weight="medium"), justify="between", gap=theme.S3
    )


def _person(one: PersonLine) -> rx.Component:
    there = "/dashboard/" + SignedIn.here + "/contacts/" + one.id
    return rx.flex(
        kit.avatar(one.name),
        rx.box(
            rx.link(one.name, href=there, size="2", weight="medium", color=theme.INK),
            kit.muted(rx.cond(one.why != "", one.why, one.phone), size="1"),
            min_width="0",
        ),
        gap=theme.S3,
        align="center",
    )

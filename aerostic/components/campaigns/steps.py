"""The steps of a campaign's wizard, up to its plan."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.campaigns.handset import handset
from aerostic.state.campaign_lines import FIXED, WEEKDAYS, GapLine, TemplateLine
from aerostic.state.campaign_wizard import CampaignWizard, NumberLine
from aerostic.state.segment import LeftOut, PersonLine
from aerostic.state.session import SignedIn

Wizard = CampaignWizard


def forward(label: str, step: str, back: str = "") -> rx.Component:
    """The foot of a step: on to the next, back to the one before."""
    before = (
        kit.button("Back", variant="soft", color_scheme="gray", on_click=Wizard.go(back))
        if back
        else rx.fragment()
    )
    return rx.flex(
        before,
        kit.button(label, icon="arrow-right", on_click=Wizard.go(step), loading=Wizard.is_busy),
        justify="end",
        gap=theme.S3,
    )


def problems() -> rx.Component:
    """What the server said about the fields, and about the whole."""
    return rx.fragment(
        rx.foreach(
            Wizard.errors,
            lambda said: kit.note(said[1], tone=theme.BAD, icon="circle-alert"),
        ),
        kit.refusal(Wizard.problem),
    )


# The message --------------------------------------------------------------------------------------


def message() -> rx.Component:
    return rx.flex(
        kit.section(
            "The message",
            "Choose a template that Meta has approved. Choose a second one to find out which does better.",
            rx.cond(Wizard.texts.length() > 1, _shares()),
            rx.input(
                rx.input.slot(rx.icon("search", size=16)),
                placeholder="Search templates",
                aria_label="Search templates",
                value=Wizard.search,
                on_change=Wizard.search_templates.debounce(250),
                size="3",
                width="100%",
            ),
            rx.cond(
                Wizard.offered.length() > 0,
                rx.grid(
                    rx.foreach(Wizard.offered, _template),
                    columns={"initial": "1", "sm": "2"},
                    gap=theme.S3,
                ),
                kit.empty(
                    "message-square-dashed",
                    "No approved template fits",
                    "Templates are written and sent to Meta for approval on their own page.",
                ),
            ),
        ),
        kit.section(
            "Sent from",
            "Several numbers share the work, and their speed adds up.",
            rx.foreach(Wizard.numbers, _number),
        ),
        problems(),
        forward("On to the audience", "audience"),
        direction="column",
        gap=theme.S4,
    )


def _template(one: TemplateLine) -> rx.Component:
    return rx.el.button(
        rx.flex(
            rx.text(one.name, weight="medium", size="2", style={"overflow_wrap": "anywhere"}),
            rx.cond(one.is_chosen, rx.icon("circle-check", size=18, color=theme.ACCENT_INK)),
            justify="between",
            gap=theme.S2,
        ),
        kit.muted(one.language, " · ", one.category, size="1"),
        rx.text(
            one.body,
            size="1",
            color=theme.INK,
            margin_top="6px",
            style={
                "display": "-webkit-box",
                "-webkit-line-clamp": "4",
                "-webkit-box-orient": "vertical",
                "overflow": "hidden",
                "white_space": "pre-wrap",
            },
        ),
        type="button",
        on_click=Wizard.choose_template(one.id),
        aria_pressed=one.is_chosen,
        text_align="left",
        padding=theme.S3,
        cursor="pointer",
        color=theme.INK,
        background=rx.cond(one.is_chosen, theme.SELECTED, theme.SURFACE),
        border=rx.cond(
            one.is_chosen, f"1px solid {theme.ACCENT_SOLID}", f"1px solid {theme.LINE_STRONG}"
        ),
        border_radius=theme.RADIUS_SMALL,
        **theme.FOCUS,
    )


def _shares() -> rx.Component:
    return rx.flex(
        kit.note("Each recipient gets one of the texts, by chance, in these shares."),
        rx.foreach(
            Wizard.texts,
            lambda one, index: rx.flex(
                kit.text(one.name, weight="medium", flex="1", min_width="0"),
                rx.input(
                    default_value=Wizard.shares[index].to_string(),
                    type="number",
                    min="1",
                    max="100",
                    width="84px",
                    aria_label="Share of " + one.name,
                    on_blur=lambda share: Wizard.set_share(index, share),
                    key=one.id,
                ),
                align="center",
                gap=theme.S3,
            ),
        ),
        direction="column",
        gap=theme.S2,
    )


def _number(one: NumberLine) -> rx.Component:
    return rx.el.label(
        rx.flex(
            rx.checkbox(
                checked=one.is_chosen,
                on_change=lambda is_on: Wizard.choose_number(one.id, is_on),
            ),
            kit.text(one.phone, weight="medium", as_="span"),
            kit.muted(one.name, as_="span"),
            gap=theme.S2,
            align="center",
            wrap="wrap",
        ),
        cursor="pointer",
    )


# Whom it is for -----------------------------------------------------------------------------------


def audience() -> rx.Component:
    new = "/dashboard/" + SignedIn.here + "/campaigns/segment"
    return rx.flex(
        kit.section(
            "Whom it is for",
            "Whoever said no, is blocked or can not be reached is left out by itself.",
            rx.radio_cards.root(
                _kind("everyone", "Everyone", "All of your contacts"),
                _kind("segment", "A segment", "People who match your conditions"),
                _kind("list", "A list", "People out of a file you uploaded"),
                rx.cond(
                    Wizard.has_own_filter,
                    _kind("filter", "Its own conditions", "Given by a program, kept as they are"),
                ),
                value=Wizard.audience_kind,
                on_value_change=Wizard.choose_audience,
                columns={"initial": "1", "sm": "3"},
                gap=theme.S3,
            ),
            rx.match(
                Wizard.audience_kind,
                ("segment", _segment_choice(new)),
                ("list", _list_choice()),
                rx.fragment(),
            ),
        ),
        kit.section("Who that is now", "Frozen when you launch; nobody gets it twice.", _reach()),
        problems(),
        forward("On to the variables", "variables", "message"),
        direction="column",
        gap=theme.S4,
    )


def _kind(value: str, title: str, note: str) -> rx.Component:
    return rx.radio_cards.item(
        rx.flex(
            rx.text(title, weight="medium", size="2"),
            kit.muted(note, size="1"),
            direction="column",
            width="100%",
        ),
        value=value,
    )


def _segment_choice(new: rx.Var[str]) -> rx.Component:
    link = rx.link("Make a segment", href=new, color=theme.ACCENT_INK)
    return rx.cond(
        Wizard.segments.length() > 0,
        rx.flex(
            _select("Segment", Wizard.segments, Wizard.segment_id, Wizard.choose_segment),
            link,
            gap=theme.S4,
            align="center",
            wrap="wrap",
        ),
        rx.flex(kit.text("There is no segment yet."), link, gap=theme.S3),
    )


def _list_choice() -> rx.Component:
    return rx.cond(
        Wizard.lists.length() > 0,
        rx.flex(
            _select("List", Wizard.lists, Wizard.list_id, Wizard.choose_list),
            rx.cond(
                Wizard.segments.length() > 0,
                rx.flex(
                    kit.text("but only those in"),
                    rx.select.root(
                        rx.select.trigger(aria_label="Segment to narrow the list by"),
                        rx.select.content(
                            rx.select.item("everyone on it", value="none"),
                            rx.foreach(
                                Wizard.segments,
                                lambda one: rx.select.item(one.label, value=one.value),
                            ),
                            position="popper",
                        ),
                        value=rx.cond(Wizard.segment_id == "", "none", Wizard.segment_id),
                        on_change=Wizard.choose_segment,
                    ),
                    align="center",
                    gap=theme.S2,
                    wrap="wrap",
                ),
            ),
            gap=theme.S3,
            align="center",
            wrap="wrap",
        ),
        kit.text("No list has come in yet. Upload one under Audiences."),
    )


def _select(label: str, options: rx.Var, value: rx.Var[str], on_change: kit.Click) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=label, placeholder="Choose…", min_width="200px"),
        rx.select.content(
            rx.foreach(options, lambda one: rx.select.item(one.label, value=one.value)),
            position="popper",
        ),
        value=value,
        on_change=on_change,
        size="3",
    )


def _reach() -> rx.Component:
    figures = rx.flex(
        rx.box(
            rx.text(Wizard.reachable, size="8", weight="bold", role="status"),
            kit.muted("people can get it, of " + Wizard.total + " in the audience"),
            opacity=rx.cond(Wizard.is_counting, "0.5", "1"),
        ),
        rx.flex(rx.foreach(Wizard.left_out, left_out), direction="column", gap=theme.S2),
        rx.flex(rx.foreach(Wizard.people, _face), gap=theme.S2, wrap="wrap"),
        direction="column",
        gap=theme.S4,
    )
    return rx.cond(Wizard.total == "", kit.skeleton_rows(2), figures)


def left_out(one: LeftOut) -> rx.Component:
    return rx.flex(
        kit.muted(one.words),
        kit.text(one.number, weight="medium", white_space="nowrap"),
        justify="between",
        gap=theme.S3,
        padding_bottom=theme.S1,
        border_bottom=f"1px solid {theme.LINE}",
    )


def _face(one: PersonLine) -> rx.Component:
    return rx.tooltip(
        rx.flex(
            kit.avatar(one.name, size="1"),
            kit.text(one.name, size="1"),
            align="center",
            gap="6px",
            padding="4px 10px 4px 4px",
            border_radius="99px",
            background=theme.SUNKEN,
            opacity=rx.cond(one.why != "", "0.55", "1"),
        ),
        content=rx.cond(one.why != "", one.why, one.phone),
    )


# What fills the gaps ------------------------------------------------------------------------------


def variables() -> rx.Component:
    return rx.grid(
        rx.flex(
            kit.section(
                "What fills the gaps",
                "A field of each person, a column of your list, or the same text for everyone.",
                rx.cond(
                    Wizard.gaps.length() > 0,
                    rx.flex(rx.foreach(Wizard.gaps, _gap), direction="column", gap=theme.S4),
                    kit.text("This text has no gaps: everyone gets the same."),
                ),
            ),
            problems(),
            forward("On to the time", "timing", "audience"),
            direction="column",
            gap=theme.S4,
            min_width="0",
        ),
        _preview(),
        columns={"initial": "1", "md": "minmax(0, 3fr) minmax(0, 2fr)"},
        gap=theme.S4,
        align="start",
    )


def _gap(one: GapLine) -> rx.Component:
    head = rx.flex(
        kit.text(one.label, weight="medium"),
        rx.cond(Wizard.texts.length() > 1, kit.badge(one.template)),
        rx.cond(one.example != "", kit.muted("for example “" + one.example + "”", size="1")),
        gap=theme.S2,
        align="center",
        wrap="wrap",
    )
    return rx.box(
        head,
        rx.cond(one.is_file, _file(one), _filled(one)),
        padding=theme.S3,
        background=theme.SUNKEN,
        border_radius=theme.RADIUS_SMALL,
        key=one.variant.to_string() + one.key,
    )


def _file(one: GapLine) -> rx.Component:
    return rx.flex(
        rx.el.input(
            id="gap-file-" + one.variant.to_string(),
            type="file",
            accept=one.accept,
            aria_label=one.label,
            on_change=lambda _: Wizard.upload_file(one.variant, one.key),
            color=theme.INK,
            max_width="100%",
        ),
        rx.cond(one.text != "", kit.badge("A file is chosen", theme.GOOD, "check")),
        gap=theme.S3,
        align="center",
        wrap="wrap",
        margin_top=theme.S2,
    )


def _filled(one: GapLine) -> rx.Component:
    return rx.flex(
        rx.select.root(
            rx.select.trigger(aria_label="What fills " + one.label, width="100%"),
            rx.select.content(
                rx.foreach(
                    Wizard.sources, lambda each: rx.select.item(each.label, value=each.value)
                ),
                position="popper",
            ),
            value=one.source,
            on_change=lambda source: Wizard.set_source(one.variant, one.key, source),
        ),
        rx.cond(
            one.source == FIXED,
            rx.input(
                default_value=one.text,
                placeholder="The text",
                aria_label="Text of " + one.label,
                max_length=1024,
                on_blur=lambda text: Wizard.set_text(one.variant, one.key, text),
                key="text" + one.key,
            ),
            rx.input(
                default_value=one.fallback,
                placeholder="For whom it is empty, such as “friend”",
                aria_label="Instead of an empty " + one.label,
                max_length=1024,
                on_blur=lambda text: Wizard.set_fallback(one.variant, one.key, text),
                key="fallback" + one.key,
            ),
        ),
        direction="column",
        gap=theme.S2,
        margin_top=theme.S2,
    )


def _preview() -> rx.Component:
    return kit.card(
        rx.flex(
            rx.flex(
                kit.icon_button(
                    "chevron-left", "Previous person", on_click=Wizard.another_person(-1)
                ),
                rx.box(
                    rx.text(
                        rx.cond(Wizard.person.name != "", Wizard.person.name, "Nobody yet"),
                        weight="medium",
                        size="2",
                        align="center",
                    ),
                    kit.muted(Wizard.person.phone, size="1", align="center"),
                    flex="1",
                    min_width="0",
                ),
                kit.icon_button("chevron-right", "Next person", on_click=Wizard.another_person(1)),
                align="center",
                gap=theme.S2,
            ),
            person_search("Preview for anyone", Wizard.choose_person),
            rx.cond(Wizard.texts.length() > 1, _which_text()),
            handset(Wizard.bubble, SignedIn.workspace_name),
            rx.foreach(
                Wizard.missing_here,
                lambda gap: kit.note(
                    "Nothing fills “" + gap + "” for this person.",
                    tone=theme.WARN,
                    icon="triangle-alert",
                ),
            ),
            direction="column",
            gap=theme.S3,
        ),
        position=["static", "static", "static", "sticky"],
        top="0",
    )


def _which_text() -> rx.Component:
    return rx.flex(
        rx.foreach(
            Wizard.texts,
            lambda one, index: rx.button(
                one.name,
                size="1",
                variant=rx.cond(Wizard.shown_text == index, "solid", "soft"),
                color_scheme="gray",
                on_click=Wizard.show_text(index),
            ),
        ),
        gap=theme.S2,
        wrap="wrap",
    )


def person_search(label: str, on_choose: Any) -> rx.Component:
    """A field that finds contacts by name or number; a click on one chooses them."""
    return rx.box(
        rx.input(
            rx.input.slot(rx.icon("search", size=14)),
            placeholder=label,
            aria_label=label,
            value=Wizard.person_search,
            on_change=Wizard.find_people.debounce(250),
        ),
        rx.cond(
            Wizard.person_search != "",
            rx.flex(
                rx.foreach(
                    Wizard.found_people,
                    lambda one: rx.el.button(
                        kit.text(one.name, as_="span", weight="medium"),
                        kit.muted(one.phone, as_="span", size="1", margin_left=theme.S2),
                        type="button",
                        text_align="left",
                        padding=theme.S2,
                        cursor="pointer",
                        background="transparent",
                        color=theme.INK,
                        border_radius=theme.RADIUS_SMALL,
                        _hover={"background": theme.HOVER},
                        on_click=on_choose(one.id),
                    ),
                ),
                direction="column",
                margin_top=theme.S1,
            ),
        ),
    )


# When, and how ------------------------------------------------------------------------------------


def timing() -> rx.Component:
    when = Wizard.when
    return rx.flex(
        kit.section(
            "When",
            "By the clock of your workspace: " + Wizard.zone,
            rx.radio_cards.root(
                _kind("now", "At once", "As soon as you launch"),
                _kind("at", "At a time", "On a day that you choose"),
                _kind("repeat", "Again and again", "The audience is looked up anew each time"),
                value=when.kind,
                on_value_change=lambda kind: Wizard.set_when("kind", kind),
                columns={"initial": "1", "sm": "3"},
                gap=theme.S3,
            ),
            rx.match(when.kind, ("at", _at()), ("repeat", _repeat()), rx.fragment()),
            _switch(
                "Quiet hours",
                "Nobody is written to at night, by their own clock.",
                when.is_quiet,
                Wizard.set_quiet,
            ),
            rx.cond(
                when.is_quiet,
                rx.flex(
                    _clock("From", "quiet_from", when.quiet_from),
                    _clock("until", "quiet_until", when.quiet_until),
                    gap=theme.S3,
                    align="center",
                    wrap="wrap",
                ),
            ),
        ),
        kit.section("Careful", "Good as they are for most campaigns.", _options()),
        problems(),
        forward("On to the plan", "review", "variables"),
        direction="column",
        gap=theme.S4,
    )


def _at() -> rx.Component:
    return rx.flex(
        rx.input(
            type="datetime-local",
            value=Wizard.when.moment,
            aria_label="Day and hour",
            on_change=lambda moment: Wizard.set_when("moment", moment),
            size="3",
            max_width="260px",
        ),
        _switch(
            "By each recipient's own clock",
            "At that hour where they live, as far as their number tells.",
            Wizard.when.by_their_clock,
            Wizard.set_their_clock,
        ),
        direction="column",
        gap=theme.S3,
    )


def _repeat() -> rx.Component:
    when = Wizard.when
    return rx.flex(
        rx.select.root(
            rx.select.trigger(aria_label="How often"),
            rx.select.content(
                rx.select.item("Every day", value="day"),
                rx.select.item("Every week", value="week"),
                rx.select.item("On the first of each month", value="month"),
                rx.cond(when.every == "other", rx.select.item(when.cron, value="other")),
                position="popper",
            ),
            value=when.every,
            on_change=lambda every: Wizard.set_when("every", every),
        ),
        rx.cond(
            when.every == "week",
            rx.select.root(
                rx.select.trigger(aria_label="On which day"),
                rx.select.content(
                    *(rx.select.item(day, value=str(i)) for i, day in enumerate(WEEKDAYS)),
                    position="popper",
                ),
                value=when.weekday,
                on_change=lambda day: Wizard.set_when("weekday", day),
            ),
        ),
        _clock("at", "at", when.at),
        gap=theme.S3,
        align="center",
        wrap="wrap",
    )


def _clock(label: str, part: str, value: rx.Var[str]) -> rx.Component:
    return rx.flex(
        kit.text(label, as_="span"),
        rx.input(
            type="time",
            value=value,
            aria_label=label,
            on_change=lambda time: Wizard.set_when(part, time),
        ),
        align="center",
        gap=theme.S2,
    )


def _switch(label: str, note: str, value: rx.Var[bool], on_change: kit.Click) -> rx.Component:
    return rx.el.label(
        rx.flex(
            rx.switch(checked=value, on_change=on_change),
            rx.box(
                rx.text(label, size="2", weight="medium", as_="span", display="block"),
                kit.muted(note, size="1", as_="span"),
            ),
            gap=theme.S3,
            align="start",
        ),
        cursor="pointer",
    )


def _options() -> rx.Component:
    return rx.fragment(
        rx.grid(
            _option(
                "Messages a minute, at most",
                "most_per_minute",
                Wizard.most_per_minute,
                "Empty: as fast as WhatsApp allows.",
            ),
            _option(
                "Pause when so many percent fail",
                "pause_at",
                Wizard.pause_at,
                "It stops by itself and says why.",
            ),
            _option(
                "Leave out percent, to compare",
                "hold_out",
                Wizard.hold_out,
                "A part, by chance, gets nothing.",
            ),
            columns={"initial": "1", "sm": "3"},
            gap=theme.S4,
        ),
        _switch(
            "An owner agrees before it leaves",
            "Launching then asks them first.",
            Wizard.needs_approval,
            Wizard.set_needs_approval,
        ),
    )


def _option(label: str, part: str, value: rx.Var[str], hint: str) -> rx.Component:
    return kit.field(
        label,
        part,
        id=f"option-{part}",
        kind="number",
        value=value,
        on_change=lambda text: Wizard.set_option(part, text),
        hint=hint,
    )

"""The plan of a campaign: what it costs, when it is done, who is left out. Then it is launched."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.campaigns.handset import handset
from aerostic.components.campaigns.parts import figure
from aerostic.components.campaigns.steps import left_out, person_search, problems
from aerostic.core.permissions import Permission
from aerostic.state.campaign_wizard import CampaignWizard, CostLine
from aerostic.state.segment import PersonLine
from aerostic.state.session import SignedIn

Wizard = CampaignWizard
plan = CampaignWizard.plan
may_launch = SignedIn.may.contains(str(Permission.CAMPAIGNS_LAUNCH))


def review() -> rx.Component:
    return rx.grid(
        rx.flex(
            problems(),
            rx.cond(plan.is_ready, _figures(), _counting()),
            _foot(),
            direction="column",
            gap=theme.S4,
            min_width="0",
        ),
        kit.card(handset(Wizard.bubble, SignedIn.workspace_name), display=theme.ONLY_WIDE),
        _test(),
        columns={"initial": "1", "md": "minmax(0, 3fr) minmax(0, 2fr)"},
        gap=theme.S4,
        align="start",
    )


def _counting() -> rx.Component:
    return rx.cond(
        (Wizard.problem == "") & (Wizard.errors.length() == 0),
        kit.section(
            "Making the plan",
            "Everyone of the audience is looked at once. You may leave; it goes on.",
            rx.progress(value=plan.percent, aria_label="How much is counted"),
            kit.text(plan.counted, " people so far", role="status"),
        ),
    )


def _figures() -> rx.Component:
    return rx.fragment(
        kit.section(
            "The plan",
            "From the real audience, at today's prices.",
            rx.grid(
                figure("people get it", plan.to_send),
                figure("it costs", plan.cost, "Delivered messages only"),
                figure(
                    "done",
                    rx.cond(plan.finishes_at != "", kit.when(plan.finishes_at), "–"),
                    "at " + plan.rate + " a second",
                ),
                columns={"initial": "1", "sm": "3"},
                gap=theme.S3,
            ),
            rx.cond(plan.lacks != "", _lacks()),
            rx.cond(plan.over_limit != "", _over()),
            rx.cond(plan.missing > 0, _missing()),
        ),
        rx.cond(
            Wizard.costs.length() > 1,
            kit.section(
                "What it costs where",
                "",
                kit.table(["Market", "People", "Cost"], Wizard.costs, _cost),
            ),
        ),
        rx.cond(
            Wizard.skipped.length() > 0,
            kit.section(
                "Who is left out",
                "",
                rx.flex(rx.foreach(Wizard.skipped, left_out), direction="column", gap=theme.S2),
            ),
        ),
    )


def _cost(one: CostLine) -> list[rx.Component]:
    return [kit.text(one.market), kit.text(one.count), kit.text(one.amount, weight="medium")]


def _lacks() -> rx.Component:
    return kit.note(
        rx.cond(plan.wallet != "", "Your wallet holds " + plan.wallet + "; ", "In the wallet, ")
        + plan.lacks
        + " is missing. Top up, then launch.",
        tone=theme.BAD,
        icon="wallet",
    )


def _over() -> rx.Component:
    return rx.callout.root(
        rx.callout.icon(rx.icon("calendar-clock", size=16)),
        rx.callout.text(
            "WhatsApp lets you write to "
            + plan.day_limit
            + " people in 24 hours. "
            + plan.over_limit
            + " of these go later, the last ones ",
            kit.when(plan.last_day_at),
            ".",
        ),
        color_scheme=theme.WARN,
        size="1",
    )


def _missing() -> rx.Component:
    return rx.box(
        kit.note(
            rx.cond(
                plan.missing == 1, "For one person", "For " + plan.missing.to_string() + " people"
            )
            + " a variable has no value. Give it something to fall back on, or leave them out.",
            tone=theme.WARN,
            icon="triangle-alert",
        ),
        rx.flex(
            rx.foreach(Wizard.missing_people, _missing_person),
            gap=theme.S2,
            wrap="wrap",
            margin_top=theme.S3,
        ),
        rx.el.label(
            rx.flex(
                rx.checkbox(checked=Wizard.skips_missing, on_change=Wizard.set_skips_missing),
                kit.text("Leave these people out", as_="span"),
                gap=theme.S2,
                align="center",
            ),
            cursor="pointer",
            display="block",
            margin_top=theme.S3,
        ),
    )


def _missing_person(one: PersonLine) -> rx.Component:
    return rx.link(
        one.name,
        href="/dashboard/" + SignedIn.here + "/contacts/" + one.id,
        size="1",
        padding="3px 10px",
        border_radius="99px",
        background=theme.SUNKEN,
        color=theme.INK,
    )


def _foot() -> rx.Component:
    waits = rx.cond(
        Wizard.when.kind == "now",
        "Launch",
        rx.cond(Wizard.when.kind == "at", "Schedule it", "Start the series"),
    )
    label = rx.cond(Wizard.needs_approval, "Ask for approval", waits)
    is_blocked = ~plan.is_ready | ~plan.sends_any | ((plan.missing > 0) & ~Wizard.skips_missing)
    return rx.flex(
        kit.button("Back", variant="soft", color_scheme="gray", on_click=Wizard.go("timing")),
        rx.flex(
            kit.button(
                "Send a test", icon="flask-conical", variant="soft", on_click=Wizard.ask_for_test
            ),
            rx.cond(
                may_launch,
                kit.button(
                    label,
                    icon="rocket",
                    on_click=Wizard.launch,
                    loading=Wizard.is_busy,
                    disabled=is_blocked,
                ),
            ),
            gap=theme.S3,
            wrap="wrap",
        ),
        justify="between",
        gap=theme.S3,
        wrap="wrap",
    )


def _test() -> rx.Component:
    return kit.dialog(
        "Send a test",
        person_search("Search a contact", Wizard.send_test),
        is_open=Wizard.is_testing,
        on_close=Wizard.close_test,
        note="Whom you choose gets one message at once, with their own values. It costs what it costs.",
    )

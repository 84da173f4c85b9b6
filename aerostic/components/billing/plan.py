"""The plan of the workspace: the second tab of the billing page. Load `YourPlan.load` when it is shown."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.plan import AllowanceLine, OtherLine, YourPlan
from aerostic.state.session import SignedIn

may_ask = SignedIn.may.contains(str(Permission.BILLING_MANAGE))


def plan() -> rx.Component:
    """What the plan includes and what is used of it; what else there is."""
    return rx.cond(
        YourPlan.is_loading,
        kit.card(kit.skeleton_rows(4)),
        rx.flex(_yours(), _others(), direction="column", gap=theme.S5, width="100%"),
    )


def _yours() -> rx.Component:
    return kit.section(
        "Your plan",
        "What is included, and how much of it is used.",
        rx.flex(
            rx.heading(YourPlan.name, as_="h3", size="5"),
            _end(),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        kit.muted(YourPlan.summary),
        rx.cond(
            YourPlan.is_over,
            kit.note(
                "Your trial has ended. Everything can still be read and exported, but nothing is "
                "sent any more. Ask for another plan below to go on.",
                tone=theme.WARN,
                icon="triangle-alert",
            ),
        ),
        rx.grid(
            rx.foreach(YourPlan.allowances, _allowance),
            columns={"initial": "1", "sm": "2", "md": "3"},
            gap=theme.S4,
            width="100%",
        ),
    )


def _end() -> rx.Component:
    ended = rx.fragment("Ended on ", kit.at(YourPlan.ends_at, "D MMMM YYYY"))
    ends = rx.fragment("Ends on ", kit.at(YourPlan.ends_at, "D MMMM YYYY"))
    return rx.cond(
        YourPlan.ends_at != "",
        rx.cond(YourPlan.is_over, kit.badge(ended, theme.BAD), kit.badge(ends, theme.WARN)),
    )


def _allowance(line: rx.Var[AllowanceLine]) -> rx.Component:
    return rx.box(
        rx.flex(
            kit.muted(line.name, weight="medium"),
            kit.text(line.used, " ", rx.text.span(line.most, color=theme.MUTED)),
            justify="between",
            gap=theme.S3,
        ),
        rx.cond(
            line.percent >= 0,
            rx.progress(
                value=line.percent,
                color_scheme=rx.cond(line.is_tight, theme.WARN, theme.GOOD),
                size="1",
                margin_top="6px",
                aria_label=line.name,
            ),
        ),
        padding=theme.S3,
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS_SMALL,
    )


def _others() -> rx.Component:
    return rx.cond(
        YourPlan.others.length() > 0,
        kit.section(
            "Other plans",
            "Whoever runs this platform decides who has which. Asking tells them by e-mail.",
            rx.flex(rx.foreach(YourPlan.others, _other), direction="column", gap=theme.S3),
        ),
    )


def _other(line: rx.Var[OtherLine]) -> rx.Component:
    asked = kit.badge("Asked for", theme.INFO, icon="check")
    ask = kit.button("Ask for it", variant="soft", on_click=YourPlan.ask_for(line.slug))
    return rx.flex(
        rx.box(
            kit.text(line.name, weight="bold"),
            kit.muted(line.summary),
            kit.muted(line.includes, size="1"),
            min_width="0",
        ),
        rx.cond(line.is_asked_for, asked, rx.cond(may_ask, ask)),
        justify="between",
        align="center",
        gap=theme.S4,
        padding=theme.S4,
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS_SMALL,
    )

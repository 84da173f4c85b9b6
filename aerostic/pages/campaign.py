"""One campaign on its way: progress, funnel, reasons and recipients, from rows."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.campaigns.parts import status_badge
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.campaign import (
    STATE_WORDS,
    CampaignPage,
    EventLine,
    ReasonLine,
    RecipientLine,
    Stage,
    TextLine,
)
from aerostic.state.session import SignedIn

head = CampaignPage.head
may_launch = SignedIn.may.contains(str(Permission.CAMPAIGNS_LAUNCH))
may_approve = SignedIn.may.contains(str(Permission.CAMPAIGNS_APPROVE))
may_manage = SignedIn.may.contains(str(Permission.CAMPAIGNS_MANAGE))
COLOURS = rx.Var.create(
    {
        "pending": theme.NEUTRAL,
        "queued": theme.INFO,
        "sent": theme.INFO,
        "delivered": theme.GOOD,
        "read": theme.GOOD,
        "failed": theme.BAD,
        "unknown": theme.WARN,
        "skipped": theme.WARN,
        "cancelled": theme.NEUTRAL,
    }
)


@rx.page(
    route="/dashboard/[workspace_id]/campaigns/[campaign_id]",
    title="Campaign · Aerostic",
    on_load=[SignedIn.enter, CampaignPage.load],
)
def campaign() -> rx.Component:
    back = "/dashboard/" + SignedIn.here + "/campaigns"
    missing = kit.empty("megaphone", "This campaign is not here", CampaignPage.missing)
    return shell(
        rx.script(src="/contacts.js"),
        rx.link("← All campaigns", href=back, size="2", color=theme.ACCENT_INK),
        rx.box(
            rx.cond(
                CampaignPage.missing != "",
                missing,
                rx.cond(CampaignPage.is_loading, kit.skeleton_rows(6), _campaign()),
            ),
            margin_top=theme.S3,
        ),
        title=rx.cond(head.name == "", "Campaign", head.name),
        active="campaigns",
    )


def _campaign() -> rx.Component:
    return rx.flex(
        _head(),
        rx.grid(
            _funnel(),
            _reasons(),
            columns={"initial": "1", "md": "2"},
            gap=theme.S4,
            align="start",
        ),
        rx.cond(CampaignPage.texts.length() > 0, _texts()),
        _recipients(),
        _events(),
        _confirmations(),
        rx.cond(
            CampaignPage.is_stale,
            rx.moment(interval=2000, on_change=CampaignPage.tick, display="none"),
        ),
        direction="column",
        gap=theme.S4,
    )


# The head -----------------------------------------------------------------------------------------


def _head() -> rx.Component:
    return kit.card(
        rx.flex(
            rx.flex(
                rx.box(
                    rx.flex(
                        rx.heading(head.name, as_="h2", size="5"),
                        status_badge(head.status, head.status_words),
                        gap=theme.S3,
                        align="center",
                        wrap="wrap",
                    ),
                    kit.muted(head.template, " → ", head.audience, margin_top="4px"),
                    min_width="0",
                ),
                _acts(),
                justify="between",
                gap=theme.S3,
                wrap="wrap",
            ),
            rx.cond(
                head.problem != "",
                kit.note(head.problem, tone=theme.WARN, icon="triangle-alert"),
            ),
            rx.box(
                rx.progress(value=head.percent, aria_label="How far it has come", size="3"),
                rx.flex(
                    kit.text(head.done, " of ", head.of, " written to", role="status"),
                    kit.muted(_times()),
                    justify="between",
                    gap=theme.S3,
                    wrap="wrap",
                    margin_top=theme.S2,
                ),
            ),
            direction="column",
            gap=theme.S4,
        )
    )


def _times() -> rx.Component:
    return rx.match(
        head.status,
        ("scheduled", rx.fragment("Starts ", kit.when(head.starts_at))),
        ("done", rx.fragment("Done ", kit.when(head.finished_at), " · ", head.cost)),
        ("cancelled", rx.fragment("Cancelled ", kit.when(head.finished_at))),
        ("awaiting_approval", rx.fragment("Asked by ", head.by)),
        rx.fragment(
            rx.cond(
                head.finishes_at != "",
                rx.fragment("Done ", kit.when(head.finishes_at), " · "),
            ),
            head.cost,
        ),
    )


def _acts() -> rx.Component:
    moving = (
        (head.status == "running") | (head.status == "preparing") | (head.status == "scheduled")
    )
    waiting = head.status == "awaiting_approval"
    ending = moving | (head.status == "paused") | waiting
    soft = {"variant": "soft", "color_scheme": "gray"}
    edit = "/dashboard/" + SignedIn.here + "/campaigns/" + head.id + "/edit"
    return rx.flex(
        rx.cond(
            waiting,
            rx.fragment(
                rx.link(kit.button("Open", icon="pencil", tab_index=-1, **soft), href=edit),
                rx.cond(
                    may_approve,
                    kit.button("Approve and launch", icon="check", on_click=CampaignPage.approve),
                ),
            ),
        ),
        rx.cond(
            may_launch,
            rx.fragment(
                rx.cond(
                    moving, kit.button("Pause", icon="pause", on_click=CampaignPage.pause, **soft)
                ),
                rx.cond(
                    head.status == "paused",
                    kit.button("Resume", icon="play", on_click=CampaignPage.resume),
                ),
                rx.cond(
                    head.can_retry,
                    kit.button(
                        "Retry the failed",
                        icon="rotate-cw",
                        on_click=CampaignPage.ask("retry"),
                        **soft,
                    ),
                ),
                rx.cond(
                    ending,
                    kit.button(
                        "Cancel",
                        icon="x",
                        variant="soft",
                        color_scheme="red",
                        on_click=CampaignPage.ask("cancel"),
                    ),
                ),
            ),
        ),
        rx.cond(
            may_manage, kit.icon_button("copy", "Make a copy", on_click=CampaignPage.duplicate)
        ),
        kit.icon_button("download", "Recipients as CSV", on_click=CampaignPage.export),
        gap=theme.S2,
        wrap="wrap",
        align="center",
    )


def _confirmations() -> rx.Component:
    return rx.fragment(
        kit.confirm(
            "Cancel “" + head.name + "”?",
            "Nobody who was not written to yet gets it, and what was set aside for them is free "
            "again. It can not be resumed.",
            is_open=CampaignPage.asking == "cancel",
            act="Cancel the campaign",
            on_confirm=CampaignPage.cancel,
            on_cancel=CampaignPage.ask(""),
        ),
        kit.confirm(
            "Write again to " + head.failed.to_string() + " people?",
            "Only those whom it failed for, and only they are paid for. Whoever said no meanwhile "
            "is left out.",
            is_open=CampaignPage.asking == "retry",
            act="Retry the failed",
            on_confirm=CampaignPage.retry,
            on_cancel=CampaignPage.ask(""),
        ),
    )


# Figures ------------------------------------------------------------------------------------------


def _funnel() -> rx.Component:
    return kit.section(
        "How far it came",
        "Counted from the recipients, now.",
        rx.flex(rx.foreach(CampaignPage.stages, _stage), direction="column", gap=theme.S3),
    )


def _stage(one: Stage) -> rx.Component:
    return rx.box(
        rx.flex(
            kit.text(one.label),
            rx.flex(
                kit.text(one.number, weight="bold"),
                kit.muted(one.share, min_width="56px", text_align="right"),
                gap=theme.S2,
            ),
            justify="between",
        ),
        rx.box(
            rx.box(
                width=one.percent.to_string() + "%",
                height="100%",
                background=theme.ACCENT_SOLID,
                border_radius="99px",
                transition="width 0.4s",
            ),
            height="8px",
            background=theme.SUNKEN,
            border_radius="99px",
            overflow="hidden",
            margin_top="4px",
            aria_hidden="true",
        ),
    )


def _reasons() -> rx.Component:
    return kit.section(
        "Who did not get it, and why",
        "",
        rx.cond(
            CampaignPage.reasons.length() > 0,
            rx.flex(rx.foreach(CampaignPage.reasons, _reason), direction="column", gap=theme.S1),
            kit.muted("Nobody so far."),
        ),
    )


def _reason(one: ReasonLine) -> rx.Component:
    return rx.el.button(
        rx.flex(
            kit.badge(
                rx.cond(one.state == "failed", "Failed", "Left out"),
                rx.cond(one.state == "failed", theme.BAD, theme.WARN),
            ),
            rx.text(one.words, size="2", as_="span", flex="1", text_align="left"),
            rx.text(one.number, size="2", weight="bold", as_="span"),
            gap=theme.S3,
            align="center",
        ),
        type="button",
        title="Show these recipients",
        on_click=CampaignPage.show_reason(one.reason, one.words),
        width="100%",
        padding=theme.S2,
        cursor="pointer",
        background="transparent",
        color=theme.INK,
        border_radius=theme.RADIUS_SMALL,
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def _texts() -> rx.Component:
    return kit.section(
        "The texts beside each other",
        "Shares of those to whom each was sent.",
        kit.table(["Text", "Sent", "Read", "Answered"], CampaignPage.texts, _text),
    )


def _text(one: TextLine) -> list[rx.Component]:
    return [
        kit.text(one.name, weight="medium"),
        kit.text(one.sent),
        kit.text(one.read),
        kit.text(one.replied),
    ]


# Recipients ---------------------------------------------------------------------------------------


def _recipients() -> rx.Component:
    choice = rx.select.root(
        rx.select.trigger(aria_label="Which recipients"),
        rx.select.content(
            rx.select.item("Everyone", value="all"),
            *(rx.select.item(words, value=state) for state, words in STATE_WORDS.items()),
            position="popper",
        ),
        value=CampaignPage.state,
        on_change=CampaignPage.show,
    )
    return kit.section(
        "Recipients",
        "",
        rx.cond(
            CampaignPage.reason != "",
            rx.flex(
                kit.badge(CampaignPage.reason_words, theme.INFO),
                kit.button(
                    "Show everyone", variant="ghost", margin="0", on_click=CampaignPage.show("all")
                ),
                gap=theme.S3,
                align="center",
                wrap="wrap",
            ),
        ),
        kit.table(
            ["Who", "State", "Why", "Cost", "Written"],
            CampaignPage.recipients,
            _recipient,
            when_empty=kit.empty(
                "users", "Nobody here", "Nobody of this campaign is in this state."
            ),
        ),
        kit.pages(
            CampaignPage.page_number,
            CampaignPage.has_next,
            CampaignPage.previous_page,
            CampaignPage.next_page,
        ),
        actions=[choice],
    )


def _recipient(one: RecipientLine) -> list[rx.Component]:
    person = "/dashboard/" + SignedIn.here + "/contacts/" + one.id
    return [
        rx.box(
            rx.link(one.name, href=person, weight="medium", color=theme.ACCENT_INK),
            kit.muted(one.phone, size="1", white_space="nowrap"),
        ),
        rx.flex(
            kit.badge(one.state_words, COLOURS[one.state]),
            rx.cond(one.replied, kit.badge("Answered", theme.GOOD, "reply")),
            gap=theme.S1,
            wrap="wrap",
        ),
        kit.muted(one.why, min_width="16ch"),
        kit.text(one.cost, white_space="nowrap"),
        rx.cond(one.at != "", kit.muted(kit.when(one.at), white_space="nowrap"), rx.fragment()),
    ]


def _events() -> rx.Component:
    return kit.section(
        "What happened",
        "",
        rx.flex(rx.foreach(CampaignPage.events, _event), direction="column", gap=theme.S2),
    )


def _event(one: EventLine) -> rx.Component:
    return rx.flex(
        kit.text(one.words),
        kit.muted(one.by, " · ", kit.when(one.at)),
        justify="between",
        gap=theme.S3,
        wrap="wrap",
    )

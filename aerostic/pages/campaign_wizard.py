"""A campaign before it is launched, step by step."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.campaigns import review, steps
from aerostic.components.shell import shell
from aerostic.state.campaign_wizard import CampaignWizard
from aerostic.state.session import SignedIn

STEPS = (
    ("message", "Message"),
    ("audience", "Audience"),
    ("variables", "Variables"),
    ("timing", "Time"),
    ("review", "Plan"),
)


@rx.page(
    route="/dashboard/[workspace_id]/campaigns/[campaign_id]/edit",
    title="Campaign · Aerostic",
    on_load=[SignedIn.enter, CampaignWizard.load],
)
def campaign_wizard() -> rx.Component:
    back = "/dashboard/" + SignedIn.here + "/campaigns"
    missing = kit.empty("megaphone", "This campaign is not here", CampaignWizard.missing_page)
    wizard = rx.fragment(
        _name(),
        rx.cond(
            CampaignWizard.is_awaiting,
            kit.note(
                "It waits for an owner's approval. A change takes it back into a draft.",
                tone=theme.WARN,
            ),
        ),
        _steps(),
        rx.match(
            CampaignWizard.step,
            ("audience", steps.audience()),
            ("variables", steps.variables()),
            ("timing", steps.timing()),
            ("review", review.review()),
            steps.message(),
        ),
    )
    return shell(
        rx.link("← All campaigns", href=back, size="2", color=theme.ACCENT_INK),
        rx.flex(
            rx.cond(
                CampaignWizard.missing_page != "",
                missing,
                rx.cond(CampaignWizard.is_loading, kit.skeleton_rows(6), wizard),
            ),
            direction="column",
            gap=theme.S4,
            margin_top=theme.S3,
        ),
        title=rx.cond(CampaignWizard.name == "", "Campaign", CampaignWizard.name),
        active="campaigns",
    )


def _name() -> rx.Component:
    return rx.input(
        default_value=CampaignWizard.name,
        aria_label="Name of the campaign",
        on_blur=CampaignWizard.rename,
        key=CampaignWizard.id,
        size="3",
        max_length=120,
        variant="soft",
        color_scheme="gray",
        font_weight="700",
    )


def _steps() -> rx.Component:
    """Where one is. Steps can be visited in any order; each keeps what was said."""
    return rx.el.nav(
        rx.flex(
            *(_step(number, key, words) for number, (key, words) in enumerate(STEPS, start=1)),
            gap=theme.S2,
            overflow_x="auto",
            class_name="scroll-quietly",
            padding_bottom=theme.S1,
        ),
        aria_label="Steps",
    )


def _step(number: int, key: str, words: str) -> rx.Component:
    is_here = CampaignWizard.step == key
    return rx.el.button(
        rx.center(
            str(number),
            width="22px",
            height="22px",
            border_radius="99px",
            font_size="12px",
            background=rx.cond(is_here, theme.ACCENT_INK, theme.LINE),
            color=rx.cond(is_here, theme.SURFACE, theme.INK),
            flex_shrink="0",
        ),
        rx.text(words, size="2", weight=rx.cond(is_here, "bold", "regular"), as_="span"),
        type="button",
        on_click=CampaignWizard.go(key),
        aria_current=rx.cond(is_here, "step", "false"),
        display="flex",
        align_items="center",
        gap=theme.S2,
        padding="6px 12px 6px 6px",
        cursor="pointer",
        white_space="nowrap",
        color=theme.INK,
        border_radius="99px",
        background=rx.cond(is_here, theme.SELECTED, "transparent"),
        **theme.FOCUS,
    )

"""Campaigns, and the audiences that they write to."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.campaigns.audiences import audiences, consent
from aerostic.components.campaigns.parts import campaign_path, status_badge
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.campaigns import STATUS_WORDS, CampaignLine, Campaigns
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.CAMPAIGNS_MANAGE))


@rx.page(
    route="/dashboard/[workspace_id]/campaigns",
    title="Campaigns · Aerostic",
    on_load=[SignedIn.enter, Campaigns.load],
)
def campaigns() -> rx.Component:
    return shell(
        rx.script(src="/contacts.js"),
        rx.tabs.root(
            rx.tabs.list(
                rx.tabs.trigger("Campaigns", value="campaigns"),
                rx.tabs.trigger("Audiences", value="audiences"),
                rx.tabs.trigger("Consent", value="consent"),
            ),
            rx.tabs.content(_list(), value="campaigns", padding_top=theme.S5),
            rx.tabs.content(audiences(), value="audiences", padding_top=theme.S5),
            rx.tabs.content(consent(), value="consent", padding_top=theme.S5),
            value=Campaigns.tab,
            on_change=Campaigns.open_tab,
        ),
        _name_dialog(),
        title="Campaigns",
        active="campaigns",
    )


def _list() -> rx.Component:
    return kit.section(
        "Campaigns",
        "One message to many people, each once. You see the cost and who is left out before it leaves.",
        kit.table(
            ["Campaign", "State", "Template", "When", ""],
            Campaigns.rows,
            _row,
            is_loading=Campaigns.is_loading,
            when_empty=kit.empty(
                "megaphone",
                "No campaigns here yet",
                "Choose a template, choose whom it is for, and see what it costs before you launch.",
            ),
        ),
        kit.pages(
            Campaigns.page_number,
            Campaigns.has_next,
            Campaigns.previous_page,
            Campaigns.next_page,
        ),
        actions=[
            _status_choice(),
            rx.cond(may_manage, kit.button("New campaign", icon="plus", on_click=Campaigns.begin)),
        ],
    )


def _status_choice() -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label="Which campaigns"),
        rx.select.content(
            rx.select.item("All states", value="all"),
            *(rx.select.item(words, value=value) for value, words in STATUS_WORDS.items()),
            position="popper",
        ),
        value=Campaigns.status,
        on_change=Campaigns.show,
    )


def _row(one: CampaignLine) -> list[rx.Component]:
    there = rx.cond(one.is_draft, campaign_path(one.id) + "/edit", campaign_path(one.id))
    return [
        rx.box(
            rx.link(one.name, href=there, weight="medium", color=theme.ACCENT_INK),
            rx.cond(one.problem != "", kit.muted(one.problem, max_width="44ch")),
            min_width="140px",
        ),
        rx.flex(
            status_badge(one.status, one.status_words),
            rx.cond(one.repeats, kit.badge("Repeats", theme.NEUTRAL, "repeat")),
            gap=theme.S1,
            wrap="wrap",
        ),
        kit.text(one.template, white_space="nowrap"),
        kit.muted(kit.when(one.at), white_space="nowrap"),
        rx.cond(may_manage, _row_menu(one)),
    ]


def _row_menu(one: CampaignLine) -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=18),
                aria_label="More about " + one.name,
                variant="ghost",
                color_scheme="gray",
            )
        ),
        rx.menu.content(
            rx.menu.item("Make a copy", on_select=Campaigns.duplicate(one.id)),
            rx.cond(
                one.is_draft,
                rx.menu.item("Delete the draft", color="red", on_select=Campaigns.remove(one.id)),
            ),
        ),
    )


def _name_dialog() -> rx.Component:
    return kit.dialog(
        "New campaign",
        rx.form(
            rx.flex(
                kit.field(
                    "Name",
                    "name",
                    error=Campaigns.errors["name"],
                    required=True,
                    max_length=120,
                    placeholder="Autumn menu",
                    hint="Only your team sees it.",
                ),
                kit.refusal(Campaigns.problem),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=Campaigns.close,
                ),
                kit.button("Go on", type="submit", loading=Campaigns.is_busy),
            ),
            on_submit=Campaigns.create,
            reset_on_submit=False,
        ),
        is_open=Campaigns.is_naming,
        on_close=Campaigns.close,
        note="Nothing is sent before you have seen the plan.",
    )

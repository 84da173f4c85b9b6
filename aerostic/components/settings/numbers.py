"""The numbers of a workspace, with what Meta says of each."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.numbers import AccountCard, NumberLine, Numbers
from aerostic.state.session import SignedIn

STATUS_COLOURS = rx.Var.create(
    {"connected": theme.GOOD, "needs_attention": theme.WARN, "disconnected": theme.NEUTRAL}
)
QUALITY_COLOURS = rx.Var.create(
    {"High": theme.GOOD, "Medium": theme.WARN, "Low": theme.BAD, "Not rated yet": theme.NEUTRAL}
)
MODES = (
    ("person", "People"),
    ("automation", "Automation"),
    ("ai", "AI agent"),
    ("paused", "Nobody, paused"),
)
may_manage = SignedIn.may.contains(str(Permission.NUMBERS_MANAGE))


def numbers() -> rx.Component:
    connect = rx.cond(
        may_manage, kit.button("Connect a number", icon="plus", on_click=Numbers.begin)
    )
    return rx.fragment(
        kit.section(
            "WhatsApp numbers",
            "The numbers that your customers write to.",
            rx.cond(
                Numbers.is_loading,
                kit.skeleton_rows(3),
                rx.cond(Numbers.accounts.length() > 0, _accounts(), _none()),
            ),
            actions=[connect],
        ),
        _connect_dialog(),
        _disconnect_dialog(),
    )


def _none() -> rx.Component:
    return kit.empty(
        "smartphone",
        "No number yet",
        "Connect a number of the WhatsApp Business Platform, and messages to it arrive in your inbox.",
        rx.cond(
            may_manage,
            kit.button("Connect a number", on_click=Numbers.begin),
            kit.muted("An owner of the workspace can connect one."),
        ),
    )


def _accounts() -> rx.Component:
    return rx.flex(rx.foreach(Numbers.accounts, _account), direction="column", gap=theme.S5)


def _account(account: AccountCard) -> rx.Component:
    return rx.box(
        rx.flex(
            rx.box(
                kit.text(account.name, weight="medium"),
                rx.flex(
                    kit.muted("Account ", account.meta_account_id, size="1"),
                    rx.cond(
                        account.checked_at != "",
                        kit.muted("· checked ", kit.when(account.checked_at), size="1"),
                    ),
                    gap=theme.S1,
                    wrap="wrap",
                ),
            ),
            rx.cond(may_manage & account.is_connected, _check_button(account)),
            justify="between",
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        rx.cond(
            account.problem != "",
            rx.box(
                kit.note(account.problem, tone=theme.WARN, icon="triangle-alert"),
                margin_top=theme.S3,
            ),
        ),
        rx.flex(
            rx.foreach(account.numbers, _number),
            direction="column",
            gap=theme.S3,
            margin_top=theme.S3,
        ),
    )


def _check_button(account: AccountCard) -> rx.Component:
    return kit.button(
        "Check now",
        icon="refresh-cw",
        variant="soft",
        size="1",
        loading=Numbers.checking == account.id,
        on_click=Numbers.check(account.id),
    )


def _number(number: NumberLine) -> rx.Component:
    return rx.box(
        rx.flex(
            rx.center(
                rx.icon("phone", size=18, color=theme.ACCENT_INK),
                width="40px",
                height="40px",
                border_radius="12px",
                background=theme.SELECTED,
                flex_shrink="0",
            ),
            rx.box(
                rx.text(number.phone, size="3", weight="bold", white_space="nowrap"),
                kit.muted(number.name, size="1"),
                flex="1",
                min_width="140px",
            ),
            rx.flex(
                kit.badge(number.status_words, STATUS_COLOURS[number.status]),
                rx.cond(may_manage & number.is_connected, _number_menu(number)),
                align="center",
                gap=theme.S3,
            ),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        rx.cond(
            (number.problem != "") & number.is_connected,
            rx.box(
                kit.note(number.problem, tone=theme.WARN, icon="triangle-alert"),
                margin_top=theme.S3,
            ),
        ),
        rx.grid(
            _fact("Who answers", _mode(number)),
            _fact("Quality", kit.badge(number.quality, QUALITY_COLOURS[number.quality])),
            _fact("Conversations that you may begin", kit.text(number.limit)),
            _fact("Speed", kit.text(number.per_second.to_string(), " messages a second")),
            _fact("Number id", kit.code(number.phone_number_id)),
            columns=rx.breakpoints(initial="1", sm="2", lg="5"),
            gap=theme.S3,
            margin_top=theme.S4,
        ),
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS,
        padding=theme.S4,
    )


def _mode(number: NumberLine) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label="Who answers on " + number.phone, variant="soft"),
        rx.select.content(
            *(rx.select.item(words, value=mode) for mode, words in MODES), position="popper"
        ),
        value=number.mode,
        on_change=lambda mode: Numbers.choose_mode(number.id, mode),
        disabled=~may_manage,
        size="1",
    )


def _fact(name: str, value: rx.Component) -> rx.Component:
    return rx.box(kit.muted(name, size="1", margin_bottom="3px"), value)


def _number_menu(number: NumberLine) -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=18),
                variant="ghost",
                color_scheme="gray",
                aria_label="More about " + number.phone,
            )
        ),
        rx.dropdown_menu.content(
            rx.dropdown_menu.item(
                "Disconnect",
                color="red",
                on_select=Numbers.ask_to_disconnect(number.id, number.phone),
            )
        ),
    )


def _connect_dialog() -> rx.Component:
    errors = Numbers.errors
    return kit.dialog(
        "Connect a number",
        rx.form(
            rx.flex(
                kit.field(
                    "WhatsApp Business Account ID",
                    "meta_account_id",
                    error=errors["meta_account_id"],
                    required=True,
                    input_mode="numeric",
                    placeholder="200000000000001",
                ),
                kit.field(
                    "Phone number ID",
                    "phone_number_id",
                    error=errors["phone_number_id"],
                    required=True,
                    input_mode="numeric",
                    placeholder="100000000000001",
                ),
                kit.field(
                    "Access token",
                    "access_token",
                    error=errors["access_token"],
                    kind="password",
                    required=True,
                    auto_complete="off",
                    hint="Of a system user, with whatsapp_business_messaging and "
                    "whatsapp_business_management. "
                    "It is stored encrypted and never shown again.",
                ),
                kit.note(
                    rx.text(
                        "In Meta's App Dashboard, the webhook's address is ",
                        rx.code(
                            Numbers.webhook_url,
                            style={"word_break": "break-all", "display": "inline-block"},
                        ),
                    )
                ),
                kit.refusal(Numbers.problem),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=Numbers.close,
                ),
                kit.button("Connect", type="submit", loading=Numbers.is_busy),
            ),
            on_submit=Numbers.connect,
            reset_on_submit=False,
        ),
        note="All three are on the page “API Setup” of your app at developers.facebook.com.",
        is_open=Numbers.is_connecting,
        on_close=Numbers.close,
        width="520px",
    )


def _disconnect_dialog() -> rx.Component:
    return kit.confirm(
        "Disconnect " + Numbers.closing_phone + "?",
        "Messages to it no longer arrive here and nothing more is sent from it. Its conversations stay, and "
        "connecting it again continues them.",
        is_open=Numbers.closing_id != "",
        act="Disconnect",
        on_confirm=Numbers.disconnect,
        on_cancel=Numbers.close,
    )

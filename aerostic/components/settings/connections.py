"""Google accounts that workflows use: connected in a window of Google's, let go here."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.connections import ConnectionLine, Connections
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.CONNECTIONS_MANAGE))
STATUS_COLOURS = rx.Var.create({"connected": theme.GOOD, "needs_attention": theme.WARN})
EMPTY = rx.Var.create("")


def connections() -> rx.Component:
    connect = kit.button("Connect an account", icon="plus", on_click=Connections.choose)
    return rx.fragment(
        rx.script(src="/connections.js"),
        rx.el.button(
            id="connection-told",
            type="button",
            hidden=True,
            on_click=rx.call_script(
                "window.aerosticConnections.told()", callback=Connections.came_back
            ),
        ),
        kit.section(
            "Google accounts",
            "Workflows and agents use their Drive and their spreadsheets.",
            rx.cond(
                ~Connections.is_loading & ~Connections.can_connect,
                kit.note(
                    "This installation has no Google client yet. Its operator sets one up with "
                    "AEROSTIC_GOOGLE_CLIENT_ID and AEROSTIC_GOOGLE_CLIENT_SECRET."
                ),
            ),
            rx.cond(
                Connections.is_loading,
                kit.skeleton_rows(2),
                rx.cond(Connections.connections.length() > 0, _accounts(), _none()),
            ),
            actions=[rx.cond(may_manage & Connections.can_connect, connect)],
        ),
        _choose_dialog(),
        kit.confirm(
            "Disconnect " + Connections.closing.email + "?",
            "Steps that use this account fail from now on. Its files stay as they are, and the permission "
            "at Google ends.",
            is_open=Connections.closing.id != "",
            act="Disconnect",
            on_confirm=Connections.disconnect,
            on_cancel=Connections.close,
            is_busy=Connections.is_closing,
        ),
    )


def _none() -> rx.Component:
    return kit.empty(
        "plug",
        "No account yet",
        "Connect one to write leads into a spreadsheet, look up an order, or keep files in Drive.",
    )


def _accounts() -> rx.Component:
    return rx.flex(rx.foreach(Connections.connections, _account), direction="column", gap=theme.S3)


def _account(account: ConnectionLine) -> rx.Component:
    return rx.box(
        rx.flex(
            kit.avatar(account.name, size="3"),
            rx.box(
                kit.text(account.email, weight="medium", word_break="break-all"),
                rx.flex(
                    kit.muted(account.name, size="1"),
                    kit.muted("connected ", kit.when(account.since), size="1"),
                    column_gap=theme.S3,
                    wrap="wrap",
                ),
                flex="1",
                min_width="180px",
            ),
            rx.flex(
                rx.cond(account.has_drive, kit.badge("Drive", theme.NEUTRAL, "hard-drive")),
                rx.cond(account.has_sheets, kit.badge("Sheets", theme.NEUTRAL, "sheet")),
                kit.badge(account.status_words, STATUS_COLOURS[account.status]),
                rx.cond(may_manage, _menu(account)),
                align="center",
                gap=theme.S2,
                wrap="wrap",
            ),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        rx.cond(
            account.problem != "",
            rx.flex(
                kit.note(account.problem, tone=theme.WARN, icon="triangle-alert"),
                rx.cond(
                    may_manage,
                    kit.button(
                        "Connect again",
                        variant="soft",
                        on_click=_at_google(account.services, account.id),
                    ),
                ),
                direction="column",
                align="start",
                gap=theme.S3,
                margin_top=theme.S3,
            ),
        ),
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS,
        padding=theme.S4,
    )


def _menu(account: ConnectionLine) -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=18),
                variant="ghost",
                color_scheme="gray",
                margin="0",
                aria_label="More about " + account.email,
            )
        ),
        rx.dropdown_menu.content(
            rx.cond(
                ~account.has_drive,
                rx.dropdown_menu.item(
                    "Allow Google Drive too", on_select=_at_google("drive", account.id)
                ),
            ),
            rx.cond(
                ~account.has_sheets,
                rx.dropdown_menu.item(
                    "Allow Google Sheets too", on_select=_at_google("sheets", account.id)
                ),
            ),
            rx.dropdown_menu.item(
                "Disconnect", color="red", on_select=Connections.ask_to_disconnect(account.id)
            ),
        ),
    )


def _at_google(services: Any, connection_id: Any) -> Any:
    """Opens Google's page in a window of its own, which says at its end how it went."""
    parts = ("window.aerosticConnections.google('", SignedIn.here, "','", services, "','")
    script = EMPTY
    for part in (*parts, connection_id, "')"):
        script = script + part
    return rx.call_script(script)


def _choose_dialog() -> rx.Component:
    return kit.dialog(
        "Connect a Google account",
        rx.flex(
            _service(
                "drive", "Google Drive", "Find, read, upload and share the files of the account."
            ),
            _service("sheets", "Google Sheets", "Read and write the account's spreadsheets."),
            direction="column",
            gap=theme.S4,
        ),
        kit.dialog_actions(
            kit.button("Cancel", variant="soft", color_scheme="gray", on_click=Connections.close),
            kit.button(
                "Continue to Google",
                icon="external-link",
                disabled=Connections.asked.length() == 0,
                on_click=_at_google(Connections.asked.join(","), ""),
            ),
        ),
        note="Ask only for what your workflows need. More can be allowed later.",
        is_open=Connections.is_choosing,
        on_close=Connections.close,
    )


def _service(name: str, title: str, note: str) -> rx.Component:
    return rx.el.label(
        rx.checkbox(
            checked=Connections.asked.contains(name),
            on_change=lambda wanted: Connections.ask_for(name, wanted),
            size="3",
            margin_top="2px",
        ),
        rx.box(kit.text(title, weight="medium"), kit.muted(note, size="1")),
        display="flex",
        gap=theme.S3,
        align_items="start",
        cursor="pointer",
    )

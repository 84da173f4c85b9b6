"""The frame around every signed-in page: where one is, where one can go, who one is."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.session import SignedIn, WorkspaceChoice


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the workspace in the navigation, for the roles that may open it.

    `is_daily`: it stands in the bottom bar of a phone; the others are behind “More” there.
    """

    key: str
    label: str
    icon: str
    permission: Permission
    words: str = ""
    is_daily: bool = False


WORKSPACE_PAGES = (
    Entry(
        "inbox",
        "Inbox",
        "message-circle",
        Permission.INBOX_READ,
        "conversations messages chat",
        is_daily=True,
    ),
    Entry(
        "contacts",
        "Contacts",
        "contact",
        Permission.CONTACTS_READ,
        "people customers import",
        is_daily=True,
    ),
    Entry(
        "campaigns",
        "Campaigns",
        "megaphone",
        Permission.CAMPAIGNS_READ,
        "broadcasts audiences segments lists send many newsletter",
        is_daily=True,
    ),
    Entry(
        "automation",
        "Automation",
        "workflow",
        Permission.AUTOMATION_READ,
        "workflows bots triggers builder runs executions",
        is_daily=True,
    ),
    Entry("ai", "AI", "bot", Permission.AI_READ, "agents gemini assistant bots answers"),
    Entry("knowledge", "Knowledge", "library", Permission.AI_READ, "documents files web pages"),
    Entry(
        "analytics",
        "Analytics",
        "chart-column",
        Permission.ANALYTICS_READ,
        "figures reports response times statistics export",
    ),
    Entry(
        "templates",
        "Templates",
        "file-text",
        Permission.TEMPLATES_MANAGE,
        "message templates approval meta builder",
    ),
    Entry(
        "billing",
        "Billing",
        "wallet",
        Permission.BILLING_READ,
        "money wallet balance ledger statement invoice credit top up",
    ),
    Entry("team", "Team", "users", Permission.TEAM_READ, "members invitations roles"),
    Entry(
        "settings",
        "Settings",
        "settings-2",
        Permission.WORKSPACE_READ,
        "numbers labels profile password",
    ),
)


DELIVERIES = ("Deliveries", "package-check", "/admin/deliveries")


def shell(*children: Any, title: Any, active: str = "", fills: bool = False) -> rx.Component:
    """A signed-in page. `fills=True`: the page manages its own scrolling, as the inbox does.

    `active` is the key of the page in the navigation.
    """
    return rx.box(
        _skip_link(),
        rx.flex(
            _navigation(active),
            rx.flex(
                _top_bar(title),
                connection_banner(),
                _main(*children, fills=fills),
                direction="column",
                flex="1",
                min_width="0",
                height="100dvh",
            ),
            height="100dvh",
            width="100%",
        ),
        _bottom_bar(active),
        palette(),
        custom_attrs={"data-signed-in": "true"},
        background=theme.PAGE,
        height="100dvh",
        overflow="hidden",
    )


def _main(*children: Any, fills: bool) -> rx.Component:
    space = {} if fills else {"padding": [theme.S4, theme.S4, theme.S5, theme.S6]}
    inside = rx.box(
        *children,
        width="100%",
        height="100%" if fills else "auto",
        max_width="none" if fills else theme.MAX_WIDTH,
    )
    return rx.el.main(
        inside,
        id="main",
        tab_index=-1,
        flex="1",
        min_height="0",
        overflow_y="hidden" if fills else "auto",
        outline="none",
        margin_bottom=[theme.BAR_HEIGHT, theme.BAR_HEIGHT, theme.BAR_HEIGHT, "0"],
        **space,
    )


def _skip_link() -> rx.Component:
    return rx.el.a(
        "Skip to the page",
        href="#main",
        position="absolute",
        left="-999px",
        _focus={
            "left": "8px",
            "top": "8px",
            "z_index": "50",
            "background": theme.SURFACE,
            "padding": theme.S2,
        },
    )


def mark(size: int = 26) -> rx.Component:
    """The product's sign: a paper plane in a rounded square."""
    return rx.center(
        rx.icon("send-horizontal", size=round(size * 0.56), color="white"),
        width=f"{size}px",
        height=f"{size}px",
        border_radius=f"{round(size * 0.3)}px",
        background=f"linear-gradient(140deg, #16a37a, {theme.ACCENT_SOLID})",
        flex_shrink="0",
        aria_hidden="true",
    )


def wordmark() -> rx.Component:
    return rx.hstack(
        mark(),
        rx.text("Aerostic", weight="bold", size="4", letter_spacing="-0.02em"),
        align="center",
        gap="9px",
    )


# Navigation


def _navigation(active: str) -> rx.Component:
    return rx.flex(
        rx.box(
            rx.el.a(wordmark(), href="/dashboard", class_name="plain"),
            padding=f"2px {theme.S2} {theme.S3}",
        ),
        rx.cond(SignedIn.here != "", _workspace_switcher()),
        rx.el.nav(
            rx.flex(
                rx.cond(
                    SignedIn.here != "",
                    rx.fragment(*(_nav_entry(e, active) for e in WORKSPACE_PAGES)),
                ),
                rx.cond(
                    SignedIn.has_simulator,
                    _nav_link("Simulator", "smartphone", "/simulator", active == "simulator"),
                ),
                rx.cond(SignedIn.is_staff, _staff_links(active)),
                direction="column",
                gap="2px",
            ),
            aria_label="Main",
        ),
        rx.spacer(),
        _palette_opener(),
        _person_menu(),
        class_name="frame-navigation",
        direction="column",
        gap=theme.S3,
        display=theme.ONLY_WIDE,
        width=theme.NAV_WIDTH,
        flex_shrink="0",
        height="100dvh",
        padding=theme.S3,
        background=theme.SUNKEN,
        border_right=f"1px solid {theme.LINE}",
        overflow_y="auto",
    )


def _staff_links(active: str) -> rx.Component:
    return rx.fragment(
        rx.text(
            "Platform",
            size="1",
            color=theme.MUTED,
            weight="medium",
            padding=f"{theme.S4} {theme.S3} {theme.S1}",
        ),
        _nav_link(*DELIVERIES, active == "deliveries"),
    )


def _nav_entry(entry: Entry, active: str) -> rx.Component:
    link = _nav_link(entry.label, entry.icon, _path(entry.key), entry.key == active)
    return rx.cond(SignedIn.may.contains(str(entry.permission)), link)


def _path(key: str) -> rx.Var[str]:
    return rx.Var.create(f"/dashboard/{SignedIn.here}/{key}")


def _nav_link(label: str, icon: str, href: Any, is_active: bool) -> rx.Component:
    return rx.link(
        rx.icon(icon, size=18),
        rx.text(label, size="2", weight="medium" if is_active else "regular", as_="span"),
        href=href,
        underline="none",
        class_name="nav-entry",
        aria_current="page" if is_active else "false",
        display="flex",
        align_items="center",
        gap="10px",
        padding="8px 10px",
        border_radius=theme.RADIUS_SMALL,
        color=theme.ACCENT_INK if is_active else theme.INK,
        background=theme.SELECTED if is_active else "transparent",
        _hover={"background": theme.SELECTED if is_active else theme.HOVER},
        **theme.FOCUS,
    )


def _workspace_switcher() -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.el.button(
                kit.avatar(SignedIn.workspace_name, size="1"),
                rx.text(
                    SignedIn.workspace_name,
                    size="2",
                    weight="medium",
                    truncate=True,
                    flex="1",
                    text_align="left",
                ),
                rx.icon("chevrons-up-down", size=14, color=theme.MUTED),
                type="button",
                aria_label="Switch workspace",
                display="flex",
                align_items="center",
                gap="9px",
                width="100%",
                min_width="0",
                padding="8px 10px",
                border=f"1px solid {theme.LINE}",
                border_radius=theme.RADIUS_SMALL,
                background=theme.SURFACE,
                cursor="pointer",
                **theme.FOCUS,
            )
        ),
        rx.dropdown_menu.content(
            _menu_label("Your workspaces"),
            rx.foreach(SignedIn.workspaces, _workspace_choice),
            width="220px",
        ),
    )


def _menu_label(words: Any) -> rx.Component:
    return rx.text(words, size="1", color=theme.MUTED, padding=f"4px {theme.S3} 6px", truncate=True)


def _workspace_choice(place: WorkspaceChoice) -> rx.Component:
    return rx.dropdown_menu.item(
        rx.text(place.name, truncate=True),
        rx.spacer(),
        rx.cond(place.id == SignedIn.here, rx.icon("check", size=14)),
        on_select=rx.call_function(f"() => window.location.assign('/dashboard/' + {place.id!s})"),
    )


def _person_menu(compact: bool = False) -> rx.Component:
    face = rx.el.button(
        kit.avatar(SignedIn.name, size="2"),
        rx.fragment()
        if compact
        else rx.box(
            rx.text(SignedIn.name, size="2", weight="medium", truncate=True),
            rx.text(SignedIn.role, size="1", color=theme.MUTED, text_transform="capitalize"),
            min_width="0",
            text_align="left",
            line_height="1.25",
        ),
        type="button",
        aria_label="Your account",
        display="flex",
        align_items="center",
        gap="10px",
        width="auto" if compact else "100%",
        padding="0" if compact else "7px 8px",
        border_radius=theme.RADIUS_SMALL,
        background="transparent",
        cursor="pointer",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(face),
        rx.dropdown_menu.content(
            _menu_label(SignedIn.email),
            rx.cond(
                SignedIn.here != "",
                rx.dropdown_menu.item(
                    rx.icon("user-round", size=15),
                    "Your profile",
                    on_select=rx.redirect(_path("settings").to(str) + "?tab=profile"),
                ),
            ),
            rx.dropdown_menu.item(
                rx.color_mode_cond(rx.icon("moon", size=15), rx.icon("sun", size=15)),
                rx.color_mode_cond("Dark appearance", "Light appearance"),
                on_select=rx.toggle_color_mode,
            ),
            rx.dropdown_menu.separator(),
            rx.dropdown_menu.item(
                rx.icon("log-out", size=15), "Sign out", on_select=SignedIn.sign_out
            ),
            width="230px",
        ),
    )


def _top_bar(title: Any) -> rx.Component:
    """On wide screens the title; on narrow ones also the way to oneself."""
    return rx.flex(
        rx.heading(title, as_="h1", size="4", weight="bold", truncate=True),
        rx.flex(
            kit.icon_button(
                "search",
                "Search pages",
                on_click=rx.call_script("document.getElementById('open-palette').click()"),
            ),
            _person_menu(compact=True),
            display=theme.ONLY_NARROW,
            align="center",
            gap=theme.S2,
        ),
        justify="between",
        align="center",
        height=theme.BAR_HEIGHT,
        flex_shrink="0",
        padding_x=[theme.S4, theme.S4, theme.S5, theme.S6],
        border_bottom=f"1px solid {theme.LINE}",
        background=theme.SURFACE,
    )


def _bottom_bar(active: str) -> rx.Component:
    return rx.el.nav(
        rx.cond(
            SignedIn.here != "",
            rx.fragment(
                *(_bottom_entry(e, active) for e in WORKSPACE_PAGES if e.is_daily),
                _more([e for e in WORKSPACE_PAGES if not e.is_daily], active),
            ),
            rx.fragment(
                _bottom_link("Workspaces", "layout-grid", "/dashboard", active == ""),
                rx.cond(SignedIn.is_staff, _bottom_link(*DELIVERIES, active == "deliveries")),
            ),
        ),
        aria_label="Main, bottom",
        display=theme.ONLY_NARROW,
        justify_content="space-around",
        position="fixed",
        bottom="0",
        left="0",
        right="0",
        height=theme.BAR_HEIGHT,
        background=theme.SURFACE,
        border_top=f"1px solid {theme.LINE}",
        z_index="10",
    )


def _bottom_entry(entry: Entry, active: str) -> rx.Component:
    link = _bottom_link(entry.label, entry.icon, _path(entry.key), entry.key == active)
    return rx.cond(SignedIn.may.contains(str(entry.permission)), link)


def _bottom_link(label: str, icon: str, href: Any, is_active: bool) -> rx.Component:
    return rx.link(
        rx.icon(icon, size=20),
        rx.text(label, size="1", as_="span"),
        href=href,
        underline="none",
        aria_current="page" if is_active else "false",
        **_bottom_place(is_active),
    )


def _bottom_place(is_active: bool) -> dict[str, Any]:
    return {
        "display": "flex",
        "flex_direction": "column",
        "align_items": "center",
        "justify_content": "center",
        "gap": "2px",
        "flex": "1",
        "color": theme.ACCENT_INK if is_active else theme.MUTED,
        **theme.FOCUS,
    }


def _more(entries: list[Entry], active: str) -> rx.Component:
    """The pages that are not opened every day, in a menu above the bar."""
    opener = rx.el.button(
        rx.icon("ellipsis", size=20),
        rx.text("More", size="1", as_="span"),
        type="button",
        background="transparent",
        **_bottom_place(any(e.key == active for e in entries)),
    )
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(opener),
        rx.dropdown_menu.content(
            *(
                rx.cond(SignedIn.may.contains(str(e.permission)), _more_entry(e, e.key == active))
                for e in entries
            ),
            side="top",
            min_width="200px",
        ),
    )


def _more_entry(entry: Entry, is_active: bool) -> rx.Component:
    return rx.dropdown_menu.item(
        rx.icon(entry.icon, size=17),
        entry.label,
        on_select=rx.redirect(_path(entry.key).to(str)),
        color=theme.ACCENT_INK if is_active else theme.INK,
        height="40px",
        font_size="15px",
    )


# The connection


def connection_banner() -> rx.Component:
    """Told at once, and gone by itself: what is on the screen may be old."""
    return rx.cond(
        has_connection_errors,
        rx.flex(
            rx.icon("wifi-off", size=16),
            rx.text("The connection was lost. Reconnecting…", size="2", weight="medium"),
            role="status",
            align="center",
            justify="center",
            gap=theme.S2,
            padding="7px",
            background="var(--amber-4)",
            color="var(--amber-12)",
            flex_shrink="0",
        ),
    )


# The command palette


def _palette_opener() -> rx.Component:
    return rx.el.button(
        rx.icon("search", size=16),
        rx.text("Go to…", size="2", flex="1", text_align="left"),
        kit.key("Ctrl K"),
        type="button",
        on_click=rx.call_script("document.getElementById('open-palette').click()"),
        display="flex",
        align_items="center",
        gap="10px",
        width="100%",
        padding="8px 10px",
        border_radius=theme.RADIUS_SMALL,
        color=theme.MUTED,
        background="transparent",
        cursor="pointer",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def palette() -> rx.Component:
    """Ctrl-K or ⌘K: every page that one may open, and every workspace."""
    return rx.dialog.root(
        rx.dialog.trigger(
            rx.el.button(
                "Open the command palette",
                id="open-palette",
                type="button",
                tab_index=-1,
                aria_hidden="true",
            ),
            style={"position": "fixed", "left": "-9999px"},
        ),
        rx.dialog.content(
            rx.dialog.title("Go to", class_name="sr-only"),
            rx.dialog.description(
                "Type to find a page, arrows to choose, Enter to open.", class_name="sr-only"
            ),
            rx.flex(
                rx.icon("search", size=18, color=theme.MUTED),
                rx.el.input(
                    id="palette-input",
                    placeholder="Where to?",
                    aria_label="Find a page",
                    auto_focus=True,
                    auto_complete="off",
                    flex="1",
                    background="transparent",
                    outline="none",
                    border="0",
                    font_size="16px",
                    color=theme.INK,
                ),
                kit.key("Esc"),
                align="center",
                gap=theme.S3,
                padding=f"{theme.S3} {theme.S4}",
                border_bottom=f"1px solid {theme.LINE}",
            ),
            rx.box(
                _commands(),
                rx.box(
                    kit.muted("No page of that name."),
                    id="no-command",
                    hidden=True,
                    padding=theme.S4,
                ),
                padding=theme.S2,
                max_height="320px",
                overflow_y="auto",
            ),
            padding="0",
            max_width="520px",
            border_radius=theme.RADIUS,
            on_open_auto_focus=rx.call_script("setTimeout(window.aerostic.paletteOpened, 0)"),
        ),
    )


def _commands() -> rx.Component:
    return rx.fragment(
        rx.cond(
            SignedIn.here != "",
            rx.fragment(
                *(
                    rx.cond(
                        SignedIn.may.contains(str(e.permission)),
                        _command(e.label, e.icon, _path(e.key), e.words),
                    )
                    for e in WORKSPACE_PAGES
                )
            ),
        ),
        rx.cond(
            SignedIn.has_simulator,
            _command("Simulator", "smartphone", "/simulator", "phone whatsapp test"),
        ),
        rx.cond(
            SignedIn.is_staff,
            _command("Deliveries", "package-check", "/admin/deliveries", "webhooks log replay"),
        ),
        rx.foreach(
            SignedIn.workspaces,
            lambda place: _command(
                "Workspace: " + place.name, "building-2", "/dashboard/" + place.id, ""
            ),
        ),
    )


def _command(label: Any, icon: str, href: Any, words: str) -> rx.Component:
    return rx.el.a(
        rx.icon(icon, size=17, color=theme.MUTED),
        rx.text(label, size="2", as_="span"),
        rx.text(words, as_="span", class_name="sr-only"),
        href=href,
        class_name="command plain",
        display="flex",
        align_items="center",
        gap=theme.S3,
        padding="9px 10px",
        border_radius=theme.RADIUS_SMALL,
        _hover={"background": theme.HOVER},
    )

"""The settings of a workspace, and of oneself."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.settings.connections import connections
from aerostic.components.settings.consent import consent
from aerostic.components.settings.lists import labels, replies
from aerostic.components.settings.numbers import numbers
from aerostic.components.settings.profile import profile
from aerostic.components.settings.secrets import secrets
from aerostic.components.settings.webhooks import webhooks
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.connections import Connections
from aerostic.state.consent_rules import ConsentRules
from aerostic.state.lists import Labels, Replies
from aerostic.state.numbers import Numbers
from aerostic.state.profile import Profile, SecondFactor, Sessions
from aerostic.state.secrets import Secrets
from aerostic.state.session import SignedIn
from aerostic.state.settings import Settings
from aerostic.state.webhooks import Webhooks

TABS = (
    ("numbers", "Numbers", numbers),
    ("workspace", "Workspace", lambda: _workspace()),
    ("labels", "Labels", labels),
    ("replies", "Ready answers", replies),
    ("consent", "Consent", consent),
    ("secrets", "Secrets", secrets),
    ("connections", "Connections", connections),
    ("webhooks", "Webhooks", webhooks),
    ("profile", "Your profile", profile),
)


@rx.page(
    route="/dashboard/[workspace_id]/settings",
    title="Settings · Aerostic",
    on_load=[
        SignedIn.enter,
        Settings.load,
        Numbers.load,
        Labels.load,
        Replies.load,
        ConsentRules.load,
        Secrets.load,
        Connections.load,
        Webhooks.load,
        Profile.load,
        SecondFactor.load,
        Sessions.load,
    ],
)
def settings() -> rx.Component:
    return shell(
        rx.tabs.root(
            rx.tabs.list(
                *(_trigger(key, words) for key, words, _ in TABS),
                flex_wrap="wrap",
            ),
            *(rx.tabs.content(part(), value=key, padding_top=theme.S5) for key, _, part in TABS),
            value=Settings.tab,
            on_change=Settings.open_tab,
        ),
        title="Settings",
        active="settings",
    )


# Parts that not everybody may see.
BEHIND = {
    "secrets": Permission.CONNECTIONS_READ,
    "connections": Permission.CONNECTIONS_READ,
    "webhooks": Permission.WEBHOOKS_MANAGE,
}


def _trigger(key: str, words: str) -> rx.Component:
    trigger = rx.tabs.trigger(words, value=key, white_space="nowrap")
    if key not in BEHIND:
        return trigger
    return rx.cond(SignedIn.may.contains(str(BEHIND[key])), trigger)


def _workspace() -> rx.Component:
    errors = Settings.errors
    may_manage = SignedIn.may.contains(str(Permission.WORKSPACE_MANAGE))
    return kit.section(
        "Workspace",
        "What it is called, and where it is.",
        rx.form(
            rx.flex(
                kit.field(
                    "Name",
                    "name",
                    error=errors["name"],
                    default_value=Settings.name,
                    key=Settings.name,
                    read_only=~may_manage,
                ),
                kit.field(
                    "Time zone",
                    "time_zone",
                    error=errors["time_zone"],
                    default_value=Settings.time_zone,
                    key=Settings.time_zone,
                    hint="For example Europe/Berlin.",
                    read_only=~may_manage,
                    id="workspace-zone",
                ),
                kit.field(
                    "Country",
                    "default_country",
                    error=errors["default_country"],
                    default_value=Settings.default_country,
                    key=Settings.default_country,
                    hint="Two letters. Numbers written without a country code are taken to be of here.",
                    read_only=~may_manage,
                ),
                kit.refusal(Settings.problem),
                rx.cond(
                    may_manage,
                    rx.box(kit.button("Save", type="submit", loading=Settings.is_busy)),
                    kit.muted("An owner can change these."),
                ),
                direction="column",
                gap=theme.S4,
                max_width="420px",
            ),
            on_submit=Settings.save,
            reset_on_submit=False,
        ),
    )

"""Secrets that workflows use: named, replaced, never shown."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.settings.lists import row_actions, save_or_cancel
from aerostic.core.permissions import Permission
from aerostic.state.secrets import SecretLine, Secrets
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.CONNECTIONS_MANAGE))


def secrets() -> rx.Component:
    return rx.fragment(
        kit.section(
            "Secrets",
            "Keys and passwords for the services that your workflows call. Nobody can read them again.",
            kit.table(
                ["Name", "May be sent to", "Last used", "Changed", ""],
                Secrets.secrets,
                _row,
                is_loading=Secrets.is_loading,
                when_empty=kit.empty(
                    "key-round",
                    "No secrets yet",
                    "Keep the key of your shop or your booking system here, and choose it in an HTTP step.",
                ),
            ),
            actions=[
                rx.cond(
                    may_manage, kit.button("New secret", icon="plus", on_click=Secrets.edit(""))
                )
            ],
        ),
        _dialog(),
        kit.confirm(
            "Delete the secret “" + Secrets.deleting.name + "”?",
            "Steps that use it fail from now on. It can not be brought back.",
            is_open=Secrets.deleting.id != "",
            act="Delete",
            on_confirm=Secrets.delete,
            on_cancel=Secrets.close,
        ),
    )


def _row(secret: SecretLine) -> list[rx.Component]:
    return [
        kit.text(secret.name, weight="medium"),
        rx.cond(secret.hosts != "", kit.code(secret.hosts), kit.muted("Anywhere")),
        rx.cond(secret.used_at != "", kit.when(secret.used_at), kit.muted("Not yet")),
        kit.when(secret.changed_at),
        row_actions(
            may_manage, secret.name, Secrets.edit(secret.id), Secrets.ask_to_delete(secret.id)
        ),
    ]


def _dialog() -> rx.Component:
    is_there = Secrets.editing.id != ""
    return kit.dialog(
        rx.cond(is_there, "Change the secret", "New secret"),
        rx.form(
            rx.flex(
                _name(),
                kit.field(
                    "Secret",
                    "value",
                    kind="password",
                    error=Secrets.errors["value"],
                    hint="A key, a token or a password. For a secret that is there: empty keeps it.",
                    auto_complete="new-password",
                    max_length=8000,
                ),
                kit.field(
                    "May be sent to",
                    "hosts",
                    error=Secrets.errors["hosts"],
                    default_value=Secrets.editing.hosts,
                    key=Secrets.editing.id,
                    placeholder="api.example.com",
                    hint="With spaces between several; *.example.com is allowed. Empty: anywhere.",
                ),
                kit.refusal(Secrets.problem),
                direction="column",
                gap=theme.S4,
            ),
            save_or_cancel(Secrets),
            on_submit=Secrets.save,
            reset_on_submit=False,
        ),
        is_open=Secrets.is_editing,
        on_close=Secrets.close,
        note="It is kept encrypted, and only workflows use it.",
    )


def _name() -> Any:
    return kit.field(
        "Name",
        "name",
        error=Secrets.errors["name"],
        default_value=Secrets.editing.name,
        key=Secrets.editing.id,
        required=True,
        placeholder="Shop API key",
        max_length=60,
    )

"""One's own account."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.state.profile import Password, Profile, SecondFactor, Sessions, SignedInAt


def profile() -> rx.Component:
    return rx.flex(
        _name(), _password(), second_factor(), _sessions(), direction="column", gap=theme.S5
    )


def _name() -> rx.Component:
    return kit.section(
        "You",
        Profile.email,
        _form(
            kit.field(
                "Name",
                "name",
                error=Profile.errors["name"],
                default_value=Profile.name,
                key=Profile.name,
            ),
            state=Profile,
            on_submit=Profile.rename,
            submit="Save",
        ),
    )


def _password() -> rx.Component:
    return kit.section(
        "Password",
        "Changing it signs you out everywhere else.",
        _form(
            kit.field(
                "Current password",
                "current",
                kind="password",
                error=Password.errors["current"],
                auto_complete="current-password",
                required=True,
            ),
            kit.field(
                "New password",
                "password",
                kind="password",
                error=Password.errors["password"],
                auto_complete="new-password",
                required=True,
                hint="At least ten characters.",
            ),
            state=Password,
            on_submit=Password.change,
            submit="Change the password",
            key=Password.changes.to_string(),
        ),
    )


def _form(*fields: Any, state: Any, on_submit: Any, submit: str, **props: Any) -> rx.Component:
    return rx.form(
        rx.flex(
            *fields,
            rx.cond(
                state.problem != "", kit.note(state.problem, tone=theme.BAD, icon="circle-alert")
            ),
            rx.box(kit.button(submit, type="submit", loading=state.is_busy)),
            direction="column",
            gap=theme.S4,
            max_width="420px",
        ),
        on_submit=on_submit,
        reset_on_submit=False,
        **props,
    )


# The second factor


def second_factor() -> rx.Component:
    return kit.section(
        "Second factor",
        "A code of your phone besides the password: a stolen password alone opens nothing.",
        rx.match(
            SecondFactor.step,
            ("password", _ask_password()),
            ("scan", _scan()),
            ("codes", _codes()),
            ("stop", _ask_to_stop()),
            _second_factor_state(),
        ),
    )


def _second_factor_state() -> rx.Component:
    return rx.cond(
        SecondFactor.is_on,
        rx.flex(
            kit.badge("On", theme.GOOD, "shield-check"),
            kit.muted(SecondFactor.codes_left.to_string(), " recovery codes left"),
            rx.spacer(),
            kit.button(
                "Turn off", variant="soft", color_scheme="red", on_click=SecondFactor.begin_stopping
            ),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
        rx.box(
            kit.button(
                "Set up an authenticator app", icon="smartphone", on_click=SecondFactor.begin
            )
        ),
    )


def _ask_password() -> rx.Component:
    return _form(
        kit.field(
            "Your password",
            "password",
            id="second-factor-password",
            kind="password",
            error=SecondFactor.errors["password"],
            auto_complete="current-password",
            required=True,
            auto_focus=True,
        ),
        state=SecondFactor,
        on_submit=SecondFactor.show_secret,
        submit="Continue",
    )


def _scan() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.html(SecondFactor.picture),
            background="white",
            padding=theme.S2,
            border_radius=theme.RADIUS,
            border=f"1px solid {theme.LINE}",
            flex_shrink="0",
            role="img",
            aria_label="QR code with the secret that is written beside it",
        ),
        rx.flex(
            kit.text("1. Scan this with your authenticator app, or type the secret into it:"),
            kit.code(SecondFactor.secret),
            kit.text("2. Type the six digits that it shows."),
            _form(
                kit.field(
                    "Code",
                    "code",
                    id="second-factor-code",
                    error=SecondFactor.errors["code"],
                    auto_complete="one-time-code",
                    input_mode="numeric",
                    placeholder="123456",
                    required=True,
                    max_length=12,
                ),
                state=SecondFactor,
                on_submit=SecondFactor.confirm,
                submit="Turn it on",
            ),
            direction="column",
            gap=theme.S3,
            min_width="0",
        ),
        gap=theme.S5,
        wrap="wrap",
    )


def _codes() -> rx.Component:
    return rx.flex(
        kit.note(
            "The second factor is on. Keep these codes somewhere safe: each signs you in once if you "
            "lose your phone. They are not shown again.",
            tone=theme.GOOD,
            icon="shield-check",
        ),
        rx.grid(
            rx.foreach(SecondFactor.recovery_codes, kit.code),
            columns=rx.breakpoints(initial="2", sm="3", md="5"),
            gap=theme.S2,
        ),
        rx.flex(
            kit.button(
                "Download", icon="download", variant="soft", on_click=SecondFactor.download_codes
            ),
            kit.button("I have kept them", on_click=SecondFactor.close),
            gap=theme.S3,
        ),
        direction="column",
        gap=theme.S4,
    )


def _ask_to_stop() -> rx.Component:
    return _form(
        kit.field(
            "Your password",
            "password",
            id="second-factor-password",
            kind="password",
            error=SecondFactor.errors["password"],
            auto_complete="current-password",
            required=True,
        ),
        kit.field(
            "Code of your app, or a recovery code",
            "code",
            id="second-factor-code",
            error=SecondFactor.errors["code"],
            required=True,
            auto_complete="one-time-code",
        ),
        state=SecondFactor,
        on_submit=SecondFactor.stop,
        submit="Turn the second factor off",
    )


# Where one is signed in


def _sessions() -> rx.Component:
    return kit.section(
        "Where you are signed in",
        "Sign out anywhere that you do not know, and change your password.",
        kit.table(
            ["Browser or program", "Address", "Last seen", ""],
            Sessions.sessions,
            _session_row,
            is_loading=Sessions.is_loading,
        ),
        actions=[
            kit.button(
                "Sign out everywhere else",
                variant="soft",
                color_scheme="gray",
                on_click=Sessions.revoke_others,
            )
        ],
    )


def _session_row(session: SignedInAt) -> list[rx.Component]:
    return [
        kit.text(session.what, weight="medium", white_space="nowrap"),
        kit.muted(session.ip),
        kit.muted(kit.when(session.last_seen_at), white_space="nowrap"),
        rx.cond(
            session.is_current,
            kit.badge("This one", theme.GOOD),
            kit.button(
                "Sign out",
                variant="ghost",
                color_scheme="red",
                size="1",
                margin="0",
                on_click=Sessions.revoke(session.id),
            ),
        ),
    ]

"""The pages of whoever is not signed in yet: sign in, register, forgotten password."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.entrance import aside, code_field, entrance, form, link
from aerostic.state.auth import PasswordReset, Registration, SignIn


@rx.page(route="/login", title="Sign in · Aerostic", on_load=SignIn.open)
def login() -> rx.Component:
    return entrance(
        "Welcome back",
        "Sign in to answer your customers.",
        form(
            _email_field(SignIn.errors["email"]),
            _password_field("Password", auto_complete="current-password"),
            rx.cond(SignIn.asks_code, _second_factor_field(), _reveal_second_factor()),
            on_submit=SignIn.submit,
            problem=SignIn.problem,
            submit="Sign in",
            is_busy=SignIn.is_busy,
        ),
        aside(link("Forgot your password?", "/forgot-password")),
        aside("New here? ", link("Create a workspace", "/register")),
    )


def _email_field(error: rx.Var[str]) -> rx.Component:
    return kit.field(
        "E-mail", "email", kind="email", error=error, auto_complete="username", required=True,
        placeholder="you@company.com",
    )  # fmt: skip


def _password_field(label: str, *, error: rx.Var[str] | str = "", auto_complete: str, hint: str = "") -> rx.Component:
    return kit.field(
        label, "password", kind="password", error=error, hint=hint, auto_complete=auto_complete,
        required=True,
    )  # fmt: skip


def _second_factor_field() -> rx.Component:
    return kit.field(
        "Code of your authenticator app",
        "code",
        hint="Leave it empty if you have not set one up. A recovery code works too.",
        auto_complete="one-time-code",
        placeholder="123456",
    )


def _reveal_second_factor() -> rx.Component:
    return rx.box(
        rx.el.button(
            "I use an authenticator app",
            type="button",
            on_click=SignIn.ask_code,
            color=theme.ACCENT_INK,
            font_size="var(--font-size-2)",
            text_decoration="underline",
            background="transparent",
            cursor="pointer",
            **theme.FOCUS,
        )
    )


@rx.page(route="/register", title="Create a workspace · Aerostic", on_load=Registration.open)
def register() -> rx.Component:
    return rx.cond(Registration.is_sent, _confirm_registration(), _register())


def _register() -> rx.Component:
    errors = Registration.errors
    return entrance(
        "Create your workspace",
        "Your own, with you as its owner. You can invite others later.",
        form(
            kit.field("Your name", "name", error=errors["name"], auto_complete="name", required=True),
            kit.field(
                "Name of the workspace", "workspace", error=errors["workspace"], required=True,
                auto_complete="organization", placeholder="Bluebird Café",
            ),
            _email_field(errors["email"]),
            _password_field(
                "Password", error=errors["password"], auto_complete="new-password",
                hint="At least ten characters. A short sentence is easy to keep.",
            ),
            on_submit=Registration.submit,
            problem=Registration.problem,
            submit="Send me a code",
            is_busy=Registration.is_busy,
        ),
        aside("Have an account? ", link("Sign in", "/login")),
    )  # fmt: skip


def _confirm_registration() -> rx.Component:
    return entrance(
        "Look into your mail",
        rx.fragment(
            "We sent a code to ", rx.text.strong(Registration.email), ". It works for 15 minutes."
        ),
        form(
            code_field(Registration.errors["code"]),
            on_submit=Registration.confirm,
            problem=Registration.problem,
            submit="Create the workspace",
            is_busy=Registration.is_busy,
        ),
        aside(
            "No mail, or the wrong address? ",
            rx.el.button(
                "Begin again",
                type="button",
                on_click=Registration.begin_again,
                color=theme.ACCENT_INK,
                text_decoration="underline",
                cursor="pointer",
            ),
        ),
    )


@rx.page(route="/forgot-password", title="Forgotten password · Aerostic", on_load=PasswordReset.open)
def forgot_password() -> rx.Component:
    return rx.match(
        PasswordReset.step, ("code", _new_password()), ("done", _password_is_new()), _ask_for_code()
    )


def _ask_for_code() -> rx.Component:
    return entrance(
        "Forgotten password",
        "Tell us your e-mail address, and we send you a code to set a new one.",
        form(
            _email_field(PasswordReset.errors["email"]),
            on_submit=PasswordReset.ask,
            problem=PasswordReset.problem,
            submit="Send me a code",
            is_busy=PasswordReset.is_busy,
        ),
        aside(link("Back to signing in", "/login")),
    )


def _new_password() -> rx.Component:
    return entrance(
        "Set a new password",
        rx.fragment(
            "If ", rx.text.strong(PasswordReset.email), " has an account, a code is on its way there."
        ),
        form(
            code_field(PasswordReset.errors["code"]),
            _password_field(
                "New password",
                error=PasswordReset.errors["password"],
                auto_complete="new-password",
                hint="You will be signed out everywhere.",
            ),
            on_submit=PasswordReset.submit,
            problem=PasswordReset.problem,
            submit="Set the password",
            is_busy=PasswordReset.is_busy,
        ),
        aside(link("Back to signing in", "/login")),
    )


def _password_is_new() -> rx.Component:
    return entrance(
        "Your password is set",
        "You were signed out everywhere. Sign in with the new one.",
        rx.link(kit.button("Sign in", size="3", width="100%"), href="/login", underline="none"),
    )

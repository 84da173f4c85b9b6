"""The pages of whoever is not signed in yet: sign in, register, forgotten password."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.entrance import aside, code_field, entrance, form, link
from aerostic.components.settings.profile import second_factor
from aerostic.state.auth import Invitation, PasswordReset, Registration, SignIn
from aerostic.state.profile import SecondFactor
from aerostic.state.session import SignedIn


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
        "E-mail",
        "email",
        kind="email",
        error=error,
        auto_complete="username",
        required=True,
        placeholder="you@company.com",
    )


def _password_field(
    label: str, *, error: rx.Var[str] | str = "", auto_complete: str, hint: str = ""
) -> rx.Component:
    return kit.field(
        label,
        "password",
        kind="password",
        error=error,
        hint=hint,
        auto_complete=auto_complete,
        required=True,
    )


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
            kit.field(
                "Your name", "name", error=errors["name"], auto_complete="name", required=True
            ),
            kit.field(
                "Name of the workspace",
                "workspace",
                error=errors["workspace"],
                required=True,
                auto_complete="organization",
                placeholder="Bluebird Café",
            ),
            _email_field(errors["email"]),
            _password_field(
                "Password",
                error=errors["password"],
                auto_complete="new-password",
                hint="At least ten characters. A short sentence is easy to keep.",
            ),
            on_submit=Registration.submit,
            problem=Registration.problem,
            submit="Send me a code",
            is_busy=Registration.is_busy,
        ),
        aside("Have an account? ", link("Sign in", "/login")),
    )


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


@rx.page(
    route="/forgot-password", title="Forgotten password · Aerostic", on_load=PasswordReset.open
)
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
            "If ",
            rx.text.strong(PasswordReset.email),
            " has an account, a code is on its way there.",
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


@rx.page(route="/accept-invite", title="Join a workspace · Aerostic", on_load=Invitation.open)
def accept_invite() -> rx.Component:
    return rx.cond(
        Invitation.is_gone,
        entrance(
            "This invitation is closed",
            Invitation.problem,
            rx.link(kit.button("Sign in", size="3", width="100%"), href="/login", underline="none"),
        ),
        entrance(
            rx.fragment("Join ", rx.cond(Invitation.is_known, Invitation.workspace, "…")),
            rx.fragment(
                "You were invited as ",
                Invitation.role,
                " with ",
                rx.text.strong(Invitation.email),
                ".",
            ),
            rx.cond(Invitation.is_known, _join_form(), kit.skeleton(height="44px")),
        ),
    )


def _join_form() -> rx.Component:
    return form(
        rx.cond(
            Invitation.signed_in_as != "",
            kit.note(rx.fragment("You are signed in as ", Invitation.signed_in_as, ".")),
            rx.cond(Invitation.has_account, _prove_account(), _make_account()),
        ),
        on_submit=Invitation.accept,
        problem=Invitation.problem,
        submit="Join the workspace",
        is_busy=Invitation.is_busy,
    )


def _prove_account() -> rx.Component:
    return rx.flex(
        _password_field("Your password", auto_complete="current-password"),
        _second_factor_field(),
        direction="column",
        gap=theme.S4,
    )


def _make_account() -> rx.Component:
    return rx.flex(
        kit.field(
            "Your name",
            "name",
            error=Invitation.errors["name"],
            auto_complete="name",
            required=True,
        ),
        _password_field(
            "Choose a password",
            error=Invitation.errors["password"],
            auto_complete="new-password",
            hint="At least ten characters. A short sentence is easy to keep.",
        ),
        direction="column",
        gap=theme.S4,
    )


@rx.page(
    route="/second-factor",
    title="Second factor · Aerostic",
    on_load=[SignedIn.enter_outside, SecondFactor.load],
)
def set_up_second_factor() -> rx.Component:
    """Where super admins land until they have one."""
    return entrance(
        "One more lock",
        "Your account can reach everything, so it needs a second factor before anything else.",
        second_factor(),
        rx.cond(
            SecondFactor.is_on & (SecondFactor.step == "idle"),
            rx.link(
                kit.button("Continue", size="3", width="100%", margin_top=theme.S4),
                href="/dashboard",
                underline="none",
            ),
        ),
        aside(
            rx.el.button(
                "Sign out",
                type="button",
                on_click=SignedIn.sign_out,
                color=theme.ACCENT_INK,
                text_decoration="underline",
                cursor="pointer",
            )
        ),
    )

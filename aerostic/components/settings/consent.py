"""The words by which people stop marketing, and whom campaigns leave alone."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.consent_rules import ConsentRules
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.INBOX_MANAGE))


def consent() -> rx.Component:
    return rx.form(
        rx.flex(
            kit.section(
                "Words of consent",
                "Who writes one of these, and nothing else, has decided. Capitals and accents do not matter.",
                _long("Words that stop", "stop_words", ConsentRules.stop_words, "6"),
                _long("The answer to that", "stop_answer", ConsentRules.stop_answer, "2"),
                _long("Words that give it back", "start_words", ConsentRules.start_words, "3"),
                _long("The answer to that", "start_answer", ConsentRules.start_answer, "2"),
                kit.muted("Words with commas between. An empty answer: nothing is answered."),
            ),
            kit.section(
                "Whom campaigns leave alone",
                "Beside whoever said no, is blocked or was erased.",
                rx.grid(
                    _figure(
                        "Campaigns to one person, at most",
                        "most_messages",
                        ConsentRules.most_messages,
                        "Marketing only. 0: no limit.",
                    ),
                    _figure("within so many days", "in_days", ConsentRules.in_days, "1 to 90."),
                    _figure(
                        "Failed deliveries in a row",
                        "undeliverable_after",
                        ConsentRules.undeliverable_after,
                        "After so many someone is left out, until they write. 0: never.",
                    ),
                    columns={"initial": "1", "sm": "3"},
                    gap=theme.S4,
                ),
            ),
            kit.refusal(ConsentRules.problem),
            rx.cond(
                may_manage,
                kit.dialog_actions(
                    kit.button(
                        "Use the words we begin with",
                        variant="soft",
                        color_scheme="gray",
                        type="button",
                        on_click=ConsentRules.use_ours,
                    ),
                    kit.button("Save", type="submit", loading=ConsentRules.is_busy),
                ),
            ),
            direction="column",
            gap=theme.S4,
        ),
        on_submit=ConsentRules.save,
        reset_on_submit=False,
        key=ConsentRules.version.to_string(),
    )


def _long(label: str, name: str, value: rx.Var[str], rows: str) -> rx.Component:
    ident = f"consent-{name}"
    control = rx.text_area(
        id=ident, name=name, default_value=value, rows=rows, width="100%", read_only=~may_manage
    )
    return kit.field(label, name, id=ident, control=control, error=ConsentRules.errors[name])


def _figure(label: str, name: str, value: Any, hint: str) -> rx.Component:
    return kit.field(
        label,
        name,
        id=f"consent-{name}",
        kind="number",
        default_value=value,
        hint=hint,
        error=ConsentRules.errors[name],
        read_only=~may_manage,
    )

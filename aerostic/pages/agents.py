"""AI agents."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.agents import AgentLine, Agents
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.AI_MANAGE))


def agent_path(agent_id: rx.Var[str] | str) -> rx.Var[str]:
    return "/dashboard/" + SignedIn.here + "/ai/" + agent_id


@rx.page(
    route="/dashboard/[workspace_id]/ai",
    title="AI agents · Aerostic",
    on_load=[SignedIn.enter, Agents.load],
)
def agents() -> rx.Component:
    return shell(
        rx.flex(_without_key(), _list(), direction="column", gap=theme.S4),
        _create_dialog(),
        title="AI agents",
        active="ai",
    )


def _without_key() -> rx.Component:
    return rx.cond(
        Agents.has_key,
        rx.fragment(),
        kit.note(
            "No Gemini key is set, so agents answer locally: word for word from their examples and "
            "documents, and they hand over where they are not sure. Your operator can set a key."
        ),
    )


def _list() -> rx.Component:
    create = rx.cond(may_manage, kit.button("New agent", icon="plus", on_click=Agents.begin))
    return kit.section(
        "Agents",
        "They answer in workflows, or whoever writes to a number in mode AI. What they used is of today.",
        kit.table(
            ["Agent", "Model", "Questions", "Tokens", "Cost", ""],
            Agents.agents,
            _row,
            is_loading=Agents.is_loading,
            when_empty=kit.empty(
                "bot",
                "No agents yet",
                "An agent answers customers from your documents and examples, and knows when to ask you.",
            ),
        ),
        actions=[create],
    )


def _row(agent: AgentLine) -> list[rx.Component]:
    return [
        rx.link(agent.name, href=agent_path(agent.id), weight="medium", color=theme.ACCENT_INK),
        kit.muted(agent.model, white_space="nowrap"),
        kit.text(agent.turns),
        kit.text(agent.tokens),
        kit.text(agent.cost),
        rx.cond(
            agent.is_answering, kit.badge("Answers", theme.GOOD, "message-circle"), rx.fragment()
        ),
    ]


def _create_dialog() -> rx.Component:
    return kit.dialog(
        "New agent",
        rx.form(
            rx.flex(
                kit.field(
                    "Name",
                    "name",
                    error=Agents.errors["name"],
                    required=True,
                    max_length=80,
                    placeholder="Robin",
                ),
                kit.field(
                    "Who it is",
                    "persona",
                    error=Agents.errors["persona"],
                    placeholder="Warm and brief, from the team of Bluebird Café.",
                    hint="How it should sound. You can change everything later.",
                ),
                kit.refusal(Agents.problem),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=Agents.close,
                ),
                kit.button("Make it", type="submit", loading=Agents.is_busy),
            ),
            on_submit=Agents.create,
            reset_on_submit=False,
        ),
        is_open=Agents.is_creating,
        on_close=Agents.close,
        note="It answers nobody before you let it.",
    )

"""One AI agent: its settings, its examples, a trial, and the log of its turns."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.pages.agents import may_manage
from aerostic.state.agent import AgentPage, BaseChoice, ExampleLine, TrialLine, TurnLine
from aerostic.state.agents import MODEL_WORDS
from aerostic.state.session import SignedIn

OUTCOME_COLOURS = rx.Var.create(
    {
        "answered": theme.GOOD,
        "called_tools": theme.INFO,
        "handed_over": theme.WARN,
        "failed": theme.BAD,
        "stopped": theme.BAD,
    }
)
TABS = (("agent", "Settings"), ("examples", "Examples"), ("trial", "Try it"), ("log", "Log"))
agent = AgentPage.agent


@rx.page(
    route="/dashboard/[workspace_id]/ai/[agent_id]",
    title="AI agent · Aerostic",
    on_load=[SignedIn.enter, AgentPage.load],
)
def agent_page() -> rx.Component:
    return shell(
        rx.link(
            "← All agents",
            href="/dashboard/" + SignedIn.here + "/ai",
            size="2",
            color=theme.ACCENT_INK,
        ),
        rx.box(
            rx.cond(
                AgentPage.missing != "",
                kit.card(kit.empty("bot-off", "Not here", AgentPage.missing)),
                rx.cond(AgentPage.is_loading, kit.card(kit.skeleton_rows(6)), _agent()),
            ),
            margin_top=theme.S3,
        ),
        _example_dialog(),
        _turn_dialog(),
        kit.confirm(
            "Delete “" + agent.name + "”?",
            "Workflows that use it end that step with an error. The log of its turns stays.",
            is_open=AgentPage.is_deleting,
            act="Delete",
            on_confirm=AgentPage.delete,
            on_cancel=AgentPage.close,
        ),
        title=rx.cond(agent.name != "", agent.name, "AI agent"),
        active="ai",
    )


def _agent() -> rx.Component:
    parts = {"agent": _settings, "examples": _examples, "trial": _trial, "log": _log}
    return rx.flex(
        _head(),
        rx.tabs.root(
            rx.tabs.list(
                *(rx.tabs.trigger(words, value=key, white_space="nowrap") for key, words in TABS),
                overflow_x="auto",
                class_name="scroll-quietly",
            ),
            *(rx.tabs.content(parts[key](), value=key, padding_top=theme.S4) for key, _ in TABS),
            value=AgentPage.tab,
            on_change=AgentPage.open_tab,
        ),
        direction="column",
        gap=theme.S4,
    )


def _head() -> rx.Component:
    return kit.card(
        rx.flex(
            rx.box(
                rx.heading(agent.name, as_="h2", size="5", style={"overflow_wrap": "anywhere"}),
                kit.muted(
                    "Today: "
                    + agent.turns_today
                    + " questions, "
                    + agent.tokens_today
                    + " tokens, "
                    + agent.cost_today
                ),
                flex="1",
                min_width="180px",
            ),
            rx.el.label(
                rx.flex(
                    rx.switch(
                        checked=agent.is_answering,
                        on_change=AgentPage.choose_answering,
                        disabled=~may_manage,
                        aria_label="Answers numbers in mode AI",
                    ),
                    kit.text("Answers numbers in mode AI"),
                    align="center",
                    gap=theme.S2,
                ),
            ),
            rx.cond(
                may_manage,
                kit.icon_button(
                    "trash-2",
                    "Delete this agent",
                    color_scheme="red",
                    on_click=AgentPage.ask_to_delete,
                ),
            ),
            align="center",
            gap=theme.S4,
            wrap="wrap",
        )
    )


# Settings


def _area(label: str, name: str, value: Any, *, rows: str, hint: str = "") -> rx.Component:
    control = rx.text_area(
        id=f"field-{name}",
        name=name,
        default_value=value,
        key=name + agent.revision.to_string(),
        rows=rows,
        size="3",
        width="100%",
        resize="vertical",
        aria_describedby=f"field-{name}-help",
    )
    return kit.field(label, name, control=control, error=AgentPage.errors[name], hint=hint)


def _line(label: str, name: str, value: Any, *, hint: str = "", **props: Any) -> rx.Component:
    return kit.field(
        label,
        name,
        error=AgentPage.errors[name],
        hint=hint,
        default_value=value,
        key=name + agent.revision.to_string(),
        **props,
    )


def _figures(*fields: rx.Component) -> rx.Component:
    return rx.grid(*fields, columns={"initial": "1", "sm": "2"}, gap=theme.S4)


def _settings() -> rx.Component:
    return rx.form(
        rx.flex(
            _words(),
            _knowledge(),
            _handing_over(),
            _model(),
            _limits(),
            _structure(),
            kit.refusal(AgentPage.problem),
            rx.cond(
                may_manage,
                rx.flex(
                    kit.button("Save", type="submit", size="3", loading=AgentPage.is_busy),
                    justify="end",
                ),
            ),
            direction="column",
            gap=theme.S4,
        ),
        on_submit=AgentPage.save,
        reset_on_submit=False,
    )


def _words() -> rx.Component:
    return kit.section(
        "Who it is",
        "What the agent is told before every conversation.",
        _line("Name", "name", agent.name, required=True, max_length=80),
        _area("Character", "persona", agent.persona, rows="2", hint="How it should sound."),
        _area(
            "Task and rules",
            "system_prompt",
            agent.system_prompt,
            rows="8",
            hint="What it helps with, what it must not do, what it should ask.",
        ),
        _area(
            "Welcome",
            "welcome",
            agent.welcome,
            rows="2",
            hint="Before its first answer in a conversation.",
        ),
    )


def _knowledge() -> rx.Component:
    return kit.section(
        "Knowledge",
        "Documents that it answers from, naming where it found it.",
        rx.cond(
            AgentPage.bases.length() > 0,
            rx.flex(rx.foreach(AgentPage.bases, _base), direction="column", gap=theme.S2),
            kit.muted("There is no knowledge base yet. Make one on the page “Knowledge”."),
        ),
    )


def _base(base: BaseChoice) -> rx.Component:
    return rx.el.label(
        rx.flex(
            rx.checkbox(
                checked=base.is_chosen,
                on_change=lambda chosen: AgentPage.choose_base(base.id, chosen),
                disabled=~may_manage,
                aria_label=base.name,
            ),
            kit.text(base.name),
            gap=theme.S2,
            align="center",
        )
    )


def _handing_over() -> rx.Component:
    return kit.section(
        "When a person takes over",
        "It hands over when it is not sure, when it can not help, or when the customer asks for it.",
        _figures(
            _line(
                "Below this certainty, in percent",
                "hand_over_below",
                agent.hand_over_below,
                input_mode="decimal",
                hint="0: never for that reason.",
            ),
            _line(
                "Words that ask for a person",
                "hand_over_words",
                agent.hand_over_words,
                placeholder="human, agent, complaint",
                hint="Separated by commas.",
            ),
        ),
        _area(
            "Last words",
            "fallback",
            agent.fallback,
            rows="2",
            hint="What the customer reads then. Empty: nothing.",
        ),
    )


def _model() -> rx.Component:
    return kit.section(
        "Model",
        "A workflow may choose another one for its step.",
        _figures(
            kit.choice(
                "Model",
                "model",
                list(MODEL_WORDS.items()),
                default_value=agent.model,
                key="model" + agent.revision.to_string(),
            ),
            _line(
                "Temperature",
                "temperature",
                agent.temperature,
                input_mode="decimal",
                hint="0: the same answer each time. 2: very free.",
            ),
            _line(
                "Messages it remembers",
                "remembered",
                agent.remembered,
                input_mode="numeric",
                hint="0 to 50.",
            ),
            _line(
                "Questions to the model in one run",
                "max_turns",
                agent.max_turns,
                input_mode="numeric",
                hint="1 to 10.",
            ),
        ),
    )


def _limits() -> rx.Component:
    return kit.section(
        "Limits",
        "When one is met, the run ends with that reason. Costs in US dollars, by Google's list prices.",
        _figures(
            _line(
                "Tokens in one run", "tokens_per_run", agent.tokens_per_run, input_mode="numeric"
            ),
            _line("Tokens in a day", "tokens_per_day", agent.tokens_per_day, input_mode="numeric"),
            _line(
                "Cost of one run",
                "cost_per_run",
                agent.cost_per_run,
                input_mode="decimal",
                hint="0: no limit.",
            ),
            _line(
                "Cost of a day",
                "cost_per_day",
                agent.cost_per_day,
                input_mode="decimal",
                hint="0: no limit.",
            ),
        ),
    )


def _structure() -> rx.Component:
    return kit.section(
        "Structured answers",
        "For workflows that go on with what it found out: a JSON schema. Empty: it answers in words.",
        _area(
            "JSON schema of the answer",
            "answer_schema",
            agent.answer_schema,
            rows="4",
            hint='Such as {"type": "object", "properties": {"intent": {"type": "string"}}}',
        ),
    )


# Examples


def _examples() -> rx.Component:
    return kit.section(
        "Examples",
        "Questions with the answers that you would give. The local answerer finds the nearest one.",
        kit.table(
            ["Question", "Answer", ""],
            AgentPage.examples,
            _example_row,
            when_empty=kit.empty(
                "messages-square", "No examples yet", "Begin with what customers ask every day."
            ),
        ),
        actions=[
            rx.cond(
                may_manage,
                kit.button("New example", icon="plus", on_click=AgentPage.edit_example(-1)),
            )
        ],
    )


def _example_row(example: ExampleLine) -> list[rx.Component]:
    return [
        kit.text(example.question, weight="medium", style={"overflow_wrap": "anywhere"}),
        kit.muted(example.answer, style={"overflow_wrap": "anywhere"}),
        rx.cond(
            may_manage,
            rx.flex(
                kit.icon_button(
                    "pencil",
                    "Edit the example " + example.question,
                    on_click=AgentPage.edit_example(example.number),
                ),
                kit.icon_button(
                    "trash-2",
                    "Delete the example " + example.question,
                    on_click=AgentPage.delete_example(example.number),
                ),
                gap=theme.S2,
                justify="end",
            ),
            rx.fragment(),
        ),
    ]


def _example_dialog() -> rx.Component:
    example = AgentPage.example
    return kit.dialog(
        rx.cond(example.number >= 0, "Edit the example", "New example"),
        rx.form(
            rx.flex(
                kit.field(
                    "Question",
                    "question",
                    error=AgentPage.errors["question"],
                    default_value=example.question,
                    required=True,
                    max_length=2_000,
                ),
                kit.field(
                    "Answer",
                    "answer",
                    control=rx.text_area(
                        id="field-answer",
                        name="answer",
                        default_value=example.answer,
                        rows="4",
                        size="3",
                        width="100%",
                        required=True,
                        aria_describedby="field-answer-help",
                    ),
                ),
                rx.cond(
                    AgentPage.errors["examples"],
                    kit.note(AgentPage.errors["examples"], tone=theme.BAD, icon="circle-alert"),
                ),
                kit.refusal(AgentPage.problem),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=AgentPage.close,
                ),
                kit.button("Save", type="submit", loading=AgentPage.is_busy),
            ),
            on_submit=AgentPage.save_example,
            reset_on_submit=False,
        ),
        is_open=AgentPage.is_editing,
        on_close=AgentPage.close,
    )


# The trial


def _trial() -> rx.Component:
    return kit.section(
        "Try it",
        "Write as a customer would. It costs what it costs, and counts against the limits of the day.",
        rx.cond(
            AgentPage.has_key,
            rx.fragment(),
            kit.note(
                "No Gemini key is set: the local answerer replies, from examples and documents."
            ),
        ),
        rx.flex(
            rx.cond(
                (AgentPage.trial.length() == 0) & ~AgentPage.is_thinking,
                kit.empty("message-circle", "Nothing said yet", "Ask what your customers ask."),
            ),
            rx.foreach(AgentPage.trial, _said),
            rx.cond(AgentPage.is_thinking, _coming()),
            direction="column",
            gap=theme.S3,
            min_height="220px",
            max_height="52vh",
            overflow_y="auto",
            class_name="scroll-quietly",
            role="log",
            aria_label="The trial",
            tab_index=0,
        ),
        rx.cond(may_manage, _writing()),
        actions=[
            rx.cond(
                may_manage & (AgentPage.trial.length() > 0),
                kit.button(
                    "Begin anew", icon="rotate-ccw", variant="soft", on_click=AgentPage.begin_anew
                ),
            )
        ],
    )


def _bubble(*children: Any, by_agent: Any) -> rx.Component:
    return rx.box(
        *children,
        align_self=rx.cond(by_agent, "flex-start", "flex-end"),
        background=rx.cond(by_agent, theme.SUNKEN, theme.SELECTED),
        border_radius=theme.RADIUS,
        padding=theme.S3,
        max_width="min(85%, 620px)",
        style={"overflow_wrap": "anywhere"},
    )


def _said(line: TrialLine) -> rx.Component:
    return _bubble(
        kit.text(line.text, white_space="pre-wrap"),
        rx.foreach(
            line.sources,
            lambda source: kit.muted(
                rx.icon("book-open", size=12, display="inline"), " ", source, size="1"
            ),
        ),
        rx.cond(line.note != "", kit.muted(line.note, size="1", margin_top=theme.S1)),
        rx.cond(line.about != "", kit.muted(line.about, size="1", margin_top=theme.S1)),
        by_agent=line.by_agent,
    )


def _coming() -> rx.Component:
    return _bubble(
        rx.cond(
            AgentPage.answer_so_far != "",
            kit.text(AgentPage.answer_so_far, white_space="pre-wrap"),
            rx.flex(
                rx.spinner(), kit.muted("Thinking…"), gap=theme.S2, align="center", role="status"
            ),
        ),
        by_agent=True,
    )


def _writing() -> rx.Component:
    return rx.form(
        rx.flex(
            rx.input(
                name="message",
                placeholder="Write a message",
                aria_label="Message to the agent",
                size="3",
                width="100%",
                auto_complete=False,
                max_length=4_000,
            ),
            kit.button("Send", icon="send", type="submit", size="3", loading=AgentPage.is_thinking),
            gap=theme.S2,
        ),
        on_submit=AgentPage.send,
        reset_on_submit=True,
    )


# The log


def _log() -> rx.Component:
    return kit.section(
        "Log",
        "Every question to its model: what came of it, how long it took, what it cost.",
        kit.table(
            ["When", "Question", "Outcome", "Tokens", "Cost", "Time"],
            AgentPage.turns,
            _turn_row,
            when_empty=kit.empty("scroll-text", "Nothing yet", "It fills as the agent answers."),
        ),
        kit.pages(
            AgentPage.page_number, AgentPage.has_next, AgentPage.previous_page, AgentPage.next_page
        ),
    )


def _turn_row(turn: TurnLine) -> list[rx.Component]:
    return [
        kit.muted(kit.when(turn.at), white_space="nowrap"),
        kit.button(
            rx.text(turn.question, truncate=True, max_width="280px", as_="span"),
            variant="ghost",
            size="2",
            margin="0",
            on_click=AgentPage.open_turn(turn.id),
        ),
        rx.flex(
            kit.badge(turn.outcome_words, OUTCOME_COLOURS[turn.outcome]),
            rx.cond(turn.is_trial, kit.badge("Trial", theme.NEUTRAL)),
            gap=theme.S1,
        ),
        kit.text(turn.tokens),
        kit.text(turn.cost),
        kit.muted(turn.seconds, white_space="nowrap"),
    ]


def _turn_dialog() -> rx.Component:
    turn = AgentPage.turn
    return kit.dialog(
        "One turn",
        rx.flex(
            _part("Question", turn.question),
            _part("Answer", turn.answer),
            _part("Reason", turn.reason),
            rx.cond(
                turn.calls != "",
                rx.box(
                    kit.muted("Tools", size="1"),
                    rx.code_block(turn.calls, language="json", wrap_long_lines=True),
                ),
            ),
            rx.foreach(turn.sources, lambda source: _part("Source", source)),
            _part("Model", turn.model),
            _part("How sure", turn.confidence),
            direction="column",
            gap=theme.S3,
        ),
        kit.dialog_actions(
            kit.button("Close", variant="soft", color_scheme="gray", on_click=AgentPage.close)
        ),
        is_open=turn.id != "",
        on_close=AgentPage.close,
        width="640px",
    )


def _part(label: str, value: Any) -> rx.Component:
    return rx.cond(
        value != "",
        rx.box(
            kit.muted(label, size="1"),
            kit.text(value, white_space="pre-wrap", style={"overflow_wrap": "anywhere"}),
        ),
    )

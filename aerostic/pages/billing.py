"""`billing`: what the wallet holds, every posting, statements, and a notice before it is empty."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.billing.plan import plan
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.billing import EVERYTHING, Billing, Line
from aerostic.state.plan import YourPlan
from aerostic.state.session import SignedIn

KINDS = (
    (EVERYTHING, "Everything"),
    ("capture", "Charged"),
    ("hold", "Set aside"),
    ("void", "Given back"),
    ("top_up", "Top-ups"),
    ("refund", "Refunds"),
    ("adjust", "Adjustments"),
    ("late", "Charged late"),
)
COLOURS = rx.Var.create(
    {
        "hold": theme.NEUTRAL,
        "capture": theme.INFO,
        "void": theme.NEUTRAL,
        "late": theme.WARN,
        "top_up": theme.GOOD,
        "refund": theme.GOOD,
        "adjust": theme.WARN,
        "credit": theme.WARN,
    }
)
may_manage = SignedIn.may.contains(str(Permission.BILLING_MANAGE))


@rx.page(
    route="/dashboard/[workspace_id]/billing",
    title="Billing · Aerostic",
    on_load=[SignedIn.enter, Billing.load, YourPlan.load],
)
def billing() -> rx.Component:
    return shell(
        rx.tabs.root(
            rx.tabs.list(
                rx.tabs.trigger("Wallet", value="wallet"), rx.tabs.trigger("Plan", value="plan")
            ),
            rx.tabs.content(_wallet(), value="wallet", padding_top=theme.S5),
            rx.tabs.content(plan(), value="plan", padding_top=theme.S5),
            default_value="wallet",
        ),
        _low_balance_dialog(),
        _explanation(),
        rx.script(src="/contacts.js"),  # fetches statements
        title="Billing",
        active="billing",
    )


def _wallet() -> rx.Component:
    return rx.flex(
        _notices(),
        _balances(),
        _ledger(),
        _statement(),
        direction="column",
        gap=theme.S5,
    )


def _notices() -> rx.Component:
    purse = Billing.purse
    return rx.fragment(
        rx.cond(
            purse.owed != "",
            kit.note(
                "You owe " + purse.owed + ". Nothing that costs money leaves until it is paid.",
                tone=theme.WARN,
                icon="triangle-alert",
            ),
        ),
        rx.cond(
            purse.is_low & (purse.owed == ""),
            kit.note(
                "The balance is below " + purse.low_balance_shown + ". Top up before it is empty: "
                "then templates and campaigns are refused.",
                tone=theme.WARN,
                icon="triangle-alert",
            ),
        ),
    )


def _balances() -> rx.Component:
    purse = Billing.purse
    return kit.section(
        "Wallet",
        "What a message costs is set aside before it leaves, charged when it is delivered, and given "
        "back when it is not.",
        rx.grid(
            _balance("Available", purse.available, "To be spent on messages"),
            _balance("Set aside", purse.held, "For messages that are on their way"),
            _balance("Spent", purse.spent, "On what was delivered, less refunds"),
            columns={"initial": "1", "sm": "3"},
            gap=theme.S3,
            width="100%",
        ),
        rx.flex(*_about_balances(), direction="column", gap=theme.S1),
        actions=[
            rx.cond(
                may_manage,
                kit.button(
                    "Low balance", icon="bell", variant="soft", on_click=Billing.begin_drawing
                ),
            )
        ],
    )


def _about_balances() -> list[rx.Component]:
    purse = Billing.purse
    return [
        rx.cond(
            purse.credit != "",
            kit.muted("Below zero, ", purse.credit, " more may be spent: your credit line."),
        ),
        rx.cond(
            purse.low_balance_shown != "",
            kit.muted(
                "Owners are told by e-mail once it falls below ", purse.low_balance_shown, "."
            ),
            kit.muted("Nobody is told when it runs low."),
        ),
        kit.muted(
            "To top up, pay whoever runs this platform and name the workspace ",
            kit.code(Billing.slug),
            ". They enter it, and it stands here at once.",
        ),
    ]


def _balance(name: str, amount: rx.Var[str], hint: str) -> rx.Component:
    return kit.card(
        kit.muted(name, weight="medium"),
        rx.text(amount, size="6", weight="bold", letter_spacing="-0.02em", color=theme.INK),
        kit.muted(hint, size="1"),
        padding=theme.S4,
    )


def _ledger() -> rx.Component:
    return kit.section(
        "Ledger",
        "Every posting, newest first. None is ever changed or removed.",
        rx.box(
            rx.select.root(
                rx.select.trigger(aria_label="Which postings"),
                rx.select.content(
                    *(rx.select.item(words, value=value) for value, words in KINDS),
                    position="popper",
                ),
                value=Billing.kind,
                on_change=Billing.filter_by,
            )
        ),
        kit.table(
            ["When", "What", "Amount", "Available", "About"],
            Billing.lines,
            _line,
            is_loading=Billing.is_loading,
            when_empty=kit.empty(
                "wallet", "Nothing yet", "What is paid in, set aside and charged appears here."
            ),
        ),
        kit.pages(Billing.page_number, Billing.has_next, Billing.previous_page, Billing.next_page),
    )


def _line(line: Line) -> list[rx.Component]:
    return [
        kit.text(kit.at(line.posted_at, "D MMM, HH:mm:ss"), white_space="nowrap"),
        kit.badge(line.words, COLOURS[line.kind]),
        _figure(line.amount),
        _figure(line.change),
        rx.flex(
            kit.muted(line.about),
            rx.cond(
                line.message_id != "",
                kit.button(
                    "Why this amount?",
                    variant="ghost",
                    size="1",
                    margin="0",
                    on_click=Billing.explain(line.message_id),
                ),
            ),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
    ]


def _figure(amount: rx.Var[str]) -> rx.Component:
    return kit.text(amount, white_space="nowrap", font_variant_numeric="tabular-nums")


def _statement() -> rx.Component:
    return kit.section(
        "Statement",
        "Of whole days in the workspace's time zone: the balances before and after as PDF, each posting "
        "as CSV.",
        rx.flex(
            _day("From", Billing.first, Billing.begin_on),
            _day("to", Billing.last, Billing.end_on),
            kit.button("PDF", icon="download", on_click=Billing.download("pdf")),
            kit.button("CSV", icon="download", variant="soft", on_click=Billing.download("csv")),
            align="center",
            gap=theme.S3,
            wrap="wrap",
        ),
    )


def _day(label: str, value: rx.Var[str], on_change: rx.event.EventType[str]) -> rx.Component:
    return rx.el.label(
        rx.text(label, size="2", color=theme.MUTED, as_="span"),
        rx.input(type="date", value=value, on_change=on_change, size="2", width="150px"),
        display="flex",
        align_items="center",
        gap=theme.S2,
    )


def _low_balance_dialog() -> rx.Component:
    return kit.dialog(
        "Low balance",
        rx.form(
            kit.field(
                "Tell the owners below",
                "low_balance",
                default_value=Billing.purse.low_balance,
                error=Billing.errors["low_balance"],
                hint="Leave it empty to tell nobody.",
                input_mode="decimal",
            ),
            kit.refusal(Billing.problem),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=Billing.close,
                ),
                kit.button("Save", type="submit", loading=Billing.is_busy),
            ),
            on_submit=Billing.draw,
        ),
        is_open=Billing.is_drawing,
        on_close=Billing.close,
        note="Once each time that the available balance falls below this amount.",
    )


def _explanation() -> rx.Component:
    found = Billing.explanation
    return kit.dialog(
        "What this message cost",
        rx.flex(
            kit.text(found.why),
            kit.muted(found.state),
            rx.cond(
                found.is_late,
                kit.note(
                    "It was delivered after it had counted as failed, so it was charged then.",
                    tone=theme.WARN,
                ),
            ),
            rx.foreach(found.lines, _explained_line),
            direction="column",
            gap=theme.S3,
        ),
        kit.dialog_actions(
            kit.button("Close", variant="soft", color_scheme="gray", on_click=Billing.close)
        ),
        is_open=found.why != "",
        on_close=Billing.close,
    )


def _explained_line(line: Line) -> rx.Component:
    return rx.flex(
        kit.badge(line.words, COLOURS[line.kind]),
        _figure(line.amount),
        kit.muted(kit.at(line.posted_at, "D MMM YYYY, HH:mm:ss")),
        align="center",
        gap=theme.S3,
    )

"""Segments, lists and the ledger of consent, as tabs beside the campaigns."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.audiences import Audiences, ConsentLine, ListLine, SegmentLine
from aerostic.state.contact_import import Column
from aerostic.state.session import SignedIn

may_manage = SignedIn.may.contains(str(Permission.CAMPAIGNS_MANAGE))
STATUS_COLOURS = rx.Var.create(
    {
        "queued": theme.INFO,
        "running": theme.INFO,
        "done": theme.GOOD,
        "cancelled": theme.WARN,
        "failed": theme.BAD,
    }
)


def segment_path(segment_id: rx.Var[str] | str) -> rx.Var[str]:
    there = "/dashboard/" + SignedIn.here + "/campaigns/segment"
    return there if isinstance(segment_id, str) else there + "?id=" + segment_id


def audiences() -> rx.Component:
    """Segments and lists."""
    return rx.flex(_segments(), _lists(), _forget(), _new_list(), direction="column", gap=theme.S4)


def _segments() -> rx.Component:
    new = rx.link(
        kit.button("New segment", icon="plus", tab_index=-1),
        href=segment_path(""),
        underline="none",
    )
    return kit.section(
        "Segments",
        "Saved searches over your contacts. Who belongs to one is looked up anew each time.",
        rx.cond(
            Audiences.is_loading,
            kit.skeleton_rows(3),
            rx.cond(
                Audiences.segments.length() > 0,
                rx.flex(rx.foreach(Audiences.segments, _segment), direction="column"),
                kit.empty(
                    "users-round",
                    "No segments yet",
                    "For example: everyone with the tag Regular who has not written for 30 days.",
                ),
            ),
        ),
        actions=[rx.cond(may_manage, new)],
    )


def _segment(one: SegmentLine) -> rx.Component:
    return rx.flex(
        rx.box(
            rx.link(one.name, href=segment_path(one.id), weight="medium", color=theme.ACCENT_INK),
            kit.muted(one.words),
            rx.cond(one.problem != "", kit.note(one.problem, tone=theme.WARN, icon="circle-alert")),
            min_width="0",
            flex="1",
        ),
        rx.cond(
            may_manage,
            kit.icon_button(
                "trash-2",
                "Delete " + one.name,
                on_click=Audiences.ask_to_forget("segment", one.id, one.name),
            ),
        ),
        gap=theme.S3,
        align="center",
        padding=f"{theme.S3} 0",
        border_bottom=f"1px solid {theme.LINE}",
    )


def _lists() -> rx.Component:
    return kit.section(
        "Lists",
        "People out of a file, each with what their row says: an order number, a voucher, a date.",
        rx.cond(
            Audiences.is_loading,
            kit.skeleton_rows(3),
            rx.cond(
                Audiences.lists.length() > 0,
                rx.flex(rx.foreach(Audiences.lists, _list), direction="column"),
                kit.empty(
                    "file-spreadsheet",
                    "No lists yet",
                    "Upload a CSV or Excel file. Its columns can fill the gaps of a template.",
                ),
            ),
        ),
        actions=[
            rx.cond(
                may_manage, kit.button("Upload a list", icon="upload", on_click=Audiences.new_list)
            )
        ],
    )


def _list(one: ListLine) -> rx.Component:
    return rx.flex(
        rx.box(
            rx.flex(
                kit.text(one.name, weight="medium"),
                kit.badge(one.status.capitalize(), STATUS_COLOURS[one.status]),
                gap=theme.S2,
                align="center",
                wrap="wrap",
            ),
            kit.muted(one.members, " people · ", kit.when(one.at), " · ", one.columns),
            rx.cond(
                (one.status == "running") | (one.status == "queued"),
                rx.progress(
                    value=one.percent, aria_label="How much is taken in", margin_top=theme.S2
                ),
            ),
            min_width="0",
            flex="1",
        ),
        rx.cond(
            one.refused > 0,
            kit.icon_button(
                "file-warning",
                one.refused.to_string() + " rows of " + one.name + " were not taken: the report",
                on_click=Audiences.download_report(one.import_id),
            ),
        ),
        rx.cond(
            may_manage,
            kit.icon_button(
                "trash-2",
                "Delete " + one.name,
                on_click=Audiences.ask_to_forget("list", one.id, one.name),
            ),
        ),
        gap=theme.S3,
        align="center",
        padding=f"{theme.S3} 0",
        border_bottom=f"1px solid {theme.LINE}",
    )


def _forget() -> rx.Component:
    one = Audiences.forgetting
    return kit.confirm(
        "Delete “" + one.name + "”?",
        "The contacts stay, and campaigns that were launched keep whom they wrote to.",
        is_open=one.id != "",
        act="Delete it",
        on_confirm=Audiences.forget,
        on_cancel=Audiences.keep,
    )


def _new_list() -> rx.Component:
    return kit.dialog(
        "Upload a list",
        rx.cond(Audiences.list_step == "columns", _columns(), _file()),
        is_open=Audiences.list_step != "",
        on_close=Audiences.close_list,
        note="One person a line, with a column for the phone number.",
        width="640px",
    )


def _file() -> rx.Component:
    return rx.flex(
        kit.field(
            "File",
            "file",
            control=rx.el.input(
                id="list-file",
                type="file",
                accept=".csv,.tsv,.txt,.xlsx",
                on_change=lambda _: Audiences.upload,
                disabled=Audiences.is_uploading,
                padding=theme.S3,
                border=f"1px dashed {theme.LINE_STRONG}",
                border_radius=theme.RADIUS_SMALL,
                width="100%",
                color=theme.INK,
            ),
            id="list-file",
            hint="CSV or Excel (.xlsx), up to 50 MB and a million rows.",
        ),
        rx.cond(
            Audiences.is_uploading,
            rx.flex(rx.spinner(), kit.text("Reading the file…"), gap=theme.S2, role="status"),
        ),
        kit.refusal(Audiences.problem),
        direction="column",
        gap=theme.S3,
    )


def _columns() -> rx.Component:
    errors = Audiences.errors
    return rx.form(
        rx.flex(
            kit.field(
                "Name",
                "name",
                id="list-name",
                default_value=Audiences.list_name,
                max_length=80,
                error=errors["name"],
            ),
            kit.table(["Column", "Is", "For example"], Audiences.columns, _column),
            kit.muted(
                "Every column is a variable for your templates. People who are contacts already "
                "stay as they are."
            ),
            kit.field(
                "Country of numbers without a code",
                "default_country",
                id="list-country",
                placeholder="DE",
                error=errors["default_country"],
                hint="Two letters, such as DE or BR.",
            ),
            rx.cond(
                errors["mapping"],
                kit.note(errors["mapping"], tone=theme.BAD, icon="circle-alert"),
            ),
            kit.refusal(Audiences.problem),
            direction="column",
            gap=theme.S4,
        ),
        kit.dialog_actions(
            kit.button(
                "Cancel",
                variant="soft",
                color_scheme="gray",
                type="button",
                on_click=Audiences.close_list,
            ),
            kit.button(
                "Take in " + Audiences.rows_total + " rows",
                type="submit",
                loading=Audiences.is_busy,
            ),
        ),
        on_submit=Audiences.start_list,
        reset_on_submit=False,
    )


def _column(column: Column) -> list[rx.Component]:
    return [
        kit.text(column.name, weight="medium"),
        rx.select.root(
            rx.select.trigger(aria_label="What the column " + column.name + " is", width="150px"),
            rx.select.content(
                rx.foreach(
                    Audiences.targets, lambda one: rx.select.item(one.label, value=one.value)
                ),
                position="popper",
            ),
            value=column.target,
            on_change=lambda target: Audiences.choose_target(column.index, target),
        ),
        kit.muted(column.sample, style={"overflow_wrap": "anywhere"}),
    ]


def consent() -> rx.Component:
    """What people said about marketing, newest first."""
    settings = "/dashboard/" + SignedIn.here + "/settings?tab=consent"
    return kit.section(
        "Consent",
        "What people said about marketing. Nothing here can be changed; the newest word counts.",
        kit.table(
            ["Who", "Decided", "How", "When"],
            Audiences.consents,
            _consent,
            is_loading=Audiences.is_loading,
            when_empty=kit.empty(
                "hand",
                "Nobody has said anything yet",
                "Who writes STOP, or says so in WhatsApp's settings, gets no campaigns any more.",
            ),
        ),
        actions=[
            rx.link(
                kit.button("Words and limits", icon="settings-2", variant="soft", tab_index=-1),
                href=settings,
                underline="none",
            )
        ],
    )


def _consent(one: ConsentLine) -> list[rx.Component]:
    person = "/dashboard/" + SignedIn.here + "/contacts/" + one.contact_id
    return [
        rx.link(one.name, href=person, weight="medium", color=theme.ACCENT_INK),
        rx.cond(
            one.stops,
            kit.badge("No marketing", theme.BAD, "hand"),
            kit.badge("Agreed", theme.GOOD, "check"),
        ),
        kit.text(one.how),
        kit.muted(kit.when(one.at), white_space="nowrap"),
    ]

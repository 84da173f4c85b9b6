"""Knowledge bases, and one of them with its documents."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.knowledge import BaseLine, DocumentLine, FoundLine, Knowledge, KnowledgePage
from aerostic.state.session import SignedIn

STATUS_COLOURS = rx.Var.create(
    {"queued": theme.INFO, "reading": theme.INFO, "ready": theme.GOOD, "failed": theme.BAD}
)
ACCEPTED = ".pdf,.docx,.txt,.md,.markdown,.html,.htm,.csv,.xlsx"
may_manage = SignedIn.may.contains(str(Permission.AI_MANAGE))
base = KnowledgePage.base


def _path(base_id: rx.Var[str] | str = "") -> rx.Var[str]:
    return "/dashboard/" + SignedIn.here + "/knowledge" + base_id


@rx.page(
    route="/dashboard/[workspace_id]/knowledge",
    title="Knowledge · Aerostic",
    on_load=[SignedIn.enter, Knowledge.load],
)
def knowledge() -> rx.Component:
    create = rx.cond(
        may_manage, kit.button("New knowledge base", icon="plus", on_click=Knowledge.begin)
    )
    return shell(
        kit.section(
            "Knowledge bases",
            "Documents and web pages that your agents answer from, each answer with its source.",
            kit.table(
                ["Name", "Documents", "Passages", ""],
                Knowledge.bases,
                _base_row,
                is_loading=Knowledge.is_loading,
                when_empty=kit.empty(
                    "library",
                    "No knowledge bases yet",
                    "Make one, then put in your price list, your terms, your answers.",
                ),
            ),
            actions=[create],
        ),
        _naming_dialog(
            "New knowledge base",
            Knowledge,
            Knowledge.create,
            BaseLine(),
            is_open=Knowledge.is_creating,
        ),
        title="Knowledge",
        active="knowledge",
    )


def _base_row(row: BaseLine) -> list[rx.Component]:
    return [
        rx.box(
            rx.link(row.name, href=_path("/" + row.id), weight="medium", color=theme.ACCENT_INK),
            rx.cond(row.description != "", kit.muted(row.description, size="1")),
        ),
        kit.text(row.documents),
        kit.text(row.passages),
        rx.flex(
            rx.cond(row.unread > 0, kit.badge("Being read", theme.INFO, "loader")),
            rx.cond(row.failed > 0, kit.badge("Some not read", theme.BAD, "circle-alert")),
            gap=theme.S1,
        ),
    ]


def _naming_dialog(
    title: str, state: Any, on_submit: Any, current: Any, *, is_open: Any
) -> rx.Component:
    return kit.dialog(
        title,
        rx.form(
            rx.flex(
                kit.field(
                    "Name",
                    "name",
                    error=state.errors["name"],
                    default_value=current.name,
                    required=True,
                    max_length=120,
                ),
                kit.field(
                    "What is in it",
                    "description",
                    default_value=current.description,
                    max_length=500,
                ),
                kit.refusal(state.problem),
                direction="column",
                gap=theme.S4,
            ),
            _save_or_cancel(state),
            on_submit=on_submit,
            reset_on_submit=False,
        ),
        is_open=is_open,
        on_close=state.close,
    )


def _save_or_cancel(state: Any, act: str = "Save") -> rx.Component:
    return kit.dialog_actions(
        kit.button(
            "Cancel", variant="soft", color_scheme="gray", type="button", on_click=state.close
        ),
        kit.button(act, type="submit", loading=state.is_busy),
    )


# One of them


@rx.page(
    route="/dashboard/[workspace_id]/knowledge/[base_id]",
    title="Knowledge base · Aerostic",
    on_load=[SignedIn.enter, KnowledgePage.load],
)
def knowledge_base() -> rx.Component:
    return shell(
        rx.link("← All knowledge bases", href=_path(), size="2", color=theme.ACCENT_INK),
        rx.box(
            rx.cond(
                KnowledgePage.missing != "",
                kit.card(kit.empty("library", "Not here", KnowledgePage.missing)),
                rx.cond(KnowledgePage.is_loading, kit.card(kit.skeleton_rows(6)), _opened()),
            ),
            margin_top=theme.S3,
        ),
        _naming_dialog(
            "Rename",
            KnowledgePage,
            KnowledgePage.rename,
            base,
            is_open=KnowledgePage.dialog == "rename",
        ),
        _page_dialog(),
        kit.confirm(
            "Delete “" + base.name + "”?",
            "All its documents go with it. Agents that answered from them go on without.",
            is_open=KnowledgePage.dialog == "delete",
            act="Delete",
            on_confirm=KnowledgePage.delete_base,
            on_cancel=KnowledgePage.close,
        ),
        kit.confirm(
            "Delete “" + KnowledgePage.deleting.name + "”?",
            "Agents no longer answer from it.",
            is_open=KnowledgePage.deleting.id != "",
            act="Delete",
            on_confirm=KnowledgePage.delete,
            on_cancel=KnowledgePage.close,
        ),
        title=rx.cond(base.name != "", base.name, "Knowledge base"),
        active="knowledge",
    )


def _opened() -> rx.Component:
    return rx.flex(_adding(), _documents(), _searching(), direction="column", gap=theme.S4)


def _adding() -> rx.Component:
    actions = rx.flex(
        kit.button(
            "Add a web page",
            icon="globe",
            variant="soft",
            on_click=KnowledgePage.open_dialog("page"),
        ),
        kit.icon_button(
            "pencil", "Rename this knowledge base", on_click=KnowledgePage.open_dialog("rename")
        ),
        kit.icon_button(
            "trash-2",
            "Delete this knowledge base",
            color_scheme="red",
            on_click=KnowledgePage.open_dialog("delete"),
        ),
        gap=theme.S2,
        align="center",
        wrap="wrap",
    )
    return rx.cond(
        may_manage,
        kit.section(
            "Add documents",
            "PDF, Word (.docx), text, Markdown, HTML, CSV and Excel (.xlsx), up to 25 MB each.",
            kit.field(
                "File",
                "file",
                control=rx.el.input(
                    id="knowledge-file",
                    type="file",
                    accept=ACCEPTED,
                    on_change=lambda _: KnowledgePage.upload,
                    disabled=KnowledgePage.is_uploading,
                    padding=theme.S3,
                    border=f"1px dashed {theme.LINE_STRONG}",
                    border_radius=theme.RADIUS_SMALL,
                    width="100%",
                    color=theme.INK,
                ),
                id="knowledge-file",
                hint="It is read in the background. You can leave this page.",
            ),
            rx.cond(
                KnowledgePage.is_uploading,
                rx.flex(rx.spinner(), kit.text("Uploading…"), gap=theme.S2, role="status"),
            ),
            kit.refusal(KnowledgePage.problem),
            actions=[actions],
        ),
        rx.fragment(),
    )


def _documents() -> rx.Component:
    return kit.section(
        "Documents",
        "",
        kit.table(
            ["Document", "State", "Passages", "Read", ""],
            KnowledgePage.documents,
            _document_row,
            when_empty=kit.empty("file-text", "No documents yet", "Choose a file above."),
        ),
        kit.pages(
            KnowledgePage.page_number,
            KnowledgePage.has_next,
            KnowledgePage.previous_page,
            KnowledgePage.next_page,
        ),
    )


def _document_row(row: DocumentLine) -> list[rx.Component]:
    return [
        rx.box(
            kit.text(row.name, weight="medium", style={"overflow_wrap": "anywhere"}),
            kit.muted(row.kind + " · " + row.size, size="1"),
            rx.cond(
                row.problem != "",
                rx.text(row.problem, size="1", color="var(--amber-11)", margin_top="2px"),
            ),
            min_width="180px",
        ),
        rx.flex(
            kit.badge(row.status_words, STATUS_COLOURS[row.status]),
            rx.cond(row.by_meaning, kit.badge("By meaning", theme.NEUTRAL, "sparkles")),
            gap=theme.S1,
            wrap="wrap",
        ),
        kit.text(row.passages),
        kit.muted(kit.when(row.at), white_space="nowrap"),
        rx.cond(
            may_manage,
            rx.flex(
                kit.icon_button(
                    "rotate-cw",
                    "Read " + row.name + " again",
                    on_click=KnowledgePage.read_again(row.id),
                ),
                kit.icon_button(
                    "trash-2",
                    "Delete " + row.name,
                    on_click=KnowledgePage.ask_to_delete(row.id),
                ),
                gap=theme.S2,
                justify="end",
            ),
            rx.fragment(),
        ),
    ]


def _page_dialog() -> rx.Component:
    return kit.dialog(
        "Add a web page",
        rx.form(
            rx.flex(
                kit.field(
                    "Address",
                    "url",
                    error=KnowledgePage.errors["url"],
                    placeholder="https://example.com/opening-hours",
                    required=True,
                    hint="A page that everybody can open. Only this page is read, not what it links to.",
                ),
                kit.refusal(KnowledgePage.problem),
                direction="column",
                gap=theme.S4,
            ),
            _save_or_cancel(KnowledgePage, "Add it"),
            on_submit=KnowledgePage.add_page,
            reset_on_submit=False,
        ),
        is_open=KnowledgePage.dialog == "page",
        on_close=KnowledgePage.close,
    )


def _searching() -> rx.Component:
    return kit.section(
        "Try a search",
        "What an agent would find for a question.",
        rx.form(
            rx.flex(
                rx.input(
                    name="question",
                    placeholder="When are you open on Sundays?",
                    aria_label="Question",
                    size="3",
                    width="100%",
                    max_length=2_000,
                ),
                kit.button(
                    "Search",
                    icon="search",
                    type="submit",
                    size="3",
                    loading=KnowledgePage.is_searching,
                ),
                gap=theme.S2,
            ),
            on_submit=KnowledgePage.search,
            reset_on_submit=False,
        ),
        rx.box(
            rx.cond(
                (KnowledgePage.searched != "") & (KnowledgePage.found.length() == 0),
                kit.empty(
                    "search-x",
                    "Nothing found",
                    "No passage shares a word with “" + KnowledgePage.searched + "”.",
                ),
            ),
            rx.flex(rx.foreach(KnowledgePage.found, _found), direction="column", gap=theme.S3),
            aria_live="polite",
        ),
    )


def _found(found: FoundLine) -> rx.Component:
    return rx.box(
        rx.flex(
            kit.text(found.source, weight="medium", style={"overflow_wrap": "anywhere"}),
            kit.badge(found.score, theme.NEUTRAL),
            justify="between",
            gap=theme.S2,
        ),
        kit.muted(found.text, white_space="pre-wrap", style={"overflow_wrap": "anywhere"}),
        padding=theme.S3,
        background=theme.SUNKEN,
        border_radius=theme.RADIUS_SMALL,
    )

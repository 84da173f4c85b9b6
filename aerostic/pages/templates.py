"""Templates: all of them, and one with its builder."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.components.templates.parts import template_builder, template_preview
from aerostic.core.permissions import Permission
from aerostic.state.session import SignedIn
from aerostic.state.template import EventLine, TemplatePage
from aerostic.state.template_words import CATEGORIES, LANGUAGE_CHOICES, STATUSES
from aerostic.state.templates import ALL, GroupLine, Templates, VariantLine

may_manage = SignedIn.may.contains(str(Permission.TEMPLATES_MANAGE))
head = TemplatePage.head


def _path(template_id: rx.Var[str] | str = "") -> rx.Var[str]:
    return "/dashboard/" + SignedIn.here + "/templates" + template_id


# The list


@rx.page(
    route="/dashboard/[workspace_id]/templates",
    title="Templates · Aerostic",
    on_load=[SignedIn.enter, Templates.load],
)
def templates() -> rx.Component:
    return shell(
        kit.section(
            "Templates",
            "Messages that may be sent at any time, once Meta has approved them.",
            _harmed(),
            _filters(),
            _list(),
            actions=[rx.cond(may_manage, _actions())],
        ),
        _create_dialog(),
        title="Templates",
        active="templates",
    )


def _actions() -> rx.Component:
    return rx.flex(
        kit.button(
            "Synchronise",
            icon="refresh-cw",
            variant="soft",
            on_click=Templates.sync,
            loading=Templates.is_syncing,
        ),
        kit.button("New template", icon="plus", on_click=Templates.begin),
        gap=theme.S2,
        wrap="wrap",
    )


def _harmed() -> rx.Component:
    words = rx.cond(
        Templates.harmed == 1,
        "Meta has stopped one template. Its line says why.",
        "Meta has stopped " + Templates.harmed.to_string() + " templates. Their lines say why.",
    )
    return rx.cond(Templates.harmed > 0, kit.note(words, tone=theme.WARN, icon="triangle-alert"))


def _filters() -> rx.Component:
    return rx.flex(
        rx.input(
            rx.input.slot(rx.icon("search", size=16)),
            placeholder="Name or words",
            aria_label="Search templates",
            default_value=Templates.text,
            on_change=Templates.search.debounce(250),
            size="2",
            flex="1 1 200px",
        ),
        _filter("status", "Status", [(key, words) for key, (words, _) in STATUSES.items()]),
        _filter("category", "Category", list(CATEGORIES.items())),
        _live_filter(
            "language",
            "Language",
            rx.foreach(Templates.languages, lambda one: rx.select.item(one.words, value=one.code)),
            Templates.language,
        ),
        rx.cond(
            Templates.accounts.length() > 1,
            _live_filter(
                "account",
                "Account",
                rx.foreach(Templates.accounts, lambda one: rx.select.item(one.name, value=one.id)),
                Templates.account,
            ),
        ),
        gap=theme.S2,
        wrap="wrap",
        width="100%",
    )


def _filter(name: str, label: str, options: list[tuple[str, str]]) -> rx.Component:
    items = [rx.select.item(words, value=key) for key, words in options]
    return _live_filter(name, label, rx.fragment(*items), getattr(Templates, name))


def _live_filter(name: str, label: str, items: Any, value: Any) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(aria_label=label),
        rx.select.content(rx.select.item(f"{label}: all", value=ALL), items, position="popper"),
        value=value,
        on_change=lambda chosen: Templates.narrow(name, chosen),
        size="2",
    )


def _list() -> rx.Component:
    nothing = rx.cond(
        Templates.total > 0,
        kit.empty("search-x", "Nothing fits", "Take a filter away, or look for another word."),
        kit.empty(
            "file-text",
            "No templates yet",
            "Write one here, or synchronise to see those that Meta has already.",
        ),
    )
    rows = rx.box(rx.foreach(Templates.groups, _group), width="100%")
    return rx.box(
        rx.cond(
            Templates.is_loading,
            kit.skeleton_rows(),
            rx.cond(Templates.groups.length() > 0, rows, nothing),
        ),
        kit.pages(
            Templates.page_number,
            Templates.has_next,
            Templates.previous_page,
            Templates.next_page,
        ),
        width="100%",
    )


def _group(group: GroupLine) -> rx.Component:
    return rx.flex(
        rx.box(
            rx.flex(
                rx.link(
                    group.name,
                    href=_path("/" + group.variants[0].id),
                    weight="medium",
                    color=theme.ACCENT_INK,
                    style={"overflow_wrap": "anywhere"},
                ),
                kit.badge(group.category),
                gap=theme.S2,
                align="center",
                wrap="wrap",
            ),
            kit.muted(group.body, size="1", truncate=True, margin_top="3px"),
            rx.cond(
                group.note != "",
                rx.text(group.note, size="1", color="var(--red-11)", margin_top="3px"),
            ),
            flex="1 1 280px",
            min_width="0",
        ),
        rx.flex(
            rx.foreach(group.variants, _variant_link),
            gap=theme.S2,
            wrap="wrap",
            flex="0 1 auto",
        ),
        rx.cond(
            group.uses != "",
            kit.muted(group.uses + " sent in 30 days", size="1", white_space="nowrap"),
        ),
        gap=theme.S3,
        align="center",
        wrap="wrap",
        padding_y=theme.S3,
        border_bottom=f"1px solid {theme.LINE}",
        width="100%",
    )


def _variant_link(one: VariantLine) -> rx.Component:
    return rx.link(
        kit.badge(one.language + " · " + one.status, one.colour),
        rx.cond(one.has_draft, rx.text(" *", as_="span", title="Changes not submitted yet")),
        href=_path("/" + one.id),
        underline="none",
    )


def _language_field(errors: Any, chosen: Any) -> rx.Component:
    picker = rx.el.select(
        *(rx.el.option(words, value=code) for code, words in LANGUAGE_CHOICES),
        id="field-language",
        name="language",
        default_value=chosen,
        class_name="plain-select",
        style=SELECT,
    )
    return kit.field(
        "Language", "language", control=picker, error=errors["language"], id="field-language"
    )


SELECT = {
    "width": "100%",
    "min_height": "40px",
    "padding": "0 10px",
    "font": "inherit",
    "font_size": "15px",
    "color": theme.INK,
    "background": theme.PAGE,
    "border": f"1px solid {theme.LINE_STRONG}",
    "border_radius": theme.RADIUS_SMALL,
}


def _name_field(errors: Any, value: Any) -> rx.Component:
    return kit.field(
        "Name",
        "name",
        error=errors["name"],
        default_value=value,
        required=True,
        placeholder="order_ready",
        hint="Small letters, digits and underscores. Customers do not see it.",
        auto_complete="off",
    )


def _create_dialog() -> rx.Component:
    accounts = rx.el.select(
        rx.foreach(Templates.accounts, lambda one: rx.el.option(one.name, value=one.id)),
        id="field-account",
        name="account",
        style=SELECT,
    )
    category = rx.el.select(
        rx.foreach(
            [
                ["UTILITY", "Utility"],
                ["MARKETING", "Marketing"],
                ["AUTHENTICATION", "Authentication"],
            ],
            lambda one: rx.el.option(one[1], value=one[0]),
        ),
        id="field-category",
        name="category",
        style=SELECT,
    )
    return kit.dialog(
        "New template",
        rx.form(
            rx.flex(
                _name_field(Templates.errors, ""),
                _language_field(Templates.errors, "en_US"),
                kit.field("Category", "category", control=category, id="field-category"),
                rx.cond(
                    Templates.accounts.length() > 1,
                    kit.field(
                        "Account",
                        "account",
                        control=accounts,
                        error=Templates.errors["account"],
                        id="field-account",
                    ),
                ),
                kit.refusal(Templates.problem),
                direction="column",
                gap=theme.S4,
            ),
            _save_or_cancel(Templates, "Begin"),
            on_submit=Templates.create,
            reset_on_submit=False,
        ),
        is_open=Templates.is_creating,
        on_close=Templates.close,
        note="It stays a draft until you submit it.",
    )


def _save_or_cancel(state: Any, act: str) -> rx.Component:
    return kit.dialog_actions(
        kit.button(
            "Cancel", variant="soft", color_scheme="gray", type="button", on_click=state.close
        ),
        kit.button(act, type="submit", loading=state.is_busy),
    )


# One template


@rx.page(
    route="/dashboard/[workspace_id]/templates/[template_id]",
    title="Template · Aerostic",
    on_load=[SignedIn.enter, TemplatePage.load],
)
def template() -> rx.Component:
    loaded = rx.flex(
        _head(),
        _standing(),
        rx.cond(may_manage & (head.why_not_written == ""), _builder(), _only_shown()),
        _beside(),
        direction="column",
        gap=theme.S5,
    )
    return shell(
        rx.cond(
            TemplatePage.is_loading,
            kit.skeleton_rows(),
            rx.cond(
                TemplatePage.missing != "",
                kit.failed(TemplatePage.missing, TemplatePage.load),
                loaded,
            ),
        ),
        _copy_dialog(),
        _delete_dialog(),
        title="Templates",
        active="templates",
    )


def _head() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.link(
                rx.icon("arrow-left", size=14, display="inline"),
                " All templates",
                href=_path(),
                size="2",
                color=theme.MUTED,
            ),
            rx.flex(
                rx.heading(head.name, as_="h2", size="5", style={"overflow_wrap": "anywhere"}),
                kit.badge(head.status_words, head.colour),
                gap=theme.S3,
                align="center",
                wrap="wrap",
                margin_top="6px",
            ),
            kit.muted(
                head.language_words, " · ", head.category, " · ", head.account, margin_top="4px"
            ),
            min_width="0",
        ),
        rx.cond(may_manage, _head_actions()),
        justify="between",
        align="end",
        gap=theme.S4,
        wrap="wrap",
    )


def _head_actions() -> rx.Component:
    return rx.flex(
        rx.cond(
            head.has_changes,
            kit.button(
                "Discard the changes",
                icon="undo-2",
                variant="soft",
                color_scheme="gray",
                on_click=TemplatePage.discard,
            ),
        ),
        kit.button("Duplicate", icon="copy", variant="soft", on_click=TemplatePage.begin_copy),
        rx.cond(
            ~head.is_deleted,
            kit.button(
                "Delete",
                icon="trash-2",
                variant="soft",
                color_scheme="red",
                on_click=TemplatePage.ask_to_delete,
            ),
        ),
        gap=theme.S2,
        wrap="wrap",
    )


def _standing() -> rx.Component:
    """What Meta last said, why it can not be changed, and what went wrong last."""
    return rx.flex(
        rx.cond(
            (head.note != "") & ~head.is_draft,
            rx.callout(head.note, icon="info", color_scheme=head.colour, size="1", width="100%"),
        ),
        rx.cond(head.why_not_written != "", kit.note(head.why_not_written, tone=theme.WARN)),
        rx.cond(
            head.has_changes & (head.why_not_written == ""),
            kit.note(
                "Below are changes that were not submitted yet. Meta still has the former text."
            ),
        ),
        kit.refusal(TemplatePage.problem),
        rx.cond(
            TemplatePage.saved["problem"] != "",
            rx.flex(
                kit.note(
                    TemplatePage.saved["problem"].to(str), tone=theme.BAD, icon="circle-alert"
                ),
                kit.button("Load it again", variant="soft", size="1", on_click=TemplatePage.reload),
                gap=theme.S2,
                align="center",
            ),
        ),
        direction="column",
        gap=theme.S2,
    )


def _builder() -> rx.Component:
    return template_builder(
        workspace=SignedIn.here,
        opened=TemplatePage.opened,
        problems=TemplatePage.problems,
        saved=TemplatePage.saved,
        is_submitted=head.is_submitted,
        is_approved=head.is_approved,
        is_busy=TemplatePage.is_busy,
        name=head.account,
        on_write=TemplatePage.write,
        on_submit_template=TemplatePage.submit,
    )


def _only_shown() -> rx.Component:
    return rx.box(
        template_preview(
            definition=TemplatePage.opened["definition"].to(dict[str, Any]), name=head.account
        ),
        max_width="380px",
        width="100%",
    )


def _beside() -> rx.Component:
    return rx.flex(
        kit.section(
            "What happened",
            "By whom, and what Meta decided.",
            rx.flex(rx.foreach(TemplatePage.history, _event), direction="column", gap=theme.S3),
        ),
        rx.flex(
            kit.card(
                rx.heading("Use", as_="h3", size="3", margin_bottom=theme.S2),
                kit.text(head.uses, " messages in the last 30 days"),
                rx.cond(head.last_use != "", kit.muted("The last one ", kit.when(head.last_use))),
                rx.cond(head.quality != "", kit.muted("Quality: ", head.quality)),
            ),
            rx.cond(
                TemplatePage.siblings.length() > 0,
                kit.card(
                    rx.heading("Other languages", as_="h3", size="3", margin_bottom=theme.S2),
                    rx.flex(
                        rx.foreach(TemplatePage.siblings, _variant_link), gap=theme.S2, wrap="wrap"
                    ),
                ),
            ),
            direction="column",
            gap=theme.S4,
            width=["100%", "100%", "320px"],
            flex_shrink="0",
        ),
        gap=theme.S4,
        direction=rx.breakpoints(initial="column", md="row"),
        align="start",
        width="100%",
    )


def _event(line: EventLine) -> rx.Component:
    return rx.box(
        rx.text(line.words, size="2", color=rx.cond(line.is_harm, "var(--red-11)", theme.INK)),
        kit.muted(line.actor, " · ", kit.when(line.at), size="1"),
    )


def _copy_dialog() -> rx.Component:
    return kit.dialog(
        "Duplicate",
        rx.form(
            rx.flex(
                _name_field(TemplatePage.errors, head.name),
                _language_field(TemplatePage.errors, head.language),
                kit.refusal(TemplatePage.problem),
                direction="column",
                gap=theme.S4,
            ),
            _save_or_cancel(TemplatePage, "Duplicate"),
            on_submit=TemplatePage.duplicate,
            reset_on_submit=False,
        ),
        is_open=TemplatePage.is_copying,
        on_close=TemplatePage.close,
        note="Keep the name and choose another language for a translation, or choose another name.",
    )


def _delete_dialog() -> rx.Component:
    consequence = rx.box(
        rx.cond(
            head.is_submitted,
            "It is deleted at Meta too, and can not be sent any more. If it was ever approved, its name "
            "can be used again in 30 days.",
            "Nobody at Meta has seen it. What you wrote is gone.",
        ),
        rx.cond(
            TemplatePage.siblings.length() > 0,
            rx.el.label(
                rx.checkbox(checked=TemplatePage.deletes_all, on_change=TemplatePage.choose_all),
                " Every language of it",
                display="flex",
                gap=theme.S2,
                align_items="center",
                margin_top=theme.S3,
            ),
        ),
    )
    return kit.confirm(
        "Delete " + head.name + "?",
        consequence,
        is_open=TemplatePage.is_deleting,
        act="Delete it",
        on_confirm=TemplatePage.delete,
        on_cancel=TemplatePage.close,
        is_busy=TemplatePage.is_busy,
    )

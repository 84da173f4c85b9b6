"""The shared inbox: conversations, one of them open, and what is known of the person."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.inbox.parts import composer, conversation_list, thread
from aerostic.components.shell import shell
from aerostic.state.inbox import SNOOZES, VIEWS, InboxState
from aerostic.state.session import SignedIn

VIEW_NAMES = {
    "all": "All",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "unread": "Unread",
    "snoozed": "Snoozed",
    "closed": "Closed",
}


@rx.page(
    route="/dashboard/[workspace_id]/inbox",
    title="Inbox · Aerostic",
    on_load=[SignedIn.enter, InboxState.load],
)
def inbox() -> rx.Component:
    return shell(
        rx.box(
            _list_column(),
            _thread_column(),
            class_name="ib",
        ),
        _snooze_dialog(),
        title="Inbox",
        active="inbox",
        fills=True,
    )


# The list ------------------------------------------------------------------------------------------


def _list_column() -> rx.Component:
    return rx.box(
        _search_field(),
        _views(),
        _narrowing(),
        rx.cond(
            InboxState.searched != "",
            _results(),
            rx.cond(
                InboxState.is_loading,
                kit.skeleton_rows(8),
                rx.cond(InboxState.rows.length() > 0, _rows(), _no_rows()),
            ),
        ),
        class_name=rx.cond(InboxState.is_open, "ib-col-list is-behind", "ib-col-list"),
        background=theme.SURFACE,
    )


def _search_field() -> rx.Component:
    return rx.box(
        rx.debounce_input(
            rx.input(
                rx.input.slot(rx.icon("search", size=16)),
                id="inbox-search",
                type="search",
                placeholder="Search messages and people",
                aria_label="Search messages and people",
                value=InboxState.searched,
                on_change=InboxState.search,
                size="2",
                width="100%",
            ),
            debounce_timeout=250,
        ),
        padding=f"{theme.S3} {theme.S3} {theme.S2}",
    )


def _views() -> rx.Component:
    return rx.flex(
        *(_view(name) for name in VIEWS),
        role="group",
        aria_label="Which conversations",
        gap="4px",
        wrap="wrap",
        padding=f"0 {theme.S3} {theme.S2}",
    )


def _view(name: str) -> rx.Component:
    is_chosen = InboxState.view == name
    count = InboxState.counts.get(name, "0")
    return rx.button(
        VIEW_NAMES[name],
        rx.cond(count != "0", rx.text(count, size="1", as_="span", color="inherit")),
        on_click=InboxState.choose_view(name),
        aria_pressed=is_chosen,
        variant=rx.cond(is_chosen, "soft", "ghost"),
        color_scheme=rx.cond(is_chosen, theme.ACCENT, "gray"),
        high_contrast=True,
        size="1",
        margin="0",
        padding="4px 8px",
        cursor="pointer",
    )


def _narrowing() -> rx.Component:
    """Filters that only matter where there is something to choose."""
    return rx.cond(
        (InboxState.labels.length() > 0) | (InboxState.numbers.length() > 1),
        rx.flex(
            rx.cond(
                InboxState.labels.length() > 0,
                _picker(
                    "Any label",
                    "Label",
                    InboxState.label_id,
                    InboxState.labels,
                    "name",
                    InboxState.choose_label,
                ),
            ),
            rx.cond(
                InboxState.numbers.length() > 1,
                _picker(
                    "Any number",
                    "Number",
                    InboxState.number_id,
                    InboxState.numbers,
                    "display_phone_number",
                    InboxState.choose_number,
                ),
            ),
            gap=theme.S2,
            padding=f"0 {theme.S3} {theme.S2}",
        ),
    )


def _picker(
    any_words: str, label: str, value: Any, options: Any, shown: str, on_change: Any
) -> rx.Component:
    return rx.select.root(
        rx.select.trigger(
            aria_label=label, variant="soft", color_scheme="gray", flex="1", min_width="0"
        ),
        rx.select.content(
            rx.select.item(any_words, value="any"),
            rx.foreach(
                options, lambda one: rx.select.item(one[shown].to(str), value=one["id"].to(str))
            ),
            position="popper",
        ),
        value=rx.cond(value == "", "any", value),
        on_change=on_change,
        size="1",
    )


def _rows() -> rx.Component:
    return conversation_list(
        rows=InboxState.rows,
        selected=InboxState.conversation_id,
        has_more=InboxState.can_load_more,
        too_many=InboxState.too_many,
        on_choose=InboxState.choose,
        on_more=InboxState.load_more,
    )


def _no_rows() -> rx.Component:
    return rx.cond(
        (InboxState.view == "all") & (InboxState.label_id == "") & (InboxState.number_id == ""),
        rx.cond(
            InboxState.numbers.length() > 0,
            kit.empty(
                "message-circle",
                "No open conversations",
                "When someone writes to your number, it appears here by itself.",
            ),
            kit.empty(
                "smartphone",
                "Connect a WhatsApp number first",
                "An owner connects one under Settings → Numbers. Then what people write appears here.",
            ),
        ),
        kit.empty("circle-check", "Nothing here", "No conversation matches this view right now."),
    )


def _results() -> rx.Component:
    return rx.box(
        rx.foreach(InboxState.found["contacts"].to(list[dict[str, Any]]), _found_contact),
        rx.foreach(InboxState.found["messages"].to(list[dict[str, Any]]), _found_message),
        rx.cond(
            (InboxState.found["contacts"].to(list).length() == 0)
            & (InboxState.found["messages"].to(list).length() == 0),
            kit.empty("search-x", "Nothing found", "Try another word, or part of a phone number."),
        ),
        rx.cond(
            InboxState.found["next_cursor"],
            rx.vstack(
                kit.muted(
                    "Looked back to ",
                    kit.at(InboxState.found["searched_back_to"].to(str), "D MMM YYYY"),
                    size="1",
                ),
                kit.button(
                    "Look further back",
                    variant="soft",
                    size="1",
                    on_click=InboxState.search_further,
                ),
                align="center",
                padding=theme.S3,
            ),
        ),
        class_name="ib-results",
        role="region",
        aria_label="Search results",
        tab_index=0,
    )


def _found_contact(person: Any) -> rx.Component:
    return rx.el.button(
        rx.hstack(
            rx.icon("user-round", size=15),
            kit.text(person["name"], weight="medium"),
            align="center",
        ),
        kit.muted(person["phone"].to(str), size="1"),
        class_name="ib-result",
        on_click=rx.cond(
            person["conversation_id"],
            InboxState.choose(person["conversation_id"].to(str)),
            rx.redirect(f"/dashboard/{InboxState.workspace_id}/contacts/{person['contact_id']}"),
        ),
    )


def _found_message(message: Any) -> rx.Component:
    return rx.el.button(
        rx.flex(
            kit.text(message["contact_name"], weight="medium"),
            kit.muted(kit.at(message["occurred_at"].to(str), "D MMM, HH:mm"), size="1"),
            justify="between",
            gap=theme.S2,
        ),
        kit.muted(message["excerpt"].to(str)),
        class_name="ib-result",
        on_click=InboxState.choose_found(
            message["conversation_id"].to(str), message["message_id"].to(str)
        ),
    )


# The open conversation -----------------------------------------------------------------------------


def _thread_column() -> rx.Component:
    return rx.fragment(
        rx.box(
            rx.cond(
                InboxState.is_open,
                rx.fragment(_conversation_bar(), _thread(), _composer()),
                rx.center(
                    kit.empty(
                        "messages-square",
                        "Choose a conversation",
                        "Arrows or j and k step through the list, Enter opens, Esc closes.",
                    ),
                    height="100%",
                ),
            ),
            class_name=rx.cond(InboxState.is_open, "ib-col-thread", "ib-col-thread is-behind"),
        ),
        rx.cond(
            InboxState.is_open,
            rx.fragment(
                _panel("ib-col-panel"),
                rx.cond(InboxState.is_panel_open, _panel("ib-col-panel is-asked")),
            ),
        ),
    )


def _conversation_bar() -> rx.Component:
    row = InboxState.detail["row"].to(dict[str, Any])
    return rx.flex(
        rx.box(
            kit.icon_button("arrow-left", "Back to the list", on_click=InboxState.close_thread),
            class_name="ib-back",
        ),
        rx.box(
            rx.heading(row["contact_name"].to(str), as_="h2", size="3"),
            kit.muted(
                rx.cond(
                    InboxState.watchers != "",
                    InboxState.watchers,
                    rx.cond(
                        InboxState.shown_phone != "", InboxState.shown_phone + " · via ", "via "
                    )
                    + row["number_name"].to(str),
                ),
                size="1",
                aria_live="polite",
            ),
            class_name="ib-who",
        ),
        rx.box(_assignee(row), display=["none", "none", "block"]),
        _answering(),
        _snooze_menu(row),
        _close_button(row),
        rx.box(
            kit.icon_button("panel-right", "About this person", on_click=InboxState.toggle_panel),
            display=["block", "block", "block", "block", "none"],
        ),
        align="center",
        gap=theme.S2,
        padding=f"{theme.S2} {theme.S3}",
        border_bottom=f"1px solid {theme.LINE}",
        background=theme.SURFACE,
        flex_shrink="0",
    )


def _assignee(row: Any) -> rx.Component:
    assignee = row["assignee_id"].to(str)
    return rx.select.root(
        rx.select.trigger(
            aria_label="Assigned to",
            variant="soft",
            color_scheme="gray",
            max_width=["96px", "120px", "160px"],
        ),
        rx.select.content(
            rx.select.item("Unassigned", value="nobody"),
            rx.foreach(
                InboxState.members,
                lambda one: rx.select.item(one["name"].to(str), value=one["user_id"].to(str)),
            ),
            position="popper",
        ),
        value=rx.cond(row["assignee_id"], assignee, "nobody"),
        on_change=InboxState.assign,
        size="1",
    )


ANSWERING = {
    "automation": ("Automation", "workflow", theme.GOOD),
    "ai": ("AI agent", "bot", "violet"),
    "person": ("People", "user-round", theme.NEUTRAL),
    "paused": ("Paused", "circle-pause", theme.WARN),
}


def _answering() -> rx.Component:
    """Who answers in this conversation, and the way to hand it over."""
    mode = InboxState.detail["mode"].to(str)
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.button(
                rx.match(
                    mode,
                    *((key, rx.icon(icon, size=14)) for key, (_, icon, _) in ANSWERING.items()),
                    rx.icon("user-round", size=14),
                ),
                rx.text(
                    "Answers: " + _answering_words(mode),
                    as_="span",
                    display=["none", "none", "inline"],
                ),
                rx.icon("chevron-down", size=13),
                variant="soft",
                size="1",
                color_scheme=rx.match(
                    mode, *((key, tone) for key, (_, _, tone) in ANSWERING.items()), "gray"
                ),
                aria_label="Who answers: " + _answering_words(mode),
                cursor="pointer",
            )
        ),
        rx.dropdown_menu.content(
            *(
                rx.dropdown_menu.item(
                    rx.icon(icon, size=15), words, on_select=InboxState.choose_mode(key)
                )
                for key, (words, icon, _) in ANSWERING.items()
            ),
            rx.dropdown_menu.separator(),
            rx.dropdown_menu.item(
                rx.icon("undo-2", size=15),
                "Hand back: as the number says",
                on_select=InboxState.choose_mode("number"),
            ),
        ),
    )


def _answering_words(mode: rx.Var[str]) -> rx.Var[str]:
    words = ((key, shown) for key, (shown, _, _) in ANSWERING.items())
    return rx.match(mode, *words, "People").to(str)  # type: ignore[union-attr]


def _snooze_menu(row: Any) -> rx.Component:
    return rx.cond(
        row["status"].to(str) == "open",
        rx.dropdown_menu.root(
            rx.dropdown_menu.trigger(
                rx.icon_button(
                    rx.icon("clock", size=17),
                    aria_label="Snooze",
                    title="Snooze",
                    variant="ghost",
                    color_scheme="gray",
                    margin="0",
                )
            ),
            rx.dropdown_menu.content(
                *(
                    rx.dropdown_menu.item(words, on_select=InboxState.snooze(name))
                    for name, (words, _) in SNOOZES.items()
                ),
                rx.dropdown_menu.separator(),
                rx.dropdown_menu.item(
                    "Choose a date and time…", on_select=InboxState.choose_snooze
                ),
            ),
        ),
    )


def _snooze_dialog() -> rx.Component:
    return kit.dialog(
        "Snooze until",
        rx.form(
            kit.field(
                "Date and time",
                "until",
                kind="datetime-local",
                required=True,
                error=InboxState.snooze_problem,
            ),
            kit.dialog_actions(
                kit.button(
                    "Keep it open",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=InboxState.keep_open,
                ),
                kit.button("Snooze", icon="clock", type="submit"),
            ),
            on_submit=lambda form: InboxState.snooze_until(_in_the_readers_zone(form)),
            reset_on_submit=False,
        ),
        note="It comes back then, or earlier if the customer writes.",
        is_open=InboxState.is_choosing_snooze,
        on_close=InboxState.keep_open,
        width="400px",
    )


def _in_the_readers_zone(form: rx.Var[Any]) -> rx.Var[str]:
    """The typed moment with its zone: only the browser knows which one the reader is in."""
    return rx.Var(f"(new Date({form!s}['until']).toJSON() ?? '')").to(str)


def _close_button(row: Any) -> rx.Component:
    return rx.cond(
        row["status"].to(str) == "open",
        kit.button(
            "Close", icon="check", variant="soft", size="1", on_click=InboxState.close_conversation
        ),
        kit.button(
            "Reopen", icon="rotate-ccw", variant="soft", size="1", on_click=InboxState.reopen
        ),
    )


def _thread() -> rx.Component:
    return thread(
        items=InboxState.thread,
        conversation_id=InboxState.conversation_id,
        has_older=InboxState.has_older,
        has_newer=InboxState.has_newer,
        found_id=InboxState.found_id,
        on_older=InboxState.load_older,
        on_newest=InboxState.show_newest,
        on_reply=InboxState.start_reply,
        on_react=InboxState.react,
        on_retry=InboxState.retry,
        on_give_up=InboxState.give_up,
        on_take_back=InboxState.take_back,
        on_seen=InboxState.seen,
        on_close=InboxState.close_thread,
    )


def _composer() -> rx.Component:
    return composer(
        conversation_id=InboxState.conversation_id,
        workspace=InboxState.workspace_id,
        window_closes_at=InboxState.detail["window_closes_at"].to(str),
        problem=InboxState.problem,
        canned=InboxState.canned,
        colleagues=InboxState.members,
        templates=InboxState.templates,
        reply_to=InboxState.reply_to,
        returned=InboxState.returned,
        on_send=InboxState.send_text,
        on_note=InboxState.add_note,
        on_media=InboxState.send_media,
        on_structured=InboxState.send_structured,
        on_template=InboxState.send_template,
        on_typing=InboxState.typing,
        on_canned=InboxState.take_canned,
        on_cancel_reply=InboxState.cancel_reply,
        on_open_templates=InboxState.open_templates,
    )


# About the person ----------------------------------------------------------------------------------


def _panel(class_name: str) -> rx.Component:
    detail = InboxState.detail
    row = detail["row"].to(dict[str, Any])
    return rx.el.aside(
        rx.vstack(
            rx.hstack(
                kit.avatar(row["contact_name"].to(str), size="4"),
                rx.box(
                    rx.heading(row["contact_name"].to(str), as_="h3", size="3"),
                    kit.muted(
                        rx.cond(
                            InboxState.shown_phone != "", InboxState.shown_phone, "No phone number"
                        )
                    ),
                    min_width="0",
                ),
                align="center",
                gap=theme.S3,
            ),
            rx.link(
                "Open contact",
                href=f"/dashboard/{InboxState.workspace_id}/contacts/{row['contact_id']}",
                size="2",
            ),
            _fact("E-mail", detail["contact_email"]),
            _fact("Language", detail["contact_language"]),
            _fact("Written to", detail["number_phone"]),
            _moment("First conversation", detail["created_at"]),
            _moment("Last wrote", detail["last_inbound_at"]),
            rx.box(
                kit.muted("Assigned to", size="1", margin_bottom="4px"),
                _assignee(row),
                display=["block", "block", "none"],
            ),
            _label_choices(),
            align="start",
            gap=theme.S3,
            width="100%",
        ),
        class_name=class_name,
        aria_label="About this person",
        background=theme.SURFACE,
    )


def _fact(name: str, value: Any) -> rx.Component:
    return rx.cond(
        value,
        rx.box(kit.muted(name, size="1"), kit.text(value.to(str), overflow_wrap="anywhere")),
    )


def _moment(name: str, value: Any) -> rx.Component:
    return rx.cond(value, rx.box(kit.muted(name, size="1"), kit.text(kit.at(value.to(str)))))


def _label_choices() -> rx.Component:
    return rx.cond(
        InboxState.labels.length() > 0,
        rx.box(
            kit.muted("Labels", size="1", margin_bottom="4px"),
            rx.flex(rx.foreach(InboxState.labels, _label_choice), gap="6px", wrap="wrap"),
        ),
    )


def _label_choice(label: Any) -> rx.Component:
    is_on = InboxState.conversation_label_ids.contains(label["id"].to(str))
    return rx.button(
        rx.cond(is_on, rx.icon("check", size=12)),
        label["name"].to(str),
        on_click=InboxState.toggle_label(label["id"].to(str)),
        aria_pressed=is_on,
        color_scheme=label["colour"].to(str),
        variant=rx.cond(is_on, "soft", "outline"),
        size="1",
        cursor="pointer",
    )

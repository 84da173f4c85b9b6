"""The list of contacts."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.state.contacts import ContactLine, Contacts, FieldLine, TagLine
from aerostic.state.session import SignedIn

COLOURS = ("gray", "red", "orange", "amber", "green", "teal", "blue", "violet", "pink")
TYPES = (
    ("text", "Text"),
    ("number", "Number"),
    ("date", "Date"),
    ("choice", "Choice of a list"),
    ("yes_no", "Yes or no"),
)
may_write = SignedIn.may.contains(str(Permission.CONTACTS_WRITE))
may_import = SignedIn.may.contains(str(Permission.CONTACTS_IMPORT))
may_export = SignedIn.may.contains(str(Permission.CONTACTS_EXPORT))
may_define = SignedIn.may.contains(str(Permission.INBOX_MANAGE))


def contact_path(contact_id: Any) -> rx.Var[str]:
    return rx.Var.create(f"/dashboard/{SignedIn.here}/contacts/{contact_id}")


def tag_badge(tag: Any) -> rx.Component:
    return kit.badge(tag.name, tag.colour)


@rx.page(
    route="/dashboard/[workspace_id]/contacts",
    title="Contacts · Aerostic",
    on_load=[SignedIn.enter, Contacts.load],
)
def contacts() -> rx.Component:
    return shell(
        rx.script(src="/contacts.js"),
        rx.flex(
            _head(),
            kit.card(_filters(), _bulk(), _list(), padding=theme.S4),
            direction="column",
            gap=theme.S4,
        ),
        _new_dialog(),
        _arrange_dialog(),
        _delete_dialogs(),
        title="Contacts",
        active="contacts",
    )


def _head() -> rx.Component:
    return kit.heading(
        "People",
        Contacts.total + " in this list",
        rx.cond(may_export, _export_menu()),
        rx.cond(
            may_import,
            rx.link(
                kit.button("Import", icon="file-up", variant="soft", tab_index=-1),
                href=contact_path("import"),
                underline="none",
            ),
        ),
        rx.cond(
            may_write,
            kit.button(
                "Tags and fields", icon="tags", variant="soft", on_click=Contacts.begin_arranging
            ),
        ),
        rx.cond(
            may_write, kit.button("New contact", icon="user-plus", on_click=Contacts.begin_adding)
        ),
    )


def _export_menu() -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(kit.button("Export", icon="download", variant="soft")),
        rx.dropdown_menu.content(
            rx.dropdown_menu.item("This list as CSV", on_select=Contacts.export("csv")),
            rx.dropdown_menu.item("This list for Excel", on_select=Contacts.export("xlsx")),
        ),
    )


def _filters() -> rx.Component:
    return rx.flex(
        rx.box(
            rx.input(
                rx.input.slot(rx.icon("search", size=16)),
                placeholder="Name, number or e-mail",
                aria_label="Search contacts",
                default_value=Contacts.text,
                on_change=Contacts.search.debounce(250),
                size="3",
                width="100%",
            ),
            flex="1",
            min_width=["100%", "100%", "240px"],
        ),
        rx.select.root(
            rx.select.trigger(aria_label="Only with the tag", placeholder="Any tag"),
            rx.select.content(
                rx.select.item("Any tag", value="any"),
                rx.foreach(Contacts.tags, lambda tag: rx.select.item(tag.name, value=tag.id)),
                position="popper",
            ),
            value=rx.cond(Contacts.tag_id != "", Contacts.tag_id, "any"),
            on_change=Contacts.choose_tag,
            size="3",
        ),
        gap=theme.S3,
        wrap="wrap",
        margin_bottom=theme.S3,
    )


def _bulk() -> rx.Component:
    """What can be done with the chosen ones; there only while some are."""
    return rx.cond(
        Contacts.selected.length() > 0,
        rx.flex(
            kit.text(Contacts.chosen, weight="medium", role="status"),
            _tag_menu("Add a tag", "tag", Contacts.tag_selected),
            _tag_menu("Remove a tag", "x", Contacts.untag_selected),
            rx.cond(
                Contacts.has_more & ~Contacts.is_everything,
                kit.button(
                    "Select all " + Contacts.total,
                    variant="ghost",
                    size="1",
                    margin="0",
                    on_click=Contacts.select_everything,
                ),
            ),
            kit.button(
                "Clear",
                variant="ghost",
                size="1",
                color_scheme="gray",
                margin="0",
                on_click=Contacts.select_nothing,
            ),
            align="center",
            gap=theme.S3,
            wrap="wrap",
            padding=theme.S2,
            border_radius=theme.RADIUS_SMALL,
            background=theme.SELECTED,
            margin_bottom=theme.S2,
        ),
        rx.cond(
            may_write & (Contacts.rows.length() > 0),
            kit.button(
                "Select these",
                variant="ghost",
                size="1",
                color_scheme="gray",
                margin=f"0 0 {theme.S2}",
                on_click=Contacts.select_shown,
            ),
        ),
    )


def _tag_menu(label: str, icon: str, act: Any) -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(kit.button(label, icon=icon, variant="soft", size="1")),
        rx.dropdown_menu.content(
            rx.cond(
                Contacts.tags.length() > 0,
                rx.foreach(
                    Contacts.tags,
                    lambda tag: rx.dropdown_menu.item(tag.name, on_select=act(tag.id)),
                ),
                rx.dropdown_menu.item("Make the first tag…", on_select=Contacts.begin_arranging),
            ),
        ),
    )


def _list() -> rx.Component:
    nobody = rx.cond(
        Contacts.is_narrowed,
        kit.empty(
            "search-x",
            "Nobody like that",
            "Try fewer letters, a part of the number, or another tag.",
        ),
        kit.empty(
            "contact",
            "No contacts yet",
            "Whoever writes to you appears here by themselves. You can also enter people, or import a list.",
        ),
    )
    return rx.box(
        kit.table(
            ["", "Name", "Number", "Tags", "Last active"],
            Contacts.rows,
            _row,
            is_loading=Contacts.is_loading,
            when_empty=nobody,
            has_more=Contacts.can_load_more,
            on_more=Contacts.show_more,
        ),
        rx.cond(
            Contacts.has_more & ~Contacts.can_load_more,
            kit.muted(
                "There are more than fit here. Search, or choose a tag, to see the others.",
                align="center",
                padding=theme.S3,
            ),
        ),
    )


def _row(contact: ContactLine) -> list[rx.Component]:
    return [
        rx.cond(
            may_write,
            rx.checkbox(
                checked=Contacts.selected.contains(contact.id),
                on_change=lambda _: Contacts.toggle(contact.id),
                aria_label="Select " + contact.name,
            ),
        ),
        rx.flex(
            kit.avatar(contact.name),
            rx.box(
                rx.link(
                    contact.name,
                    href=contact_path(contact.id),
                    size="2",
                    weight="medium",
                    color=theme.INK,
                ),
                kit.muted(contact.email, size="1"),
                min_width="130px",
            ),
            rx.cond(contact.is_blocked, kit.badge("Blocked", theme.BAD, "ban")),
            align="center",
            gap=theme.S3,
        ),
        kit.text(contact.phone, white_space="nowrap"),
        rx.flex(rx.foreach(contact.tags, tag_badge), gap=theme.S1, wrap="wrap"),
        kit.muted(kit.when(contact.active_at), white_space="nowrap"),
    ]


def _new_dialog() -> rx.Component:
    return kit.dialog(
        "New contact",
        rx.form(
            rx.flex(
                kit.field("Name", "name", error=Contacts.errors["name"], auto_focus=True),
                kit.field(
                    "Phone number",
                    "phone",
                    kind="tel",
                    error=Contacts.errors["phone"],
                    hint="With its country code: +49 170 1234567",
                ),
                kit.field("E-mail", "email", error=Contacts.errors["email"]),
                rx.cond(
                    Contacts.problem != "",
                    kit.note(Contacts.problem, tone=theme.BAD, icon="circle-alert"),
                ),
                direction="column",
                gap=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Cancel",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=Contacts.close,
                ),
                kit.button("Add the contact", type="submit", loading=Contacts.is_busy),
            ),
            on_submit=Contacts.create,
        ),
        note="A name, a number or an e-mail address is enough.",
        is_open=Contacts.is_adding,
        on_close=Contacts.close,
    )


def _arrange_dialog() -> rx.Component:
    return kit.dialog(
        "Tags and fields",
        rx.flex(
            rx.flex(rx.foreach(Contacts.tags, _tag_line), gap=theme.S2, wrap="wrap"),
            rx.form(
                rx.flex(
                    rx.box(
                        kit.field("New tag", "tag", error=Contacts.errors["name"], auto_focus=True),
                        flex="1",
                    ),
                    rx.box(
                        kit.choice(
                            "Colour",
                            "colour",
                            [(one, one.capitalize()) for one in COLOURS],
                            default_value="green",
                        ),
                        width="120px",
                    ),
                    gap=theme.S3,
                ),
                kit.button("Add the tag", type="submit", variant="soft", margin_top=theme.S3),
                on_submit=Contacts.create_tag,
                reset_on_submit=True,
            ),
            rx.cond(may_define, _fields()),
            rx.cond(
                Contacts.problem != "",
                kit.note(Contacts.problem, tone=theme.BAD, icon="circle-alert"),
            ),
            direction="column",
            gap=theme.S4,
        ),
        kit.dialog_actions(kit.button("Done", on_click=Contacts.close)),
        note="Tags group people. Fields hold what you want to know about each.",
        is_open=Contacts.is_arranging,
        on_close=Contacts.close,
    )


def _tag_line(tag: TagLine) -> rx.Component:
    return rx.flex(
        tag_badge(tag),
        kit.icon_button(
            "x", "Delete the tag " + tag.name, size="1", on_click=Contacts.ask_to_delete_tag(tag.id)
        ),
        align="center",
        gap="2px",
    )


def _fields() -> rx.Component:
    return rx.fragment(
        rx.separator(width="100%"),
        rx.flex(rx.foreach(Contacts.fields, _field_line), direction="column", gap=theme.S1),
        rx.form(
            rx.flex(
                rx.box(kit.field("New field", "label", error=Contacts.errors["label"]), flex="1"),
                rx.box(kit.choice("Kind", "type", TYPES, default_value="text"), width="150px"),
                gap=theme.S3,
            ),
            rx.box(
                kit.field(
                    "Choices",
                    "choices",
                    error=Contacts.errors["choices"],
                    hint="For a choice of a list: separated by commas.",
                ),
                margin_top=theme.S3,
            ),
            kit.button("Add the field", type="submit", variant="soft", margin_top=theme.S3),
            on_submit=Contacts.define_field,
            reset_on_submit=True,
        ),
    )


def _field_line(one: FieldLine) -> rx.Component:
    return rx.flex(
        kit.text(one.label),
        kit.code(one.key),
        rx.spacer(),
        kit.icon_button(
            "x",
            "Stop keeping " + one.label,
            size="1",
            on_click=Contacts.ask_to_delete_field(one.id),
        ),
        align="center",
        gap=theme.S2,
    )


def _delete_dialogs() -> rx.Component:
    tag, field = Contacts.leaving_tag, Contacts.leaving_field
    return rx.fragment(
        kit.confirm(
            "Delete the tag “" + tag.name + "”?",
            "It is taken from every contact that carries it. The contacts stay.",
            is_open=tag.id != "",
            act="Delete the tag",
            on_confirm=Contacts.delete_tag,
            on_cancel=Contacts.keep,
        ),
        kit.confirm(
            "Stop keeping “" + field.label + "”?",
            "It is no longer shown. Make the same field again, and what was kept is there again.",
            is_open=field.id != "",
            act="Stop keeping it",
            on_confirm=Contacts.delete_field,
            on_cancel=Contacts.keep,
        ),
    )

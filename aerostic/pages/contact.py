"""One contact."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import shell
from aerostic.core.permissions import Permission
from aerostic.pages.contacts import contact_path, may_write, tag_badge
from aerostic.state.contact import ERASE, Choice, ContactPage, Difference, Happening, Talk, Value
from aerostic.state.contacts import TagLine
from aerostic.state.session import SignedIn

STATUS_COLOURS = rx.Var.create({"open": theme.GOOD, "snoozed": theme.WARN, "closed": theme.NEUTRAL})
person = ContactPage.person
may_reply = SignedIn.may.contains(str(Permission.INBOX_REPLY))
may_erase = SignedIn.may.contains(str(Permission.CONTACTS_ERASE))


@rx.page(
    route="/dashboard/[workspace_id]/contacts/[contact_id]",
    title="Contact · Aerostic",
    on_load=[SignedIn.enter, ContactPage.load],
)
def contact() -> rx.Component:
    return shell(
        rx.link("← All contacts", href=contact_path(""), size="2", color=theme.ACCENT_INK),
        rx.box(
            rx.cond(
                ContactPage.missing != "",
                kit.card(kit.empty("user-x", "Not here", ContactPage.missing)),
                rx.cond(ContactPage.is_loading, kit.card(kit.skeleton_rows(6)), _person()),
            ),
            margin_top=theme.S3,
        ),
        _edit_dialog(),
        _merge_dialog(),
        _erase_dialog(),
        title=rx.cond(person.name != "", person.name, "Contact"),
        active="contacts",
    )


def _person() -> rx.Component:
    return rx.flex(
        _head(),
        rx.grid(
            rx.flex(_details(), _tags(), direction="column", gap=theme.S4, min_width="0"),
            rx.flex(_talks(), _timeline(), direction="column", gap=theme.S4, min_width="0"),
            columns={"initial": "1", "md": "2"},
            gap=theme.S4,
        ),
        direction="column",
        gap=theme.S4,
    )


def _head() -> rx.Component:
    return kit.card(
        rx.flex(
            kit.avatar(person.name, size="5"),
            rx.box(
                rx.flex(
                    rx.heading(
                        person.name, as_="h2", size="5", style={"overflow_wrap": "anywhere"}
                    ),
                    rx.cond(person.is_blocked, kit.badge("Blocked", theme.BAD, "ban")),
                    rx.cond(
                        person.wants_no_marketing, kit.badge("No marketing", theme.WARN, "bell-off")
                    ),
                    align="center",
                    gap=theme.S2,
                    wrap="wrap",
                ),
                kit.muted(rx.cond(person.phone != "", person.phone, "No phone number")),
                flex="1",
                min_width="180px",
            ),
            rx.flex(
                rx.cond(may_reply, _write_menu()),
                rx.cond(
                    may_write,
                    kit.button(
                        "Edit",
                        icon="pencil",
                        variant="soft",
                        on_click=ContactPage.open_dialog("edit"),
                    ),
                ),
                rx.cond(may_write, _more_menu()),
                gap=theme.S2,
                align="center",
                wrap="wrap",
            ),
            align="center",
            gap=theme.S4,
            wrap="wrap",
        ),
    )


def _write_menu() -> rx.Component:
    """Which of our numbers writes. What may be sent then is the inbox's to say."""
    return rx.cond(
        ContactPage.numbers.length() > 0,
        rx.dropdown_menu.root(
            rx.dropdown_menu.trigger(
                kit.button("Write", icon="message-circle", disabled=person.is_blocked)
            ),
            rx.dropdown_menu.content(rx.foreach(ContactPage.numbers, _number)),
        ),
    )


def _number(number: Choice) -> rx.Component:
    return rx.dropdown_menu.item(
        "From " + number.name + " (" + number.note + ")", on_select=ContactPage.write(number.id)
    )


def _more_menu() -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=18),
                variant="soft",
                color_scheme="gray",
                aria_label="More about this contact",
            )
        ),
        rx.dropdown_menu.content(
            rx.dropdown_menu.item(
                rx.cond(person.is_blocked, "Unblock", "Block"), on_select=ContactPage.toggle_block
            ),
            rx.dropdown_menu.item(
                "Merge another contact into this one…", on_select=ContactPage.open_dialog("merge")
            ),
            rx.cond(may_erase, rx.dropdown_menu.separator()),
            rx.cond(
                may_erase,
                rx.dropdown_menu.item(
                    "Erase…", color="red", on_select=ContactPage.open_dialog("erase")
                ),
            ),
        ),
    )


def _details() -> rx.Component:
    return kit.section(
        "Details",
        "",
        rx.data_list.root(
            _detail("E-mail", person.email),
            _detail("Language", person.language),
            _detail("Country", person.country),
            _detail("On WhatsApp", person.profile_name),
            rx.foreach(ContactPage.values, lambda one: _detail(one.label, one.value)),
            rx.data_list.item(
                rx.data_list.label("Since"),
                rx.data_list.value(kit.at(person.created_at, "D MMM YYYY")),
            ),
            rx.cond(
                person.last_inbound_at != "",
                rx.data_list.item(
                    rx.data_list.label("Last wrote"),
                    rx.data_list.value(kit.when(person.last_inbound_at)),
                ),
            ),
            size="2",
        ),
    )


def _detail(label: Any, value: Any) -> rx.Component:
    return rx.data_list.item(
        rx.data_list.label(label),
        rx.data_list.value(rx.cond(value != "", value, "–"), style={"overflow_wrap": "anywhere"}),
    )


def _tags() -> rx.Component:
    add = rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(kit.button("Add", icon="plus", variant="soft", size="1")),
        rx.dropdown_menu.content(
            rx.foreach(
                ContactPage.other_tags,
                lambda tag: rx.dropdown_menu.item(tag.name, on_select=ContactPage.add_tag(tag.id)),
            )
        ),
    )
    return kit.section(
        "Tags",
        "",
        rx.cond(
            ContactPage.tags.length() > 0,
            rx.flex(rx.foreach(ContactPage.tags, _tag), gap=theme.S2, wrap="wrap"),
            kit.muted("None yet."),
        ),
        actions=[rx.cond(may_write & (ContactPage.other_tags.length() > 0), add)],
    )


def _tag(tag: TagLine) -> rx.Component:
    remove = kit.icon_button(
        "x", "Remove the tag " + tag.name, size="1", on_click=ContactPage.remove_tag(tag.id)
    )
    return rx.flex(tag_badge(tag), rx.cond(may_write, remove), align="center", gap="2px")


def _talks() -> rx.Component:
    return kit.section(
        "Conversations",
        "",
        rx.cond(
            ContactPage.talks.length() > 0,
            rx.flex(rx.foreach(ContactPage.talks, _talk), direction="column", gap=theme.S2),
            kit.muted("No conversation yet."),
        ),
    )


def _talk(talk: Talk) -> rx.Component:
    return rx.link(
        rx.flex(
            rx.box(
                kit.text(talk.number, weight="medium"),
                kit.muted(
                    rx.cond(talk.preview != "", talk.preview, "No message yet"), truncate=True
                ),
                flex="1",
                min_width="0",
            ),
            rx.flex(
                kit.badge(talk.status.capitalize(), STATUS_COLOURS[talk.status]),
                kit.muted(kit.when(talk.at), size="1"),
                direction="column",
                align="end",
                gap="2px",
            ),
            gap=theme.S3,
            padding=theme.S2,
            border_radius=theme.RADIUS_SMALL,
            _hover={"background": theme.HOVER},
        ),
        href=rx.Var.create(f"/dashboard/{SignedIn.here}/inbox?c={talk.id}"),
        underline="none",
        color=theme.INK,
        **theme.FOCUS,
    )


def _timeline() -> rx.Component:
    return kit.section(
        "Timeline",
        "What your team did, and how much was written.",
        rx.flex(rx.foreach(ContactPage.happenings, _happening), direction="column", gap=theme.S3),
        kit.more(ContactPage.has_more, ContactPage.show_more, "There is more:"),
    )


def _happening(one: Happening) -> rx.Component:
    note = rx.box(
        kit.muted(one.actor + " noted:", size="1"),
        kit.text(one.text, style={"white_space": "pre-wrap", "overflow_wrap": "anywhere"}),
        background="var(--amber-3)",
        padding=theme.S2,
        border_radius=theme.RADIUS_SMALL,
    )
    return rx.box(
        rx.cond(one.is_note, note, kit.text(one.text, style={"overflow_wrap": "anywhere"})),
        kit.muted(kit.when(one.at), size="1"),
    )


# Dialogs


def _edit_dialog() -> rx.Component:
    errors = ContactPage.errors
    return kit.dialog(
        "Edit the contact",
        rx.form(
            rx.flex(
                kit.field("Name", "name", default_value=person.given_name, error=errors["name"]),
                kit.field(
                    "Phone number",
                    "phone",
                    kind="tel",
                    default_value=person.phone,
                    error=errors["phone"],
                ),
                kit.field("E-mail", "email", default_value=person.email, error=errors["email"]),
                rx.grid(
                    kit.field(
                        "Language",
                        "language",
                        default_value=person.language,
                        error=errors["language"],
                        hint="en, pt_BR",
                    ),
                    kit.field(
                        "Country",
                        "country",
                        default_value=person.country,
                        error=errors["country"],
                        hint="DE, BR",
                    ),
                    columns="2",
                    gap=theme.S3,
                ),
                rx.foreach(ContactPage.values, _value_field),
                rx.cond(
                    ContactPage.problem != "",
                    kit.note(ContactPage.problem, tone=theme.BAD, icon="circle-alert"),
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
                    on_click=ContactPage.close,
                ),
                kit.button("Save", type="submit", loading=ContactPage.is_busy),
            ),
            on_submit=ContactPage.save,
        ),
        is_open=ContactPage.dialog == "edit",
        on_close=ContactPage.close,
    )


def _value_field(one: Value) -> rx.Component:
    """A field of the workspace, by its kind."""
    name = "attributes." + one.key
    ident = "field-" + one.key
    choice = rx.select.root(
        rx.select.trigger(id=ident, width="100%"),
        rx.select.content(
            rx.select.item("–", value="none"),
            rx.foreach(one.choices, lambda words: rx.select.item(words, value=words)),
            position="popper",
        ),
        name=name,
        default_value=rx.cond(one.value != "", one.value, "none"),
        size="3",
    )
    yes_no = rx.select.root(
        rx.select.trigger(id=ident, width="100%"),
        rx.select.content(
            *(
                rx.select.item(words, value=value)
                for value, words in (("none", "–"), ("yes", "Yes"), ("no", "No"))
            ),
            position="popper",
        ),
        name=name,
        default_value=rx.cond(one.value != "", one.value, "none"),
        size="3",
    )
    typed = rx.input(
        id=ident,
        name=name,
        type=rx.cond(one.type == "date", "date", "text"),
        default_value=one.value,
        size="3",
        width="100%",
    )
    return rx.box(
        rx.el.label(
            rx.text(one.label, size="2", weight="medium", as_="span"),
            html_for=ident,
            display="block",
            margin_bottom="6px",
        ),
        rx.cond(one.type == "choice", choice, rx.cond(one.type == "yes_no", yes_no, typed)),
        rx.cond(
            ContactPage.errors[name],
            rx.text(
                ContactPage.errors[name],
                size="1",
                color="var(--red-11)",
                margin_top="5px",
                role="alert",
            ),
        ),
        width="100%",
    )


def _merge_dialog() -> rx.Component:
    other = ContactPage.other
    return kit.dialog(
        "Merge into " + person.name,
        rx.cond(
            other.id != "",
            rx.flex(
                kit.note(
                    other.name + " disappears: its numbers, tags, conversations and messages become a "
                    "part of " + person.name + ". This can not be undone.",
                    tone=theme.WARN,
                    icon="git-merge",
                ),
                rx.cond(
                    ContactPage.differences.length() > 0,
                    kit.text("They do not say the same. What stays?"),
                ),
                rx.foreach(ContactPage.differences, _difference),
                direction="column",
                gap=theme.S3,
            ),
            rx.flex(
                rx.input(
                    placeholder="Name, number or e-mail",
                    aria_label="Find the other contact",
                    on_change=ContactPage.find_others.debounce(250),
                    auto_focus=True,
                    size="3",
                ),
                rx.foreach(ContactPage.found, _other),
                direction="column",
                gap=theme.S2,
            ),
        ),
        kit.dialog_actions(
            kit.button("Cancel", variant="soft", color_scheme="gray", on_click=ContactPage.close),
            rx.cond(
                other.id != "",
                kit.button("Merge " + other.name, color_scheme="red", on_click=ContactPage.merge),
            ),
        ),
        note="Find the contact that is the same person.",
        is_open=ContactPage.dialog == "merge",
        on_close=ContactPage.close,
    )  # fmt: skip


def _difference(one: Difference) -> rx.Component:
    return rx.box(
        kit.muted(one.label, size="1"),
        rx.radio_group.root(
            _side("this", one.ours),
            _side("other", one.theirs),
            default_value="this",
            on_change=lambda side: ContactPage.choose_for(one.field, side),
            aria_label=one.label,
        ),
    )


def _side(side: str, value: Any) -> rx.Component:
    return rx.text(
        rx.flex(
            rx.radio_group.item(value=side),
            rx.text(value, as_="span", style={"overflow_wrap": "anywhere"}),
            gap=theme.S2,
            align="center",
        ),
        as_="label",
        size="2",
    )


def _other(one: Choice) -> rx.Component:
    return rx.el.button(
        kit.avatar(one.name, size="1"),
        kit.text(one.name, weight="medium"),
        kit.muted(one.note),
        type="button",
        on_click=ContactPage.choose_other(one.id),
        display="flex",
        align_items="center",
        gap=theme.S2,
        padding=theme.S2,
        text_align="left",
        border_radius=theme.RADIUS_SMALL,
        cursor="pointer",
        background="transparent",
        _hover={"background": theme.HOVER},
        **theme.FOCUS,
    )


def _erase_dialog() -> rx.Component:
    return kit.dialog(
        "Erase " + person.name + "?",
        rx.form(
            kit.note(
                "Names, numbers, fields, tags, the texts and files of every message, and notes are deleted "
                "for good, also from the log of what WhatsApp delivered. Nobody can bring them back. That "
                "there were messages, and when, stays. Backups keep what they hold until they are deleted.",
                tone=theme.BAD,
                icon="triangle-alert",
            ),
            rx.box(
                kit.field(
                    f"Type {ERASE} to confirm",
                    "typed",
                    error=ContactPage.errors["typed"],
                    auto_complete="off",
                ),
                margin_top=theme.S4,
            ),
            kit.dialog_actions(
                kit.button(
                    "Keep",
                    variant="soft",
                    color_scheme="gray",
                    type="button",
                    on_click=ContactPage.close,
                ),
                kit.button("Erase for good", color_scheme="red", type="submit"),
            ),
            on_submit=ContactPage.erase,
        ),
        is_open=ContactPage.dialog == "erase",
        on_close=ContactPage.close,
    )

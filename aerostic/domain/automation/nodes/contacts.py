"""Contacts: found, entered, changed, tagged; by the same rules as by hand."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator
from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.automation import scope
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    TOOL,
    Change,
    Group,
    NodeFailed,
    Outcome,
    Port,
    Step,
)
from aerostic.domain.automation.nodes.fields import (
    Anything,
    Line,
    Part,
    Text,
    ToolConfig,
    VariableName,
    saved_as,
    widget,
)
from aerostic.domain.automation.nodes.knowing import or_fail, write_fields
from aerostic.domain.automation.nodes.sending import recipient
from aerostic.domain.contacts import finding, identities, phones
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.models import Contact, IdentityKind, Tag
from aerostic.domain.contacts.schemas import ContactFilter, NewContact, Selection

MOST_LOOKED_AT = 50


class By(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    ID = "id"


class FindContact(Change):
    kind = "contact.find"
    title = "Find a contact"
    group = Group.PEOPLE
    icon = "user-search"
    summary = "Looks a contact of this workspace up by phone number, e-mail address or id."
    outputs = (Port("out", "Found"), Port("none", "Not found"), ERROR, TOOL)
    reads_only = True

    class Config(ToolConfig):
        by: By = Field(default=By.PHONE, title="By")
        value: Line = Field(
            title="Which",
            description="Such as {{ webhookPayload.body.phone }}.",
            min_length=1,
            max_length=300,
        )
        save_as: VariableName = Field(
            default="", title="Keep as", description="{{ vars.customer.name }} for customer."
        )

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        with or_fail(ctx):
            contact = _FIND[config.by](ctx, config.value.strip())
        if contact is None:
            return Outcome("none", output=None)
        found = seen(ctx, contact.id)
        return Outcome(output=found, names=saved_as(config.save_as, found))


def seen(ctx: Context, contact_id: UUID) -> dict[str, Any]:
    """A contact as templates see the run's own."""
    around = scope.look_around(ctx, None, contact_id, None)
    return dict(around.get("contact") or {})


def _there(contact: Contact | None) -> Contact | None:
    return None if contact is None or contact.erased_at or contact.merged_into_id else contact


def _by_phone(ctx: Context, text: str) -> Contact | None:
    return _there(identities.owner_of(ctx, IdentityKind.PHONE, phones.parse(text).digits))


def _by_id(ctx: Context, text: str) -> Contact | None:
    try:
        return _there(ctx.get(Contact, UUID(text)))
    except ValueError:
        return None


def _by_email(ctx: Context, text: str) -> Contact | None:
    """Its words lead to a few, among whom the very address is looked for."""
    if "@" not in text:
        return None
    alike = select(Contact).where(*finding.conditions(ctx, ContactFilter(text=text)))
    found = ctx.session.exec(alike.order_by(col(Contact.id)).limit(MOST_LOOKED_AT))
    return next((one for one in found if (one.email or "").lower() == text.lower()), None)


_FIND = {By.PHONE: _by_phone, By.EMAIL: _by_email, By.ID: _by_id}


class FieldValue(Part):
    name: Text = Field(
        title="Field",
        description="name, email, phone, language, country, or the key of a field of your own.",
        min_length=1,
        max_length=60,
    )
    value: Anything = Field(default="", title="Value", description="Empty: the field is emptied.")


def _rows(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [{"name": str(name), "value": part} for name, part in value.items()]
    return value


class CreateContact(Change):
    kind = "contact.create"
    title = "Create a contact"
    group = Group.PEOPLE
    icon = "user-plus"
    summary = "Enters a contact. One with the same number is changed instead."
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        phone: Line = Field(
            default="", title="Phone", description="With its country code.", max_length=60
        )
        name: Line = Field(default="", title="Name", max_length=200)
        email: Line = Field(default="", title="E-mail", max_length=254)
        fields: list[FieldValue] = Field(
            default=[], title="Further fields", max_length=50, json_schema_extra=widget("rows")
        )
        save_as: VariableName = Field(
            default="", title="Keep as", description="{{ vars.customer.id }} for customer."
        )

        _as_rows = field_validator("fields", mode="before")(_rows)

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        values = {"name": config.name, "email": config.email}
        values |= {one.name: one.value for one in config.fields}
        given = {name: value for name, value in values.items() if value not in ("", None)}
        with or_fail(ctx):
            contact_id, is_new = _entered(ctx, config.phone.strip(), given)
        output = {**seen(ctx, contact_id), "is_new": is_new}
        return Outcome(output=output, names=saved_as(config.save_as, output))


def _entered(ctx: Context, phone: str, given: Mapping[str, Any]) -> tuple[UUID, bool]:
    known = _by_phone(ctx, phone) if phone else None
    if known is not None:
        return write_fields(ctx, known.id, given).id, False
    plain = {name: str(given.get(name) or "") for name in ("name", "email", "language", "country")}
    own = {name: value for name, value in given.items() if name not in {*plain, "phone"}}
    new = NewContact(
        name=plain["name"],
        phone=phone,
        email=plain["email"],
        language=plain["language"],
        country=plain["country"],
        attributes=own,
    )
    return contacts.create(ctx, new).id, True


class UpdateContact(Change):
    kind = "contact.update"
    title = "Update a contact"
    group = Group.PEOPLE
    icon = "user-pen"
    summary = "Writes fields of a contact."
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        contact: Line = Field(
            default="",
            title="Contact",
            description="A phone number or an id. Empty: whoever this run is about.",
            max_length=100,
        )
        fields: list[FieldValue] = Field(
            title="Fields", min_length=1, max_length=50, json_schema_extra=widget("rows")
        )

        _as_rows = field_validator("fields", mode="before")(_rows)

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        with or_fail(ctx):
            contact = recipient(ctx, step, config.contact)
            values = {one.name: one.value for one in config.fields}
            changed = write_fields(ctx, contact.id, values)
        return Outcome(output=seen(ctx, changed.id))


class TagAction(StrEnum):
    ADD = "add"
    REMOVE = "remove"


class TagContact(Change):
    kind = "contact.tag"
    title = "Tag a contact"
    group = Group.PEOPLE
    icon = "tag"
    summary = "Gives a contact tags, or takes them away."
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        action: TagAction = Field(default=TagAction.ADD, title="Do")
        tags: list[UUID] = Field(
            default=[], title="Tags", max_length=50, json_schema_extra=widget("tag")
        )
        names: list[Text] = Field(
            default=[],
            title="Tags by name",
            description="Such as {{ vars.plan }}. A new name becomes a new tag.",
            max_length=20,
        )
        contact: Line = Field(
            default="",
            title="Contact",
            description="A phone number or an id. Empty: whoever this run is about.",
            max_length=100,
        )

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        is_adding = config.action is TagAction.ADD
        with or_fail(ctx):
            contact = recipient(ctx, step, config.contact)
            act = contacts.tag_contacts if is_adding else contacts.untag_contacts
            for tag_id in _tags(ctx, config, may_make=is_adding):
                act(ctx, tag_id, Selection(ids=(contact.id,)))
        ctx.session.flush()
        return Outcome(
            output={"contact_id": str(contact.id), "tags": seen(ctx, contact.id)["tags"]}
        )


def _tags(ctx: Context, config: Any, *, may_make: bool) -> list[UUID]:
    wanted = list(config.tags)
    for name in filter(None, (" ".join(one.split()) for one in config.names)):
        tag_id = ctx.session.scalar(select(Tag.id).where(col(Tag.name) == name))
        if tag_id is None and may_make:
            tag_id = contacts.create_tag(ctx, name).id
        wanted += [tag_id] if tag_id else []
    if not wanted and not config.names:
        raise NodeFailed("Choose at least one tag.")
    return list(dict.fromkeys(wanted))

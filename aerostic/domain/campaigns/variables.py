"""What fills a template's gaps for each recipient: a fixed text, a field of theirs, or a cell of a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aerostic.core.errors import Invalid
from aerostic.domain.templates.gaps import gaps
from aerostic.domain.templates.models import Template


class SourceKind(StrEnum):
    TEXT = "text"  # the same for everyone; of a file its id
    CONTACT = "contact"  # one of CONTACT_FIELDS
    ATTRIBUTE = "attribute"  # a field that the workspace keeps, by its key
    COLUMN = "column"  # a cell of the recipient's row of the list


CONTACT_FIELDS = {
    "name": "Name",
    "first_name": "First name",
    "phone": "Phone number",
    "email": "E-mail address",
    "language": "Language",
    "country": "Country",
}


class Source(BaseModel):
    """Where a gap's value comes from, and what stands there for whom that is empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SourceKind = SourceKind.TEXT
    key: str = Field("", max_length=1_024, description="The text, or the name of the field.")
    fallback: str = Field("", max_length=1_024, description="For whom the field is empty.")


Sources = Mapping[str, Source]
_SOURCES: TypeAdapter[dict[str, Source]] = TypeAdapter(dict[str, Source])


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one recipient."""

    contact_id: UUID
    name: str
    phone: str | None
    email: str | None
    language: str | None
    country: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    cells: Mapping[str, Any] = field(default_factory=dict)


def read(stored: object) -> dict[str, Source]:
    """Sources out of JSON. Raises Invalid with what is wrong where."""
    try:
        return _SOURCES.validate_python(stored)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid("variables", f"{place}: {first['msg']}.") from error


def check(template: Template, sources: Sources) -> None:
    """Raises Invalid for a gap that nothing fills, and for a source without its gap or its field."""
    wanted = [gap.key for gap in gaps(template)]
    for place in wanted:
        if place not in sources:
            raise Invalid(f"variables.{place}", f"Say what fills {place} of “{template.name}”.")
    for place, source in sources.items():
        if place not in wanted:
            raise Invalid(f"variables.{place}", f"“{template.name}” has no gap “{place}”.")
        _check_source(place, source)


def _check_source(place: str, source: Source) -> None:
    if not source.key.strip():
        raise Invalid(f"variables.{place}", f"Say what fills {place}.")
    if source.kind is SourceKind.CONTACT and source.key not in CONTACT_FIELDS:
        known = ", ".join(CONTACT_FIELDS)
        raise Invalid(f"variables.{place}", f"A contact has no “{source.key}”. Known are {known}.")


def values_of(sources: Sources, facts: Facts) -> dict[str, str]:
    """The value of each gap for one recipient; empty where there is neither a value nor a fallback."""
    return {place: _value(source, facts) or source.fallback for place, source in sources.items()}


def missing(values: Mapping[str, str]) -> list[str]:
    """The gaps that nothing fills."""
    return [place for place, value in values.items() if not value.strip()]


def _value(source: Source, facts: Facts) -> str:
    match source.kind:
        case SourceKind.TEXT:
            return source.key
        case SourceKind.CONTACT:
            return _field(source.key, facts)
        case SourceKind.ATTRIBUTE:
            return _text(facts.attributes.get(source.key))
        case SourceKind.COLUMN:
            return _text(facts.cells.get(source.key))


def _field(key: str, facts: Facts) -> str:
    if key == "first_name":
        return facts.name.split()[0] if facts.name.strip() else ""
    return _text(getattr(facts, key))


def _text(value: object) -> str:
    """One line: WhatsApp refuses breaks, tabs and long runs of spaces in a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())

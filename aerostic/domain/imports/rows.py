"""From a row of a file to what is known about a person, or the reason why not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aerostic.core.errors import Invalid
from aerostic.domain.contacts import fields, phones
from aerostic.domain.contacts.models import ContactAttribute
from aerostic.domain.contacts.schemas import AttributeValue
from aerostic.domain.imports import mapping, vocabulary
from aerostic.domain.imports.files import SourceRow

MOST_TAGS_OF_A_ROW = 20


@dataclass(frozen=True, slots=True)
class Person:
    """What a row says. An empty cell says nothing: it never empties what is kept."""

    row: SourceRow
    phone: str
    name: str = ""
    email: str | None = None
    language: str | None = None
    country: str | None = None
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not taken, with the reason for the report."""

    row: SourceRow
    reason: str


@dataclass(frozen=True, slots=True)
class Reader:
    """How the rows of one import are understood."""

    targets: Sequence[str]
    attributes: Mapping[str, ContactAttribute]
    default_country: str | None

    def read(self, row: SourceRow) -> Person | Refusal:
        if row.problem:
            return Refusal(row, row.problem)
        cells = {
            target: cell
            for target, cell in zip(self.targets, row.cells, strict=False)
            if cell and target != mapping.IGNORE
        }
        try:
            return self._person(row, cells)
        except Invalid as problem:
            return Refusal(row, problem.message)

    def _person(self, row: SourceRow, cells: Mapping[str, str]) -> Person:
        if mapping.PHONE not in cells:
            raise Invalid("phone", "There is no phone number.")
        phone = phones.parse(cells[mapping.PHONE], default_country=self.default_country)
        return Person(
            row=row,
            phone=phone.digits,
            name=fields.name(_name(cells)),
            email=fields.email(cells.get("email", "")),
            language=vocabulary.language(cells.get("language", "")),
            country=vocabulary.country(cells.get("country", "")) or phone.country,
            attributes=self._attributes(cells),
            tags=_tags(cells.get("tags", "")),
        )

    def _attributes(self, cells: Mapping[str, str]) -> dict[str, AttributeValue]:
        given = {
            target.removeprefix(mapping.ATTRIBUTE): cell
            for target, cell in cells.items()
            if target.startswith(mapping.ATTRIBUTE)
        }
        return fields.without_empty(fields.attributes(given, self.attributes))


def _name(cells: Mapping[str, str]) -> str:
    parts = (cells.get("first_name", ""), cells.get("last_name", ""))
    return cells.get("name") or " ".join(part for part in parts if part)


def _tags(cell: str) -> tuple[str, ...]:
    names = [fields.clean(name) for name in re.split(r"[,;|]|:::", cell)]
    names = list(dict.fromkeys(name for name in names if name and name != "*"))
    if len(names) > MOST_TAGS_OF_A_ROW:
        raise Invalid("tags", f"The row has {len(names)} tags; at most {MOST_TAGS_OF_A_ROW} fit.")
    return tuple(fields.short("tags", name, 60, f"The tag “{name[:20]}…”") for name in names)

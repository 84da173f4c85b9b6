"""Where two contacts that are merged both say something: whose word stays, field by field."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aerostic.core.errors import Invalid
from aerostic.domain.contacts.models import Contact

FIELDS = {
    "name": "Name",
    "phone": "Phone number",
    "email": "E-mail",
    "language": "Language",
    "country": "Country",
}
ATTRIBUTE = "attributes."


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of which two contacts say different things. `field` is how a choice names it."""

    field: str
    label: str
    ours: str
    theirs: str


def check(take: Collection[str]) -> None:
    """Raises Invalid for what is no field."""
    for field in take:
        if field not in FIELDS and not field.startswith(ATTRIBUTE):
            known = ", ".join(FIELDS)
            raise Invalid("take", f"“{field[:60]}” is no field. Take {known} or {ATTRIBUTE}<key>.")


def taken_from(gone: Contact, take: Collection[str]) -> dict[str, Any]:
    """What the one who goes says in these fields, where it says anything."""
    said = {field: _value(gone, field) for field in take}
    return {field: value for field, value in said.items() if value not in (None, "")}


def give(kept: Contact, taken: Mapping[str, Any]) -> None:
    """Write it over what the one who stays says."""
    attributes = dict(kept.attributes)
    for field, value in taken.items():
        if field.startswith(ATTRIBUTE):
            attributes[field.removeprefix(ATTRIBUTE)] = value
        else:
            setattr(kept, field, value)
    kept.attributes = attributes


def differences(kept: Contact, gone: Contact, labels: Mapping[str, str]) -> list[Difference]:
    """Where both say something, and not the same. `labels` are those of the attributes by key."""
    named = FIELDS | {ATTRIBUTE + key: label for key, label in labels.items()}
    both = (
        (field, label, _value(kept, field), _value(gone, field)) for field, label in named.items()
    )
    return [
        Difference(field, label, str(ours), str(theirs))
        for field, label, ours, theirs in both
        if ours not in (None, "") and theirs not in (None, "") and ours != theirs
    ]


def _value(contact: Contact, field: str) -> Any:
    if field.startswith(ATTRIBUTE):
        return contact.attributes.get(field.removeprefix(ATTRIBUTE))
    return getattr(contact, field)

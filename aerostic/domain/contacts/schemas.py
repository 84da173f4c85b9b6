"""What a screen or a program is shown of contacts, and what they hand in. Frozen, free of tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final
from uuid import UUID

from aerostic.domain.contacts.models import AttributeType

AttributeValue = str | int | float | bool


class Keep(Enum):
    """Stands for a field that an edit leaves as it is."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


class Sort(StrEnum):
    RECENT = "recent"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which contacts: every part narrows. Words are searched by their beginnings."""

    text: str = ""
    tag_ids: tuple[UUID, ...] = ()
    is_blocked: bool | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Contacts chosen for one act: by hand, or everything that a filter shows."""

    ids: tuple[UUID, ...] = ()
    everything_in: ContactFilter | None = None


@dataclass(frozen=True, slots=True)
class TagView:
    id: UUID
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class AttributeView:
    """A field that the workspace keeps about its contacts."""

    id: UUID
    key: str
    label: str
    type: AttributeType
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentityView:
    kind: str
    scope: str
    value: str


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One line of the list."""

    id: UUID
    name: str
    phone: str | None
    phone_display: str
    email: str | None
    country: str | None
    is_blocked: bool
    last_activity_at: datetime
    created_at: datetime
    tags: tuple[TagView, ...]


@dataclass(frozen=True, slots=True)
class ContactDetail:
    """Everything that is kept about one person. `name` may be empty; `display_name` never is."""

    id: UUID
    display_name: str
    name: str
    profile_name: str
    phone: str | None
    phone_display: str
    email: str | None
    language: str | None
    country: str | None
    attributes: Mapping[str, AttributeValue]
    identities: tuple[IdentityView, ...]
    tags: tuple[TagView, ...]
    is_blocked: bool
    marketing_stopped_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    last_inbound_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many, counted no further than `MOST`."""

    MOST = 10_000

    number: int

    @property
    def is_more(self) -> bool:
        return self.number >= self.MOST

    def in_words(self) -> str:
        """`1,204`, or `10,000 or more`."""
        return f"{self.MOST:,} or more" if self.is_more else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class NewContact:
    """What is known about a person who is entered by hand or by a program."""

    name: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""
    country: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    tag_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """An edit. What is KEEP stays; an empty text empties; attributes are merged, None empties one."""

    name: str | Keep = KEEP
    phone: str | Keep = KEEP
    email: str | Keep = KEEP
    language: str | Keep = KEEP
    country: str | Keep = KEEP
    attributes: Mapping[str, object] | Keep = KEEP


class EventKind(StrEnum):
    """What happens to a contact. Stored, so never renamed."""

    CREATED = "created"
    IMPORTED = "imported"
    EDITED = "edited"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    MERGED = "merged"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    MARKETING_STOPPED = "marketing_stopped"
    MARKETING_RESUMED = "marketing_resumed"
    ERASED = "erased"

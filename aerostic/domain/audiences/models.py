"""Whom a campaign is for: saved segments, uploaded lists, and what people said about being written to."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import AppendOnlyModel, TenantModel, belongs_to, created, moment, new_key


class Segment(TenantModel, table=True):
    """A saved filter over the workspace's contacts. Who is in it is asked anew each time."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: UUID = new_key()
    name: str
    filter: dict[str, Any] = Field(sa_type=JSONB)
    created_by_name: str = ""
    revision: int = 0
    created_at: datetime = created()
    updated_at: datetime = created()


class ContactList(TenantModel, table=True):
    """People out of a file, each with what their row said. `import_id` is how far the file has come in."""

    __tablename__ = "contact_lists"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        belongs_to("contact_imports", "import_id"),
    )

    id: UUID = new_key()
    name: str
    import_id: UUID
    columns: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))  # names of the variables
    created_by_name: str = ""
    created_at: datetime = created()


class ListMember(TenantModel, table=True):
    """One person on a list, with the cells of their row by the names of the list's columns.

    No foreign key to the contact: a million rows, each checked, and contacts are never deleted.
    """

    __tablename__ = "list_members"
    __table_args__ = (
        belongs_to("contact_lists", "list_id", on_delete="CASCADE"),
        Index("list_members_of_contact", "tenant_id", "contact_id"),
    )

    list_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    row_number: int
    cells: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class Decision(StrEnum):
    STOPPED = "stopped"
    AGREED = "agreed"


class ConsentSource(StrEnum):
    KEYWORD = "keyword"  # they wrote a word such as STOP
    WHATSAPP = "whatsapp"  # they said so in WhatsApp's own settings
    REFUSAL = "refusal"  # WhatsApp refused a message and said so (131050)
    MEMBER = "member"  # one of the team noted it
    PROGRAM = "program"  # over the API


class ConsentEntry(AppendOnlyModel, table=True):
    """What someone said about marketing, once for each time. Never changed; the newest counts.

    Holds no personal data but the word, so that erasing a person leaves the proof.
    """

    __tablename__ = "consent_entries"
    __table_args__ = (Index("consent_entries_of_contact", "tenant_id", "contact_id", "id"),)

    id: UUID = new_key()
    contact_id: UUID
    decision: str
    source: str
    word: str = ""
    message_id: UUID | None = None
    actor_user_id: UUID | None = None
    actor_name: str = ""
    occurred_at: datetime = created()  # as told; `id` holds when we learned of it


class DeliveryTrouble(TenantModel, table=True):
    """How often in a row WhatsApp could not deliver to someone (131026)."""

    __tablename__ = "delivery_troubles"

    contact_id: UUID = Field(primary_key=True)
    failures: int = 1
    last_failed_at: datetime = moment()


class AudienceRules(TenantModel, table=True):
    """A workspace's own rules about whom to leave alone. No row: the rules of `rules.py`."""

    __tablename__ = "audience_rules"

    stop_words: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    start_words: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    stop_answer: str = ""
    start_answer: str = ""
    most_messages: int = 0  # of campaigns to one person in `in_days`; 0: no limit
    in_days: int = 7
    undeliverable_after: int = 3  # failures in a row; 0: never

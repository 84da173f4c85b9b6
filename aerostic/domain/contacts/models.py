"""The people who write to a tenant, and every name by which WhatsApp knows them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key


class IdentityKind(StrEnum):
    PHONE = "phone"  # digits only, E.164 without the plus
    BSUID = "bsuid"  # business-scoped user id; scope is the portfolio id
    USERNAME = "username"


class Contact(TenantModel, table=True):
    """A person. May have no phone number: then only identities lead here."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index("contacts_by_activity", "tenant_id", "last_activity_at", "id"),
        Index("contacts_by_name", "tenant_id", "sort_name", "id"),
    )

    id: UUID = new_key()
    name: str = ""
    profile_name: str = ""
    sort_name: str = Field(default="", sa_type=String(collation="C"))
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    country: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    is_blocked: bool = False
    # The last that they said of marketing, either way; the consent ledger has all of it.
    marketing_stopped_at: datetime | None = moment(default=None)
    marketing_agreed_at: datetime | None = moment(default=None)
    revision: int = 0
    created_at: datetime = created()
    updated_at: datetime = created()
    last_activity_at: datetime = created()
    last_inbound_at: datetime | None = moment(default=None)
    merged_into_id: UUID | None = None
    erased_at: datetime | None = moment(default=None)


class ContactIdentity(TenantModel, table=True):
    """One name by which the outside knows a contact."""

    __tablename__ = "contact_identities"
    __table_args__ = (
        belongs_to("contacts", "contact_id", on_delete="CASCADE"),
        Index("contact_identities_of_contact", "tenant_id", "contact_id"),
    )

    kind: str = Field(primary_key=True)
    scope: str = Field(default="", primary_key=True)
    value: str = Field(primary_key=True)
    contact_id: UUID
    created_at: datetime = created()


class ContactWord(TenantModel, table=True):
    """A word that finds a contact. Prefixes of it are searched, so the collation is plain bytes.

    Full-text operators are not leakproof, so under row security no index of theirs is used.
    """

    __tablename__ = "contact_words"
    # No foreign key: ten rows a contact, each checked, took a sixth of the time of applying messages of new
    # people, and contacts are never deleted. A search joins words to contacts, so an orphan finds nobody.
    __table_args__ = (Index("contact_words_of_contact", "tenant_id", "contact_id"),)

    word: str = Field(primary_key=True, sa_type=String(collation="C"))
    contact_id: UUID = Field(primary_key=True)


class Tag(TenantModel, table=True):
    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: UUID = new_key()
    name: str
    colour: str = "gray"
    created_at: datetime = created()


class ContactTag(TenantModel, table=True):
    """Who has a tag, in the order of the list: those who last stirred first.

    `last_activity_at` is the contact's own; triggers of the database keep it so.
    """

    __tablename__ = "contact_tags"
    __table_args__ = (
        belongs_to("tags", "tag_id", on_delete="CASCADE"),
        belongs_to("contacts", "contact_id", on_delete="CASCADE"),
        Index("contact_tags_of_contact", "tenant_id", "contact_id"),
        Index("contact_tags_by_activity", "tenant_id", "tag_id", "last_activity_at", "contact_id"),
    )

    tag_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    last_activity_at: datetime = created()


class AttributeType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"


class ContactAttribute(TenantModel, table=True):
    """A field that a tenant keeps about its contacts. Values lie in `contacts.attributes[key]`."""

    __tablename__ = "contact_attributes"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    id: UUID = new_key()
    key: str
    label: str
    type: str = AttributeType.TEXT
    choices: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    created_at: datetime = created()


class ContactEvent(TenantModel, table=True):
    """What happened to a contact, for its timeline: created, imported, edited, merged, tagged."""

    __tablename__ = "contact_events"
    __table_args__ = (Index("contact_events_of_contact", "tenant_id", "contact_id", "id"),)

    id: UUID = new_key()
    contact_id: UUID
    kind: str
    actor_user_id: UUID | None = None
    actor_name: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: datetime = created()


class ImportStatus(StrEnum):
    UPLOADED = "uploaded"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ContactImport(TenantModel, table=True):
    """A file of contacts on its way in. Counters are written with the rows that they count."""

    __tablename__ = "contact_imports"

    id: UUID = new_key()
    file_name: str
    storage_key: str
    columns: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    mapping: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    status: str = ImportStatus.UPLOADED
    rows_total: int = 0
    rows_done: int = 0
    rows_created: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_refused: int = 0
    problem: str | None = None
    actor_user_id: UUID | None = None
    created_at: datetime = created()
    finished_at: datetime | None = moment(default=None)


class ImportRefusal(TenantModel, table=True):
    """A row of a file that was not taken, with the reason."""

    __tablename__ = "import_refusals"
    __table_args__ = (belongs_to("contact_imports", "import_id", on_delete="CASCADE"),)

    import_id: UUID = Field(primary_key=True)
    row_number: int = Field(primary_key=True)
    reason: str
    cells: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))

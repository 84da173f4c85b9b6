"""What a screen or a program is shown of the inbox. Frozen, typed, free of tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from aerostic.core.pages import Cursor
from aerostic.domain.inbox.models import ConversationStatus


class View(StrEnum):
    """Whose conversations."""

    ALL = "all"
    MINE = "mine"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """Which conversations a list shows. Every part narrows; `status=None` means any status."""

    view: View = View.ALL
    status: ConversationStatus | None = ConversationStatus.OPEN
    is_unread: bool = False
    label_id: UUID | None = None
    number_id: UUID | None = None
    contact_id: UUID | None = None


class Ticks(StrEnum):
    """How far a message of ours has come, as WhatsApp draws it."""

    NONE = "none"  # not ours
    WAITING = "waiting"  # a clock
    SENT = "sent"  # one tick
    DELIVERED = "delivered"  # two
    READ = "read"  # two, coloured
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may or may not have arrived: a person decides
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class LabelView:
    id: UUID
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class CannedReplyView:
    id: UUID
    shortcut: str
    text: str


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One line of the list."""

    id: UUID
    contact_id: UUID
    contact_name: str
    contact_phone: str | None
    number_id: UUID
    number_name: str
    status: ConversationStatus
    snoozed_until: datetime | None
    assignee_id: UUID | None
    assignee_name: str
    unread_count: int
    last_message_at: datetime
    preview: str
    preview_is_ours: bool
    ticks: Ticks
    labels: list[LabelView]
    window_closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConversationDetail:
    """The open conversation: its line, and what stands around the thread."""

    row: ConversationRow
    contact_email: str | None
    contact_language: str | None
    contact_is_blocked: bool
    number_phone: str
    number_is_connected: bool
    number_problem: str | None
    mode: str
    window_is_open: bool
    window_closes_at: datetime | None
    last_inbound_at: datetime | None
    created_at: datetime
    closed_at: datetime | None

    @property
    def id(self) -> UUID:
        return self.row.id


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """How many each filter shows, counted no further than `MOST`."""

    MOST = 100

    mine: int
    unassigned: int
    all: int
    unread: int
    snoozed: int
    closed: int


@dataclass(frozen=True, slots=True)
class CountsForAll:
    """What is the same for every member, and how many conversations each of them has."""

    common: FilterCounts
    mine: Mapping[UUID, int]

    def of(self, user_id: UUID | None) -> FilterCounts:
        mine = self.mine.get(user_id, 0) if user_id else 0
        return replace(self.common, mine=mine)


def in_words(count: int) -> str:
    """`7`, or `99+` where the count was not taken further."""
    return str(count) if count < FilterCounts.MOST else f"{FilterCounts.MOST - 1}+"


# What a message holds ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Location:
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class SharedContact:
    """A card that someone passed on."""

    name: str
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button or a row of a list. `kind`: reply, url, phone, copy, other."""

    title: str
    id: str = ""
    description: str = ""
    kind: str = "reply"
    target: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of a list's rows."""

    title: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class OrderLine:
    product: str
    quantity: str
    price: str
    currency: str


@dataclass(frozen=True, slots=True)
class Referral:
    """The advertisement or post that a person came from."""

    headline: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Content:
    """What is drawn around a message's text. Empty parts are not drawn.

    `chosen` is what a person tapped; `notice` is a line in place of content that WhatsApp does not pass on;
    `entries` are the answers of a form.
    """

    header: str = ""
    footer: str = ""
    choices: list[Choice] = field(default_factory=list)
    list_button: str = ""
    sections: list[Section] = field(default_factory=list)
    chosen: Choice | None = None
    location: Location | None = None
    people: list[SharedContact] = field(default_factory=list)
    order: list[OrderLine] = field(default_factory=list)
    template_name: str = ""
    template_language: str = ""
    entries: list[tuple[str, str]] = field(default_factory=list)
    referral: Referral | None = None
    notice: str = ""
    is_forwarded: bool = False


@dataclass(frozen=True, slots=True)
class MediaView:
    """A file of a message. `url` is the authorised route; `is_ready` says whether it has the bytes."""

    id: UUID
    url: str
    mime_type: str
    file_name: str
    size: int
    is_ready: bool
    is_voice: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message did not arrive, and what to do, in words for people."""

    code: str
    reason: str
    action: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that this one answers. `id` is None where we never had it."""

    id: UUID | None
    author_name: str
    is_ours: bool
    type: str
    preview: str


@dataclass(frozen=True, slots=True)
class ReactionView:
    """An emoji and who gave it. `is_ours`: a second tap of ours takes it back."""

    emoji: str
    by: list[str]
    is_ours: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as a thread shows it."""

    id: UUID
    conversation_id: UUID
    meta_message_id: str | None
    is_ours: bool
    type: str
    text: str
    status: str
    ticks: Ticks
    failure: Failure | None
    origin: str
    author_id: UUID | None
    author_name: str
    occurred_at: datetime
    created_at: datetime
    media: MediaView | None
    quoted: Quote | None
    reactions: list[ReactionView]
    content: Content
    edited_at: datetime | None
    revoked_at: datetime | None
    can_retry: bool

    @property
    def direction(self) -> str:
        return "outbound" if self.is_ours else "inbound"


class EventKind(StrEnum):
    """What people did in a conversation. Stored, so never renamed."""

    NOTE = "note"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"
    REOPENED = "reopened"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    LABELLED = "labelled"
    STARTED = "started"
    REACTION_LOST = "reaction_lost"
    TAKEN_OVER = "taken_over"
    GIVEN_BACK = "given_back"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Mention:
    user_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member who may answer: to assign to, or to mention."""

    user_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class EventView:
    """A line between messages: a private note, or what someone did, as a sentence.

    `until` is the end of a snooze, to be told in the reader's own time zone.
    """

    id: UUID
    conversation_id: UUID
    kind: EventKind
    actor_user_id: UUID | None
    actor_name: str
    text: str
    mentions: list[Mention]
    until: datetime | None
    occurred_at: datetime

    @property
    def is_note(self) -> bool:
        return self.kind is EventKind.NOTE


class Shown(StrEnum):
    """What of a thread is wanted."""

    EVERYTHING = "everything"
    MESSAGES = "messages"
    EVENTS = "events"


ThreadItem = MessageView | EventView


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A stretch of a thread, oldest first. `next_cursor` leads to what is older, None: the beginning.

    `newer_cursor` leads to what is newer than this stretch, also to what is yet to come.
    """

    items: list[ThreadItem]
    next_cursor: Cursor | None
    newer_cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class TemplateParameter:
    """A gap of a template that must be filled, as `templates/gaps.py` names it."""

    place: str
    name: str
    example: str
    kind: str = "text"

    @property
    def key(self) -> str:
        """How a draft names it: `body.1`, `button.0`, `header.media`."""
        return f"{self.place}.{self.name}"


@dataclass(frozen=True, slots=True)
class TemplateView:
    """An approved template that may be sent in a conversation, with the gaps to fill."""

    id: UUID
    name: str
    language: str
    category: str
    header: str
    header_format: str
    body: str
    footer: str
    buttons: list[Choice]
    parameters: list[TemplateParameter]


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message that holds the searched words, with where it stands."""

    message_id: UUID
    conversation_id: UUID
    contact_name: str
    is_ours: bool
    excerpt: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class FoundContact:
    contact_id: UUID
    name: str
    phone: str | None
    conversation_id: UUID | None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was found so far. Messages are looked through newest first, a stretch at a time.

    `searched_back_to` says how far; `next_cursor` continues from there, None: everything was looked through.
    Contacts come with the first page only.
    """

    contacts: list[FoundContact]
    messages: list[FoundMessage]
    searched_back_to: datetime | None
    next_cursor: Cursor | None

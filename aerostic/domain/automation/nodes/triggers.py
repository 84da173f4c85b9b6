"""What begins a run.

`matches` is given the event as the run's scope will have it: `message`, `contact`, `number`, `tag`,
`reaction`. Only what the trigger's own settings ask is looked at here; who may answer is not its question.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from croniter import croniter
from pydantic import Field, field_validator

from aerostic.domain.automation import patterns
from aerostic.domain.automation.nodes.base import NodeConfig, Trigger
from aerostic.domain.automation.nodes.fields import Chosen, Pattern, TimeZone, Unit, widget

NUMBERS: Any = Field(
    default=[],
    title="Numbers",
    description="Only messages to these numbers. None chosen: all of them.",
    max_length=100,
    json_schema_extra=widget("number"),
)


def _is_to(numbers: list[UUID], event: Mapping[str, Any]) -> bool:
    return not numbers or str(_part(event, "number").get("id")) in map(str, numbers)


def _part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = event.get(name)
    return found if isinstance(found, Mapping) else {}


class MessageKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACTS = "contacts"
    ORDER = "order"


class Referral(StrEnum):
    ANY = "any"
    ONLY = "only"
    NOT = "not"


class OnMessage(Trigger):
    """Any message, or the first of a kind."""

    kind = "trigger.message"
    title = "Message received"
    icon = "message-square"
    summary = "Begins when a contact writes, whatever they write."
    event = "message.received"

    class Config(NodeConfig):
        numbers: list[UUID] = NUMBERS
        types: list[MessageKind] = Field(
            default=[],
            title="Kinds of messages",
            description="None chosen: every kind, also buttons and lists.",
        )
        referral: Referral = Field(
            default=Referral.ANY,
            title="From an ad",
            description="Whether the message must have come through an ad or a post that leads to WhatsApp.",
        )
        new_only: bool = Field(
            default=False,
            title="Only the first message of a contact",
            description="To welcome people who have not written before.",
        )

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        message = _part(event, "message")
        if not _is_to(config.numbers, event):
            return False
        if config.types and message.get("type") not in {one.value for one in config.types}:
            return False
        if config.new_only and not _part(event, "trigger").get("is_first"):
            return False
        came = bool(message.get("referral"))
        return config.referral is Referral.ANY or came == (config.referral is Referral.ONLY)


class Way(StrEnum):
    """How a word is looked for."""

    WORD = "word"
    EXACT = "exact"
    BEGINS = "begins"
    CONTAINS = "contains"
    PATTERN = "pattern"


class OnKeyword(Trigger):
    kind = "trigger.keyword"
    title = "Keyword"
    icon = "hash"
    summary = "Begins when a message holds one of the words that you choose."
    event = "message.received"

    class Config(NodeConfig):
        keywords: list[Pattern] = Field(
            title="Words",
            description="One is enough. Capitals and spaces around do not matter.",
            min_length=1,
            max_length=100,
        )
        way: Way = Field(
            default=Way.WORD,
            title="How they are looked for",
            description="As a word of the message, as the whole message, at its beginning, anywhere in it, "
            "or as a pattern such as order\\s*#?(\\d+).",
        )
        numbers: list[UUID] = NUMBERS

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        text = str(_part(event, "message").get("text") or "")
        return _is_to(config.numbers, event) and any(
            _is_in(word, text, config.way) for word in config.keywords
        )


def _is_in(word: str, text: str, way: Way) -> bool:
    if way is Way.PATTERN:
        try:
            return patterns.is_found(word, text)
        except patterns.BadPattern:
            return False
    wanted, said = _folded(word), _folded(text)
    if not wanted:
        return False
    if way is Way.EXACT:
        return said == wanted
    if way is Way.BEGINS:
        return said.startswith(wanted)
    if way is Way.CONTAINS:
        return wanted in said
    return _is_word_of(wanted, said)


def _is_word_of(wanted: str, said: str) -> bool:
    """`order` is a word of `my order!`, not of `reorder`."""
    place = said.find(wanted)
    while place >= 0:
        end = place + len(wanted)
        before, after = said[place - 1 : place], said[end : end + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        place = said.find(wanted, place + 1)
    return False


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


class OnChoice(Trigger):
    kind = "trigger.choice"
    title = "Button or list reply"
    icon = "mouse-pointer-click"
    summary = "Begins when a contact taps a button or a row of a list, also of a template."
    event = "message.received"

    class Config(NodeConfig):
        ids: list[str] = Field(
            default=[],
            title="Ids or titles",
            description="Of the buttons or rows that begin this. None: any tap.",
            max_length=100,
        )
        numbers: list[UUID] = NUMBERS

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        message = _part(event, "message")
        chosen = {_folded(str(message.get(one) or "")) for one in ("choice_id", "choice_title")}
        if not any(chosen) or not _is_to(config.numbers, event):
            return False
        return not config.ids or bool(chosen & {_folded(one) for one in config.ids})


class OnFlowReply(Trigger):
    kind = "trigger.flow_reply"
    title = "Form sent"
    icon = "clipboard-check"
    summary = (
        "Begins when a contact sends a WhatsApp Flow (a form). Its entries are message.answers."
    )
    event = "message.received"

    class Config(NodeConfig):
        numbers: list[UUID] = NUMBERS

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        return bool(_part(event, "message").get("answers")) and _is_to(config.numbers, event)


class OnReaction(Trigger):
    kind = "trigger.reaction"
    title = "Reaction"
    icon = "smile-plus"
    summary = "Begins when a contact reacts to a message of yours with an emoji."
    event = "reaction.received"

    class Config(NodeConfig):
        emojis: list[str] = Field(
            default=[], title="Emojis", description="None: any reaction.", max_length=50
        )
        numbers: list[UUID] = NUMBERS

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        emoji = str(_part(event, "reaction").get("emoji") or "")
        wanted = {one.strip() for one in config.emojis}
        return bool(emoji) and _is_to(config.numbers, event) and (not wanted or emoji in wanted)


class Proof(StrEnum):
    HEADER = "header"
    HMAC = "hmac"


class OnWebhook(Trigger):
    kind = "trigger.webhook"
    title = "Webhook"
    icon = "webhook"
    summary = (
        "Begins when another program posts to this workflow's address: JSON, a form or text, up to"
        " 1 MB. Of a file in a form the run knows the name, the type and the size."
    )
    event = "webhook"

    class Config(NodeConfig):
        secret: Chosen = Field(
            default=None,
            title="Secret",
            description="Posts must prove that they know it. None: whoever knows the address may post.",
            json_schema_extra=widget("secret"),
        )
        proof: Proof = Field(
            default=Proof.HEADER,
            title="How it is proven",
            description="The secret itself in the header X-Webhook-Secret, or a signature: "
            "X-Webhook-Signature with sha256= and the HMAC of the body.",
        )


class OnSchedule(Trigger):
    kind = "trigger.schedule"
    title = "Schedule"
    icon = "calendar-clock"
    summary = "Begins at set times."
    event = "schedule"

    class Config(NodeConfig):
        cron: str = Field(
            default="0 9 * * 1-5",
            title="When",
            description="Minute, hour, day, month, weekday: 0 9 * * 1-5 is nine o'clock from Monday to "
            "Friday.",
            max_length=100,
            json_schema_extra=widget("cron"),
        )
        time_zone: TimeZone = "UTC"

        @field_validator("cron")
        @classmethod
        def _readable(cls, value: str) -> str:
            if len(value.split()) != 5 or not croniter.is_valid(value):
                raise ValueError("Write five parts: minute, hour, day, month, weekday")
            return " ".join(value.split())


class OnNewContact(Trigger):
    kind = "trigger.contact_created"
    title = "New contact"
    icon = "user-plus"
    summary = "Begins when a contact comes in: by writing, by hand, by an import or a program."
    event = "contact.created"

    class Config(NodeConfig):
        pass


class OnTag(Trigger):
    kind = "trigger.tag_added"
    title = "Tag added"
    icon = "tag"
    summary = "Begins when a contact is given a tag."
    event = "contact.tagged"

    class Config(NodeConfig):
        tags: list[UUID] = Field(
            default=[],
            title="Tags",
            description="None chosen: any tag.",
            max_length=100,
            json_schema_extra=widget("tag"),
        )

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        given = str(_part(event, "tag").get("id"))
        return not config.tags or given in map(str, config.tags)


class OnNoReply(Trigger):
    kind = "trigger.no_reply"
    title = "No reply"
    icon = "bell-off"
    summary = "Begins when a contact has not answered your last message for a while."
    event = "no_reply"

    class Config(NodeConfig):
        amount: int = Field(default=4, title="After", ge=1, le=1_000)
        unit: Unit = Field(default=Unit.HOURS, title="Unit")
        numbers: list[UUID] = NUMBERS

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        return _is_to(config.numbers, event)


class OnDemand(Trigger):
    kind = "trigger.manual"
    title = "By hand"
    icon = "hand"
    summary = "Begins when a person starts it, here, from a contact, or through the API."
    event = "manual"

    class Config(NodeConfig):
        pass


class OnCall(Trigger):
    kind = "trigger.called"
    title = "Called by a workflow"
    icon = "corner-down-right"
    summary = "Begins when another workflow runs this one. What it hands over is input."
    event = "called"

    class Config(NodeConfig):
        pass

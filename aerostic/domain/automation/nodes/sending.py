"""How a node sends a message: to whom, from which number, within WhatsApp's rules."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select

from aerostic.core.errors import AppError
from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    Change,
    Group,
    NodeConfig,
    NodeFailed,
    Outcome,
    Step,
)
from aerostic.domain.automation.nodes.fields import Chosen, Line, needed, widget
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber
from aerostic.domain.contacts import identities, phones
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.models import Contact, IdentityKind
from aerostic.domain.contacts.schemas import NewContact
from aerostic.domain.inbox import outbox, window
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation, Message, Origin

WINDOW_IS_SHUT = (
    "WhatsApp only allows templates here: the customer last wrote more than 24 hours ago. "
    "Send a template instead."
)
NOBODY = "This run has no conversation. Say in “To” whom to write to, such as {{ contact.phone }}."


class Addressed(NodeConfig):
    """Settings of a kind that writes to somebody."""

    to: Line = Field(
        default="",
        title="To",
        description="A phone number or the id of a contact. Empty: whoever this run is about.",
        max_length=100,
        json_schema_extra=widget("text", section="Recipient"),
    )
    number: Chosen = Field(
        default=None,
        title="From the number",
        description="Empty: the number that the run is about, or the only one that you have.",
        json_schema_extra=widget("number", section="Recipient"),
    )


class Sends(Change):
    """A kind that sends one message: its settings become a draft."""

    group = Group.MESSAGE
    outputs = (OUT, ERROR)
    needs_conversation = True

    @classmethod
    def asks_for_conversation(cls, config: Mapping[str, Any]) -> bool:
        return not config.get("to")

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        raise NotImplementedError

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        message = send(ctx, step, config, cls.draft, to=config.to, number_id=config.number)
        return Outcome(output=said(message))


def send(
    ctx: Context,
    step: Step,
    config: Any,
    make: Callable[[Context, Any, str], Draft],
    *,
    key: str = "",
    to: str = "",
    number_id: UUID | None = None,
) -> Message:
    """Queue the message of this step, once. Raises NodeFailed with the reason why it can not be sent."""
    try:
        with ctx.session.begin_nested():
            draft = make(ctx, config, key or step.key)
            conversation = conversation_for(ctx, step, to, number_id)
            return _queue(ctx, conversation, draft)
    except AppError as error:
        raise NodeFailed(error.message) from error


def _queue(ctx: Context, conversation: Conversation, draft: Draft) -> Message:
    if draft.is_free_form and not window.is_open(conversation, now=ctx.now):
        raise NodeFailed(WINDOW_IS_SHUT)
    return outbox.queue(ctx, conversation, draft, origin=Origin.AUTOMATION)


def said(message: Message) -> dict[str, Any]:
    """What later steps know of a message that was sent."""
    return {
        "message_id": str(message.id),
        "conversation_id": str(message.conversation_id),
        "contact_id": str(message.contact_id),
        "type": message.type,
        "text": message.text,
    }


def conversation_for(
    ctx: Context, step: Step, to: str = "", number_id: UUID | None = None
) -> Conversation:
    """Where to write: the run's own conversation, or the one with whom `to` names. Started if need be."""
    if not to.strip() and step.conversation_id and number_id in (None, step.number_id):
        found = ctx.get(Conversation, step.conversation_id)
        return needed(found, "The conversation of this run no longer exists.")
    contact = recipient(ctx, step, to)
    number = _number(ctx, step, number_id)
    return inbox.start_conversation(ctx, contact.id, number.id)


def recipient(ctx: Context, step: Step, to: str) -> Contact:
    """The contact that `to` names, entered if the number is new; without it, the run's own."""
    named = to.strip()
    if not named:
        contact_id = needed(step.contact_id or _contact_of(ctx, step), NOBODY)
        return needed(ctx.get(Contact, contact_id), "The contact of this run no longer exists.")
    if (given := _as_id(named)) is not None:
        return needed(ctx.get(Contact, given), "There is no contact with that id.")
    digits = phones.parse(named).digits
    known = identities.owner_of(ctx, IdentityKind.PHONE, digits)
    return known or contacts.create(ctx, NewContact(phone=named))


def _contact_of(ctx: Context, step: Step) -> UUID | None:
    conversation = ctx.get(Conversation, step.conversation_id) if step.conversation_id else None
    return conversation.contact_id if conversation else None


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) >= 32 else None
    except ValueError:
        return None


def _number(ctx: Context, step: Step, number_id: UUID | None) -> PhoneNumber:
    if wanted := number_id or step.number_id:
        return needed(ctx.get(PhoneNumber, wanted), "The number to send from no longer exists.")
    usable = select(PhoneNumber).where(
        col(PhoneNumber.tenant_id) == ctx.tenant_id,
        col(PhoneNumber.status) != ConnectionStatus.DISCONNECTED,
    )
    numbers = ctx.session.exec(usable.limit(2)).all()
    if len(numbers) != 1:
        raise NodeFailed("Choose the number to send from: this run is about none of yours.")
    return numbers[0]

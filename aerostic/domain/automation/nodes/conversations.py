"""The conversation that a run is about: whose it is, how it is labelled, when it is closed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import func
from sqlmodel import col, select

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
from aerostic.domain.automation.nodes.fields import Chosen, Paragraphs, Unit, length_of, widget
from aerostic.domain.automation.nodes.knowing import or_fail
from aerostic.domain.automation.nodes.mail import hand_over
from aerostic.domain.identity.models import User
from aerostic.domain.inbox import members, modes
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.models import Conversation, ConversationLabel, ConversationStatus

NO_CONVERSATION = "This run has no conversation, so there is nothing to change about it."


class AboutConversation(Change):
    """Acts on the run's own conversation."""

    group = Group.PEOPLE
    outputs = (OUT, ERROR)
    needs_conversation = True

    @classmethod
    def act(cls, ctx: Context, conversation_id: UUID, step: Step, config: Any) -> Mapping[str, Any]:
        raise NotImplementedError

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        if step.conversation_id is None:
            raise NodeFailed(NO_CONVERSATION)
        with or_fail(ctx):
            told = cls.act(ctx, step.conversation_id, step, config)
        return Outcome(output={"conversation_id": str(step.conversation_id), **told})


class To(StrEnum):
    MEMBER = "member"
    LEAST_BUSY = "least_busy"
    NOBODY = "nobody"


class Given(NodeConfig):
    """Settings of a kind that gives a conversation to somebody."""

    to: To = Field(
        default=To.MEMBER,
        title="To",
        description="A person, whoever has the fewest open conversations, or nobody.",
    )
    member: Chosen = Field(
        default=None,
        title="Person",
        json_schema_extra=widget("member", show_if={"to": ["member"]}),
    )
    among: list[UUID] = Field(
        default=[],
        title="Among",
        description="None chosen: everyone who may answer.",
        max_length=100,
        json_schema_extra=widget("member", show_if={"to": ["least_busy"]}),
    )


class Assign(AboutConversation):
    kind = "conversation.assign"
    title = "Assign"
    icon = "user-check"
    summary = "Gives the conversation to a person of the team."

    class Config(Given):
        """Nothing else."""

    @classmethod
    def act(cls, ctx: Context, conversation_id: UUID, step: Step, config: Any) -> Mapping[str, Any]:
        member = _chosen(ctx, config)
        inbox.assign(ctx, conversation_id, member)
        return {"assignee_id": str(member) if member else None, "assignee": _name(ctx, member)}


def _chosen(ctx: Context, config: Any) -> UUID | None:
    if config.to is To.NOBODY:
        return None
    if config.to is To.LEAST_BUSY:
        return least_busy(ctx, config.among)
    if config.member is None:
        raise NodeFailed("Choose the person to give the conversation to.")
    return UUID(str(config.member))


def least_busy(ctx: Context, among: list[UUID]) -> UUID:
    """Who has the fewest open conversations, of several the first by name. Raises NodeFailed."""
    answering = members.names_of_answering(ctx, among or None)
    if not answering:
        raise NodeFailed("None of these people can answer in this workspace.")
    counted = (
        select(Conversation.assignee_id, func.count())
        .where(
            col(Conversation.tenant_id) == ctx.tenant_id,
            col(Conversation.assignee_id).in_(answering),
            col(Conversation.status) == ConversationStatus.OPEN,
        )
        .group_by(col(Conversation.assignee_id))
    )
    busy = dict(ctx.session.exec(counted).all())
    return min(answering, key=lambda one: busy.get(one, 0))


def _name(ctx: Context, member: UUID | None) -> str:
    return members.names_of_answering(ctx, [member]).get(member, "") if member else ""


class LabelAction(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


class SetLabels(AboutConversation):
    kind = "conversation.label"
    title = "Label"
    icon = "bookmark"
    summary = "Gives the conversation labels, or takes them away."

    class Config(NodeConfig):
        action: LabelAction = Field(
            default=LabelAction.ADD,
            title="Do",
            description="Replace: it has just these afterwards.",
        )
        labels: list[UUID] = Field(
            default=[], title="Labels", max_length=50, json_schema_extra=widget("label")
        )

    @classmethod
    def act(cls, ctx: Context, conversation_id: UUID, step: Step, config: Any) -> Mapping[str, Any]:
        has = select(ConversationLabel.label_id).where(
            col(ConversationLabel.tenant_id) == ctx.tenant_id,
            col(ConversationLabel.conversation_id) == conversation_id,
        )
        now, chosen = set(ctx.session.exec(has)), set(config.labels)
        wanted = {
            LabelAction.ADD: now | chosen,
            LabelAction.REMOVE: now - chosen,
            LabelAction.REPLACE: chosen,
        }[config.action]
        inbox.set_labels(ctx, conversation_id, wanted)
        return {"labels": sorted(str(one) for one in wanted)}


class AddNote(AboutConversation):
    kind = "conversation.note"
    title = "Add a note"
    icon = "sticky-note"
    summary = "Writes something that the team sees and the contact does not."

    class Config(NodeConfig):
        text: Paragraphs = Field(title="Note", min_length=1, max_length=inbox.LONGEST_NOTE)
        mentions: list[UUID] = Field(
            default=[],
            title="Call upon",
            max_length=20,
            json_schema_extra=widget("member"),
        )

    @classmethod
    def act(cls, ctx: Context, conversation_id: UUID, step: Step, config: Any) -> Mapping[str, Any]:
        note = inbox.add_note(ctx, conversation_id, config.text, config.mentions)
        return {"note_id": str(note.id)}


class Close(AboutConversation):
    kind = "conversation.close"
    title = "Close"
    icon = "check-check"
    summary = "Puts the conversation away. A new message of the contact opens it again."

    class Config(NodeConfig):
        pass

    @classmethod
    def act(cls, ctx: Context, conversation_id: UUID, step: Step, config: Any) -> Mapping[str, Any]:
        return {"status": str(inbox.close(ctx, conversation_id).status)}


class HandOff(AboutConversation):
    kind = "conversation.hand_off"
    title = "Hand over to a person"
    icon = "user-round-check"
    summary = "From now on a person answers here, until they give it back or a time has passed."

    class Config(Given):
        to: To = Field(
            default=To.NOBODY,
            title="To",
            description="Nobody: it stands in the inbox for whoever takes it.",
        )
        note: Paragraphs = Field(
            default="",
            title="Note for them",
            description="What they should know.",
            max_length=inbox.LONGEST_NOTE,
        )
        by_email: bool = Field(
            default=False, title="Tell them by e-mail", description="If it is given to a person."
        )
        amount: float = Field(
            default=0,
            title="Give it back after",
            description="0: as the workspace's settings say.",
            ge=0,
            le=1_000,
        )
        unit: Unit = Field(default=Unit.HOURS, title="Unit")

    @classmethod
    def act(cls, ctx: Context, conversation_id: UUID, step: Step, config: Any) -> Mapping[str, Any]:
        member = _chosen(ctx, config)
        until = ctx.now + length_of(config.amount, config.unit) if config.amount else None
        conversation = inbox.reopen(ctx, conversation_id)
        modes.hand_off(ctx, conversation, until=until)
        if member is not None:
            inbox.assign(ctx, conversation_id, member)
        if config.note.strip():
            inbox.add_note(ctx, conversation_id, config.note)  # who is told by e-mail is chosen
        if member is not None and config.by_email:
            _tell(ctx, step, member, config.note)
        return {"assignee": _name(ctx, member), "mode": "person"}


def _tell(ctx: Context, step: Step, member: UUID, note: str) -> None:
    person = ctx.session.get(User, member)
    name = str((step.scope.get("contact") or {}).get("name") or "A contact")
    if person is not None:
        text = f"{name} waits for your answer in the inbox.\n\n{note}".strip()
        hand_over(ctx, person.email, f"{name} waits for your answer", text)

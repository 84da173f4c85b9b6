"""Asking a contact and waiting for the answer: what all questions have in common."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    TIMEOUT,
    Change,
    Group,
    NodeConfig,
    NodeFailed,
    Outcome,
    Port,
    Reply,
    Step,
    Wait,
)
from aerostic.domain.automation.nodes.fields import (
    Line,
    Paragraphs,
    Unit,
    VariableName,
    length_of,
    saved_as,
    widget,
)
from aerostic.domain.automation.nodes.knowing import or_fail, write_fields
from aerostic.domain.automation.nodes.sending import send
from aerostic.domain.inbox.drafts import BODY_LIMIT, Draft
from aerostic.domain.inbox.models import Conversation

NOT_UNDERSTOOD = Port("invalid", "Not understood")


class NotAnAnswer(Exception):
    """What came is no answer to this question."""


class Question(NodeConfig):
    """Settings of every question. It is asked in the run's own conversation: there the answer comes."""

    question: Paragraphs = Field(
        title="Question", min_length=1, max_length=BODY_LIMIT, json_schema_extra=widget("multiline")
    )
    save_as: VariableName = Field(
        default="answer",
        title="Keep the answer as",
        description="Later steps use {{ vars.answer }}.",
    )
    contact_field: Line = Field(
        default="",
        title="Write it to the contact",
        description="name, email, language, country, or the key of a field of your own.",
        max_length=60,
        json_schema_extra=widget("contact_field"),
    )
    retry_text: Paragraphs = Field(
        default="",
        title="When the answer does not fit",
        description="Sent before waiting again. Empty: a sentence that suits the question.",
        max_length=BODY_LIMIT,
        json_schema_extra=widget("multiline", section="If it goes wrong"),
    )
    tries: int = Field(
        default=2,
        title="Ask again",
        description="So many times, then it goes on through “Not understood”.",
        ge=0,
        le=5,
        json_schema_extra={"section": "If it goes wrong"},
    )
    timeout: float = Field(
        default=23,
        title="Wait for an answer",
        description="Then it goes on through “No answer”. After 24 hours WhatsApp takes templates only.",
        gt=0,
        le=10_000,
        json_schema_extra={"section": "If it goes wrong"},
    )
    timeout_unit: Unit = Field(
        default=Unit.HOURS, title="Unit", json_schema_extra={"section": "If it goes wrong"}
    )


class Asks(Change):
    """A kind that asks: `understood` turns the message into the answer or raises NotAnAnswer."""

    group = Group.ASK
    outputs: ClassVar[tuple[Port, ...]] = (OUT, NOT_UNDERSTOOD, TIMEOUT, ERROR)
    needs_conversation = True
    again: ClassVar[str]  # what is said when an answer does not fit

    @classmethod
    def understood(cls, step: Step, config: Any, message: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        return Draft.text(config.question, key=key)

    @classmethod
    def draft_again(cls, ctx: Context, config: Any, key: str) -> Draft:
        return Draft.text(config.retry_text or cls.again, key=key)

    @classmethod
    def goes_on(cls, step: Step, config: Any, answer: Any) -> Outcome:
        """Where an answer leads, and what is kept of it."""
        return Outcome(output={"answer": answer}, names=saved_as(config.save_as, answer))

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        if step.conversation_id is None:
            raise NodeFailed("This run has no conversation, so nobody can be asked.")
        send(ctx, step, config, cls.draft)
        return _rest(step, config, tried=0)

    @classmethod
    def resume(cls, ctx: Context, step: Step, config: Any, reply: Reply) -> Outcome:
        if reply.message is None:
            return Outcome("timeout", output={"answer": None})
        try:
            answer = cls.understood(step, config, reply.message)
        except NotAnAnswer:
            return cls._once_more(ctx, step, config, reply.message)
        if config.contact_field:
            _write_down(ctx, step, config.contact_field, answer)
        return cls.goes_on(step, config, answer)

    @classmethod
    def _once_more(
        cls, ctx: Context, step: Step, config: Any, message: Mapping[str, Any]
    ) -> Outcome:
        tried = int(step.kept.get("tried", 0)) + 1
        if tried > config.tries:
            return Outcome("invalid", output={"answer": None, "text": message.get("text", "")})
        send(ctx, step, config, cls.draft_again, key=f"{step.key}:again:{tried}")
        return _rest(step, config, tried=tried)


def _rest(step: Step, config: Question, *, tried: int) -> Outcome:
    until = step.now + length_of(config.timeout, config.timeout_unit)
    return Outcome(wait=Wait(until, for_reply=True), keep={"tried": tried})


def _write_down(ctx: Context, step: Step, field: str, answer: Any) -> None:
    conversation = ctx.get(Conversation, step.conversation_id) if step.conversation_id else None
    contact_id = conversation.contact_id if conversation else step.contact_id
    if contact_id is not None:
        with or_fail(ctx):
            write_fields(ctx, contact_id, {field: answer})


def said_in(message: Mapping[str, Any]) -> str:
    """The text of a message, or of the button or row that was tapped."""
    return str(message.get("text") or message.get("choice_title") or "").strip()

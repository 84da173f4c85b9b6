"""From what happened to the runs that hear it: in order, each once, and exactly one answers.

A message goes to the run that waits for an answer in its conversation. Where none does, the mode says who
answers: a workflow whose trigger fits (the oldest workflow's, and only that), the answering agent, or nobody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.automation import answering, engine, scope, triggers, waits
from aerostic.domain.automation.triggers import Listening
from aerostic.domain.automation.waits import Talk
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.inbox import modes
from aerostic.domain.inbox.models import Conversation
from aerostic.domain.signals.models import Signal, SignalKind

MESSAGES = frozenset({SignalKind.MESSAGE_RECEIVED, SignalKind.REACTION_RECEIVED})
CLOSED_TO_ALL = frozenset({NumberMode.PERSON, NumberMode.PAUSED})


@dataclass(slots=True)
class _Heard:
    """A batch of signals with what is known around them."""

    listening: Sequence[Listening]
    messages: dict[UUID, dict[str, Any]]
    written_at: dict[UUID, datetime]
    around: dict[UUID, dict[str, Any]]  # by conversation, or by contact where there is none
    modes: dict[UUID, tuple[str | None, str]]  # of the conversation itself, and of its number
    talks: dict[UUID, Talk]
    later: set[UUID] = field(
        default_factory=set
    )  # conversations in which something is left for later


def hear(ctx: Context, signals: Sequence[Signal]) -> set[UUID]:
    """Begin and wake what these signals are for. Returns those that must wait for a run that is at work."""
    ours = [one for one in signals if one.kind in _WAYS]
    if not ours:
        return set()
    heard = _look_up(ctx, ours)
    left = set()
    for signal in ours:
        if signal.conversation_id in heard.later or not _WAYS[signal.kind](ctx, signal, heard):
            left.add(signal.id)
            if signal.conversation_id:
                heard.later.add(signal.conversation_id)
    return left


# Messages and reactions ---------------------------------------------------------------------------


def _message(ctx: Context, signal: Signal, heard: _Heard) -> bool:
    """False: a run is at work in this conversation, and may be about to ask."""
    message = heard.messages.get(signal.message_id or signal.id)
    if message is None or signal.conversation_id is None:
        return True  # erased meanwhile
    own, of_number = heard.modes.get(signal.conversation_id, (None, NumberMode.PERSON))
    if own in CLOSED_TO_ALL:
        return True
    talk = heard.talks[signal.conversation_id]
    if talk.is_busy:
        return False
    if talk.waiting is not None:
        if talk.since is None or heard.written_at[signal.id] >= talk.since:
            waits.resume(ctx, talk.waiting, message)
            talk.is_busy, talk.waiting = True, None
        return True  # what was written before the question answers nothing
    parts = {**heard.around.get(signal.conversation_id, {}), "message": message}
    _answer(ctx, signal, heard, own or of_number, parts)
    return True


def _reaction(ctx: Context, signal: Signal, heard: _Heard) -> bool:
    if signal.conversation_id is None:
        return True
    own, of_number = heard.modes.get(signal.conversation_id, (None, NumberMode.PERSON))
    if heard.talks[signal.conversation_id].is_busy:
        return False
    if (own or of_number) != NumberMode.AUTOMATION:
        return True
    reaction = {"emoji": signal.details.get("emoji", ""), "message_id": str(signal.message_id)}
    parts = {**heard.around.get(signal.conversation_id, {}), "reaction": reaction}
    _begin_first(ctx, signal, heard, parts)
    return True


def _answer(
    ctx: Context, signal: Signal, heard: _Heard, mode: str, parts: Mapping[str, Any]
) -> None:
    if mode == NumberMode.AUTOMATION:
        _begin_first(ctx, signal, heard, parts)
    elif mode == NumberMode.AI and answering.answer(ctx, signal, parts):
        assert signal.conversation_id is not None, "a message has its conversation"
        heard.talks[signal.conversation_id].is_busy = True


def _begin_first(ctx: Context, signal: Signal, heard: _Heard, parts: Mapping[str, Any]) -> None:
    """The first trigger that fits, of the workflow that was made first: exactly one answers."""
    about = {"is_first": triggers.is_first(ctx, signal, heard.listening)}
    for one in heard.listening:
        if one.hears(signal.kind, {**parts, "trigger": about}):
            _begin(ctx, one, signal, parts, **about)
            if signal.conversation_id:
                heard.talks[signal.conversation_id].is_busy = True
            return


# What happens to contacts -------------------------------------------------------------------------


def _contact(ctx: Context, signal: Signal, heard: _Heard) -> bool:
    """Every workflow that hears it begins."""
    parts = dict(heard.around.get(signal.contact_id or signal.id, {}))
    if "contact" not in parts:
        return True  # erased meanwhile
    if signal.kind == SignalKind.CONTACT_TAGGED:
        parts["tag"] = {"id": signal.details.get("tag_id"), "name": signal.details.get("tag")}
    for one in heard.listening:
        if one.hears(signal.kind, parts):
            _begin(ctx, one, signal, parts)
    return True


def _taken_over(ctx: Context, signal: Signal, heard: _Heard) -> bool:
    """A person has answered: what waits for an answer here ends."""
    if signal.conversation_id is None:
        return True
    waits.end_waiting(ctx, signal.conversation_id)
    heard.talks[signal.conversation_id].waiting = None
    if signal.details.get("by") == "phone":
        conversation = ctx.get(Conversation, signal.conversation_id, for_update=True)
        if conversation is not None:
            own, of_number = heard.modes[signal.conversation_id]
            if (own or of_number) in modes.BY_ITSELF:
                modes.hand_off(ctx, conversation)
                heard.modes[signal.conversation_id] = (NumberMode.PERSON, of_number)
    return True


_WAYS: dict[str, Callable[[Context, Signal, _Heard], bool]] = {
    SignalKind.MESSAGE_RECEIVED: _message,
    SignalKind.REACTION_RECEIVED: _reaction,
    SignalKind.CONTACT_CREATED: _contact,
    SignalKind.CONTACT_TAGGED: _contact,
    SignalKind.CONVERSATION_TAKEN_OVER: _taken_over,
}


def _begin(
    ctx: Context, one: Listening, signal: Signal, parts: Mapping[str, Any], **about: Any
) -> None:
    told = {name: parts[name] for name in ("message", "reaction", "tag") if name in parts}
    trigger = {"kind": one.kind, "at": scope.clock(signal.created_at), **about}
    talk = parts.get("conversation") or {}
    engine.begin(
        ctx,
        workflow_id=one.workflow_id,
        version_id=one.version_id,
        version_number=one.version_number,
        trigger_node=one.node_id,
        trigger_kind=one.kind,
        given={**told, "trigger": trigger},
        conversation_id=signal.conversation_id or _uuid(talk.get("id")),
        contact_id=signal.contact_id or _uuid((parts.get("contact") or {}).get("id")),
        number_id=signal.number_id or _uuid((parts.get("number") or {}).get("id")),
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


# Looking up ---------------------------------------------------------------------------------------


_MESSAGES = """
    select id, type, text, content, media_id, created_at from messages
    where tenant_id = %s and id = any(%s) and id between %s and %s and revoked_at is null
"""
_MODES = """
    select v.id, v.mode, n.mode from conversations v
    join phone_numbers n on n.tenant_id = v.tenant_id and n.id = v.number_id
    where v.tenant_id = %s and v.id = any(%s)
"""
_LATEST = """
    select distinct on (contact_id) contact_id, id from conversations
    where tenant_id = %s and contact_id = any(%s) order by contact_id, last_message_at desc
"""


def _look_up(ctx: Context, signals: Sequence[Signal]) -> _Heard:
    talks = {one.conversation_id for one in signals if one.conversation_id}
    wrote = [one for one in signals if one.kind == SignalKind.MESSAGE_RECEIVED and one.message_id]
    contacts = {one.contact_id for one in signals if one.contact_id and not one.conversation_id}
    return _Heard(
        listening=triggers.listening(ctx, {one.kind for one in signals}),
        messages=_messages(ctx, [one.message_id for one in wrote if one.message_id]),
        written_at={one.id: one.created_at for one in wrote},
        around=_around(ctx, talks, contacts),
        modes=_modes(ctx, talks),
        talks=waits.talks(ctx, talks),
    )


def _messages(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    if not ids:
        return {}
    cursor = ctx.cursor()
    cursor.execute(_MESSAGES, (ctx.tenant_id, list(ids), min(ids), max(ids)), prepare=True)
    return {row[0]: scope.message(*row[:5]) for row in cursor.fetchall()}


def _modes(ctx: Context, talks: Iterable[UUID]) -> dict[UUID, tuple[str | None, str]]:
    cursor = ctx.cursor()
    cursor.execute(_MODES, (ctx.tenant_id, list(talks)), prepare=True)
    return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def _around(ctx: Context, talks: set[UUID], contacts: set[UUID]) -> dict[UUID, dict[str, Any]]:
    """What templates see around each conversation, and each contact with its latest conversation."""
    cursor = ctx.cursor()
    latest: dict[UUID, UUID] = {}
    if contacts:
        cursor.execute(_LATEST, (ctx.tenant_id, list(contacts)), prepare=True)
        latest = dict(cursor.fetchall())
    rows = [(one, one, None) for one in talks] + [(one, latest.get(one), one) for one in contacts]
    if not rows:
        return {}
    ids, conversations, people = (list(column) for column in zip(*rows, strict=True))
    nobody = [None] * len(rows)
    cursor.execute(scope.AROUND, (ids, conversations, people, nobody, ctx.tenant_id), prepare=True)
    return {row[0]: scope.around(row[1:]) for row in cursor.fetchall()}

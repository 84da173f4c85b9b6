"""What people did in a conversation, written where the thread shows it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import Conversation, ConversationEvent
from aerostic.domain.inbox.schemas import EventKind


def record(
    ctx: Context, conversation: Conversation, kind: EventKind, text: str = "", **details: Any
) -> ConversationEvent:
    """Write an event and announce its conversation. `details` is what its sentence needs."""
    event = ConversationEvent(
        id=new_id(),
        conversation_id=conversation.id,
        kind=kind,
        actor_user_id=ctx.actor.user_id,
        actor_name=ctx.actor.name,
        text=text,
        details=details,
    )
    ctx.session.add(event)
    ctx.announce("conversation", conversation.id)
    return event


def sentence(event: ConversationEvent) -> str:
    """The event in words: a note is its own text."""
    if event.kind == EventKind.NOTE:
        return event.text
    return _SENTENCES[EventKind(event.kind)](event.actor_name, event.details)


def _assigned(who: str, details: dict[str, Any]) -> str:
    if details["is_self"]:
        return f"{who} took this conversation."
    return f"{who} assigned this to {details['name']}."


def _unassigned(who: str, details: dict[str, Any]) -> str:
    if left := details.get("left"):
        return f"{left} left the workspace. Nobody has this conversation now."
    return f"{who} took the assignment away."


def _snoozed(who: str, details: dict[str, Any]) -> str:
    until = datetime.fromisoformat(details["until"])
    return f"{who} snoozed this until {until:%-d %B %Y, %H:%M} UTC."


def _labelled(who: str, details: dict[str, Any]) -> str:
    added, removed = (", ".join(details[part]) for part in ("added", "removed"))
    parts = [f"added {added}" if added else "", f"removed {removed}" if removed else ""]
    return f"{who} {' and '.join(filter(None, parts))}."


def _reaction_lost(_: str, details: dict[str, Any]) -> str:
    emoji, reason = details["emoji"], details["reason"]
    what = f"The reaction {emoji} did not arrive" if emoji else "A reaction could not be taken back"
    return f"{what}. {reason}".strip()


def _taken_over(who: str, details: dict[str, Any]) -> str:
    # A workflow or an AI agent acts under this name: it hands over, a person takes over.
    begun = "Handed over to people." if who == "automation" else f"{who} took over."
    text = f"{begun} Nothing is answered by itself here"
    if not details.get("until"):
        return f"{text} for now."
    until = datetime.fromisoformat(details["until"])
    return f"{text} until {until:%-d %B %Y, %H:%M} UTC."


def _given_back(who: str, details: dict[str, Any]) -> str:
    to = {"ai": "AI answers", "automation": "Automation answers"}.get(
        details["mode"], "People answer"
    )
    return f"{to} here again." if details.get("by_itself") else f"{who} gave this back. {to} here."


_SENTENCES: dict[EventKind, Callable[[str, dict[str, Any]], str]] = {
    EventKind.ASSIGNED: _assigned,
    EventKind.UNASSIGNED: _unassigned,
    EventKind.CLOSED: lambda who, _: f"{who} closed this conversation.",
    EventKind.REOPENED: lambda who, _: f"{who} reopened this conversation.",
    EventKind.SNOOZED: _snoozed,
    EventKind.WOKEN: lambda *_: "The snooze is over.",
    EventKind.LABELLED: _labelled,
    EventKind.STARTED: lambda who, _: f"{who} started this conversation.",
    EventKind.REACTION_LOST: _reaction_lost,
    EventKind.TAKEN_OVER: _taken_over,
    EventKind.GIVEN_BACK: _given_back,
    EventKind.PAUSED: lambda who, _: f"{who} paused this conversation: nobody answers by itself.",
}

"""Who answers in a conversation: automation, AI, a person, or nobody for now. Exactly one.

A conversation says so itself, or leaves it to its number. A person who answers takes it over, and gives it
back by hand or after a while.
"""

from datetime import datetime, timedelta

from aerostic.core import due_work
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import NumberMode, PhoneNumber
from aerostic.domain.inbox import events
from aerostic.domain.inbox.models import Conversation
from aerostic.domain.inbox.schemas import EventKind
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import AutomationSettings, Listener, SignalKind
from aerostic.domain.signals.telling import Happened

BY_ITSELF = frozenset({NumberMode.AUTOMATION, NumberMode.AI})


def mode_of(conversation: Conversation, number: PhoneNumber) -> NumberMode:
    """Who answers here now."""
    return NumberMode(conversation.mode or number.mode)


def take_over(ctx: Context, conversation: Conversation) -> None:
    """A person has answered: from now on and for a while, nothing else does."""
    number = ctx.get(PhoneNumber, conversation.number_id)
    assert number is not None, "a conversation has its number"
    if conversation.mode == NumberMode.PERSON:
        _hold(ctx, conversation)
    elif mode_of(conversation, number) in BY_ITSELF:
        hand_off(ctx, conversation)
    told = Happened(
        SignalKind.CONVERSATION_TAKEN_OVER,
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        number_id=conversation.number_id,
    )
    telling.tell(ctx, [told])  # a run may wait for an answer here, whoever began it


def hand_off(ctx: Context, conversation: Conversation, *, until: datetime | None = None) -> None:
    """Leave the conversation to people until then, or for as long as the workspace has set."""
    conversation.mode = NumberMode.PERSON
    until = _hold(ctx, conversation, until)
    events.record(ctx, conversation, EventKind.TAKEN_OVER, until=until.isoformat())


def set_mode(ctx: Context, conversation: Conversation, mode: NumberMode | None) -> None:
    """Say who answers here; nothing: whoever answers its number."""
    if mode is NumberMode.PERSON:
        hand_off(ctx, conversation)
        return
    conversation.mode = mode
    due_work.settle(ctx, WorkKind.RELEASE, conversation.id)
    if mode is NumberMode.PAUSED:
        events.record(ctx, conversation, EventKind.PAUSED)
        return
    if mode is not None:
        telling.listen(ctx, Listener.AUTOMATION, wanted=True)
    _note_given_back(ctx, conversation, by_itself=False)


def give_back(ctx: Context, conversation: Conversation) -> None:
    """The time of a person is over: its number says again who answers. Not if they have answered since."""
    agreed = ctx.session.get(DueWork, (WorkKind.RELEASE, ctx.tenant_id, conversation.id))
    if agreed is None or agreed.due_at > ctx.now:
        return
    due_work.settle(ctx, WorkKind.RELEASE, conversation.id)
    if conversation.mode == NumberMode.PERSON:
        conversation.mode = None
        _note_given_back(ctx, conversation, by_itself=True)


def _note_given_back(ctx: Context, conversation: Conversation, *, by_itself: bool) -> None:
    number = ctx.get(PhoneNumber, conversation.number_id)
    assert number is not None, "a conversation has its number"
    mode = mode_of(conversation, number)
    events.record(ctx, conversation, EventKind.GIVEN_BACK, mode=str(mode), by_itself=by_itself)


def _hold(ctx: Context, conversation: Conversation, until: datetime | None = None) -> datetime:
    chosen = ctx.session.get(AutomationSettings, ctx.tenant_id) or AutomationSettings()
    until = until or ctx.now + timedelta(minutes=chosen.hand_back_minutes)
    # `put` keeps the sooner moment; here the later one counts.
    due_work.settle(ctx, WorkKind.RELEASE, conversation.id)
    due_work.put(ctx, WorkKind.RELEASE, conversation.id, due_at=until)
    return until

"""What becomes of a message after an attempt: the rules, pure. The lane acts on them and records them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from aerostic.domain.inbox.drafts import files_of
from aerostic.domain.inbox.models import Priority
from aerostic.integrations.meta.client import (
    Accepted,
    Held,
    NeverLeft,
    OutcomeUnknown,
    Refused,
    SendResult,
)
from aerostic.integrations.meta.errors import (
    HELD_BACK,
    NEVER_LEFT,
    RULES,
    Action,
    GraphError,
    Rule,
    failure,
)

LONGEST_PAUSE = 20.0  # between tries while Meta can not be reached
TEMPLATE_PAUSED = 132015
HELD_FOR_ASSESSMENT = "held_for_quality_assessment"
STOPS = (Action.STOP_NUMBER, Action.STOP_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed message. `attempts` counts this one."""

    id: UUID
    conversation_id: UUID
    recipient: str
    priority: int
    attempts: int
    leased_until: datetime
    body: Mapping[str, Any]

    @property
    def files(self) -> set[UUID]:
        """Our files that it shows."""
        return files_of(self.body)


class Fate(StrEnum):
    ACCEPTED = "accepted"
    HELD = "held"  # Meta knows it, but has not sent it
    AGAIN = "again"  # it surely did not leave: it waits for another attempt
    FAILED = "failed"
    CANCELLED = "cancelled"  # it did not leave, and meanwhile it must not any more
    UNSETTLED = "unsettled"  # nobody knows; a status webhook may still tell


@dataclass(frozen=True, slots=True)
class Outcome:
    """`counts` says whether the attempt uses up one of the message's tries."""

    item: Item
    fate: Fate
    meta_message_id: str | None = None
    failure: dict[str, Any] | None = None
    not_before: datetime | None = None
    rule: Rule | None = None
    counts: bool = True


def put_back(item: Item, not_before: datetime | None = None) -> Outcome:
    """It was claimed and not tried. Without a moment it keeps its place in the queue."""
    return Outcome(item, Fate.AGAIN, not_before=not_before, counts=False)


def outcome_of(item: Item, result: SendResult, *, now: datetime, jitter: float) -> Outcome:
    """What Meta's answer means for the message. `jitter` between 0 and 1 spreads the retries."""
    match result:
        case Accepted(meta_message_id):
            return Outcome(item, Fate.ACCEPTED, meta_message_id)
        case Held(meta_message_id, status):
            return _held(item, meta_message_id, status)
        case NeverLeft(reason):
            wait = _wait(NEVER_LEFT, item.attempts, jitter)
            return _again_or_failed(
                item, "unreachable", NEVER_LEFT, now, min(wait, LONGEST_PAUSE), reason
            )
        case OutcomeUnknown():
            return Outcome(item, Fate.UNSETTLED)
        case Refused(error):
            return _refused(item, error, now, jitter)


def _held(item: Item, meta_message_id: str, status: str) -> Outcome:
    if status == HELD_FOR_ASSESSMENT:
        told = failure(status, HELD_BACK)
        return Outcome(item, Fate.HELD, meta_message_id, told, rule=HELD_BACK)
    rule = RULES[TEMPLATE_PAUSED]
    return Outcome(item, Fate.FAILED, meta_message_id, failure(status, rule), rule=rule)


def _refused(item: Item, error: GraphError, now: datetime, jitter: float) -> Outcome:
    rule = error.rule
    details = error.details or error.message
    wait = error.retry_after or _wait(rule, item.attempts, jitter)
    match rule.action:
        case Action.STOP_NUMBER | Action.STOP_ACCOUNT:
            return replace(put_back(item), rule=rule)
        case Action.STOP_CAMPAIGNS if item.priority >= Priority.MARKETING:
            return replace(put_back(item, now + timedelta(seconds=wait)), rule=rule)
        case _ if rule.tries and (item.files or not rule.forgets_files):
            return _again_or_failed(item, error.code, rule, now, wait, details)
    return _failed(item, error.code, rule, details)


def _again_or_failed(
    item: Item, code: int | str, rule: Rule, now: datetime, wait: float, details: str
) -> Outcome:
    if item.attempts > rule.tries:
        return _failed(item, code, rule, details)
    return Outcome(item, Fate.AGAIN, not_before=now + timedelta(seconds=wait), rule=rule)


def _failed(item: Item, code: int | str, rule: Rule, details: str) -> Outcome:
    return Outcome(item, Fate.FAILED, failure=failure(code, rule, details), rule=rule)


def _wait(rule: Rule, attempts: int, jitter: float) -> float:
    """Longer at each try, and up to a quarter more so that many do not come back at one moment."""
    tries_before = min(attempts - 1, 20)
    return rule.wait * rule.growth**tries_before * (1 + jitter / 4)

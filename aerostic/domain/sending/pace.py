"""What one number may do now: its rate, its recipients' limits, its pauses. Kept while the process lives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aerostic.domain.sending.outcomes import STOPS, Fate, Outcome
from aerostic.domain.sending.pairs import Pairs
from aerostic.domain.sending.rates import Bucket
from aerostic.integrations.meta.errors import Action

SECONDS_AHEAD = (
    0.5  # as much is claimed as leaves in this time, so that something urgent soon overtakes
)


@dataclass(slots=True)
class Pace:
    """Learns from every answer. `clock` is a monotonic one, in seconds."""

    clock: Callable[[], float]
    bucket: Bucket = field(default_factory=lambda: Bucket(nominal=80.0))
    pairs: Pairs = field(default_factory=Pairs)
    paused_until: float = float("-inf")
    uses_marketing_messages: bool = False

    @property
    def pause(self) -> float:
        """Seconds until this number may try again."""
        return max(0.0, self.paused_until - self.clock())

    def ahead(self) -> int:
        """How many messages may be claimed before their turn."""
        return max(1, round(self.bucket.rate * SECONDS_AHEAD))

    def learn(self, outcome: Outcome, wall: datetime) -> None:
        """Take in what Meta's answer means for what comes after it."""
        rule, now = outcome.rule, self.clock()
        if rule is None:
            return
        until = now
        if outcome.not_before is not None:
            until += max(0.0, (outcome.not_before - wall).total_seconds())
        if rule.slows_number:
            self.bucket.slow_down(now)
        if rule.pauses_number:
            self.paused_until = max(self.paused_until, until)
        if rule.limits_pair:
            self.pairs.exhausted(outcome.item.recipient, until)
        if outcome.fate is Fate.AGAIN and rule.action not in STOPS:
            self._keep_order(outcome, until)

    def _keep_order(self, outcome: Outcome, until: float) -> None:
        """Later messages to this person do not overtake, unless the wait is about marketing only."""
        rule = outcome.rule
        if rule is not None and (rule.action is Action.RETRY or rule.limits_pair):
            self.pairs.hold(outcome.item.recipient, until)

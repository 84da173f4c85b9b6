"""How fast one number may write to one person: one message in 6 seconds, 45 at once on credit. Pure.

Each person costs one float: the moment when their credit is whole again (the generic cell rate algorithm,
ITU-T I.371). Whoever's credit is whole is forgotten, so memory follows the traffic of some minutes.
"""

from dataclasses import dataclass, field

SECONDS_EACH = 6.0
BURST = 45
CREDIT_SECONDS = (BURST - 1) * SECONDS_EACH
LOOK_EVERY = 4096


@dataclass(slots=True)
class Pairs:
    """The pair limits of one number, by recipient."""

    whole_at: dict[str, float] = field(default_factory=dict)
    held_until: dict[str, float] = field(default_factory=dict)
    _taken: int = 0

    def take(self, recipient: str, now: float) -> float:
        """Take a place and return 0, or take none and return the seconds until there is one."""
        wait = self.wait(recipient, now)
        if wait > 0:
            return wait
        self.whole_at[recipient] = max(self.whole_at.get(recipient, now), now) + SECONDS_EACH
        self.held_until.pop(recipient, None)
        self._taken += 1
        if self._taken % LOOK_EVERY == 0:
            self.forget(now)
        return 0.0

    def wait(self, recipient: str, now: float) -> float:
        """The seconds until a message may go to this person."""
        credit_at = self.whole_at.get(recipient, now) - CREDIT_SECONDS
        return max(0.0, credit_at - now, self.held_until.get(recipient, now) - now)

    def exhausted(self, recipient: str, until: float) -> None:
        """Meta said that this person had too many: nothing before `until`, then one in 6 seconds."""
        spent = until + CREDIT_SECONDS
        self.whole_at[recipient] = max(self.whole_at.get(recipient, spent), spent)

    def hold(self, recipient: str, until: float) -> None:
        """An earlier message to this person waits until then: the later ones must not overtake it."""
        self.held_until[recipient] = max(self.held_until.get(recipient, until), until)

    def forget(self, now: float) -> None:
        """Drop everyone who may be written to freely again."""
        self.whole_at = {who: at for who, at in self.whole_at.items() if at > now}
        self.held_until = {who: at for who, at in self.held_until.items() if at > now}

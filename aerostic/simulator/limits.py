"""How fast a number may send, and how fast to one person. Real time: these are limits of machines."""

import time
from collections import deque
from dataclasses import dataclass, field

from aerostic.simulator.errors import GraphError

#: One message per six seconds to one person; up to 45 at once, borrowed from the future.
PAIR_INTERVAL_SECONDS = 6.0
PAIR_BURST = 45


@dataclass
class Pair:
    """Time already promised away to one person, in seconds from `since`."""

    owed: float = 0.0
    since: float = 0.0

    def allows(self, now: float) -> bool:
        self.owed = max(0.0, self.owed - (now - self.since))
        self.since = now
        if self.owed + PAIR_INTERVAL_SECONDS > PAIR_INTERVAL_SECONDS * PAIR_BURST:
            return False
        self.owed += PAIR_INTERVAL_SECONDS
        return True


@dataclass
class Limits:
    """Kept in memory: a restart forgives."""

    _sent: dict[str, deque[float]] = field(default_factory=dict)
    _pairs: dict[tuple[str, int], Pair] = field(default_factory=dict)

    def spend_throughput(self, number_id: str, allowed: int) -> None:
        """Count one send against the number's last second. Raises 130429 when it is full."""
        now = time.monotonic()
        recent = self._sent.setdefault(number_id, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= allowed:
            raise GraphError(
                130429,
                "Message failed to send because there were too many messages sent in a second.",
            )
        recent.append(now)

    def spend_pair(self, number_id: str, person_id: int) -> None:
        """Count one send to one person. Raises 131056 when 45 are still being paid for."""
        pair = self._pairs.setdefault((number_id, person_id), Pair())
        if not pair.allows(time.monotonic()):
            raise GraphError(131056)

    def forget(self) -> None:
        self._sent.clear()
        self._pairs.clear()

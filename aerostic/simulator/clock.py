"""Time as WhatsApp's side tells it: the machine's clock, moved forward as far as someone asked."""

import time

from aerostic.simulator.store import Store

_OFFSET = "clock.offset_seconds"


class SimulatedClock:
    """Only timestamps and windows follow this clock. Waiting (delays, retries) always takes real time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = float(store.setting(_OFFSET, 0.0))

    @property
    def offset(self) -> float:
        return self._offset

    def now(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward. It never moves back: a message would be older than the one that it answers."""
        self._offset += seconds
        self._store.remember(_OFFSET, self._offset)

    def back_to_real_time(self) -> None:
        self._offset = 0.0
        self._store.remember(_OFFSET, 0.0)

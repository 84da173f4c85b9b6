"""How fast one number sends: a token bucket whose rate yields when Meta complains. Pure: time is given.

In any stretch of `s` seconds at most `rate * s + rate * BURST_SECONDS` pass, so in ten seconds at most
0.4 % more than the rate. Lowered by a factor, raised by steps (AIMD), as TCP does.
"""

from dataclasses import dataclass

BURST_SECONDS = 0.04
BACK_OFF = 0.5
RECOVERY_SECONDS = 60.0  # from nothing to the full rate
CALM_SECONDS = 5.0  # after a complaint, before the rate rises again
ONE_COMPLAINT_SECONDS = 1.0  # many refusals of one moment are one complaint
SLOWEST = 1.0
WHOLE = 1.0 - 1e-9  # who waited as told finds a token, rounding or not


@dataclass(slots=True)
class Bucket:
    """Tokens are messages. `nominal` is what Meta grants, `rate` what is used now."""

    nominal: float
    rate: float = 0.0
    tokens: float = 1.0
    filled_at: float = 0.0
    complained_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.rate = self.rate or self.nominal

    def take(self, now: float) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        self._fill(now)
        if self.tokens >= WHOLE:
            self.tokens -= 1.0
            return 0.0
        return (1.0 - self.tokens) / self.rate

    def begin(self, now: float) -> None:
        """Another sender may have spent until just now what this one would have saved: start with nothing."""
        self._fill(now)
        self.tokens = min(self.tokens, 0.0)

    def slow_down(self, now: float) -> None:
        """Meta said that we are too fast."""
        self._fill(now)
        if now - self.complained_at < ONE_COMPLAINT_SECONDS:
            return
        self.complained_at = now
        self.rate = max(min(SLOWEST, self.nominal), self.rate * BACK_OFF)
        self.tokens = min(self.tokens, 0.0)

    def grant(self, nominal: float) -> None:
        """Meta's grant changed: a lower one holds at once, a higher one is risen to."""
        if nominal != self.nominal:
            was_full = self.rate >= self.nominal
            self.nominal = nominal
            self.rate = nominal if was_full else min(self.rate, nominal)

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self.filled_at)
        self.filled_at = max(now, self.filled_at)
        most = max(1.0, self.rate * BURST_SECONDS)
        self.tokens = min(most, self.tokens + passed * self.rate)
        calm = min(passed, now - self.complained_at - CALM_SECONDS)
        if calm > 0 and self.rate < self.nominal:
            self.rate = min(self.nominal, self.rate + calm * self.nominal / RECOVERY_SECONDS)

"""Polling, with a sentence for what did not come."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Return once it holds; fail with `what` if it does not within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.02)

"""How fast this machine is at this moment: a shared one can be three times slower a minute later."""

import time
from collections.abc import Iterator

from bench.figures import Figure

ROUNDS = 2_000_000


def spin(bench: str, when: str) -> Iterator[Figure]:
    """Milliseconds for a fixed piece of pure Python: compare figures only where these agree."""
    began = time.perf_counter()
    total = 0
    for number in range(ROUNDS):
        total += number * number
    yield Figure(bench, f"machine_{when}_ms", (time.perf_counter() - began) * 1000, "ms")

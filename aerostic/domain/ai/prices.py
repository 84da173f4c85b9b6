"""What a model costs the operator, so that an agent can be held to a sum. Google's list prices, July 2026.

Micro-dollars for a million tokens. A model that is not listed counts as the dearest.
"""

from aerostic.domain.ai.models import LOCAL

MILLION = 1_000_000
# in, out (with the model's thoughts)
PRICES: dict[str, tuple[int, int]] = {
    "gemini-2.5-flash": (300_000, 2_500_000),
    "gemini-2.5-flash-lite": (100_000, 400_000),
    "gemini-2.5-pro": (1_250_000, 10_000_000),
    LOCAL: (0, 0),
}
_DEAREST = max(PRICES.values())


def cost_of(model: str, tokens_in: int, tokens_out: int) -> int:
    """In micro-dollars, rounded up: a limit errs on the safe side."""
    price_in, price_out = PRICES.get(model, _DEAREST)
    return -(-(tokens_in * price_in + tokens_out * price_out) // MILLION)

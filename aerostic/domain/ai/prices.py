"""What a model costs the operator, so that an agent can be held to a sum.

Google's list prices of the paid tier for text, as its page ai.google.dev/gemini-api/docs/pricing stood on
7 October 2026. Where they came from, and what changes when: docs/decisions/prices-of-models.md.
A model that is not listed counts as the dearest.
"""

from dataclasses import dataclass

from aerostic.domain.ai.models import LOCAL

MILLION = 1_000_000
LONG_PROMPT = 200_000  # tokens; the whole of a longer one has another price, and so has its answer


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars for a million tokens. What comes out counts with the model's thoughts."""

    into: int
    out: int
    into_long: int | None = None
    out_long: int | None = None

    def of(self, tokens_in: int, tokens_out: int) -> int:
        is_long = tokens_in > LONG_PROMPT
        into = self.into_long if is_long and self.into_long is not None else self.into
        out = self.out_long if is_long and self.out_long is not None else self.out
        return -(-(tokens_in * into + tokens_out * out) // MILLION)


PRICES = {
    "gemini-2.5-flash": Price(300_000, 2_500_000),
    "gemini-2.5-flash-lite": Price(100_000, 400_000),
    "gemini-2.5-pro": Price(1_250_000, 10_000_000, 2_500_000, 15_000_000),
    "gemini-3.5-flash-lite": Price(300_000, 2_500_000),
    "gemini-3.8-flash": Price(1_500_000, 7_500_000),  # half of it until the end of 2026
    LOCAL: Price(0, 0),
}


def cost_of(model: str, tokens_in: int, tokens_out: int) -> int:
    """In micro-dollars, rounded up: a limit errs on the safe side."""
    if known := PRICES.get(model):
        return known.of(tokens_in, tokens_out)
    return max(price.of(tokens_in, tokens_out) for price in PRICES.values())

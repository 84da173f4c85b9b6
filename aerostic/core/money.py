"""Amounts of money: whole micro-units of a currency inside, decimals with the currency outside."""

from decimal import Decimal, InvalidOperation

from aerostic.core.errors import Invalid

MICROS = 1_000_000  # of a unit of the currency
MOST = 10**15  # micro-units: a billion. More is a slip of the finger


def shown(micros: int, currency: str) -> str:
    """`1.50 USD`, `0.0529 USD`: two decimals at least, and as many as there are."""
    return f"{amount(micros)} {currency}"


def amount(micros: int) -> str:
    """The same without the currency, with commas between thousands."""
    whole, part = divmod(abs(micros), MICROS)
    decimals = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole:,}.{decimals}"


def decimal(micros: int) -> str:
    """A plain decimal number, for files and programs."""
    return amount(micros).replace(",", "")


def micros_of(text: str, field: str = "amount") -> int:
    """What a person or a file wrote, exactly. Raises Invalid for what is no amount."""
    try:
        micros = Decimal(text.strip().replace(",", "")) * MICROS
    except InvalidOperation:
        raise Invalid(field, "Write an amount such as 25 or 0.0529.") from None
    if not micros.is_finite() or abs(micros) > MOST:
        raise Invalid(field, "That amount is too large.")
    if micros != micros.to_integral_value():
        raise Invalid(field, "An amount has at most six decimals.")
    return int(micros)

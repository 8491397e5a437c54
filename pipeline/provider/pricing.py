"""What the sandbox charges: whole-number arithmetic of its own, as the provider's documents describe it.

It shares no code with the pipeline's rating on purpose: the audit compares two computations, not one with
itself. Times are milliseconds, billed durations whole seconds, prices whole numbers of 10^-12 of a dollar.
"""

from dataclasses import dataclass

from pipeline.errors import TollbookError

RATE_DECIMALS = 12
PRICE_DECIMALS = 10


class PriceError(TollbookError):
    """A price text of a plan is not a plain decimal number."""


def scaled(text: str) -> int:
    """A decimal text as a whole number of 10^-12: ``"0.0025"`` -> 2_500_000_000."""
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdigit() or len(fraction) > RATE_DECIMALS:
        raise PriceError(f"{text!r} is not a price: write digits and at most {RATE_DECIMALS} decimals")
    return int(whole + fraction.ljust(RATE_DECIMALS, "0"))


def decimal_text(value: int, decimals: int = PRICE_DECIMALS) -> str:
    """A whole number of 10^-decimals as text, trailing zeros trimmed: 25_000_000 -> ``"0.0025"``."""
    digits = f"{value:0{decimals + 1}d}"
    return f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")


def billed_seconds(talk_ms: int, increment: int, minimum: int) -> int:
    """Seconds billed for a talk time: whole increments, rounded up, not below the minimum; 0 for no talk."""
    if talk_ms <= 0:
        return 0
    step = increment * 1000
    return max(minimum, -(-talk_ms // step) * increment)


def call_price(rate: int, billed: int, unit: int) -> str:
    """``rate * billed / unit``, half-up to 10 decimals. ``rate`` in 10^-12, the others in seconds."""
    divisor = unit * 10 ** (RATE_DECIMALS - PRICE_DECIMALS)
    return decimal_text((2 * rate * billed + divisor) // (2 * divisor))


def message_price(rate: int, segments: int, recipients: int) -> str:
    """``rate * segments * recipients``, half-up to 10 decimals."""
    divisor = 10 ** (RATE_DECIMALS - PRICE_DECIMALS)
    return decimal_text((2 * rate * segments * recipients + divisor) // (2 * divisor))


@dataclass(frozen=True, slots=True)
class Terms:
    """What one row of a rate plan says, ready to compute with. ``rate_text`` is the row's price, verbatim."""

    rate_text: str
    rate: int
    increment: int
    minimum: int
    unit: int

    @classmethod
    def of(cls, price: str, increment: str, minimum: str, price_unit: int | None) -> "Terms":
        """``price_unit`` None: a price is per billing_minimum, as documented; else per that many seconds."""
        return cls(price, scaled(price), int(increment), int(minimum), price_unit or int(minimum))

    def charge(self, talk_ms: int) -> tuple[str, str]:
        """``(duration_billing, price)`` of a talk time."""
        billed = billed_seconds(talk_ms, self.increment, self.minimum)
        return str(billed), call_price(self.rate, billed, self.unit) if billed else "0"

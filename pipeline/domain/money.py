"""Amounts as they stand on an invoice: rounded once to the currency's minor unit, half-up and away from zero.

Record amounts have ten decimals and are rounded elsewhere, by their plan. What is here rounds lines and tax items,
and adds up what has been rounded.
"""

from collections.abc import Iterable
from decimal import Decimal

from pipeline.domain.rounding import EXACT, quantize

RECORD_DECIMALS = 10
_NONE = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def minor_unit(currency: str) -> int:
    """How many decimals amounts in a currency have, after ISO 4217: 2 for USD, 0 for JPY, 3 for KWD."""
    if currency in _NONE:
        return 0
    return 3 if currency in _THREE else 2


def to_minor(amount: Decimal, currency: str) -> Decimal:
    """``amount`` in whole minor units of its currency; never a negative zero."""
    return add((quantize(amount, minor_unit(currency), "half_up"),))


def to_record(amount: Decimal) -> Decimal:
    """``amount`` at the scale that record amounts keep."""
    return quantize(amount, RECORD_DECIMALS, "half_up")


def plain(value: Decimal, *, decimals: int = 0, grouped: bool = False) -> str:
    """A number in full: every digit that says something, at least so many decimals, no exponent, never rounded.

    ``grouped`` writes thousands apart: ``1,234.5``.
    """
    number = value or Decimal(0)
    whole, _, fraction = (f"{number:,f}" if grouped else f"{number:f}").partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def add(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum, with the finest scale among them; 0 of nothing."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def multiply(*factors: Decimal) -> Decimal:
    """The exact product."""
    product = Decimal(1)
    for factor in factors:
        product = EXACT.multiply(product, factor)
    return product

"""What a credit takes back of an invoice: lines as a person says, and of each tax what was due on them.

The sum to keep is: credit notes plus what remains equal the invoice, to the cent, however often it is credited. So a
tax is not credited by its rate on the credited amount, which would round anew each time; what remains is taxed as a
whole, and the credit is the difference. A tax that was a fixed amount, or was held at a bound, goes back when
everything that it was taken on has gone back.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pipeline.domain.invoice import TaxItem
from pipeline.domain.money import add, multiply, to_minor

Lines = Mapping[int, Decimal]
_BY_RATE = ("percent", "reverse_charge")


def after_credit(remaining: Lines, credits: Lines, currency: str) -> dict[int, Decimal]:
    """What remains of each line after ``credits`` (both by line number, in the line's own sign).

    Raises:
        ValueError: a line is unknown, or more is credited than remains of it.
    """
    after = dict(remaining)
    for number, amount in credits.items():
        if number not in after:
            msg = f"there is no line {number}"
            raise ValueError(msg)
        left = to_minor(after[number] - amount, currency)
        if to_minor(amount, currency) != amount:
            msg = f"line {number}: {amount} is not in whole cents"
            raise ValueError(msg)
        if not amount or left * after[number] < 0 or abs(left) > abs(after[number]):
            msg = f"line {number}: {amount} cannot be credited where {after[number]} remains"
            raise ValueError(msg)
        after[number] = left
    return after


def tax_remaining(
    taxes: Sequence[TaxItem], before: Sequence[Decimal], after: Lines, currency: str
) -> list[Decimal]:
    """What remains of each tax when ``after`` remains of the lines; ``before`` is what remained of it until now.

    ``taxes`` are the invoice's, in its order; each knows the lines it was taken on.
    """
    remains: dict[str, Decimal] = {}
    for tax, left in zip(taxes, before, strict=True):
        remains[tax.rule] = _left(tax, left, after, remains, currency)
    return [remains[tax.rule] for tax in taxes]


def base_back(tax: TaxItem, credited: Lines, taxes_back: Mapping[str, Decimal]) -> Decimal:
    """The base that a tax loses when these lines and these taxes (by rule) go back."""
    if tax.method not in _BY_RATE:
        return tax.base
    below = [taxes_back[name] for name in tax.on if name in taxes_back]
    lines = [credited[number] for number in tax.lines if number in credited]
    return add((multiply(tax.share, add(lines)), *below))


def _left(
    tax: TaxItem, before: Decimal, after: Lines, remains: Mapping[str, Decimal], currency: str
) -> Decimal:
    lines = [after[number] for number in tax.lines]
    below = [remains[name] for name in tax.on if name in remains]
    if not any(lines) and not any(below):
        return to_minor(Decimal(0), currency)
    if tax.method not in _BY_RATE:
        return before
    base = add((multiply(tax.share, add(lines)), *below))
    return to_minor(multiply(tax.rate, base), currency)

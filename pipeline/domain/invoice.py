"""What an invoice is made of, and the arithmetic of its foot.

Totals are sums of lines and tax items that were rounded once each, so a customer who adds up the page gets the
page's figures. The provider's words are kept: ``balance_previous`` and ``balance_forward`` are negative for credit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.domain.money import add, to_minor
from pipeline.domain.period import Period
from pipeline.domain.rounding import EXACT


@dataclass(frozen=True, slots=True)
class Item:
    """One line. ``usage`` is billed seconds for calls, else a count; ``period`` is the usage's own.

    ``taxed_as`` is the type whose taxes an adjustment bears: that of the line which it corrects; empty is its own.
    ``abroad`` says of a line without a country that it stands for none or several, but not for the customer's.
    """

    type: str
    direction: str | None
    country_code: str | None
    description: str
    usage: int
    records: int
    amount_exact: Decimal
    amount: Decimal
    period: Period
    detail: Mapping[str, object] = field(default_factory=dict)
    taxed_as: str = ""
    abroad: bool = False


@dataclass(frozen=True, slots=True)
class TaxItem:
    """One tax. ``base`` is exact (a share of rounded lines), ``amount`` rounded.

    ``method`` says how the amount was found (see ``domain.tax``); ``per`` makes ``base`` a count and ``rate`` an amount
    of money. ``lines`` are the numbers of the lines it was taken on, ``on`` the rules whose tax it taxes.
    """

    rule: str
    name: str
    jurisdiction: str
    type: str
    base: Decimal
    rate: Decimal
    amount: Decimal
    legal_source: str
    method: str = "percent"
    per: str = ""
    lines: tuple[int, ...] = ()
    on: tuple[str, ...] = ()
    share: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Totals:
    """The foot of an invoice."""

    amount: Decimal
    amount_tax: Decimal
    balance_previous: Decimal
    payments: Decimal
    balance_forward: Decimal
    amount_due: Decimal


def totals(
    items: Iterable[Item],
    taxes: Iterable[TaxItem],
    *,
    balance_previous: Decimal,
    payments: Decimal,
    currency: str,
) -> Totals:
    """The foot of an invoice with these lines; ``payments`` is what came in since ``balance_previous`` stood."""
    amount = to_minor(add(item.amount for item in items), currency)
    amount_tax = to_minor(add(tax.amount for tax in taxes), currency)
    return foot(amount, amount_tax, balance_previous, payments)


def foot(amount: Decimal, amount_tax: Decimal, balance_previous: Decimal, payments: Decimal) -> Totals:
    """As ``totals``, from the two sums."""
    forward = add((balance_previous, amount, amount_tax, -payments))
    nothing = EXACT.subtract(forward, forward)  # zero, with the decimals of the currency
    return Totals(amount, amount_tax, balance_previous, payments, forward, max(forward, nothing))

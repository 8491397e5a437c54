"""``charges.csv``, ``discounts.csv``, ``commitments.csv`` and ``per_use.csv``: what customers pay beside the price of
their calls, messages and numbers.

One row is one charge, discount, commitment or price of one customer, or of everybody (``*``) who is billed in its
currency; a customer's own row takes the place of everybody's with the same key. ``start`` is the first day and ``end``
the first day not any more, both where the customer is. A price that changes is a new row with a key of its own, so that
what was billed stays as it was.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pipeline.domain.allowances import Held
from pipeline.domain.charges import (
    ADVANCE,
    BILLED,
    CALLS,
    LOOKUPS,
    ONCE,
    ONE_OFF,
    PROVIDER,
    RECURRING,
    Charge,
    Commitment,
    Discount,
    PerUse,
)
from pipeline.domain.rate_plan import EVERYONE
from pipeline.masters.model import Customer
from pipeline.masters.overlaps import unique
from pipeline.masters.reading import Problems, Row, csv_rows
from pipeline.masters.vocabulary import CURRENCIES, ITEM_TYPES, LOOKUP_TYPES, PER_USE_TYPES

_DATED = ("start", "end", "order")
CHARGE_COLUMNS = (
    *("charge", "name", "partner_sid", "amount", "currency", "billed", "quantity", "taxed_as", "prorated"),
    *_DATED,
)
DISCOUNT_COLUMNS = (
    *("discount", "name", "partner_sid", "percent", "amount", "currency", "items", "below_zero"),
    *_DATED,
)
COMMITMENT_COLUMNS = (
    *("commitment", "name", "partner_sid", "amount", "currency", "items", "taxed_as"),
    *_DATED,
)
PER_USE_COLUMNS = (
    *("per_use", "name", "partner_sid", "type", "price", "currency", "source", "families"),
    *_DATED,
)
_KEY = r"[a-z0-9][a-z0-9_-]{0,59}"
_WORDS = (*ITEM_TYPES, RECURRING, ONE_OFF)
Customers = dict[str, Customer]
_Value = TypeVar("_Value", bound=Held)


def read_charges(folder: Path, customers: Customers, problems: Problems) -> tuple[Charge, ...]:
    """The recurring and one-off charges of a folder of master files; problems are noted with their lines."""
    path, required = folder / "charges.csv", ("charge", "partner_sid", "amount")
    rows = csv_rows(path, CHARGE_COLUMNS, required, problems)
    return _unique("charge", [(row, _charge(row, _common(row, "charge", customers))) for row in rows])


def read_discounts(folder: Path, customers: Customers, problems: Problems) -> tuple[Discount, ...]:
    """The discounts, likewise."""
    path, required = folder / "discounts.csv", ("discount", "partner_sid")
    rows = csv_rows(path, DISCOUNT_COLUMNS, required, problems)
    return _unique("discount", [(row, _discount(row, _common(row, "discount", customers))) for row in rows])


def read_commitments(folder: Path, customers: Customers, problems: Problems) -> tuple[Commitment, ...]:
    """The minimum commitments, likewise."""
    path, required = folder / "commitments.csv", ("commitment", "partner_sid", "amount")
    rows = csv_rows(path, COMMITMENT_COLUMNS, required, problems)
    return _unique(
        "commitment", [(row, _commitment(row, _common(row, "commitment", customers))) for row in rows]
    )


def read_per_use(folder: Path, customers: Customers, problems: Problems) -> tuple[PerUse, ...]:
    """The prices of features by use, likewise."""
    path, required = folder / "per_use.csv", ("per_use", "partner_sid", "type", "price", "source")
    rows = csv_rows(path, PER_USE_COLUMNS, required, problems)
    return _unique("per_use", [(row, _per_use(row, _common(row, "per_use", customers))) for row in rows])


def currency_of(row: Row, partner: str, customers: Customers) -> str:
    """A customer's own currency; a row for everybody says which it is for."""
    customer = customers.get(partner)
    named = row.choice("currency", CURRENCIES, customer.currency if customer else "")
    if customer and named != customer.currency:
        row.wrong("currency", f"is {named!r}, while the customer is billed in {customer.currency}")
    if partner == EVERYONE and not named:
        row.wrong("currency", "is empty; a row for * says in which currency its customers are billed")
    return named


def partner_of(row: Row, customers: Customers) -> str:
    """A customer, or everybody."""
    return row.choice("partner_sid", (*customers, EVERYONE), required=True)


def _unique(what: str, read: list[tuple[Row, _Value]]) -> tuple[_Value, ...]:
    return tuple(unique(read, _whose, f"{what} {{key[1]!r}} of {{key[0]!r}}"))


def _whose(value: Held) -> tuple[str, str]:
    return value.partner_sid, value.key


def _common(row: Row, what: str, customers: Customers) -> dict[str, Any]:
    start, end = row.day("start"), row.day("end")
    row.interval(start, end)
    key = row.matching(what, _KEY, "a short name in small letters, like support-2026", required=True)
    partner = partner_of(row, customers)
    return {
        "key": key,
        "name": row.text("name", key),
        "partner_sid": partner,
        "currency": currency_of(row, partner, customers),
        "start": start,
        "end": end,
        "order": row.integer("order", 0, 9999, 0),
    }


def _charge(row: Row, common: dict[str, Any]) -> Charge:
    billed = row.choice("billed", BILLED, ADVANCE)
    if billed == ONCE and common["start"] is None:
        row.wrong("start", "is empty; of a charge that is billed once it is the day")
    if billed == ONCE and common["end"] is not None:
        row.wrong("end", "has no meaning for a charge that is billed once; leave it empty")
    return Charge(
        **common,
        amount=_positive(row, "amount"),
        billed=billed,
        quantity=row.integer("quantity", 1, 999_999, 1),
        taxed_as=row.choice("taxed_as", ITEM_TYPES),
        prorated=row.choice("prorated", ("yes", "no"), "yes") == "yes",
    )


def _discount(row: Row, common: dict[str, Any]) -> Discount:
    percent, amount = row.money("percent"), row.money("amount")
    if (percent is None) == (amount is None):
        row.wrong("percent", "or amount is needed, and not both")
    if percent is not None and not 0 < percent <= 100:
        row.wrong("percent", f"is {percent}; valid is more than 0 and at most 100, like 10 for 10 %")
    below_zero = row.flag("below_zero")
    if below_zero and percent is not None:
        row.wrong("below_zero", "is for a fixed amount; a percentage never takes more than there is")
    return Discount(
        **common,
        percent=percent,
        amount=None if amount is None else _positive(row, "amount"),
        items=row.words("items", _WORDS),
        below_zero=below_zero,
    )


def _commitment(row: Row, common: dict[str, Any]) -> Commitment:
    return Commitment(
        **common,
        amount=_positive(row, "amount"),
        items=row.words("items", _WORDS),
        taxed_as=row.choice("taxed_as", ITEM_TYPES),
    )


def _per_use(row: Row, common: dict[str, Any]) -> PerUse:
    kind = row.choice("type", PER_USE_TYPES, required=True)
    source = row.choice("source", (LOOKUPS, PROVIDER, CALLS), required=True)
    families = row.words("families")
    if source == LOOKUPS and kind and kind not in LOOKUP_TYPES:
        row.wrong("source", f"is lookups, which are {', '.join(LOOKUP_TYPES)}; {kind} is not counted there")
    if (source == CALLS) != bool(families):
        row.wrong("families", "is needed with source calls, and only there: like voicemail")
    return PerUse(**common, type=kind, price=_positive(row, "price"), source=source, families=families)


def _positive(row: Row, column: str) -> Decimal:
    value = row.money(column, required=True)
    if value is not None and value <= 0:
        row.wrong(column, f"is {value}; valid is more than 0")
    return value or Decimal(0)

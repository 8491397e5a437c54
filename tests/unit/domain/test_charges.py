"""What charges, discounts and commitments come to, worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from pipeline.domain.charges import (
    Charge,
    Commitment,
    Day,
    Discount,
    Reached,
    committed,
    held_in,
    reductions,
    shortfall,
    still_owed,
)
from pipeline.domain.did_prices import DidPrice, row_of

MARCH = [date(2026, 3, 1) + timedelta(n) for n in range(31)]
SEAT = Charge("seat", "Seat", "acme", Decimal(31), "USD")


def march(day: int) -> date:
    return date(2026, 3, day)


def billed(first: int, last: int, price: str = "31", of: int = 31) -> dict[date, Day]:
    return {march(n): Day(Decimal(price), of) for n in range(first, last + 1)}


def days(*ends: date | None, quantity: int = 1, **more: object) -> Charge:
    return Charge("seat", "Seat", "acme", Decimal(31), "USD", "arrears", quantity, *ends, **more)  # type: ignore[arg-type]


OWED = {
    "a whole period": (SEAT, {}, [(1, 31, "31")]),
    "from the first day on": (days(march(11)), {}, [(11, 31, "21")]),
    "up to the last day": (days(None, march(11)), {}, [(1, 10, "10")]),
    "several of it": (days(march(11), quantity=3), {}, [(11, 31, "63")]),
    "not yet": (days(date(2026, 4, 1)), {}, []),
    "not any more": (days(None, march(1)), {}, []),
    "billed already": (SEAT, billed(1, 31), []),
    "billed in part": (SEAT, billed(1, 20), [(21, 31, "11")]),
    "billed in the middle": (SEAT, billed(10, 20), [(1, 9, "9"), (21, 31, "11")]),
    "ended after it was billed": (days(None, march(11)), billed(1, 31), [(11, 31, "-21")]),
    "given back at the price that was paid": (days(None, march(11)), billed(1, 31, "62"), [(11, 31, "-42")]),
    "moved": (days(march(5)), billed(1, 20), [(21, 31, "11"), (1, 4, "-4")]),
    "a new price is not for what was billed": (SEAT, billed(1, 31, "20"), []),
    "whole however short": (days(march(31), prorated=False), {}, [(1, 31, "31")]),
    "whole only once": (days(march(11), prorated=False), billed(11, 31), []),
}


@pytest.mark.parametrize(("charge", "before", "expected"), OWED.values(), ids=OWED)
def test_a_charge_owes_its_days_that_no_invoice_has_billed(
    charge: Charge, before: dict[date, Day], expected: list[tuple[int, int, str]]
) -> None:
    found = still_owed(charge, MARCH, 31, before)
    assert [(s.first.day, s.last.day, s.amount) for s in found] == [
        (first, last, Decimal(amount)) for first, last, amount in expected
    ]


def test_a_short_period_owes_its_share_of_a_whole_one() -> None:
    (span,) = still_owed(SEAT, MARCH[15:], 31, {})
    assert (span.days, span.of, span.amount) == (16, 31, Decimal(16))


def off(percent: str | None = None, amount: str | None = None, *, below_zero: bool = False) -> Discount:
    part, whole = (None if v is None else Decimal(v) for v in (percent, amount))
    return Discount("d", "D", "acme", "USD", part, whole, below_zero=below_zero)


REDUCTIONS = {
    "a percentage of each": (off("10"), ["100", "1.25"], ["10", "0.125"]),
    "of what goes back too": (off("10"), ["100", "-20"], ["10", "-2"]),
    "a fixed amount by weight": (off(amount="10"), ["75", "25"], ["7.50", "2.50"]),
    "shares in cents that add up": (off(amount="10"), ["1", "1", "1"], ["1", "1", "1"]),
    "thirds of a cent that add up": (off(amount="0.10"), ["1", "1", "1"], ["0.03", "0.04", "0.03"]),
    "never more than there is": (off(amount="10"), ["4", "2"], ["4", "2"]),
    "what goes back leaves less": (off(amount="10"), ["12", "-6"], ["6", "0"]),
    "nothing where there is less than nothing": (off(amount="10"), ["2", "-6"], ["0", "0"]),
    "below zero where that is said": (off(amount="10", below_zero=True), ["4", "1"], ["8", "2"]),
    "nothing of nothing": (off(amount="10"), [], []),
}


@pytest.mark.parametrize(("discount", "bases", "expected"), REDUCTIONS.values(), ids=REDUCTIONS)
def test_a_discount_takes(discount: Discount, bases: list[str], expected: list[str]) -> None:
    assert reductions(discount, [Decimal(b) for b in bases], "USD") == [Decimal(e) for e in expected]


HUNDRED = Commitment("c", "C", "acme", Decimal(100), "USD", start=march(11))
SHORT = {
    "short": (Reached(), "100", "60", "40"),
    "reached": (Reached(), "100", "130", "0"),
    "late usage gives back": (Reached(Decimal(100), Decimal(60), Decimal(40)), "0", "25", "-25"),
    "no more than was billed": (Reached(Decimal(100), Decimal(60), Decimal(40)), "0", "90", "-40"),
    "a correction asks for more": (Reached(Decimal(100), Decimal(130), Decimal(0)), "0", "-50", "20"),
}


@pytest.mark.parametrize(("before", "minimum", "counted", "expected"), SHORT.values(), ids=SHORT)
def test_a_commitment_asks_for_what_is_short(
    before: Reached, minimum: str, counted: str, expected: str
) -> None:
    assert shortfall(before, Decimal(minimum), Decimal(counted)) == Decimal(expected)


def test_a_commitment_is_a_share_where_it_begins() -> None:
    assert committed(HUNDRED, MARCH, 31) == Decimal("67.74")


def test_a_customers_own_takes_the_place_of_everybodys_in_its_currency() -> None:
    known = [
        Charge("seat", "For all", "*", Decimal(5), "USD"),
        Charge("line", "For all in euro", "*", Decimal(4), "EUR"),
        Charge("seat", "Its own", "acme", Decimal(3), "USD"),
        Charge("seat", "Another's", "boreal", Decimal(2), "USD"),
    ]
    found = [[c.name for c in held_in(who, "USD", known)] for who in ("acme", "carmine")]
    assert found == [["Its own"], ["For all"]]


LIST = [
    DidPrice("*", "1800", "USD", ((0, Decimal(3)),)),
    DidPrice("*", "", "USD", ((0, Decimal(2)),)),
    DidPrice("acme", "", "USD", ((0, Decimal(1)), (100, Decimal("0.8"))), end=march(20)),
]


@pytest.mark.parametrize(
    ("who", "number", "day", "expected"),
    [
        pytest.param("boreal", "18005550100", march(1), "3", id="the longest prefix"),
        pytest.param("boreal", "12125550100", march(1), "2", id="else the row for all numbers"),
        pytest.param("acme", "18005550100", march(1), "1", id="a customer's own list first"),
        pytest.param("acme", "18005550100", march(20), "3", id="in force on the day"),
    ],
)
def test_price_list_for_a_number(who: str, number: str, day: date, expected: str) -> None:
    row = row_of(LIST, who, number, day)
    assert row is not None
    assert row.price(0) == Decimal(expected)


@pytest.mark.parametrize(("before", "expected"), [(0, "1"), (99, "1"), (100, "0.8"), (500, "0.8")])
def test_steps_are_marginal(before: int, expected: str) -> None:
    assert LIST[2].price(before) == Decimal(expected)

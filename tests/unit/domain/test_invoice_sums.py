"""The foot of an invoice, rounding to minor units, and taxes per rule and place."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pipeline.domain.invoice import Item, totals
from pipeline.domain.money import minor_unit, to_minor
from pipeline.domain.period import Period
from pipeline.domain.tax import Supply, Unplaced, assess
from pipeline.masters.model import Place, TaxRule

PERIOD = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
TEXAS = Place("USA", "TX", city="Austin")
SALES = TaxRule("sales", "Sales tax", "state", "sales_tax", Decimal("0.0625"), country="USA", state="TX")
FUND = TaxRule(
    "fund",
    "Universal service",
    "federal",
    "fed_universal_service_fund",
    Decimal("0.376"),
    share=Decimal("0.649"),
    country="USA",
    items=("toll", "toll_free"),
    scope="domestic",
)


def item(amount: str, type: str = "toll", country: str | None = "USA") -> Item:
    money = Decimal(amount)
    return Item(type, "outbound", country, "Calls", 60, 1, money, to_minor(money, "USD"), PERIOD)


def taxes(items: list[Item], *rules: TaxRule, place: Place = TEXAS, day: date = date(2026, 3, 31)) -> object:
    declared = (Place("USA", "TX"), Place("DEU"))
    found = assess(Supply(items, "acme", place, day, "USD"), rules, declared)
    return found if isinstance(found, Unplaced) else found.items


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.005", "USD", "0.01"),
        ("-0.005", "USD", "-0.01"),
        ("0.0049999999", "USD", "0.00"),
        ("-0.004", "USD", "0.00"),
        ("2.5", "JPY", "3"),
        ("0.0005", "KWD", "0.001"),
        ("12345678901234567.895", "USD", "12345678901234567.90"),
    ],
)
def test_rounding_to_the_minor_unit(amount: str, currency: str, expected: str) -> None:
    assert str(to_minor(Decimal(amount), currency)) == expected


def test_minor_units() -> None:
    assert {c: minor_unit(c) for c in ("USD", "JPY", "KWD")} == {"USD": 2, "JPY": 0, "KWD": 3}


# lines, taxes, previous, payments -> amount, tax, forward, due
FEET = [
    # the provider's sample: its own forward of -0.45 is a slip
    (["0.37", "0.01"], ["0.32"], "-351.91", "0", "0.38", "0.32", "-351.21", "0.00"),
    (["0.37", "0.01"], [], "-351.91", "0", "0.38", "0.00", "-351.53", "0.00"),
    (["10"], ["0.63"], "0", "0", "10.00", "0.63", "10.63", "10.63"),
    (["10"], ["0.63"], "50", "50", "10.00", "0.63", "10.63", "10.63"),
    (["10"], [], "50", "20", "10.00", "0.00", "40.00", "40.00"),
    (["-10"], [], "0", "0", "-10.00", "0.00", "-10.00", "0.00"),
    ([], [], "0", "0", "0.00", "0.00", "0.00", "0.00"),
]


@pytest.mark.parametrize(("lines", "taxed", "previous", "paid", "amount", "tax", "forward", "due"), FEET)
def test_the_foot(
    lines: list[str],
    taxed: list[str],
    previous: str,
    paid: str,
    amount: str,
    tax: str,
    forward: str,
    due: str,
) -> None:
    (rule,) = taxes([item("1")], SALES)
    found = totals(
        [item(line) for line in lines],
        [replace(rule, amount=Decimal(t)) for t in taxed],
        balance_previous=Decimal(previous),
        payments=Decimal(paid),
        currency="USD",
    )
    assert [str(v) for v in (found.amount, found.amount_tax, found.balance_forward, found.amount_due)] == [
        amount,
        tax,
        forward,
        due,
    ]


def test_a_tax_is_taken_once_over_all_rounded_lines() -> None:
    (found,) = taxes([item("0.10"), item("0.10"), item("0.10")], SALES)
    assert (str(found.base), str(found.amount)) == ("0.30", "0.02")


def test_share_items_and_scope_make_the_base() -> None:
    lines = [item("100"), item("50", country="DEU"), item("30", "sms"), item("20", "toll_free", None)]
    (found,) = taxes(lines, FUND)
    assert (found.base, str(found.amount)) == (Decimal("77.88"), "29.28")
    (abroad,) = taxes(lines, replace(FUND, scope="international", share=Decimal(1)))
    assert (abroad.base, str(abroad.amount)) == (Decimal(50), "18.80")


def test_a_line_of_no_country_is_abroad_where_it_says_so() -> None:
    lines = [replace(item("6.25", country=None), abroad=True), item("1", country=None)]
    (found,) = taxes(lines, replace(FUND, scope="international", share=Decimal(1)))
    assert found.base == Decimal("6.25")


def test_a_rule_without_lines_makes_no_item() -> None:
    assert taxes([item("1", "sms")], FUND) == ()


@pytest.mark.parametrize(
    ("day", "names"),
    [(date(2026, 3, 30), ["old"]), (date(2026, 3, 31), ["new"]), (date(2026, 4, 1), ["new"])],
)
def test_rules_are_dated_by_the_tax_point(day: date, names: list[str]) -> None:
    old = replace(SALES, name="old", end=date(2026, 3, 31))
    new = replace(SALES, name="new", start=date(2026, 3, 31))
    assert [t.name for t in taxes([item("1")], old, new, day=day)] == names


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        (Place("USA", "TX"), 1),
        (Place("USA", " tx "), 1),
        (Place("DEU", "Berlin"), 0),
        (Place("USA", "NV", city="Reno"), "no tax rules for Reno, NV, USA: "),
        (Place("USA"), "no tax rules for USA: "),
    ],
)
def test_a_place_is_matched_or_refused(place: Place, answer: object) -> None:
    found = taxes([item("1")], SALES, place=place)
    if isinstance(found, Unplaced):
        assert found.reason == f"{answer}add what is due there to taxes.csv and the place to tax_places.csv"
    else:
        assert len(found) == answer


def test_rules_are_in_the_order_of_the_page() -> None:
    first, second = replace(SALES, rule="z", order=1), replace(SALES, rule="a", order=2)
    assert [t.rule for t in taxes([item("1")], second, first)] == ["z", "a"]

"""The rent of numbers: in advance for the next period, by days in the first one, to the same payers as calls."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.did_prices import DidPrice
from pipeline.domain.period import Period, day_start
from pipeline.invoice.due import Account, Due
from pipeline.invoice.rent import Holding, holdings, rent_lines, unpriced
from pipeline.ledger.schema import invoice_items
from pipeline.masters.model import Customer, Seller
from tests.fixtures.billing import ACME, HOUSE, Desk, masters

FIRST = datetime(2026, 2, 1, tzinfo=UTC)
MARCH_11 = datetime(2026, 3, 11, 15, tzinfo=UTC)
MARCH_20 = datetime(2026, 3, 20, 15, tzinfo=UTC)
APRIL_2 = datetime(2026, 4, 2, 6, tzinfo=UTC)


MARCH = Period(day_start(date(2026, 3, 1), ACME.time_zone), day_start(date(2026, 4, 1), ACME.time_zone))


def due(customer: Customer = ACME) -> Due:
    return Due(Account(customer, HOUSE, "root"), MARCH, MARCH.start, "sid")


def did(
    sid: str, seen: datetime = FIRST, gone: datetime | None = None, price: str = "0.6", owner: str = "acme"
) -> dict:
    return {
        "did_sid": sid,
        "partner_sid": owner,
        "price": Decimal(price),
        "valid_from": seen,
        "valid_to": gone,
    }


def rent(tmp_path: Path, *dids: dict, customer: Customer = ACME) -> list[tuple]:
    desk = Desk(tmp_path).commit()
    desk.put("land/dids", [did("anchor", price="0"), *dids])
    desk.bill(masters=masters(customer))
    found = sorted(desk.ledger_rows(invoice_items), key=lambda i: i.line_no)
    return [(i.description, i.usage, str(i.amount_exact), i.period_start.date().isoformat()) for i in found]


class Snapshots:
    """Stands in for a connection: the history of numbers, as the lake would give it."""

    def __init__(self, dids: list[dict]) -> None:
        rows = sorted(dids, key=lambda d: (d["did_sid"], d["valid_from"]))
        self.rows = [
            (*(d[name] for name in ("did_sid", "partner_sid", "price", "valid_from", "valid_to")), "1")
            for d in rows
        ]

    def execute(self, _query: str) -> "Snapshots":
        return self

    def fetchall(self) -> list[tuple]:
        return self.rows


def ahead(text: str, count: int, amount: str) -> tuple:
    return f"Phone numbers, monthly rent in advance ({text})", count, amount, "2026-04-01"


def started(text: str, count: int, amount: str) -> tuple:
    return f"New phone numbers, rent by days ({text})", count, amount, "2026-03-01"


TABLE = {
    "long held numbers owe the next month": (
        [did("a"), did("b")],
        [ahead("2 at 0.60", 2, "1.2000000000")],
    ),
    "a price is a line": (
        [did("a"), did("b", price="1")],
        [ahead("1 at 0.60", 1, "0.6000000000"), ahead("1 at 1.00", 1, "1.0000000000")],
    ),
    "a new number owes its days too": (
        [did("a", MARCH_11)],
        [started("1 at 0.60", 1, "0.4064516129"), ahead("1 at 0.60", 1, "0.6000000000")],
    ),
    "a number given up owes nothing ahead": ([did("a", gone=MARCH_20)], []),
    "a number that came and went owes its days": (
        [did("a", MARCH_11, MARCH_20)],
        [started("1 at 0.60", 1, "0.1935483871")],
    ),
    "a number first seen after the period waits": ([did("a", APRIL_2)], []),
    "a changed price is no new number": (
        [did("a", FIRST, MARCH_11), did("a", MARCH_11, price="0.8")],
        [ahead("1 at 0.80", 1, "0.8000000000")],
    ),
    "a number that changed hands is new to its new partner": (
        [did("a", FIRST, MARCH_11, owner="boreal"), did("a", MARCH_11)],
        [started("1 at 0.60", 1, "0.4064516129"), ahead("1 at 0.60", 1, "0.6000000000")],
    ),
}


@pytest.mark.parametrize(("dids", "expected"), TABLE.values(), ids=TABLE)
def test_rent(dids: list[dict], expected: list[tuple]) -> None:
    numbers = holdings(Snapshots([did("anchor", price="0"), *dids]))
    lines = rent_lines(due(), [h for h in numbers if h.partner_sid == "acme"])
    assert [
        (i.description, i.usage, f"{i.amount_exact:f}", i.period.start.date().isoformat())
        for i in (line.item for line in lines)
        if i
    ] == expected


def test_a_customers_own_price_wins(tmp_path: Path) -> None:
    customer = replace(ACME, did_price=Decimal("2.5"))
    assert rent(tmp_path, did("a"), customer=customer) == [
        ("Phone numbers, monthly rent in advance (2 at 2.50)", 2, "5.0000000000", "2026-04-01")
    ]


def test_rent_goes_on_from_month_to_month(tmp_path: Path) -> None:
    desk = Desk(tmp_path).commit().put("land/dids", [did("a")])
    desk.bill(datetime(2026, 5, 3, tzinfo=UTC))
    starts = desk.rows("select date_billing_period_start::date::varchar from invoice.items order by all")
    assert starts == [("2026-04-01",), ("2026-05-01",)]


def test_each_level_of_the_tree_pays_for_a_number(tmp_path: Path) -> None:
    brand = Seller(key="brand", name="Brand", partner_sid="acme", series="BR")
    below = replace(ACME, partner_sid="shop", name="Shop", seller="brand", did_price=Decimal(3))
    held = masters(replace(ACME, resells=True), below, sellers={"house": HOUSE, "brand": brand})
    desk = Desk(tmp_path, parents={"acme": "root", "shop": "acme"}).commit()
    desk.put("land/dids", [did("a", owner="shop")])
    report = desk.bill(masters=held)
    assert [(b.partner_sid, b.number, b.amount) for b in report.invoices] == [
        ("acme", "HCS-2026-000001", Decimal("0.60")),
        ("shop", "BR-2026-000001", Decimal("3.00")),
    ]


def held(
    n: int, start: datetime | None = None, end: datetime | None = None, number: str = "12125550100"
) -> Holding:
    return Holding(f"d{n:03}", "acme", start, end, ((FIRST, Decimal("0.6")),), number)


def steps(prefix: str = "", who: str = "acme", *at: tuple[int, str]) -> DidPrice:
    return DidPrice(who, prefix, "USD", tuple((n, Decimal(price)) for n, price in at))


HUNDRED = steps("", "acme", (0, "1"), (100, "0.8"))
PRICED = {
    "the next hundred is cheaper, the first is not": (
        [held(n) for n in range(120)],
        [HUNDRED],
        [ahead("20 at 0.80", 20, "16"), ahead("100 at 1.00", 100, "100")],
    ),
    "exactly a hundred": ([held(n) for n in range(100)], [HUNDRED], [ahead("100 at 1.00", 100, "100")]),
    "a new number comes after those long held": (
        [held(0, MARCH_11), *(held(n) for n in range(1, 101))],
        [HUNDRED],
        [
            started("1 at 0.80", 1, "0.5419354839"),
            ahead("1 at 0.80", 1, "0.8"),
            ahead("100 at 1.00", 100, "100"),
        ],
    ),
    "one that came and went makes room again": (
        [*(held(n) for n in range(99)), held(100, MARCH_11, MARCH_20), held(101, MARCH_20)],
        [HUNDRED],
        [
            started("1 at 0.80", 1, "0.3096774194"),
            started("1 at 1.00", 1, "0.3225806452"),
            ahead("100 at 1.00", 100, "100"),
        ],
    ),
    "each prefix has steps of its own": (
        [held(1), held(2, number="18005550100"), held(3, number="18005550101")],
        [steps("1800", "acme", (0, "3"), (1, "2")), steps("", "acme", (0, "1"))],
        [ahead("1 at 1.00", 1, "1"), ahead("1 at 2.00", 1, "2"), ahead("1 at 3.00", 1, "3")],
    ),
    "what no row covers is at the provider's price": (
        [held(1), held(2, number="442079460000")],
        [steps("1", "acme", (0, "1"))],
        [ahead("1 at 0.60", 1, "0.6"), ahead("1 at 1.00", 1, "1")],
    ),
    "everybody's list where there is no own": (
        [held(1)],
        [steps("", "*", (0, "4"))],
        [ahead("1 at 4.00", 1, "4")],
    ),
    "a price of nothing is no line": ([held(1)], [steps("", "acme", (0, "0"))], []),
    "an odd price keeps its decimals": (
        [held(1)],
        [steps("", "acme", (0, "0.125"))],
        [ahead("1 at 0.125", 1, "0.125")],
    ),
}


@pytest.mark.parametrize(("numbers", "prices", "expected"), PRICED.values(), ids=PRICED)
def test_price_lists(numbers: list[Holding], prices: list[DidPrice], expected: list[tuple]) -> None:
    lines = rent_lines(due(), numbers, prices)
    found = [(x.item, x.parts) for x in lines if x.item]
    assert [
        (i.description, i.usage, i.amount_exact, i.period.start.date().isoformat()) for i, _ in found
    ] == [(text, usage, Decimal(amount), day) for text, usage, amount, day in expected]
    assert [(sum(p.amount for p in parts), len(parts)) for _, parts in found] == [
        (i.amount_exact, i.records) for i, _ in found
    ]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        pytest.param([], True, id="without a list"),
        pytest.param(
            [replace(steps("1", "*", (0, "1")), currency="EUR")], False, id="with one in its currency"
        ),
        pytest.param([steps("1", "*", (0, "1"))], True, id="with one in another"),
        pytest.param(
            [replace(steps("44", "*", (0, "1")), currency="EUR")], True, id="with one for other numbers"
        ),
    ],
)
def test_rent_is_unknown_in_another_currency(prices: list[DidPrice], expected: bool) -> None:
    assert unpriced(due(replace(ACME, currency="EUR")), [held(1)], prices) is expected


def test_rent_in_another_currency_parks(tmp_path: Path) -> None:
    desk = Desk(tmp_path).commit().put("land/dids", [did("a")])
    (found,) = desk.bill(masters=masters(replace(ACME, currency="EUR"))).parked
    assert found.reason.endswith("known in USD only: give it a did_price, or rows in did_prices.csv")

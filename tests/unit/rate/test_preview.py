"""What a call would draw from bundles and tiers, before any invoice does: left by those before it in its period."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from pipeline.domain.allowances import AMOUNT, Bundle, Scope, Tier, TierStep
from pipeline.domain.period import Period, period_at
from pipeline.rate.explain import explain_record
from pipeline.rate.planfor import CustomerPlan
from pipeline.rate.preview import preview, previews
from pipeline.rate.quote import Ask, charge_of, quote
from pipeline.rate.quotefile import quote_usage
from tests.unit.rate.homes import MASTERS, call

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
BRITISH = Bundle("b", "5 minutes", "shop", Scope("call", countries=("GBR",)), Decimal(300))
NEXT = replace(BRITISH, key="n", name="1 minute more", quantity=Decimal(60), order=1)
OTHERS = Bundle("o", "Germany", "shop", Scope("call", countries=("DEU",)), Decimal(300))
MANY = Tier("t", "Many", "shop", Scope("call"), (TierStep(Decimal(240), percent=Decimal(-50)),))
MONEY = replace(MANY, name="Money", measure=AMOUNT, steps=(TierStep(Decimal(1), percent=Decimal(-50)),))
HELD = {
    "service": "call",
    "source": "carrierx",
    "dr_sid": "z",
    "revision": 1,
    "side": "charge",
    "kind": "bundle",
}


@pytest.fixture(scope="module")
def march_once(shared):
    """Calls of 60 s at 0.02 each: one on the 9th; on the 10th two before noon and, ``z``, one after it."""
    shared.deck()
    shared.calls(call("first", at=AT - timedelta(days=1)), day=date(2026, 3, 9))
    shared.calls(*(call(sid, at=AT + timedelta(hours=h)) for sid, h in (("a", -2), ("b", -1), ("z", 1))))
    shared.rate()
    return shared


@pytest.fixture
def march(march_once, copied):
    return copied(march_once)


def drawn(home, seconds: str = "60", at: datetime = AT, bill_from: date | None = None, **allowances):
    masters = replace(MASTERS, **allowances)
    ask = Ask("442079460000", Decimal(seconds), at)
    plan_for = CustomerPlan(home.lake, masters, "shop", "call", root_sid="root", whole=False)
    charge = charge_of(ask, "call", quote(ask, plan_for(ask), "call").outcome)
    return preview(home.lake, masters, "shop", bill_from, charge)


@pytest.mark.parametrize(
    ("bundles", "seconds", "draws", "spent", "amount"),
    [
        ((BRITISH,), "60", [("5 minutes", "120", "60", "-0.02")], (), "0"),
        ((BRITISH,), "180", [("5 minutes", "120", "120", "-0.04")], (), "0.02"),
        ((replace(BRITISH, quantity=Decimal(180)),), "60", [], ("5 minutes",), "0.02"),
        (
            (replace(BRITISH, quantity=Decimal(200)), NEXT),
            "60",
            [("5 minutes", "20", "20", "-0.0066666667"), ("1 minute more", "60", "40", "-0.0133333333")],
            (),
            "0",
        ),
    ],
    ids=["enough is left", "part is left", "nothing is left", "one bundle, then the next"],
)
def test_what_is_left_of_a_bundle(march, bundles, seconds, draws, spent, amount):
    found = drawn(march, seconds, bundles=bundles)

    assert [(d.name, d.left, d.quantity, d.amount) for d in found.draws] == [
        (name, *map(Decimal, numbers)) for name, *numbers in draws
    ]
    assert (found.spent, found.amount, found.period) == (spent, Decimal(amount), MARCH)


@pytest.mark.parametrize(
    ("tier", "seconds", "position", "amount"),
    [(MANY, "60", "180", "0.02"), (MANY, "120", "180", "0.03"), (MONEY, "60", "0.06", "0.02")],
    ids=["below the step", "across the step", "by money"],
)
def test_where_in_the_volume_it_would_be_priced(march, tier, seconds, position, amount):
    found = drawn(march, seconds, tiers=(tier,))

    assert [(d.name, d.position) for d in found.draws] == [(tier.name, Decimal(position))]
    assert found.amount == Decimal(amount)


def test_what_an_invoice_has_drawn_is_not_left(march):
    held = HELD | {
        "payer_sid": "shop",
        "payee_sid": "root",
        "key": "b",
        "own_number": "",
        "name": "5 minutes",
    }
    march.put(
        "invoice/draws",
        "one",
        [
            held
            | {
                "invoice_sid": "one",
                "date_stop": AT,
                "measure": "seconds",
                "quantity": Decimal(60),
                "amount": 0,
            }
        ],
    )

    assert [d.left for d in drawn(march, bundles=(BRITISH,)).draws] == [60]


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"at": datetime(2026, 4, 2, tzinfo=UTC)}, 300),
        ({"bill_from": date(2026, 3, 10)}, 180),
        ({"bill_from": date(2026, 3, 11)}, None),
        ({"bundles": (OTHERS,)}, None),
        ({"bundles": (replace(BRITISH, partner_sid="till"),)}, None),
    ],
    ids=[
        "a new period",
        "billed from that day on",
        "not billed yet",
        "for other countries",
        "of another customer",
    ],
)
def test_the_period_and_the_bundle_are_its_own(march, more, left):
    found = drawn(march, **({"bundles": (BRITISH,)} | more))

    assert (found.draws[0].left if found else None) == left


def test_rows_of_a_file_draw_in_call_order_among_what_was_used(march, tmp_path):
    usage, out = tmp_path / "usage.csv", io.StringIO()
    usage.write_text(
        "number,seconds,at\n"
        "442079460000,60,2026-03-10T12:30:00\n"
        "442079460000,60,2026-03-10T11:30:00\n"
        "12125550100,60,2026-03-10T12:00:00\n"
        "33123456789,60,2026-03-10T12:00:00\n"
        "442079460000,60,2026-04-10T12:30:00\n",
        encoding="utf-8",
    )
    masters = replace(MASTERS, bundles=(replace(BRITISH, quantity=Decimal(270)),))
    plan_for = CustomerPlan(march.lake, masters, "shop", "call", root_sid="root", whole=True)
    done = quote_usage(plan_for, "call", usage, out, partial(previews, march.lake, masters, "shop", None))

    assert [(r["amount"], r["drawn"], r["to_pay"]) for r in csv.DictReader(io.StringIO(out.getvalue()))] == [
        ("0.0200000000", "-0.0100000000", "0.0100000000"),
        ("0.0200000000", "-0.0200000000", "0.0000000000"),
        ("0.0100000000", "0.0000000000", "0.0100000000"),
        ("", "", ""),
        ("0.0200000000", "-0.0200000000", "0.0000000000"),
    ]
    assert (done.amount, done.to_pay) == (Decimal("0.07"), Decimal("0.02"))
    assert "30 seconds of the bundle 5 minutes are left: it covers 30 seconds, 0.01 less." in out.getvalue()


def test_too_many_records_to_go_through_are_said(march, monkeypatch):
    monkeypatch.setattr("pipeline.rate.preview.MOST", 2)

    assert drawn(march, bundles=(BRITISH,)).draws is None


def test_a_record_that_is_not_invoiced_says_what_it_will_draw(march):
    masters = replace(MASTERS, bundles=(BRITISH,))
    charge = explain_record(march.lake, masters, "b", root_sid="root").rows[-1]

    assert charge.draws == (
        "In the period 2026-03-01 00:00 to 2026-04-01 00:00, as things stand:",
        "180 seconds of the bundle 5 minutes are left: it covers 60 seconds, 0.02 less.",
        "So it comes to 0.00.",
    )


@pytest.mark.parametrize(
    ("anchor", "first", "at", "expected"),
    [
        (1, None, "2026-03-31", ("2026-03-01", "2026-04-01")),
        (31, None, "2026-03-01", ("2026-02-28", "2026-03-31")),
        (15, None, "2026-03-14", ("2026-02-15", "2026-03-15")),
        (15, "2026-03-01", "2026-03-14", ("2026-03-01", "2026-03-15")),
        (15, "2026-03-15", "2026-03-14", None),
    ],
    ids=["a month", "clamped", "before the anchor", "cut short", "not yet"],
)
def test_the_period_of_an_instant(anchor, first, at, expected):
    start, end = (
        (None, None) if expected is None else (datetime.fromisoformat(f"{day}T00:00Z") for day in expected)
    )
    began = date.fromisoformat(first) if first else None
    found = period_at("UTC", anchor, began, datetime.fromisoformat(f"{at}T12:00Z"))

    assert found == (Period(start, end) if start and end else None)

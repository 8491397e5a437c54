"""Bundles and tiers on real invoices: drawn once, given back with a draft, and in a statement that adds up."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.invoice.credit import credit
from pipeline.invoice.issue import drop
from pipeline.ledger.schema import invoice_items, invoices
from pipeline.measure.statement import make_statement
from tests.fixtures.billing import ACME, BOREAL, NOON, NOW, Desk, masters
from tests.spec.allowances import bundle, tier

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
JUNE = datetime(2026, 6, 3, 6, tzinfo=UTC)
APRIL_DAY = datetime(2026, 4, 15, 12, tzinfo=UTC)
PRICED = {"rate_price": Decimal("0.06"), "unit_seconds": Decimal(60), "connect_fee": Decimal(0)}
HUNDRED = (bundle("start", "100"),)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, masters=masters(bundles=HUNDRED))


def minute(desk: Desk, sid: str, stop: datetime = NOON, seconds: int = 60, **more: object) -> Desk:
    amount = Decimal(seconds) / 1000
    return desk.call(sid, str(amount), stop, **PRICED | {"billed_seconds": Decimal(seconds)} | more)


def claimed(desk: Desk) -> list[tuple[str, str, str]]:
    query = "select dr_sid, amount, usage from invoice.claims order by dr_sid, revision"
    return [
        (sid, f"{amount.normalize():f}", f"{usage.normalize():f}") for sid, amount, usage in desk.rows(query)
    ]


def drawn(desk: Desk) -> dict[str, str]:
    query = (
        "select dr_sid, sum(quantity) from invoice.draws group by all having sum(quantity) <> 0 order by all"
    )
    return {sid: f"{quantity.normalize():f}" for sid, quantity in desk.rows(query)}


def adds_up(desk: Desk) -> bool:
    found = make_statement(desk.lake, desk.ledger)
    assert found.differences == ()
    return any(line.what == "taken off by bundles" for line in found.lines)


def test_an_invoice_takes_what_a_bundle_leaves_and_says_so(desk: Desk) -> None:
    minute(desk, "a")
    minute(desk, "b", NOON + timedelta(hours=1)).commit().bill()
    (item,) = desk.ledger_rows(invoice_items)
    (invoice,) = desk.ledger_rows(invoices)
    assert claimed(desk) == [("a", "0", "60"), ("b", "0.02", "60")]
    assert (item.description, item.usage, item.amount) == (
        "Outbound calls to DEU, 1.67 minutes of them included",
        120,
        Decimal("0.02"),
    )
    assert json.loads(item.detail) == {"usage_exact": "120", "included": "100"}
    assert json.loads(invoice.snapshot)["notes"][-1] == "Start: 1.67 minutes used of 1.67 minutes included."
    assert adds_up(desk)


def test_without_bundles_nothing_is_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    minute(desk, "a").commit().bill()
    assert desk.lake.files("invoice/draws") == []


def test_a_late_call_draws_what_is_left_of_its_own_period(desk: Desk) -> None:
    minute(desk, "a").commit().bill()
    minute(desk, "late", NOON - timedelta(days=2))
    minute(desk, "april", APRIL_DAY, 100).commit().bill(MAY)
    assert drawn(desk) == {"a": "60", "april": "100", "late": "40"}
    assert adds_up(desk)


def test_a_newer_revision_draws_the_difference(desk: Desk) -> None:
    minute(desk, "a", seconds=90).commit().bill()
    minute(desk, "a", seconds=30, revision=2)
    minute(desk, "late", NOON - timedelta(days=2), 90).commit().bill(MAY)
    assert drawn(desk) == {"a": "30", "late": "70"}
    assert claimed(desk) == [("a", "0", "90"), ("a", "0", "-60"), ("late", "0.02", "90")]
    assert adds_up(desk)


def test_a_record_that_gets_another_payer_gives_its_minutes_back(desk: Desk) -> None:
    both = masters(ACME, BOREAL, bundles=HUNDRED)
    minute(desk, "a").commit().bill(masters=both)
    minute(desk, "a", revision=2, payer_sid="boreal", partner_sid="boreal")
    minute(desk, "late", NOON - timedelta(days=2), 100).commit().bill(MAY, masters=both)
    query = "select payer_sid, dr_sid, sum(quantity)::int from invoice.draws group by all order by all"
    assert desk.rows(query) == [("acme", "a", 0), ("acme", "late", 100), ("boreal", "a", 60)]
    assert adds_up(desk)


def test_a_dropped_draft_gives_its_minutes_back(desk: Desk) -> None:
    by_hand = masters(replace(ACME, approval="manual"), bundles=HUNDRED)
    minute(desk, "a").commit().bill(masters=by_hand)
    before = desk.rows("select * from invoice.draws")
    drop(desk.lake, desk.ledger, desk.ledger_rows(invoices)[0].invoice_sid, by="Ann", now=NOW)
    assert desk.rows("select * from invoice.draws") == []
    desk.bill(masters=by_hand)
    assert desk.rows("select * from invoice.draws") == before


def test_a_credited_invoice_gives_its_minutes_back_and_they_are_drawn_anew(desk: Desk) -> None:
    minute(desk, "a")
    minute(desk, "b", NOON + timedelta(hours=1)).commit().bill()
    number = desk.ledger_rows(invoices)[0].number
    credit(desk.lake, desk.ledger, number, by="Ann", reason="wrong seller", now=NOW, rebill=True)
    assert drawn(desk) == {}
    desk.bill(MAY)
    assert drawn(desk) == {"a": "60", "b": "40"}
    assert adds_up(desk)


def test_a_second_run_draws_nothing(desk: Desk) -> None:
    minute(desk, "a").commit().bill()
    before = desk.lake.files("invoice/draws")
    desk.bill()
    assert desk.lake.files("invoice/draws") == before


def test_what_was_drawn_stays_drawn_when_the_bundle_is_gone(desk: Desk) -> None:
    minute(desk, "a").commit().bill()
    minute(desk, "b", APRIL_DAY).commit().bill(MAY, masters=masters())
    assert claimed(desk) == [("a", "0", "60"), ("b", "0.06", "60")]
    minute(desk, "a", seconds=90, revision=2).commit().bill(JUNE, masters=masters())
    assert drawn(desk) == {}
    assert claimed(desk)[1] == ("a", "0.09", "30")
    assert adds_up(desk) is False


def test_numbers_of_their_own_have_pools_of_their_own(desk: Desk) -> None:
    each = masters(bundles=(bundle("start", "100", per="number"),))
    for n, own in enumerate(("+1 212 555 0101", "+1 212 555 0102", "12125550101")):
        minute(desk, f"c{n}", NOON + timedelta(hours=n), number_billing=own)
    desk.commit().bill(masters=each)
    (invoice,) = desk.ledger_rows(invoices)
    assert drawn(desk) == {"c0": "60", "c1": "60", "c2": "40"}
    assert json.loads(invoice.snapshot)["notes"][-1] == (
        "Start: 2.67 minutes used of 1.67 minutes included for each of 2 numbers."
    )


def test_a_tier_changes_the_amounts_and_the_statement_adds_up(desk: Desk) -> None:
    volume = masters(tiers=(tier("volume", "60:-50%"),))
    for n in range(3):
        minute(desk, f"c{n}", NOON + timedelta(hours=n))
    desk.commit().bill(masters=volume)
    statement = make_statement(desk.lake, desk.ledger)
    assert claimed(desk) == [("c0", "0.06", "60"), ("c1", "0.03", "60"), ("c2", "0.03", "60")]
    assert statement.differences == ()
    assert [str(line.money.normalize()) for line in statement.lines if line.what == "changed by tiers"] == [
        "0.06"
    ]


def test_every_draw_is_told_in_a_sentence(desk: Desk) -> None:
    both = masters(bundles=HUNDRED, tiers=(tier("volume", "0:-50%"),))
    minute(desk, "a", seconds=160).commit().bill(masters=both)
    assert desk.rows("select sentence from rate.draws order by kind") == [
        ("The bundle Start covers 100 seconds of it: 0.1 less.",),
        ("It counts 60 seconds in Volume, at 0 seconds of the period: 0.03 less.",),
    ]

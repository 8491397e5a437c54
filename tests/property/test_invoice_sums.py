"""On any input: lines sum to totals, taxes stay within a cent, periods leave no gap, entries sum to zero."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.invoice import Item, totals
from pipeline.domain.money import to_minor
from pipeline.domain.period import Period, days_of, period_after, periods, whole_period
from pipeline.domain.tax import Supply, assess
from pipeline.ledger.schema import entries
from pipeline.masters.model import Place, TaxRule
from pipeline.measure.statement import make_statement
from tests.fixtures.billing import Desk

PERIOD = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "America/Santiago", "Asia/Kolkata", "Pacific/Chatham")
amounts = st.decimals(-10_000, 10_000, places=10, allow_nan=False, allow_infinity=False)
rates = st.decimals(0, 1, places=6, allow_nan=False, allow_infinity=False)


def item(amount: Decimal, kind: str, country: str | None) -> Item:
    return Item(kind, None, country, "x", 1, 1, amount, to_minor(amount, "USD"), PERIOD)


items = st.lists(
    st.builds(item, amounts, st.sampled_from(["toll", "sms", "did"]), st.sampled_from(["USA", "DEU", None])),
    max_size=30,
)
rules = st.builds(
    lambda rate, share, scope, kinds: TaxRule(
        "r", "R", "state", "sales_tax", rate, share, items=kinds, scope=scope
    ),
    rates,
    rates,
    st.sampled_from(["any", "domestic", "international"]),
    st.sampled_from([(), ("toll",), ("toll", "did")]),
)


@given(items, st.lists(rules, max_size=4), amounts, amounts)
def test_lines_and_taxes_sum_to_the_foot(
    lines: list[Item], taxes: list[TaxRule], previous: Decimal, paid: Decimal
) -> None:
    previous, paid = to_minor(previous, "USD"), to_minor(paid, "USD")
    place = Place("USA", "TX")
    # One rule of a name is in force at a time.
    taxes = [replace(tax, rule=f"r{n}") for n, tax in enumerate(taxes)]
    made = assess(Supply(lines, "acme", place, date(2026, 3, 31), "USD"), taxes, [place]).items
    foot = totals(lines, made, balance_previous=previous, payments=paid, currency="USD")
    assert foot.amount == sum((line.amount for line in lines), Decimal(0))
    assert foot.amount_tax == sum((tax.amount for tax in made), Decimal(0))
    assert foot.balance_forward == previous + foot.amount + foot.amount_tax - paid
    assert foot.amount_due == max(Decimal(0), foot.balance_forward)
    assert all(abs(line.amount - line.amount_exact) <= Decimal("0.005") for line in lines)
    assert all(abs(tax.amount - tax.base * tax.rate) <= Decimal("0.005") for tax in made)


@given(
    st.sampled_from(ZONES),
    st.integers(1, 31),
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.integers(0, 500),
)
def test_periods_follow_one_another_without_gaps(zone: str, anchor: int, bill_from: date, days: int) -> None:
    as_of = datetime(bill_from.year, bill_from.month, bill_from.day, tzinfo=UTC) + timedelta(days=days)
    found = periods(zone, anchor, bill_from, as_of, timedelta(hours=25))
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(period_after(a, zone, anchor) == b for a, b in pairwise(found))
    assert all(whole_period(p, zone, anchor) == p for p in found[1:])
    assert all(28 <= len(days_of(p, zone)) <= 31 for p in found[1:])
    assert all(p.end + timedelta(hours=25) <= as_of for p in found)


# What can happen to a record between two runs: (which, amount or unrated, as a new revision?)
turns = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([None, "0", "0.004", "1.005", "7"]), st.booleans()),
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=12, deadline=None)
@given(turns)
def test_every_record_is_billed_once_whatever_happens_between_runs(
    played: list[list[tuple[int, Any, bool]]],
) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        month = datetime(2026, 4, 3, tzinfo=UTC)
        for turn in played:
            for which, amount, revised in turn:
                _play(desk, f"r{which}", amount, revised)
            desk.commit().bill(month)
            month += timedelta(days=31)
        _play_nothing_and_run(desk, month)
        assert make_statement(desk.lake, desk.ledger).differences == ()
        _check_entries(desk)
        _check_claims(desk)
        desk.ledger.close()


def _play(desk: Desk, sid: str, amount: str | None, revised: bool) -> None:
    known = desk.calls.get(sid)
    if known is not None and not revised:
        return
    revision = known["revision"] + 1 if known else 1
    status: dict[str, Any] = (
        {"rating_status": "not_billable", "unrated_reason": "not_answered"} if amount is None else {}
    )
    desk.call(sid, amount or "0", revision=revision, **status)


def _play_nothing_and_run(desk: Desk, month: datetime) -> None:
    desk.commit().bill(month)
    assert desk.bill(month).invoices == ()


def _check_entries(desk: Desk) -> None:
    sums: dict[str, Decimal] = {}
    for entry in desk.ledger_rows(entries):
        sums[entry.txn_id] = sums.get(entry.txn_id, Decimal(0)) + entry.amount
    assert set(sums.values()) <= {Decimal(0)}


def _check_claims(desk: Desk) -> None:
    claimed = dict(desk.rows("select dr_sid, sum(amount) from invoice.claims group by dr_sid"))
    now = {
        sid: row["amount"] if row["rating_status"] == "rated" else Decimal(0)
        for sid, row in desk.calls.items()
    }
    assert {sid: claimed.get(sid, Decimal(0)) for sid in now} == now

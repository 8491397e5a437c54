"""On any input: lines sum to totals and to what they are made of, taxes stay within a cent, periods leave no gap,
records and charges are billed once and entries sum to zero, whatever is corrected in between."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.charges import Charge, Commitment, Discount
from pipeline.domain.invoice import Item, totals
from pipeline.domain.money import to_minor
from pipeline.domain.period import Period, days_of, period_after, periods, whole_period
from pipeline.domain.tax import Supply, assess
from pipeline.errors import GateError
from pipeline.invoice.adjustments import adjust
from pipeline.invoice.charges import charge_lines
from pipeline.invoice.credit import credit
from pipeline.invoice.due import Account, Due, accounts
from pipeline.invoice.payments import KINDS, pay
from pipeline.ledger.schema import entries, invoices
from pipeline.masters.model import Masters, Place, TaxRule
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, HOUSE, LOOKBACK, MARCH, ROOT, SALES_TAX, Desk, masters
from tests.spec.allowances import bundle

PERIOD = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
# All that is asked of a home, but for its documents and roll-ups, which these homes do not have.
GATE = {
    path.stem: path.read_text()
    for path in sorted(shipped("sql", "check").glob("*.sql"))
    if path.stem not in ("issued_is_mailed", "rolled_up")
}
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


# What can happen to a record between two runs: (which, amount or unrated, only rated anew?)
records = st.tuples(st.integers(0, 2), st.sampled_from([None, "0", "0.004", "1.005", "7"]), st.booleans())
# What a person does to what is issued: (how, to which invoice)
CORRECTIONS = ("rebill", "whole", "part", "adjust", *KINDS)
corrections = st.tuples(st.just("rebill") | st.sampled_from(CORRECTIONS), st.integers(0, 3))
turns = st.lists(
    st.tuples(st.lists(records, min_size=1, max_size=4), st.lists(corrections, min_size=1, max_size=2)),
    min_size=2,
    max_size=4,
)


days = st.dates(date(2026, 2, 15), date(2026, 7, 15))


@st.composite
def terms(draw: st.DrawFn) -> Masters:
    """A charge that may begin and end at any day, a discount on calls, and a minimum that calls may not reach;
    perhaps a bundle, and a tax."""
    start, end = sorted((draw(st.none() | days), draw(st.none() | days)), key=lambda d: d or date.min)
    price = draw(st.decimals(1, 100, places=2))
    billed = draw(st.sampled_from(["advance", "arrears", "once"]))
    once = billed == "once"
    first = end or MARCH if once else start
    last = None if once or end == start else end
    charge = Charge("seat", "Seat", "acme", price, "USD", billed, draw(st.integers(1, 3)), first, last)
    discount = Discount("off", "Off", "acme", "USD", draw(st.decimals(1, 100, places=1)), items=("toll",))
    least = Commitment("least", "Least", "acme", draw(st.decimals(1, 20, places=2)), "USD", ("toll",))
    bundles = draw(st.sampled_from([(), (bundle("start", "100"),)]))
    taxes = draw(st.sampled_from([(), (SALES_TAX,)]))
    return masters(
        charges=(charge,), discounts=(discount,), commitments=(least,), bundles=bundles, taxes=taxes
    )


@settings(max_examples=4, deadline=None)
@given(turns, terms())
def test_everything_is_billed_once_whatever_happens_between_runs(
    played: list[tuple[list[tuple[int, Any, bool]], list[tuple[str, int]]]], held: Masters
) -> None:
    with TemporaryDirectory() as folder:
        desk, rated_anew = Desk(Path(folder), held), set[str]()
        month = datetime(2026, 4, 3, tzinfo=UTC)
        for recorded, corrected in played:
            for which, amount, anew in recorded:
                _play(desk, f"r{which}", amount, rated_anew if anew else None)
            desk.commit().bill(month)
            for how, which in corrected:
                _correct(desk, how, which, month)
            _check_gate(desk)
            month += timedelta(days=31)
        _play_nothing_and_run(desk, month)
        _check_gate(desk)
        _check_entries(desk)
        _check_claims(desk, rated_anew)
        _check_parts(desk, month)
        desk.ledger.close()


def _play(desk: Desk, sid: str, amount: str | None, rated_anew: set[str] | None) -> None:
    known = desk.calls.get(sid)
    revision = 1 if known is None else known["revision"] + (rated_anew is None)
    if rated_anew is not None and known is not None:
        rated_anew.add(sid)
    status: dict[str, Any] = (
        {"rating_status": "not_billable", "unrated_reason": "not_answered"} if amount is None else {}
    )
    price = {"rate_price": Decimal(amount or 0), "unit_seconds": Decimal(60), "connect_fee": Decimal(0)}
    desk.call(sid, amount or "0", revision=revision, **status, **price)


def _correct(desk: Desk, how: str, which: int, now: datetime) -> None:
    issued = sorted(row.number for row in desk.ledger_rows(invoices) if row.kind == "usage")
    if not issued:
        return
    number = issued[which % len(issued)]
    common: dict[str, Any] = {"by": "Ann", "now": now}
    try:
        if how == "adjust":
            held = accounts(desk.masters, ROOT)
            adjust(desk.lake, desk.ledger, held, number, Decimal("-1.23"), reason="x", **common)
        elif how in KINDS:
            pay(desk.lake, desk.ledger, number, Decimal("3.21"), kind=how, **common)
        else:
            lines = {1: Decimal("0.01")} if how == "part" else None
            credit(desk.lake, desk.ledger, number, lines, reason="x", rebill=how == "rebill", **common)
    except GateError:  # nothing remains, it is given up already, or a later one comes first
        return


def _check_gate(desk: Desk) -> None:
    """What stops a month when it has rows, and the statement."""
    with desk.lake.duck() as con:
        assert {name: rows for name, query in GATE.items() if (rows := con.execute(query).fetchall())} == {}
    assert make_statement(desk.lake, desk.ledger).differences == ()


def _play_nothing_and_run(desk: Desk, month: datetime) -> None:
    desk.commit().bill(month)
    assert desk.bill(month).invoices == ()


def _check_entries(desk: Desk) -> None:
    sums: dict[str, Decimal] = {}
    for entry in desk.ledger_rows(entries):
        sums[entry.txn_id] = sums.get(entry.txn_id, Decimal(0)) + entry.amount
    assert set(sums.values()) <= {Decimal(0)}


def _check_claims(desk: Desk, rated_anew: set[str]) -> None:
    """Each record is billed at its newest revision, also where it was given back in between."""
    billed = "select dr_sid, amount from invoice.claims union all select dr_sid, -amount from invoice.draws"
    claimed = dict(desk.rows(f"select dr_sid, sum(amount) from ({billed}) group by dr_sid"))
    now = {
        sid: row["amount"] if row["rating_status"] == "rated" else Decimal(0)
        for sid, row in desk.calls.items()
        if sid not in rated_anew
    }
    assert {sid: claimed.get(sid, Decimal(0)) for sid in now} == now


def _check_parts(desk: Desk, as_of: datetime) -> None:
    # Billed month by month it comes to what it would, all at once.
    closed = periods(ACME.time_zone, 1, MARCH, as_of, LOOKBACK)
    last = Due(Account(ACME, HOUSE, "root"), closed[-1], closed[0].start, "sid")
    at_once = [p.amount for line in charge_lines(last, closed, desk.masters, []) for p in line.parts]
    billed = desk.rows(
        "select coalesce(sum(amount), 0) from invoice.parts where kind in ('recurring', 'one_off')"
    )
    assert billed == [(sum(at_once, Decimal(0)),)]
    # What a period was short of its minimum, with all that came late.
    assert desk.rows(_SHORT) == []
    assert desk.rows(_COUNTED) == []
    (percent,) = (d.percent for d in desk.masters.discounts)
    ((calls, off),) = desk.rows(_OFF)
    assert off == -(calls * percent / 100)


_SHORT = """
select date_billing_period_end, sum(amount) as billed,
    greatest(sum(amount) filter (kind in ('committed', 'counted')), 0) as short
from invoice.parts
where kind in ('committed', 'counted', 'above')
group by all
having billed <> short
"""
_COUNTED = """
with counted as (
    select date_billing_period_end, -sum(amount) filter (kind = 'counted') as counted
    from invoice.parts
    where kind in ('committed', 'counted', 'above')
    group by all
),

sold as (
    select date_billing_period_end, sum(amount) as sold
    from invoice.items
    where type = 'toll' or description like 'Off:%' or (
        description like 'Credit: Off:%' and invoice_sid in (select invoice_sid from invoice.claims)
    )
    group by all
)

select * from counted left join sold using (date_billing_period_end) where coalesce(counted, 0) <> coalesce(sold, 0)
"""
_OFF = """
select
    coalesce(sum(amount) filter (type = 'toll'), 0),
    coalesce(sum(amount_exact) filter (description like '%Off:%'), 0)
from invoice.items
where description not like 'Credit:%' or invoice_sid in (select invoice_sid from invoice.claims)
"""

"""Whatever is billed, tried out and posted in whatever order: each record ends at its last price, each adjustment is on
one line of one invoice, and every invoice is the sum of its lines. With bundles and tiers, a month that was billed and
adjusted comes to what it would have come to in one piece: to the last digit, record by record."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.allowances import Charge, Draw, Pool, held_by
from pipeline.domain.draws import draw
from pipeline.domain.rounding import quantize
from pipeline.errors import GateError
from pipeline.invoice.adjustments import adjust
from pipeline.invoice.due import accounts
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ROOT, Desk, masters
from tests.spec.allowances import bundle, tier
from tests.unit.invoice.test_differences import asked, commit

prices = st.sampled_from(["0", "0.004", "0.0050000001", "1", "1.005", "7"])
# A month: what is recorded, what a what-if would have charged for which records, and what a person adds by hand.
months = st.lists(
    st.tuples(
        st.dictionaries(st.integers(0, 3), prices, max_size=3),
        st.dictionaries(st.integers(0, 3), prices, max_size=3),
        st.sampled_from([None, "-0.01", "12.34", "-250.00"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=5, deadline=None)
@given(months)
def test_everything_adds_up(played: list[tuple[dict[int, str], dict[int, str], str | None]]) -> None:
    with TemporaryDirectory() as folder:
        desk, owed, by_hand = Desk(Path(folder)), {}, Decimal(0)
        now = datetime(2026, 4, 3, 6, tzinfo=UTC)
        for n, (recorded, tried, added) in enumerate(played):
            for record, price in recorded.items():
                if f"r{record}" not in desk.calls:
                    owed[f"r{record}"] = Decimal(price)
                    desk.call(f"r{record}", price)
            desk.commit().bill(now)
            wanted = {f"r{record}": price for record, price in tried.items() if f"r{record}" in owed}
            if _posted(desk, wanted, f"try{n}", now):
                owed |= {sid: Decimal(price) for sid, price in wanted.items()}
            if added:
                held = accounts(masters(), ROOT)
                adjust(desk.lake, desk.ledger, held, "acme", Decimal(added), reason="x", by="Ann", now=now)
                by_hand += Decimal(added)
            now += timedelta(days=31)
        desk.bill(now)
        _check(desk, owed, by_hand)
        desk.ledger.close()


def _posted(desk: Desk, wanted: dict[str, str], name: str, now: datetime) -> bool:
    if not wanted:
        return False
    try:
        commit(desk, asked(desk, wanted, name), now)
    except GateError:  # nothing to post: none of them is billed, or none costs otherwise
        return False
    return True


def _check(desk: Desk, owed: dict[str, Decimal], by_hand: Decimal) -> None:
    billed = "select dr_sid, amount from invoice.claims union all select dr_sid, amount from invoice.adjusted"
    assert dict(desk.rows(f"select dr_sid, sum(amount) from ({billed}) group by dr_sid")) == owed
    lines = "select coalesce(sum(amount_exact), 0) from invoice.items where type = 'adjustment'"
    posted = "select coalesce(sum(amount), 0) from invoice.adjusted"
    assert desk.rows(lines)[0][0] == desk.rows(posted)[0][0] + by_hand
    assert desk.rows("select count(*) from invoice.adjustments where invoice_sid is null") == [(0,)]
    assert make_statement(desk.lake, desk.ledger).differences == ()
    for check in ("claims_sum_to_items", "items_sum_to_invoice"):
        assert desk.rows(shipped("sql", "check", f"{check}.sql").read_text()) == []


START, APRIL = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 3, 6, tzinfo=UTC)
BUNDLES = (bundle("shared", "150"), bundle("german", "45", countries=("DEU",), per="number", order=-1))
TIERS = (
    tier("prices", "60:0.0313;200:0"),
    tier("back", "0:-10%;150:-33.3333%", rule="retroactive"),
    tier("money", "0.1:-12.5%;0.4:-40%", measure="amount", per="number"),
)


def charge_of(r: random.Random, sid: str, price: Decimal, seconds: int, at: datetime) -> Charge:
    usage, fee = Decimal(seconds), Decimal(r.choice(("0", "0", "0.01")))
    amount = quantize(fee + price * usage / 60, 10, "half_up")
    country, own = r.choice(("DEU", "GBR")), r.choice(("101", "102"))
    known = ("carrierx", sid, at, "call", "outbound", "toll", country, "49301234", own)
    return Charge(*known, usage, amount, price, Decimal(60), fee)


def month_of(r: random.Random) -> tuple[dict[str, Charge], dict[str, Charge]]:
    """Calls of a month, and those of them that another plan prices: other prices, other increments."""
    first = {}
    for n in range(r.randint(1, 9)):
        at = START + timedelta(minutes=r.randint(0, 20 * 24 * 60))
        price, seconds = Decimal(r.choice(("0.06", "0.0613", "0"))), r.choice((6, 31, 60, 120))
        first[f"r{n}"] = charge_of(r, f"r{n}", price, seconds, at)
    tried = {}
    for sid in r.sample(sorted(first), r.randint(1, len(first))):
        price, usage = Decimal(r.choice(("0.06", "0.05", "0.0917"))), Decimal(r.choice((30, 60, 180)))
        amount = quantize(price * usage / 60, 10, "half_up")
        tried[sid] = replace(
            first[sid], price=price, usage=usage, amount=amount, fee=Decimal(0), country_code="DEU"
        )
    return first, tried


def record(desk: Desk, charge: Charge) -> None:
    more = {"billed_seconds": charge.usage, "rate_price": charge.price, "connect_fee": charge.fee}
    more |= {
        "country_code": charge.country_code,
        "number_billing": charge.own_number,
        "unit_seconds": charge.unit,
    }
    desk.call(charge.dr_sid, str(charge.amount), charge.at, matched_number=charge.number, **more)


def paid(desk: Desk) -> dict[str, Decimal]:
    billed = "select dr_sid, amount from invoice.claims union all select dr_sid, amount from invoice.adjusted"
    return dict(desk.rows(f"select dr_sid, sum(amount) from ({billed}) group by dr_sid"))


def drawn(desk: Desk) -> dict[tuple[str, Pool], tuple[Decimal, Decimal, Decimal]]:
    rows = desk.rows("select dr_sid, kind, key, own_number, quantity, amount, position from rate.draws")
    return {(sid, (kind, key, own)): told for sid, kind, key, own, *told in rows}


def told(found: Iterable[tuple[Charge, tuple[Draw, ...]]]) -> dict[tuple[str, Pool], list[Decimal]]:
    return {(c.dr_sid, d.pool): [d.quantity, d.amount, d.position] for c, draws in found for d in draws}


@settings(max_examples=4, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1))
def test_a_month_that_was_adjusted_is_the_month_rated_in_one_piece(seed: int) -> None:
    r = random.Random(seed)
    bundles = held_by("acme", BUNDLES[: r.randint(0, 2)])
    tiers = held_by("acme", r.sample(TIERS, r.randint(0, 2)))
    first, tried = month_of(r)
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder), masters(bundles=bundles, tiers=tiers))
        for charge in first.values():
            record(desk, charge)
        desk.commit().bill(APRIL)
        after = {sid: str(c.amount) for sid, c in tried.items()}
        commit_tried = asked(desk, after, usage={sid: c.usage for sid, c in tried.items()})
        try:
            commit(desk, commit_tried, APRIL)
        except GateError:
            assert all((c.amount, c.usage) == (first[s].amount, first[s].usage) for s, c in tried.items())
            tried = {}
        whole = draw((first | tried).values(), bundles, tiers, {})

        assert drawn(desk) == told(whole)
        assert paid(desk) == {c.dr_sid: sum((d.amount for d in draws), c.amount) for c, draws in whole}
        with pytest.raises(GateError):
            commit(desk, commit_tried, APRIL + timedelta(days=1))

        late = charge_of(r, "late", Decimal("0.07"), 90, START + timedelta(days=3))
        record(desk, late)
        desk.commit().bill(APRIL + timedelta(days=31))
        used: dict[Pool, Decimal] = {}
        for _, draws in whole:
            for d in draws:
                used[d.pool] = used.get(d.pool, Decimal(0)) + d.quantity
        [(_, draws)] = draw([late], bundles, tiers, used)
        assert paid(desk)["late"] == sum((d.amount for d in draws), late.amount)
        assert make_statement(desk.lake, desk.ledger).differences == ()
        desk.ledger.close()

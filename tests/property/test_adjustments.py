"""Whatever is billed, tried out and posted in whatever order: each record ends at its last price, each adjustment is on
one line of one invoice, and every invoice is the sum of its lines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import GateError
from pipeline.invoice.adjustments import adjust
from pipeline.invoice.due import accounts
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ROOT, Desk, masters
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

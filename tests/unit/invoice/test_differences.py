"""A what-if committed: the difference of what was billed, posted once, and everything still adds up."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import GateError
from pipeline.invoice.credit import credit
from pipeline.invoice.differences import Posted, post_differences
from pipeline.invoice.due import accounts
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, NOON, NOW, ROOT, Desk, masters

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
APRIL = NOON.replace(month=4)


def asked(desk: Desk, after: dict[str, str | None], name: str = "try", revision: int = 1) -> Path:
    """The folder of a what-if that would have charged these amounts, for half the seconds."""
    folder = desk.home / "whatif" / name
    (folder / "records").mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "service": "call",
            "source": "carrierx",
            "dr_sid": sid,
            "revision": revision,
            "payer_sid": "acme",
            "payee_sid": ROOT,
            "date_stop": NOON,
            "after_plan_sid": "whatif:new",
            "after_plan_version": "v9",
            "after": None if amount is None else Decimal(amount),
            "after_usage": None if amount is None else Decimal(30),
            "difference": None if amount is None else Decimal(amount) - 1,
        }
        for sid, amount in after.items()
    ]
    amount, usage = pl.Decimal(20, 10), pl.Decimal(18, 3)
    types = {"revision": pl.Int32, "after": amount, "difference": amount, "after_usage": usage}
    stops = pl.col("date_stop").cast(pl.Datetime("ms", "UTC"))
    pl.DataFrame(rows, schema_overrides=types).with_columns(stops).write_parquet(
        folder / "records" / "0.parquet"
    )
    return folder


def commit(desk: Desk, folder: Path, now: datetime = NOW) -> Posted:
    held = accounts(masters(), ROOT)
    return post_differences(desk.lake, desk.ledger, held, folder, reason="the deck of May", by="Ann", now=now)


@pytest.fixture
def billed(tmp_path):
    """Three calls of 1.00: two on an issued invoice, one of April that waits."""
    desk = Desk(tmp_path).call("a").call("b", country_code="GBR").call("later", stop=APRIL).commit()
    desk.bill()
    return desk


def test_only_the_difference_of_what_was_billed_is_posted(billed):
    posted = commit(billed, asked(billed, {"a": "0.90005", "b": "1", "later": "0.5"}))

    (made,) = posted.adjustments
    assert (made.amount, made.usage, made.records, made.taxed_as) == (Decimal("-0.09995"), -30, 1, "toll")
    assert made.description == "Adjustment to HCS-2026-000001, line 1: outbound calls to DEU"
    assert posted.left_out == {"not billed yet": 1}
    assert posted.amounts() == {"USD": Decimal("-0.09995")}


def test_the_next_invoice_takes_it_with_everything_adding_up(billed):
    commit(billed, asked(billed, {"a": "0.90005", "b": "1.2"}))
    billed.bill(MAY)

    assert billed.rows(
        "select description, amount_exact, amount from invoice.items where type = 'adjustment' order by line_no"
    ) == [
        (
            f"Adjustment to HCS-2026-000001, line {n}: outbound calls to {place}",
            Decimal(exact),
            Decimal(amount),
        )
        for n, place, exact, amount in ((1, "DEU", "-0.09995", "-0.10"), (2, "GBR", "0.2", "0.20"))
    ]
    assert make_statement(billed.lake, billed.ledger).differences == ()
    for check in ("claims_sum_to_items", "items_sum_to_invoice"):
        assert billed.rows(shipped("sql", "check", f"{check}.sql").read_text()) == []


def test_the_same_what_if_is_refused_a_second_time(billed):
    folder = asked(billed, {"a": "0.9"})
    commit(billed, folder)
    with pytest.raises(GateError, match="the what-if try has nothing to post"):
        commit(billed, folder, MAY)

    assert billed.rows("select count(*), sum(amount) from invoice.adjusted") == [(1, Decimal("-0.1"))]


def test_a_better_one_posts_the_rest(billed):
    commit(billed, asked(billed, {"a": "0.9"}))
    posted = commit(billed, asked(billed, {"a": "0.95"}, "again"), MAY)

    assert [a.amount for a in posted.adjustments] == [Decimal("0.05")]


@pytest.mark.parametrize(
    ("after", "revision", "why"),
    [({"a": None}, 1, "no price"), ({"a": "0.5"}, 2, "a newer revision waits")],
    ids=["unpriced", "changed since"],
)
def test_what_is_left_out_says_why(billed, after, revision, why):
    with pytest.raises(GateError, match=why):
        commit(billed, asked(billed, after, revision=revision))


def test_a_draft_is_left_alone(tmp_path):
    desk = Desk(tmp_path, masters(replace(ACME, approval="manual"))).call("a").commit()
    desk.bill()
    with pytest.raises(GateError, match="1 records: on a draft"):
        commit(desk, asked(desk, {"a": "0.5"}))


def test_a_changed_record_is_billed_by_its_difference_to_what_it_was_adjusted_to(billed):
    commit(billed, asked(billed, {"a": "0.9"}))
    billed.call("a", "0.9", revision=2).commit()

    assert billed.rows("select amount from invoice.unclaimed where dr_sid = 'a'") == [(Decimal(0),)]
    assert make_statement(billed.lake, billed.ledger).differences == ()


def test_a_record_that_was_adjusted_and_then_given_back_is_billed_anew_to_its_last_price(billed):
    commit(billed, asked(billed, {"a": "0.9"}))
    (number,) = billed.rows("select min(number) from invoice.invoices")[0]
    credit(billed.lake, billed.ledger, number, reason="all of it", rebill=True, by="Ann", now=NOW)

    assert billed.rows("select amount from invoice.unclaimed where dr_sid = 'a'") == [(Decimal("1.1"),)]
    with pytest.raises(GateError, match="2 records: not billed yet"):
        commit(billed, asked(billed, {"a": "0.5", "b": "0.5"}, "again"))
    billed.bill(MAY)

    paid = "select dr_sid, amount from invoice.claims union all select dr_sid, amount from invoice.adjusted"
    assert billed.rows(f"select sum(amount) from ({paid}) where dr_sid = 'a'") == [(Decimal(1),)]
    assert make_statement(billed.lake, billed.ledger).differences == ()

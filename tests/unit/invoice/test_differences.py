"""A what-if committed: the difference of what was billed, posted once, and everything still adds up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import GateError
from pipeline.invoice.credit import credit
from pipeline.invoice.differences import Posted, post_differences
from pipeline.invoice.due import accounts, calendars
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, LOOKBACK, MARCH, NOON, NOW, ROOT, Desk, masters
from tests.spec.allowances import bundle
from tests.unit.invoice.test_allowances import drawn, minute

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
APRIL = NOON.replace(month=4)
HALF = Decimal(30)


def asked(
    desk: Desk,
    after: dict[str, str | None],
    name: str = "try",
    revision: int = 1,
    usage: dict[str, Decimal] | None = None,
) -> Path:
    """The folder of a what-if that would have charged these amounts, for half a minute or these seconds."""
    seconds = usage or {}
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
            "date_stop": desk.calls[sid]["date_stop"],
            "after_plan_sid": "whatif:new",
            "after_plan_version": "v9",
            "after": None if amount is None else Decimal(amount),
            "after_usage": None if amount is None else seconds.get(sid, HALF),
            "after_price": None if amount is None else Decimal(amount) * 60 / seconds.get(sid, HALF),
            "after_number": "49301234",
            "after_fee": Decimal(0),
            "after_unit_seconds": Decimal(60),
            "after_rounding_mode": "half_up",
            "after_rounding_decimals": 10,
            "country_code": "DEU",
            "difference": None if amount is None else Decimal(amount) - 1,
        }
        for sid, amount in after.items()
    ]
    money, rate = pl.Decimal(20, 10), pl.Decimal(24, 12)
    types = {
        "revision": pl.Int32,
        "after": money,
        "difference": money,
        "after_price": rate,
        "after_fee": rate,
    }
    types |= dict.fromkeys(("after_usage", "after_unit_seconds"), pl.Decimal(18, 3)) | {
        "after_rounding_decimals": pl.Int32
    }
    stops = pl.col("date_stop").cast(pl.Datetime("ms", "UTC"))
    pl.DataFrame(rows, schema_overrides=types).with_columns(stops).write_parquet(
        folder / "records" / "0.parquet"
    )
    return folder


def commit(desk: Desk, folder: Path, now: datetime = NOW) -> Posted:
    with desk.ledger.read() as tx:
        held = calendars(tx, accounts(desk.masters, ROOT), bill_from=MARCH, as_of=now, lookback=LOOKBACK)
    why = "the deck of May"
    return post_differences(desk.lake, desk.ledger, desk.masters, held, folder, reason=why, by="Ann", now=now)


@pytest.fixture(scope="module")
def first_billed(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("billed")).call("a").call("b", country_code="GBR")
    desk.call("later", stop=APRIL).commit().bill()
    return desk


@pytest.fixture
def billed(first_billed, tmp_path):
    """Three calls of 1.00: two on an issued invoice, one of April that waits."""
    return first_billed.copied(tmp_path)


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


HUNDRED = (bundle("start", "100"),)
BY_HAND = masters(replace(ACME, approval="manual"), bundles=HUNDRED)
LATE = NOON + timedelta(hours=2)


@pytest.fixture(scope="module")
def first_sharing(tmp_path_factory):
    desk = minute(Desk(tmp_path_factory.mktemp("sharing"), masters(bundles=HUNDRED)), "a")
    minute(desk, "b", NOON + timedelta(hours=1)).commit().bill()
    return desk


@pytest.fixture
def sharing(first_sharing, tmp_path):
    """Two calls of a minute at 0.06 share 100 seconds: the first is free, of the second 20 seconds are paid."""
    return first_sharing.copied(tmp_path)


def test_what_a_cheaper_record_leaves_of_a_bundle_the_next_one_draws(sharing):
    posted = commit(sharing, asked(sharing, {"a": "0.03"}))

    (made,) = posted.adjustments
    assert (made.amount, made.usage, made.records, posted.redrawn) == (Decimal("-0.02"), -30, 2, 2)
    assert drawn(sharing) == {"a": "30", "b": "60"}
    assert sharing.rows(
        "select dr_sid, plan_sid, amount, usage, drawn from invoice.adjusted order by all"
    ) == [
        ("a", "whatif:new", Decimal(0), Decimal(-30), Decimal("0.03")),
        ("b", "retail", Decimal("-0.02"), Decimal(0), Decimal("-0.02")),
    ]


def test_a_late_record_draws_what_is_left_by_then(sharing):
    commit(sharing, asked(sharing, {"a": "0.03"}))
    minute(sharing, "late", LATE, 90).commit().bill(MAY)

    assert drawn(sharing) == {"a": "30", "b": "60", "late": "10"}
    assert make_statement(sharing.lake, sharing.ledger).differences == ()


def test_more_usage_that_a_bundle_covers_is_drawn_though_it_costs_nothing(sharing):
    posted = commit(sharing, asked(sharing, {"a": "0.04"}, usage={"a": Decimal(40)}))
    assert (drawn(sharing), posted.adjustments[0].amount) == ({"a": "40", "b": "60"}, Decimal("-0.02"))

    again = asked(sharing, {"a": "0.02"}, "again", usage={"a": Decimal(20)})
    assert (commit(sharing, again, MAY).adjustments, drawn(sharing)) == ((), {"a": "20", "b": "60"})
    with pytest.raises(GateError, match="nothing to post"):
        commit(sharing, again, MAY + timedelta(days=1))


def test_a_credited_invoice_gives_back_what_was_drawn_anew(sharing):
    commit(sharing, asked(sharing, {"a": "0.03"}))
    (number,) = sharing.rows("select min(number) from invoice.invoices")[0]
    credit(sharing.lake, sharing.ledger, number, reason="all of it", rebill=True, by="Ann", now=NOW)
    assert drawn(sharing) == {}

    sharing.bill(MAY)
    paid = "select dr_sid, amount from invoice.claims union all select dr_sid, amount from invoice.adjusted"
    assert sharing.rows(f"select sum(amount) from ({paid})") == [(Decimal("0.02"),)]
    assert make_statement(sharing.lake, sharing.ledger).differences == ()


def test_what_was_drawn_anew_alone_is_given_back_too(tmp_path):
    germany = masters(bundles=(bundle("start", "100", countries=("DEU",)),))
    desk = minute(Desk(tmp_path, germany), "a", country_code="GBR").commit()
    desk.bill()
    commit(desk, asked(desk, {"a": "0.03"}))
    assert drawn(desk) == {"a": "30"}

    (number,) = desk.rows("select min(number) from invoice.invoices")[0]
    credit(desk.lake, desk.ledger, number, reason="all of it", rebill=True, by="Ann", now=NOW)
    assert drawn(desk) == {}


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda d: minute(d, "late", LATE).commit().bill(MAY, masters=BY_HAND), "on a draft"),
        (lambda d: minute(d, "b", LATE, 90, revision=2).commit(), "whose newer revision waits"),
        (lambda d: minute(d, "b", LATE, 90).commit(), "that is rated otherwise than it was billed"),
        (lambda d: setattr(d, "masters", masters()), "that drew on one that is gone"),
    ],
    ids=["a draft", "a newer revision", "rated anew", "the bundle is gone"],
)
def test_a_period_that_is_not_settled_is_left_as_it_is(sharing, meanwhile: Callable[[Desk], object], why):
    meanwhile(sharing)
    before = drawn(sharing)
    with pytest.raises(GateError, match=f"1 records: shares a bundle or tier with a record {why}"):
        commit(sharing, asked(sharing, {"a": "0.03"}), MAY)

    assert drawn(sharing) == before

"""The measures of a billed month, worked out a second time in Polars from the records themselves."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipeline.measure.statement import make_statement
from tests.journey.house import House

EFFECTIVE = [480, 486, 487, 600, 603, 607]


@pytest.fixture(scope="module")
def month(march: House) -> Iterator[dict[str, Any]]:
    """The records, and a connection that sees the measures."""
    with march.lake() as lake, lake.duck() as con:
        names = ("land/calls", "land/messages", "rate/calls", "rate/messages")
        tables = {name: [pl.read_parquet(file.path) for file in lake.files(name)] for name in names}
        yield {name: pl.concat(held, how="vertical_relaxed") for name, held in tables.items()} | {"con": con}


def asked(month: dict[str, Any], query: str) -> list[tuple]:
    return sorted(month["con"].execute(query).fetchall(), key=repr)


def rows(frame: pl.DataFrame) -> list[tuple]:
    return sorted(frame.rows(), key=repr)


def calls(month: dict[str, Any]) -> pl.DataFrame:
    talk = (pl.col("date_stop") - pl.col("date_talk")).dt.total_milliseconds()
    ring = (pl.col("date_talk") - pl.col("date_start")).dt.total_milliseconds()
    return month["land/calls"].with_columns(
        day=pl.col("date_stop").dt.date(), talk=talk.fill_null(0), ring=ring, answered=talk.fill_null(0) > 0
    )


def test_volume_and_quality(month: dict[str, Any]) -> None:
    expected = (
        calls(month)
        .group_by("day", "direction", "partner_sid")
        .agg(
            pl.len(),
            pl.col("answered").sum(),
            (pl.col("answered") | pl.col("sipcause").is_in(EFFECTIVE)).sum().alias("effective"),
            pl.col("talk").filter(pl.col("talk").is_between(1, 6000)).len(),
            pl.col("talk").sum().alias("talk_ms"),
            pl.col("ring").filter("answered").sum().alias("setup_ms"),
        )
    )

    assert asked(month, """
        select day, direction, partner_sid, sum(calls)::bigint, sum(answered)::bigint, sum(effective)::bigint,
            sum(short_calls)::bigint, sum(talk_ms)::bigint, sum(setup_ms)::bigint
        from measure.call_hours group by all
    """) == rows(expected)  # fmt: skip


def test_causes(month: dict[str, Any]) -> None:
    names = ["day", "direction", "sipcause", "disconnect_originator"]
    expected = calls(month).group_by(names).agg(pl.len(), pl.col("answered").sum())

    assert asked(month, "from measure.causes") == rows(expected)


def test_numbers(month: dict[str, Any]) -> None:
    names = ["direction", "type", "number_billing"]
    talked = calls(month).group_by(names).agg(pl.len(), pl.col("talk").sum().cast(pl.Int64))
    texts = month["land/messages"].group_by(names).agg(pl.len(), pl.lit(None, pl.Int64).alias("talk"))

    assert asked(month, """
        select direction, type, number, sum(records)::bigint, sum(talk_ms)::bigint from measure.number_days group by all
    """) == rows(pl.concat([talked, texts]))  # fmt: skip


def test_the_most_calls_at_once(month: dict[str, Any]) -> None:
    """A second way: the starts and ends of all calls in order, each on the second at or after it."""
    ended = calls(month).filter(pl.col("date_stop") > pl.col("date_start"))
    seconds = [(pl.col(name).dt.epoch("ms") + 999) // 1000 for name in ("date_start", "date_stop")]
    changes = pl.concat(
        [
            ended.select(at=second, change=pl.lit(change))
            for second, change in zip(seconds, (1, -1), strict=True)
        ]
    )
    held = (
        changes.group_by("at").agg(pl.col("change").sum()).sort("at").with_columns(pl.col("change").cum_sum())
    )
    lasting = held.with_columns(lasts=pl.col("at").shift(-1) - pl.col("at"))
    [(peak, call_seconds)] = asked(month, """
        select max(peak_calls), sum(call_seconds)::bigint from measure.trunk_hours where side = 'all'
    """)  # fmt: skip

    assert peak == held["change"].max()
    assert call_seconds == (lasting["change"] * lasting["lasts"]).sum()


def test_money_by_customer(month: dict[str, Any]) -> None:
    """Each record's cost stands with whoever pays us for it: here found record by record."""
    money = pl.concat(
        [
            month[name].select("source", "dr_sid", "level", "payer_sid", "date_stop", "amount")
            for name in ("rate/calls", "rate/messages")
        ]
    ).with_columns(month=pl.col("date_stop").dt.date().dt.month_start())
    charges, costs = (money.filter(pl.col("level") == level) for level in (1, 0))
    both = charges.join(costs.select("source", "dr_sid", cost="amount"), on=["source", "dr_sid"])
    sums = both.group_by("month", "payer_sid").agg(pl.col("amount").sum(), pl.col("cost").sum())

    found = asked(
        month,
        "select month, partner_sid, sum(revenue - drawn), sum(cost) from measure.customers group by all",
    )
    assert [_plain(row) for row in found] == [_plain(row) for row in rows(sums)]


def test_prefixes_earn_what_their_calls_are_charged(month: dict[str, Any]) -> None:
    rated = month["rate/calls"]
    costs = rated.filter((pl.col("level") == 0) & pl.col("matched_prefix").is_not_null())
    charges = rated.filter(pl.col("level") == 1).select("source", "dr_sid", revenue="amount")
    both = (
        costs.join(charges, on=["source", "dr_sid"])
        .group_by("plan_sid", "matched_prefix")
        .agg(pl.len(), pl.col("amount").sum(), pl.col("revenue").sum())
    )

    found = asked(month, """
        select plan_sid, matched_prefix, sum(calls)::bigint, sum(amount), sum(revenue)
        from measure.prefix_days where side = 'cost' group by all
    """)  # fmt: skip
    assert [_plain(row) for row in found] == [_plain(row) for row in rows(both)]


def test_the_days_of_the_statement_add_up_to_it(month: dict[str, Any]) -> None:
    days = asked(month, """
        select section, service, side, what, reason, currency, sum(records)::bigint, sum(money)
        from measure.statement_days group by all
    """)  # fmt: skip
    whole = asked(month, """
        select section, service, side, split_part(what, ',', 1) as what, reason, currency, sum(records)::bigint,
            sum(money)
        from measure.statement where section in ('landed', 'rated', 'charged') group by all
    """)  # fmt: skip

    assert [_plain(row) for row in days] == [_plain(row) for row in whole]


def test_the_statement_from_roll_ups_is_that_of_the_records(march: House) -> None:
    with march.lake() as lake:
        assert lake.files("measure/charge_days")
        assert lake.files("measure/claim_days")
        quick = make_statement(lake, lake.ledger, rolled_up=True)

        assert quick == make_statement(lake, lake.ledger)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Amounts as text without the zeros at their end, so that their scale does not matter."""
    return tuple(f"{value.normalize():f}" if isinstance(value, Decimal) else value for value in row)

"""The roll-ups: made again where something changed and nowhere else, and the same however they are made."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import LakeError
from pipeline.measure import rollups
from pipeline.measure.rollups import ROLLUPS, RollupReport, roll_up
from tests.fixtures.billing import NOW, Desk

FIRST = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, APRIL = FIRST + timedelta(days=1), FIRST + timedelta(days=30)
TABLES = [rollup.table for rollup in ROLLUPS]
CALLS = [
    "measure/call_hours",
    "measure/cause_days",
    "measure/trunk_hours",
    "measure/number_days",
    "measure/lag_days",
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Two days of March and one of April."""
    return (
        Desk(tmp_path)
        .call("a", stop=FIRST)
        .call("b", stop=SECOND)
        .call("c", stop=APRIL)
        .message("m", stop=FIRST)
        .commit()
    )


def rolled(desk: Desk) -> RollupReport:
    return roll_up(desk.lake, desk.ledger, now=NOW)


def contents(desk: Desk) -> dict[str, list[tuple]]:
    return {table: desk.rows(f"from {table.replace('/', '.')}") for table in TABLES}


def test_every_day_is_rolled_up_once(desk: Desk) -> None:
    first, second = rolled(desk), rolled(desk)

    assert (first.written, second.written, second.days) == (3, 0, {})
    assert desk.rows("select day::varchar, calls from measure.call_hours") == [
        ("2026-03-02", 1), ("2026-03-03", 1), ("2026-04-01", 1),
    ]  # fmt: skip


def test_a_call_that_lands_late_touches_its_own_day(desk: Desk) -> None:
    """The day before is looked at again for calls at once only: the late one may have begun on it."""
    rolled(desk)
    report = rolled(desk.call("late", stop=SECOND + timedelta(hours=1)).commit())
    days = {table: [str(day) for day in found] for table, found in report.days.items()}

    assert days.pop("measure/trunk_hours") == ["2026-03-02", "2026-03-03"]
    assert days == {
        table: ["2026-03-03"] for table in [*CALLS, *TABLES[-2:]] if table != "measure/trunk_hours"
    }
    assert desk.rows("select sum(calls) from measure.call_hours") == [(4,)]


def test_a_new_price_touches_money_and_no_traffic(desk: Desk) -> None:
    rolled(desk)
    desk.calls["a"]["amount"] = Decimal(9)

    assert set(rolled(desk.commit()).days) == {"measure/money_days", "measure/prefix_days"}
    assert desk.rows(
        "select amount from measure.money_days where level = 1 and day = '2026-03-02' and service = 'call'"
    ) == [(Decimal(9),)]


def test_a_day_that_is_gone_is_gone_here_too(desk: Desk) -> None:
    rolled(desk)
    del desk.calls["c"], desk.calls["b"]
    rolled(desk.commit())

    assert {row[0] for rows in contents(desk).values() for row in rows} == {date(2026, 3, 2)}
    assert {file.label for table in TABLES for file in desk.lake.files(table)} == {"date=2026-03-02"}


def test_days_one_by_one_give_the_same_as_all_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rolled(desk)
    other = Desk(tmp_path / "other", calls=desk.calls, messages=desk.messages).commit()
    monkeypatch.setattr(rollups, "_BATCH_ROWS", 1)
    rolled(other)

    assert contents(other) == contents(desk)


def test_costs_that_do_not_stand_beside_their_charges_are_refused(desk: Desk) -> None:
    desk.call("d", stop=FIRST + timedelta(hours=1)).commit()
    label = "date=2026-03-02"
    columns = [name for name, *_ in desk.rows("describe rate.calls")]
    held = [
        dict(zip(columns, row, strict=True)) for row in desk.rows("from rate.calls where day(date_stop) = 2")
    ]
    desk.put("rate/calls", [*held[:2], *reversed(held[2:])], label)

    with pytest.raises(LakeError, match="2 costs stand beside no charge"):
        rolled(desk)


def test_the_forecast_takes_each_weekday_for_what_it_was(tmp_path: Path) -> None:
    """Traffic begins on Monday 2 March; the newest day is Monday 16 March, which has brought in 1 so far."""
    desk = Desk(tmp_path)
    for day, amount in ((2, "10"), (3, "4"), (9, "13.01"), (16, "1")):
        desk.call(f"c{day}", amount, stop=datetime(2026, 3, day, 12, tzinfo=UTC))
    rolled(desk.commit())
    [(month, newest, so_far, expected, forecast)] = desk.rows(
        "select month::varchar, newest_day::varchar, so_far, expected, forecast from measure.forecast"
    )

    # Two Mondays brought in 23.01, 11.50 each, cents below a half lost; two Tuesdays 4.00 and nothing: 2.00 each.
    # To come: 10.50 of today, Mondays 23 and 30, Tuesdays 17, 24 and 31.
    assert (month, newest, so_far) == ("2026-03-01", "2026-03-16", Decimal("28.01"))
    assert expected == Decimal("10.50") + 2 * Decimal("11.50") + 3 * Decimal("2.00")
    assert forecast == so_far + expected

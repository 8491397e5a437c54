"""The pieces of the dashboard: months, drawings, and the text of its queries."""

from datetime import date
from decimal import Decimal

import pytest

from pipeline.errors import SettingsError
from pipeline.render.report import latest_month
from pipeline.render.reportchart import SHADES, grouped, heat, percent_line, stacked
from pipeline.render.reportdata import CONVERTED, CUSTOMER, DESK, WHERE_IT_DIFFERS, Month, _written
from pipeline.shipped import shipped

ROWS = [
    {"day": date(2026, 3, 1), "answered": 30, "unanswered": 10, "asr": 75.0},
    {"day": date(2026, 3, 2), "answered": 0, "unanswered": 0, "asr": None},
    {"day": date(2026, 3, 3), "answered": 60, "unanswered": 20, "asr": 100.0},
]


@pytest.mark.parametrize(
    ("first", "after", "before"),
    [
        pytest.param("2026-03-01", "2026-04-01", "2026-02-01", id="31 days"),
        pytest.param("2024-02-01", "2024-03-01", "2024-01-01", id="a leap year's February"),
        pytest.param("2026-12-01", "2027-01-01", "2026-11-01", id="the year's end"),
    ],
)
def test_a_month_knows_its_neighbours(first: str, after: str, before: str) -> None:
    month = Month.of(first[:7])

    assert (str(month.first), str(month.after), str(month.before)) == (first, after, before)


@pytest.mark.parametrize("text", ["2026-13", "March", "2026-3", "", "2026-03-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is no month"):
        Month.of(text)


@pytest.mark.parametrize(
    ("last", "month"),
    [
        pytest.param(date(2026, 3, 31), "2026-03", id="the month's last day"),
        pytest.param(date(2026, 4, 1), "2026-03", id="the next has hardly begun"),
        pytest.param(date(2026, 4, 5), "2026-04", id="the next has begun"),
    ],
)
def test_the_newest_month_that_has_begun_is_shown(last: date, month: str) -> None:
    assert str(latest_month([date(2026, 3, 1), last])) == month


def test_without_traffic_there_is_no_month() -> None:
    with pytest.raises(SettingsError, match="no traffic to report on yet"):
        latest_month([])


def test_stacked_columns_stand_on_one_another_and_the_axis_ends_above_the_highest() -> None:
    drawing = stacked(ROWS, ("answered", "unanswered"))[0]

    assert [rule.value for rule in drawing.rules] == [0, 40, 80]
    first, none, last = drawing.slots
    answered, unanswered = last.boxes
    assert answered.y + answered.height == drawing.floor
    assert unanswered.y + unanswered.height == answered.y
    assert unanswered.y == drawing.top
    assert answered.height == 3 * unanswered.height
    assert [box.height for box in none.boxes] == [0, 0]
    assert [box.height for box in first.boxes] == [58, 19]


def test_grouped_columns_stand_side_by_side() -> None:
    boxes = grouped(ROWS, ("answered", "unanswered"), whole=True)[0].slots[0].boxes

    assert [box.y + box.height for box in boxes] == [166, 166]
    assert boxes[1].x == boxes[0].x + boxes[0].width


def test_a_line_has_a_gap_where_there_is_no_value() -> None:
    drawing = percent_line(ROWS, "asr")[0]

    assert drawing.path.count("M") == 2
    assert "L" not in drawing.path
    assert [slot.dot for slot in drawing.slots] == [drawing.floor - 117, None, drawing.top]


@pytest.mark.parametrize(
    ("most", "top"), [("0", "1"), ("0.0004", "0.0004"), ("53", "60"), ("101", "120"), ("9.01", "10")]
)
def test_an_axis_ends_at_a_round_figure(most: str, top: str) -> None:
    assert stacked([{"x": Decimal(most)}], ("x",))[0].rules[-1].value == Decimal(top)


@pytest.mark.parametrize("days", [1, 28, 31])
def test_no_mark_leaves_its_drawing(days: int) -> None:
    rows = [{"day": date(2026, 3, n + 1), "x": n * n} for n in range(days)]
    for drawing in (*stacked(rows, ("x",)), *grouped(rows, ("x", "x"), whole=True)):
        boxes = [box for slot in drawing.slots for box in slot.boxes]
        assert min(box.x for box in boxes) >= drawing.left
        assert max(box.x + box.width for box in boxes) <= drawing.width
        assert min(box.y for box in boxes) >= drawing.top


def test_the_busiest_hour_is_the_strongest_and_an_hour_without_calls_has_no_shade() -> None:
    cells = heat(
        [
            {"weekday": 1, "hour": 9, "calls": 80, "answered": 60},
            {"weekday": 7, "hour": 3, "calls": 1, "answered": 0},
        ]
    )

    assert len(cells) == 7 * 24
    assert {(c.weekday, c.hour): c.shade for c in cells if c.shade} == {(1, 9): SHADES, (7, 3): 1}


def test_a_query_is_written_with_its_month_and_a_hostile_customer_stays_text() -> None:
    sql = "select $first, $after, $before where payer_sid = $customer"

    assert _written(sql, Month.of("2026-03"), "x' or 'a' = 'a") == (
        "select date '2026-03-01', date '2026-04-01', date '2026-02-01' where payer_sid = 'x'' or ''a'' = ''a'"
    )


def test_every_query_of_the_report_is_on_one_of_its_pages() -> None:
    shipped_queries = {path.stem for path in shipped("sql", "render", "report").glob("*.sql")}

    assert shipped_queries == {*DESK, *CUSTOMER, WHERE_IT_DIFFERS, CONVERTED}
    assert len(DESK) + len(CUSTOMER) + 2 == len(shipped_queries)

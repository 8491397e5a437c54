"""Where a walk stands is the same whether a page was cut or looked at item by item."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.domain.cursor import Cut
from pipeline.pull.cut import cut
from pipeline.pull.edges import Edges, edges_of, edges_of_cut

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def page(*records: tuple[str, Any]) -> Cut:
    items = [{"dr_sid": sid, "date_stop": value} for sid, value in records]
    found = cut(
        json.dumps({"items": items, "count": len(items)}, separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert found
    return found["items"]


def text(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


RECORDS = [("a", at(1.5)), ("b", at(3)), ("c", at(3)), ("d", at(2.001))]


@pytest.mark.parametrize(
    "sids", [("a", "b", "c", "d"), ("a", "bb", "é", "dddd")], ids=["of one length", "of any"]
)
@pytest.mark.parametrize("fast", [True, False], ids=["cut", "one by one"])
def test_what_is_asked_of_a_page(sids: tuple[str, ...], fast: bool) -> None:
    records = [(sid, when) for sid, (_, when) in zip(sids, RECORDS, strict=True)]
    found = (
        edges_of_cut(page(*((sid, text(when)) for sid, when in records)), "date_stop")
        if fast
        else edges_of(records)
    )
    assert len(found) == 4
    assert [found.first, found.last, found.oldest, found.newest] == [
        records[0],
        records[3],
        records[0],
        records[1],
    ]
    assert not found.ordered
    assert [found.newest_until(at(n)) for n in (1, 2.5, 3, 9)] == [None, records[3], records[1], records[1]]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([], False),
        ([("x", at(1.5))], False),
        ([("b", at(9))], False),
        ([("x", at(0)), ("b", at(3)), ("y", at(9))], True),
        ([("d", at(2.001))], True),
    ],
    ids=["nothing", "another of that time", "moved on", "again in the middle", "again"],
)
def test_a_record_that_is_there_again(other: list[tuple[str, datetime]], expected: bool) -> None:
    known, later = edges_of(RECORDS), edges_of(other)
    assert (later.repeats(known), known.repeats(later)) == (expected, expected)


@pytest.mark.parametrize(
    "value",
    ["2026-02-30T12:00:00.000Z", "2026-03-01 12:00:00.000Z", "2026-03-01T12:00:00.00 Z", "2026-03-01T12:00:00Z",
     "1926-03-01T12:00:00.000Z", "2026-03-01T24:00:00.000Z", None, 17, "x" * 24],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_page_with_an_unusual_time_is_left(value: Any, place: int) -> None:
    times: list[Any] = [text(at(n)) for n in range(3)]
    times[place] = value
    with pytest.raises(ValueError, match=r".*"):
        edges_of_cut(page(*zip("abc", times, strict=True)), "date_stop")


@pytest.mark.parametrize("sid", ["", None, "\\", 17])
def test_a_page_with_an_unusual_id_is_left(sid: Any) -> None:
    with pytest.raises(ValueError, match=r".*"):
        edges_of_cut(page(("a", text(at(0))), (sid, text(at(1)))), "date_stop")


def test_a_page_in_order() -> None:
    found: Edges = edges_of_cut(page(*((f"{n}", text(at(n // 2))) for n in range(9))), "date_stop")
    assert found.ordered

"""Pages that are typed together give what each gives alone, and one that is odd spoils nothing for the others."""

import json
from typing import Any

import pytest

from pipeline.domain.cursor import CALLS, Cut, Page
from pipeline.lake.tables import BY_NAME
from pipeline.land import records
from pipeline.land.decode import decode
from pipeline.land.records import Batch
from pipeline.pull.cut import cut
from tests.fixtures.records import call

TABLE = BY_NAME["land/calls"]
OTHERS: dict[str, dict[str, Any]] = {
    "as the others": {},
    "a value where the others have none": {"cic": "0110"},
    "no value where the others have one": {"price": None, "number_billing": None, "date_talk": None},
    "a number in the place of a text": {"version": "7", "duration_billing": 60},
    "an unknown key": {"novelty": "new"},
    "a long number": {"price": "0.000000000001"},
    "a number of thirteen digits": {"price": "1234567890123"},
    "a number that ends with its point": {"price": "1."},
    "an empty number": {"price": ""},
    "a signed number": {"price": "+1"},
    "two points": {"price": "1.2.3"},
    "no date": {"date_start": "soon"},
    "a date of another century": {"date_start": "1826-03-01T15:32:15.589Z"},
    "a long text": {"number_src": "1" * 5000},
    "an escaped text": {"number_src": 'a "quote"'},
    "an end before its begin": {"date_stop": "2020-03-01T15:32:15.589Z"},
    "no id": {"dr_sid": ""},
}


def page(*items: dict[str, Any]) -> Cut:
    found = cut(json.dumps({"items": items}, separators=(",", ":")).encode())
    assert found
    return found["items"]


def alone(*pages: Cut) -> tuple[list[dict], list]:
    found = [decode(list(page), TABLE, "x", CALLS.sort_key) for page in pages]
    return [row for rows, _ in found for row in rows.to_pylist()], [bad for _, no in found for bad in no]


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_together_as_alone(changes: dict[str, Any], place: int) -> None:
    pages = [page(call(f"{n}a"), call(f"{n}b")) for n in range(3)]
    lacking = dict.fromkeys(changes.keys() - call().keys())
    pages[place] = page(call("xa") | lacking, call("xb") | changes, call("xc") | changes)
    batch = Batch(CALLS, "x")
    for each in pages:
        batch.add(Page(each))
    batch.settle()
    rows = batch.waiting.rows().whole().to_pylist()
    assert (rows, batch.rejected) == alone(*pages)


@pytest.mark.parametrize(("most", "size"), [(2, 10**9), (9, 1)], ids=["pages", "bytes"])
def test_no_more_wait_than_are_meant_to(monkeypatch: pytest.MonkeyPatch, most: int, size: int) -> None:
    monkeypatch.setattr(records, "_TOGETHER", most)
    monkeypatch.setattr(records, "_MOST_BYTES", size)
    batch = Batch(CALLS, "x")
    for n in range(7):
        batch.add(Page(page(call(f"{n}"))))
    together = min(most, 2) if size > 1 else 1
    assert [len(piece) for piece in batch.waiting.rows().pieces()] == [together] * (6 // together)


def test_pages_with_their_keys_in_another_order_keep_each_its_own_quotes() -> None:
    """Of two unknown keys one is a text in each page, which looks like the number that the other is."""
    pages = [page(call("a") | {"p": "1", "q": 2}), page(call("b") | {"q": 2, "p": "1"})]
    batch = Batch(CALLS, "x")
    for each in pages:
        batch.add(Page(each))
    batch.settle()
    found = batch.waiting.rows().whole()["extra_json"].to_pylist()
    assert found == ['{"p":"1","q":2}'] * 2

"""The fast way of a page and the strict one land the same rows; what the fast one leaves goes the other, whole."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.cursor import CALLS, MESSAGES, Cut, Feed
from pipeline.lake.tables import BY_NAME
from pipeline.land.columns import columns
from pipeline.land.decode import decode
from pipeline.land.texts import texts as cut_texts
from pipeline.pull import envelope
from pipeline.pull.cut import cut
from tests.fixtures.records import call
from tests.unit.land.poison import LANDS, QUARANTINED

CALL = call()
MESSAGE = {
    "date_insert": "2026-03-01T15:35:03.000Z", "date_sent": "2026-03-01T15:35:02.000Z", "delay_sent": 3,
    "date_start": "2026-03-01T15:35:01.000Z", "date_stop": "2026-03-01T15:35:01.000Z", "direction": "outbound",
    "dr_sid": "m", "mcc": 310, "mnc": "260", "media_urls": ["https://x.example/a.png"], "message": "hello",
    "message_segments": 1, "number_dst": "15162065451", "number_group_dst": None, "number_src": "15012678830",
    "partner_sid": "p", "price": "0.0025", "provider": "x", "rate": "0.0025", "status": "sent", "type": "sms",
    "user_data": {}, "version": None,
}  # fmt: skip
PAGES = {"calls": (CALLS, CALL), "messages": (MESSAGES, MESSAGE)}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
numbers = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,8})?", fullmatch=True)
dates = st.datetimes().map(
    lambda at: f"{2000 + at.year % 60}-{at:%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
)
usual = {
    "text": texts | st.sampled_from(["", ":", '":', "},{", "}]", "null", '"', "\\", "é", "{}", "[1]"]),
    "timestamp": dates,
    "decimal": numbers
    | st.sampled_from(["0", "1.50000", "+1", "-1", "1e3", " 1 ", "12345678901234"])
    | st.floats(0, 9).map(lambda x: round(x, 4))
    | st.integers(0, 99),
    "int": st.integers(-9, 999) | st.integers(0, 999).map(str) | st.sampled_from(["007", "1.0", 2**40]),
    "bool": st.sampled_from([True, False, "true", "False", "maybe", 1]),
}
unknown = st.none() | texts | st.integers(-9, 9) | st.booleans() | st.sampled_from([1.5, [], {}, {"a": 1}])
private = st.sampled_from(
    [None, {}, "", "a text", 'a "quote"', "a\nline", {"a": "b"}, {"a": {"b": "c"}}, ["x"], [1]]
)


def kind_of(kind: pa.DataType) -> str:
    names = {"string": "text", "decimal128": "decimal"}
    name = str(kind).split("(")[0].split("[")[0]
    return names.get(name, "int" if name.startswith("int") else name)


@st.composite
def pages(draw: st.DrawFn, name: str) -> list[dict[str, Any]]:
    """Items of the same keys, most of them as the documents show them, some with other values."""
    feed, base = PAGES[name]
    kinds = {field.name: kind_of(field.type) for field in BY_NAME[f"land/{feed.resource}"].schema}
    extra = draw(st.lists(st.sampled_from(["novelty", "a_key", "z"]), unique=True, max_size=2))
    changed = draw(st.lists(st.sampled_from(sorted(base)), unique=True, max_size=4))
    items = []
    for n in range(draw(st.integers(1, 4))):
        item = base | {"dr_sid": f"r{n}"} | {key: draw(unknown) for key in extra}
        for key in changed:
            values = private if key not in kinds else usual[kinds[key]]
            if key == "number_group_dst":
                values = st.none() | st.lists(st.sampled_from(["+1", "2"]), max_size=3)
            item[key] = draw(st.none() | values)
        items.append(item)
    return items


def body(items: list[dict[str, Any]], **how: Any) -> bytes:
    return json.dumps({"count": len(items), "items": items, "limit": 1000}, **how).encode()


def strictly(page: bytes, feed: Feed, *, store: bool = False) -> tuple[list[dict], list]:
    items = envelope.decode(page)["items"]
    found, rejected = decode(items, BY_NAME[f"land/{feed.resource}"], "x", feed.sort_key, store_private=store)
    return found.to_pylist(), rejected


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("store", [False, True], ids=["", "with private fields"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_both_ways_give_the_same_rows(name: str, store: bool, data: st.DataObject) -> None:
    feed, _ = PAGES[name]
    how = data.draw(
        st.sampled_from(
            [{"separators": (",", ":")}, {}, {"indent": 1}, {"separators": (",", ":"), "ensure_ascii": False}]
        )
    )
    page = body(data.draw(pages(name)), **how)
    fast = cut(page)
    items = fast["items"] if fast else envelope.decode(page)["items"]
    found, rejected = decode(items, BY_NAME[f"land/{feed.resource}"], "x", feed.sort_key, store_private=store)
    assert (found.to_pylist(), rejected) == strictly(page, feed, store=store)


@pytest.mark.parametrize(
    "how", [{"separators": (",", ":")}, {}, {"indent": 2}], ids=["close", "spaced", "in lines"]
)
@pytest.mark.parametrize("name", PAGES)
def test_the_pages_of_the_documents_go_the_fast_way(name: str, how: dict[str, Any]) -> None:
    """Or nothing above would mean anything."""
    feed, base = PAGES[name]
    items = [base | {"dr_sid": sid, "user_data": {"a": "b"}, "novelty": 1} for sid in "abc"]
    found = cut(body(items, **how))
    assert found
    fast = columns(cut_texts(found["items"]), BY_NAME[f"land/{feed.resource}"], "x", store_private=False)
    rows, _ = strictly(body(items), feed)
    assert {name: values.to_pylist() for name, values in fast.items()} == {
        name: [row[name] for row in rows] for name in fast
    }


@pytest.mark.parametrize("poison", (QUARANTINED | LANDS).values(), ids=QUARANTINED | LANDS)
@pytest.mark.parametrize("spaced", [True, False], ids=["spaced", "close"])
def test_poison_goes_the_strict_way_or_gives_the_same(poison: str, spaced: bool) -> None:
    sound = json.dumps(CALL, separators=None if spaced else (",", ":"))
    page = f'{{"items": [{sound}, {poison}, {sound}]}}'.encode("utf-8", "surrogateescape")
    alone = f'{{"items":[{poison}]}}'.encode("utf-8", "surrogateescape")
    for text in (page, alone):
        found = cut(text)
        if found is None:
            continue
        assert isinstance(found["items"], Cut)
        fast, rejected = decode(found["items"], BY_NAME["land/calls"], "x", "date_stop")
        assert (fast.to_pylist(), rejected) == strictly(text, CALLS)

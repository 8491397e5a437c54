"""A page is cut where each value lies, or not at all: no text of a record can shift what its neighbours mean."""

import json
from typing import Any

import msgspec
import pytest

from pipeline.pull import cut as module
from pipeline.pull.cut import cut

ITEM = '{"dr_sid":"a","ip_src":"1.2.3.4:5060","ip_dst":"5.6.7.8","price":"0.5","version":2}'
OTHER = ITEM.replace('"a"', '"b"')
CUT = {
    "two alike": (ITEM, OTHER),
    "a text that begins with a colon": (ITEM.replace("1.2.3.4", ":1"), OTHER.replace("1.2.3.4", "::1")),
    "ends of items in a text": (ITEM.replace("1.2.3.4", "},{"), OTHER.replace("5.6.7.8", "}]")),
    "an end of all in the last text": (ITEM.replace("2}", '"x"}'), OTHER.replace("2}", '"}]"}')),
    "escaped quotes": (ITEM.replace("1.2.3.4", '\\"a\\":'), OTHER.replace("5.6.7.8", '\\\\')),
    "a key within a text": (ITEM.replace("1.2.3.4", '\\",\\"price\\":\\"9'), OTHER),
    "null": (ITEM.replace("2}", "null}"), OTHER.replace('"0.5"', "null")),
    "lists": (ITEM.replace("2}", '["a","b,c"]}'), OTHER.replace("2}", "[]}")),
    "an empty object": (ITEM.replace("2}", "{}}"), OTHER),
    "a private object": (ITEM.replace("2}", '2,"user_data":{"a":"}"}}'), OTHER.replace("2}", '2,"user_data":{}}')),
    "beyond ASCII": (ITEM.replace("1.2.3.4", "é€😀"), OTHER),
}  # fmt: skip
LEFT = {
    "keys of one length in another order": (
        ITEM,
        '{"dr_sid":"b","ip_dst":"1","ip_src":"5","price":"0.5","version":2}',
    ),
    "a key of one length with another name": (ITEM, OTHER.replace("ip_src", "ip_sra")),
    "a key more in one, a key less in the other": (
        ITEM.replace("2}", '2,"x":1}'),
        OTHER.replace(',"version":2', ""),
    ),
    "a key that a space follows": (ITEM, OTHER.replace('"ip_dst":"5.6.7.8"', '"ip_dst" :"5.6.7.8"')),
    "an unknown key that a space follows": (ITEM, OTHER.replace('"price"', '"x" :"y","price"')),
    "a nested object of the same keys": (ITEM, OTHER.replace("2}", f"{ITEM}}}")),
    "a list of objects": (ITEM.replace("2}", f"[{ITEM}]}}"), OTHER.replace("2}", f"[{ITEM}]}}")),
    "a duplicate key": (ITEM.replace("2}", '2,"price":"9"}'), OTHER.replace("2}", '2,"price":"9"}')),
    "a number of a thousand digits": (ITEM.replace("2}", "9" * 1000 + "}"), OTHER),
    "half of a surrogate pair": (ITEM.replace("1.2.3.4", "\\ud83dx"), OTHER),
    "no object": (ITEM, "17"),
    "no detail records": (ITEM.replace("dr_sid", "did_sid"), OTHER.replace("dr_sid", "did_sid")),
    "nothing": (),
}


SOUND = '{"count":2,"items":[{"dr_sid":"a","x":"1","n":2},{"dr_sid":"b","x":"0.5","n":3}],"limit":1000}'
BROKEN = {
    "cut short": SOUND[:-1],
    "two braces at the beginning": SOUND.replace("[{", "[{{"),
    "two braces between items": SOUND.replace("},{", "},{{"),
    "halves of a list": SOUND.replace("2}", "[1}").replace("3}", "2],3}"),
    "a zero before a number": SOUND.replace("2}", "02}"),
    "half a null": SOUND.replace("2}", "nul}"),
    "a line break in a text": SOUND.replace("0.5", "0\n5"),
    "an escape that is none": SOUND.replace("0.5", "0\\x5"),
    "a wrong end": SOUND.replace("1000}", "1000]"),
    "something behind the end": SOUND + "}",
}


def page(items: tuple[str, ...], before: str = '"count":2,', after: str = ',"limit":1000') -> bytes:
    return f'{{{before}"items":[{",".join(items)}]{after}}}'.encode()


def written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def values(body: bytes) -> list[list[tuple[str, bool, str]]] | None:
    """What was cut out, item by item: key, whether in quotes, text."""
    found = cut(body)
    if found is None:
        return None
    c = found["items"]
    return [
        [
            (name, bool(c.quoted[n, k]), c.text[c.begin[n, k] : c.end[n, k]].decode())
            for k, name in enumerate(c.names)
        ]
        for n in range(len(c))
    ]


@pytest.mark.parametrize("items", CUT.values(), ids=CUT)
@pytest.mark.parametrize("after", [',"limit":1000,"pagination":{"next":null}', ""], ids=["more", "nothing"])
def test_each_value_is_where_it_lies(items: tuple[str, ...], after: str) -> None:
    body = page(items, after=after)
    wanted = [
        [(key, isinstance(value, str), written(value)) for key, value in item.items()]
        for item in msgspec.json.decode(body)["items"]
    ]
    found = values(body)
    assert found is not None
    plain = [
        [(key, quoted, json.loads(f'"{text}"') if quoted else text) for key, quoted, text in item]
        for item in found
    ]
    private = {"user_data"}
    assert [[v for v in item if v[0] not in private] for item in plain] == [
        [v for v in item if v[0] not in private] for item in wanted
    ]


@pytest.mark.parametrize("items", LEFT.values(), ids=LEFT)
def test_anything_else_is_left_alone(items: tuple[str, ...]) -> None:
    assert values(page(items)) is None


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_page_that_is_no_sound_json_is_not_taken(body: str) -> None:
    assert (values(SOUND.encode()) is None, values(body.encode())) == (False, None)


@pytest.mark.parametrize(
    "body",
    [
        page((ITEM, OTHER)).replace(b"0.5", b"\xff"),
        page((ITEM, OTHER), before='"items":[],"count":2,'),
        page((ITEM, OTHER), after=f',"items":[{ITEM}]'),
        page((ITEM, OTHER), before=f'"links":[{OTHER}],'),
        b'{"body":' + page((ITEM, OTHER)) + b"}",
        b"[]",
    ],
    ids=[
        "broken UTF-8",
        "an empty list before",
        "two lists",
        "another list before",
        "wrapped",
        "no envelope",
    ],
)
def test_what_is_no_list_of_records(body: bytes) -> None:
    found = values(body)
    assert found is None or [item[0][2] for item in found] == ["a", "b"]


def test_a_page_larger_than_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE", 50)
    monkeypatch.setattr(module, "_ROWS", 3)
    items = tuple(ITEM.replace('"a"', f'"{n}"').replace("1.2.3.4", "\\\\" * (n % 3)) for n in range(20))
    found = values(page(items))
    assert found
    assert [item[0][2] for item in found] == [str(n) for n in range(20)]


def test_items_are_the_decoded_ones_where_they_are_asked_for() -> None:
    found = cut(page((ITEM, OTHER)))
    assert found
    assert list(found["items"]) == msgspec.json.decode(page((ITEM, OTHER)))["items"]

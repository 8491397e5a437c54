"""The compiled lookup against the plainest one: try every row. And the edges that its keys could get wrong."""

import pyarrow as pa
import pytest

from pipeline.rate.lookup import NONE, SPECIAL, Lookup, prefixes

EARLY, LATE = -999_999_999_999_999, 999_999_999_999_999
NOON, DAY_END = 43_200_000, 86_399_999


def deck(*rows: tuple) -> pa.Table:
    """Rows as (term_id, plan_key, prefix, special, from, to)."""
    names = ("term_id", "plan_key", "prefix", "is_special", "from_ms", "to_ms")
    kinds = (pa.int32(), pa.int32(), pa.string(), pa.bool_(), pa.int64(), pa.int64())
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table({n: pa.array(c, k) for n, k, c in zip(names, kinds, columns, strict=True)})


def row(
    number: int, prefix: str, plan: int = 0, special: bool = False, start: int = EARLY, end: int = LATE
) -> tuple:
    return (number, plan, prefix, special, start, end)


def found(rates: pa.Table, asked: list[tuple[int, str, int]], keys: tuple[int, ...] = (0,)) -> list[int]:
    made = Lookup(prefixes(rates))
    made.lay_out(keys, min(at for *_, at in asked), max(at for *_, at in asked))
    digits = made.prefixes.digits
    number_keys = [int(f"{n[:digits]:0<{digits}}") * 16 + min(len(n), digits) for _, n, _ in asked]
    columns = [pa.array([p for p, *_ in asked], pa.int32()), pa.array(number_keys, pa.int64())]
    rows = made.find(*columns, pa.array([at for *_, at in asked], pa.int64()))
    return rows.field("term_id").to_pylist()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("1", 1),
        ("12", 2),
        ("120", 2),
        ("1200", 4),
        ("12000000000000000000", 4),
        ("1299", 2),
        ("13", 1),
        ("2", NONE),
        ("0", 5),
        ("00", 5),
        ("9", 6),
        ("99999", 6),
        ("77", 1_000),
    ],
)
def test_the_longest_prefix_that_the_number_really_has(number, expected):
    rates = deck(row(1, "1"), row(2, "12"), row(4, "1200"), row(5, "0"), row(6, "9"), row(1_000, "77"))

    assert found(rates, [(0, number, 0)]) == [expected]


def test_the_default_row_takes_the_rest():
    assert found(deck(row(1, ""), row(2, "44")), [(0, "43", 0), (0, "44", 0), (0, "4", 0)]) == [1, 2, 1]


def test_each_plan_has_numbers_of_its_own():
    rates = deck(row(1, "44", 0), row(2, "", 3), row(3, "441", 3))

    assert found(rates, [(0, "441", 0), (3, "441", 0), (3, "5", 0), (2, "44", 0)], (0, 2, 3)) == [
        1,
        3,
        2,
        NONE,
    ]


def test_rows_hold_from_their_first_instant_to_before_their_last_within_a_day():
    rates = deck(row(1, "44"), row(2, "441", end=NOON), row(3, "441", start=NOON + 1), row(4, "", 1))
    times = [0, NOON - 1, NOON, NOON + 1, DAY_END]

    assert found(rates, [(0, "4412", at) for at in times], (0, 1)) == [2, 2, 1, 3, 3]
    assert found(rates, [(1, "4412", at) for at in times], (0, 1)) == [4] * 5


def test_days_are_laid_out_one_after_the_other():
    made = Lookup(prefixes(deck(row(1, "44", end=NOON), row(2, "44", start=NOON))))
    ask = (pa.array([0], pa.int32()), pa.array([44 * 16 + 2], pa.int64()))
    answers = []
    for at in (NOON - 1, NOON, NOON + 1, NOON - 2):
        made.lay_out([0], at, at)
        answers += made.find(*ask, pa.array([at], pa.int64())).field("term_id").to_pylist()

    assert answers == [1, 2, 2, 1]


def test_a_group_with_one_special_row_is_special_and_its_children_are_not():
    rates = deck(row(1, "44", special=True), row(2, "44", special=True), row(3, "441"), row(4, ""))

    assert found(rates, [(0, "442", 0), (0, "441", 0), (0, "1", 0)]) == [SPECIAL, 3, 4]


@pytest.mark.parametrize(
    ("prefix", "plans", "expected"),
    [("1" * 15, 1, True), ("1" * 16, 1, False), ("1" * 15, 500, False), ("1" * 12, 5_000, True)],
)
def test_it_says_when_keys_would_not_fit(prefix, plans, expected):
    assert Lookup(prefixes(deck(row(1, prefix)))).lay_out(range(plans), 0, DAY_END) is expected


def test_a_deck_of_many_rows_is_searched_to_its_last_point():
    rates = deck(*(row(n, str(n)) for n in range(100, 1_000, 3)))
    numbers = range(99, 1_001)
    expected = [n if n in range(100, 1_000, 3) else 100 if n == 1_000 else NONE for n in numbers]

    assert found(rates, [(0, str(n), 0) for n in numbers]) == expected


def test_what_is_found_says_how_long_the_prefix_is():
    made = Lookup(prefixes(deck(row(7, "44"), row(7, "4420"), row(8, ""))))
    made.lay_out([0], 0, 0)
    keys = pa.array([442000 // 100 * 16 + 4, 4420 * 16 + 3, 3300 * 16 + 4], pa.int64())
    answers = made.find(pa.array([0] * 3, pa.int32()), keys, pa.array([0] * 3, pa.int64())).to_pylist()

    assert answers == [
        {"term_id": 7, "prefix_length": 4},
        {"term_id": 7, "prefix_length": 2},
        {"term_id": 8, "prefix_length": 0},
    ]


def test_few_pieces_of_time_are_kept_however_many_there_are():
    known = prefixes(deck(*(row(n, "44", start=n * 10, end=n * 10 + 10) for n in range(1, 50))))
    made = Lookup(known)
    for n in range(1, 50):
        made.lay_out([0], n * 10, n * 10)

    assert max(len(kept) for kept in known._flats.values()) == 3

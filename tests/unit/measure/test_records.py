"""Records as arrays: the same values, whatever piece of a file they are and whatever it lacks."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.parquet import coded
from pipeline.lake.tables import BY_NAME
from pipeline.measure.records import Records, merged, tallied
from tests.fixtures.billing import Desk

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROWS = pa.table(
    {
        "text": pa.array(["b", None, "a", "b"]).dictionary_encode(),
        "number": pa.array([7, -2, None, 7], pa.int32()),
        "flag": [None, True, False, None],
        "money": pa.array(
            [Decimal("-1.5"), None, Decimal("9999999999.5"), Decimal(2)], pa.decimal128(20, 10)
        ),
        "seconds": pa.array([Decimal("1.001"), None, Decimal(0), Decimal(-2)], pa.decimal128(18, 3)),
        "at": pa.array([NOON, None, NOON, NOON], pa.timestamp("ms", "UTC")),
    }
)


def test_a_part_of_a_table_is_read_from_its_own_place() -> None:
    part = Records(ROWS.slice(1, 3))
    keys = part.keys("text", "number", "flag")
    milliseconds = int(NOON.timestamp() * 1000)

    assert {name: key.decoded(key.codes).to_pylist() for name, key in keys.items()} == {
        "text": [None, "a", "b"],
        "number": [-2, None, 7],
        "flag": [1, 0, None],
    }
    assert [part.whole(name).tolist() for name in ("number", "seconds", "at")] == [
        [-2, 0, 7],
        [0, 0, -2000],
        [0, milliseconds, milliseconds],
    ]


def test_groups_have_exact_sums_and_the_order_of_their_values_nulls_last() -> None:
    found = Records(ROWS)
    rows = tallied(found.keys("text"), {"money": found.amounts("money")}, "rows", found.keys("number"))
    both = merged([rows, rows], ["text"], ["number"])

    assert [tuple(row.values()) for row in both.to_pylist()] == [
        ("a", None, Decimal("19999999999.0000000000"), 2),
        ("b", 7, Decimal("1.0000000000"), 4),
        (None, -2, None, 2),
    ]


def test_a_column_that_an_older_file_lacks_is_null(tmp_path: Path) -> None:
    spec = BY_NAME["land/calls"]
    pq.write_table(pa.table({"partner_sid": ["acme", "acme"]}), tmp_path / "old.parquet")
    [piece] = coded(tmp_path / "old.parquet", spec, ["partner_sid", "stir_attest", "sipcause", "date_talk"])
    found = Records(piece)
    rows = tallied(found.keys("partner_sid", "stir_attest", "sipcause"), {}, "rows")

    assert rows.to_pylist() == [{"partner_sid": "acme", "stir_attest": None, "sipcause": None, "rows": 2}]
    assert found.whole("date_talk").tolist() == [0, 0]


def test_what_began_after_midnight_is_left_unread(tmp_path: Path) -> None:
    desk = Desk(tmp_path).call("a", stop=NOON, date_start=NOON).commit()
    [file] = desk.lake.files("land/calls")

    assert [len(p) for p in desk.lake.coded(file, ["date_start"], begun_before=NOON)] == []
    assert [len(p) for p in desk.lake.coded(file, ["date_start"])] == [1]

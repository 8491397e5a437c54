"""Call detail: the rows behind the lines, at the revision that was claimed, safe to open in a spreadsheet."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.domain.masking import OFF
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger
from pipeline.render.detail import Detail, reading
from tests.fixtures.hostile import FORMULAS
from tests.fixtures.invoices import NOW, add_invoice, add_records

ALIEN = {"=", "+", "-", "@", "\t", "\r"}


def write(lake: Lake, service: str = "call", sid: str = "inv-1", mask: str = OFF) -> list[dict[str, str]]:
    path, _ = write_both(lake, service, sid, mask)
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_both(lake: Lake, service: str = "call", sid: str = "inv-1", mask: str = OFF) -> tuple[Path, Path]:
    paths = lake.home / "detail.csv", lake.home / "detail.parquet"
    with reading(lake, [sid], mask) as reader:
        reader.write(*paths, sid, service, "America/Chicago", "USD")
    return paths


def test_csv_adds_up_to_what_was_claimed(lake: Lake) -> None:
    add_invoice(lake, calls=7, messages=4)
    calls, messages = write(lake), write(lake, "message")
    assert sum(Decimal(row["amount"]) for row in calls) == Decimal("0.0123456789") * 7
    assert sum(Decimal(row["amount"]) for row in messages) == Decimal("0.006") * 4


def test_csv_row_says_when_whence_where_and_how_much(lake: Lake) -> None:
    add_invoice(lake, calls=1, messages=0)
    assert write(lake) == [
        {
            "line": "1",
            "started": "2026-03-02 09:00:00",
            "started_utc": "2026-03-02T15:00:00.000Z",
            "direction": "outbound",
            "from": "+15125550100",
            "to": "+4930901820",
            "billed_seconds": "60",
            "amount": "0.0123456789",
            "currency": "USD",
            "record": "inv-1-call-00000",
            "revision": "1",
        }
    ]


@pytest.mark.parametrize(
    ("mask", "numbers"),
    [("hide_last4", ("+1512555xxxx", "+493090xxxx")), ("keep_last4", ("+xxxxxxx0100", "+xxxxxx1820"))],
)
def test_numbers_are_masked_on_the_page_and_in_the_file(
    lake: Lake, mask: str, numbers: tuple[str, str]
) -> None:
    add_invoice(lake, calls=1, messages=1)
    with reading(lake, ["inv-1"], mask) as reader:
        page = [reader.first("inv-1", service, 5).rows[0] for service in ("call", "message")]
    assert [(row.number_src, row.number_dst) for row in page] == [numbers] * 2
    for service in ("call", "message"):
        text, typed = write_both(lake, service, mask=mask)
        # In CSV a masked number that began with a plus would begin a formula.
        assert pairs(list(csv.DictReader(text.read_text().splitlines()))) == [
            tuple(n.removeprefix("+") for n in numbers)
        ]
        assert pairs(pq.read_table(typed).to_pylist()) == [numbers]


def pairs(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(row["from"], row["to"]) for row in rows]


READ = {
    "15125550100": "+15125550100",
    "+15125550100": "+15125550100",
    "0044 20 7946 0958": "+442079460958",
    "+1 (415) 555-0100": "+14155550100",
    "72345": "72345",
    "anonymous": "anonymous",
    "sip:15125550100@host": "sip:15125550100@host",
    "1-800-FLOWERS": "1-800-FLOWERS",
}


def test_number_has_one_form_whatever_the_record_has(lake: Lake) -> None:
    sids = [f"inv-{n}" for n in range(len(READ))]
    for sid, recorded in zip(sids, READ, strict=True):
        commit(lake, add_records(lake, sid, 1, 1, number_src=recorded, number_dst=recorded))
    for service in ("call", "message"):
        with reading(lake, sids) as reader:
            page = [reader.first(sid, service, 5).rows[0] for sid in sids]
        assert [(row.number_src, row.number_dst) for row in page] == [(n, n) for n in READ.values()]
    assert pairs(write(lake, sid=sids[0])) == [("+15125550100", "+15125550100")]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(lake: Lake, text: str) -> None:
    commit(
        lake, add_records(lake, "inv-1", 1, 1, number_src=text, number_dst=text, direction=text, source=text)
    )
    rows = write(lake) + write(lake, "message") + write(lake, mask="keep_last4")
    cells = [cell for row in rows for cell in row.values()]
    assert cells
    assert [c for c in cells if c[:1] in ALIEN and not c.lstrip("+-").replace(".", "").isdigit()] == []


def test_first_rows_are_the_earliest_and_all_are_counted(lake: Lake) -> None:
    add_invoice(lake, calls=12, messages=0)
    with reading(lake, ["inv-1"]) as reader:
        shown = reader.first("inv-1", "call", 5)
        none = reader.first("inv-1", "message", 5)
    assert (shown.total, [row.dr_sid[-1] for row in shown.rows]) == (12, ["0", "1", "2", "3", "4"])
    assert none == Detail()


def test_each_invoice_gets_its_own_rows(lake: Lake) -> None:
    add_invoice(lake, "inv-1", calls=2, messages=0)
    add_invoice(lake, "inv-2", "HCS-2026-000002", calls=3, messages=0)
    with reading(lake, ["inv-1", "inv-2"]) as reader:
        assert [reader.first(sid, "call", 9).total for sid in ("inv-1", "inv-2")] == [2, 3]


def test_record_is_shown_as_it_was_claimed_after_it_has_changed(lake: Lake) -> None:
    add_invoice(lake, calls=1, messages=0)
    old = lake.scan("land/calls").collect()
    there = old["number_dst"].replace("+4930901820", "+442079460000")
    newer = old.with_columns(number_dst=there, revision=old["revision"] + 1)
    superseded = old.with_columns(superseded_at=old["landed_at"])
    staged = [
        lake.stage("land/calls", "date=2026-03-02", newer),
        lake.stage("land/calls_versions", "date=2026-03-02", superseded),
    ]
    commit(lake, staged)
    assert [row["to"] for row in write(lake)] == ["+4930901820"]


def test_record_that_is_no_longer_kept_leaves_its_amount(lake: Lake) -> None:
    add_invoice(lake, calls=1, messages=0)
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [], at=NOW, stage="land", remove=[("land/calls", "date=2026-03-02")])
    assert [(row["to"], row["amount"]) for row in write(lake)] == [("", "0.0123456789")]


def commit(lake: Lake, staged: list) -> None:
    with lake.ledger.transaction() as tx:
        lake.commit(tx, staged, at=NOW, stage="land")


def test_empty_lake_has_no_detail(tmp_path: Path) -> None:
    lake = Lake(tmp_path, Ledger.open(f"sqlite:///{tmp_path / 'l.db'}"))
    with reading(lake, []) as reader:
        assert reader.first("inv-1", "call", 5) == Detail()


def test_parquet_holds_the_same_records_typed(lake: Lake) -> None:
    add_invoice(lake, calls=7, messages=4)
    for service, usage in (("call", "billed_seconds"), ("message", "billed_units")):
        text, (_, path) = write(lake, service), write_both(lake, service)
        typed = pq.read_table(path).to_pylist()
        assert [list(row) for row in typed] == [list(row) for row in text]
        assert [(f"{r['amount']:f}", r["record"], str(r["revision"])) for r in typed] == [
            (r["amount"], r["record"], r["revision"]) for r in text
        ]
        assert [r[usage] for r in typed] == [Decimal(r[usage]) for r in text]


def test_parquet_keeps_both_clocks(lake: Lake) -> None:
    add_invoice(lake, calls=1, messages=0)
    _, path = write_both(lake)
    (row,) = pq.read_table(path).to_pylist()
    assert row["started"] == datetime(2026, 3, 2, 9)  # noqa: DTZ001  a clock on the wall
    assert row["started_utc"] == datetime(2026, 3, 2, 15, tzinfo=UTC)

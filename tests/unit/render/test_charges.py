"""The file of what stands behind the lines without calls or messages."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from pipeline.domain.masking import HIDE_LAST4
from pipeline.domain.period import Period
from pipeline.invoice.due import Account, Due
from pipeline.invoice.parts import Part, stage_parts
from pipeline.lake.lake import Lake
from pipeline.render.charges import charges_csv, read_parts
from tests.fixtures.billing import ACME, HOUSE
from tests.fixtures.invoices import NOW, make_lake

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
MARCHES = (FIRST.isoformat(), LAST.isoformat())


def part(kind: str, key: str, what: str, amount: str, **more: object) -> Part:
    return Part(kind, key, what, Decimal(amount), MARCH, FIRST, LAST, **more)  # type: ignore[arg-type]


def lake_with(folder: Path, *parts: tuple[int, Part]) -> Lake:
    lake = make_lake(folder)
    staged = stage_parts(lake, Due(Account(ACME, HOUSE, "root"), MARCH, MARCH.start, "inv-1"), parts)
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="invoice")
    return lake


def test_each_part_is_a_row_that_no_spreadsheet_runs(tmp_path: Path) -> None:
    lake = lake_with(
        tmp_path,
        (2, part("number", "did-1", "12125550100", "0.4064516129", price=Decimal("0.6"), days=21, of_days=31)),
        (3, part("recurring", "seat", "=Seat()", "30", quantity=Decimal(3), price=Decimal(10), days=31, of_days=31)),
        (4, part("discount", "loyal", "Loyalty", "-1.25", of_line_no=1)),
        (0, part("committed", "least", "Least", "100")),
    )  # fmt: skip
    content = charges_csv(read_parts(lake, ["inv-1"])["inv-1"], "USD").decode()
    assert list(csv.reader(io.StringIO(content))) == [
        [
            *"line kind what first_day last_day quantity price days of_days of_line amount currency key".split()
        ],
        [
            "2",
            "number",
            "+12125550100",
            *MARCHES,
            *("1", "0.6", "21", "31"),
            "",
            "0.4064516129",
            "USD",
            "did-1",
        ],
        [
            "3",
            "recurring",
            "'=Seat()",
            *MARCHES,
            *("3", "10", "31", "31"),
            "",
            "30.0000000000",
            "USD",
            "seat",
        ],
        ["4", "discount", "Loyalty", *MARCHES, *("1", "", "", ""), "1", "-1.2500000000", "USD", "loyal"],
    ]


def test_numbers_are_masked_where_the_home_says_so(tmp_path: Path) -> None:
    lake = lake_with(tmp_path, (1, part("number", "did-1", "12125550100", "0.6")))
    assert b"1212555xxxx" in charges_csv(read_parts(lake, ["inv-1"])["inv-1"], "USD", HIDE_LAST4)


def test_an_invoice_of_calls_alone_has_no_such_file(tmp_path: Path) -> None:
    assert read_parts(make_lake(tmp_path), ["inv-1"]) == {}

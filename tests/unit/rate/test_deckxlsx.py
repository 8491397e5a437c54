"""A workbook's cells are read as they are shown, and what a spreadsheet has lost is refused by line."""

import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest

from pipeline.errors import DeckError
from pipeline.lake.workbook import workbook
from pipeline.rate.deck.file import DeckOptions, read_whole
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.xlsx import xlsx_sheets
from tests.unit.rate.workbooks import (
    DATE,
    LINKS,
    OWN_DATE,
    PADDED,
    WHOLE,
    WORKBOOK,
    book,
    number,
    row,
    shared,
    sheet,
    text,
)

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def cells(*row_cells: str, **more) -> list[str]:
    problems = Problems()
    sheets = xlsx_sheets(book(row(*row_cells), **more), "", problems)
    assert problems.found == []
    return sheets["Rates"][0][1]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (number("44"), "44"),
        (number("2.8499999999999998E-2"), "0.0285"),
        (number("1E-5"), "0.00001"),
        (number("0.30000000000000004"), "0.3"),
        (number("44.5"), "44.5"),
        (number("1E+999999999"), "1E+999999999"),
        (number("INF", DATE), "INF"),
        (number("113456789012"), "1.13E+11"),
        (number("113456789012", WHOLE), "113456789012"),
        (number("1.13E+22", WHOLE), "1.13E+22"),
        (number("44", PADDED), "0044"),
        (number("46082", DATE), "2026-03-01"),
        (number("46082.5", OWN_DATE), "2026-03-01T12:00:00.000"),
        ('<c t="str"><f>A1&amp;""</f><v>44</v></c>', "44"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        (text("=1+1"), "=1+1"),
        ('<c t="inlineStr"><is><r><t>4</t></r><r><t>4</t></r></is></c>', "44"),
    ],
)
def test_a_cell_is_what_it_shows(cell, shown):
    assert cells(cell) == [shown]


def test_texts_that_cells_share():
    strings = "<si><t>44</t></si><si><r><t>Ger</t></r><r><t>many</t></r><rPh><t>x</t></rPh></si>"

    assert cells(shared(1), shared(0), strings=strings) == ["Germany", "44"]


def test_cells_that_are_not_there_are_empty():
    problems = Problems()
    rows = (
        row('<c r="C1"><v>1</v></c>', at=1),
        row('<c r="A9"><v>2</v></c>', '<c r="XFD9"><v>3</v></c>', at=9),
    )

    assert xlsx_sheets(book(*rows), "", problems) == {"Rates": [(1, ["", "", "1"]), (9, ["2", "", ""])]}


def deck(tmp_path, data: bytes, **layout):
    path = tmp_path / "deck.xlsx"
    path.write_bytes(data)
    return read_whole(path, DeckOptions("retail", SINCE, layout=Layout(**layout)))


HEADER = row(text("Code"), text("Destination"), text("Rate"))


def test_a_deck_in_a_workbook(tmp_path):
    read = deck(
        tmp_path,
        book(row(text("ACME")), HEADER, row(number("44"), text("UK"), number("2.8499999999999998E-2"))),
    )

    assert [(r.prefix, r.price) for r in read.plan.rates] == [("44", Decimal("0.0285"))]
    assert read.lines == (3,)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (number("113456789012"), "line 2: Code '1.13E+11' was rewritten by a spreadsheet"),
        (number("44.5"), "line 2: Code '44.5' was turned into a number by a spreadsheet"),
        (text("1.13E+11"), "line 2: Code '1.13E+11' was rewritten by a spreadsheet"),
    ],
)
def test_a_prefix_that_a_spreadsheet_has_spoilt_is_refused_by_line(tmp_path, cell, problem):
    with pytest.raises(DeckError) as refused:
        deck(tmp_path, book(HEADER, row(cell, text("x"), number("0.1"))))

    assert refused.value.problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            book(HEADER, head='<!DOCTYPE x [<!ENTITY a "b">]>'),
            "the workbook holds a document type definition",
        ),
        (book("<row><c></row>"), "this is no XLSX workbook that can be read"),
        (
            book(HEADER, parts={"xl/_rels/workbook.xml.rels": "<Relationships/>"}),
            "this is no XLSX workbook that can",
        ),
        (book(row(shared(7))), "this is no XLSX workbook that can be read"),
    ],
    ids=["a doctype", "no XML", "no link to the sheet", "a text that is not there"],
)
def test_workbooks_that_are_none(tmp_path, data, problem):
    with pytest.raises(DeckError) as refused:
        deck(tmp_path, data)

    assert refused.value.problems[0].startswith(problem)


SECOND = {
    "xl/workbook.xml": WORKBOOK.replace("</sheets>", '<sheet name="More" sheetId="3" r:id="c"/></sheets>'),
    "xl/_rels/workbook.xml.rels": LINKS.replace(
        "/>", '/><Relationship Id="c" Target="worksheets/three.xml"/>', 1
    ),
}


def test_the_sheet_with_the_rates_is_found_behind_a_cover(tmp_path):
    cover = sheet(row(text("Dear customer,")))
    data = book(
        HEADER,
        row(number("44"), text("UK"), number("0.1")),
        parts=SECOND | {"xl/worksheets/three.xml": cover},
    )

    assert [r.prefix for r in deck(tmp_path, data).plan.rates] == ["44"]


def test_of_two_sheets_with_rates_a_person_names_one(tmp_path):
    rows = (HEADER, row(number("44"), text("UK"), number("0.1")))
    data = book(*rows, parts=SECOND | {"xl/worksheets/three.xml": sheet(*rows)})

    with pytest.raises(
        DeckError, match="there are rates on the sheets 'Rates', 'More': import them one by one"
    ):
        deck(tmp_path, data)
    assert len(deck(tmp_path, data, sheet="More").plan.rates) == 1


def test_a_sheet_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(DeckError, match=r"no sheet 'March'; its sheets are 'Notes', 'Rates'"):
        deck(tmp_path, book(HEADER), sheet="March")


def test_another_zip_file_says_so(tmp_path):
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("deck.csv", "prefix,price\n")

    with pytest.raises(DeckError, match="a zip file, not an XLSX workbook"):
        deck(tmp_path, out.getvalue())


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.rate.deck.xlsx.LARGEST", 100_000)

    with pytest.raises(DeckError, match="unpacks to more than"):
        deck(tmp_path, book(HEADER, " " * 200_000))


def test_what_is_written_is_read_back_and_never_a_formula():
    rows = [
        ("0044", "=1+1", Decimal("0.0285")),
        (None, "<&>\x00", Decimal("1234.123456789012")),
        ("-1", "@x", None),
    ]
    data = workbook(("prefix", "name", "price"), rows, sheet="Rates")
    lines = [found for _, found in xlsx_sheets(data, "", Problems())["Rates"]]

    assert lines[1:] == [["0044", "=1+1", "0.0285"], ["", "<&>", "1234.123456789012"], ["-1", "@x", ""]]
    assert b"<f>" not in zipfile.ZipFile(BytesIO(data)).read("xl/worksheets/sheet1.xml")

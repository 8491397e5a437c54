"""Writes an XLSX workbook with one sheet: the counterpart of ``xlsx``.

Texts are text cells, whatever they begin with, so nothing in a name can become a formula; numbers that a spreadsheet
holds exactly are numbers, so that a customer can sort by price. The same rows give the same bytes.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

_EXACT = 15
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Rates" sheetId="1" r:id="rId1"/></sheets></workbook>',
    # Style 0 is general, 1 text, 2 a bold heading.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    '<left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/>'
    '<xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def workbook(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[str]) -> bytes:
    """A workbook of text; ``numbers`` names the columns whose cells are numbers where that loses nothing."""
    counted = [name in set(numbers) for name in columns]
    sheet = io.StringIO()
    sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">')
    sheet.write(
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    )
    sheet.write(f'<cols><col min="1" max="{len(columns)}" width="16" customWidth="1"/></cols><sheetData>')
    sheet.write(f"<row>{''.join(_text(name, 2) for name in columns)}</row>")
    for row in rows:
        sheet.write("<row>")
        sheet.writelines(_cell(text, number) for text, number in zip(row, counted, strict=True))
        sheet.write("</row>")
    sheet.write("</sheetData></worksheet>")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in _PARTS.items():
            book.writestr(_entry(name), _HEAD + content)
        book.writestr(_entry("xl/worksheets/sheet1.xml"), sheet.getvalue())
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without the time of day."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _cell(text: str, number: bool) -> str:
    if not text:
        return '<c s="1"/>'
    exact = number and _NUMBER.match(text) and len(text.replace(".", "").lstrip("0")) <= _EXACT
    return f"<c><v>{text}</v></c>" if exact else _text(text, 1)


def _text(text: str, style: int) -> str:
    clean = escape(_NOT_XML.sub("", text))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{clean}</t></is></c>'

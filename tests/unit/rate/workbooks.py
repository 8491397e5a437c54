"""Small workbooks as spreadsheets write them, cell by cell."""

import io
import zipfile
from collections.abc import Mapping

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="0000"/>'
    '<numFmt numFmtId="165" formatCode="dd\\.mm\\.yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="49"/><xf numFmtId="1"/><xf numFmtId="164"/><xf numFmtId="165"/>'
    '<xf numFmtId="14"/></cellXfs></styleSheet>'
)
GENERAL, TEXT, WHOLE, PADDED, OWN_DATE, DATE = range(6)


WORKBOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets><sheet name="Notes" sheetId="1" state="hidden" r:id="a"/>'
    '<sheet name="Rates" sheetId="2" r:id="b"/></sheets></workbook>'
)
LINKS = '<Relationships><Relationship Id="b" Target="worksheets/two.xml"/></Relationships>'


def number(value: str, style: int = GENERAL) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def shared(index: int) -> str:
    return f'<c t="s"><v>{index}</v></c>'


def row(*cells: str, at: int | None = None) -> str:
    place = f' r="{at}"' if at else ""
    return f"<row{place}>{''.join(cells)}</row>"


def sheet(*rows: str, head: str = "") -> str:
    return f'{head}<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def book(*rows: str, strings: str = "", parts: Mapping[str, str] | None = None, head: str = "") -> bytes:
    content = {
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": LINKS,
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/worksheets/two.xml": sheet(*rows, head=head),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in (content | dict(parts or {})).items():
            made.writestr(name, body)
    return out.getvalue()

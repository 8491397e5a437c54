"""Files that the provider serves: rate plans as CSV, invoices as HTML and PDF."""

import csv
from collections.abc import Iterable, Sequence
from html import escape
from io import StringIO


def csv_text(rows: Iterable[dict], columns: Sequence[str]) -> str:
    """Rows as CSV with a header; null is an empty field."""
    out = StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def invoice_html(invoice: dict) -> str:
    """A plain invoice page."""
    lines = "".join(
        f"<tr><td>{escape(item['type'])}</td><td>{item['usage']}</td><td>{escape(item['amount'])}</td></tr>"
        for item in invoice["invoice_items"]
    )
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><title>Invoice {escape(invoice['display_id'])}"
        f"</title></head><body><h1>Invoice {escape(invoice['display_id'])}</h1><table>{lines}</table>"
        f"<p>Total {escape(invoice['amount'])}, tax {escape(invoice['amount_tax'])} USD</p></body></html>"
    )


def invoice_pdf(invoice: dict) -> bytes:
    """A one-page PDF, written by hand: enough for a client that stores it and a reader that opens it."""
    text = f"Invoice {invoice['display_id']}  total {invoice['amount']} USD"
    stream = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        size, table, size, len(out),
    )  # fmt: skip

"""One invoice's page and the files beside it: e-mail text, e-invoice, charges and call detail.

The page of an issued invoice is the one that the ledger has the hash of, or none is written; so is its call detail,
but for Parquet, whose bytes are its library's. Call detail may be long: it is written by a thread beside this one,
and whoever needs the files waits for it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import RenderError
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger
from pipeline.render.charges import charges_csv
from pipeline.render.detail import DetailReader
from pipeline.render.document import Document, corrected_sid, load_lines, make_document
from pipeline.render.electronic import electronic
from pipeline.render.html import render_html, render_mail
from pipeline.render.pdf import Attached
from pipeline.render.shelf import (
    CALLS,
    CALLS_PARQUET,
    CHARGES,
    EMAIL,
    HTML,
    MESSAGES,
    MESSAGES_PARQUET,
    PDF,
    Kept,
    Manifest,
    Shelf,
)
from pipeline.render.xmp import FACTURX

# The smaller form first, so that it is the one that goes into the PDF where only one fits.
_DETAIL_FILES = (CHARGES, CALLS_PARQUET, MESSAGES_PARQUET, CALLS, MESSAGES)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Making:
    """What all pages are made with: logos lie in ``logos``, the home's own templates in ``templates``."""

    ledger: Ledger
    logos: Path
    templates: Path | None
    detail_rows: int
    mask: str


@dataclass(frozen=True, slots=True)
class Task:
    """An invoice whose documents are missing. ``only_pdf``: the page stands and nothing else is wanting."""

    row: Row
    shelf: Shelf
    inputs: str
    before: Manifest | None
    only_pdf: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the files beside it. ``detail`` waits for those that are being written."""

    html: str
    files: Mapping[str, Kept]
    no_einvoice: str = ""
    detail: Callable[[], Mapping[str, Kept]] = dict

    def all_files(self) -> dict[str, Kept]:
        return {**self.files, **self.detail()}


def standing(task: Task) -> Page:
    """The page as it stands, and the files that stand beside it."""
    assert task.before is not None
    page, before = task.shelf.read(HTML) or b"", task.before
    files = {name: kept for name, kept in before.files.items() if name != PDF}
    return Page(page.decode(), files, before.no_einvoice)


def write_page(
    making: Making,
    task: Task,
    reader: DetailReader,
    parts: pl.DataFrame | None,
    beside: Executor,
) -> Page:
    """The page and its small files, written; its detail is being written by a thread ``beside`` this one."""
    sid = task.row["invoice_sid"]
    items, taxes = load_lines(making.ledger, sid)
    calls = reader.first(sid, "call", making.detail_rows)
    messages = reader.first(sid, "message", making.detail_rows)
    original = corrected_sid(task.row)
    corrected = load_lines(making.ledger, original)[1] if original else ()
    document = make_document(task.row, items, taxes, calls, messages, making.logos, corrected)
    html = render_html(document, making.templates)
    mail = render_mail(document, making.templates)
    sha = sha256(html.encode())
    if task.row["document_hash"] not in (None, sha):
        msg = (
            f"the page of {document.number} was lost and does not come out as it was issued: since then tollbook's own "
            "templates have changed with a release, or your template, logo, mask_invoices or detail_rows, or its "
            f"records. Restore {task.shelf.folder} from a backup; what you have changed you may undo instead."
        )
        raise RenderError(msg)
    files: dict[str, Kept] = {}
    if parts is not None:
        files[CHARGES] = task.shelf.keep(CHARGES, charges_csv(parts, document.currency, making.mask))
    einvoice = electronic(document, making.templates)
    files |= {name: task.shelf.keep(name, content) for name, content in einvoice.files.items()}
    files[HTML] = task.shelf.keep(HTML, html.encode())
    files[EMAIL] = task.shelf.keep(EMAIL, mail.to_json().encode())
    if not document.draft:
        _bind(making.ledger, sid, sha)
    detail = beside.submit(_write_detail, task, document, reader)
    return Page(html, files, einvoice.reason, detail.result)


def _write_detail(task: Task, document: Document, reader: DetailReader) -> dict[str, Kept]:
    files: dict[str, Kept] = {}
    for csv, parquet, service, detail in (
        (CALLS, CALLS_PARQUET, "call", document.calls),
        (MESSAGES, MESSAGES_PARQUET, "message", document.messages),
    ):
        if not detail.total:
            continue
        paths = task.shelf.temporary(csv), task.shelf.temporary(parquet)
        sizes = reader.write(*paths, document.invoice_sid, service, document.zone, document.currency)
        kept = Kept(*sizes[0])
        issued = task.before.files.get(csv) if task.before and not task.before.draft else None
        if issued not in (None, kept):
            msg = f"{csv} was lost and does not come out as it was issued. Restore it from a backup."
            raise RenderError(msg)
        files[csv] = task.shelf.put(paths[0], csv, kept)
        files[parquet] = task.shelf.put(paths[1], parquet, Kept(*sizes[1]))
    return files


def _bind(ledger: Ledger, invoice_sid: str, digest: str) -> None:
    """Records the hash of an issued page, once."""
    table = schema.invoices
    unset = table.c.document_hash.is_(None)
    with ledger.transaction() as tx:
        tx.execute(
            table.update().where(table.c.invoice_sid == invoice_sid, unset).values(document_hash=digest)
        )


def attached(task: Task, page: Page, room: int) -> Iterator[Attached]:
    """What goes into the PDF, by name: the e-invoice, and the detail for which there is room."""
    files, found = page.all_files(), []
    if FACTURX in files:
        found.append(
            Attached(task.shelf.folder / FACTURX, "Alternative", "The invoice for programs, EN 16931")
        )
    for name in _DETAIL_FILES:
        if name in files and files[name].bytes <= room:
            room -= files[name].bytes
            found.append(Attached(task.shelf.folder / name, "Supplement", "Every record of the invoice"))
    yield from sorted(found, key=lambda file: file.name)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

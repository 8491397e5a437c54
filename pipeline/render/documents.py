"""Makes the documents that are missing: page, PDF, e-invoice, call detail and e-mail text of every invoice.

A draft's documents follow the draft and say DRAFT on every page. Issuing makes them once more, and the SHA-256 of
that HTML goes into the ledger: from then on the page never changes. A file that got lost is made again and must come
out the same; one that is there and differs is reported and left alone. Only Parquet may differ, for its bytes are its
library's. The e-invoice lies in the PDF, and call detail too as far as it is small. With nothing to do, nothing is
loaded. What is read of invoices is read in batches, so that any number of them takes the same memory.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.domain.masking import OFF
from pipeline.errors import RenderError
from pipeline.lake.batches import batches
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger
from pipeline.render import pdf as pdfs
from pipeline.render.charges import charges_csv, read_parts
from pipeline.render.detail import DetailReader, reading
from pipeline.render.document import Document, corrected_sid, load_lines, load_rows, load_sids, make_document
from pipeline.render.electronic import electronic
from pipeline.render.html import render_html, render_mail, templates_fingerprint
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

DETAIL_ROWS = 1_000
ATTACHED_BYTES = 2_000_000
# The smaller form first, so that it is the one that goes into the PDF where only one fits.
_DETAIL_FILES = (CHARGES, CALLS_PARQUET, MESSAGES_PARQUET, CALLS, MESSAGES)
# What is read together: so many records, of which the smallest invoice counts for 2,500.
_BATCH_RECORDS, _LEAST_RECORDS = 500_000, 2_500
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RenderReport:
    """What was made. ``problems`` name each document that could not be, and why."""

    invoices: int = 0
    drafts: int = 0
    pdfs: int = 0
    unchanged: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """What one call shares."""

    lake: Lake
    ledger: Ledger
    now: datetime
    logos: Path
    templates: Path | None
    pdf: bool
    detail_rows: int
    attached_bytes: int
    mask: str
    progress: Callable[[str], None]
    problems: list[str] = field(default_factory=list)
    issued: int = 0
    drafts: int = 0
    pdfs: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """An invoice whose documents are missing. ``only_pdf``: the page stands and nothing else is wanting."""

    row: Row
    shelf: Shelf
    inputs: str
    before: Manifest | None
    only_pdf: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    """A page and the files beside it."""

    html: str
    files: dict[str, Kept]
    no_einvoice: str = ""


def render_invoices(
    lake: Lake,
    ledger: Ledger,
    *,
    now: datetime,
    masters: Path | None = None,
    templates: Path | None = None,
    pdf: bool = True,
    detail_rows: int = DETAIL_ROWS,
    attached_bytes: int = ATTACHED_BYTES,
    mask: str = OFF,
    progress: Callable[[str], None] | None = None,
) -> RenderReport:
    """Renders every invoice whose documents are missing or, for drafts, out of date.

    ``masters`` is the folder that logos lie in (the home's by default), ``templates`` one with templates that stand
    in for the shipped ones. At most ``detail_rows`` calls and as many messages are shown on the page, their numbers
    as ``mask`` says; the files with all of them are inside the PDF up to ``attached_bytes``.
    """
    logos = lake.home / "masters" if masters is None else masters
    told = progress or (lambda _text: None)
    run = _Run(lake, ledger, now, logos, templates, pdf, detail_rows, attached_bytes, mask, told)
    every = load_sids(ledger)
    wanted = _wanted(run, every)
    if wanted and pdf and not _can_make_pdfs(run):
        wanted = _wanted(run, every)
    _render(run, wanted)
    unchanged = len(every) - len(wanted)
    return RenderReport(run.issued, run.drafts, run.pdfs, unchanged, tuple(run.problems))


def _can_make_pdfs(run: _Run) -> bool:
    """Whether PDFs can be made; where not, this run goes on without them and says so first of all."""
    try:
        pdfs.check()
    except RenderError as error:
        run.pdf = False
        run.problems[:] = [str(error)]
    return run.pdf


def _wanted(run: _Run, every: Sequence[str]) -> list[str]:
    """The invoices whose documents are missing."""
    return [task.row["invoice_sid"] for batch in _batches(run.lake, every) for task in _tasks(run, batch)]


def _tasks(run: _Run, invoice_sids: Sequence[str]) -> list[_Task]:
    rows = load_rows(run.ledger, invoice_sids)
    drafts = [sid for sid, row in rows.items() if not row["number"]]
    claims = {f.label: f.sha256 for f in run.lake.files("invoice/claims", drafts)} if drafts else {}
    base = templates_fingerprint(run.templates) if drafts else ""
    found = []
    for sid, row in rows.items():
        try:
            task = _task(run, row, "" if row["number"] else _inputs(run, row, claims.get(sid, ""), base))
        except RenderError as error:
            run.problems.append(str(error))
            continue
        if task is not None:
            found.append(task)
    return found


def _task(run: _Run, row: Row, inputs: str) -> _Task | None:
    shelf = Shelf.of(run.lake.home, row["invoice_sid"])
    before, draft = shelf.manifest(), not row["number"]
    page = shelf.read(HTML)
    if not draft and row["document_hash"] and page is not None and _sha256(page) != row["document_hash"]:
        msg = (
            f"{shelf.folder / HTML} is not the page that was issued as {row['number']} (its SHA-256 differs from the "
            "ledger's). Restore it from a backup, or remove it and run `tollbook render` to make it again."
        )
        raise RenderError(msg)
    if before is None or before.draft != draft or before.inputs != inputs:
        return _Task(row, shelf, inputs, before if before and before.draft == draft else None)
    if not draft and not row["document_hash"]:
        return _Task(row, shelf, inputs, None)
    lost = shelf.lacks(before) | ({HTML, EMAIL} - before.files.keys())
    no_pdf = run.pdf and PDF not in before.files
    if not lost and not no_pdf:
        return None
    if not run.pdf and lost == {PDF}:
        return None
    return _Task(row, shelf, inputs, before, only_pdf=lost <= {PDF})


def _render(run: _Run, wanted: Sequence[str]) -> None:
    """Makes page after page, and meanwhile the PDFs of those before."""
    pages = _pages(run, wanted)
    if not run.pdf:
        for task, page in pages:
            _finish(run, task, page, len(wanted))
        return
    waiting: dict[str, tuple[_Task, _Page]] = {}
    for job, made in pdfs.make_pdfs(_jobs(run, pages, waiting)):
        task, page = waiting.pop(job.key)
        if isinstance(made, RenderError):
            run.problems.append(f"{task.row['number'] or job.key}: {made}")
        else:
            page.files[PDF] = task.shelf.keep(PDF, made)
            run.pdfs += 1
        _finish(run, task, page, len(wanted))


def _pages(run: _Run, wanted: Sequence[str]) -> Iterator[tuple[_Task, _Page]]:
    """Each task with its page; what goes wrong is noted."""
    for batch in _batches(run.lake, wanted):
        tasks = _tasks(run, batch)
        whole = [task.row["invoice_sid"] for task in tasks if not task.only_pdf]
        parts = read_parts(run.lake, whole)
        with reading(run.lake, whole, run.mask) as reader:
            for task in tasks:
                sid = task.row["invoice_sid"]
                try:
                    page = (
                        _standing(task) if task.only_pdf else _write_page(run, task, reader, parts.get(sid))
                    )
                except RenderError as error:
                    run.problems.append(f"{task.row['number'] or sid}: {error}")
                else:
                    yield task, page


def _jobs(
    run: _Run, pages: Iterable[tuple[_Task, _Page]], waiting: dict[str, tuple[_Task, _Page]]
) -> Iterator[pdfs.Job]:
    for task, page in pages:
        row, sid = task.row, task.row["invoice_sid"]
        waiting[sid] = task, page
        yield pdfs.Job(
            key=sid,
            html=page.html,
            identifier=_sha256(page.html.encode())[:32],
            attached=_attached(task.shelf, page.files, run.attached_bytes),
            at=row["date_issued"] or row["date_created"],
        )


def _attached(shelf: Shelf, files: Mapping[str, Kept], room: int) -> tuple[pdfs.Attached, ...]:
    """What goes into the PDF, by name: the e-invoice, and the detail for which there is room."""
    found = []
    if FACTURX in files:
        found.append(
            pdfs.Attached(shelf.folder / FACTURX, "Alternative", "The invoice for programs, EN 16931")
        )
    for name in _DETAIL_FILES:
        if name in files and files[name].bytes <= room:
            room -= files[name].bytes
            found.append(pdfs.Attached(shelf.folder / name, "Supplement", "Every record of the invoice"))
    return tuple(sorted(found, key=lambda file: file.name))


def _standing(task: _Task) -> _Page:
    """The page as it stands, and the files that stand beside it."""
    assert task.before is not None
    page, before = task.shelf.read(HTML) or b"", task.before
    files = {name: kept for name, kept in before.files.items() if name != PDF}
    return _Page(page.decode(), files, before.no_einvoice)


def _write_page(run: _Run, task: _Task, reader: DetailReader, parts: pl.DataFrame | None) -> _Page:
    sid = task.row["invoice_sid"]
    items, taxes = load_lines(run.ledger, sid)
    calls = reader.first(sid, "call", run.detail_rows)
    messages = reader.first(sid, "message", run.detail_rows)
    original = corrected_sid(task.row)
    corrected = load_lines(run.ledger, original)[1] if original else ()
    document = make_document(task.row, items, taxes, calls, messages, run.logos, corrected)
    html = render_html(document, run.templates)
    mail = render_mail(document, run.templates)
    sha = _sha256(html.encode())
    if task.row["document_hash"] not in (None, sha):
        msg = (
            f"the page of {document.number} was lost and does not come out as it was issued (its template, logo, "
            "records, mask_invoices or detail_rows have changed since). Restore it from a backup, or undo that change."
        )
        raise RenderError(msg)
    files = _write_detail(task, document, reader)
    if parts is not None:
        files[CHARGES] = task.shelf.keep(CHARGES, charges_csv(parts, document.currency, run.mask))
    einvoice = electronic(document, run.templates)
    files |= {name: task.shelf.keep(name, content) for name, content in einvoice.files.items()}
    files[HTML] = task.shelf.keep(HTML, html.encode())
    files[EMAIL] = task.shelf.keep(EMAIL, mail.to_json().encode())
    if not document.draft:
        _bind(run.ledger, sid, sha)
    return _Page(html, files, einvoice.reason)


def _write_detail(task: _Task, document: Document, reader: DetailReader) -> dict[str, Kept]:
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


def _finish(run: _Run, task: _Task, page: _Page, of: int) -> None:
    draft = not task.row["number"]
    task.shelf.finish(Manifest(draft, task.inputs, run.now.isoformat(), page.files, page.no_einvoice))
    run.drafts += draft
    run.issued += not draft
    run.progress(f"rendered {run.issued + run.drafts} of {of} documents")


def _bind(ledger: Ledger, invoice_sid: str, sha256: str) -> None:
    """Records the hash of an issued page, once."""
    table = schema.invoices
    unset = table.c.document_hash.is_(None)
    with ledger.transaction() as tx:
        tx.execute(
            table.update().where(table.c.invoice_sid == invoice_sid, unset).values(document_hash=sha256)
        )


def _inputs(run: _Run, row: Row, claims: str, templates: str) -> str:
    """The fingerprint of what a draft's page is made from."""
    items, taxes = load_lines(run.ledger, row["invoice_sid"])
    settings = (run.detail_rows, run.attached_bytes, run.mask)
    return _sha256(repr((dict(row), items, taxes, claims, templates, settings)).encode())


def _batches(lake: Lake, invoice_sids: Sequence[str]) -> Iterator[list[str]]:
    """Invoices that are read together: few enough, with few enough records."""
    records = {file.label: file.rows for file in lake.files("invoice/claims", invoice_sids)}
    return batches(((sid, max(records.get(sid, 0), _LEAST_RECORDS)) for sid in invoice_sids), _BATCH_RECORDS)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

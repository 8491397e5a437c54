"""Makes the documents that are missing: page, PDF, e-invoice, call detail and e-mail text of every invoice.

A draft's documents follow the draft and say DRAFT on every page. Issuing makes them once more, and the SHA-256 of
that HTML goes into the ledger: from then on the page never changes. A file that got lost is made again and must come
out the same; one that is there and differs is reported and left alone. Only Parquet may differ, for its bytes are its
library's. The e-invoice lies in the PDF, and call detail too as far as it is small. With nothing to do, nothing is
loaded. Invoices are looked at once, in batches, so that any number of them takes the same memory. An invoice's detail
is written while its page is laid out, so that one of many calls takes no longer than one of few.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from pipeline.domain.masking import OFF
from pipeline.errors import RenderError
from pipeline.lake.batches import batches
from pipeline.lake.lake import DataFile, Lake
from pipeline.ledger.ledger import Ledger
from pipeline.render import pdf as pdfs
from pipeline.render.charges import read_parts
from pipeline.render.detail import reading
from pipeline.render.document import load_lines, load_rows, load_sids
from pipeline.render.html import templates_fingerprint
from pipeline.render.page import Making, Page, Row, Task, attached, sha256, standing, write_page
from pipeline.render.shelf import EMAIL, HTML, PDF, Manifest, Shelf

DETAIL_ROWS = 1_000
ATTACHED_BYTES = 2_000_000
# What is read together: so many records, of which the smallest invoice counts for 2,500.
_BATCH_RECORDS, _LEAST_RECORDS = 500_000, 2_500
# So few PDFs are made here, for processes of their own take a second to begin.
_FEW = 3


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
    making: Making
    now: datetime
    pdf: bool
    attached_bytes: int
    progress: Callable[[str], None]
    invoice_sids: Sequence[str]
    claims: Mapping[str, DataFile]
    problems: list[str] = field(default_factory=list)
    issued: int = 0
    drafts: int = 0
    pdfs: int = 0
    unchanged: int = 0


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
    every = load_sids(ledger)
    claims = {file.label: file for file in lake.files("invoice/claims", every)}
    making = Making(ledger, logos, templates, detail_rows, mask)
    run = _Run(lake, making, now, pdf, attached_bytes, told, every, claims)
    _render(run, _tasks(run))
    return RenderReport(run.issued, run.drafts, run.pdfs, run.unchanged, tuple(run.problems))


def _can_make_pdfs(run: _Run) -> bool:
    """Whether PDFs can be made; where not, this run goes on without them and says so first of all."""
    try:
        pdfs.check()
    except RenderError as error:
        run.pdf = False
        run.problems.insert(0, str(error))
    return run.pdf


def _tasks(run: _Run) -> Iterator[Task]:
    """The invoices whose documents are missing."""
    for rows in _rows(run):
        drafting = any(not row["number"] for row in rows.values())
        base = templates_fingerprint(run.making.templates) if drafting else ""
        for row in rows.values():
            try:
                inputs = "" if row["number"] else _inputs(run, row, base)
                task = _task(run, row, inputs)
                if task is not None and run.pdf and not _can_make_pdfs(run):
                    task = _task(run, row, inputs)
            except RenderError as error:
                run.problems.append(str(error))
                continue
            if task is None:
                run.unchanged += 1
            else:
                yield task


def _rows(run: _Run) -> Iterator[dict[str, Row]]:
    """The rows of all invoices, as many at a time as memory shall hold."""
    together = _BATCH_RECORDS // _LEAST_RECORDS
    for first in range(0, len(run.invoice_sids), together):
        yield load_rows(run.making.ledger, run.invoice_sids[first : first + together])


def _task(run: _Run, row: Row, inputs: str) -> Task | None:
    shelf = Shelf.of(run.lake.home, row["invoice_sid"])
    before, draft = shelf.manifest(), not row["number"]
    page = shelf.read(HTML)
    if not draft and row["document_hash"] and page is not None and sha256(page) != row["document_hash"]:
        msg = (
            f"{shelf.folder / HTML} is not the page that was issued as {row['number']} (its SHA-256 differs from the "
            "ledger's). Restore it from a backup, or remove it and run `tollbook render` to make it again."
        )
        raise RenderError(msg)
    if before is None or before.draft != draft or before.inputs != inputs:
        return Task(row, shelf, inputs, before if before and before.draft == draft else None)
    if not draft and not row["document_hash"]:
        return Task(row, shelf, inputs, None)
    lost = shelf.lacks(before) | ({HTML, EMAIL} - before.files.keys())
    no_pdf = run.pdf and PDF not in before.files
    if not lost and not no_pdf:
        return None
    if not run.pdf and lost == {PDF}:
        return None
    return Task(row, shelf, inputs, before, only_pdf=lost <= {PDF})


def _render(run: _Run, found: Iterator[Task]) -> None:
    """Makes page after page, and meanwhile the PDFs of those before."""
    first = list(islice(found, _FEW + 1))
    with ThreadPoolExecutor(1) as beside:
        pages = _pages(run, chain(first, found), beside)
        if not run.pdf:
            for task, page in pages:
                _finish(run, task, page)
            return
        waiting: dict[str, tuple[Task, Page]] = {}
        for job, made in pdfs.make_pdfs(_jobs(run, pages, waiting), here=len(first) <= _FEW):
            _finish(run, *waiting.pop(job.key), made)


def _pages(run: _Run, found: Iterable[Task], beside: Executor) -> Iterator[tuple[Task, Page]]:
    """Each task with its page; what goes wrong is noted. Before the next is asked for, its detail must be there."""
    for tasks in batches(((task, _records(run, task)) for task in found), _BATCH_RECORDS):
        whole = [task.row["invoice_sid"] for task in tasks if not task.only_pdf]
        parts = read_parts(run.lake, whole)
        with reading(run.lake, whole, run.making.mask) as reader:
            for task in tasks:
                own = parts.get(task.row["invoice_sid"])
                try:
                    page = (
                        standing(task) if task.only_pdf else write_page(run.making, task, reader, own, beside)
                    )
                except RenderError as error:
                    _note(run, task, error)
                else:
                    yield task, page


def _records(run: _Run, task: Task) -> int:
    """For how many records an invoice counts in a batch."""
    claims = run.claims.get(task.row["invoice_sid"])
    return max(claims.rows if claims else 0, _LEAST_RECORDS)


def _jobs(
    run: _Run, pages: Iterable[tuple[Task, Page]], waiting: dict[str, tuple[Task, Page]]
) -> Iterator[pdfs.Job]:
    for task, page in pages:
        row, sid = task.row, task.row["invoice_sid"]
        waiting[sid] = task, page
        yield pdfs.Job(
            key=sid,
            html=page.html,
            identifier=sha256(page.html.encode())[:32],
            attached=attached(task, page, run.attached_bytes),
            at=row["date_issued"] or row["date_created"],
        )


def _finish(run: _Run, task: Task, page: Page, pdf: bytes | RenderError | None = None) -> None:
    try:
        files = page.all_files()
    except RenderError as error:
        _note(run, task, error)
        return
    if isinstance(pdf, RenderError):
        _note(run, task, pdf)
    elif pdf is not None:
        files[PDF] = task.shelf.keep(PDF, pdf)
        run.pdfs += 1
    draft = not task.row["number"]
    task.shelf.finish(Manifest(draft, task.inputs, run.now.isoformat(), files, page.no_einvoice))
    run.drafts += draft
    run.issued += not draft
    ready = run.issued + run.drafts + run.unchanged
    run.progress(f"documents of {ready:,} of {len(run.invoice_sids):,} invoices")


def _note(run: _Run, task: Task, error: RenderError) -> None:
    run.problems.append(f"{task.row['number'] or task.row['invoice_sid']}: {error}")


def _inputs(run: _Run, row: Row, templates: str) -> str:
    """The fingerprint of what a draft's page is made from."""
    items, taxes = load_lines(run.making.ledger, row["invoice_sid"])
    claims = run.claims.get(row["invoice_sid"])
    settings = (run.making.detail_rows, run.attached_bytes, run.making.mask)
    made_from = (dict(row), items, taxes, claims.sha256 if claims else "", templates, settings)
    return sha256(repr(made_from).encode())

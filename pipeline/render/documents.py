"""Makes the documents that are missing: page, PDF, call detail and e-mail text of every invoice.

A draft's documents follow the draft and say DRAFT on every page. Issuing makes them once more, and the SHA-256 of
that HTML goes into the ledger: from then on the page never changes. A file that got lost is made again and must come
out the same; one that is there and differs is reported and left alone. With nothing to do, nothing is loaded.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.domain.masking import OFF
from pipeline.errors import RenderError
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger
from pipeline.render import pdf as pdfs
from pipeline.render.detail import DetailReader, reading
from pipeline.render.document import Document, load_lines, load_rows, make_document
from pipeline.render.html import render_html, render_mail
from pipeline.render.shelf import CALLS, EMAIL, HTML, MESSAGES, PDF, Kept, Manifest, Shelf
from pipeline.shipped import shipped

DETAIL_ROWS = 50
_BATCH = 200
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


def render_invoices(
    lake: Lake,
    ledger: Ledger,
    *,
    now: datetime,
    masters: Path | None = None,
    templates: Path | None = None,
    pdf: bool = True,
    detail_rows: int = DETAIL_ROWS,
    mask: str = OFF,
    progress: Callable[[str], None] | None = None,
) -> RenderReport:
    """Renders every invoice whose documents are missing or, for drafts, out of date.

    ``masters`` is the folder that logos lie in (the home's by default), ``templates`` one with templates that stand
    in for the shipped ones. At most ``detail_rows`` calls and as many messages are shown on the page, their numbers
    as ``mask`` says.
    """
    logos = lake.home / "masters" if masters is None else masters
    run = _Run(lake, ledger, now, logos, templates, pdf, detail_rows, mask, progress or (lambda _text: None))
    if pdf:
        try:
            pdfs.check()
        except RenderError as error:
            run.pdf = False
            run.problems.append(str(error))
    rows = load_rows(ledger)
    tasks = _tasks(run, rows)
    done = 0
    for batch in _batches(tasks):
        _render(run, batch)
        done += len(batch)
        run.progress(f"rendered {done} of {len(tasks)} documents")
    unchanged = len(rows) - len(tasks)
    return RenderReport(run.issued, run.drafts, run.pdfs, unchanged, tuple(run.problems))


def _tasks(run: _Run, rows: Mapping[str, Row]) -> list[_Task]:
    drafts = [sid for sid, row in rows.items() if not row["number"]]
    claims = {f.label: f.sha256 for f in run.lake.files("invoice/claims", drafts)} if drafts else {}
    base = _templates_fingerprint(run.templates) if drafts else ""
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


def _render(run: _Run, tasks: Sequence[_Task]) -> None:
    jobs: dict[str, tuple[_Task, dict[str, Kept]]] = {}
    pages: list[pdfs.Job] = []
    whole = [task.row["invoice_sid"] for task in tasks if not task.only_pdf]
    with reading(run.lake, whole, run.mask) as reader:
        for task in tasks:
            sid = task.row["invoice_sid"]
            try:
                html, files = _standing(task) if task.only_pdf else _write_page(run, task, reader)
            except RenderError as error:
                run.problems.append(f"{task.row['number'] or sid}: {error}")
                continue
            jobs[sid] = task, files
            pages.append(pdfs.Job(sid, html, _sha256(html.encode())[:32]))
    if not run.pdf:
        for task, files in jobs.values():
            _finish(run, task, files)
        return
    for job, made in pdfs.make_pdfs(pages):
        task, files = jobs[job.key]
        if isinstance(made, RenderError):
            run.problems.append(f"{task.row['number'] or job.key}: {made}")
        else:
            files[PDF] = task.shelf.keep(PDF, made)
            run.pdfs += 1
        _finish(run, task, files)


def _standing(task: _Task) -> tuple[str, dict[str, Kept]]:
    """The page as it stands, and the files that stand beside it."""
    assert task.before is not None
    page = task.shelf.read(HTML) or b""
    return page.decode(), {name: kept for name, kept in task.before.files.items() if name != PDF}


def _write_page(run: _Run, task: _Task, reader: DetailReader) -> tuple[str, dict[str, Kept]]:
    sid = task.row["invoice_sid"]
    items, taxes = load_lines(run.ledger, sid)
    calls = reader.first(sid, "call", run.detail_rows)
    messages = reader.first(sid, "message", run.detail_rows)
    document = make_document(task.row, items, taxes, calls, messages, run.logos)
    html = render_html(document, run.templates)
    mail = render_mail(document, run.templates)
    sha = _sha256(html.encode())
    if task.row["document_hash"] not in (None, sha):
        msg = (
            f"the page of {document.number} was lost and does not come out as it was issued (its template, logo, "
            "records or mask_invoices have changed since). Restore it from a backup, or undo that change."
        )
        raise RenderError(msg)
    files = _write_detail(task, document, reader)
    files[HTML] = task.shelf.keep(HTML, html.encode())
    files[EMAIL] = task.shelf.keep(EMAIL, mail.to_json().encode())
    if not document.draft:
        _bind(run.ledger, sid, sha)
    return html, files


def _write_detail(task: _Task, document: Document, reader: DetailReader) -> dict[str, Kept]:
    files = {}
    for name, service, detail in ((CALLS, "call", document.calls), (MESSAGES, "message", document.messages)):
        if not detail.total:
            continue
        temporary = task.shelf.temporary(name)
        kept = Kept(*reader.write(temporary, document.invoice_sid, service, document.zone, document.currency))
        issued = task.before.files.get(name) if task.before and not task.before.draft else None
        if issued is not None and issued != kept:
            msg = f"{name} was lost and does not come out as it was issued. Restore it from a backup."
            raise RenderError(msg)
        files[name] = task.shelf.put(temporary, name, kept)
    return files


def _finish(run: _Run, task: _Task, files: Mapping[str, Kept]) -> None:
    draft = not task.row["number"]
    task.shelf.finish(Manifest(draft, task.inputs, run.now.isoformat(), files))
    run.drafts += draft
    run.issued += not draft


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
    return _sha256(repr((dict(row), items, taxes, claims, templates, run.detail_rows, run.mask)).encode())


def _templates_fingerprint(templates: Path | None) -> str:
    folders = [shipped("templates")] + ([] if templates is None else [templates])
    found = [
        (path.relative_to(folder).as_posix(), _sha256(path.read_bytes()))
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return _sha256(json.dumps(found).encode())


def _batches(tasks: Iterable[_Task]) -> Iterator[list[_Task]]:
    rest = iter(tasks)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""HTML to PDF with WeasyPrint, and nothing else fetched on the way.

A document is self-contained: its only addresses are the data URIs of its own images. Any other address is refused and
ends the rendering, also where WeasyPrint would go on without it. Files that go into the PDF are given by us, never by
a page. The PDF is an archive's (PDF/A-3a), tagged (PDF/UA-1) and, on the same libraries, the same bytes each time: so
the files in it bear the invoice's date and stand in the order of their names.

WeasyPrint is not thread-safe and is bound by the processor, so many documents are made by a few processes of their
own, which are replaced after some hundreds of documents, for memory is not given back. A page is one web of objects
that live until it is drawn: the garbage collector would look through them again and again, so it waits until then.
Attached files are asked for when the page is laid out, so that they may be written meanwhile.
"""

import gc
import os
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from itertools import chain, count, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from pipeline.errors import RenderError
from pipeline.render.xmp import described

MOST_WORKERS = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS = 120
# Processes are replaced together: with the pool's own way (max_tasks_per_child) there may be none left at the end.
_DOCUMENTS_PER_POOL = 400
# So many jobs wait for a process at most, so that a run of any length holds few pages in memory.
_WAITING = 8
_MEMORY_BYTES = 3 << 30
_ARCHIVED = {"pdf_variant": "pdf/a-3a", "pdf_tags": True}
_INSIST_SECONDS = 0.1
_INSIST_TIMES = 100
INSTALL = (
    "The PDF library WeasyPrint needs Pango. Debian and Ubuntu: "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core; "
    "macOS: brew install pango. HTML documents are made without it; run `tollbook render` again for the PDFs."
)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file inside the PDF. ``relationship`` is what it is to the page: ``Alternative`` or ``Supplement``."""

    path: Path
    relationship: str
    description: str

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Job:
    """One document to make. ``identifier`` becomes the file's own id and must be the same for the same HTML.

    ``attached`` may wait for files that are still being written: it is gone through once, and late.
    """

    key: str
    html: str
    identifier: str
    attached: Iterable[Attached] = ()
    at: datetime = EPOCH


def check() -> None:
    """Raises RenderError, saying what to install, where PDFs cannot be made."""
    _weasyprint()


def make_pdf(html: str, identifier: str, attached: Iterable[Attached] = (), at: datetime = EPOCH) -> bytes:
    """The PDF of one self-contained page, with its attached files, dated ``at``.

    ``attached`` is gone through once the page is laid out.

    Raises:
        RenderError: a system library is missing, the page asks for something outside itself, or it takes too long.
    """
    weasyprint = _weasyprint()
    fetcher = _fetcher()
    try:
        # WeasyPrint leaves the file of its colour profile to the collector, which says so.
        quietly = warnings.catch_warnings(action="ignore", category=ResourceWarning)
        with _limited(SECONDS), quietly, _uncollected():
            made = _drawn(fetcher, html, identifier, attached, at)
    except weasyprint.urls.FatalURLFetchingError as error:
        raise RenderError(str(error)) from None
    except OSError as error:
        msg = f"a file for the PDF cannot be read ({error}). Run `tollbook render` again."
        raise RenderError(msg) from None
    except MemoryError:
        msg = "the document needs too much memory. Show less call detail on the page."
        raise RenderError(msg) from None
    if fetcher.denied:
        # Inside SVG images WeasyPrint goes on after a refusal.
        raise RenderError(_denial(fetcher.denied[0]))
    return made


def _drawn(fetcher: Any, html: str, identifier: str, attached: Iterable[Attached], at: datetime) -> bytes:
    """Lays the page out, then asks for the files. Of the page nothing may be held when this is done, or it stays."""
    weasyprint = _weasyprint()
    page = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url="data:,")
    laid_out = page.render(font_config=_fonts(), **_ARCHIVED)
    files = tuple(attached)
    made: bytes = laid_out.write_pdf(
        pdf_identifier=identifier.encode("ascii"),
        attachments=[_attachment(weasyprint, file, at) for file in files],
        finisher=lambda _document, pdf: _describe(pdf, [file.name for file in files]),
        **_ARCHIVED,
    )
    return made


def make_pdfs(jobs: Iterable[Job], *, here: bool) -> Generator[tuple[Job, bytes | RenderError], None, None]:
    """Each job with its PDF or what went wrong, in the order in which they are done.

    Made ``here``, in this process, one job is taken at a time and only when the one before is done. Otherwise they
    are taken as processes become free for them, so that whoever makes them works meanwhile. Closed early, it ends them.
    """
    if here:
        for job in jobs:
            yield job, _attempt(job)
        return
    rest = iter(jobs)
    for job in rest:
        yield from _made_by_processes(chain([job], islice(rest, _DOCUMENTS_PER_POOL - 1)))


def _made_by_processes(jobs: Iterable[Job]) -> Iterator[tuple[Job, bytes | RenderError]]:
    running: dict[Future[bytes | RenderError], Job] = {}
    # Not ``wait``: stopped while it takes the locks of all these, it would keep them, and the pool wait for ever.
    finished: SimpleQueue[Future[bytes | RenderError]] = SimpleQueue()
    with _processes() as pool:
        for job in jobs:
            begun = _submitted(pool, job)
            running[begun] = job
            begun.add_done_callback(finished.put)
            if len(running) >= _WAITING:
                done = finished.get()
                yield running.pop(done), _result(done)
        while running:
            done = finished.get()
            yield running.pop(done), _result(done)


@contextmanager
def _processes() -> Iterator[ProcessPoolExecutor]:
    """Processes for the block. When it is broken off, they end where they stand: what they had begun is of no use."""
    context = get_context("spawn")
    held, ours = context.Pipe(duplex=False)
    with held, ours, ProcessPoolExecutor(_workers(), context, _begin_worker, (held,)) as pool:
        try:
            yield pool
        except BaseException:
            ours.close()
            pool.shutdown(cancel_futures=True)
            raise


def _submitted(pool: ProcessPoolExecutor, job: Job) -> Future[bytes | RenderError]:
    try:
        return pool.submit(_attempt, replace(job, attached=tuple(job.attached)))
    except (BrokenExecutor, RenderError) as error:
        failed: Future[bytes | RenderError] = Future()
        failed.set_exception(error)
        return failed


def _attachment(weasyprint: Any, file: Attached, at: datetime) -> Any:
    return weasyprint.Attachment(
        file_obj=BytesIO(file.path.read_bytes()),
        name=file.name,
        description=file.description,
        created=at,
        modified=at,
        relationship=file.relationship,
    )


def _describe(pdf: Any, names: list[str]) -> None:
    """Says in the PDF's metadata what WeasyPrint leaves out: that it is PDF/UA as well, and an e-invoice."""
    (metadata,) = (item for item in pdf.objects if getattr(item, "extra", {}).get("Type") == "/Metadata")
    metadata.stream = [described(b"".join(metadata.stream), names)]


def _workers() -> int:
    """As many processes as there are processors for us, within reason."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(free, MOST_WORKERS)


def _result(done: Future[bytes | RenderError]) -> bytes | RenderError:
    try:
        return done.result()
    except RenderError as error:
        return error
    except BrokenExecutor:
        return RenderError(
            "the process that made it was killed, perhaps for lack of memory. Run `tollbook render` again."
        )


def _attempt(job: Job) -> bytes | RenderError:
    try:
        return make_pdf(job.html, job.identifier, job.attached, job.at)
    except RenderError as error:
        return error
    except Exception as error:  # noqa: BLE001  one page that WeasyPrint stumbles over must not stop the others
        return RenderError(
            f"WeasyPrint cannot lay the page out ({type(error).__name__}: {error}). Look at its invoice.html."
        )


def _weasyprint() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import weasyprint
    except OSError as error:
        msg = f"{INSTALL} ({str(error).splitlines()[0]})"
        raise RenderError(msg) from None
    return weasyprint


@cache
def _fonts() -> Any:
    """The fonts of this system: one reading of them serves every page, and a page can bring none of its own."""
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


def _fetcher() -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class DataOnly(URLFetcher):  # type: ignore[misc]
        """Answers data URIs of images; refuses all else for good."""

        def __init__(self) -> None:
            super().__init__(allowed_protocols=("data",), allow_redirects=False, fail_on_errors=True)
            self.denied: list[str] = []

        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith("data:image/"):
                self.denied.append(url)
                raise FatalURLFetchingError(_denial(url))
            return super().fetch(url, headers)

    return DataOnly()


def _denial(url: str) -> str:
    return f"the page asks for {url[:120]!r}, which is not part of it. Take that address out of the template or logo."


def _begin_worker(run: Connection) -> None:
    """A worker has bounded memory, and ends with the run that it works for, even if that was killed.

    A person's Ctrl-C reaches it too, and is the run's to answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    threading.Thread(target=_end_with, args=(run,), daemon=True).start()
    with suppress(RenderError):
        _weasyprint()
    # What is loaded by now stays, and need never be looked through for garbage.
    gc.freeze()


def _end_with(run: Connection) -> None:
    """Nothing is ever sent: the other end closes, when the run breaks off or dies."""
    run.poll(None)
    os._exit(1)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector; what one page left is collected when it is done."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if enabled:
            gc.enable()


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Ends what runs longer than so many seconds of processor time; only a main thread can be told so."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    times = count(1)

    def stop(*_: object) -> None:
        if next(times) == _INSIST_TIMES:
            signal.setitimer(signal.ITIMER_PROF, 0)
        msg = f"the document took more than {seconds} s. Show less call detail on the page."
        raise RenderError(msg)

    before: Callable | int | None = signal.signal(signal.SIGPROF, stop)
    # Again and again: raised inside a callback of a C library, the first may be swallowed.
    signal.setitimer(signal.ITIMER_PROF, seconds, _INSIST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)

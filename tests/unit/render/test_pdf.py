"""The PDF says what the page says, is tagged, and is the same file each time."""

import builtins
import gc
import hashlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest

from pipeline.errors import RenderError
from pipeline.render import pdf
from pipeline.render.electronic import electronic
from pipeline.render.html import render_html, render_mail
from pipeline.render.pdf import Attached, Job, make_pdf, make_pdfs
from tests.fixtures.europe import GERMAN, NORTH, VAT
from tests.fixtures.invoices import snapshot
from tests.fixtures.pages import detail, make_page

ROOT = Path(__file__).resolve().parents[3]
LETTER, A4 = (612, 792), (595, 842)
SMALL = "<!doctype html><html lang='en'><title>t</title><p>"


def texts(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


@pytest.fixture(scope="module")
def made() -> bytes:
    return make_pdf(render_html(make_page(calls=detail(60))), "0123456789abcdef")


def test_pdf_holds_every_line_and_amount(made: bytes) -> None:
    document = make_page()
    text = " ".join(" ".join(texts(made)).split())
    figures = ["$0.37", "$118.43", "$2.04", "$7.20", "$128.04", "$44.62", "$8.00", "$52.62", "$180.66"]
    wanted = [
        document.number,
        *(item.description for item in document.items),
        *(t.name for t in document.taxes),
    ]
    assert [missing for missing in wanted + figures if missing not in text] == []


def test_pages_are_numbered_and_named(made: bytes) -> None:
    pages = texts(made)
    assert len(pages) > 1
    assert [f"Page {n} of {len(pages)}" in text for n, text in enumerate(pages, start=1)] == [True] * len(
        pages
    )
    name = "Invoice HCS-2026-000001 \N{MIDDLE DOT} Harbor Carrier Services"
    assert [name in text for text in pages] == [True] * len(pages)


def test_table_heads_repeat(made: bytes) -> None:
    with_rows = [text for text in texts(made) if "+4930901820" in text]
    assert len(with_rows) > 1
    assert ["Direction" in text for text in with_rows] == [True] * len(with_rows)


def test_table_head_is_not_left_alone_at_the_foot_of_a_page() -> None:
    """With so long an address there is room for the head of the charges, and for nothing below it."""
    page = render_html(make_page(snapshot=snapshot(bill_to=[f"Floor {n}" for n in range(8)])))
    first, second = texts(make_pdf(page, "0123456789abcdef"))[:2]
    assert ("Description" in first, second.split()[:2]) == (False, ["Charges", "Description"])


def test_pdf_is_tagged_titled_and_in_a_language(made: bytes) -> None:
    document = pypdfium2.PdfDocument(made)
    title = document.get_metadata_dict()["Title"]
    document.close()
    assert title == "Invoice HCS-2026-000001 - Harbor Carrier Services"
    unpacked = b"".join(
        zlib.decompress(stream)
        for stream in re.findall(rb"FlateDecode.*?stream\n(.*?)\nendstream", made, re.DOTALL)
    )
    assert [mark for mark in (b"/StructTreeRoot", b"/Lang (en)", b"/MarkInfo") if mark not in unpacked] == []


def test_same_page_is_the_same_file(made: bytes) -> None:
    assert make_pdf(render_html(make_page(calls=detail(60))), "0123456789abcdef") == made


def fingerprints() -> dict[str, str]:
    """What every document of one German invoice with its files hashes to."""
    said = snapshot(GERMAN, NORTH)
    document = make_page(
        taxes=(VAT,), currency="EUR", amount_tax=Decimal("24.33"), snapshot=said, calls=detail(5)
    )
    files = electronic(document).files
    html = render_html(document)
    made = {
        "html": html.encode(),
        "mail": render_mail(document).to_json().encode(),
        "pdf": make_pdf(html, "ab"),
    }
    return {name: hashlib.sha256(content).hexdigest() for name, content in (made | dict(files)).items()}


def test_another_process_with_other_hashes_makes_the_same_bytes() -> None:
    told = (
        "import json; from tests.unit.render.test_pdf import fingerprints; print(json.dumps(fingerprints()))"
    )
    seeded = {"PYTHONHASHSEED": "7" if os.environ.get("PYTHONHASHSEED") != "7" else "8"}
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, env=os.environ | seeded, capture_output=True, check=True
    )
    here = fingerprints()
    assert sorted(here) == ["factur-x.xml", "html", "invoice.ubl.xml", "mail", "pdf"]
    assert json.loads(done.stdout) == here


@pytest.mark.parametrize(
    ("country", "size"), [pytest.param("USA", LETTER, id="letter"), pytest.param("GBR", A4, id="A4")]
)
def test_size_of_paper(country: str, size: tuple[int, int]) -> None:
    document = pypdfium2.PdfDocument(
        make_pdf(render_html(make_page(snapshot=snapshot({"place": {"country": country}}))), "ab")
    )
    try:
        assert tuple(round(x) for x in document[0].get_size()) == size
    finally:
        document.close()


def test_draft_is_marked_on_every_page() -> None:
    pages = texts(make_pdf(render_html(make_page(number=None, calls=detail(60))), "ab"))
    assert ["DRAFT" in text for text in pages] == [True] * len(pages)


def test_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_pango(name: str, *rest: object) -> object:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'\nmore")
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(RenderError, match=r"apt-get install libpango-1.0-0.*brew install pango"):
        pdf.check()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 0.2)
    with pytest.raises(RenderError, match="took more than"):
        make_pdf(SMALL + "<table>" + "<tr><td>x<td>y" * 4000, "ab")


def test_many_documents_are_made_by_processes_and_one_bad_one_harms_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf, "_DOCUMENTS_PER_POOL", 4)
    jobs = [Job(str(n), SMALL + str(n), "ab") for n in range(4)]
    jobs.append(Job("bad", SMALL + "<img src='file:///etc/hostname'>", "ab"))
    jobs.append(Job("lost", SMALL, "ab", lost()))
    done = {job.key: result for job, result in make_pdfs(jobs, here=False)}
    assert {key: type(result) for key, result in done.items()} == dict.fromkeys("0123", bytes) | {
        "bad": RenderError,
        "lost": RenderError,
    }


def test_processes_end_where_they_stand_when_a_person_says_stop() -> None:
    before = set(multiprocessing.active_children())
    jobs = [Job(str(n), SMALL + "<p>one more page" * 400, "ab") for n in range(8)]
    making = make_pdfs(jobs, here=False)
    next(making)
    workers = set(multiprocessing.active_children()) - before
    making.close()
    assert (len(workers) > 0, 0 in {worker.exitcode for worker in workers}) == (True, False)


def lost() -> Iterator[Attached]:
    raise RenderError("calls.csv was lost")
    yield


def test_attached_files_are_asked_for_when_the_page_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import weasyprint

    real, steps = weasyprint.HTML.render, []

    def render(*arguments: object, **options: object) -> object:
        steps.append("laying out")
        laid_out = real(*arguments, **options)
        steps.append("laid out")
        return laid_out

    def files() -> Iterator[Attached]:
        steps.append("asked for")
        yield from ()

    monkeypatch.setattr(weasyprint.HTML, "render", render)
    make_pdf(SMALL, "ab", files())
    assert steps == ["laying out", "laid out", "asked for"]


def test_nothing_of_a_page_stays_when_its_pdf_is_made() -> None:
    """What is left then is old, and the garbage collector seldom looks at what is old."""
    gc.collect()
    made = [(make_pdf(SMALL, "ab"), styles())[1] for _ in range(3)]
    assert made == [made[0]] * 3


def styles() -> int:
    """How many styles of elements there are in memory."""
    return sum("weasyprint.css" in str(type(thing)) for thing in gc.get_objects())


def test_page_that_weasyprint_stumbles_over_is_a_problem_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> bytes:
        raise AssertionError("no such box")

    monkeypatch.setattr(pdf, "make_pdf", stumble)
    ((_, result),) = make_pdfs([Job("1", SMALL, "ab")], here=True)
    assert isinstance(result, RenderError)
    assert "AssertionError: no such box" in str(result)

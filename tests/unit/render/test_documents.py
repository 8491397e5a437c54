"""Documents are made once; an issued one never changes, and says so when it would."""

import contextlib
import hashlib
import json
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest

from pipeline.errors import RenderError
from pipeline.lake.lake import Lake
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows
from pipeline.render import documents
from pipeline.render import pdf as pdfs
from pipeline.render.detail import DetailReader
from pipeline.render.documents import RenderReport, render_invoices
from pipeline.render.shelf import Shelf
from tests.fixtures.europe import GERMAN, NORTH, VAT
from tests.fixtures.invoices import ISSUED, ITEMS, NOW, add_invoice, snapshot

ALL = [
    "calls.csv",
    "calls.parquet",
    "email.json",
    "invoice.html",
    "invoice.pdf",
    "manifest.json",
    "messages.csv",
    "messages.parquet",
]


@pytest.fixture(autouse=True)
def quick_pdf(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Real PDFs have tests of their own; here one is made of what it was made from."""
    made: list[str] = []

    def stand_in(html: str, identifier: str, *_: object) -> bytes:
        made.append(identifier)
        return b"%PDF " + hashlib.sha256(html.encode()).hexdigest().encode()

    monkeypatch.setattr(pdfs, "make_pdf", stand_in)
    return made


def render(lake: Lake, **options: object) -> RenderReport:
    return render_invoices(lake, lake.ledger, now=NOW, **options)  # type: ignore[arg-type]


def folder(lake: Lake, sid: str = "inv-1") -> Path:
    return lake.home / "documents" / sid


def content(lake: Lake) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder(lake).iterdir())}


def ledger_hash(lake: Lake) -> str | None:
    return rows(lake.ledger, schema.invoices.select())[0]["document_hash"]


def update(lake: Lake, **values: object) -> None:
    with lake.ledger.transaction() as tx:
        tx.execute(schema.invoices.update().values(**values))


def test_issued_invoice_gets_all_its_documents_and_its_hash(lake: Lake) -> None:
    add_invoice(lake)
    assert render(lake) == RenderReport(invoices=1, pdfs=1)
    assert list(content(lake)) == ALL
    assert ledger_hash(lake) == hashlib.sha256(content(lake)["invoice.html"]).hexdigest()


def test_documents_are_private(lake: Lake) -> None:
    add_invoice(lake)
    render(lake)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder(lake).iterdir()}
    assert (modes, stat.S_IMODE(folder(lake).stat().st_mode)) == ({0o600}, 0o700)


def test_second_run_does_nothing(lake: Lake, quick_pdf: list[str]) -> None:
    add_invoice(lake)
    add_invoice(lake, "draft", None)
    render(lake)
    before = content(lake)
    assert render(lake) == RenderReport(unchanged=2)
    assert (content(lake), len(quick_pdf)) == (before, 2)


def test_with_nothing_to_do_the_pdf_library_is_not_even_asked_for(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> None:
        raise AssertionError("asked for")

    add_invoice(lake)
    render(lake)
    monkeypatch.setattr(pdfs, "check", asked)
    assert render(lake) == RenderReport(unchanged=1)


def test_draft_has_no_hash_and_follows_its_rows(lake: Lake) -> None:
    add_invoice(lake, number=None)
    assert render(lake) == RenderReport(drafts=1, pdfs=1)
    assert (b"DRAFT" in content(lake)["invoice.html"], ledger_hash(lake)) == (True, None)
    update(lake, snapshot=snapshot({"purchase_order": "PO 9000"}))
    assert render(lake).drafts == 1
    assert b"PO 9000" in content(lake)["invoice.html"]


def test_issuing_replaces_the_draft(lake: Lake) -> None:
    add_invoice(lake, number=None)
    render(lake)
    update(lake, number="HCS-2026-000001", date_issued=ISSUED, status="open")
    assert render(lake) == RenderReport(invoices=1, pdfs=1)
    assert b"DRAFT" not in content(lake)["invoice.html"]


def test_payment_leaves_the_issued_page_alone(lake: Lake) -> None:
    add_invoice(lake)
    render(lake)
    before = content(lake)
    update(lake, status="complete")
    assert render(lake) == RenderReport(unchanged=1)
    assert content(lake) == before


@pytest.mark.parametrize("lost", ALL)
def test_lost_file_is_made_again_the_same(lake: Lake, lost: str) -> None:
    add_invoice(lake)
    render(lake)
    before = content(lake)
    (folder(lake) / lost).unlink()
    assert render(lake).invoices == 1
    assert content(lake) == before


def test_lost_folder_is_made_again_the_same(lake: Lake) -> None:
    add_invoice(lake)
    render(lake)
    before = content(lake)
    for path in folder(lake).iterdir():
        path.unlink()
    folder(lake).rmdir()
    render(lake)
    assert content(lake) == before


def test_lost_pdf_does_not_need_the_page_again(lake: Lake, tmp_path: Path) -> None:
    """The page stands as issued, so a template that has changed since does not matter."""
    add_invoice(lake)
    render(lake)
    (folder(lake) / "invoice.pdf").unlink()
    assert render(lake, templates=other_template(tmp_path)) == RenderReport(invoices=1, pdfs=1)


def test_page_that_was_tampered_with_is_named_and_left(lake: Lake) -> None:
    add_invoice(lake)
    render(lake)
    page = folder(lake) / "invoice.html"
    page.write_text(page.read_text().replace("$180.66", "$18.66"))
    report = render(lake)
    assert (report.invoices, len(report.problems)) == (0, 1)
    assert "HCS-2026-000001" in report.problems[0]
    assert b"$18.66" in content(lake)["invoice.html"]


def test_lost_page_that_would_come_out_otherwise_is_not_made(lake: Lake, tmp_path: Path) -> None:
    add_invoice(lake)
    render(lake)
    known = ledger_hash(lake)
    (folder(lake) / "invoice.html").unlink()
    report = render(lake, templates=other_template(tmp_path))
    (told,) = report.problems
    wanted = ["HCS-2026-000001 was lost", "tollbook's own templates", "your template", str(folder(lake))]
    assert [words for words in wanted if words not in told] == []
    assert ("invoice.html" in content(lake), ledger_hash(lake)) == (False, known)


def other_template(tmp_path: Path) -> Path:
    target = tmp_path / "templates" / "invoice" / "invoice.html.j2"
    target.parent.mkdir(parents=True)
    target.write_text("{{ invoice.number }} in another dress")
    return tmp_path / "templates"


def test_one_bad_invoice_harms_no_other(lake: Lake) -> None:
    add_invoice(lake, "inv-1", snapshot="{}")
    add_invoice(lake, "inv-2", "HCS-2026-000002")
    report = render(lake)
    assert (report.invoices, len(report.problems)) == (1, 1)
    assert "inv-1: its snapshot cannot be read" in report.problems[0]


def test_stopped_between_two_documents_it_ends_those_in_the_making(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    def making(jobs: Iterable[pdfs.Job], *, here: bool) -> Iterator[tuple[pdfs.Job, bytes]]:
        try:
            for job in jobs:
                yield job, b"%PDF"
        finally:
            ended.append(here)

    def stop(_text: str) -> None:
        raise KeyboardInterrupt

    sids = [f"inv-{n}" for n in range(5)]
    for n, sid in enumerate(sids):
        add_invoice(lake, sid, f"HCS-2026-00000{n}")
    monkeypatch.setattr(pdfs, "make_pdfs", making)
    # While the exception is looked at, nothing that it holds is collected.
    with pytest.raises(KeyboardInterrupt) as stopped:
        render(lake, progress=stop)
    made = [Shelf.of(lake.home, sid).manifest() is not None for sid in sids]
    assert (stopped.typename, ended, made) == ("KeyboardInterrupt", [False], [True, *[False] * 4])
    assert render(lake) == RenderReport(invoices=4, pdfs=4, unchanged=1)


def test_without_pango_everything_but_the_pdf_is_made(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise RenderError(pdfs.INSTALL)

    add_invoice(lake)
    with monkeypatch.context() as patch:
        patch.setattr(pdfs, "check", missing)
        assert render(lake) == RenderReport(invoices=1, problems=(pdfs.INSTALL,))
        assert render(lake) == RenderReport(unchanged=1, problems=(pdfs.INSTALL,))
    page = content(lake)["invoice.html"]
    assert render(lake) == RenderReport(invoices=1, pdfs=1)
    assert (content(lake)["invoice.html"], list(content(lake))) == (page, ALL)


def test_pdf_can_be_left_out(lake: Lake) -> None:
    add_invoice(lake)
    assert render(lake, pdf=False) == RenderReport(invoices=1)
    assert render(lake, pdf=False) == RenderReport(unchanged=1)
    assert [name for name in ALL if name not in content(lake)] == ["invoice.pdf"]


def test_invoice_without_calls_has_no_empty_csv(lake: Lake) -> None:
    add_invoice(lake, calls=0, messages=0)
    render(lake)
    assert [name for name in content(lake) if name.endswith(".csv")] == []


@pytest.mark.parametrize("step", ["keep", "finish", "put"])
def test_interrupted_run_is_completed_by_the_next(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Wherever a run ends, no half file has a name, and the next run ends with the same bytes."""
    add_invoice(lake)
    render(lake)
    expected = content(lake)
    for path in folder(lake).iterdir():
        path.unlink()
    update(lake, document_hash=None)
    for crash_at in range(1, 6):
        with monkeypatch.context() as patch:
            patch.setattr(f"pipeline.render.shelf.Shelf.{step}", crashing(step, crash_at))
            with contextlib.suppress(KeyboardInterrupt):
                render(lake)
        partial = {n: c for n, c in content(lake).items() if not n.startswith(".")}
        assert partial.items() <= expected.items()
        assert render(lake).problems == ()
        assert content(lake) == expected
        for path in folder(lake).iterdir():
            path.unlink()
        update(lake, document_hash=None)


def crashing(step: str, at: int) -> Callable:
    from pipeline.render.shelf import Shelf

    real, calls = getattr(Shelf, step), [0]

    def method(self: Shelf, *arguments: object) -> object:
        calls[0] += 1
        if calls[0] == at:
            raise KeyboardInterrupt
        return real(self, *arguments)

    return method


def test_no_more_than_a_batch_of_invoices_is_held_at_a_time(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, held = documents.load_rows, []

    def load_rows(ledger: Ledger, invoice_sids: Sequence[str]) -> dict:
        held.append(len(invoice_sids))
        return real(ledger, invoice_sids)

    monkeypatch.setattr(documents, "_BATCH_RECORDS", 2 * documents._LEAST_RECORDS)
    monkeypatch.setattr(documents, "load_rows", load_rows)
    for n in range(5):
        add_invoice(lake, f"inv-{n}", f"HCS-2026-00000{n}", calls=1, messages=0)
    assert render(lake, pdf=False) == RenderReport(invoices=5)
    assert held == [2, 2, 1]


def test_detail_is_written_while_the_page_is_laid_out(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    real, laying_out = DetailReader.write, threading.Event()

    def write(*arguments: object) -> object:
        assert laying_out.wait(30)
        return real(*arguments)  # type: ignore[arg-type]

    def make_pdf(_html: str, _identifier: str, attached: Iterable[pdfs.Attached], _at: object) -> bytes:
        laying_out.set()
        return " ".join(file.name for file in attached).encode()

    monkeypatch.setattr(DetailReader, "write", write)
    monkeypatch.setattr(pdfs, "make_pdf", make_pdf)
    add_invoice(lake)
    assert render(lake) == RenderReport(invoices=1, pdfs=1)
    assert content(lake)["invoice.pdf"] == b"calls.csv calls.parquet messages.csv messages.parquet"


def test_detail_that_would_come_out_otherwise_is_named_once_and_harms_no_other(lake: Lake) -> None:
    add_invoice(lake, "inv-1")
    add_invoice(lake, "inv-2", "HCS-2026-000002")
    render(lake)
    manifest = folder(lake) / "manifest.json"
    known = json.loads(manifest.read_text())
    known["files"]["calls.csv"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(known))
    for sid in ("inv-1", "inv-2"):
        (folder(lake, sid) / "calls.csv").unlink()
    report = render(lake)
    assert report == RenderReport(
        invoices=1,
        pdfs=1,
        problems=(
            "HCS-2026-000001: calls.csv was lost and does not come out as it was issued. Restore it from a backup.",
        ),
    )


def test_rows_on_the_page_are_capped(lake: Lake) -> None:
    add_invoice(lake, calls=9, messages=0)
    render(lake, detail_rows=4)
    page = content(lake)["invoice.html"].decode()
    assert "The first 4 of 9 records" in page
    assert len(content(lake)["calls.csv"].splitlines()) == 10


def test_whole_way_with_a_real_pdf(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    add_invoice(lake)
    assert render(lake) == RenderReport(invoices=1, pdfs=1)
    document = pypdfium2.PdfDocument(content(lake)["invoice.pdf"])
    try:
        assert "$180.66" in document[0].get_textpage().get_text_bounded()
    finally:
        document.close()


# The e-invoice, and what lies inside the PDF


def attached(lake: Lake, sid: str = "inv-1") -> dict[str, bytes]:
    """What lies inside the PDF of an invoice."""
    pypdf = pytest.importorskip(
        "pypdf", reason="pypdf, which reads what is attached to PDFs, is not installed"
    )
    reader = pypdf.PdfReader(folder(lake, sid) / "invoice.pdf")
    return {name: contents[0] for name, contents in reader.attachments.items()}


def add_german(lake: Lake, sid: str = "inv-1", **other: object) -> None:
    tax = dict(VAT)
    tax["detail"] = json.dumps({"per": "", "lines": tax.pop("lines"), "on": [], "share": "1"})
    values = {"currency": "EUR", "amount_tax": Decimal("24.33"), "snapshot": snapshot(GERMAN, NORTH)} | other
    add_invoice(lake, sid, values.pop("number", "NT-2026-000001"), taxes=values.pop("taxes", [tax]), **values)


def test_european_invoice_gets_its_e_invoice_beside_it_and_inside(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    add_german(lake)
    assert render(lake).problems == ()
    kept = content(lake)
    assert b"<ram:GrandTotalAmount>152.37</ram:GrandTotalAmount>" in kept["factur-x.xml"]
    assert b">152.37</cbc:PayableAmount>" in kept["invoice.ubl.xml"]
    assert attached(lake) == {
        name: kept[name]
        for name in ("calls.csv", "calls.parquet", "factur-x.xml", "messages.csv", "messages.parquet")
    }


def test_invoice_that_can_have_no_e_invoice_says_why(lake: Lake) -> None:
    add_invoice(lake)
    render(lake)
    made = Shelf.of(lake.home, "inv-1").manifest()
    assert made is not None
    assert made.no_einvoice == "Neither the seller nor the customer has anything to do with VAT."


def test_credit_note_is_taxed_as_its_invoice_was(lake: Lake) -> None:
    """The tax rows of a credit note no longer say on which lines, nor that it was a reverse charge."""
    add_german(lake)
    said = {
        "invoice_sid": "inv-1",
        "number": "NT-2026-000001",
        "date_issued": ISSUED.isoformat(),
        "reason": "x",
    }
    line = ITEMS[3] | {"usage": 0, "amount": Decimal("-7.20"), "amount_exact": Decimal("-7.20")}
    add_german(
        lake,
        "credit-1",
        number="NT-CN-2026-000001",
        kind="credit_note",
        taxes=[
            {k: v for k, v in VAT.items() if k != "lines"}
            | {"amount": Decimal("-1.37"), "method": "credit_note"}
        ],
        items=[line | {"detail": json.dumps({"credits_line": 4})}],
        amount=Decimal("-7.20"),
        amount_tax=Decimal("-1.37"),
        snapshot=snapshot(GERMAN, NORTH, credits=said),
        calls=0,
        messages=0,
    )
    render(lake)
    assert b"<ram:TypeCode>381</ram:TypeCode>" in (folder(lake, "credit-1") / "factur-x.xml").read_bytes()
    assert (
        b"<ram:CategoryCode>S</ram:CategoryCode>" in (folder(lake, "credit-1") / "factur-x.xml").read_bytes()
    )


@pytest.mark.parametrize("room", [0, 3_000])
def test_call_detail_lies_in_the_pdf_as_far_as_there_is_room(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.undo()
    add_invoice(lake, calls=200, messages=0)
    render(lake, attached_bytes=room)
    assert attached(lake).keys() <= {"calls.parquet", "calls.csv"}
    assert sum(map(len, attached(lake).values())) <= room
    assert len(content(lake)["calls.csv"]) > room


def test_template_of_the_home_that_asks_for_something_outside_makes_no_pdf(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    templates = other_template(tmp_path)
    page = templates / "invoice" / "invoice.html.j2"
    page.write_text(page.read_text() + '<img src="http://192.0.2.1/pixel.png">')
    add_invoice(lake)
    report = render(lake, templates=templates)
    assert (report.pdfs, len(report.problems)) == (0, 1)
    assert "asks for 'http://192.0.2.1/pixel.png', which is not part of it" in report.problems[0]

"""The documents as a whole, compared with tracked ones: as HTML, as what the PDF says and as what it looks like.

When they are meant to change: ``python -c "from tests.unit.render.test_golden import renew; renew()"``, then read the
difference, and look at the pictures, before you commit it.
"""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from pipeline.render.document import Document
from pipeline.render.html import render_html, render_mail
from pipeline.render.pdf import make_pdf
from pipeline.shipped import shipped
from tests.fixtures.europe import GERMAN, NORTH, VAT
from tests.fixtures.invoices import snapshot
from tests.fixtures.pages import make_page
from tests.fixtures.pictures import apart, font_of, pictures_of, save, text_of

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


def american() -> Document:
    return make_page(logos=shipped("data", "masters"), snapshot=snapshot(seller={"logo": "logo.svg"}))


def german() -> Document:
    tax = VAT["amount"]
    due = VAT["base"] + tax
    sums = {"amount_tax": tax, "amount_due": due, "balance_forward": due}
    return make_page(snapshot=snapshot(GERMAN, NORTH), currency="EUR", taxes=[VAT], **sums)


def texts() -> dict[str, str]:
    document = american()
    mail = render_mail(document)
    text = f"{mail.subject}\n\n{mail.text}"
    return {"invoice.html": render_html(document), "email.html": mail.html, "email.txt": text}


def printed() -> dict[str, bytes]:
    """The PDFs, where the font that the tracked ones are set in is there."""
    made = {
        name: make_pdf(render_html(document), "0123456789abcdef")
        for name, document in (("invoice", american()), ("rechnung", german()))
    }
    if "+DejaVu-Sans" not in font_of(made["invoice"]):
        pytest.skip("the font DejaVu Sans is not installed (fonts-dejavu-core)")
    return made


def renew() -> None:
    for name, text in texts().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
    for name, content in printed().items():
        (GOLDEN / f"{name}.pdf.txt").write_text(text_of(content), encoding="utf-8")
        for earlier in GOLDEN.glob(f"{name}.*.png"):
            earlier.unlink()
        for number, picture in enumerate(pictures_of(content), start=1):
            save(picture, GOLDEN / f"{name}.{number}.png")


@pytest.fixture(scope="module")
def pdfs() -> dict[str, bytes]:
    return printed()


def tracked(name: str, number: int) -> Image.Image:
    return Image.open(GOLDEN / f"{name}.{number}.png")


def test_the_page_and_its_email_are_the_tracked_ones() -> None:
    assert texts() == {name: (GOLDEN / name).read_text(encoding="utf-8") for name in texts()}


def test_the_same_invoice_is_the_same_page() -> None:
    assert texts() == texts()


@pytest.mark.parametrize("name", ["invoice", "rechnung"])
def test_the_pdf_says_what_the_tracked_one_says(pdfs: dict[str, bytes], name: str) -> None:
    assert text_of(pdfs[name]) == (GOLDEN / f"{name}.pdf.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["invoice", "rechnung"])
def test_the_pdf_looks_as_the_tracked_one_looks(pdfs: dict[str, bytes], name: str, tmp_path: Path) -> None:
    pictures = dict(enumerate(pictures_of(pdfs[name]), start=1))
    for number, picture in pictures.items():
        save(picture, tmp_path / f"{name}.{number}.png")
    assert len(pictures) == len(list(GOLDEN.glob(f"{name}.*.png")))
    found = {number: apart(tracked(name, number), picture) for number, picture in pictures.items()}
    assert {number: f"{said}: see {tmp_path}" for number, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("what", "by"),
    [
        pytest.param(r'<img class="logo"[^>]*>', '<p class="logo" style="height: 18mm"></p>', id="no logo"),
        pytest.param(r"(?s)(<svg.*?>).*?</svg>", r"\1</svg>", id="no chart"),
        pytest.param("#1f5f8b", "#1f7f4b", id="another colour"),
        pytest.param("section { margin-top: 5mm }", "section { margin-top: 5.5mm }", id="lines that moved"),
    ],
)
def test_a_page_that_looks_otherwise_is_found(pdfs: dict[str, bytes], what: str, by: str) -> None:
    page = render_html(american())
    changed = re.sub(what, by, page)
    assert changed != page
    first = next(pictures_of(make_pdf(changed, "0123456789abcdef")))
    assert "cells differ" in apart(tracked("invoice", 1), first)


def test_letters_with_softer_edges_are_the_same_page(pdfs: dict[str, bytes]) -> None:
    for number, picture in enumerate(pictures_of(pdfs["invoice"]), start=1):
        assert apart(tracked("invoice", number), picture.filter(ImageFilter.GaussianBlur(0.5))) == ""

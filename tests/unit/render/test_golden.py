"""The page as a whole, compared with a tracked one.

When the page is meant to change: ``python -c "from tests.unit.render.test_golden import renew; renew()"``, then read
the difference before you commit it.
"""

from pathlib import Path

from pipeline.render.html import render_html, render_mail
from tests.fixtures.pages import make_page

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


def made() -> dict[str, str]:
    document = make_page()
    mail = render_mail(document)
    text = f"{mail.subject}\n\n{mail.text}"
    return {"invoice.html": render_html(document), "email.html": mail.html, "email.txt": text}


def renew() -> None:
    for name, text in made().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")


def test_the_page_and_its_email_are_the_tracked_ones() -> None:
    assert made() == {name: (GOLDEN / name).read_text(encoding="utf-8") for name in made()}


def test_the_same_invoice_is_the_same_page() -> None:
    assert made() == made()

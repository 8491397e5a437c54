"""Text stays text: markup, templates, addresses and file names that come with an invoice do nothing."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.errors import RenderError
from pipeline.lake.lake import Lake
from pipeline.render.document import Document, read_logo
from pipeline.render.html import render_html, render_mail
from pipeline.render.pdf import make_pdf
from pipeline.render.shelf import Shelf
from pipeline.shipped import shipped
from tests.fixtures.hostile import MARKUP, PATHS, TEMPLATES
from tests.fixtures.invoices import ITEMS, NOTES, SELLER, TAXES, snapshot
from tests.fixtures.pages import Seen, detail, make_page

IDS = [f"{n}-{text[:20]!r}" for n, text in enumerate(MARKUP + TEMPLATES)]


def filled(text: str) -> Document:
    """The sample invoice with ``text`` in every field that is free text somewhere."""
    seller = {
        name: [text] * len(value) if isinstance(value, list) else text for name, value in SELLER.items()
    }
    row = json.loads(snapshot({"name": text, "purchase_order": text, "tax_id": text}))
    row |= {
        "seller": seller | {"logo": "", "accent": text},
        "bill_to": [text] * 5,
        "notes": [text] * len(NOTES),
        "not_billed": [{"reason": text, "records": 1}],
        "plans": [row["plans"][0] | {"name": text, "plan_version": text, "unit": text, "increments": text}],
    }
    items = [dict(item) | {"description": text, "country_code": text} for item in ITEMS]
    taxes = [dict(tax) | {"name": text, "jurisdiction": text, "legal_source": text} for tax in TAXES]
    calls = detail(3, direction=text, number_src=text, number_dst=text)
    return make_page(items, taxes, calls, number=text, snapshot=json.dumps(row))


START = "<!doctype html><html lang=en><title>x</title>"
HARMLESS = filled("x")


@pytest.mark.parametrize("text", MARKUP + TEMPLATES, ids=IDS)
def test_no_text_becomes_markup(text: str) -> None:
    document = filled(text)
    made, plain = Seen(render_html(document)), Seen(render_html(HARMLESS))
    assert (made.elements, made.attributes) == (plain.elements, plain.attributes)
    mail, plain_mail = Seen(render_mail(document).html), Seen(render_mail(HARMLESS).html)
    assert (mail.elements, mail.attributes) == (plain_mail.elements, plain_mail.attributes)


@pytest.mark.parametrize("text", TEMPLATES)
def test_no_text_is_run_as_a_template(text: str) -> None:
    assert text in "".join(Seen(render_html(filled(text))).text)


def test_templates_escape_everything() -> None:
    sources = [path.read_text(encoding="utf-8") for path in shipped("templates").rglob("*.j2")]
    assert [
        word for word in ("|safe", "| safe", "Markup", "autoescape") for text in sources if word in text
    ] == []


# User templates


def page_from(tmp_path: Path, template: str) -> str:
    folder = tmp_path / "templates"
    (folder / "invoice").mkdir(parents=True, exist_ok=True)
    (folder / "invoice" / "invoice.html.j2").write_text(template, encoding="utf-8")
    return render_html(make_page(), folder)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ invoice.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ (lambda: 1)() }}",
        "{{ invoice | attr('__class__') | attr('__mro__') }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ formats.money.__func__.__globals__ }}",
        "{{ '%s' | format(invoice.__class__) }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(invoice) }}",
        "{% set _ = invoice.items.append(1) %}",
        "{% include '../../../etc/passwd' %}",
        "{{ namee }}",
        "{{ invoice.nonsense }}",
        "{% if %}",
    ],
)
def test_template_that_reaches_out_or_is_wrong_is_refused(tmp_path: Path, template: str) -> None:
    with pytest.raises(RenderError, match=r"template .* cannot be rendered"):
        page_from(tmp_path, template)


def test_own_template_stands_in_for_one_and_leaves_the_others(tmp_path: Path) -> None:
    html = page_from(tmp_path, '{{ invoice.number }} <style>{% include "invoice/invoice.css" %}</style>')
    assert html.startswith("HCS-2026-000001 <style>")
    assert '"DejaVu Sans"' in html


# What a page asks for while it becomes a PDF


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A listener that notes who calls, and a file with a secret in it."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARY-7361")
    yield f"http://127.0.0.1:{server.server_port}/x", secret, hits
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "body",
    [
        '<img src="URL">',
        '<p style="background:url(URL)">x',
        "<style>@import url(URL);</style>",
        "<style>@font-face{font-family:x;src:url(URL)} p{font-family:x}</style><p>x",
        '<link rel="stylesheet" href="URL">',
        '<link rel="attachment" href="URL"><p>x',
        '<a rel="attachment" href="URL">x</a>',
        '<object data="URL"></object>',
        '<embed src="URL">',
        '<svg width="9" height="9"><image href="URL" width="9" height="9"/></svg>',
        '<svg width="9" height="9"><use href="URL#a"/></svg>',
        '<ul style="list-style-image:url(URL)"><li>x</ul>',
        '<base href="URL"><img src="y.png">',
        '<p style="content:url(URL)">x',
        '<style>p::before{content:url("URL")}</style><p>x',
        '<img src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%229%22 height=%229%22%3E'
        '%3Cimage href=%22URL%22 width=%229%22 height=%229%22/%3E%3C/svg%3E">',
    ],
)
@pytest.mark.parametrize("kind", ["http", "file"])
def test_page_that_asks_for_anything_outside_itself_reaches_nothing(
    canary: tuple[str, Path, list[str]], body: str, kind: str
) -> None:
    url, secret, hits = canary
    html = START + body.replace("URL", url if kind == "http" else secret.as_uri())
    try:
        made = make_pdf(html, "ab")
    except RenderError:
        made = b""
    assert b"EmbeddedFile" not in made
    assert hits == []


@pytest.mark.parametrize(
    "body", ['<img src="URL">', '<link rel="attachment" href="URL">', "<style>@import url(URL);</style>"]
)
def test_page_that_asks_is_refused_and_the_address_named(body: str) -> None:
    with pytest.raises(RenderError, match="etc/hostname"):
        make_pdf(START + body.replace("URL", "file:///etc/hostname") + "<p>x", "ab")


# Names of files


@pytest.mark.parametrize("sid", PATHS)
def test_only_our_ids_name_folders(lake: Lake, sid: str) -> None:
    with pytest.raises(RenderError, match="not one of ours"):
        Shelf.of(lake.home, sid)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("../logo.svg", b"<svg/>", id="elsewhere"),
        pytest.param("logo.txt", b"x", id="not an image"),
        pytest.param("logo.png", b"<svg/>", id="not what its name says"),
        pytest.param("logo.svg", b"<svg><script>x</script></svg>", id="script"),
        pytest.param("logo.svg", b"<svg onload='x'/>", id="handler"),
        pytest.param("logo.svg", b"<svg><image href='file:///x'/></svg>", id="image in it"),
        pytest.param("logo.svg", b"<svg><a xlink:href='http://x'/></svg>", id="link"),
        pytest.param("logo.svg", b"<svg><style>@import 'x'</style></svg>", id="import"),
        pytest.param("logo.svg", b"<svg><rect fill='url(http://x)'/></svg>", id="style from elsewhere"),
        pytest.param("logo.svg", b"<!DOCTYPE svg [<!ENTITY x 'y'>]><svg/>", id="entities"),
        pytest.param("logo.png", b"\x89PNG\r\n\x1a\n" + b"0" * 400_000, id="too big"),
    ],
)
def test_logo_that_is_not_a_plain_image_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / Path(name).name).write_bytes(content)
    with pytest.raises(RenderError, match="logo"):
        read_logo(tmp_path, name)


def test_logo_is_carried_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    document = make_page(logos=tmp_path, snapshot=snapshot(seller={"logo": "logo.svg"}))
    assert '<img class="logo" src="data:image/svg+xml;base64,' in render_html(document)


def test_missing_logo_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"logo\.svg cannot be read"):
        read_logo(tmp_path, "logo.svg")

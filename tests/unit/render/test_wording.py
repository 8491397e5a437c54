"""A page speaks its customer's language: every text of the templates, and what earlier stages wrote."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import RenderError
from pipeline.render.account import AGES, BOOKINGS
from pipeline.render.html import Voice, render_html, render_mail
from pipeline.render.wording import wording
from pipeline.shipped import shipped
from tests.fixtures.invoices import ITEMS, snapshot
from tests.fixtures.pages import Seen, make_page

LANGUAGES = ("de", "fr", "es")
REGION = {"de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT", "en": "en_GB"}
TEXT = re.compile(r"say\(([^()]*)")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Words that data choose, and which no template spells.
CHOSEN = {
    *(
        "Invoice",
        "Draft invoice",
        "Credit note",
        "Calls",
        "Toll-free calls",
        "Conference and application calls",
    ),
    *("Text messages", "Picture messages", "Phone numbers", "Adjustments", "Call detail", "Message detail"),
    *("not answered", "too short to be billed", "with a status that is not billed", "of our own"),
    *(
        "inbound",
        "outbound",
        "number",
        "line",
        "invoice",
        "minimum",
        "maximum",
        "federal",
        "state",
        "county",
        "city",
    ),
    *("Amount so far", "Open on your account", "Amount due"),
    "Asked for on the page, with what was open before and what was paid: {amount}.",
    *BOOKINGS.values(),
    *(name for _, name in AGES),
    *("not settled", "credited", "rejected"),
}


def spoken() -> set[str]:
    """The texts that the templates say themselves."""
    folders = ("invoice", "email", "account")
    sources = [p.read_text() for folder in folders for p in (shipped("templates") / folder).glob("*.j2")]
    found = {text for source in sources for said in TEXT.findall(source) for text in QUOTED.findall(said)}
    return found - {"_", " ", "USA", "call", "open"}


def german() -> Voice:
    return Voice.of("de_DE", "America/Chicago", "USD", None)


def page(language: str, **other: object) -> tuple[str, str]:
    document = make_page(snapshot=snapshot({"language": REGION[language]}), **other)  # type: ignore[arg-type]
    mail = render_mail(document)
    html = re.sub(r"<style>.*?</style>", "", render_html(document), flags=re.DOTALL)
    return " ".join(Seen(html).text), f"{mail.subject}\n{mail.text}"


def words(text: str) -> str:
    return " ".join(text.replace("\xa0", " ").replace("\u202f", " ").split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_every_text(language: str) -> None:
    known = wording(language).page
    assert sorted((spoken() | CHOSEN) - known.keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_sentences(language: str) -> None:
    read = {
        x: json.loads((shipped("templates") / "locale" / f"{x}.json").read_text()) for x in (language, "de")
    }
    assert read[language]["sentences"].keys() == read["de"]["sentences"].keys()


@pytest.mark.parametrize(
    ("language", "on_page", "in_mail"),
    [
        pytest.param(
            "de",
            ["Rechnungsempfänger", "118,43 $", "Abgehende Anrufe: Deutschland", "17. April 2026", "6,25 %"],
            ["Guten Tag,", "anbei erhalten Sie Ihre Rechnung HCS-2026-000001", "fällig am 17.04.2026"],
            id="German",
        ),
        pytest.param(
            "fr",
            ["Facturé à", "118,43 $US", "Appels sortants : Allemagne", "17 avril 2026", "6,25 %"],
            [
                "Bonjour,",
                "Vous trouverez ci-joint votre facture HCS-2026-000001 pour la période 1er mars 2026",
            ],
            id="French",
        ),
        pytest.param(
            "es",
            ["Facturado a", "118,43 US$", "Llamadas salientes: Alemania", "17 de abril de 2026", "6,25 %"],
            ["Buenos días:", "Le adjuntamos su factura HCS-2026-000001"],
            id="Spanish",
        ),
        pytest.param(
            "it",
            ["Billed to", "Outbound calls to Germany", "17 April 2026"],
            ["Hello,", "due 17 Apr 2026"],
            id="English where there is no catalogue",
        ),
    ],
)
def test_page_and_mail_speak_the_customers_language(
    language: str, on_page: list[str], in_mail: list[str]
) -> None:
    shown, mail = map(words, page(language))
    assert [text for text in on_page if text not in shown] == []
    assert [text for text in in_mail if text not in mail] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_the_page_stays_english(language: str) -> None:
    spoken = {*words(page(language)[0]).split(), *words(page(language)[1]).split()}
    assert spoken & {"the", "and", "Charges", "Amount", "Records", "calls", "by", "this", "Hello,"} == set()


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Outbound calls to Germany", "Abgehende Anrufe: Deutschland"),
        ("Outbound calls to Germany (late)", "Abgehende Anrufe: Deutschland (Nachtrag)"),
        ("Correction of outbound calls to Germany", "Korrektur: Abgehende Anrufe: Deutschland"),
        ("Correction of SMS sent to Germany", "Korrektur: Gesendete SMS: Deutschland"),
        ("Credit: Outbound calls to Germany", "Gutschrift: Abgehende Anrufe: Deutschland"),
        (
            "Outbound calls to Germany, 1,234.50 minutes of them included",
            "Abgehende Anrufe: Deutschland, davon 1.234,50 Minuten inklusive",
        ),
        (
            "Phone numbers, monthly rent in advance (12 at 0.6)",
            "Rufnummern, Monatsmiete im Voraus (12 zu je 0,6)",
        ),
        ("Your own words", "Your own words"),
    ],
)
def test_descriptions_are_told_in_the_customers_language(sentence: str, expected: str) -> None:
    item = make_page([dict(ITEMS[1]) | {"description": sentence}]).items[0]
    assert german().described(item) == expected


def test_line_of_no_country_and_a_day_in_a_note() -> None:
    voice = german()
    nowhere = {"description": "Outbound calls to international networks", "country_code": None}
    assert (
        voice.described(make_page([dict(ITEMS[1]) | nowhere]).items[0])
        == "Abgehende Anrufe: internationale Netze"
    )
    told = voice.told(
        "Taxes are those in force on 2026-03-31, each rounded once over the lines it applies to."
    )
    assert told.startswith("Es gelten die Steuern vom 31. März 2026;")


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (
            "Flat 500: 1,234.50 minutes used of 5,000 minutes included.",
            "Flat 500: 1.234,50 von 5.000 Inklusivminuten verbraucht.",
        ),
        (
            "Flat: 12 units used of 100 units included for each of 3 numbers.",
            "Flat: 12 von 100 Inklusiveinheiten für jede von 3 Rufnummern verbraucht.",
        ),
        (
            "Volume: priced by the volume of the period, which was 10,000 minutes.",
            "Volume: Preis nach der Menge des Zeitraums, 10.000 Minuten.",
        ),
        (
            "Sum: priced by the volume of the period, which was 63.10 EUR. That was in the period from 2026-03-01 on.",
            "Sum: Preis nach der Menge des Zeitraums, 63,10 EUR. Das war im Zeitraum ab 1. März 2026.",
        ),
    ],
)
def test_notes_about_bundles_are_told_with_figures_as_the_customer_writes_them(
    note: str, expected: str
) -> None:
    assert german().told(note) == expected


def test_country_that_ends_an_address_is_named_in_the_customers_language() -> None:
    assert "Vereinigte Staaten" in page("de")[0]


def test_draft_and_amounts_of_a_credit_are_spoken_too() -> None:
    shown = words(page("fr", number=None)[0])
    assert "PROJET" in shown
    assert "Projet de facture" in shown
    even = {"amount_due": Decimal("0.00"), "balance_forward": Decimal("-223.87")}
    assert "Un crédit de 223,87 $US est reporté." in words(page("fr", **even)[0])


def own_catalogue(tmp_path: Path, language: str, content: str) -> Path:
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / f"{language}.json").write_text(content, encoding="utf-8")
    return tmp_path


def test_home_can_add_a_language(tmp_path: Path) -> None:
    folder = own_catalogue(
        tmp_path, "it", json.dumps({"page": {"Billed to": "Intestata a"}, "sentences": {}})
    )
    html = render_html(make_page(snapshot=snapshot({"language": "it_IT"})), folder)
    assert ("Intestata a" in html, '<html lang="it"' in html, "17 aprile 2026" in html) == (True, True, True)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("{", id="no JSON"),
        pytest.param('{"page": {}}', id="a part is missing"),
        pytest.param(
            '{"page": {"Please pay by {date}": "entro {day}"}, "sentences": {}}', id="other placeholders"
        ),
    ],
)
def test_catalogue_that_is_wrong_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(RenderError, match=r"locale/it\.json"):
        wording("it", own_catalogue(tmp_path, "it", content))


def test_catalogue_can_neither_bring_markup_nor_reach_into_values(tmp_path: Path) -> None:
    texts = {
        "Billed to": "<script>x</script>{x.__class__}",
        "Please pay by {date}": "{date} {date.__class__}",
    }
    folder = own_catalogue(tmp_path, "it", json.dumps({"page": texts, "sentences": {}}))
    html = render_html(make_page(snapshot=snapshot({"language": "it_IT"})), folder)
    assert ("<script>" in html, "&lt;script&gt;x&lt;/script&gt;{x.__class__}" in html) == (False, True)
    assert "<strong>17 aprile 2026</strong> {date.__class__}" in html

"""The words of a reminder: the house's text, the customer's figures, and no text that becomes markup or a header."""

import json
from decimal import Decimal

import pytest

from pipeline.masters.files import read_masters
from pipeline.render.reminder import render_reminder
from pipeline.shipped import shipped
from tests.fixtures.invoices import invoice_row, snapshot

TEXT = "Hello,\n\n{number} was due on {due}; {amount} are open after {days} days."


def words(subject: str = "Reminder: {number}", text: str = TEXT, **customer: object) -> dict[str, str]:
    row = invoice_row(snapshot=snapshot(customer=customer))
    made = render_reminder(row, subject=subject, text=text, amount=Decimal("1234.50"), days_overdue=9)
    return json.loads(made)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en_US", "HCS-2026-000001 was due on April 17, 2026; $1,234.50 are open after 9 days."),
        (
            "de_DE",
            "HCS-2026-000001 was due on 17. April 2026; 1.234,50\N{NO-BREAK SPACE}$ are open after 9 days.",
        ),
    ],
)
def test_figures_are_the_customers(language: str, sentence: str) -> None:
    made = words(language=language)
    assert made["subject"] == "Reminder: HCS-2026-000001"
    assert sentence in made["text"]
    assert sentence in made["html"]


LEVELS = {
    "en_US": "invoice HCS-2026-000001 was due on April 17, 2026, and $1,234.50 of it are still open.",
    "de_DE": "die Rechnung HCS-2026-000001 war am 17. April 2026 fällig; davon sind noch 1.234,50 $ offen.",
    "fr_FR": "La facture HCS-2026-000001 était due le 17 avril 2026 et 1 234,50 $US restent à payer.",
    "es_ES": "La factura HCS-2026-000001 venció el 17 de abril de 2026 y quedan por pagar 1.234,50 US$.",
}


@pytest.mark.parametrize(("language", "sentence"), LEVELS.items(), ids=LEVELS)
def test_the_shipped_reminders_speak_the_customers_language(language: str, sentence: str) -> None:
    levels = read_masters(shipped("data", "masters")).policy.reminders
    told = [words(level.subject, level.text, language=language) for level in levels]
    english = [("eminder" in made["subject"], "Hello," in made["text"]) for made in told]
    assert english == [(language == "en_US",) * 2] * 2
    made = told[0]
    shown = [
        " ".join(made[part].replace("\xa0", " ").replace("\u202f", " ").split()) for part in ("text", "html")
    ]
    assert [sentence in text for text in shown] == [True, True]


def test_a_name_is_text_and_nothing_else() -> None:
    name = "<b>{amount}</b>\r\nBcc: x@example.com"
    made = words(subject="{name}", text="{name} {unknown}", name=name)
    assert made["subject"] == "<b>{amount}</b> Bcc: x@example.com"
    assert "<b>" not in made["html"]
    assert "{unknown}" in made["text"]

"""The words of a reminder: the house's text, the customer's figures, and no text that becomes markup or a header."""

import json
from decimal import Decimal

import pytest

from pipeline.render.reminder import render_reminder
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


def test_a_name_is_text_and_nothing_else() -> None:
    name = "<b>{amount}</b>\r\nBcc: x@example.com"
    made = words(subject="{name}", text="{name} {unknown}", name=name)
    assert made["subject"] == "<b>{amount}</b> Bcc: x@example.com"
    assert "<b>" not in made["html"]
    assert "{unknown}" in made["text"]

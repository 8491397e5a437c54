"""The e-invoice files of one document, in the customer's language: Factur-X for the PDF, UBL beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.domain.money import add
from pipeline.render.cii import write_cii
from pipeline.render.document import Document
from pipeline.render.einvoice import Unfit, make_einvoice
from pipeline.render.html import Voice
from pipeline.render.ubl import write_ubl
from pipeline.render.wording import filled
from pipeline.render.xmp import FACTURX

UBL = "invoice.ubl.xml"


@dataclass(frozen=True, slots=True)
class Electronic:
    """The files by name, or ``reason`` why there are none."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    reason: str = ""


def electronic(document: Document, templates: Path | None = None) -> Electronic:
    """What a program of the customer's reads in place of the page.

    Raises:
        RenderError: the customer's language or zone is unknown.
    """
    voice = Voice.of(document.language, document.zone, document.currency, templates)
    names = [voice.described(item) for item in document.items]
    made = make_einvoice(document, names, _notes(document, voice), _terms(document, voice))
    if isinstance(made, Unfit):
        return Electronic(reason=made.reason)
    return Electronic({FACTURX: write_cii(made), UBL: write_ubl(made)})


def _notes(document: Document, voice: Voice) -> list[str]:
    notes = [document.corrects.reason] if document.corrects else []
    totals = document.totals
    if not document.corrects and totals.amount_due != add((totals.amount, totals.amount_tax)):
        text = "Asked for on the page, with what was open before and what was paid: {amount}."
        notes.append(filled(voice.words.text(text), {"amount": voice.formats.money(totals.amount_due)}))
    return notes


def _terms(document: Document, voice: Voice) -> str:
    """How it is to be paid, in words; the standard wants them, or a date, wherever something is due."""
    if document.corrects or not document.totals.amount_due:
        return voice.words.text("Nothing to pay.")
    if document.date_due is None:
        return "; ".join(document.seller.remit_to) or voice.words.text("How to pay")
    when = voice.formats.long_date(document.date_due)
    return str(filled(voice.words.text("Please pay by {date}"), {"date": when}))

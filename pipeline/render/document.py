"""What a page shows, as one immutable value: read from the ledger, never from today's master data.

An invoice's snapshot froze its customer and seller when it was drafted; items, taxes and totals are the ledger's own
rows. Whatever reaches a style or an attribute (paper, accent, logo) is checked here and is one of ours; all the rest
is text and stays text. Nothing here formats: see ``formats``.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.domain.invoice import Item, TaxItem, Totals
from pipeline.domain.period import Period
from pipeline.errors import RenderError
from pipeline.ledger import schema
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.query import rows, rows_in
from pipeline.ledger.taxes import tax_of
from pipeline.masters.model import Seller
from pipeline.render.detail import Detail

ACCENT = Seller(key="", name="").accent
LETTER_COUNTRIES = frozenset({"USA", "CAN", "MEX", "PHL", "COL", "CHL", "VEN"})
LOGO_BYTES = 300_000
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_RASTER = {".png": ("image/png", b"\x89PNG\r\n\x1a\n"), ".jpg": ("image/jpeg", b"\xff\xd8\xff")}
# What makes an SVG more than a drawing: scripts, other files, entities.
_ACTIVE_SVG = re.compile(
    rb"<!doctype|<!entity|<script|<foreignobject|<image|<use|\bon\w+\s*=|href\s*=\s*[\"'](?!#)|@import|url\(\s*[\"']?(?!#)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of the customer's month."""

    date: date
    amount: Decimal
    seconds: int
    messages: int


@dataclass(frozen=True, slots=True)
class PlanUse:
    """A plan that priced records of this invoice."""

    name: str
    version: str
    unit: str
    increments: str
    records: int


@dataclass(frozen=True, slots=True)
class Party:
    """Who issues: as printed, with a logo that is a data URI (or empty) and an accent that is ``#rrggbb``."""

    name: str
    address: tuple[str, ...]
    tax_ids: tuple[str, ...]
    email: str
    phone: str
    website: str
    remit_to: tuple[str, ...]
    logo: str
    accent: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The invoice that a credit note takes something back of, and why. ``taxes`` are that invoice's own."""

    number: str
    date_issued: datetime
    reason: str
    taxes: tuple[TaxItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One invoice or credit note, ready to be put on a page. ``number`` is empty while it is a draft.

    ``country`` (alpha-3), ``city`` and ``zip`` are where the customer is taxed; ``bill_to`` is the address as printed.
    """

    invoice_sid: str
    number: str
    currency: str
    language: str
    zone: str
    paper: str
    seller: Party
    bill_to: tuple[str, ...]
    customer_name: str
    tax_id: str
    tax_exempt: str
    purchase_order: str
    buyer_reference: str
    period: Period
    date_issued: datetime | None
    date_due: datetime | None
    items: tuple[Item, ...]
    taxes: tuple[TaxItem, ...]
    totals: Totals
    days: tuple[Day, ...]
    plans: tuple[PlanUse, ...]
    notes: tuple[str, ...]
    not_billed: tuple[tuple[str, int], ...]
    calls: Detail
    messages: Detail
    corrects: Corrected | None = None
    country: str = ""
    city: str = ""
    zip: str = ""
    recipients: tuple[str, ...] = ()

    @property
    def draft(self) -> bool:
        return not self.number

    @property
    def kind(self) -> str:
        if self.corrects:
            return "Credit note"
        return "Draft invoice" if self.draft else "Invoice"

    @property
    def title(self) -> str:
        return f"{self.kind} {self.number}".rstrip()


def load_sids(ledger: Ledger) -> list[str]:
    """All invoices, drafts and issued ones, oldest first."""
    table = schema.invoices
    ordered = table.select().order_by(table.c.period_end, table.c.invoice_sid)
    return [row["invoice_sid"] for row in rows(ledger, ordered.with_only_columns(table.c.invoice_sid))]


def load_rows(ledger: Ledger, invoice_sids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The rows of some invoices by sid, in the order asked for; not for more at a time than memory shall hold."""
    table = schema.invoices
    found = rows(ledger, table.select().where(table.c.invoice_sid.in_(invoice_sids)))
    by_sid = {row["invoice_sid"]: row for row in found}
    return {sid: by_sid[sid] for sid in invoice_sids}


def load_lines(ledger: Ledger, invoice_sid: str) -> tuple[tuple[Item, ...], tuple[TaxItem, ...]]:
    """Items and taxes of an invoice, in their order."""
    items, taxes = schema.invoice_items, schema.invoice_taxes
    with ledger.read() as tx:
        item_rows = rows_in(
            tx, items.select().where(items.c.invoice_sid == invoice_sid).order_by(items.c.line_no)
        )
        tax_rows = rows_in(
            tx, taxes.select().where(taxes.c.invoice_sid == invoice_sid).order_by(taxes.c.line_no)
        )
    return tuple(_item(row) for row in item_rows), tuple(tax_of(row) for row in tax_rows)


def corrected_sid(row: Mapping[str, Any]) -> str | None:
    """The invoice that a credit note corrects."""
    if row["kind"] != "credit_note":
        return None
    try:
        return str(json.loads(row["snapshot"])["credits"]["invoice_sid"])
    except (KeyError, TypeError, ValueError):
        return None


def make_document(
    row: Mapping[str, Any],
    items: tuple[Item, ...],
    taxes: tuple[TaxItem, ...],
    calls: Detail,
    messages: Detail,
    logos: Path,
    corrected_taxes: tuple[TaxItem, ...] = (),
) -> Document:
    """The document of one row of ``invoices``; ``logos`` is the folder that a seller's logo lies in.

    ``corrected_taxes`` are those of the invoice that a credit note corrects.

    Raises:
        RenderError: the snapshot is not what an invoice writes, or the logo cannot be taken.
    """
    try:
        snapshot = json.loads(row["snapshot"])
        customer, seller = snapshot["customer"], snapshot["seller"]
        place = customer["place"]
        return Document(
            invoice_sid=row["invoice_sid"],
            number=row["number"] or "",
            currency=row["currency"],
            language=customer["language"],
            zone=customer["time_zone"],
            paper="letter" if place["country"] in LETTER_COUNTRIES else "A4",
            seller=party_of(seller, logos),
            bill_to=_texts(snapshot["bill_to"]),
            customer_name=customer["name"],
            tax_id=customer["tax_id"],
            tax_exempt=customer["tax_exempt"],
            purchase_order=customer["purchase_order"],
            buyer_reference=customer.get("buyer_reference", ""),
            period=Period(row["period_start"], row["period_end"]),
            date_issued=row["date_issued"],
            date_due=row["date_due"],
            items=items,
            taxes=taxes,
            totals=_totals(row),
            days=tuple(_day(day) for day in snapshot["days"]),
            plans=tuple(_plan(plan) for plan in snapshot["plans"]),
            notes=_texts(snapshot["notes"]),
            not_billed=tuple((str(r["reason"]), int(r["records"])) for r in snapshot["not_billed"]),
            calls=calls,
            messages=messages,
            corrects=_corrected(snapshot.get("credits"), corrected_taxes),
            country=place["country"],
            city=place.get("city", ""),
            zip=place.get("zip", ""),
            recipients=_texts(snapshot.get("recipients", ())),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise RenderError(_unreadable(row["invoice_sid"], error)) from error


def _unreadable(invoice_sid: str, error: Exception) -> str:
    return (
        f"invoice {invoice_sid}: its snapshot cannot be read ({type(error).__name__}: {error}). "
        "Drop the draft and bill again; an issued invoice needs a backup of the ledger."
    )


def read_logo(folder: Path, name: str) -> str:
    """A logo file as a data URI, or an empty text where the seller has none.

    Raises:
        RenderError: it is missing, too big, not an image we know, or an SVG that is more than a drawing.
    """
    if not name:
        return ""
    advice = "Put a plain SVG, PNG or JPEG beside the master files, or take the logo out of sellers.toml."
    if Path(name).name != name or name.startswith("."):
        msg = f"logo {name!r} is not a plain file name. {advice}"
        raise RenderError(msg)
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        msg = f"logo {folder / name} cannot be read ({error.strerror}). {advice}"
        raise RenderError(msg) from None
    mime = _image_type(Path(name).suffix.lower(), content)
    if not mime or len(content) > LOGO_BYTES:
        msg = f"logo {folder / name} is not a plain image of at most {LOGO_BYTES} bytes. {advice}"
        raise RenderError(msg)
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def _image_type(suffix: str, content: bytes) -> str:
    if suffix == ".svg":
        return "" if _ACTIVE_SVG.search(content) or b"<svg" not in content else "image/svg+xml"
    mime, magic = _RASTER.get(".jpg" if suffix == ".jpeg" else suffix, ("", b""))
    return mime if mime and content.startswith(magic) else ""


def party_of(seller: Mapping[str, Any], logos: Path) -> Party:
    """Who issues, as a master file or a snapshot says."""
    accent = str(seller["accent"])
    return Party(
        name=seller["name"],
        address=_texts(seller["address"]),
        tax_ids=_texts(seller["tax_ids"]),
        email=seller["email"],
        phone=seller["phone"],
        website=seller["website"],
        remit_to=_texts(seller["remit_to"]),
        logo=read_logo(logos, seller["logo"]),
        accent=accent if _COLOUR.match(accent) else ACCENT,
        country=seller.get("country", ""),
    )


def _corrected(credits: Mapping[str, Any] | None, taxes: tuple[TaxItem, ...]) -> Corrected | None:
    if credits is None:
        return None
    issued = datetime.fromisoformat(credits["date_issued"])
    return Corrected(str(credits["number"]), issued, str(credits["reason"]), taxes)


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _item(row: Mapping[str, Any]) -> Item:
    return Item(
        type=row["type"],
        direction=row["direction"],
        country_code=row["country_code"],
        description=row["description"],
        usage=row["usage"],
        records=row["records"],
        amount_exact=row["amount_exact"],
        amount=row["amount"],
        period=Period(row["period_start"], row["period_end"]),
        detail=json.loads(row["detail"]),
    )


def _totals(row: Mapping[str, Any]) -> Totals:
    return Totals(**{name: row[name] for name in Totals.__dataclass_fields__})


def _day(day: Mapping[str, Any]) -> Day:
    return Day(
        date.fromisoformat(day["date"]),
        Decimal(day["amount"]),
        int(Decimal(day["seconds"])),
        int(day["messages"]),
    )


def _plan(plan: Mapping[str, Any]) -> PlanUse:
    return PlanUse(
        name=str(plan["name"] or plan["plan_sid"]),
        version=str(plan["plan_version"]),
        unit=str(plan["unit"]),
        increments=str(plan["increments"]),
        records=int(plan["records"]),
    )

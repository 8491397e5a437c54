"""An invoice as EN 16931 sees it: the European standard's terms as values, taken from the same document as the page.

Nothing is computed anew: line amounts, tax and total are the page's own, and a document whose figures the standard
cannot say is not made into something else. What is chosen where the standard leaves a choice:

- A line's quantity is its usage (seconds ``SEC``, else a count ``C62``), and its price is the line's amount per all
  of that usage (the standard's base quantity), so that quantity times price is the amount to the cent, always.
- Value added tax is what a country of ``VAT_COUNTRIES`` levies as its federal service tax: category S with its rate, Z
  at rate 0. Reverse charge is AE, a customer's exemption E with its reason. Without any tax, where seller or customer
  is outside of these countries, it is O (not subject to VAT), and then neither VAT number is stated, as O demands.
- The standard knows no tax but VAT. An American invoice with its funds and sales taxes would have to call them
  charges that are "not subject to VAT": true in the letter and read wrongly by every program that sums up tax. So an
  invoice between parties that have nothing to do with VAT has no such file, and neither has one that carries another
  tax beside VAT.
- What was open before and what was paid belong to the account, not to this invoice: the amount due here is the
  invoice's own total, and a note says what the page asks for. A credit note is type 381 with positive amounts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from pipeline.domain.invoice import Item, TaxItem
from pipeline.domain.money import add, minor_unit, multiply, to_minor
from pipeline.domain.period import Period
from pipeline.domain.tax import PERCENT, REVERSE
from pipeline.render.document import Document
from pipeline.render.formats import TIMED, alpha2
from pipeline.render.identifiers import VAT_COUNTRIES, find_iban, vat_number

INVOICE, CREDIT_NOTE = "380", "381"
STANDARD, ZERO, EXEMPT, REVERSE_CHARGE, OUTSIDE = "S", "Z", "E", "AE", "O"
_VAT_TYPE = "service_tax"
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Vat:
    """A VAT category and, where it has one, its rate in percent."""

    category: str
    percent: Decimal | None = None
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class VatSum:
    """What a category comes to over the invoice."""

    vat: Vat
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Trader:
    """Seller or customer. ``country`` is alpha-2; ``tax_number`` is one that is not for VAT.

    ``identifier`` is what a program can know a seller by where no VAT number is stated.
    """

    name: str
    address: tuple[str, ...]
    city: str
    zip: str
    country: str
    vat_id: str
    tax_number: str = ""
    identifier: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``price`` is for ``price_quantity`` units."""

    number: int
    name: str
    quantity: Decimal
    unit: str
    price: Decimal
    price_quantity: Decimal
    amount: Decimal
    vat: Vat
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class EInvoice:
    """The document's content in the standard's terms; ``corrects`` is the number and date of a credited invoice."""

    type_code: str
    number: str
    issued: date
    due: date | None
    currency: str
    first: date
    last: date
    order: str
    buyer_reference: str
    notes: tuple[str, ...]
    seller: Trader
    buyer: Trader
    corrects: tuple[str, date] | None
    iban: str
    terms: str
    lines: tuple[Line, ...]
    vats: tuple[VatSum, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class Unfit:
    """The document cannot be said in the standard's terms; ``reason`` says why, in a sentence."""

    reason: str


def make_einvoice(
    document: Document, names: Sequence[str], notes: Iterable[str], terms: str
) -> EInvoice | Unfit:
    """The e-invoice of an issued document; ``names`` are its lines' descriptions, as on the page."""
    if document.date_issued is None:
        return Unfit("A draft is no invoice.")
    if minor_unit(document.currency) > 2:
        return Unfit(f"EN 16931 has two decimals, {document.currency} has more.")
    seller, buyer = _seller(document), _buyer(document)
    if not seller.country or not buyer.country:
        return Unfit("The country of the seller or of the customer is unknown.")
    vats = _vats(document, seller, buyer)
    if isinstance(vats, Unfit):
        return vats
    lines = tuple(
        _line(document, place, item, names[place], vat)
        for place, (item, vat) in enumerate(zip(document.items, vats, strict=True))
    )
    if any(vat.category == OUTSIDE for vat in vats):
        seller = replace(seller, vat_id="", identifier=seller.tax_number or seller.vat_id)
        buyer = replace(buyer, vat_id="")
    made = _whole(document, seller, buyer, lines)
    return (
        replace(made, notes=tuple(notes), terms=terms)
        if _adds_up(made)
        else Unfit("Its lines and taxes do not add up to its total in the standard's terms.")
    )


def _whole(document: Document, seller: Trader, buyer: Trader, lines: tuple[Line, ...]) -> EInvoice:
    corrects, issued = document.corrects, document.date_issued
    assert issued is not None
    first, last = _days(document.period, document.zone)
    return EInvoice(
        type_code=CREDIT_NOTE if corrects else INVOICE,
        number=document.number,
        issued=_day(issued, document.zone),
        due=_day(document.date_due, document.zone) if document.date_due else None,
        currency=document.currency,
        first=first,
        last=last,
        order=document.purchase_order,
        buyer_reference=document.buyer_reference,
        notes=(),
        seller=seller,
        buyer=buyer,
        corrects=(corrects.number, _day(corrects.date_issued, document.zone)) if corrects else None,
        iban=find_iban(document.seller.remit_to),
        terms="",
        lines=lines,
        vats=_sums(document, lines),
        net=_signed(document, document.totals.amount),
        tax=_signed(document, document.totals.amount_tax),
        gross=_signed(document, document.totals.amount, document.totals.amount_tax),
    )


def _adds_up(made: EInvoice) -> bool:
    return (
        add(line.amount for line in made.lines) == made.net
        and add(vat.base for vat in made.vats) == made.net
        and add(vat.amount for vat in made.vats) == made.tax
    )


def _signed(document: Document, *amounts: Decimal) -> Decimal:
    """Their sum; a credit note's amounts are negative on the page and positive in the standard."""
    total = add(amounts)
    return to_minor(-total if document.corrects else total, document.currency)


def _line(document: Document, place: int, item: Item, name: str, vat: Vat) -> Line:
    amount = _signed(document, item.amount)
    usage = abs(Decimal(item.usage))
    quantity = usage or Decimal(1)
    first, last = _days(item.period, document.zone)
    return Line(
        number=place + 1,
        name=name,
        quantity=-quantity if amount < 0 else quantity,
        unit="SEC" if usage and item.type in TIMED else "C62",
        price=abs(amount),
        price_quantity=quantity,
        amount=amount,
        vat=vat,
        first=first,
        last=last,
    )


def _vats(document: Document, seller: Trader, buyer: Trader) -> list[Vat] | Unfit:
    """The category of each line, in their order."""
    parties = (document.seller.country, document.country)
    if not (seller.vat_id or buyer.vat_id or VAT_COUNTRIES & set(parties)):
        return Unfit("Neither the seller nor the customer has anything to do with VAT.")
    charged = document.corrects.taxes if document.corrects else document.taxes
    other = [tax.name for tax in charged if not _is_vat(tax, document.country)]
    if other:
        return Unfit(f"EN 16931 knows no tax but VAT, and this invoice carries {other[0]}.")
    vats = _taxed(document, charged) if charged else _untaxed(document, buyer)
    if isinstance(vats, Unfit):
        return vats
    if not (seller.vat_id or seller.tax_number):
        return Unfit("The seller has no tax number in sellers.toml.")
    categories = {vat.category for vat in vats}
    if REVERSE_CHARGE in categories and not buyer.vat_id:
        return Unfit("Reverse charge needs the customer's VAT number in customers.csv.")
    if STANDARD in categories and not seller.vat_id and document.seller.country not in VAT_COUNTRIES:
        return Unfit("A seller who charges VAT needs a VAT number in sellers.toml.")
    return vats


def _taxed(document: Document, charged: Iterable[TaxItem]) -> list[Vat] | Unfit:
    by_line: dict[int, Vat] = {}
    for tax in charged:
        if tax.method not in (PERCENT, REVERSE) or tax.per or tax.share != 1:
            return Unfit(f"{tax.name} is not a plain percentage of lines.")
        if by_line.keys() & set(tax.lines):
            return Unfit(f"{tax.name} is a second VAT on one line.")
        by_line |= dict.fromkeys(tax.lines, _vat(tax, document.country))
    numbers = [int(str(item.detail.get("credits_line", n))) for n, item in enumerate(document.items, start=1)]
    missing = [n for n in numbers if n not in by_line]
    if missing:
        return Unfit(f"Line {missing[0]} bears no VAT, and nothing says why.")
    return [by_line[n] for n in numbers]


def _vat(tax: TaxItem, country: str) -> Vat:
    if tax.method == REVERSE:
        return _reverse(f"Reverse charge ({tax.legal_source})", country)
    percent = multiply(tax.rate, _HUNDRED).normalize()
    return Vat(STANDARD if percent else ZERO, percent or Decimal(0))


def _reverse(reason: str, country: str) -> Vat:
    european = country in VAT_COUNTRIES - {"GBR", "CHE", "NOR", "ISL", "LIE"}
    return Vat(REVERSE_CHARGE, Decimal(0), reason, "VATEX-EU-AE" if european else "")


def _untaxed(document: Document, buyer: Trader) -> list[Vat] | Unfit:
    reason = document.tax_exempt
    if reason and buyer.vat_id and "reverse charge" in reason.lower():
        vat = _reverse(reason, document.country)
    elif reason:
        vat = Vat(EXEMPT, Decimal(0), reason)
    elif {document.seller.country, document.country} <= VAT_COUNTRIES:
        return Unfit("No VAT is charged, and nothing says why.")
    else:
        vat = Vat(OUTSIDE, None, "Not subject to VAT", "VATEX-EU-O")
    return [vat] * len(document.items)


def _is_vat(tax: TaxItem, country: str) -> bool:
    return tax.type == _VAT_TYPE and tax.jurisdiction == "federal" and country in VAT_COUNTRIES


def _sums(document: Document, lines: Iterable[Line]) -> tuple[VatSum, ...]:
    """Each category once, in the order of the lines; its tax is what the page charges at that rate."""
    bases: dict[Vat, list[Decimal]] = {}
    for line in lines:
        bases.setdefault(line.vat, []).append(line.amount)
    return tuple(
        VatSum(vat, add(amounts), _signed(document, *(t.amount for t in document.taxes if _rated(t, vat))))
        for vat, amounts in bases.items()
    )


def _rated(tax: TaxItem, vat: Vat) -> bool:
    return vat.category == STANDARD and multiply(tax.rate, _HUNDRED) == vat.percent


def _seller(document: Document) -> Trader:
    seller = document.seller
    vat_id = next(filter(None, map(vat_number, seller.tax_ids)), "")
    others = [text for text in seller.tax_ids if not vat_number(text)]
    return Trader(
        name=seller.name,
        address=tuple(line for line in seller.address if line != seller.name)[:3],
        city="",
        zip="",
        country=alpha2(seller.country),
        vat_id=vat_id,
        tax_number=others[0] if others else "",
        identifier=others[0] if others and not vat_id else "",
        email=seller.email,
        phone=seller.phone,
    )


def _buyer(document: Document) -> Trader:
    lines = document.bill_to[1:-1]
    known = [line for line in lines if document.city and document.city in line and document.zip in line]
    return Trader(
        name=document.customer_name,
        address=tuple(line for line in lines if line not in known)[:3],
        city=document.city if known else "",
        zip=document.zip if known else "",
        country=alpha2(document.country),
        vat_id=vat_number(document.tax_id),
        email=document.recipients[0] if document.recipients else "",
    )


def _days(period: Period, zone: str) -> tuple[date, date]:
    return _day(period.start, zone), _day(period.end - timedelta(microseconds=1), zone)


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()

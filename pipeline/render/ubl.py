"""An e-invoice as UBL 2.1, the syntax of Peppol and of most public buyers: an Invoice, or a CreditNote.

The order of elements is that of the schema.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from pipeline.render.cii import GUIDELINE
from pipeline.render.einvoice import CREDIT_NOTE, EInvoice, Line, Trader, Vat, VatSum
from pipeline.render.xmlwriter import Element, document, node

_ROOT = "urn:oasis:names:specification:ubl:schema:xsd:{}-2"
_PARTS = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def write_ubl(invoice: EInvoice) -> bytes:
    """The XML file."""
    credit = invoice.type_code == CREDIT_NOTE
    kind = "CreditNote" if credit else "Invoice"
    root = node(
        kind,
        node("cbc:CustomizationID", GUIDELINE),
        node("cbc:ID", invoice.number),
        node("cbc:IssueDate", invoice.issued.isoformat()),
        # A credit note has its date with the means of payment, and nothing to pay.
        node("cbc:DueDate", invoice.due.isoformat()) if invoice.due and not credit else None,
        node(f"cbc:{kind}TypeCode", invoice.type_code),
        (node("cbc:Note", note) for note in invoice.notes),
        node("cbc:DocumentCurrencyCode", invoice.currency),
        node("cbc:BuyerReference", invoice.buyer_reference),
        _period(invoice.first, invoice.last),
        node("cac:OrderReference", node("cbc:ID", invoice.order)),
        _corrected(invoice),
        node("cac:AccountingSupplierParty", _party(invoice.seller)),
        node("cac:AccountingCustomerParty", _party(invoice.buyer)),
        node("cac:Delivery", node("cbc:ActualDeliveryDate", invoice.last.isoformat())),
        _payment(invoice),
        node("cac:PaymentTerms", node("cbc:Note", invoice.terms)),
        node(
            "cac:TaxTotal",
            _money("cbc:TaxAmount", invoice.tax, invoice),
            (_vat_sum(vat, invoice) for vat in invoice.vats),
        ),
        node(
            "cac:LegalMonetaryTotal",
            _money("cbc:LineExtensionAmount", invoice.net, invoice),
            _money("cbc:TaxExclusiveAmount", invoice.net, invoice),
            _money("cbc:TaxInclusiveAmount", invoice.gross, invoice),
            _money("cbc:PayableAmount", invoice.gross, invoice),
        ),
        (_line(line, invoice, kind) for line in invoice.lines),
    )
    return document(root, {"": _ROOT.format(kind)} | _PARTS)


def _party(party: Trader) -> Element:
    street, extra, third = (*party.address, "", "", "")[:3]
    return node(
        "cac:Party",
        node("cbc:EndpointID", party.email, schemeID="EM"),
        node("cac:PartyIdentification", node("cbc:ID", party.identifier)),
        node(
            "cac:PostalAddress",
            node("cbc:StreetName", street),
            node("cbc:AdditionalStreetName", extra),
            node("cbc:CityName", party.city),
            node("cbc:PostalZone", party.zip),
            node("cac:AddressLine", node("cbc:Line", third)),
            node("cac:Country", node("cbc:IdentificationCode", party.country)),
        ),
        _registration(party.vat_id, "VAT"),
        _registration(party.tax_number, "TAX"),
        node("cac:PartyLegalEntity", node("cbc:RegistrationName", party.name)),
        node(
            "cac:Contact",
            (node("cbc:Telephone", party.phone), node("cbc:ElectronicMail", party.email))
            if party.phone
            else None,
        ),
    )


def _registration(number: str, scheme: str) -> Element | None:
    return node("cac:PartyTaxScheme", node("cbc:CompanyID", number), _scheme(scheme)) if number else None


def _payment(invoice: EInvoice) -> Element | None:
    if not invoice.iban:
        return None
    return node(
        "cac:PaymentMeans",
        node("cbc:PaymentMeansCode", "58" if invoice.currency == "EUR" else "30"),
        node("cbc:PaymentID", invoice.number),
        node("cac:PayeeFinancialAccount", node("cbc:ID", invoice.iban)),
    )


def _vat_sum(total: VatSum, invoice: EInvoice) -> Element:
    vat = total.vat
    reasons = (
        node("cbc:TaxExemptionReasonCode", vat.reason_code),
        node("cbc:TaxExemptionReason", vat.reason),
    )
    return node(
        "cac:TaxSubtotal",
        _money("cbc:TaxableAmount", total.base, invoice),
        _money("cbc:TaxAmount", total.amount, invoice),
        _category("cac:TaxCategory", vat, reasons),
    )


def _line(line: Line, invoice: EInvoice, kind: str) -> Element:
    quantity = "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity"
    return node(
        f"cac:{kind}Line",
        node("cbc:ID", line.number),
        node(f"cbc:{quantity}", line.quantity, unitCode=line.unit),
        _money("cbc:LineExtensionAmount", line.amount, invoice),
        _period(line.first, line.last),
        node("cac:Item", node("cbc:Name", line.name), _category("cac:ClassifiedTaxCategory", line.vat)),
        node(
            "cac:Price",
            _money("cbc:PriceAmount", line.price, invoice),
            node("cbc:BaseQuantity", line.price_quantity, unitCode=line.unit),
        ),
    )


def _category(name: str, vat: Vat, reasons: Iterable[Element] = ()) -> Element:
    percent = node("cbc:Percent", "" if vat.percent is None else vat.percent)
    return node(name, node("cbc:ID", vat.category), percent, reasons, _scheme("VAT"))


def _scheme(name: str) -> Element:
    return node("cac:TaxScheme", node("cbc:ID", name))


def _corrected(invoice: EInvoice) -> Element | None:
    if invoice.corrects is None:
        return None
    number, issued = invoice.corrects
    return node(
        "cac:BillingReference",
        node(
            "cac:InvoiceDocumentReference",
            node("cbc:ID", number),
            node("cbc:IssueDate", issued.isoformat()),
        ),
    )


def _period(first: date, last: date) -> Element:
    return node(
        "cac:InvoicePeriod",
        node("cbc:StartDate", first.isoformat()),
        node("cbc:EndDate", last.isoformat()),
    )


def _money(name: str, amount: Decimal, invoice: EInvoice) -> Element:
    return node(name, amount, currencyID=invoice.currency)

"""An e-invoice as Cross Industry Invoice, the syntax that Factur-X and ZUGFeRD carry inside a PDF.

The order of elements is that of the schema. Profile EN 16931 of Factur-X is the standard itself.
"""

from collections.abc import Iterable
from datetime import date

from pipeline.render.einvoice import EInvoice, Line, Trader, Vat, VatSum
from pipeline.render.xmlwriter import Element, document, node

GUIDELINE = "urn:cen.eu:en16931:2017"
_SPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}


def write_cii(invoice: EInvoice) -> bytes:
    """The XML file."""
    guideline = node("ram:GuidelineSpecifiedDocumentContextParameter", node("ram:ID", GUIDELINE))
    return document(
        node(
            "rsm:CrossIndustryInvoice",
            node("rsm:ExchangedDocumentContext", guideline),
            node(
                "rsm:ExchangedDocument",
                node("ram:ID", invoice.number),
                node("ram:TypeCode", invoice.type_code),
                _day("ram:IssueDateTime", invoice.issued),
                (node("ram:IncludedNote", node("ram:Content", note)) for note in invoice.notes),
            ),
            node(
                "rsm:SupplyChainTradeTransaction",
                (_line(line) for line in invoice.lines),
                _agreement(invoice),
                _delivery(invoice.last),
                _settlement(invoice),
            ),
        ),
        _SPACES,
    )


def _line(line: Line) -> Element:
    return node(
        "ram:IncludedSupplyChainTradeLineItem",
        node("ram:AssociatedDocumentLineDocument", node("ram:LineID", line.number)),
        node("ram:SpecifiedTradeProduct", node("ram:Name", line.name)),
        node(
            "ram:SpecifiedLineTradeAgreement",
            node(
                "ram:NetPriceProductTradePrice",
                node("ram:ChargeAmount", line.price),
                node("ram:BasisQuantity", line.price_quantity, unitCode=line.unit),
            ),
        ),
        node("ram:SpecifiedLineTradeDelivery", node("ram:BilledQuantity", line.quantity, unitCode=line.unit)),
        node(
            "ram:SpecifiedLineTradeSettlement",
            node(
                "ram:ApplicableTradeTax", node("ram:TypeCode", "VAT"), _category(line.vat), _percent(line.vat)
            ),
            _period(line.first, line.last),
            node(
                "ram:SpecifiedTradeSettlementLineMonetarySummation", node("ram:LineTotalAmount", line.amount)
            ),
        ),
    )


def _agreement(invoice: EInvoice) -> Element:
    return node(
        "ram:ApplicableHeaderTradeAgreement",
        node("ram:BuyerReference", invoice.buyer_reference),
        _party("ram:SellerTradeParty", invoice.seller),
        _party("ram:BuyerTradeParty", invoice.buyer),
        node("ram:BuyerOrderReferencedDocument", node("ram:IssuerAssignedID", invoice.order)),
    )


def _party(name: str, party: Trader) -> Element:
    lines = dict(zip(("ram:LineOne", "ram:LineTwo", "ram:LineThree"), party.address, strict=False))
    contact = (
        node("ram:TelephoneUniversalCommunication", node("ram:CompleteNumber", party.phone)),
        node("ram:EmailURIUniversalCommunication", node("ram:URIID", party.email)),
    )
    return node(
        name,
        node("ram:ID", party.identifier),
        node("ram:Name", party.name),
        node("ram:DefinedTradeContact", contact if party.phone else None),
        node(
            "ram:PostalTradeAddress",
            node("ram:PostcodeCode", party.zip),
            (node(line, text) for line, text in lines.items()),
            node("ram:CityName", party.city),
            node("ram:CountryID", party.country),
        ),
        node("ram:URIUniversalCommunication", node("ram:URIID", party.email, schemeID="EM")),
        _registration(party.tax_number, "FC"),
        _registration(party.vat_id, "VA"),
    )


def _registration(number: str, scheme: str) -> Element:
    return node("ram:SpecifiedTaxRegistration", node("ram:ID", number, schemeID=scheme))


def _delivery(day: date) -> Element:
    """The supply was complete on the last day of the period, which is also the tax point."""
    event = node("ram:ActualDeliverySupplyChainEvent", _day("ram:OccurrenceDateTime", day))
    return node("ram:ApplicableHeaderTradeDelivery", event)


def _settlement(invoice: EInvoice) -> Element:
    account = node("ram:PayeePartyCreditorFinancialAccount", node("ram:IBANID", invoice.iban))
    means = node("ram:TypeCode", "58" if invoice.currency == "EUR" else "30")
    return node(
        "ram:ApplicableHeaderTradeSettlement",
        node("ram:PaymentReference", invoice.number),
        node("ram:InvoiceCurrencyCode", invoice.currency),
        node("ram:SpecifiedTradeSettlementPaymentMeans", (means, account) if invoice.iban else None),
        (_vat_sum(vat) for vat in invoice.vats),
        _period(invoice.first, invoice.last),
        node(
            "ram:SpecifiedTradePaymentTerms",
            node("ram:Description", invoice.terms),
            _day("ram:DueDateDateTime", invoice.due) if invoice.due else None,
        ),
        node(
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
            node("ram:LineTotalAmount", invoice.net),
            node("ram:TaxBasisTotalAmount", invoice.net),
            node("ram:TaxTotalAmount", invoice.tax, currencyID=invoice.currency),
            node("ram:GrandTotalAmount", invoice.gross),
            node("ram:DuePayableAmount", invoice.gross),
        ),
        _corrected(invoice),
    )


def _vat_sum(total: VatSum) -> Element:
    return node(
        "ram:ApplicableTradeTax",
        node("ram:CalculatedAmount", total.amount),
        node("ram:TypeCode", "VAT"),
        node("ram:ExemptionReason", total.vat.reason),
        node("ram:BasisAmount", total.base),
        _category(total.vat),
        node("ram:ExemptionReasonCode", total.vat.reason_code),
        _percent(total.vat),
    )


def _category(vat: Vat) -> Element:
    return node("ram:CategoryCode", vat.category)


def _percent(vat: Vat) -> Element:
    return node("ram:RateApplicablePercent", "" if vat.percent is None else vat.percent)


def _corrected(invoice: EInvoice) -> Iterable[Element]:
    if invoice.corrects is None:
        return ()
    number, issued = invoice.corrects
    at = node("qdt:DateTimeString", f"{issued:%Y%m%d}", format="102")
    return (
        node(
            "ram:InvoiceReferencedDocument",
            node("ram:IssuerAssignedID", number),
            node("ram:FormattedIssueDateTime", at),
        ),
    )


def _period(first: date, last: date) -> Element:
    return node("ram:BillingSpecifiedPeriod", _day("ram:StartDateTime", first), _day("ram:EndDateTime", last))


def _day(name: str, day: date) -> Element:
    return node(name, node("udt:DateTimeString", f"{day:%Y%m%d}", format="102"))

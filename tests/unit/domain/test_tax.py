"""Taxes beyond a plain percentage: fixed amounts, bounds, tax on tax, certificates, reverse charge, rules that ran out.

What every tax shares (share, scope, the tax point, places) is shown in ``test_invoice_sums``.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pipeline.domain.invoice import Item, TaxItem
from pipeline.domain.money import to_minor
from pipeline.domain.period import Period
from pipeline.domain.tax import Assessment, Supply, Unplaced, assess
from pipeline.masters.model import Exemption, Place, TaxRule, TaxShare

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
TEXAS, GERMANY = Place("USA", "TX"), Place("DEU")
RULE = TaxRule("t", "Tax", "state", "sales_tax", Decimal("0.10"), country="USA", legal_source="the law")
CERTIFICATE = Exemption("acme", "certificate 7")


def line(
    amount: str, type: str = "toll", direction: str | None = "outbound", usage: int = 1, **detail: str
) -> Item:
    money = Decimal(amount)
    return Item(type, direction, "USA", "x", usage, 1, money, to_minor(money, "USD"), MARCH, detail)


LINES = (
    line("10"),
    line("4", direction="inbound"),
    line("6", "did", None, 3, rent="advance"),
    line("1", "did", None, 2, rent="new"),
)


def assessed(
    *rules: TaxRule, exemptions: tuple[Exemption, ...] = (), **changes: object
) -> Assessment | Unplaced:
    supply = Supply(LINES, "acme", TEXAS, date(2026, 3, 31), "USD", seller_country="USA")
    return assess(replace(supply, **changes), rules, (Place("USA"), GERMANY), exemptions)


# what the rule says -> base, amount, how it was found
KINDS = [
    ({}, "21.00", "2.10", "percent"),
    ({"direction": "inbound"}, "4.00", "0.40", "percent"),
    ({"items": ("did",)}, "7.00", "0.70", "percent"),
    # three numbers are rented in advance; the two new ones among them have had their days on a line of their own
    ({"per": "number", "rate": Decimal("0.75")}, "3", "2.25", "fixed"),
    ({"per": "line", "rate": Decimal("0.05")}, "4", "0.20", "fixed"),
    ({"per": "line", "items": ("toll",), "rate": Decimal("0.05")}, "2", "0.10", "fixed"),
    ({"per": "invoice", "rate": Decimal("1.50")}, "1", "1.50", "fixed"),
    ({"minimum": Decimal("5.00")}, "21.00", "5.00", "minimum"),
    ({"maximum": Decimal("2.00")}, "21.00", "2.00", "maximum"),
    ({"minimum": Decimal("1.00"), "maximum": Decimal("2.10")}, "21.00", "2.10", "percent"),
]


@pytest.mark.parametrize(("changes", "base", "amount", "method"), KINDS, ids=[str(k[0]) for k in KINDS])
def test_how_a_tax_is_found(changes: dict, base: str, amount: str, method: str) -> None:
    (tax,) = assessed(replace(RULE, **changes)).items
    assert (str(tax.base), str(tax.amount), tax.method) == (base, amount, method)


def test_a_tax_on_a_tax_joins_its_base_once_it_is_rounded() -> None:
    fund = replace(RULE, rule="fund", rate=Decimal("0.333"), items=("toll",), order=1)
    sales = replace(RULE, rule="sales", rate=Decimal("0.10"), items=("toll",), on=("fund",), order=2)
    first, second = assessed(sales, fund).items
    # 14.00 * 33.3 % = 4.66 rounded; (14.00 + 4.66) * 10 %
    assert [str(v) for v in (first.amount, second.base, second.amount)] == ["4.66", "18.66", "1.87"]


def test_a_taxed_tax_that_is_not_due_adds_nothing() -> None:
    sales = replace(RULE, on=("fund",))
    (tax,) = assessed(sales, replace(RULE, rule="fund", items=("sms",), order=-1)).items
    assert tax.base == Decimal(21)


# lines -> the amount of each tax on them
CANCELLED = [(("4.78", "-4.78"), ["0.00"]), (("0", "0"), []), ((), [])]


@pytest.mark.parametrize(("amounts", "taxes"), CANCELLED, ids=["cancelled", "nothing", "no lines"])
def test_lines_that_cancel_out_bear_a_tax_of_nothing(amounts: tuple[str, ...], taxes: list[str]) -> None:
    found = assessed(RULE, items=tuple(line(amount) for amount in amounts))
    assert [str(tax.amount) for tax in found.items] == taxes


# certificate -> whether it frees from the rule at the tax point 31 March
CERTIFICATES = [
    (CERTIFICATE, True),
    (replace(CERTIFICATE, rule="t"), True),
    (replace(CERTIFICATE, rule="other"), False),
    (replace(CERTIFICATE, type="sales_tax", jurisdiction="state"), True),
    (replace(CERTIFICATE, type="sales_tax", jurisdiction="federal"), False),
    (replace(CERTIFICATE, partner_sid="boreal"), False),
    (replace(CERTIFICATE, start=date(2026, 4, 1)), False),
    (replace(CERTIFICATE, end=date(2026, 3, 31)), False),
    (replace(CERTIFICATE, start=date(2026, 3, 31), end=date(2026, 4, 1)), True),
]


@pytest.mark.parametrize(("certificate", "freed"), CERTIFICATES)
def test_a_certificate_frees_from_what_it_names_while_it_holds(certificate: Exemption, freed: bool) -> None:
    found = assessed(RULE, exemptions=(certificate,))
    assert (len(found.items), found.notes) == (
        (0, ("Tax is not charged: certificate 7.",)) if freed else (1, ())
    )


# seller's country, customer's tax id -> amount, method
CHARGES = [
    ("USA", "DE123", "0.00", "reverse_charge"),
    ("USA", "", "3.99", "percent"),
    ("DEU", "DE123", "3.99", "percent"),
]


@pytest.mark.parametrize(("seller", "tax_id", "amount", "method"), CHARGES)
def test_reverse_charge_needs_a_tax_id_and_a_border(
    seller: str, tax_id: str, amount: str, method: str
) -> None:
    vat = TaxRule("vat", "VAT", "federal", "service_tax", Decimal("0.19"), country="DEU", reverse_charge=True)
    found = assessed(vat, place=GERMANY, seller_country=seller, tax_id=tax_id)
    (tax,) = found.items
    assert (str(tax.amount), tax.method, bool(found.notes)) == (amount, method, method == "reverse_charge")


def test_a_rule_that_ran_out_is_no_tax_of_zero() -> None:
    old = replace(RULE, end=date(2026, 3, 31))
    assert assessed(old) == Unplaced(
        "the tax rule t ends on 2026-03-31 and nothing follows it: add its next row to taxes.csv, with rate 0 if the "
        "tax is gone"
    )


@pytest.mark.parametrize(
    ("rules", "amounts"),
    [
        ((replace(RULE, end=date(2026, 3, 31)), replace(RULE, start=date(2026, 3, 31))), ["2.10"]),
        (
            (replace(RULE, end=date(2026, 3, 31)), replace(RULE, start=date(2026, 3, 1), rate=Decimal(0))),
            ["0.00"],
        ),
        ((replace(RULE, end=date(2026, 3, 31), items=("sms",)),), []),
        ((replace(RULE, start=date(2026, 4, 1), end=date(2026, 5, 1)),), []),
        ((replace(RULE, end=date(2026, 3, 31), state="CA"),), []),
    ],
    ids=["it goes on", "it is gone, on record", "nothing to tax", "not yet begun", "another place"],
)
def test_what_follows_on_a_rule(rules: tuple[TaxRule, ...], amounts: list[str]) -> None:
    assert [str(tax.amount) for tax in assessed(*rules).items] == amounts


STUDY = TaxShare("house", "t", Decimal("0.25"), "traffic study 2026-1", date(2026, 1, 1), date(2026, 7, 1))
# whose study, of which rule, when -> base, and what the source says
SHARES = {
    "in force": (STUDY, "5.2500", "the law; share by traffic study 2026-1"),
    "another seller's": (replace(STUDY, seller="other"), "13.6290", "the law"),
    "of another rule": (replace(STUDY, rule="u"), "13.6290", "the law"),
    "run out": (replace(STUDY, end=date(2026, 3, 31)), "13.6290", "the law"),
    "not yet begun": (replace(STUDY, start=date(2026, 4, 1)), "13.6290", "the law"),
}


@pytest.mark.parametrize(("study", "base", "source"), SHARES.values(), ids=SHARES)
def test_a_traffic_study_replaces_the_share_of_a_rule(study: TaxShare, base: str, source: str) -> None:
    harbour = replace(RULE, share=Decimal("0.649"))
    supply = Supply(LINES, "acme", TEXAS, date(2026, 3, 31), "USD", seller="house")
    found = assess(supply, [harbour], [Place("USA")], shares=[study])
    assert isinstance(found, Assessment)
    (tax,) = found.items
    assert (tax.base, tax.legal_source) == (Decimal(base), source)
    assert tax.base == tax.share * 21


def test_whoever_is_exempt_altogether_pays_nothing_and_reads_why() -> None:
    assert assessed(RULE, exempt="certificate 9") == Assessment(
        notes=("No taxes are charged: certificate 9.",)
    )


def test_a_tax_names_its_lines() -> None:
    (tax,) = assessed(replace(RULE, items=("did",))).items
    assert tax.lines == (3, 4)


# VAT was 20 % up to 15 March and is 25 % since; acme's certificate began on 16 March
OLD = TaxRule(
    "vat", "VAT 20 %", "federal", "service_tax", Decimal("0.20"), end=date(2026, 3, 16), legal_source="s"
)
NEW = replace(OLD, name="VAT 25 %", rate=Decimal("0.25"), start=date(2026, 3, 16), end=None)
LATE = (date(2026, 3, 31), date(2026, 2, 28), date(2026, 3, 15), date(2026, 4, 30))

# rules, certificates -> rule, lines, amount of each tax on lines of 10, 4, 6 and 1, the second and third of them late
DATED = {
    "late lines by the rate of their own period": (
        (OLD, NEW),
        (),
        ["vat@2026-03-15 2,3 2.00", "vat 1,4 2.75"],
    ),
    "one rate, one tax": ((replace(OLD, end=None),), (), ["vat 1,2,3,4 4.20"]),
    "a rate that began with the new period": ((NEW,), (), ["vat 1,4 2.75"]),
    "other taxes go by the invoice": (
        [replace(r, type="sales_tax") for r in (OLD, NEW)],
        (),
        ["vat 1,2,3,4 5.25"],
    ),
    "so does what is bounded": (
        [replace(r, maximum=Decimal(3)) for r in (OLD, NEW)],
        (),
        ["vat 1,2,3,4 3.00"],
    ),
    "a certificate frees what was supplied while it holds": (
        (OLD, NEW),
        (replace(CERTIFICATE, start=date(2026, 3, 16)),),
        ["vat@2026-03-15 2,3 2.00"],
    ),
    "a tax on it is on both, once": (
        (OLD, NEW, replace(RULE, rule="levy", items=("sms",), on=("vat",), order=1)),
        (),
        ["vat@2026-03-15 2,3 2.00", "vat 1,4 2.75", "levy  0.48"],
    ),
}


@pytest.mark.parametrize(("rules", "exemptions", "taxes"), DATED.values(), ids=DATED)
def test_value_added_tax_is_dated_by_the_supply(rules: list, exemptions: tuple, taxes: list[str]) -> None:
    found = assessed(*rules, exemptions=exemptions, own_days=LATE)
    assert [f"{t.rule} {','.join(map(str, t.lines))} {t.amount}" for t in found.items] == taxes


def test_a_value_added_tax_that_ran_out_still_taxes_what_was_supplied_before() -> None:
    before = (date(2026, 3, 15),) * 4
    assert [assessed(OLD, own_days=days) for days in (before, LATE)] == [
        Assessment(
            (
                TaxItem(
                    "vat@2026-03-15",
                    "VAT 20 %",
                    "federal",
                    "service_tax",
                    Decimal("21.00"),
                    Decimal("0.20"),
                    Decimal("4.20"),
                    "s",
                    lines=(1, 2, 3, 4),
                ),
            )
        ),
        Unplaced(
            "the tax rule vat ends on 2026-03-16 and nothing follows it: add its next row to taxes.csv, with rate 0 if "
            "the tax is gone"
        ),
    ]

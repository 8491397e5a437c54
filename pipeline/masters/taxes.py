"""``taxes.csv``, ``tax_places.csv``, ``exemptions.csv`` and ``tax_shares.csv``: dated tax rules, the places for which
they are known to be complete, who is free of which, and what sellers' traffic studies say.

``start`` is the first day a rule is in force, ``end`` the first day it is not any more. A place that is not
listed is not guessed at: its customers are parked, because a missing rule looks exactly like a tax of zero. For the
same reason days between two rows of a rule are refused: a tax that was not due then has a row of rate 0.

A row of ``tax_shares.csv`` replaces the share of one rule for one seller, such as the federal safe harbour for
interstate calls. Whoever splits calls between two rules (interstate here, intrastate there) writes a row for each.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from pipeline.domain.tax import lacking
from pipeline.masters.model import Customer, Exemption, Masters, Place, Seller, TaxRule, TaxShare
from pipeline.masters.overlaps import refuse_overlaps, unique
from pipeline.masters.reading import Problems, Row, csv_rows
from pipeline.masters.vocabulary import (
    COUNTRIES,
    DIRECTIONS,
    ITEM_TYPES,
    JURISDICTIONS,
    TAX_PER,
    TAX_SCOPES,
    TAX_TYPES,
)

PLACE_COLUMNS = ("country", "state", "county", "city", "zip")
TAX_COLUMNS = (
    *("rule", "name", "jurisdiction", "type", "rate", "per", "share", *PLACE_COLUMNS, "items", "direction"),
    *("scope", "on", "minimum", "maximum", "reverse_charge", "start", "end", "order", "legal_source"),
)
EXEMPTION_COLUMNS = ("partner_sid", "certificate", "rule", "type", "jurisdiction", "start", "end")
SHARE_COLUMNS = ("seller", "rule", "share", "document", "start", "end")
_RULE = r"[a-z0-9][a-z0-9_-]{0,59}"
_RULE_HINT = "a short name in small letters, like us-tx-sales"


def read_taxes(folder: Path, problems: Problems) -> tuple[TaxRule, ...]:
    required = ("rule", "name", "jurisdiction", "type", "rate", "legal_source")
    read = [(row, _tax(row)) for row in csv_rows(folder / "taxes.csv", TAX_COLUMNS, required, problems)]
    refuse_overlaps(read, _key, lambda a, b: True, "the same rule and place at the same time")
    _refuse_gaps(read)
    _check_taxed_taxes(read)
    return tuple(tax for _, tax in read)


def tax_gaps(masters: Masters, points: Iterable[tuple[Customer, date]]) -> tuple[str, ...]:
    """What the tables do not say of these customers on these days, and how many of them wait for it: invoices are not
    made before it is there."""
    waiting: dict[str, set[str]] = {}
    for customer, day in points:
        if not customer.tax_exempt:
            for reason in lacking(customer.place, day, masters.taxes, masters.tax_places):
                waiting.setdefault(reason, set()).add(customer.partner_sid)
    return tuple(
        f"{reason} ({len(who)} customer{'s' if len(who) > 1 else ''})"
        for reason, who in sorted(waiting.items())
    )


def _key(tax: TaxRule) -> tuple[str, ...]:
    return tax.rule, tax.country, tax.state, tax.county, tax.city, tax.zip


def _refuse_gaps(read: list[tuple[Row, TaxRule]]) -> None:
    groups: dict[tuple[str, ...], list[tuple[Row, TaxRule]]] = {}
    for row, tax in read:
        groups.setdefault(_key(tax), []).append((row, tax))
    for group in groups.values():
        ordered = sorted(group, key=lambda found: found[1].start or date.min)
        for (earlier, a), (row, b) in pairwise(ordered):
            if a.end is not None and b.start is not None and a.end < b.start:
                row.wrong(
                    "start",
                    f"is {b.start}, and line {earlier.line} ends on {a.end}: begin it there, or add a row of rate 0 "
                    "for the days between",
                )


def _check_taxed_taxes(read: list[tuple[Row, TaxRule]]) -> None:
    """A tax on a tax needs that tax first: the order of the page is the order of the sums."""
    orders: dict[str, int] = {}
    for _, tax in read:
        orders[tax.rule] = max(tax.order, orders.get(tax.rule, 0))
    for row, tax in read:
        for name in tax.on:
            if name not in orders:
                row.wrong("on", f"names {name!r}, which is no rule of this file")
            elif orders[name] >= tax.order:
                row.wrong("on", f"names {name!r}, whose order is not lower; give this rule a higher order")


def _tax(row: Row) -> TaxRule:
    start, end = row.day("start"), row.day("end")
    row.interval(start, end)
    return TaxRule(
        rule=row.matching("rule", _RULE, _RULE_HINT, required=True),
        name=row.text("name", required=True),
        jurisdiction=row.choice("jurisdiction", JURISDICTIONS, required=True),
        type=row.choice("type", TAX_TYPES, required=True),
        rate=_tax_rate(row),
        share=row.fraction("share", Decimal(1)),
        country=row.choice("country", COUNTRIES),
        state=row.text("state"),
        county=row.text("county"),
        city=row.text("city"),
        zip=row.text("zip"),
        items=row.words("items", ITEM_TYPES),
        direction=row.choice("direction", DIRECTIONS),
        scope=row.choice("scope", TAX_SCOPES, "any"),
        per=row.choice("per", TAX_PER),
        on=row.words("on"),
        minimum=row.money("minimum"),
        maximum=row.money("maximum"),
        reverse_charge=row.flag("reverse_charge"),
        start=start,
        end=end,
        order=row.integer("order", 0, 9999, 0),
        legal_source=row.text("legal_source", required=True),
    )


def _tax_rate(row: Row) -> Decimal:
    row.text("rate", required=True)
    if row.text("per"):
        return row.money("rate") or Decimal(0)
    return row.fraction("rate", Decimal(0))


def read_exemptions(
    folder: Path, customers: dict[str, Customer], rules: tuple[TaxRule, ...], problems: Problems
) -> tuple[Exemption, ...]:
    required = ("partner_sid", "certificate")
    rows = csv_rows(folder / "exemptions.csv", EXEMPTION_COLUMNS, required, problems)
    names = {tax.rule for tax in rules}
    return tuple(_exemption(row, customers, names) for row in rows)


def _exemption(row: Row, customers: dict[str, Customer], names: set[str]) -> Exemption:
    start, end = row.day("start"), row.day("end")
    row.interval(start, end)
    partner = row.text("partner_sid", required=True)
    if partner and partner not in customers:
        row.wrong("partner_sid", f"is {partner!r}, which is no customer of customers.csv")
    return Exemption(
        partner_sid=partner,
        certificate=row.text("certificate", required=True),
        rule=row.choice("rule", names),
        type=row.choice("type", TAX_TYPES),
        jurisdiction=row.choice("jurisdiction", JURISDICTIONS),
        start=start,
        end=end,
    )


def read_tax_shares(
    folder: Path, sellers: dict[str, Seller], rules: tuple[TaxRule, ...], problems: Problems
) -> tuple[TaxShare, ...]:
    required = ("seller", "rule", "share", "document")
    rows = csv_rows(folder / "tax_shares.csv", SHARE_COLUMNS, required, problems)
    names = {tax.rule for tax in rules if not tax.per}
    read = [(row, _share(row, sellers, names)) for row in rows]
    refuse_overlaps(
        read, lambda s: (s.seller, s.rule), lambda a, b: True, "the same seller and rule at the same time"
    )
    return tuple(share for _, share in read)


def _share(row: Row, sellers: dict[str, Seller], names: set[str]) -> TaxShare:
    start, end = row.day("start"), row.day("end")
    row.interval(start, end)
    row.text("share", required=True)
    return TaxShare(
        seller=row.choice("seller", sellers, required=True),
        rule=row.choice("rule", names, required=True),
        share=row.fraction("share", Decimal(0)),
        document=row.text("document", required=True),
        start=start,
        end=end,
    )


def read_tax_places(folder: Path, problems: Problems) -> tuple[Place, ...]:
    rows = csv_rows(folder / "tax_places.csv", PLACE_COLUMNS, ("country",), problems)
    return tuple(unique([(row, place_of(row)) for row in rows], lambda place: place, "this place"))


def place_of(row: Row) -> Place:
    return Place(
        country=row.choice("country", COUNTRIES, required=True),
        state=row.text("state"),
        county=row.text("county"),
        city=row.text("city"),
        zip=row.text("zip"),
    )

"""``taxes.csv`` and ``tax_places.csv``: dated tax rules, and the places for which they are known to be complete.

``start`` is the first day a rule is in force, ``end`` the first day it is not any more. A place that is not
listed is not guessed at: its customers are parked, because a missing rule looks exactly like a tax of zero.
"""

from decimal import Decimal
from pathlib import Path

from pipeline.masters.model import Place, TaxRule
from pipeline.masters.overlaps import refuse_overlaps, unique
from pipeline.masters.reading import Problems, Row, csv_rows
from pipeline.masters.vocabulary import COUNTRIES, ITEM_TYPES, JURISDICTIONS, TAX_SCOPES, TAX_TYPES

PLACE_COLUMNS = ("country", "state", "county", "city", "zip")
TAX_COLUMNS = (
    *("rule", "name", "jurisdiction", "type", "rate", "share", *PLACE_COLUMNS[:-1], "items", "scope"),
    *("start", "end", "order", "legal_source"),
)


def read_taxes(folder: Path, problems: Problems) -> tuple[TaxRule, ...]:
    required = ("rule", "name", "jurisdiction", "type", "rate", "legal_source")
    read = [(row, _tax(row)) for row in csv_rows(folder / "taxes.csv", TAX_COLUMNS, required, problems)]
    refuse_overlaps(
        read,
        lambda tax: (tax.rule, tax.country, tax.state, tax.county, tax.city),
        lambda a, b: True,
        "the same rule and place at the same time",
    )
    return tuple(tax for _, tax in read)


def _tax(row: Row) -> TaxRule:
    start, end = row.day("start"), row.day("end")
    row.interval(start, end)
    return TaxRule(
        rule=row.matching(
            "rule",
            r"[a-z0-9][a-z0-9_-]{0,59}",
            "a short name in small letters, like us-tx-sales",
            required=True,
        ),
        name=row.text("name", required=True),
        jurisdiction=row.choice("jurisdiction", JURISDICTIONS, required=True),
        type=row.choice("type", TAX_TYPES, required=True),
        rate=_tax_rate(row),
        share=row.fraction("share", Decimal(1)),
        country=row.choice("country", COUNTRIES),
        state=row.text("state"),
        county=row.text("county"),
        city=row.text("city"),
        items=row.words("items", ITEM_TYPES),
        scope=row.choice("scope", TAX_SCOPES, "any"),
        start=start,
        end=end,
        order=row.integer("order", 0, 9999, 0),
        legal_source=row.text("legal_source", required=True),
    )


def _tax_rate(row: Row) -> Decimal:
    row.text("rate", required=True)
    return row.fraction("rate", Decimal(0))


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

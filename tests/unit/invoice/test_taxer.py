"""Who is asked for taxes: the master files' rules, or an outside engine that the home names."""

from datetime import date
from decimal import Decimal

import pytest

from pipeline.domain.tax import Assessment, Supply, Unplaced
from pipeline.errors import SettingsError
from pipeline.invoice.taxer import taxer_of
from pipeline.masters.model import Place
from tests.fixtures.billing import ACME, SALES_TAX, Desk, masters

SUPPLY = Supply((), "acme", Place("USA", "TX"), date(2026, 3, 31), "USD")


def answers(supply: Supply) -> Assessment:
    return Assessment(notes=(f"asked for {supply.partner_sid}",))


def breaks(supply: Supply) -> Assessment:
    raise ConnectionError(supply.currency)


def says_nothing(supply: Supply) -> None:
    return None


ENGINES = [
    ("answers", Assessment(notes=("asked for acme",))),
    ("breaks", Unplaced(f"the tax engine {__name__}:breaks failed: ConnectionError: USD")),
    (
        "says_nothing",
        Unplaced(f"the tax engine {__name__}:says_nothing answered with NoneType, not with an Assessment"),
    ),
]


@pytest.mark.parametrize(("name", "answer"), ENGINES)
def test_an_outside_engine_is_asked_and_never_guessed_for(name: str, answer: object) -> None:
    assert taxer_of(masters(), f"{__name__}:{name}")(SUPPLY) == answer


@pytest.mark.parametrize("name", ["nonsense", "no.such:engine", f"{__name__}:missing", f"{__name__}:ENGINES"])
def test_an_engine_that_is_none_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match="tax_engine"):
        taxer_of(masters(), name)


def test_an_engine_that_fails_parks_its_customer_alone(tmp_path: object) -> None:
    desk = Desk(tmp_path, masters(ACME, taxes=(SALES_TAX,))).call("a", "10").commit()
    parked = desk.bill(taxer=breaks_taxer())
    assert [p.reason for p in parked.parked] == [
        f"the tax engine {__name__}:breaks failed: ConnectionError: USD"
    ]
    billed = desk.bill()
    assert [str(b.amount_tax) for b in billed.invoices] == [str(Decimal("0.63"))]


def breaks_taxer() -> object:
    return taxer_of(masters(), f"{__name__}:breaks")

"""The doctor says beforehand what billing would wait for, or do that nobody has decided."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline import doctor
from pipeline.domain.did_prices import DidPrice
from pipeline.domain.markup import Markup
from pipeline.homes import make_home
from pipeline.masters.model import Assignment, Customer, Masters
from pipeline.settings import load
from tests.fixtures.billing import ACME, BOREAL, ROOT, SALES_TAX, Desk, masters

QUARTER = replace(SALES_TAX, rule="fund", rate=Decimal("0.37"), start=date(2026, 4, 1), end=date(2026, 7, 1))
GAP = (
    "the tax rule fund ends on 2026-07-01 and nothing follows it: add its next row to taxes.csv, with rate 0 if the "
    "tax is gone (2 customers)"
)
# today -> what is found, how bad it is, what follows
DAYS = {
    "long before": (date(2026, 5, 31), ("known for every customer up to 2026-06-30", "good", "")),
    "a month before": (date(2026, 6, 1), (GAP, "warn", "their invoices wait for it from 2026-07-01 on")),
    "on the day": (date(2026, 7, 1), (GAP, "warn", "until then their invoices wait")),
}


@pytest.mark.parametrize(("today", "found"), DAYS.values(), ids=DAYS)
def test_a_tax_that_runs_out_is_said_a_month_ahead(today: date, found: tuple[str, str, str]) -> None:
    (finding,) = doctor._taxes(masters(ACME, BOREAL, taxes=(QUARTER,)), today)
    assert (finding.found, finding.grade, finding.remedy) == found


FILLED = masters(assignments=(Assignment("*", "retail"),))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        pytest.param(replace(FILLED, customers={}), "nobody is billed yet", id="no customers"),
        pytest.param(replace(FILLED, assignments=()), "no customer has a plan", id="no assignments"),
        pytest.param(FILLED, "", id="both"),
    ],
)
def test_what_the_masters_lack_is_said_with_the_command_that_fills_it(held: Masters, said: str) -> None:
    remedy = doctor._unfilled(held)
    assert remedy.partition(",")[0].partition(":")[0] == said
    assert ("`tollbook " in remedy) == bool(said)


PLANS = {
    "not imported": ((), ["assignments.csv names gold, retail, of which no rates have been imported"]),
    "one follows the provider's prices": (
        (Markup("gold", "call", "outbound", "pstn", ()),),
        ["assignments.csv names retail, of which no rates have been imported"],
    ),
    "both do": (
        (Markup("gold", "call", "outbound", "pstn", ()), Markup("retail", "call", "outbound", "pstn", ())),
        [],
    ),
}


@pytest.mark.parametrize(("markups", "found"), PLANS.values(), ids=PLANS)
def test_a_plan_that_somebody_is_on_and_that_is_not_there_is_said(
    renting: Desk, markups: tuple[Markup, ...], found: list[str]
) -> None:
    held = masters(
        assignments=(Assignment("*", "retail"), Assignment("acme", "gold", "call")), markups=markups
    )

    assert [each.found for each in doctor._plans(held, renting.lake)] == found


@pytest.fixture(scope="module")
def renting(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A home in which Acme holds two numbers and Boreal one, beside one that it has given back."""
    first, gone = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    owners = {"a1": "acme", "a2": "acme", "b1": "boreal", "b2": "boreal"}
    dids = [
        {"did_sid": sid, "partner_sid": owner, "phonenumber": "49309018200", "price": Decimal("0.6")}
        | {"valid_from": first, "valid_to": gone if sid == "b2" else None}
        for sid, owner in owners.items()
    ]
    return Desk(tmp_path_factory.mktemp("renting")).commit().put("land/dids", dids)


FREE = replace(BOREAL, did_price=Decimal(0))
LISTED = DidPrice("acme", "49", "USD", ((0, Decimal("1.25")),))
RENTS = {
    "neither has a price": ((ACME, BOREAL), (), ["3 held by 2 customers (Acme Dental, Boreal Freight)"]),
    "one is free": ((ACME, FREE), (), ["2 held by 1 customers (Acme Dental)"]),
    "one is free, one has a list": ((ACME, FREE), (LISTED,), []),
    "the list is in another currency": (
        (replace(ACME, currency="EUR"), FREE),
        (LISTED,),
        ["2 held by 1 customers (Acme Dental)"],
    ),
}


@pytest.mark.parametrize(("customers", "prices", "found"), RENTS.values(), ids=RENTS)
def test_numbers_at_the_providers_own_price_are_said_before_the_draft(
    renting: Desk, customers: tuple[Customer, ...], prices: tuple[DidPrice, ...], found: list[str]
) -> None:
    held = masters(*customers, did_prices=prices)
    told = list(doctor._rents(held, renting.lake, ROOT, date(2026, 4, 3)))
    assert [each.found for each in told] == [f"{each} have no price of yours" for each in found]


def test_a_home_of_templates_is_told_what_to_fill_in(tmp_path: Path) -> None:
    """And nothing is praised that is not there."""
    make_home(tmp_path / "home")
    found = {each.what: each for each in doctor._masters(load(tmp_path / "home"), date(2026, 4, 3))}
    assert (found["masters"].grade, "taxes" in found) == ("warn", False)

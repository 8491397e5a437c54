"""The masters that are shipped fit together and fit the sandbox's partners."""

import csv
from pathlib import Path

import pytest

from pipeline.masters.decks import DeckFile, read_decks
from pipeline.masters.files import read_masters
from pipeline.masters.model import Customer, Masters, Place
from pipeline.provider.partners import partner_sid
from pipeline.rate.deck.file import read_deck
from pipeline.rate.deck.store import options_of
from pipeline.shipped import shipped

FOLDER = shipped("data", "masters")
DECKS = read_decks(FOLDER / "decks")


@pytest.fixture(scope="module")
def masters() -> Masters:
    return read_masters(FOLDER)


def covers(place: Place, customer: Customer) -> bool:
    return place.country == customer.place.country and place.state in ("", customer.place.state)


def test_customers_are_the_partners_that_are_billed(masters: Masters) -> None:
    assert list(masters.customers) == [partner_sid(index) for index in range(1, 23)]
    assert [c.partner_sid for c in masters.customers.values() if c.resells] == [
        partner_sid(3),
        partner_sid(7),
    ]


def test_customers_of_a_reseller_are_invoiced_in_its_name(masters: Masters) -> None:
    payees = [masters.sellers[customer.seller].partner_sid for customer in masters.customers.values()]

    assert payees == [""] * 16 + [partner_sid(3)] * 4 + [partner_sid(7)] * 2


def test_every_assigned_plan_has_a_deck(masters: Masters) -> None:
    assert {a.plan_sid for a in masters.assignments} - {deck.plan_sid for deck in DECKS} == set()


def test_every_customer_is_exempt_or_in_a_place_with_rules(masters: Masters) -> None:
    lost = [
        customer.name
        for customer in masters.customers.values()
        if not customer.tax_exempt and not any(covers(place, customer) for place in masters.tax_places)
    ]

    assert lost == []


def test_every_tax_names_its_source(masters: Masters) -> None:
    assert [tax.rule for tax in masters.taxes if not tax.legal_source] == []


@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.plan_sid)
def test_a_deck_is_taken_whole(deck: DeckFile) -> None:
    with deck.path.open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))

    assert len(read_deck(deck.path, options_of(deck)).rates) == rows


def test_decks_are_files_beside_their_list() -> None:
    assert sorted(path.name for path in Path(FOLDER / "decks").glob("*.csv")) == sorted(
        d.path.name for d in DECKS
    )

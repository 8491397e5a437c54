"""Imported decks become versions of plans."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.domain.rate_plan import Rate
from pipeline.errors import DeckError
from pipeline.rate.deck.diff import compare
from pipeline.rate.plans import load_plans, stored_plan, with_rates
from tests.unit.rate.homes import SINCE

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def versions(home) -> list[tuple]:
    return [(p.version[:8], p.effective_from, p.effective_to) for p in load_plans(home.lake)]


def test_an_import_can_be_read_back(home):
    taken = home.deck("prefix,country_code,billing_increment,billing_minimum,price\n44,GBR,0.5,30,0.02\n")
    plan = stored_plan(home.lake, "retail", MARCH)

    assert (taken.changed, taken.rates, taken.version) == (True, 1, plan.version)
    assert plan.rates == (Rate(Decimal("0.02"), "44", "GBR", increment=Decimal("0.5"), minimum=Decimal(30)),)


def test_a_deck_with_prices_for_different_units_is_taken_and_says_so(home):
    taken = home.deck("prefix,unit_seconds,price\n44,60,0.6\n49,60,0.6\n33,1,0.01\n1,60,0.6\n")

    assert taken.notes == (
        "prices are for different units, is that meant? per 60 s on 3 rows; per 1 s on 1 (line 4)",
    )


def test_the_same_deck_again_changes_nothing(home):
    first = home.deck()
    files = home.hashes("rate/plans") | home.hashes("rate/rates")
    again = home.deck()

    assert (again.changed, again.version) == (False, first.version)
    assert home.hashes("rate/plans") | home.hashes("rate/rates") == files


def test_versions_follow_one_another_whenever_they_came(home):
    home.deck("prefix,price\n1,1\n")
    home.deck("prefix,price\n1,3\n", since=MARCH)
    home.deck("prefix,price\n1,2\n", since=FEBRUARY)

    assert versions(home) == [
        ("20260101", SINCE, FEBRUARY),
        ("20260201", FEBRUARY, MARCH),
        ("20260301", MARCH, None),
    ]
    prices = [stored_plan(home.lake, "retail", at).rates[0].price for at in (SINCE, FEBRUARY, MARCH)]
    assert prices == [1, 2, 3]


def test_the_same_date_again_takes_the_versions_place(home):
    first = home.deck("prefix,price\n1,1\n")
    second = home.deck("prefix,price\n1,2\n")

    assert second.replaced == first.version
    assert [f.label for f in home.lake.files("rate/rates")] == [f"plan=retail.{second.version}"]
    assert stored_plan(home.lake, "retail", MARCH).rates[0].price == 2


def test_an_earlier_version_again_with_a_later_one_present_changes_nothing(home):
    home.deck("prefix,price\n1,1\n")
    home.deck("prefix,price\n1,2\n", since=MARCH)

    assert home.deck("prefix,price\n1,1\n").changed is False


def test_a_refused_deck_changes_nothing(home):
    home.deck()
    files = home.hashes("rate/plans") | home.hashes("rate/rates")

    with pytest.raises(DeckError):
        home.deck("prefix,price\n1,1\nx,1\n", since=MARCH)
    assert home.hashes("rate/plans") | home.hashes("rate/rates") == files


def test_a_plan_keeps_its_service_and_currency(home):
    home.deck()

    with pytest.raises(
        DeckError, match="retail is a plan for calls in USD, and this deck is for calls in EUR"
    ):
        home.deck(since=MARCH, currency="EUR")


def test_no_such_plan_names_those_there_are(home):
    home.deck()

    with pytest.raises(DeckError, match="there is no plan gold to price with: the plans are retail"):
        stored_plan(home.lake, "gold", MARCH)
    with pytest.raises(DeckError, match="no version of it is in force at 2025-12-31"):
        stored_plan(home.lake, "retail", SINCE - timedelta(days=1))


def test_compare_lists_what_differs(home):
    home.deck("prefix,price\n1,1\n2,2\n3,3\n")
    home.deck("prefix,price\n1,1\n2,2.5\n4,4\n", since=MARCH)
    old, new = (with_rates(home.lake, p) for p in load_plans(home.lake))

    changes = [(c.key[1], c.before and c.before.price, c.after and c.after.price) for c in compare(old, new)]
    assert changes == [("2", 2, Decimal("2.5")), ("3", 3, None), ("4", None, 4)]

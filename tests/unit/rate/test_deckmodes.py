"""A deck replaces a version, adds rows to it or changes some of them, and says beforehand what that changes."""

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest

from pipeline.domain.rate_plan import Rate
from pipeline.errors import DeckError
from pipeline.rate.deck.diff import diff, write_changes
from pipeline.rate.deck.file import DeckOptions
from pipeline.rate.deck.store import import_deck, prepare_deck
from pipeline.rate.plans import load_plans, stored_plan
from tests.unit.rate.homes import NOW

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
BASE = (
    "prefix,country_code,billing_increment,billing_minimum,connect_fee,price\n"
    "44,GBR,6,60,0.1,0.02\n1,USA,60,60,0,0.01\n7,RUS,1,1,0,0.3\n"
)


@pytest.fixture
def plan(home):
    """A home whose plan ``retail`` has three rows."""
    home.deck(BASE)
    return home


def options(since: datetime = MARCH, **more) -> DeckOptions:
    return DeckOptions("retail", since, **more)


def prepare(home, text: str, mode: str, **more):
    path = home.folder / "given.csv"
    path.write_text(text)
    return prepare_deck(home.lake, path, options(**more), mode=mode)


def take(home, text: str, mode: str, **more):
    path = home.folder / "given.csv"
    path.write_text(text)
    return import_deck(home.lake, home.ledger, path, options(**more), now=NOW, mode=mode)


def rows(plan) -> list[tuple]:
    found = [(r.prefix, r.price, r.effective_from, r.effective_to) for r in plan.rates]
    return sorted(found, key=lambda row: (row[0], str(row[2])))


def test_rows_are_added_to_the_version_in_force(plan):
    take(plan, "prefix,price\n49,0.05\n1,\n".replace("1,\n", ""), "add")

    assert [row[0] for row in rows(stored_plan(plan.lake, "retail", MARCH))] == ["1", "44", "49", "7"]
    assert [row[0] for row in rows(stored_plan(plan.lake, "retail", FEBRUARY))] == ["1", "44", "7"]


def test_the_plans_terms_hold_for_what_is_added(home):
    home.deck(BASE, increment_rule="total", currency="EUR")
    take(home, "prefix,price\n49,0.05\n", "add")
    found = stored_plan(home.lake, "retail", MARCH)

    assert (found.increment_rule, found.currency, found.direction) == ("total", "EUR", "outbound")


def test_a_row_that_is_there_is_not_added_again(plan):
    with pytest.raises(DeckError) as refused:
        prepare(plan, "prefix,price\n49,0.05\n44,0.03\n", "add")
    (problem,) = refused.value.problems

    assert problem == (
        "line 3: prefix '44' is in force at the same time as a row that the plan has already, with another rate"
    )
    assert len(prepare(plan, BASE, "add").plan.rates) == 3


def test_a_change_leaves_the_rows_and_columns_that_it_does_not_name(plan):
    take(plan, "prefix,price\n44,0.03\n49,0.05\n", "change")
    found = {r.prefix: r for r in stored_plan(plan.lake, "retail", MARCH).rates}

    uk = Rate(
        Decimal("0.03"), "44", "GBR", increment=Decimal(6), minimum=Decimal(60), connect_fee=Decimal("0.1")
    )
    assert found["44"] == uk
    assert found["49"] == Rate(Decimal("0.05"), "49")
    assert (len(found), found["1"].price) == (4, Decimal("0.01"))


@pytest.mark.parametrize("mode", ["add", "change"])
def test_a_row_with_another_unit_than_its_prefix_has_is_refused(plan, mode):
    with pytest.raises(DeckError) as refused:
        prepare(plan, "prefix,origin_prefix,unit_seconds,price\n44,49,1,0.0005\n81,,1,0.005\n", mode)

    assert refused.value.problems == (
        "line 2: prefix '44' has a price per 1 s and, in force at the same time, one per 60 s (a row that the plan has "
        "already): write both for one unit",
    )


def test_a_change_holds_from_its_own_date_to_its_end(plan):
    take(
        plan,
        "prefix,price,effective_date,end_date\n44,0.03,2026-04-01,\n1,0.5,2026-03-01,2026-04-01\n",
        "change",
    )

    assert rows(stored_plan(plan.lake, "retail", MARCH)) == [
        ("1", Decimal("0.5"), MARCH, APRIL),
        ("1", Decimal("0.01"), APRIL, None),
        ("44", Decimal("0.03"), APRIL, None),
        ("44", Decimal("0.02"), None, APRIL),
        ("7", Decimal("0.3"), None, None),
    ]


def test_a_row_that_is_gone_ends(plan):
    take(plan, "prefix,price,effective_date,change\n44,,,Deleted\n1,0.02,2026-04-01,removed\n", "change")

    assert rows(stored_plan(plan.lake, "retail", MARCH)) == [
        ("1", Decimal("0.01"), None, APRIL),
        ("7", Decimal("0.3"), None, None),
    ]


def test_the_same_change_again_changes_nothing(plan):
    first = take(plan, "prefix,price\n44,0.03\n", "change")
    again = take(plan, "prefix,price\n44,0.03\n", "change")

    assert (first.changed, again.changed, again.version) == (True, False, first.version)


@pytest.mark.parametrize("mode", ["add", "change"])
def test_there_must_be_a_version_to_start_from(plan, mode):
    with pytest.raises(DeckError, match=r"retail has no version in force at 2025-01-01 00:00"):
        prepare(plan, "prefix,price\n49,1\n", mode, since=datetime(2025, 1, 1, tzinfo=UTC))


def test_other_terms_than_the_plans_need_a_whole_version(plan):
    with pytest.raises(
        DeckError, match="increment_rule is 'after_minimum' in the plan and 'total' in this import"
    ):
        prepare(plan, "prefix,price\n49,1\n", "change", increment_rule="total")


def test_a_whole_deck_leaves_out_what_it_says_is_gone(plan):
    taken = take(plan, "prefix,price,status\n44,0.02,\n49,,Deleted\n", "replace")

    assert taken.rates == 1
    assert "left out, gone by their status: 1 rows" in taken.notes


def test_preparing_changes_nothing(plan):
    files = plan.hashes("rate/plans") | plan.hashes("rate/rates")
    prepare(plan, "prefix,price\n44,0.03\n", "change")

    assert plan.hashes("rate/plans") | plan.hashes("rate/rates") == files


def test_what_a_person_should_know_is_noted(plan):
    home_notes = prepare(plan, "prefix,price,destination\n,0.5,Rest\n", "replace", since=FEBRUARY).notes
    plan.deck(BASE, since=MARCH)
    later = prepare(plan, "prefix,price\n49,0.05\n", "add", since=FEBRUARY).notes

    assert home_notes == ("not read: destination", "line 2 has no prefix: it prices every call without one")
    assert later == (f"version {load_plans(plan.lake)[-1].version} follows on 2026-03-01 and stays as it is",)


def test_every_kind_of_difference(plan):
    plan.deck("prefix,price\n33,0.1\n34,0.1\n35,0.1\n36,\n37,0.1\n38,0.6\n39,0.1\n40,0.1\n", sid="a")
    after = "prefix,price,unit_seconds,effective_date\n33,0.2,,\n34,0.05,,\n35,,,\n36,0.1,,\n38,0.01,1,\n39,0.1,,\n"
    plan.deck(after + "40,0.2,,2026-04-01\n41,1,,\n", sid="b", since=MARCH)
    changes = diff(stored_plan(plan.lake, "a", FEBRUARY), stored_plan(plan.lake, "b", MARCH))

    assert [(c.key[1], c.kind, c.percent, c.starts) for c in changes.changes] == [
        ("33", "up", Decimal(100), MARCH),
        ("34", "down", Decimal(-50), MARCH),
        ("35", "blocked", None, MARCH),
        ("36", "opened", None, MARCH),
        ("37", "gone", None, MARCH),
        ("38", "terms", None, MARCH),
        ("40", "up", Decimal(100), APRIL),
        ("41", "new", None, MARCH),
    ]
    assert (changes.unchanged, changes.later) == (1, 1)
    assert changes.counts == {"new": 1, "gone": 1, "up": 2, "down": 1, "blocked": 1, "opened": 1, "terms": 1}
    assert [c.key[1] for c in changes.biggest(3)] == ["35", "33", "40"]


def test_differences_as_csv(plan):
    prepared = prepare(plan, "prefix,price\n44,0.03\n7,blocked\n", "change")
    out = StringIO()
    write_changes(prepared.diff().changes, out)

    assert out.getvalue().splitlines() == [
        "change,prefix,origin_prefix,jurisdiction,window,mcc,mnc,country_code,old_price,price,percent,effective_date",
        "up,44,,,,,,GBR,0.02,0.03,50.0,2026-03-01T00:00:00Z",
        "blocked,7,,,,,,RUS,0.3,,,2026-03-01T00:00:00Z",
    ]

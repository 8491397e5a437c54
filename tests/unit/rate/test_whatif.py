"""History under a candidate: what it says, and that it changes nothing."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from pipeline.desk import quiet
from pipeline.domain.allowances import Bundle, Scope, Tier, TierStep
from pipeline.errors import DeckError, SettingsError
from pipeline.ledger.schema import metadata
from pipeline.masters.model import Assignment, Masters
from pipeline.rate.candidate import from_deck, from_store, world_with
from pipeline.rate.deck.file import DeckOptions
from pipeline.rate.whatif import Question, what_if
from pipeline.rate.world import Route, read_world
from tests.unit.rate.homes import DAY, HEADER, MASTERS, SINCE, call, customer
from tests.unit.rate.test_engine import message_row

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
CHEAPER = HEADER + "44,GBR,,60,60,0.015\n4420,GBR,,1,1,0.06\n1,USA,,6,6,0.01\n"
TWO = Masters(
    customers={"shop": customer("shop"), "cafe": customer("cafe")},
    assignments=(Assignment("*", "retail"), Assignment("shop", "retail", "call", "outbound", "pstn", MARCH)),
)


@pytest.fixture(scope="module")
def rated_once(shared):
    """Three calls of the shop and one of the cafe, on a deck of 0.02 to Britain and 0.01 to the US."""
    partners = [{"partner_sid": sid, "parent_sid": "root", "valid_from": SINCE} for sid in ("shop", "cafe")]
    shared.put("land/partners", "all", partners)
    shared.provider_plan([("44", "6", "6", "0.001")])
    shared.deck()
    cafe = call("d", "447700900000", "60") | {"partner_sid": "cafe"}
    shared.calls(
        call("a", "442079460000", "61"), call("b", "447700900000", "61"), call("c", "12125550100", "6"), cafe
    )
    shared.rate(TWO)
    return shared


@pytest.fixture
def rated(rated_once, copied):
    return copied(rated_once)


def deck(home, text=CHEAPER, **options):
    path = home.folder / "candidate.csv"
    path.write_text(text, encoding="utf-8")
    options = {"direction": "outbound", "family": "pstn"} | options
    return from_deck(path, DeckOptions("x", SINCE, **options))


def ask(home, candidate=None, masters=TWO, start=MARCH, end=APRIL, name="try", **whose):
    question = Question(name, start, end, **whose or {"replaces": "retail"})
    candidate = candidate or deck(home)
    return what_if(home.lake, masters, candidate, question, root_sid="root", progress=quiet)


def told(changes):
    return [(c.what, c.records, c.before, c.after, c.difference) for c in changes]


def money(*texts):
    return tuple(Decimal(text) for text in texts)


def test_all_charges_of_a_plan_move(rated):
    found = ask(rated)

    assert told(found.totals) == [(None, 4, *money("0.105", "0.107", "0.002"))]
    assert told(found.by["customer"]) == [
        ("shop", 3, *money("0.085", "0.092", "0.007")),
        ("cafe", 1, *money("0.02", "0.015", "-0.005")),
    ]
    assert told(found.by["prefix"]) == [
        ("4420", 1, *money("0.04", "0.061", "0.021")),
        ("44", 2, *money("0.06", "0.045", "-0.015")),
        ("1", 1, *money("0.005", "0.001", "-0.004")),
    ]


def test_bundles_are_drawn_anew_on_both_sides(rated):
    british = Bundle("b", "3 minutes", "shop", Scope("call", countries=("GBR",)), Decimal(180))
    halved = Tier("t", "Many", "cafe", Scope("call"), (TierStep(Decimal(30), percent=Decimal(-50)),))
    found = ask(rated, masters=replace(TWO, bundles=(british,), tiers=(halved,)))

    assert told(found.totals) == [(None, 4, *money("0.105", "0.107", "0.002"))]
    assert [(d.payer_sid, d.start, d.records, d.before, d.after, d.difference) for d in found.drawn] == [
        ("cafe", MARCH, 1, *money("0.015", "0.01125", "-0.00375")),
        ("shop", MARCH, 3, *money("0.025", "0.00125", "-0.02375")),
    ]


def test_what_was_not_moved_is_drawn_along(rated):
    stop = rated.rows("max(date_stop)", "rate.calls where dr_sid in ('a', 'b')")[0][0]
    bundle = Bundle("b", "3 minutes", "shop", Scope("call"), Decimal(180))
    found = ask(rated, masters=replace(TWO, bundles=(bundle,)), start=stop, payer="shop")

    assert (found.totals[0].records, [d.records for d in found.drawn]) == (2, [3])


@pytest.mark.parametrize(
    ("anchor", "first", "periods"),
    [
        (1, None, [("03-01", "04-01")]),
        (10, None, [("02-10", "03-10"), ("03-10", "04-10")]),
        (10, date(2026, 3, 5), [("03-05", "03-10"), ("03-10", "04-10")]),
        (10, date(2026, 3, 11), []),
    ],
    ids=["one period", "two", "billed from a day between", "not billed yet"],
)
def test_every_period_that_the_records_touch_is_drawn(rated, anchor, first, periods):
    early = call("e", "447700900000", at=datetime(2026, 3, 2, tzinfo=UTC))
    rated.calls(early, day=early["date_stop"].date())
    shop = replace(TWO.customers["shop"], anchor_day=anchor, bill_from=first)
    bundle = Bundle("b", "3 minutes", "shop", Scope("call"), Decimal(180))
    masters = replace(TWO, customers=TWO.customers | {"shop": shop}, bundles=(bundle,))
    rated.rate(masters)

    found = [(f"{d.start:%m-%d}", f"{d.end:%m-%d}") for d in ask(rated, masters=masters).drawn]
    assert found == periods


def test_a_customer_without_bundles_is_not_drawn(rated):
    assert ask(rated).drawn == ()


def test_only_one_customer_moves(rated):
    found = ask(rated, payer="shop")

    assert told(found.by["customer"]) == [("shop", 3, *money("0.085", "0.092", "0.007"))]


def test_a_window_takes_what_ended_in_it(rated):
    stop = rated.rows("min(date_stop), max(date_stop)")[0]

    assert ask(rated, start=stop[0], end=stop[1] + timedelta(milliseconds=1)).totals[0].records == 4
    assert ask(rated, end=stop[1]).totals[0].records < 4


def test_what_the_candidate_cannot_price_is_counted_apart(rated):
    found = ask(rated, deck(rated, HEADER + "1,USA,,6,6,0.01\n"))

    assert (found.totals[0].records, found.totals[0].unpriced) == (1, 3)
    assert found.unpriced == {"after: no_rate": 3}


def test_another_currency_is_no_price(rated):
    assert ask(rated, deck(rated, currency="EUR")).unpriced == {"after: currency": 4}


def test_nothing_else_changes(rated):
    before = state(rated)
    ask(rated)

    assert state(rated) == before
    assert rated.rate(TWO).written == 0


def state(home):
    with home.ledger.read() as tx:
        ledger = {name: tx.execute(select(t)).all() for name, t in metadata.tables.items()}
    files = [p for p in sorted(home.folder.rglob("*.parquet")) if "whatif" not in p.parts]
    return ledger, {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_answer_lies_in_a_folder_of_its_own_and_is_the_same_again(rated):
    folder = ask(rated).folder
    first = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    ask(rated)

    assert {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == first
    assert sorted(map(str, first)) == [
        "by_country.csv",
        "by_customer.csv",
        "by_prefix.csv",
        "records/00000.parquet",
        "whatif.json",
    ]
    assert json.loads((folder / "whatif.json").read_text())["totals"][0]["difference"] == "0.0020000000"
    assert (folder / "by_country.csv").read_text().splitlines()[1] == (
        "GBR,USD,3,300.000,0.1000000000,0.1060000000,0.0060000000,0"
    )


def test_a_stored_plan_at_an_instant_is_a_candidate_too(rated):
    rated.deck(CHEAPER, since=APRIL)
    rated.rate(TWO)

    assert ask(rated, from_store(rated.lake, "retail", APRIL)).totals[0].difference == Decimal("0.002")
    assert ask(rated, from_store(rated.lake, "retail", MARCH)).totals[0].difference == 0
    assert ask(rated, from_store(rated.lake, "retail", None)).totals[0].difference == 0


def test_ported_numbers_stay_ported(rated):
    world = replace(read_world(rated.lake, TWO, "root"), routes=(Route(SINCE, "12125550100", "14155550000"),))

    assert world_with(world, deck(rated), payer="shop").routes == world.routes


def test_selling_at_cost(rated):
    found = ask(rated, from_store(rated.lake, "provider:call:outbound:pstn", None))

    assert told(found.totals) == [(None, 3, *money("0.1", "0.032", "-0.068"))]


def test_messages(home):
    home.deck("mcc,country_code,price\n262,DEU,0.08\n", service="message", direction="", family="")
    row = message_row(call("x")["date_start"])
    home.put("land/messages", f"date={row['date_insert'].date()}", [row])
    home.rate()
    candidate = deck(
        home, "mcc,country_code,price\n262,DEU,0.05\n", service="message", direction="", family=""
    )

    assert told(ask(home, candidate, MASTERS).totals) == [(None, 1, *money("0.16", "0.1", "-0.06"))]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"payer": "nobody"}, "there is no customer nobody"),
        ({"replaces": "nothing"}, "nothing is no plan here"),
        ({"replaces": "retail", "payer": "shop"}, "not both"),
        ({"replaces": "retail", "name": "../up"}, "cannot be named"),
        ({"replaces": "retail", "start": APRIL, "end": APRIL}, "nothing to compare"),
    ],
)
def test_a_question_that_is_none_says_why(rated, asked, said):
    with pytest.raises(SettingsError, match=said):
        ask(rated, **asked)


def test_a_candidate_that_is_not_there_names_those_that_are(rated):
    with pytest.raises(
        DeckError, match="there is no plan zzz to try; the plans are provider:call:outbound:pstn, retail"
    ):
        from_store(rated.lake, "zzz", None)


def test_it_does_not_depend_on_how_many_days_are_taken_at_once(rated, monkeypatch):
    later = call("e", "447700900000", "60")
    shift = timedelta(days=1)
    later |= {name: later[name] + shift for name in ("date_start", "date_talk", "date_stop")}
    rated.calls(later, day=DAY + shift)
    rated.rate(TWO)
    together = ask(rated).by
    monkeypatch.setattr("pipeline.rate.whatif.BATCH_RECORDS", 1)
    alone = ask(rated)

    assert alone.by == together
    assert len(list((alone.folder / "records").iterdir())) == 2
    assert replace(alone.totals[0], what=None).records == 5

"""A record with its chain of reasons."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.errors import TollbookError
from pipeline.rate.explain import explain_record
from tests.unit.rate.homes import MASTERS, call
from tests.unit.rate.test_engine import message_row


@pytest.fixture
def rated(home):
    home.provider_plan([("44", "6", "6", "0.001")])
    home.deck()
    home.calls(call("a", seconds="61"), call("b", "33123456789"))
    home.rate()
    return home


def explain(home, sid, masters=MASTERS):
    return explain_record(home.lake, masters, sid, root_sid="root")


def test_every_payer_is_explained_and_agrees(rated):
    found = explain(rated, "a")

    assert (found.service, found.landed["number_dst"]) == ("call", "442079460000")
    assert [(r.party.side, r.outcome.amount, r.rated["amount"], r.agrees) for r in found.rows] == [
        ("cost", Decimal("0.011"), Decimal("0.011"), True),
        ("charge", Decimal("0.04"), Decimal("0.04"), True),
    ]
    assert found.rows[1].outcome.reasons[-2] == "0.02 x 120 / 60 = 0.04 USD (half up to 10 decimals)."


def test_an_unrated_record_too(rated):
    assert [(r.outcome.reason, r.agrees) for r in explain(rated, "b").rows] == [("no_rate", True)] * 2


def test_what_has_changed_since_rating_is_told(rated):
    changed = replace(MASTERS, assignments=())

    assert [r.agrees for r in explain(rated, "a", changed).rows] == [True, False]


def test_before_rating_there_is_nothing_to_compare(home):
    home.calls(call("a"))

    assert [(r.rated, r.agrees) for r in explain(home, "a").rows] == [(None, None)] * 2


def test_a_message(home):
    home.deck("mcc,country_code,price\n262,DEU,0.08\n", service="message", direction="", family="")
    row = message_row(call("x")["date_start"])
    home.put("land/messages", f"date={row['date_insert'].date()}", [row])
    home.rate()

    assert [(r.outcome.amount, r.agrees) for r in explain(home, "m").rows] == [
        (None, True),
        (Decimal("0.16"), True),
    ]


def test_an_unknown_record_says_what_to_do(home):
    with pytest.raises(TollbookError, match="no call or message with dr_sid zzz has landed"):
        explain(home, "zzz")

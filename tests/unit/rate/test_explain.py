"""A record with its chain of reasons."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.domain.allowances import Bundle, Scope, Tier, TierStep
from pipeline.errors import TollbookError
from pipeline.rate.explain import explain_record
from tests.unit.rate.homes import MASTERS, NOW, call
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


def test_the_plan_and_the_rows_that_lost_are_told_too(home):
    home.provider_plan([("44", "6", "6", "0.001"), ("4420", "6", "6", "0.002")])
    home.deck()
    home.calls(
        call("a", "+44 20 7946 0000", seconds="61", price=Decimal("0.011"), duration_billing=Decimal(66))
    )
    home.rate()
    found = explain(home, "a")
    cost, charge = found.rows

    assert (found.charge_differs, charge.why_number) == (
        "prefix",
        "The number +44 20 7946 0000 is read as 442079460000.",
    )
    assert (
        charge.why_plan
        == "Shop (shop) is billed for outbound pstn calls on retail by the default for everybody (for everything)."
    )
    assert [(t.rate.prefix, t.verdict) for t in cost.tried] == [
        ("4420", "chosen"),
        ("44", "the prefix 4420 is longer"),
    ]


def test_the_invoice_that_billed_it_and_what_came_after(rated):
    invoice = {"invoice_sid": "i", "number": "HCS-1", "currency": "USD", "status": "open"}
    item = {"invoice_sid": "i", "line_no": 3, "description": "Outbound calls", "type": "toll"}
    tax = {"invoice_sid": "i", "line_no": 1, "name": "VAT", "rate": Decimal("0.19")}
    record = {"source": "carrierx", "dr_sid": "a", "revision": 1, "payer_sid": "shop", "payee_sid": "root"}
    claim = record | {"invoice_sid": "i", "line_no": 3, "amount": Decimal("0.04"), "usage": Decimal(120)}
    posted = {"batch_sid": "w", "of_invoice_sid": "i", "of_line_no": 3, "amount": Decimal("-0.01")}
    draw = {"invoice_sid": "i", "kind": "bundle", "key": "b", "name": "Start", "redrawn_at": NOW}
    draw |= {"quantity": Decimal(6), "amount": Decimal("-0.002")}
    for table, row in {
        "invoices": invoice,
        "items": item,
        "taxes": tax,
        "claims": claim,
        "draws": record | draw,
        "adjusted": record | posted,
        "adjustments": posted | {"adjustment_id": 1, "reason": "the deck of May"},
    }.items():
        rated.put(f"invoice/{table}", "all", [row])

    assert [
        (b["what"], b["number"], b["line_no"], b["description"], b["amount"])
        for b in explain(rated, "a").billed
    ] == [
        ("billed", "HCS-1", 3, "Outbound calls", Decimal("0.04")),
        ("bundle Start, drawn anew", "HCS-1", None, None, Decimal("-0.002")),
        ("adjusted: the deck of May", None, None, None, Decimal("-0.01")),
    ]


def test_what_was_drawn_comes_before_what_was_billed_and_names_its_rule(rated):
    record = {"source": "carrierx", "dr_sid": "a", "revision": 1, "payer_sid": "shop", "payee_sid": "root"}
    drawn = record | {"invoice_sid": "i", "name": "N", "measure": "seconds", "quantity": Decimal(1200)}
    drawn |= {"amount": Decimal(-1), "position": Decimal(5000)}
    claim = record | {"invoice_sid": "i", "line_no": 3, "amount": Decimal(0), "usage": Decimal(120)}
    kinds = [("bundle", "b"), ("bundle", "gone"), ("tier", "t"), ("tier", "gone")]
    rated.put("invoice/draws", "all", [drawn | {"kind": kind, "key": key} for kind, key in kinds])
    rated.put("invoice/claims", "all", [claim])
    steps = (TierStep(Decimal(0), price=Decimal("0.02")), TierStep(Decimal(6000), percent=Decimal(-10)))
    held = replace(
        MASTERS,
        bundles=(Bundle("b", "N", "shop", Scope("call"), Decimal(6000)),),
        tiers=(Tier("t", "N", "shop", Scope("call"), steps),),
    )
    found = explain(rated, "a", held)

    assert [b["what"] for b in found.billed] == ["bundle N", "bundle N", "tier N", "tier N", "billed"]
    assert sorted(found.why_drawn) == [
        "Bundle b of bundles.csv, 6,000 seconds a period: it covers 1,200 seconds here.",
        "Bundle gone of bundles.csv, not there any more: it covers 1,200 seconds here.",
        "Tier gone of tiers.csv, not there any more: it counts 1,200 seconds here, from 5,000 of the period on.",
        "Tier t of tiers.csv, marginal, 0.02 per 60 s from 0, -10 % from 6,000: it counts 1,200 seconds here, from "
        "5,000 of the period on.",
    ]


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

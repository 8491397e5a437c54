"""Markup plans: the provider's rates and something on top, version by version."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.domain.markup import Markup, MarkupRule, marked_up
from pipeline.errors import MasterError
from pipeline.masters.model import Assignment
from pipeline.rate.engine import rate_days
from pipeline.rate.markup import MarkupReport, build_markups
from pipeline.rate.plans import build_plans, load_plans
from tests.unit.rate.homes import DAY, LATER, MASTERS, NOW, SINCE, call

D = Decimal
MID_MARCH = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
TWENTY = MarkupRule(percent=D(20), floor=D("0.002"))
PLUS = Markup("plus", "call", "outbound", "pstn", (TWENTY,))
ON_PLUS = replace(MASTERS, assignments=(Assignment("*", "plus"),), markups=(PLUS,))


@pytest.mark.parametrize(
    ("price", "rule", "retail"),
    [
        ("0.01", MarkupRule(percent=D(20)), "0.012"),
        ("0.001", TWENTY, "0.002"),
        ("0.01", MarkupRule(add=D("0.003")), "0.013"),
        ("0.01", MarkupRule(percent=D(10), add=D("0.001")), "0.012"),
        ("0.5", MarkupRule(percent=D(20), cap=D("0.55")), "0.55"),
        ("0.0123", MarkupRule(percent=D(20), decimals=4, rounding="up"), "0.0148"),
        ("0.0123", MarkupRule(percent=D(20), decimals=4), "0.0148"),
        ("0.0122", MarkupRule(percent=D(20), decimals=3), "0.015"),
        ("0.0122", MarkupRule(percent=D(20), decimals=4, rounding="down"), "0.0146"),
        ("0.0001", MarkupRule(decimals=2, floor=D("0.0005")), "0.0005"),
        ("0.01", MarkupRule(percent=D(-10)), "0.009"),
        ("123456789012.123456789012", MarkupRule(percent=D("33.333333")), "164609051604.641979011604"),
    ],
    ids=[
        *("percent", "floor", "absolute", "both", "cap", "rounded up", "half up", "three decimals", "down"),
        *("a floor is not rounded away", "less than cost", "every digit"),
    ],
)
def test_a_price(price, rule, retail):
    assert marked_up(D(price), rule) == D(retail)


def test_the_longest_prefix_decides_then_the_country_then_the_rule_for_all():
    rules = tuple(MarkupRule(percent=D(n), prefix=p, country_code=c) for n, p, c in (
        (1, "", ""), (2, "", "GBR"), (3, "44", ""), (4, "4420", ""), (5, "44", "JEY"),
    ))  # fmt: skip
    markup = replace(PLUS, rules=rules)

    found = {key: markup.rule_for(*key).percent for key in (("1", "USA"), ("35", "GBR"), ("44", "GBR"),
             ("44207", "GBR"), ("441534", "JEY"))}  # fmt: skip
    assert found == {
        ("1", "USA"): 1,
        ("35", "GBR"): 2,
        ("44", "GBR"): 3,
        ("44207", "GBR"): 4,
        ("441534", "JEY"): 5,
    }
    assert replace(PLUS, rules=rules[2:3]).rule_for("1", "USA") is None


def build(home, markups=(PLUS,), now=NOW):
    build_plans(home.lake, home.ledger, MASTERS, now=now)
    return build_markups(home.lake, home.ledger, markups, now=now)


def test_a_plan_follows_the_provider_s_and_what_is_not_covered_is_not_sold(home):
    home.provider_plan([("44", "6", "30", "0.01"), ("1", "6", "6", "0.001"), ("33", "6", "0", "0.02")])
    rules = (replace(TWENTY, prefix="44"), replace(TWENTY, prefix="33"))
    build(home, (replace(PLUS, rules=rules),))

    assert home.rows("prefix, price, minimum_ms, unit_ms, status", "rate.rates where plan_sid = 'plus'") == [
        ("1", None, 6000, 6000, "blocked"),
        ("33", D("0.024"), 0, 60000, "blocked"),
        ("44", D("0.012"), 30000, 30000, "active"),
    ]
    assert home.rows("origin, unit_rule, direction, family", "rate.plans where plan_sid = 'plus'") == [
        ("retail", "minimum", "outbound", "pstn")
    ]


def test_only_versions_that_changed_are_written(home):
    home.provider_plan([("44", "6", "6", "0.01")])
    assert build(home) == MarkupReport(1, 0, 0)
    assert build(home, now=LATER) == MarkupReport(0, 1, 0)
    home.provider_plan(
        [("44", "6", "6", "0.02")], plan_version="20260310-bbbbbbbbbbbb", effective_date=MID_MARCH
    )
    assert build(home) == MarkupReport(1, 1, 0)
    assert build(home, (replace(PLUS, rules=(replace(TWENTY, percent=D(30)),)),)) == MarkupReport(2, 0, 2)
    assert build(home, ()) == MarkupReport(0, 0, 2)
    assert [p.plan_sid for p in load_plans(home.lake)] == ["provider:call:outbound:pstn"] * 2


def test_a_price_change_in_the_middle_of_a_month_prices_each_call_by_its_own_version(home):
    home.provider_plan([("44", "60", "60", "0.01")])
    home.provider_plan(
        [("44", "60", "60", "0.02")], plan_version="20260310-bbbbbbbbbbbb", effective_date=MID_MARCH
    )
    before, after = call("before"), call("after")
    assert before["date_start"] < MID_MARCH
    for name in ("date_start", "date_talk", "date_stop"):
        after[name] += timedelta(hours=1)
    home.calls(before, after)
    build(home)
    rate_days(home.lake, home.ledger, ON_PLUS, root_sid="root", days=[DAY], now=NOW)

    versions = {p.effective_from: p.version for p in load_plans(home.lake) if p.plan_sid == "plus"}
    assert home.rows("dr_sid, plan_sid, plan_version, amount", "rate.calls where side = 'charge'") == [
        ("after", "plus", versions[MID_MARCH], D("0.024")),
        ("before", "plus", versions[SINCE], D("0.012")),
    ]
    assert versions[MID_MARCH].startswith("20260310-bbbbbbbbbbbb-m")


def test_two_plans_of_one_name_are_refused(home):
    home.provider_plan([("44", "6", "6", "0.01")])
    home.deck(sid="plus")

    with pytest.raises(MasterError, match="a plan plus, and a deck was imported under that name"):
        build(home)

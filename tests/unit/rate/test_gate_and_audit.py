"""The provider's charges: what unit they imply, and which of them are wrong."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.masters.model import PlanTerms, Policy
from pipeline.rate.audit import audit
from pipeline.rate.gate import check_units
from tests.unit.rate.homes import MASTERS, call

FIXED = replace(MASTERS, policy=Policy(provider_terms=PlanTerms(unit_rule="fixed:60")))
RATES = [("44", "6", "6", "0.001"), ("1", "60", "60", "0.01"), ("49", "6", "30", "0.005")]


def charged(home, *prices: str, masters=MASTERS, numbers: str = "442079460000") -> None:
    home.provider_plan(RATES)
    home.calls(
        *(
            call(f"c{n}", numbers, price=Decimal(p), duration_billing=Decimal(60))
            for n, p in enumerate(prices)
        )
    )
    home.rate(masters)


@pytest.mark.parametrize(
    ("masters", "price", "implied", "contradicted"),
    [
        (MASTERS, "0.01", "minimum", False),
        (MASTERS, "0.001", "fixed:60", True),
        (FIXED, "0.001", "fixed:60", False),
        (FIXED, "0.01", "minimum", True),
        (MASTERS, "0.06", "fixed:1", True),
    ],
    ids=["as documented", "per minute", "per minute as set", "per minimum against the setting", "per second"],
)
def test_the_unit_that_the_charges_imply(home, masters, price, implied, contradicted):
    charged(home, price, price, masters=masters)
    (finding,) = check_units(home.lake).findings

    rule = masters.policy.provider_terms.unit_rule
    assert (finding.unit_rule, finding.records) == (rule, 2)
    assert finding.implied == (implied if contradicted else rule)
    assert finding.contradicted is contradicted
    assert check_units(home.lake).ok is not contradicted


def test_the_majority_decides(home):
    charged(home, "0.01", "0.01", "0.001")

    assert check_units(home.lake).ok
    assert check_units(home.lake).findings[0].message == (
        "provider:call:outbound:pstn: 2 of 3 charges confirm unit rule minimum."
    )


def test_a_contradiction_names_plan_count_unit_and_remedy(home):
    charged(home, "0.001", "0.001")
    result = check_units(home.lake)

    assert result.message == (
        "provider:call:outbound:pstn is rated with unit rule minimum, but 2 of 2 of the provider's own charges "
        'contradict it; most read as fixed:60. Set unit_rule = "fixed:60" under [provider] in masters/policy.toml and '
        'rate again, or accept it with gate_accepted = "your name".'
    )
    assert check_units(home.lake, "Ann").ok


def test_rows_with_a_minimum_of_a_minute_cannot_tell(home):
    charged(home, "0.01", "0.2", numbers="12125550100")

    assert check_units(home.lake).findings == ()


def test_an_audit_of_right_charges_finds_nothing(home):
    charged(home, "0.01", "0.01")
    report = audit(home.lake)

    assert (report.records, report.charged, report.expected, report.differences) == (
        2,
        Decimal("0.02"),
        Decimal("0.02"),
        (),
    )


def test_each_wrong_charge_comes_out_with_a_likely_reason(home):
    home.provider_plan(RATES)
    wrong = {
        "wrong price": {"price": "0.0137"},
        "per minute": {"price": "0.001"},
        "more seconds": {"price": "0.011", "duration_billing": "66"},
        "nothing": {"price": None},
        "unanswered": {"price": "0.01", "date_talk": None},
        "not billable": {"price": "0.01", "seconds": "0.000", "date_talk": "stop"},
        "nowhere": {"price": "0.02", "number": "33123456789"},
        "right": {"price": "0.01"},
        "free and right": {"price": "0", "seconds": "0"},
    }
    home.calls(*(spoiled(sid, dict(change)) for sid, change in wrong.items()))
    home.rate()
    report = audit(home.lake)

    assert {d.dr_sid: (d.likely, d.difference) for d in report.differences} == {
        "wrong price": ("price", Decimal("0.0037")),
        "per minute": ("unit", Decimal("-0.009")),
        "more seconds": ("increment", Decimal("0.001")),
        "nothing": ("not_charged", Decimal("-0.01")),
        "unanswered": ("unrated: answer_missing", Decimal("0.01")),
        "not billable": ("not_billable", Decimal("0.01")),
        "nowhere": ("unrated: no_rate", Decimal("0.02")),
    }
    assert report.sids("price") == ("wrong price",)
    assert report.by_reason()["unit"] == (1, Decimal("-0.009"))
    assert next(iter(report.by_reason())) == "unrated: no_rate"


def spoiled(sid: str, change: dict) -> dict:
    price = change.pop("price")
    row = call(sid, change.pop("number", "442079460000"), change.pop("seconds", "60"))
    row |= {"price": None if price is None else Decimal(price)}
    row |= {"duration_billing": Decimal(change.pop("duration_billing", "60"))}
    if change.get("date_talk") == "stop":
        change["date_talk"] = row["date_stop"]
    return row | change

"""The provider's charges: what unit they imply, and which of them are wrong."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from pipeline.errors import SettingsError
from pipeline.masters.model import PlanTerms, Policy
from pipeline.rate.audit import audit, write_differences
from pipeline.rate.gate import check_units
from tests.unit.rate.homes import MASTERS, NOW, SINCE, call
from tests.unit.rate.test_engine import message_row

YEAR = timedelta(days=365)

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

    assert (report.records, report.charged, report.expected) == (2, Decimal("0.02"), Decimal("0.02"))
    assert (report.differing, report.differences, report.by_reason()) == (0, (), {})


WRONG = {
    "wrong price": ("unexplained", "0.0137", {}),
    "per minute": ("unit", "0.001", {}),
    "more seconds": ("increment", "0.011", {"duration_billing": "66"}),
    "another rule": (
        "increment",
        "0.00833333",
        {"number": "4930123456", "seconds": "35", "duration_billing": None},
    ),
    "seconds and minute": ("increment and unit", "0.0011", {"duration_billing": "66"}),
    "four decimals": ("rounding", "0.0007", {"number": "33123456789", "seconds": "6"}),
    "the old version": ("date", "0.007", {}),
    "a shorter row of the old version": ("unexplained", "0.007", {"number": "447700900000"}),
    "the country's row": ("prefix", "0.01", {"number": "447700900000"}),
    "the other family": ("plan", "0.5", {}),
    "per second": ("unit", "0.6", {"number": "12125550100"}),
    "a sixtieth": ("unit", "0.000167", {"number": "12125550100"}),
    "twice": ("charged_twice", "0.02", {"number": "12125550100"}),
    "half": ("charged_half", "0.005", {"number": "12125550100"}),
    "ten times": ("decimal_shift", "0.1", {"number": "12125550100"}),
    "a thousand times": ("decimal_shift", "10", {"number": "12125550100"}),
    "a hundredth": ("decimal_shift", "0.0001", {"number": "12125550100"}),
    "nearly twice": ("unexplained", "0.0201", {"number": "12125550100"}),
    "three times": ("unexplained", "0.03", {"number": "12125550100"}),
    "nothing": ("not_charged", None, {}),
    "unanswered": ("unrated: answer_missing", "0.01", {"date_talk": None}),
    "not billable": ("not_billable", "0.01", {"seconds": "0.000", "date_talk": "stop"}),
    "nowhere": ("unrated: no_rate", "0.02", {"number": "81312345678"}),
}
OLD = "20250101-aaaaaaaaaaaa"


@pytest.fixture(scope="module")
def wrong_once(shared):
    """One record for each way to be wrong, and two that are right."""
    shared.provider_plan(
        [("44", "6", "6", "0.0007"), ("4477", "6", "6", "0.0009"), *RATES[1:]],
        plan_version=OLD,
        effective_date=SINCE - YEAR,
    )
    more = [("4477", "6", "6", "0.002"), ("33", "1", "60", "0.000725"), ("49", "20", "30", "0.005")]
    shared.provider_plan([("44", "6", "6", "0.001"), RATES[1], *more[:2], more[2]])
    shared.provider_plan(
        [("44", "60", "60", "0.5")], family="conference", plan_version="20260101-cccccccccccc"
    )
    right = {"right": (None, "0.01", {}), "free and right": (None, "0", {"seconds": "0"})}
    told = {**WRONG, **right}
    shared.calls(*(spoiled(sid, price, dict(change)) for sid, (_, price, change) in told.items()))
    shared.rate()
    return shared


@pytest.fixture
def wrong(wrong_once, copied):
    return copied(wrong_once)


def test_each_wrong_charge_comes_out_with_the_first_reason_that_leads_to_it(wrong):
    report = audit(wrong.lake)

    assert {d.dr_sid: d.reason for d in report.differences} == {sid: told[0] for sid, told in WRONG.items()}


def test_the_groups_add_up_to_the_whole_by_every_dimension(wrong):
    report = audit(wrong.lake)
    amounts = [g.difference for g in report.by["reason"]]

    assert report.differing == len(WRONG)
    assert report.charged - report.expected == sum(amounts)
    for groups in report.by.values():
        assert (sum(g.records for g in groups), sum(g.difference for g in groups)) == (
            len(WRONG),
            sum(amounts),
        )
        assert all(g.difference == g.charged - g.expected for g in groups)
    assert {g.what for g in report.by["day"]} == {"2026-03-10"}


def test_the_list_is_short_and_the_file_is_whole(wrong, tmp_path):
    report = audit(wrong.lake, listed=2)

    assert [d.dr_sid for d in report.differences] == ["a thousand times", "per second"]
    assert write_differences(wrong.lake, tmp_path / "all.parquet") == len(WRONG)
    assert write_differences(wrong.lake, tmp_path / "all.csv") == len(WRONG)
    table = pl.read_parquet(tmp_path / "all.parquet")
    assert (tmp_path / "all.csv").read_text().splitlines()[0].split(",") == table.columns
    assert sorted(table["dr_sid"]) == sorted(WRONG)
    with pytest.raises(SettingsError, match=r"all.xls ends neither in .csv nor in .parquet"):
        write_differences(wrong.lake, tmp_path / "all.xls")


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("0.02", "segments"),
        ("0.009", "date"),
        ("0.0466", "prefix"),
        ("0.0001", "decimal_shift"),
        ("0.0123", "unexplained"),
    ],
)
def test_a_message_too(home, price, reason):
    def plan(rates, version, since):
        common = {"service": "message", "direction": "outbound", "family": "toll", "plan_version": version}
        common |= {"effective_date": since, "seen_at": NOW, "prefix": ""}
        rows = [{"mcc": mcc, "country_code": c, "price": Decimal(p)} | common for mcc, c, p in rates]
        home.put("land/rates", f"message-outbound-toll.{version}", rows)

    plan([(262, None, "0.0045")], OLD, SINCE - YEAR)
    plan([(262, None, "0.005"), (None, "DEU", "0.0233")], "20260101-aaaaaaaaaaaa", SINCE)
    row = message_row(call("x")["date_start"]) | {"price": Decimal(price)}
    home.put("land/messages", f"date={row['date_insert'].date()}", [row])
    home.rate()

    assert [(d.reason, d.amount) for d in audit(home.lake).differences] == [(reason, Decimal("0.01"))]


@pytest.mark.parametrize(
    ("change", "verdict", "difference"),
    [
        ({}, "agrees", "0"),
        ({"amount": "0.03"}, "agrees", "0.01"),
        ({"amount": "0.05"}, "amount", "0.03"),
        ({"usage": 60}, "usage", "0"),
        ({"direction": "inbound"}, "no records", "0.02"),
        ({"country_code": "DEU"}, "no records", "0.02"),
        ({"type": "did"}, "not usage", "0.02"),
    ],
)
def test_a_line_of_the_provider_s_invoice_against_its_records(home, change, verdict, difference):
    charged(home, "0.01", "0.01")
    line = {"type": "toll", "direction": "outbound", "country_code": "GBR", "usage": 120, "amount": "0.02"}
    # The provider writes the last second of a period; what ends within it belongs to it.
    first, last = datetime(2026, 3, 1, tzinfo=UTC), call("x")["date_stop"].replace(microsecond=0)
    invoice = {"invoice_sid": "i", "display_id": "001", "partner_sid": "root", "valid_from": NOW}
    invoice |= {"date_billing_period_start": first, "date_billing_period_end": last}
    home.put("land/provider_invoices", "all", [invoice | {"items_json": json.dumps([line | change])}])
    (found,) = audit(home.lake).invoices

    assert (found.display_id, found.line_no, found.verdict, found.difference) == (
        "001",
        1,
        verdict,
        Decimal(difference),
    )


def spoiled(sid: str, price: str | None, change: dict) -> dict:
    row = call(sid, change.pop("number", "442079460000"), change.pop("seconds", "60"))
    row |= {"price": None if price is None else Decimal(price)}
    billed = change.pop("duration_billing", "60")
    row |= {"duration_billing": None if billed is None else Decimal(billed)}
    if change.get("date_talk") == "stop":
        change["date_talk"] = row["date_stop"]
    return row | change

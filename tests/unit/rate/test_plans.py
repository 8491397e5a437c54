"""The provider's plans, made ready to rate with."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.errors import SettingsError
from pipeline.masters.model import PlanTerms, Policy
from pipeline.rate.plans import build_plans, load_plans
from tests.unit.rate.homes import LATER, MASTERS, NOW, SINCE

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def terms(**changes):
    return replace(MASTERS, policy=Policy(provider_terms=PlanTerms(**changes)))


def build(home, masters=MASTERS, now=NOW):
    return build_plans(home.lake, home.ledger, masters, now=now)


def test_the_terms_are_those_of_the_policy(home):
    home.provider_plan([("44", "6", "30", "0.001")])
    report = build(home)
    (plan,) = load_plans(home.lake)

    assert (report.changed, report.plans, report.rates) == (True, 1, 1)
    assert (plan.plan_sid, plan.origin, plan.unit_rule, plan.increment_rule) == (
        "provider:call:outbound:pstn",
        "provider",
        "minimum",
        "total",
    )
    assert home.rows("prefix, increment_ms, minimum_ms, unit_ms, status", "rate.rates") == [
        ("44", 6000, 30000, 30000, "active")
    ]


def test_unchanged_inputs_make_no_new_file(home):
    home.provider_plan([("44", "6", "30", "0.001")])
    build(home)
    files = home.hashes("rate/plans")

    assert build(home, now=LATER).changed is False
    assert home.hashes("rate/plans") == files
    assert build(home, terms(unit_rule="fixed:60")).changed is True
    assert home.rows("unit_ms", "rate.rates") == [(60000,)]


def test_a_missing_increment_is_one_second_and_a_missing_minimum_none(home):
    home.provider_plan([("44", "0", "0", "0.001")], billing_increment=None, billing_minimum=None)
    build(home, terms(unit_rule="fixed:60"))

    assert home.rows("increment_ms, minimum_ms", "rate.rates") == [(1000, 0)]


def test_a_row_whose_unit_is_not_known_is_blocked_and_reported(home):
    home.provider_plan([("44", "6", "0", "0.001"), ("1", "6", "6", "0.001")])
    report = build(home)

    assert home.rows("prefix, status", "rate.rates") == [("1", "active"), ("44", "blocked")]
    assert report.refused == (
        "provider:call:outbound:pstn 20260101-aaaaaaaaaaaa prefix 44: minimum 0 ms, increment 6000 ms cannot be rated "
        "with unit rule minimum",
    )


def test_versions_are_in_force_until_the_next_begins(home):
    home.provider_plan([("44", "6", "6", "1")])
    home.provider_plan([("44", "6", "6", "2")], plan_version="20260301-bbbbbbbbbbbb", effective_date=MARCH)
    build(home)

    assert [(p.effective_from, p.effective_to) for p in load_plans(home.lake)] == [
        (SINCE, MARCH),
        (MARCH, None),
    ]


def test_a_change_without_a_new_date_counts_from_when_it_was_seen(home):
    home.provider_plan([("44", "6", "6", "1")])
    home.provider_plan([("44", "6", "6", "2")], plan_version="20260101-bbbbbbbbbbbb", seen_at=LATER)
    build(home)

    assert [(p.effective_from, p.effective_to) for p in load_plans(home.lake)] == [
        (SINCE, LATER),
        (LATER, None),
    ]


def test_nothing_landed_gives_empty_tables(home):
    assert build(home).plans == 0
    assert load_plans(home.lake) == ()


def test_an_impossible_unit_rule_is_a_setting_to_correct(home):
    with pytest.raises(
        SettingsError, match=r"\[provider\] unit_rule in masters/policy.toml: unit rule 'fixed:x'"
    ):
        build(home, terms(unit_rule="fixed:x"))

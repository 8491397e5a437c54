"""Small wrong changes to the engine that the comparison with the reference must notice."""

from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.lake.views import sql_text
from pipeline.masters.model import Assignment
from pipeline.rate import rater, tariff
from pipeline.rate.lookup import Prefixes, prefixes
from tests.property.rating_worlds import call_world, message_world
from tests.spec.engines import Case, call, connection, fast, reference

WORLDS = 12
# Of rate/calls and of the steps before it: (query, what is there, what would be wrong).
MUTANTS = {
    "start before version end inclusive": ("steps/payers", "a.begin_ms < c.to_ms", "a.begin_ms <= c.to_ms"),
    "version starts late": ("steps/payers", "a.begin_ms >= c.from_ms", "a.begin_ms > c.from_ms"),
    "grace exclusive": ("calls", "counted_ms <= grace_ms", "counted_ms < grace_ms"),
    "no minimum": (
        "calls",
        "when bounded_ms <= minimum_ms then minimum_ms",
        "when bounded_ms <= minimum_ms then bounded_ms",
    ),
    "increment floors": ("calls", "minimum_ms + increment_ms - 1)", "minimum_ms)"),
    "total rule everywhere": ("calls", "when increment_rule = 'total'", "when true"),
    "after-minimum rule everywhere": ("calls", "when increment_rule = 'total'", "when false"),
    "total adds the minimum": ("calls", "greatest(minimum_ms, (bounded_ms", "(minimum_ms + (bounded_ms"),
    "half up is half even": (
        "steps/macros",
        "when mode = 'half_up' and",
        "when mode = 'half_up' and share // whole % 2 = 1 and",
    ),
    "half up leaves ties": (
        "steps/macros",
        "mode = 'half_up' and share % whole * 2 >= whole",
        "mode = 'half_up' and share % whole * 2 > whole",
    ),
    "half even rounds ties up": ("steps/macros", "share // whole % 2 = 1", "share // whole % 2 >= 0"),
    "up ignores the rest": ("steps/macros", "mode = 'up' and", "mode = 'UP' and"),
    "no connect fee": ("calls", "connect_fee_e12 * unit_ticks + price", "0 * unit_ticks + price"),
    "a tick too few": (
        "calls",
        "price_e12 * (billed_ms // tick_ms)) as",
        "price_e12 * (billed_ms // tick_ms - 1)) as",
    ),
    "a tick is a second": (
        "steps/deck",
        "greatest(gcd(gcd(increment_ms, minimum_ms), unit_ms), 1) as tick_ms",
        "1000 as tick_ms",
    ),
    "the minimum is no whole tick": (
        "steps/deck",
        "gcd(gcd(increment_ms, minimum_ms), unit_ms)",
        "gcd(increment_ms, unit_ms)",
    ),
    "the default row is lost": (
        "steps/deck",
        "coalesce(r.prefix, '') as digits",
        "coalesce(nullif(r.prefix, ''), '9') as digits",
    ),
    "ringing is billed": ("steps/due", "else d.stop_ms - d.talk_ms", "else d.stop_ms - d.start_ms"),
    "whole seconds go up": (
        "steps/due",
        "then exact_ms // 1000 * 1000",
        "then (exact_ms + 999) // 1000 * 1000",
    ),
    "half a second goes down": ("steps/due", "(exact_ms + 500)", "(exact_ms + 499)"),
    "a missing answer is free": ("calls", "when answer_missing or exact_ms is null", "when exact_ms < -9"),
    "200 does not matter": ("steps/due", "coalesce(l.sipcause = 200, false)", "false"),
    "the charge does not matter": ("steps/due", "coalesce(l.price > 0, false)", "false"),
    "blocked is free": (
        "calls",
        "when rate_status = 'blocked' or rate_price is null",
        "when rate_price is null",
    ),
    "a day is not too long": ("calls", "exact_ms > 86400000", "exact_ms >= 86400000"),
    "inbound by the destination": (
        "steps/due",
        "when 'inbound' then l.endpoint_sid_src",
        "when 'inbound' then l.endpoint_sid_dst",
    ),
    "transformed is ignored": ("steps/due", "then digits(d.number_dst_transformed)", "then d.dst"),
    "1800 is not toll-free": ("steps/macros", "in ('1800', ", "in ('1801', "),
    "brackets are no number": (
        "steps/macros",
        "translate(given, '+ ().-', '')",
        "translate(given, '+ .-', '')",
    ),
    "the caller is who is called": (
        "steps/due",
        "digits(l.number_src) as src",
        "digits(l.number_dst) as src",
    ),
}
# Of the deck that the compiled lookup is made from: (column, what is wrong with it).
LOOKUP_MUTANTS = {
    "row end inclusive": ("to_ms", lambda deck: pc.add(deck["to_ms"], 1)),
    "row starts late": ("from_ms", lambda deck: pc.add(deck["from_ms"], 1)),
    "one digit less": ("prefix", lambda deck: pc.utf8_slice_codeunits(deck["prefix"], 0, 1)),
    "another row": (
        "term_id",
        lambda deck: pc.subtract(pc.max(deck["term_id"]), pc.subtract(deck["term_id"], 1)),
    ),
}
MESSAGE_MUTANTS = {
    "country before code": (
        "messages",
        "coalesce(d.network_id, c.rate_id,",
        "coalesce(c.rate_id, d.network_id,",
    ),
    "recipients do not count": ("messages", "greatest(coalesce(recipients, 1), 1)", "1"),
    "segments of an mms count": (
        "messages",
        "case when type = 'mms' then 1 else",
        "case when false then 1 else",
    ),
    "every status is billed": ("messages", "message_status)\n", "message_status) and false\n"),
    "statuses by case": ("messages", "lower(coalesce(d.status, ''))", "coalesce(d.status, '')"),
    "short codes are long": ("messages", "length(own_number) <= 6", "length(own_number) <= 4"),
    "the wrong network": ("messages", "and n.mnc = d.mnc", "and n.mnc + 1 = d.mnc"),
    "no network without a code": ("messages", "m.specificity = 3", "m.specificity = 9"),
    "the row for all is lost": ("messages", "e.specificity = 1", "e.specificity = 9"),
    "rows end late": ("steps/message_rows", "e.begin_ms < d.to_ms", "e.begin_ms <= d.to_ms"),
    "rows start late": ("steps/message_rows", "d.from_ms <= e.begin_ms", "d.from_ms < e.begin_ms"),
    "inbound is never free": ("messages", "= 0 then 'no_provider_plan'", "= -1 then 'no_provider_plan'"),
}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        yield con


def ties() -> tuple[Case, list[dict]]:
    """Two plans on which every other second comes to half a rounding step."""
    rates = (Rate(Decimal("0.00000000005"), "", unit=Decimal(1)),)
    plans = [
        RatePlan(mode, "v1", "call", "USD", rounding_mode=mode, rates=rates)
        for mode in ("half_up", "half_even")
    ]
    held = [Assignment("shop", "half_up"), Assignment("desk", "half_even")]
    case = Case(plans, held, {"root": None, "shop": "root", "desk": "root"}, {"shop": False, "desk": False})
    return case, [call(f"{s}{p}", "44", str(s), partner_sid=p) for s in range(1, 5) for p in ("shop", "desk")]


@cache
def world(service: str, seed: int) -> tuple[Case, list[dict], Any]:
    """A world, and what the reference says there."""
    make = call_world if service == "call" else message_world
    case, records = ties() if seed < 0 and service == "call" else make(seed, 150)
    return case, records, reference(case, service, records)


def differs(con, service: str) -> bool:
    for seed in range(-1, WORLDS):
        case, records, expected = world(service, seed)
        if fast(case, service, records, con) != expected:
            return True
    return False


def mutate(monkeypatch, query: str, old: str, new: str) -> None:
    def mutated(table: str) -> str:
        text = sql_text(table)
        return text.replace(old, new) if table == query else text

    for module in (rater, tariff):
        monkeypatch.setattr(module, "sql_text", mutated)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_call_query_is_noticed(con, monkeypatch, name):
    query, old, new = MUTANTS[name]
    assert old in sql_text(f"rate/{query}")
    mutate(monkeypatch, f"rate/{query}", old, new)

    assert differs(con, "call")


@pytest.mark.parametrize("name", LOOKUP_MUTANTS)
def test_a_wrong_lookup_is_noticed(con, monkeypatch, name):
    column, wrong = LOOKUP_MUTANTS[name]

    def mutated(deck: pa.Table) -> Prefixes:
        return prefixes(deck.set_column(deck.schema.get_field_index(column), column, wrong(deck)))

    monkeypatch.setattr(tariff, "prefixes", mutated)

    assert differs(con, "call")


@pytest.mark.parametrize("name", MESSAGE_MUTANTS)
def test_a_wrong_message_query_is_noticed(con, monkeypatch, name):
    query, old, new = MESSAGE_MUTANTS[name]
    assert old in sql_text(f"rate/{query}")
    mutate(monkeypatch, f"rate/{query}", old, new)

    assert differs(con, "message")


@pytest.mark.parametrize("service", ["call", "message"])
def test_the_right_query_is_not(con, service):
    assert not differs(con, service)

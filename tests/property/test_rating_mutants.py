"""Small wrong changes to the SQL that the comparison with the reference must notice."""

import pytest

from pipeline.lake.views import sql_text
from tests.property.rating_worlds import call_world, message_world
from tests.spec.engines import connection, fast, reference

WORLDS = 12
MUTANTS = {
    "start before version end inclusive": ("u.start_ms < c.to_ms", "u.start_ms <= c.to_ms"),
    "version starts a millisecond late": ("u.start_ms >= c.from_ms", "u.start_ms > c.from_ms"),
    "row end inclusive": ("i.from_ms < c.to_ms) as rate_id", "i.from_ms <= c.to_ms) as rate_id"),
    "shortest prefix": ("arg_max(c.rate_id, c.length)", "arg_min(c.rate_id, c.length)"),
    "cheapest prefix": ("arg_max(c.rate_id, c.length)", "arg_max(c.rate_id, -c.rate_id)"),
    "one digit less": ("left(d.number, l.length)", "left(d.number, l.length - 1)"),
    "grace exclusive": ("base_ms <= grace_ms", "base_ms < grace_ms"),
    "no minimum": (
        "when bounded_ms <= minimum_ms then minimum_ms",
        "when bounded_ms <= minimum_ms then bounded_ms",
    ),
    "increment floors": ("minimum_ms + increment_ms - 1)", "minimum_ms)"),
    "total rule everywhere": ("when increment_rule = 'total'", "when true"),
    "after-minimum rule everywhere": ("when increment_rule = 'total'", "when false"),
    "total adds the minimum": ("greatest(minimum_ms, (bounded_ms", "(minimum_ms + (bounded_ms"),
    "half up is half even": (
        "when rounding_mode = 'half_up' and",
        "when rounding_mode = 'half_up' and steps_odd and",
    ),
    "half up leaves ties": (
        "rounding_mode = 'half_up' and share % whole * 2 >= whole",
        "rounding_mode = 'half_up' and share % whole * 2 > whole",
    ),
    "half even rounds ties up": ("share // whole % 2 = 1", "share // whole % 2 >= 0"),
    "up ignores the rest": ("rounding_mode = 'up' and", "rounding_mode = 'UP' and"),
    "no connect fee": ("connect_fee_e12 * unit_ms + price", "0 * unit_ms + price"),
    "unit is a minute": ("unit_ms::hugeint * quantum", "60000::hugeint * quantum"),
    "ringing is billed": ("else u.stop_ms - u.talk_ms", "else u.stop_ms - u.start_ms"),
    "a missing answer is free": ("when answer_missing or base_ms is null", "when base_ms < -9"),
    "200 does not matter": ("coalesce(b.sipcause = 200, false)", "false"),
    "the charge does not matter": ("coalesce(b.price > 0, false)", "false"),
    "blocked is free": ("when rate_status = 'blocked' or rate_price is null", "when rate_price is null"),
    "a day is not too long": ("base_ms > 86400000", "base_ms >= 86400000"),
    "inbound by the destination": (
        "when 'inbound' then b.endpoint_sid_src",
        "when 'inbound' then b.endpoint_sid_dst",
    ),
    "transformed is ignored": ("then u.transformed", "then u.dst"),
    "1800 is not toll-free": ("in ('00', ", "in ('01', "),
}
MESSAGE_MUTANTS = {
    "country before code": ("else 2 end", "else 5 end"),
    "recipients do not count": ("greatest(coalesce(d.recipients, 1), 1)", "1"),
    "segments of an mms count": ("case when type = 'mms' then 1 else", "case when false then 1 else"),
    "every status is billed": ("message_status)\n", "message_status) and false\n"),
    "statuses by case": ("lower(coalesce(u.status, ''))", "coalesce(u.status, '')"),
    "short codes are long": ("length(d.own_number) <= 6", "length(d.own_number) <= 4"),
    "the wrong network": ("(r.mnc is null or r.mnc = t.mnc)", "true"),
    "inbound is never free": ("= 0 then 'no_provider_plan'", "= -1 then 'no_provider_plan'"),
}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        yield con


def differs(con, service: str) -> bool:
    make = call_world if service == "call" else message_world
    for seed in range(WORLDS):
        case, records = make(seed, 150)
        if fast(case, service, records, con) != reference(case, service, records):
            return True
    return False


def mutate(monkeypatch, change: tuple[str, str]) -> None:
    def mutated(table: str) -> str:
        text = sql_text(table)
        if change[0] not in text:
            return text
        wrong = change[1].replace("steps_odd", "share // whole % 2 = 1")
        return text.replace(change[0], wrong, 1)

    monkeypatch.setattr("pipeline.rate.engine.sql_text", mutated)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_call_query_is_noticed(con, monkeypatch, name):
    assert MUTANTS[name][0] in sql_text("rate/calls")
    mutate(monkeypatch, MUTANTS[name])

    assert differs(con, "call")


@pytest.mark.parametrize("name", MESSAGE_MUTANTS)
def test_a_wrong_message_query_is_noticed(con, monkeypatch, name):
    assert MESSAGE_MUTANTS[name][0] in sql_text("rate/messages")
    mutate(monkeypatch, MESSAGE_MUTANTS[name])

    assert differs(con, "message")


@pytest.mark.parametrize("service", ["call", "message"])
def test_the_right_query_is_not(con, service):
    assert not differs(con, service)

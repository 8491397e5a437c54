"""What tollbook adds to SQL: each macro gives what the domain gives."""

import random

import duckdb
import phonenumbers
import pytest

from pipeline.domain.numbering import country_of, digits
from pipeline.lake import catalog
from tests.property.rating_worlds import call_world
from tests.spec.engines import connection, fast

CODES = ("1", "7", "33", "39", "44", "47", "49", "61", "212", "262", "358", "590", "599")


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        for statement in catalog.macros():
            con.execute(statement)
        yield con


def value(con: duckdb.DuckDBPyConnection, sql: str) -> object:
    return con.execute(f"select {sql}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("'+44 20 7946 0958'", "+442079460958"),
        ("'011 44 20 7946 0958'", "+442079460958"),
        ("'00442079460958'", "+442079460958"),
        ("'+1 (415) 555-0100'", "+14155550100"),
        ("'14155550100'", "+14155550100"),
        ("'(415) 555-0100', code := '1'", "+14155550100"),
        ("'+14155550100', code := '44'", "+14155550100"),
        ("'0794'", None),
        ("'911'", None),
        ("'1234567890123456'", None),
        ("'anonymous'", None),
        ("''", None),
        ("null", None),
    ],
)
def test_e164(con, given, expected):
    assert value(con, f"e164({given})") == expected


@pytest.mark.parametrize(
    ("given", "starts", "ends"),
    [
        ("'2026'", "2026-01-01 00:00:00+00", "2027-01-01 00:00:00+00"),
        ("'2026-Q1'", "2026-01-01 00:00:00+00", "2026-04-01 00:00:00+00"),
        ("'2026-Q4'", "2026-10-01 00:00:00+00", "2027-01-01 00:00:00+00"),
        ("'2024-02'", "2024-02-01 00:00:00+00", "2024-03-01 00:00:00+00"),
        ("'2026-12'", "2026-12-01 00:00:00+00", "2027-01-01 00:00:00+00"),
        ("'2026-12-31'", "2026-12-31 00:00:00+00", "2027-01-01 00:00:00+00"),
        # The days on which clocks change are 23 and 25 hours long.
        ("'2026-03-29', zone := 'Europe/Berlin'", "2026-03-28 23:00:00+00", "2026-03-29 22:00:00+00"),
        ("'2026-10-25', zone := 'Europe/Berlin'", "2026-10-24 22:00:00+00", "2026-10-25 23:00:00+00"),
    ],
)
def test_period(con, given, starts, ends):
    found = f"period({given})"
    assert [value(con, f"({found}).{end}::varchar") for end in ("starts", "ends")] == [starts, ends]


def test_a_period_is_half_open(con):
    moments = ("2026-02-28 23:59:59.999", "2026-03-01", "2026-03-31 23:59:59.999", "2026-04-01")
    inside = [
        value(con, f"in_period(timestamptz '{at}+00', '2026-03')".replace("01+00", "01 00:00+00"))
        for at in moments
    ]
    assert inside == [False, True, True, False]


@pytest.mark.parametrize("name", ["March", "2026-3", "2026-13", "2026-Q5", "26"])
def test_what_is_no_period_is_refused(con, name):
    with pytest.raises(duckdb.Error):
        value(con, f"period('{name}')")


def numbers() -> list[str]:
    """Valid numbers of every kind and country, some at random where countries share a code, and what is none."""
    found = [
        phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in range(11)
        if (example := phonenumbers.example_number_for_type(region, kind))
    ]
    chance = random.Random(4)
    made = [f"+{chance.choice(CODES)}{chance.randrange(10**8, 10**10)}" for _ in range(4000)]
    found += [number for number in made if phonenumbers.is_valid_number(phonenumbers.parse(number))]
    return [*found, "anonymous", "911", "", "+", "+8823490", "+870123456789", "sip:a@b"]


def test_country_of_a_number_is_the_domains(con):
    """If this fails after an upgrade of the numbering data: ``python -m tests.sql.countries``."""
    asked = numbers()
    con.execute("create or replace temp table asked as select unnest($1::varchar[]) as number", [asked])
    found = dict(con.execute("select number, country_of(number) from asked").fetchall())
    assert found == {number: country_of(digits(number)) for number in asked}
    assert len(set(found.values())) > 200


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_quote_is_what_rating_gives(con, seed):
    """On random decks, except where it says itself that a row depends on more than number and length."""
    case, records = call_world(seed, 40)
    fast(case, "call", records, con)
    plans = [(p.plan_sid, p.version, p) for p in case.plans if p.service == "call"]
    con.execute("""create or replace temp table plan_rows (plan_sid varchar, plan_version varchar, service varchar,
        currency varchar, increment_rule varchar, base_rounding varchar, rounding_mode varchar,
        rounding_decimals int, effective_from timestamptz, effective_to timestamptz, rows bigint)""")
    for sid, version, p in plans:
        terms = (p.currency, p.increment_rule, p.base_rounding, p.rounding_mode, p.rounding_decimals)
        row = (sid, version, p.service, *terms, p.effective_from, p.effective_to, len(p.rates))
        con.execute(f"insert into plan_rows values ({', '.join('?' * len(row))})", row)
    con.execute("create or replace view rate.plans as select * from temp.plan_rows")
    rated = con.execute("""
        select matched_number, base_seconds, plan_sid, date_start, amount, unrated_reason
        from rated
        where plan_sid is not null and matched_number is not null and base_seconds <> 0
            and coalesce(unrated_reason, '') not in ('own_use', 'direction', 'no_window', 'time_zone')
    """).fetchall()
    compared = 0
    for number, seconds, plan, at, amount, reason in rated:
        asked = [number, seconds, plan, at]
        [found] = con.execute("select amount, reason from quote($1, $2, $3, as_of := $4)", asked).fetchall()
        if found[1] != "special":
            assert (found, asked) == ((amount, reason), asked)
            compared += 1
    assert compared > 10


def test_quote_alone_is_the_amount(con):
    """In a select it is a number, to be summed or compared."""
    [asked] = con.execute(
        "select matched_number, base_seconds, plan_sid, date_start from rated where amount > 0 limit 1"
    ).fetchall()
    both = con.execute(
        "select quote($1, $2, $3, as_of := $4), (select amount from quote($1, $2, $3, as_of := $4))",
        list(asked),
    )
    alone, row = both.fetchall()[0]
    assert alone == row


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("'+4930901820', 60, 'nobody'", "no_plan"),
        ("'anonymous', 60, 'nobody'", "no_plan"),
    ],
)
def test_a_quote_that_cannot_be_given_says_why(con, arguments, reason):
    assert con.execute(f"select amount, reason from quote({arguments})").fetchall() == [(None, reason)]

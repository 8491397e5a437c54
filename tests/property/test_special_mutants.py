"""Small wrong changes to the query for special rows that the comparison with the reference must notice."""

from contextlib import ExitStack

import pytest

from pipeline.lake.views import sql_text
from tests.property.rating_worlds import call_world
from tests.spec.engines import connection, fast, reference

SEEDS = range(16)
RECORDS = 600
QUERY = "rate/steps/special"
MUTANTS = {
    "the length does not decide": (
        "(l.length * 100 + length(r.origin_prefix)) * 2",
        "length(r.origin_prefix) * 2",
    ),
    "origin before destination": (
        "l.length * 100 + length(r.origin_prefix)",
        "l.length + length(r.origin_prefix) * 100",
    ),
    "any origin fits": ("and starts_with(c.origin, r.origin_prefix)", ""),
    "the origin is ignored": ("coalesce(digits(number_src), '') as origin", "'' as origin"),
    "any jurisdiction fits": ("and (r.jurisdiction is null or r.jurisdiction = c.jurisdiction)", ""),
    "no jurisdiction is as good as the stated one": (
        "if(r.jurisdiction is null, 0, 1)",
        "if(r.jurisdiction is null, 1, 0)",
    ),
    "expired rows fit": (
        "where r.from_ms <= c.start_ms and c.start_ms < r.to_ms",
        "where r.from_ms <= c.start_ms",
    ),
    "rows end inclusive": (
        "c.start_ms < r.to_ms\n        and starts_with",
        "c.start_ms <= r.to_ms\n        and starts_with",
    ),
    "windows by the start": (
        "then start_ms else talk_ms end end as began_ms",
        "then start_ms else start_ms end end as began_ms",
    ),
    "windows end inclusive": ("c.began_ms < p.to_ms", "c.began_ms <= p.to_ms"),
    "the rest's row always": (
        "coalesce(n.rate_id, e.rate_id)\n),\n\n-- The price",
        "coalesce(e.rate_id, n.rate_id)\n),\n\n-- The price",
    ),
    "an unknown zone is the rest of the day": ("and (not o.clocked or o.window_name is not null)", ""),
    "no steps": ("from held where steps <> ''", "from held where steps = 'none'"),
    "steps a millisecond late": (
        "s.from_ms <= a.edge_ms and a.edge_ms < s.to_ms",
        "s.from_ms < a.edge_ms and a.edge_ms <= s.to_ms",
    ),
    "steps do not cut": (
        "join prices as s on s.rate_id = h.rate_id and s.from_ms < c.billed_ms",
        "join prices as s on s.rate_id = h.rate_id and s.from_ms < 0",
    ),
    "windows do not cut": ("and p.from_ms > c.began_ms and", "and p.from_ms < c.began_ms and"),
    "the increment that is cut goes to the next price": (
        "(e.edge_ms - c.opening_ms + c.increment_ms - 1)",
        "(e.edge_ms - c.opening_ms)",
    ),
    "the grid begins without the minimum": (
        "and r.minimum_ms > 0 then r.minimum_ms else r.increment_ms end",
        "and r.minimum_ms < 0 then r.minimum_ms else r.increment_ms end",
    ),
    "the minimum is an increment of any rule": (
        "case when o.increment_rule = 'after_minimum' and r.minimum_ms > 0",
        "case when r.minimum_ms > 0",
    ),
    "hours without a row are free": ("when s.unheld then 'no_window'", ""),
    "blocked hours are free": ("when s.blocked then 'blocked'", ""),
    "two units are one": ("when s.mixed then 'mixed_units'", ""),
    "no least": ("(r.min_charge * 1000000000000)::hugeint", "null::hugeint"),
    "no most": ("(r.max_charge * 1000000000000)::hugeint", "null::hugeint"),
    "the least is the most": ("least(greatest(connect", "greatest(least(connect"),
    "limits per second": ("least_e12 * unit_ms)", "least_e12)"),
    "limits leave out the fee": (
        "least(greatest(connect_fee_e12::hugeint * unit_ms + price_ms, least_e12 * unit_ms), most_e12 * unit_ms)",
        "connect_fee_e12::hugeint * unit_ms + least(greatest(price_ms, least_e12 * unit_ms), most_e12 * unit_ms)",
    ),
    "no fee": ("connect_fee_e12::hugeint * unit_ms", "0::hugeint * unit_ms"),
    "grace exclusive": ("m.counted_ms <= m.grace_ms", "m.counted_ms < m.grace_ms"),
    "grace by the exact length": ("m.counted_ms <= m.grace_ms", "m.exact_ms <= m.grace_ms"),
    "a day is not too long": ("m.exact_ms > 86400000", "m.exact_ms >= 86400000"),
    "total rule everywhere": ("when o.increment_rule = 'total'", "when true"),
}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Connections with everything that the query reads, and what the right query says there."""
    with ExitStack() as stack:
        made = []
        for seed in SEEDS:
            con = stack.enter_context(connection(tmp_path_factory.mktemp("lake")))
            case, records = call_world(seed, RECORDS)
            rated, expected = fast(case, "call", records, con), reference(case, "call", records)
            made.append((con, rated == expected, rows(con, sql_text(QUERY))))
        yield made


def rows(con, query: str) -> list[str]:
    return sorted(map(repr, con.execute(query).fetchall()))


def test_the_right_query_says_what_the_reference_says(worlds):
    assert [agrees for _, agrees, _ in worlds] == [True] * len(SEEDS)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_query_is_noticed(worlds, name):
    right, wrong = MUTANTS[name]
    query = sql_text(QUERY)
    assert query.count(right) == 1

    assert any(rows(con, query.replace(right, wrong)) != expected for con, _, expected in worlds)

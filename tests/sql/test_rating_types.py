"""No binary fraction anywhere in the rating queries, and every output column of the table's own type."""

import pyarrow as pa
import pytest

from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.rate.engine import prepare, rate_landed
from tests.property.rating_worlds import call_world, message_world
from tests.spec.engines import connection, fast

STEPS = {
    "rate/calls": ("due", "deck", "terms", "payers", "matched", "decided", "shares", "concluded"),
    "rate/messages": (
        "usage",
        "deck",
        "rows_held",
        "payers",
        "by_network",
        "matched",
        "decided",
        "concluded",
    ),
}
FORBIDDEN = {"DOUBLE", "FLOAT"}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        for service, world in (("call", call_world), ("message", message_world)):
            case, records = world(1, 20)
            fast(case, service, records, con)
            prepare(con, case.world())
            rate_landed(con, case.world(), service)
            con.execute(f"create table rated_{service} as select * from rated")
        yield con


def types(con, query: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in con.execute(f"describe {query}").fetchall()}


@pytest.mark.parametrize(("table", "step"), [(t, s) for t, steps in STEPS.items() for s in steps])
def test_no_step_has_a_binary_fraction(con, table, step):
    text = sql_text(table)
    service = "call" if table == "rate/calls" else "message"
    case, records = (call_world if service == "call" else message_world)(1, 20)
    fast(case, service, records, con)
    until_last = text[: text.rindex("\nselect\n")]

    assert FORBIDDEN.isdisjoint(types(con, f"({until_last}\nselect * from {step})").values())


@pytest.mark.parametrize(("service", "table"), [("call", "rate/calls"), ("message", "rate/messages")])
def test_the_result_is_of_the_tables_types(con, service, table):
    found = con.sql(f"select * from rated_{service} limit 0").to_arrow_table().schema
    wanted = BY_NAME[table].schema

    assert sorted(found.names) == sorted(wanted.names)
    different = {
        n: (found.field(n).type, wanted.field(n).type)
        for n in wanted.names
        if found.field(n).type != wanted.field(n).type and not pa.types.is_timestamp(wanted.field(n).type)
    }
    assert different == {}


@pytest.mark.parametrize("view", ["unrated", "implied_units", "charge_differences"])
def test_views_have_no_binary_fraction_either(con, view):
    assert FORBIDDEN.isdisjoint(types(con, f"(select * from rate.{view})").values())

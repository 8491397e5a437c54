"""The queries that a user can copy: with plain SQL in place of the compiled functions they say the same."""

import pyarrow as pa
import pytest

from pipeline.domain.jurisdiction import number_head, place_of
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.rate import tariff
from pipeline.rate.lookup import Lookup
from pipeline.rate.rater import Rater
from tests.property.rating_worlds import call_world
from tests.spec.engines import connection, fast

COLUMNS = ", ".join(BY_NAME["rate/calls"].schema.names)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        yield con


@pytest.fixture
def plain(monkeypatch):
    """Puts plain SQL in place of everything that is compiled, once a day is laid out."""
    lay_out = Rater.lay_out

    def laid_out(self: Rater, *named) -> None:
        lay_out(self, *named)
        numbers = self.con.execute(
            "select number_src from landed union select number_dst from landed"
        ).fetchall()
        heads = {head: place for (n,) in numbers if (head := number_head(n)) and (place := place_of(head))}
        rows = [(head, place.region, place.exchange) for head, place in heads.items()] or [("", "", "")]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        self.con.register("places", pa.table(columns, names=["head", "region", "exchange"]))
        for statement in sql_text("rate/steps/plain").strip().rstrip(";").split(";\n"):
            if "macro routed(" not in statement:
                self.con.execute(statement)

    monkeypatch.setattr(Lookup, "lay_out", lambda *_: False)
    monkeypatch.setattr(Rater, "lay_out", laid_out)


def rated(con) -> list[tuple]:
    return con.execute(f"select {COLUMNS} from rated order by all").fetchall()


@pytest.mark.parametrize("seed", range(3))
def test_plain_sql_rates_every_call_alike(con, seed, request):
    case, records = call_world(seed, 60)
    fast(case, "call", records, con)
    compiled = rated(con)
    request.getfixturevalue("plain")
    fast(case, "call", records, con)

    assert rated(con) == compiled
    assert len(compiled) >= len(records)


@pytest.mark.parametrize("seed", range(3))
def test_wide_integers_rate_every_call_alike(con, seed, monkeypatch):
    case, records = call_world(seed, 150)
    fast(case, "call", records, con)
    narrow = rated(con)
    monkeypatch.setattr(tariff, "WIDEST", 0)
    fast(case, "call", records, con)

    assert con.execute("select any_value(typeof(price_e12)) from terms").fetchall() == [("HUGEINT",)]
    assert rated(con) == narrow

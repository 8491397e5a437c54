"""What all days of a run have in common: who pays for whose records, on which plans, and the rows of these.

It is read once, however many days are rated at a time: the rows lie in one table of the database, which each of its
connections sees, and are sorted once for finding prefixes. A deck of a million rows costs seconds and much memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lake.views import sql_text
from pipeline.rate.choices import choices
from pipeline.rate.lookup import Prefixes, prefixes
from pipeline.rate.world import World

# A DuckDB connection, as the lake hands it out; only the lake may name its type.
Duck = Any
WIDEST = 2**62
_STEPS = "rate/steps/{}"
_FOUND_BY = "term_id, plan_key, prefix, is_special, from_ms, to_ms"


@dataclass(frozen=True, slots=True)
class Tariff:
    """The tables of ``choices``; of calls also how rows are found, and whether some ask for more than a prefix."""

    parties: pa.Table
    choices: pa.Table
    plans: pa.Table
    prefixes: Prefixes
    special: bool = False

    def register(self, con: Duck) -> None:
        """Shows the tables to a connection."""
        for name in ("parties", "choices", "plans"):
            con.register(name, getattr(self, name))


def read_tariff(con: Duck, world: World, service: str, partners: Iterable[str]) -> Tariff:
    """Reads what these partners pay by, and lays out ``deck`` (and of calls ``terms``) for all connections."""
    made = choices(world.book, world.tree, service, partners, world.kinds(service))
    con.register("plans", made.plans)
    if service == "message":
        run_step(con, "message_deck")
        return Tariff(made.parties, made.choices, made.plans, Prefixes(1, {}))
    run_step(con, "macros")
    stated, largest, *tables = statements("deck")
    con.execute(stated)
    con.execute(largest)
    greatest = con.execute("select largest from largest").fetchall()[0][0]
    kind = "bigint" if greatest < WIDEST else "hugeint"
    con.execute(f"create or replace temp macro whole(number) as number::{kind}")
    for statement in tables:
        con.execute(statement)
    con.execute("drop table stated cascade")
    rows = con.sql(f"select {_FOUND_BY} from deck").to_arrow_table()
    return Tariff(made.parties, made.choices, made.plans, prefixes(rows), pc.any(rows["is_special"]).as_py())


def run_step(con: Duck, step: str) -> None:
    """Runs the statements of a step of rating."""
    for statement in statements(step):
        con.execute(statement)


def statements(step: str) -> list[str]:
    """The statements of a step."""
    return sql_text(_STEPS.format(step)).strip().rstrip(";").split(";\n")

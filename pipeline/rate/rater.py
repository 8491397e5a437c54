"""Lays out in DuckDB what the queries of ``sql/rate/`` read beside the records: who pays, and the rows of the plans.

All of it is small beside the records and made so that every join finds exactly one row: then a day streams through
the query in the order in which it landed, and nothing of it has to be held or sorted. What stays the same from one
day to the next stays as it is. Several raters may work at a time, each on a connection of its own to one database.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.domain.jurisdiction import JURISDICTIONS
from pipeline.domain.numbering import country_of
from pipeline.domain.rating import call_family
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.rate.choices import EARLIEST_MS
from pipeline.rate.lookup import Lookup
from pipeline.rate.places import jurisdictions
from pipeline.rate.special import ported, window_pieces
from pipeline.rate.tariff import Duck, Tariff, run_step, statements
from pipeline.rate.world import World

_ROW = "STRUCT(term_id INTEGER, prefix_length INTEGER)"
_ORDER = "date_stop, dr_sid, source, level, payer_sid"


@dataclass(slots=True)
class Rater:
    """Rates the rows of the view ``landed`` of a connection, again and again."""

    con: Duck
    world: World
    service: str
    tariff: Tariff
    # Functions belong to the whole database: each of its raters has some of its own.
    number: int = 0
    _lookup: Lookup = field(init=False, repr=False)
    _compiled: str = ""
    _pieces: tuple = ()

    def __post_init__(self) -> None:
        self._lookup = Lookup(self.tariff.prefixes)
        self.tariff.register(self.con)
        run_step(self.con, "macros")
        country = self._function("country_or_blank", _countries, ["VARCHAR"], "VARCHAR")
        self.con.execute(f"create or replace temp macro country_of(bare) as nullif({country}(bare), '')")
        if self.service == "call":
            self._add_functions()

    def lay_out(self, endpoints: Iterable[str]) -> None:
        """Makes ready for the records of ``landed``, which name these endpoints."""
        first, last, home, foreign, undated = self.con.execute("""
            select coalesce(min(epoch_ms(date_start)), 0), coalesce(max(epoch_ms(date_start)), 0),
                coalesce(bool_or(source = 'carrierx'), false), coalesce(bool_or(source <> 'carrierx'), false),
                coalesce(bool_or(date_start is null), false)
            from landed
        """).fetchall()[0]
        self._lay_out_payers(first, last, home, foreign, undated)
        if self.service == "message":
            return
        named = ["", *sorted(endpoints)]
        families = [call_family(self.world.endpoints.get(sid)) for sid in named]
        self.con.register("families", pa.table({"endpoint_sid": named, "family": families}))
        compiled = self._lookup.lay_out(self._plan_keys(), first, last)
        self.con.execute(self._compiled if compiled else _plain("rate_row"))
        self.con.execute(f"create or replace temp view due as {sql_text('rate/steps/due')}")
        if self.tariff.special:
            self._set_specials_aside()

    def query(self) -> str:
        """The rows of ``landed``, rated: the columns of ``rate/calls`` or ``rate/messages``, in their lasting order."""
        rated = f"({sql_text(f'rate/{self.service}s')})"
        if self.service == "message" or not (self.tariff.special or self.world.routes):
            return f"select * from {rated}"
        columns = ", ".join(BY_NAME["rate/calls"].schema.names)
        both = f"select {columns} from {rated}"
        if self.tariff.special:
            both += f" union all by name select {columns} from ({sql_text('rate/steps/special')})"
        return f"select * from ({both}) order by {_ORDER}"

    # Inside

    def _plan_keys(self) -> list[int]:
        rows = self.con.execute("select distinct plan_key from payers where plan_key is not null").fetchall()
        return sorted(key for (key,) in rows)

    def _lay_out_payers(self, first: int, last: int, home: bool, foreign: bool, undated: bool) -> None:
        cuts = self._cuts()
        begun = max((c for c in cuts if c <= first), default=EARLIEST_MS)
        inner = [c for c in cuts if first < c <= last]
        pieces = (begun, *inner, home, foreign, undated)
        if pieces == self._pieces:
            return
        self._pieces = pieces
        later = "".join(f" + (at_ms >= {cut})::int" for cut in inner)
        self.con.execute(
            f"create or replace temp macro epoch_of(at_ms) as case when at_ms is null then -1 else 0{later} end"
        )
        epochs = ([-1] if undated else []) + list(range(len(inner) + 1))
        begins = ([None] if undated else []) + [begun, *inner]
        self.con.register(
            "epochs",
            pa.table({"epoch": pa.array(epochs, pa.int32()), "begin_ms": pa.array(begins, pa.int64())}),
        )
        self.con.register(
            "homes",
            pa.table({"home": [flag for flag, is_there in ((True, home), (False, foreign)) if is_there]}),
        )
        kinds = self.world.kinds(self.service)
        named = [*kinds, *(("", family) for family in sorted({family for _, family in kinds}))]
        self.con.register(
            "kinds", pa.table({"direction": [d for d, _ in named], "family": [f for _, f in named]})
        )
        run_step(self.con, "payers")
        if self.service == "message":
            run_step(self.con, "message_rows")

    def _cuts(self) -> list[int]:
        """The instants at which a plan or an assignment begins or ends, and of messages also a row."""
        rows = (
            " union select from_ms from deck union select to_ms from deck"
            if self.service == "message"
            else ""
        )
        found = self.con.execute(f"select from_ms from choices{rows}").fetchall()
        return sorted({ms for (ms,) in found})

    def _set_specials_aside(self) -> None:
        self.con.execute("create or replace temp table special_calls as select * from due where term_id = -1")
        keys = [(n, plan) for n, plan in enumerate(self.world.book.plans)]
        first, last = self.con.execute("select min(date_stop), max(date_stop) from landed").fetchall()[0]
        if first is not None:
            self.con.register("window_pieces", window_pieces(keys, first, last))

    def _add_functions(self) -> None:
        slot = self._function("rate_slot", self._lookup.find, ["INTEGER", "BIGINT", "BIGINT"], _ROW)
        self._compiled = _compiled_rate_row(slot, self.tariff.prefixes.digits)
        code = self._function("jurisdiction_code", jurisdictions().find, ["BIGINT", "BIGINT"], "TINYINT")
        words = ", ".join(f"'{word}'" for word in JURISDICTIONS)
        self.con.execute(f"""
            create or replace temp macro jurisdiction_of(src, dst) as
                [{words}][1 + {code}(coalesce(head_of(src)::bigint, 0), coalesce(head_of(dst)::bigint, 0))]
        """)
        if self.world.routes:
            self.con.register("ported", ported(self.world.routes))
            self.con.execute(_plain("routed"))
        else:
            self.con.execute("create or replace temp macro routed(bare, at_ms) as bare")

    def _function(self, name: str, function: Any, takes: list[str], gives: str) -> str:
        own = f"{name}_{self.number}"
        with suppress(Exception):  # it is there only where the connection was used before
            self.con.remove_function(own)
        self.con.create_function(own, function, takes, gives, type="arrow")
        return own


def _plain(macro: str) -> str:
    return next(text for text in statements("plain") if f"macro {macro}(" in text)


def _countries(numbers: pa.Array) -> pa.Array:
    return pa.array([country_of(number) or "" for number in numbers.to_pylist()], pa.string())


def _compiled_rate_row(slot: str, digits: int) -> str:
    fill = ", ".join(str(10**n * 16) for n in range(digits - 1, -1, -1))
    length = f"least(strlen(number), {digits})"
    key = f"left(number, {digits})::bigint * [{fill}][{length}] + {length}"
    return f"""
        create or replace temp macro rate_row(plan, number, at_ms) as {slot}(plan, {key}, at_ms)
    """

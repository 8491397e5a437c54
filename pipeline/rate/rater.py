"""Lays out in DuckDB what the queries of ``sql/rate/`` read beside the records: who pays, and the rows of the plans.

All of it is small beside the records and made so that every join finds exactly one row: then a day streams through
the query in the order in which it landed, and nothing of it has to be held or sorted. What stays the same from one
day to the next stays as it is.
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
from pipeline.rate.choices import EARLIEST_MS, choices
from pipeline.rate.lookup import Lookup, lookup
from pipeline.rate.places import jurisdictions
from pipeline.rate.special import ported, window_pieces
from pipeline.rate.world import World

# A DuckDB connection, as the lake hands it out; only the lake may name its type.
Duck = Any
WIDEST = 2**62
STEPS = "rate/steps/{}"
_ORDER = "date_stop, dr_sid, source, level, payer_sid"


@dataclass(slots=True)
class Rater:
    """Rates the rows of the view ``landed`` of a connection, again and again."""

    con: Duck
    world: World
    service: str
    partners: set[str] = field(default_factory=set)
    _lookup: Lookup = field(default_factory=lambda: Lookup(1, {}), repr=False)
    _pieces: tuple = ()
    _special: bool = False

    def __post_init__(self) -> None:
        if self.service == "call":
            self._run("macros")
            self._add_functions()

    def expect(self, partners: Iterable[str]) -> None:
        """Takes in the plans of partners; once for all days is quicker than day by day."""
        if self.partners.issuperset(partners) and self.partners:
            return
        self.partners |= set(partners)
        world = self.world
        made = choices(world.book, world.tree, self.service, self.partners, world.kinds(self.service))
        for name, table in (("parties", made.parties), ("choices", made.choices), ("plans", made.plans)):
            self.con.register(name, table)
        self._pieces = ()
        if self.service == "call":
            self._read_deck()

    def lay_out(self, partners: Iterable[str], endpoints: Iterable[str]) -> None:
        """Makes ready for the records of ``landed``, which name these partners and endpoints."""
        self.expect(partners)
        if self.service == "message":
            self._message_countries()
            return
        named = ["", *sorted(endpoints)]
        families = [call_family(self.world.endpoints.get(sid)) for sid in named]
        self.con.register("families", pa.table({"endpoint_sid": named, "family": families}))
        first, last, home, foreign, undated = self.con.execute("""
            select coalesce(min(epoch_ms(date_start)), 0), coalesce(max(epoch_ms(date_start)), 0),
                coalesce(bool_or(source = 'carrierx'), false), coalesce(bool_or(source <> 'carrierx'), false),
                coalesce(bool_or(date_start is null), false)
            from landed
        """).fetchall()[0]
        self._lay_out_payers(first, last, home, foreign, undated)
        compiled = self._lookup.lay_out(self._plan_keys(), first, last)
        self.con.execute(_compiled_rate_row(self._lookup.digits) if compiled else _plain("rate_row"))
        self.con.execute(f"create or replace temp view due as {sql_text(STEPS.format('due'))}")
        if self._special:
            self._set_specials_aside()

    def query(self, order: bool = True) -> str:
        """The rows of ``landed``, rated: the columns of ``rate/calls`` or ``rate/messages``, in their lasting order."""
        rated = f"({sql_text(f'rate/{self.service}s')})"
        if self.service == "message":
            return f"select * from {rated} order by {_ORDER}"
        if not self._special and not self.world.routes:
            return f"select * from {rated}"
        columns = ", ".join(BY_NAME["rate/calls"].schema.names)
        both = f"select {columns} from {rated}"
        if self._special:
            both += f" union all by name select {columns} from ({sql_text(STEPS.format('special'))})"
        return f"select * from ({both}) order by {_ORDER}"

    # Inside

    def _run(self, step: str) -> None:
        for statement in _statements(step):
            self.con.execute(statement)

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
        kinds = self.world.kinds("call")
        named = [*kinds, *(("", family) for family in sorted({family for _, family in kinds}))]
        self.con.register(
            "kinds", pa.table({"direction": [d for d, _ in named], "family": [f for _, f in named]})
        )
        self._run("payers")

    def _cuts(self) -> list[int]:
        rows = self.con.execute("select distinct from_ms from choices order by all").fetchall()
        return [ms for (ms,) in rows]

    def _read_deck(self) -> None:
        *before, deck = _statements("deck")
        for statement in before:
            self.con.execute(statement)
        largest = self.con.execute("select largest from largest").fetchall()[0][0]
        kind = "bigint" if largest < WIDEST else "hugeint"
        self.con.execute(f"create or replace temp macro whole(number) as number::{kind}")
        self.con.execute(deck)
        self.con.execute("drop table deck_rows cascade")
        rows = self.con.sql(
            "select rate_id, plan_key, prefix, is_special, from_ms, to_ms from deck where rate_id > 0"
        ).to_arrow_table()
        self._special = bool(self.con.execute("select bool_or(is_special) from deck").fetchall()[0][0])
        self._lookup = lookup(rows)

    def _set_specials_aside(self) -> None:
        self.con.execute("create or replace temp table special_calls as select * from due where rate_id = -1")
        keys = [(n, plan) for n, plan in enumerate(self.world.book.plans)]
        first, last = self.con.execute("select min(date_stop), max(date_stop) from landed").fetchall()[0]
        if first is not None:
            self.con.register("window_pieces", window_pieces(keys, first, last))

    def _message_countries(self) -> None:
        rows = self.con.execute("select distinct translate(number_dst, '+ ().-', '') from landed").fetchall()
        numbers = [number for (number,) in rows if number and number.isdigit()]
        known = [country_of(n) for n in numbers]
        self.con.register(
            "number_countries",
            pa.table(
                {"number": pa.array(numbers, pa.string()), "country_code": pa.array(known, pa.string())}
            ),
        )

    def _add_functions(self) -> None:
        self._function("country_or_blank", _countries, ["VARCHAR"], "VARCHAR")
        self.con.execute(
            "create or replace temp macro country_of(bare) as nullif(country_or_blank(bare), '')"
        )
        self._function("rate_slot", self._find, ["INTEGER", "BIGINT", "BIGINT"], "INTEGER")
        self._function("jurisdiction_code", jurisdictions().find, ["BIGINT", "BIGINT"], "TINYINT")
        words = ", ".join(f"'{word}'" for word in JURISDICTIONS)
        self.con.execute(f"""
            create or replace temp macro jurisdiction_of(src, dst) as
                [{words}][1 + jurisdiction_code(coalesce(head_of(src)::bigint, 0), coalesce(head_of(dst)::bigint, 0))]
        """)
        if self.world.routes:
            self.con.register("ported", ported(self.world.routes))
            self.con.execute(_plain("routed"))
        else:
            self.con.execute("create or replace temp macro routed(bare, at_ms) as bare")

    def _find(self, plan_key: pa.Array, number_key: pa.Array, start_ms: pa.Array) -> pa.Array:
        return self._lookup.find(plan_key, number_key, start_ms)

    def _function(self, name: str, function: Any, takes: list[str], gives: str) -> None:
        with suppress(Exception):  # it is there only where the connection was used before
            self.con.remove_function(name)
        self.con.create_function(name, function, takes, gives, type="arrow")


def _statements(step: str) -> list[str]:
    return sql_text(STEPS.format(step)).strip().rstrip(";").split(";\n")


def _plain(macro: str) -> str:
    return next(text for text in _statements("plain") if f"macro {macro}(" in text)


def _countries(numbers: pa.Array) -> pa.Array:
    return pa.array([country_of(number) or "" for number in numbers.to_pylist()], pa.string())


def _compiled_rate_row(digits: int) -> str:
    fill = ", ".join(str(10**n * 16) for n in range(digits - 1, -1, -1))
    length = f"least(strlen(number), {digits})"
    key = f"left(number, {digits})::bigint * [{fill}][{length}] + {length}"
    return f"""
        create or replace temp macro rate_row(plan, number, at_ms) as
            coalesce(rate_slot(plan, {key}, at_ms), 0)
    """

"""The statement that adds up: fetched, landed, rated, charged, invoiced, in records, seconds and money.

The figures come from ``sql/measure/statement.sql``. What the ledger alone knows reaches it as small tables: live ones
here, so that a statement is never older than its ledger, and copies in the lake for everybody else.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipeline.lake.duck import Duck
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import entries, landings
from pipeline.measure.marks import shorten

LANDINGS = "measure/landings"
_COUNTERS = ("fetched", "fresh", "superseding", "identical", "quarantined")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``seconds`` are billed seconds of calls; what a line has no figure for is None."""

    section: str
    service: str | None
    side: str | None
    what: str
    reason: str | None
    records: int | None
    seconds: Decimal | None
    money: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two figures that should be one: the rule that is broken, for what, and both figures as text."""

    rule: str
    subject: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.expected} is not {self.actual}"


@dataclass(frozen=True, slots=True)
class Statement:
    """All lines, in order, and what does not add up."""

    lines: tuple[Line, ...]
    differences: tuple[Difference, ...]

    @property
    def adds_up(self) -> bool:
        return not self.differences


def make_statement(lake: Lake, ledger: Ledger, *, rolled_up: bool = False) -> Statement:
    """The statement as of the last commit; faster where roll-ups and marks are up to date."""
    with lake.duck() as con:
        show_live(con, lake, ledger, rolled_up=rolled_up)
        # The differences read the lines: they are worked out once.
        con.execute("create temp table made as select * from measure.statement")
        con.execute("create or replace view measure.statement as select * from made")
        rows = con.execute("select * exclude (line) from made order by line").fetchall()
        found = con.execute("select * from measure.statement_differences").fetchall()
    return Statement(
        tuple(Line(*row) for row in rows), (*(Difference(*row) for row in found), *_unbalanced(ledger))
    )


def show_live(con: Duck, lake: Lake, ledger: Ledger, *, rolled_up: bool) -> None:
    """Has a connection know the ledger's counters, and answer from roll-ups and marks where these are up to date."""
    con.register("live_landings", _table(landing_rows(ledger)))
    con.execute("create or replace view measure.landings as select * from live_landings")
    if rolled_up:
        shorten(lake, con)


def export_landings(lake: Lake, ledger: Ledger, *, at: datetime) -> bool:
    """Brings the lake's copy of the landing counters up to the ledger; whether it changed.

    A poll that met only what it knew writes no file: the copy then counts fewer identical records than the ledger,
    and still adds up.
    """
    rows = landing_rows(ledger)
    told = [(r["resource"], r["fresh"], r["superseding"], r["quarantined"]) for r in rows]
    inputs = hashlib.sha256(repr(told).encode()).hexdigest()
    if any(f.inputs == inputs for f in lake.files(LANDINGS, ["all"])):
        return False
    staged = lake.stage(LANDINGS, "all", _table(rows), inputs)
    with ledger.transaction() as tx:
        lake.commit(tx, [staged], at=at, stage="measure", note="copy of the ledger")
    return True


def landing_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """What all landing commits did, per resource."""
    with ledger.read() as tx:
        found = tx.execute(landings.select()).mappings().all()
    sums: dict[str, dict[str, Any]] = {}
    for row in found:
        total = sums.setdefault(row["resource"], {"resource": row["resource"]} | dict.fromkeys(_COUNTERS, 0))
        for name in _COUNTERS:
            total[name] += row[name]
    return [sums[name] for name in sorted(sums)]


def _unbalanced(ledger: Ledger) -> list[Difference]:
    with ledger.read() as tx:
        found = tx.execute(entries.select()).all()
    sums: dict[tuple[str, str], Decimal] = {}
    for row in found:
        key = (row.txn_id, row.currency)
        sums[key] = sums.get(key, Decimal(0)) + row.amount
    return [
        Difference("entries of a transaction sum to zero", txn, "0", f"{total:f} {currency}")
        for (txn, currency), total in sorted(sums.items())
        if total
    ]


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=BY_NAME[LANDINGS].schema)

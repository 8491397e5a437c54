"""The provider's bill, checked: its charges against our own rating of its plans, and its invoices against both.

Everything is added up in SQL, so a month in which every charge is wrong takes no more memory than one in which none
is; of the records themselves only the largest differences are listed here, and all of them in ``write_differences``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError
from pipeline.lake.disk import quoted, whole
from pipeline.lake.export import write_csv
from pipeline.lake.lake import Lake

LISTED = 100
_CHUNK = 10_000
_DIMENSIONS = {
    "reason": "reason",
    "plan": "plan_sid || ' ' || plan_version",
    "day": "date_stop::date::varchar",
    "prefix": "matched_prefix",
}
_TOTALS = """
select count(*), coalesce(sum(provider_price), 0)::decimal(38, 12), coalesce(sum(amount), 0)::decimal(38, 10)
from (
    select provider_price, amount from rate.calls where side = 'cost'
    union all
    select provider_price, amount from rate.messages where side = 'cost'
)
"""
_GROUPS = """
select
    {what} as what, reason, count(*), coalesce(sum(provider_price), 0)::decimal(38, 12),
    coalesce(sum(amount), 0)::decimal(38, 10), sum(difference)::decimal(38, 12)
from found
group by all
order by abs(sum(difference)) desc, what, reason
limit {most}
"""
_ROWS = """
select dr_sid, service, date_stop, plan_sid, matched_prefix, amount, provider_price, difference, reason
from found
order by abs(difference) desc, dr_sid
limit {most}
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that was not charged as the provider's plan says.

    ``difference`` is what was charged too much (negative: too little); for ``reason`` see
    ``sql/rate/charge_differences.sql``. ``amount`` is None where we cannot say what it should cost.
    """

    dr_sid: str
    service: str
    date_stop: datetime
    plan_sid: str | None
    matched_prefix: str | None
    amount: Decimal | None
    provider_price: Decimal | None
    difference: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """Differing records of one plan, day or prefix, for one reason."""

    what: str | None
    reason: str
    records: int
    charged: Decimal
    expected: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line of a provider's invoice and the records behind it; see ``sql/rate/invoice_differences.sql``."""

    display_id: str | None
    line_no: int
    type: str
    direction: str | None
    country_code: str | None
    usage: Decimal | None
    amount: Decimal | None
    records: int
    records_usage: Decimal | None
    records_amount: Decimal | None
    expected: Decimal | None
    difference: Decimal | None
    verdict: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Totals over all records; the differing ones by reason, plan, day and prefix; the largest of them; and the
    provider's invoices line by line."""

    records: int
    charged: Decimal
    expected: Decimal
    differing: int
    by: dict[str, tuple[Group, ...]]
    differences: tuple[Difference, ...]
    invoices: tuple[InvoiceLine, ...]

    def by_reason(self) -> dict[str, tuple[int, Decimal]]:
        """Records and money per reason, the most money first."""
        return {g.reason: (g.records, g.difference) for g in self.by["reason"]}


def audit(lake: Lake, *, listed: int = LISTED, groups: int = 1_000) -> AuditReport:
    """Compares every cost row with the provider's own price.

    ``listed`` is how many records come along at most, ``groups`` how many plans, days and prefixes; the largest
    differences first.
    """
    names = ", ".join(InvoiceLine.__dataclass_fields__)
    with lake.duck() as con:
        records, charged, expected = con.execute(_TOTALS).fetchall()[0]
        con.execute("create temp table found as select * from rate.charge_differences")
        differing = con.execute("select count(*) from found").fetchall()[0][0]
        by = {
            name: tuple(Group(*row) for row in con.execute(_GROUPS.format(what=what, most=groups)).fetchall())
            for name, what in _DIMENSIONS.items()
        }
        rows = con.execute(_ROWS.format(most=listed)).fetchall()
        lines = con.execute(f"select {names} from rate.invoice_differences").fetchall()
    return AuditReport(
        records,
        charged,
        expected,
        differing,
        by,
        tuple(Difference(*row) for row in rows),
        tuple(InvoiceLine(*line) for line in lines),
    )


def write_differences(lake: Lake, path: Path) -> int:
    """Writes every differing record as CSV or Parquet, by the ending of ``path``; how many there are.

    Raises:
        SettingsError: another ending, or the file cannot be written.
    """
    query = "select * from rate.charge_differences order by date_stop, source, dr_sid"
    if path.suffix not in (".csv", ".parquet"):
        msg = f"{path.name} ends neither in .csv nor in .parquet: name the file by what it shall be."
        raise SettingsError(msg)
    try:
        with whole(path) as making, lake.duck() as con:
            if path.suffix == ".parquet":
                done = con.execute(f"copy ({query}) to '{quoted(making)}' (format parquet)")
                return int(done.fetchall()[0][0])
            return _write_csv(con.execute(query), making)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}. Nothing else was changed."
        raise SettingsError(msg) from None


def _write_csv(cursor: Any, path: Path) -> int:
    columns = [column[0] for column in cursor.description]
    rows = 0

    def told() -> Any:
        nonlocal rows
        chunk: Sequence[tuple]
        while chunk := cursor.fetchmany(_CHUNK):
            rows += len(chunk)
            yield from chunk

    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(stream, columns, told())
    return rows

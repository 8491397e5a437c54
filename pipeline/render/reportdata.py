"""The figures of a report: each the answer to one query of ``sql/render/report``, kept with the query itself.

A query names its month and customer as ``$first``, ``$after``, ``$before`` and ``$customer``. They are written into the
text before it is asked, so that what a page shows is what was asked, word for word, and can be asked again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from pipeline.errors import SettingsError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.shipped import shipped

DESK = (
    "glance", "days", "hours", "causes", "quality", "trunks", "stir", "deliveries", "money", "money_days", "forecast",
    "invoiced", "invoices", "taxes", "customers", "destinations", "prefixes", "sources", "idle_numbers", "statement",
    "differences", "accounted", "fates", "provider", "provider_reasons", "provider_invoices", "parked", "suspense",
    "signals",
)  # fmt: skip
# Looks at every record there is: only where there is something to find.
WHERE_IT_DIFFERS = "unaccounted"
# Shown only where money is in another currency than reports add up in.
CONVERTED = "converted"
CUSTOMER = ("customer_days", "customer_usage", "customer_invoices")
# What several queries read and what takes long is worked out once.
SHARED = ("rate.suspense", "measure.traffic", "measure.fates_by_day", "measure.statement")
_LANDINGS = BY_NAME["measure/landings"].schema


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC days."""

    first: date

    @classmethod
    def of(cls, text: str) -> "Month":
        """Raises SettingsError where ``text`` is no month."""
        try:
            return cls(date.fromisoformat(f"{text}-01"))
        except ValueError:
            msg = f"{text!r} is no month; write it like 2026-03."
            raise SettingsError(msg) from None

    @property
    def after(self) -> date:
        """The first day of the next month."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def before(self) -> date:
        """The first day of the month before."""
        return (self.first - timedelta(days=1)).replace(day=1)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and its answer. ``reads`` are the views and tables that it names itself."""

    name: str
    purpose: str
    reads: str
    sql: str
    rows: tuple[Mapping[str, Any], ...]

    def total(self, column: str, currency: str | None = None) -> Any:
        """The sum of a column, of one currency if given; of decimals it is a decimal, also where it is zero."""
        rows = (row for row in self.rows if currency is None or row.get("currency") == currency)
        return sum(row[column] for row in rows if row[column] is not None)

    def most(self, column: str) -> Any:
        """The largest value of a column; 0 where there is none."""
        return max((row[column] or 0 for row in self.rows), default=0)


def ask(
    lake: Lake,
    month: Month,
    landings: Sequence[Mapping[str, Any]],
    customer: str | None = None,
    shorten: Callable[[Any], None] | None = None,
) -> dict[str, Asked]:
    """The answers that a page is made of. ``landings`` are the ledger's own counters, newer than the lake's copy;
    ``shorten`` has a connection answer from roll-ups what it would ask of all records."""
    with lake.duck() as con:
        if customer is None:
            show_landings(con, landings)
            if shorten:
                shorten(con)
            for view in SHARED:
                share(con, view)
        found = {name: answer(con, name, month, customer) for name in (CUSTOMER if customer else DESK)}
        if customer is not None:
            return found
        if found["differences"].rows:
            found[WHERE_IT_DIFFERS] = answer(con, WHERE_IT_DIFFERS, month)
        converted = answer(con, CONVERTED, month)
        if any(row["currency"] != row["report_currency"] for row in converted.rows):
            found[CONVERTED] = converted
        return found


def show_landings(con: Any, landings: Sequence[Mapping[str, Any]]) -> None:
    """Has a connection know the ledger's own counters."""
    con.register("live_landings", pa.Table.from_pylist(list(landings), schema=_LANDINGS))
    con.execute("create or replace view measure.landings as select * from live_landings")


def share(con: Any, view: str) -> None:
    """Works a view out once for all that a connection is asked."""
    made = view.replace(".", "_")
    con.execute(f"create temp table {made} as select * from {view}")
    con.execute(f"create or replace view {view} as select * from {made}")


def answer(con: Any, name: str, month: Month, customer: str | None = None) -> Asked:
    """The answer to one query."""
    text = shipped("sql", "render", "report", f"{name}.sql").read_text(encoding="utf-8")
    sql = _written(text.strip(), month, customer)
    done = con.execute(sql)
    names = [column[0] for column in done.description]
    rows = tuple(dict(zip(names, row, strict=True)) for row in done.fetchall())
    return Asked(name, _said(text, "purpose"), _said(text, "reads"), sql, rows)


def company_of(lake: Lake, customer: str) -> str:
    """What a partner is called.

    Raises:
        SettingsError: there is no such partner.
    """
    found = lake.query(
        "select coalesce(company_name, name, partner_sid) as name from land.partners where partner_sid = ?",
        [customer],
    )
    if not found:
        msg = f"no partner has the sid {customer!r}. `tollbook customers list` shows who is billed."
        raise SettingsError(msg)
    return str(found[0]["name"])


def _written(sql: str, month: Month, customer: str | None) -> str:
    """The query with its month and customer in place of their names."""
    literals = {name: f"date '{getattr(month, name)}'" for name in ("first", "after", "before")}
    if customer is not None:
        quoted = customer.replace("'", "''")
        literals["customer"] = f"'{quoted}'"
    return re.sub(r"\$(\w+)", lambda found: literals[found[1]], sql)


def _said(sql: str, word: str) -> str:
    found = re.search(rf"^-- {word}: *(.+)$", sql, re.MULTILINE)
    return found[1] if found else ""

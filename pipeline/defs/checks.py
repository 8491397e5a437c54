"""The promises: after each step, a query that must find nothing.

Add a promise as ``sql/check/<name>.sql``, a query that returns the rows that break it, and name it in ``PROMISES``
with its asset; one that SQL cannot see is a function here. ``blocking`` stops what is downstream in the same run:
documents and e-mails do not leave while an invoice does not add up. No repairs here. See
https://docs.dagster.io/guides/test/asset-checks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from typing import Any, Protocol

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.resources import Shift
from pipeline.domain.cursor import CALLS, MESSAGES, Feed
from pipeline.shipped import shipped

Rows = list[dict[str, Any]]


class Duck(Protocol):
    """What a check needs of a DuckDB connection; the lake hands them out."""

    def execute(self, query: str) -> Any: ...


_SHOWN = 10
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Promise:
    """One check. ``find`` returns the rows that break it; without one, the query of that name does."""

    name: str
    asset: str
    blocking: bool = True
    find: Callable[[Shift], Rows] | None = None
    says: str = ""

    @property
    def description(self) -> str:
        return self.says or sql(self.name)[1]

    @property
    def spec(self) -> dg.AssetCheckSpec:
        key = dg.AssetKey(self.asset.split("/"))
        return dg.AssetCheckSpec(self.name, asset=key, blocking=self.blocking, description=self.description)

    def broken_by(self, shift: Shift, con: Duck) -> Rows:
        """The rows that break it, at most a thousand."""
        if self.find is not None:
            return self.find(shift)
        done = con.execute(f"select * from ({sql(self.name)[0]}) limit {_MOST}")
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


@cache
def sql(name: str) -> tuple[str, str]:
    """The query of a check, and the purpose that its first line states."""
    text = shipped("sql", "check", f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")
    return text, text.splitlines()[0].removeprefix("-- purpose:").strip()


def _ahead(feed: Feed, shift: Shift) -> Rows:
    """A bookmark beyond now would skip everything until then; the provider's clock may be ahead by the overlap."""
    desk = shift.desk
    mark, latest = desk.bookmark(feed), desk.now + desk.settings.overlap
    held = {"newest_value": mark.newest_value, "cursor_value": mark.cursor_value, "swept_to": mark.swept_to}
    return [{"bookmark": k, "stands_at": v} for k, v in held.items() if v is not None and v > latest]


def _differences(shift: Shift) -> Rows:
    made = shift.reports.get("measure/statement") or shift.desk.statement()
    return [{"difference": str(d)} for d in made.differences]  # type: ignore[attr-defined]


_NOT_AHEAD = "no bookmark stands in the future"
PROMISES = (
    Promise("calls_once", "land/calls"),
    Promise("calls_bookmark", "land/calls", find=partial(_ahead, CALLS), says=_NOT_AHEAD),
    Promise("messages_once", "land/messages"),
    Promise("messages_bookmark", "land/messages", find=partial(_ahead, MESSAGES), says=_NOT_AHEAD),
    Promise("calls_accounted", "rate/calls"),
    Promise("messages_accounted", "rate/messages"),
    Promise("balances_recomputable", "invoice/invoices"),
    Promise("claimed_once", "invoice/invoices"),
    Promise("claims_sum_to_items", "invoice/invoices"),
    Promise("parts_sum_to_items", "invoice/invoices"),
    Promise("items_sum_to_invoice", "invoice/invoices"),
    Promise("numbers_gapless", "invoice/invoices"),
    Promise("taxes_to_the_cent", "invoice/invoices"),
    Promise("issued_is_mailed", "deliver/emails", blocking=False),
    Promise("rolled_up", "measure/statement", blocking=False),
    Promise("adds_up", "measure/statement", False, _differences, "the statement has no differences"),
)
_BY_NAME = {p.name: p for p in PROMISES}


def broken_promise(name: str, rows: Rows) -> str:
    """What a person is told: what was promised, how many rows break it, the first of them, and what waits."""
    promise = _BY_NAME[name]
    many = f"{len(rows):,} rows break it" if len(rows) < _MOST else f"{_MOST:,} rows or more break it"
    first = ", ".join(f"{column} {value}" for column, value in rows[0].items() if value is not None)
    waits = " What follows waits until that is mended." if promise.blocking else ""
    return f"{name}: {many} ({promise.description}), first {first}.{waits}"


BOOKMARKS = tuple(p.spec.key for p in PROMISES if p.says == _NOT_AHEAD)


def check_asset(asset: str, promises: tuple[Promise, ...]) -> dg.AssetChecksDefinition:
    """All checks of one asset as one step."""
    by_name = {p.name: p for p in promises}

    @dg.multi_asset_check(
        name=f"check_{asset.replace('/', '_')}", specs=[p.spec for p in promises], can_subset=True
    )
    def _checks(
        context: dg.AssetCheckExecutionContext, shift: dg.ResourceParam[Shift]
    ) -> Iterator[dg.AssetCheckResult]:
        found: dict[str, Rows] = {}
        wanted = sorted(key.name for key in context.selected_asset_check_keys)
        # One connection for all: opening one makes every view anew.
        with shift.step(f"checks of {asset}") as desk, desk.lake.duck() as con:
            for name in wanted:
                found[name] = by_name[name].broken_by(shift, con)
        shift.broken |= {name: rows for name, rows in found.items() if rows}
        for name, rows in found.items():
            shown: dict[str, Any] = {
                "rows that break it": len(rows),
                "the first": figures.table(rows[:_SHOWN]),
            }
            yield dg.AssetCheckResult(
                passed=not rows, check_name=name, asset_key=by_name[name].spec.asset_key, metadata=shown
            )

    return _checks


ALL = [check_asset(asset, tuple(held)) for asset, held in groupby(PROMISES, key=lambda p: p.asset)]

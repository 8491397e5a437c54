"""A plan as a rate sheet for a customer: in the canonical columns, with what has changed since the last one sent.

Importing a sheet gives the very plan that it was made from: a column is there where a row needs it, terms that are not
the default are written out, and rows that are gone carry ``gone`` in ``change``, which the import leaves out. What was
sent is kept beside the home's documents as files, so that the next sheet is compared with what the customer has, and
not with what the lake thinks it had.
"""

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pipeline.domain.money import plain
from pipeline.domain.rate_plan import Rate, RatePlan, match_key, unit_of
from pipeline.domain.rate_rows import behind
from pipeline.domain.steps import steps_text
from pipeline.errors import DeckError
from pipeline.lake.disk import whole
from pipeline.rate.deck.diff import GONE, Diff, RateChange, diff, price_text
from pipeline.rate.deck.file import DeckOptions, read_deck
from pipeline.rate.deck.terms import DEFAULTS, terms_text
from pipeline.rate.world import World

ALWAYS = ("prefix", "country_code", "country_name", "billing_increment", "billing_minimum", "price")
CHANGES = ("change", "old_price", "changes_from")
NUMBERS = (
    "billing_increment",
    "billing_minimum",
    "price",
    "old_price",
    "connect_fee",
    "min_charge",
    "max_charge",
)
SENT = ("sent_at", "plan_sid", "plan_version", "file", "sha256")
_STATED = ("service", "direction", "currency")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_BLANK = {"connect_fee": "0", "grace_seconds": "0", "status": "active"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rate sheet, ready to be written; ``since`` is the version that it is compared with."""

    plan: RatePlan
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    since: str | None
    changes: Diff | None

    def csv(self) -> bytes:
        """The sheet as CSV; a cell that a spreadsheet could take for a formula begins with an apostrophe."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows([_safe(cell) for cell in row] for row in self.rows)
        return out.getvalue().encode()

    def content(self, path: Path) -> bytes:
        """What goes into a file of this name: a workbook for ``.xlsx``, else CSV."""
        if path.suffix.lower() == ".xlsx":
            from pipeline.lake.workbook import workbook

            return workbook(self.columns, map(self._numbered, self.rows), sheet="Rates")
        return self.csv()

    def _numbered(self, row: tuple[str, ...]) -> list[str | Decimal | None]:
        """Prices and increments as numbers, so that a customer can sort by them; everything else as text."""
        return [
            Decimal(cell) if name in NUMBERS and _NUMBER.match(cell) else cell or None
            for name, cell in zip(self.columns, row, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Sent:
    """The sheets that somebody was sent, in ``folder``."""

    folder: Path

    def last_before(self, plan: RatePlan) -> RatePlan | None:
        """What was last sent of a plan, before this version of it."""
        found = None
        for entry in self._entries(plan.plan_sid):
            if entry["plan_version"] == plan.version:
                break
            found = entry
        if found is None:
            return None
        path = self.folder / found["file"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != found["sha256"]:
            msg = f"{path} is not what was sent: put it back from a backup, or export without --sent-to."
            raise DeckError(msg)
        start = datetime.strptime(found["plan_version"][:8], "%Y%m%d").replace(tzinfo=UTC)
        return read_deck(path, DeckOptions(plan.plan_sid, start, name=plan.name))

    def record(self, sheet: Sheet, now: datetime) -> Path:
        """Keeps a sheet as sent; sending the same version again keeps one."""
        plan = sheet.plan
        name = f"{plan.plan_sid}.{plan.version}.csv".replace(":", "_")
        known = list(self._entries(""))
        if any(
            entry["plan_version"] == plan.version and entry["plan_sid"] == plan.plan_sid for entry in known
        ):
            return self.folder / name
        content = sheet.csv()
        self.folder.mkdir(parents=True, exist_ok=True)
        written(self.folder / name, content)
        sha = hashlib.sha256(content).hexdigest()
        values = (f"{now:%Y-%m-%dT%H:%M:%SZ}", plan.plan_sid, plan.version, name, sha)
        out = io.StringIO()
        writer = csv.DictWriter(out, SENT, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*known, dict(zip(SENT, values, strict=True))])
        written(self.folder / "sent.csv", out.getvalue().encode())
        return self.folder / name

    def _entries(self, plan_sid: str) -> list[dict[str, str]]:
        path = self.folder / "sent.csv"
        if not path.is_file():
            return []
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8")))
        return [row for row in rows if not plan_sid or row["plan_sid"] == plan_sid]


def plans_of(world: World, partner_sid: str, at: datetime) -> list[RatePlan]:
    """The plans that a customer is billed on at an instant, for whatever kind of usage."""
    kinds = [(s, d, f) for s in ("call", "message") for d, f in world.kinds(s)]
    found = [world.book.charge_plan(partner_sid, *kind, at) for kind in kinds]
    return list({plan.plan_sid: plan for plan in found if plan}.values())


def rate_sheet(plan: RatePlan, before: RatePlan | None, countries: Mapping[str, str]) -> Sheet:
    """The sheet of a plan; ``countries`` gives names for alpha-3 codes."""
    changes = diff(before, plan) if before else None
    by_key = {change.key: change for change in changes.changes} if changes else {}
    ordered = sorted(plan.rates, key=lambda r: _order(plan, r))
    records = [_record(plan, rate, countries) | _changed(by_key, plan, rate) for rate in ordered]
    records += [_gone(plan, change, countries) for change in by_key.values() if change.after is None]
    terms = {n: t for n, t in terms_text(plan).items() if n in _STATED or t != DEFAULTS[n]}
    optional = [n for n in _row_columns() if any(r[n] != _BLANK.get(n, "") for r in records)]
    columns = (*ALWAYS, *optional, *(n for n in terms if terms[n]), *(CHANGES if changes else ()))
    rows = tuple(tuple((terms | record)[name] for name in columns) for record in records)
    return Sheet(plan, columns, rows, before.version if before else None, changes)


def written(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    with whole(path) as making:
        making.write_bytes(content)


def _row_columns() -> tuple[str, ...]:
    return (
        *("unit_seconds", "connect_fee", "grace_seconds", "effective_date", "end_date", "status"),
        *("origin_prefix", "jurisdiction", "window", "min_charge", "max_charge", "steps", "mcc", "mnc"),
    )


def _record(plan: RatePlan, rate: Rate, countries: Mapping[str, str]) -> dict[str, str]:
    return {
        "prefix": rate.prefix,
        "country_code": rate.country_code or "",
        "country_name": countries.get(rate.country_code or "", ""),
        "billing_increment": plain(rate.increment),
        "billing_minimum": plain(rate.minimum),
        "price": price_text(rate),
        "unit_seconds": "" if rate.unit == _unit(plan, rate) else plain(rate.unit),
        "connect_fee": plain(rate.connect_fee),
        "grace_seconds": plain(rate.grace),
        "effective_date": _date(rate.effective_from),
        "end_date": _date(rate.effective_to),
        "status": "blocked" if not rate.priced else "active",
        "origin_prefix": rate.origin_prefix,
        "jurisdiction": rate.jurisdiction or "",
        "window": rate.window,
        "min_charge": "" if rate.min_charge is None else plain(rate.min_charge),
        "max_charge": "" if rate.max_charge is None else plain(rate.max_charge),
        "steps": steps_text(rate.steps),
        "mcc": "" if rate.mcc is None else str(rate.mcc),
        "mnc": "" if rate.mnc is None else str(rate.mnc),
    } | dict.fromkeys(CHANGES, "")


def _unit(plan: RatePlan, rate: Rate) -> Decimal:
    """The unit that a row has without saying so."""
    if plan.service == "message":
        return rate.unit
    try:
        return unit_of(plan.unit_rule, rate.minimum)
    except ValueError:
        return Decimal(0)


def _changed(by_key: Mapping[tuple, RateChange], plan: RatePlan, rate: Rate) -> dict[str, str]:
    change = by_key.get(match_key(plan.service, rate))
    if change is None or change.after != replace(rate, prefix=""):
        return dict.fromkeys(CHANGES, "")
    word = "ends" if change.kind == GONE else change.kind
    return dict(zip(CHANGES, (word, price_text(change.before), _date(change.starts)), strict=True))


def _gone(plan: RatePlan, change: RateChange, countries: Mapping[str, str]) -> dict[str, str]:
    assert change.before is not None
    record = _record(plan, behind(change.prefix, change.before), countries) | {
        "price": "",
        "end_date": "",
        "effective_date": "",
    }
    return record | dict(zip(CHANGES, (GONE, price_text(change.before), _date(change.starts)), strict=True))


def _order(plan: RatePlan, rate: Rate) -> tuple[str, ...]:
    key = ("" if part is None else str(part) for part in match_key(plan.service, rate))
    return (*key, _date(rate.effective_from))


def _date(at: datetime | None) -> str:
    if at is None:
        return ""
    if at.hour or at.minute or at.second or at.microsecond:
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{at:%Y-%m-%d}"


def _safe(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell

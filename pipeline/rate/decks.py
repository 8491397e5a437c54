"""Imports rate decks into the lake as versions of plans, and compares versions.

A plan's versions follow one another by their own dates, whenever they were imported: each is in force until the next
one begins. A deck with the date of a version that is there already takes its place. A refused deck changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipeline.domain.rate_plan import Key, Rate, RatePlan, match_key
from pipeline.errors import DeckError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.masters.decks import DeckFile
from pipeline.rate.deckfile import DeckOptions, read_deck
from pipeline.rate.plans import plan_row, rates_table


@dataclass(frozen=True, slots=True)
class Imported:
    """A deck that was taken; ``changed`` is False when the lake had it already."""

    plan_sid: str
    version: str
    rates: int
    effective_from: datetime
    changed: bool
    replaced: str | None = None


@dataclass(frozen=True, slots=True)
class RateChange:
    """One key whose rate differs between two versions; None where a side has no row for it."""

    key: Key
    before: Rate | None
    after: Rate | None


def import_deck(lake: Lake, ledger: Ledger, path: Path, options: DeckOptions, *, now: datetime) -> Imported:
    """Reads a deck file and makes it a version of its plan.

    Raises:
        DeckError: the file is wrong, or does not fit the plan's other versions.
    """
    plan = read_deck(path, options)
    label = f"plan={plan.plan_sid}"
    rows = lake.scan("rate/plans", [label]).collect().to_dicts()
    _check_fits(plan, rows)
    replaced = next((r for r in rows if r["effective_from"] == plan.effective_from), None)
    new = plan_row(plan, len(plan.rates), plan.version[-12:])
    if replaced and replaced | {"effective_to": None} == new:
        return Imported(plan.plan_sid, plan.version, len(plan.rates), options.effective_from, False)
    versions = _chained([r for r in rows if r is not replaced] + [new])
    staged = [
        lake.stage("rate/plans", label, pa.Table.from_pylist(versions, schema=BY_NAME["rate/plans"].schema)),
        lake.stage("rate/rates", f"{label}.{plan.version}", rates_table(plan)),
    ]
    old = replaced["plan_version"] if replaced else None
    gone = [("rate/rates", f"{label}.{old}")] if old and old != plan.version else []
    with ledger.transaction() as tx:
        lake.commit(
            tx, staged, at=now, stage="rate", note=f"deck {plan.plan_sid} {plan.version}", remove=gone
        )
    return Imported(plan.plan_sid, plan.version, len(plan.rates), options.effective_from, True, old)


def options_of(deck: DeckFile) -> DeckOptions:
    """The options that ``decks.toml`` gives a deck."""
    return DeckOptions(
        plan_sid=deck.plan_sid,
        effective_from=deck.effective_from,
        name=deck.name,
        service=deck.service,
        direction=deck.direction,
        family=deck.family,
        currency=deck.currency,
        unit_rule=deck.unit_rule,
        increment_rule=deck.increment_rule,
        billable_base=deck.billable_base,
        match_field=deck.match_field,
        rounding_mode=deck.rounding_mode,
        rounding_decimals=deck.rounding_decimals,
        billable_statuses=deck.billable_statuses,
    )


def import_decks(lake: Lake, ledger: Ledger, decks: Iterable[DeckFile], *, now: datetime) -> list[Imported]:
    """Imports every deck of a ``decks.toml``."""
    return [import_deck(lake, ledger, deck.path, options_of(deck), now=now) for deck in decks]


def compare(before: RatePlan, after: RatePlan) -> list[RateChange]:
    """The keys whose rates differ, ordered; rows with dates of their own are compared by the latest."""
    old = {match_key(before.service, r): r for r in _by_start(before.rates)}
    new = {match_key(after.service, r): r for r in _by_start(after.rates)}
    keys = sorted(
        old.keys() | new.keys(), key=lambda k: tuple("" if part is None else str(part) for part in k)
    )
    return [RateChange(k, old.get(k), new.get(k)) for k in keys if old.get(k) != new.get(k)]


def _check_fits(plan: RatePlan, rows: list[dict]) -> None:
    for row in rows:
        if (row["service"], row["currency"]) != (plan.service, plan.currency):
            msg = (
                f"{plan.plan_sid} is a plan for {row['service']}s in {row['currency']}, and this deck is for "
                f"{plan.service}s in {plan.currency}. Import it under another name."
            )
            raise DeckError(msg)


def _chained(rows: list[dict]) -> list[dict]:
    """Each version in force until the next one begins."""
    ordered = sorted(rows, key=lambda r: r["effective_from"])
    ends = [r["effective_from"] for r in ordered[1:]] + [None]
    return [row | {"effective_to": end} for row, end in zip(ordered, ends, strict=True)]


def _by_start(rates: Iterable[Rate]) -> list[Rate]:
    return sorted(rates, key=lambda r: (r.effective_from is not None, r.effective_from))

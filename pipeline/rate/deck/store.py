"""Imports rate decks into the lake as versions of plans.

A plan's versions follow one another by their own dates, whenever they were imported: each is in force until the next
one begins. A deck with the date of a version that is there already takes its place. A refused deck changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipeline.domain.period import in_force
from pipeline.domain.rate_plan import RatePlan
from pipeline.errors import DeckError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.masters.decks import DeckFile
from pipeline.rate.deck.clash import mixed_units
from pipeline.rate.deck.diff import Diff, diff
from pipeline.rate.deck.file import Deck, DeckOptions, read_whole
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.merge import REPLACE, merged
from pipeline.rate.deck.supersede import days_between
from pipeline.rate.deck.terms import inheriting
from pipeline.rate.deck.windows import windows_said
from pipeline.rate.plans import load_plans, plan_row, rates_table, with_rates


@dataclass(frozen=True, slots=True)
class Imported:
    """A deck that was taken, or would be; ``changed`` is False when the lake had it already.

    ``notes`` say what a person should know: lines and columns that were not read, a later version.
    """

    plan_sid: str
    version: str
    rates: int
    effective_from: datetime
    changed: bool
    replaced: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A deck that fits, not yet in the lake: the version that it makes, and the one in force at that time."""

    plan: RatePlan
    effective_from: datetime
    before: RatePlan | None
    notes: tuple[str, ...] = ()

    def diff(self) -> Diff:
        """What importing it would change."""
        return diff(self.before, self.plan)


def _quiet(_text: str) -> None: ...


def prepare_deck(
    lake: Lake,
    path: Path,
    options: DeckOptions,
    *,
    mode: str = REPLACE,
    progress: Callable[[str], None] = _quiet,
) -> Prepared:
    """Reads a deck file and makes the version that it stands for; nothing is changed.

    Raises:
        DeckError: the file is wrong, or does not fit the plan's other versions.
    """
    versions = [p for p in load_plans(lake) if p.plan_sid == options.plan_sid]
    found = next(
        (p for p in versions if in_force(p.effective_from, p.effective_to, options.effective_from)), None
    )
    if mode != REPLACE and found is None:
        msg = (
            f"{options.plan_sid} has no version in force at {options.effective_from:%Y-%m-%d %H:%M} that rows could "
            "be added to or changed in. Import a whole deck first, without --mode."
        )
        raise DeckError(msg)
    before = with_rates(lake, found) if found else None
    base = None if mode == REPLACE else before
    deck = read_whole(path, inheriting(options, base) if base else options, progress)
    plan, ended = _merged(path, base, deck, mode) if base else (deck.plan, ())
    _check_fits(plan, versions)
    notes = _notes(deck, options, versions, whole=base is None)
    return Prepared(plan, options.effective_from, before, (*notes, *deck.ended, *ended))


def import_deck(
    lake: Lake,
    ledger: Ledger,
    path: Path,
    options: DeckOptions,
    *,
    now: datetime,
    mode: str = REPLACE,
    progress: Callable[[str], None] = _quiet,
) -> Imported:
    """Reads a deck file and makes it a version of its plan.

    Raises:
        DeckError: the file is wrong, or does not fit the plan's other versions.
    """
    return take_deck(lake, ledger, prepare_deck(lake, path, options, mode=mode, progress=progress), now=now)


def take_deck(lake: Lake, ledger: Ledger, prepared: Prepared, *, now: datetime) -> Imported:
    """Puts a prepared version among those of its plan."""
    plan = prepared.plan
    label = f"plan={plan.plan_sid}"
    rows = lake.scan("rate/plans", [label]).collect().to_dicts()
    start = prepared.effective_from
    done = Imported(plan.plan_sid, plan.version, len(plan.rates), start, True, None, prepared.notes)
    replaced = next((r for r in rows if r["effective_from"] == start), None)
    new = plan_row(plan, len(plan.rates), plan.version[-12:])
    if replaced and replaced | {"effective_to": None} == new:
        return replace(done, changed=False)
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
    return replace(done, replaced=old)


def options_of(deck: DeckFile) -> DeckOptions:
    """The options that ``decks.toml`` gives a deck: it is kept and read by people, so each of its rows says itself when
    it ends, and one that does not is taken for a slip.

    Raises:
        DeckError: its windows are not understood.
    """
    try:
        windows = windows_said("; ".join(deck.windows))
    except ValueError as error:
        msg = f"the windows of {deck.plan_sid} in decks.toml cannot be read: {error}."
        raise DeckError(msg) from None
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
        time_zone=deck.time_zone,
        windows=windows,
        base_rounding=deck.base_rounding,
        strict=True,
        layout=layout_of(
            deck.names, deck.columns, deck.ignore, date_format=deck.date_format, decimal=deck.decimal
        ),
    )


def layout_of(names: Iterable[str], columns: Iterable[str], ignore: Iterable[str], **more: str) -> Layout:
    """A layout from texts like ``Rate/min=price``.

    Raises:
        DeckError: a pair has no ``=``.
    """
    pairs = [text.rpartition("=") for text in names]
    for (theirs, _, ours), text in zip(pairs, names, strict=True):
        if not theirs or not ours:
            msg = f"--map {text!r} is no pair; write it like --map 'Rate/min=price'."
            raise DeckError(msg)
    mapped = tuple((theirs, ours.strip().lower()) for theirs, _, ours in pairs)
    return Layout(mapped, tuple(columns), tuple(ignore), **more)


def import_decks(lake: Lake, ledger: Ledger, decks: Iterable[DeckFile], *, now: datetime) -> list[Imported]:
    """Imports every deck of a ``decks.toml``."""
    return [import_deck(lake, ledger, deck.path, options_of(deck), now=now) for deck in decks]


def _merged(path: Path, before: RatePlan, deck: Deck, mode: str) -> tuple[RatePlan, tuple[str, ...]]:
    problems = Problems()
    plan, ended = merged(before, deck, mode, problems)
    problems.raise_if_any(path.name)
    return plan, ended


def _notes(deck: Deck, options: DeckOptions, versions: Iterable[RatePlan], *, whole: bool) -> tuple[str, ...]:
    notes = [f"not read: {', '.join(deck.not_read)}"] if deck.not_read else []
    notes += [f"left out, no rate: {text}" for text in deck.left_out]
    if whole and deck.gone:
        notes.append(f"left out, gone by their status: {len(deck.gone):,} rows")
    if deck.plan.service == "call":
        notes += mixed_units(deck.plan, deck.lines, deck.rates)
        notes += [
            f"line {line} has no prefix: it prices every call without one"
            for line, prefix in zip(deck.lines, deck.rates.prefixes, strict=True)
            if not prefix
        ]
    notes += days_between(deck.plan.service, deck.rates, deck.lines)
    for other in versions:
        if other.effective_from and other.effective_from > options.effective_from:
            notes.append(
                f"version {other.version} follows on {other.effective_from:%Y-%m-%d} and stays as it is"
            )
    return tuple(notes)


def _check_fits(plan: RatePlan, versions: Iterable[RatePlan]) -> None:
    for other in versions:
        if (other.service, other.currency) != (plan.service, plan.currency):
            msg = (
                f"{plan.plan_sid} is a plan for {other.service}s in {other.currency}, and this deck is for "
                f"{plan.service}s in {plan.currency}. Import it under another name."
            )
            raise DeckError(msg)


def _chained(rows: list[dict]) -> list[dict]:
    """Each version in force until the next one begins."""
    ordered = sorted(rows, key=lambda r: r["effective_from"])
    ends = [r["effective_from"] for r in ordered[1:]] + [None]
    return [row | {"effective_to": end} for row, end in zip(ordered, ends, strict=True)]

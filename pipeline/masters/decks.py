"""``decks/decks.toml``: which deck files to import, under which plan and how they are to be read.

A deck's rows stay in its CSV file until they are imported into the lake; only this list is master data.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.masters.reading import Problems, Row, toml_rows
from pipeline.masters.vocabulary import (
    BILLABLE_BASES,
    CURRENCIES,
    DIRECTIONS,
    INCREMENT_RULES,
    MATCH_FIELDS,
    ROUNDING_MODES,
    SERVICES,
)

_KEYS = (
    *("file", "plan_sid", "name", "service", "direction", "family", "currency", "effective_from"),
    *("unit_rule", "increment_rule", "billable_base", "match_field", "rounding_mode", "rounding_decimals"),
    *("billable_statuses", "time_zone", "windows", "base_rounding"),
    *("map", "columns", "ignore", "date_format", "decimal"),
)
_BASE_ROUNDINGS = ("exact", "floor", "round")
_DECK_FILE = r"[\w.-]+\.(csv|txt|xlsx)(\.gz)?"


@dataclass(frozen=True, slots=True)
class DeckFile:
    """A deck to import as a version of ``plan_sid``, in force from ``effective_from`` (a UTC instant).

    Empty ``direction`` and ``family`` mean that the plan may be assigned for any. ``unit_rule`` is ``minimum``
    or ``fixed:N`` (seconds); an empty ``billable_statuses`` means the importer's default. ``windows`` are texts like
    ``peak mon-fri 08:00-20:00``, in ``time_zone``. ``names`` (the key ``map``), ``columns``, ``ignore``,
    ``date_format`` and ``decimal`` say how the file is written, as the options of ``plans import`` do.
    """

    path: Path
    plan_sid: str
    name: str
    service: str
    direction: str
    family: str
    currency: str
    effective_from: datetime
    unit_rule: str = "fixed:60"
    increment_rule: str = "after_minimum"
    billable_base: str = "talk"
    match_field: str = "number_dst"
    rounding_mode: str = "half_up"
    rounding_decimals: int = 10
    billable_statuses: tuple[str, ...] = ()
    time_zone: str = "UTC"
    windows: tuple[str, ...] = ()
    base_rounding: str = "exact"
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    date_format: str = ""
    decimal: str = "."


def read_decks(folder: Path) -> tuple[DeckFile, ...]:
    """The decks that ``folder/decks.toml`` names, in its order; empty when there is no such file.

    Raises:
        MasterError: it lists every problem with its line.
    """
    problems = Problems()
    rows = toml_rows(folder / "decks.toml", {"deck": _KEYS}, problems, list_of="deck")
    decks = tuple(_deck(row, folder) for _, row in rows)
    problems.raise_if_any(folder)
    return decks


def _deck(row: Row, folder: Path) -> DeckFile:
    file = row.matching(
        "file", _DECK_FILE, "the name of a .csv or .xlsx file beside decks.toml", required=True
    )
    if file and not (folder / file).is_file():
        row.wrong("file", f"is {file!r}, which is not in {folder}")
    row.text("effective_from", required=True)
    plan_sid = row.matching("plan_sid", r"[A-Za-z0-9._-]{1,120}", "letters, digits and . _ -", required=True)
    return DeckFile(
        path=folder / file,
        plan_sid=plan_sid,
        name=row.text("name", plan_sid),
        service=row.choice("service", SERVICES, "call"),
        direction=row.choice("direction", DIRECTIONS),
        family=row.text("family"),
        currency=row.choice("currency", CURRENCIES, required=True),
        effective_from=row.instant("effective_from", UTC) or datetime.min.replace(tzinfo=UTC),
        unit_rule=row.matching(
            "unit_rule", r"minimum|fixed:[1-9]\d{0,4}", "'minimum' or 'fixed:60' (seconds)", "fixed:60"
        ),
        increment_rule=row.choice("increment_rule", INCREMENT_RULES, "after_minimum"),
        billable_base=row.choice("billable_base", BILLABLE_BASES, "talk"),
        match_field=row.choice("match_field", MATCH_FIELDS, "number_dst"),
        rounding_mode=row.choice("rounding_mode", ROUNDING_MODES, "half_up"),
        rounding_decimals=row.integer("rounding_decimals", 0, 10, 10),
        billable_statuses=row.words("billable_statuses"),
        time_zone=row.zone("time_zone") if row.text("time_zone") else "UTC",
        windows=row.paragraphs("windows"),
        base_rounding=row.choice("base_rounding", _BASE_ROUNDINGS, "exact"),
        names=row.paragraphs("map"),
        columns=row.words("columns"),
        ignore=row.paragraphs("ignore"),
        date_format=row.text("date_format"),
        decimal=row.choice("decimal", (".", ","), "."),
    )

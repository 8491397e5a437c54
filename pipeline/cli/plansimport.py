"""``plans import``: a deck as a version of a plan, or what it would change."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli import deckoptions as how
from pipeline.cli.app import Json, instant, open_desk
from pipeline.cli.plans import plans
from pipeline.cli.show import as_json, clear_line, say, table
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.rate.deck.diff import Diff
    from pipeline.rate.deck.file import DeckOptions
    from pipeline.rate.deck.store import Imported, Prepared

MODES = ("replace", "add", "change")
_NOTES = 20


@plans.command("import")
def import_plan(
    deck: how.DeckFile = None, plan: how.Plan = "", effective: how.Effective = "", everything: how.All = False,
    mode: how.Mode = "replace", dry_run: how.DryRun = False, csv: how.ChangesCsv = None,
    service: how.Service = "", direction: how.Direction = "", family: how.Family = "", currency: how.Currency = "",
    unit: how.Unit = "fixed:60", increments: how.Increments = "", statuses: how.Statuses = "",
    time_zone: how.TimeZone = "", windows: how.Windows = None, base_rounding: how.BaseRounding = "",
    names: how.Map = None, columns: how.Columns = "", ignore: how.Ignore = None, delimiter: how.Delimiter = "",
    encoding: how.Encoding = "", decimal: how.DecimalSign = ".", date_format: how.DateFormat = "",
    sheet: how.Sheet = "", json: Json = False,
) -> None:  # fmt: skip
    """Import a deck as a version of a plan. A refused deck changes nothing.

    The header may be in other people's words, and a title above it; ranges, lists, +, 00 and 011 before prefixes,
    60/6 for increments and prices that say Blocked are understood. Two rows in force at once are refused.
    """
    if mode not in MODES:
        raise typer.BadParameter(f"--mode is {mode!r}; it is one of {', '.join(MODES)}")
    if decimal not in (".", ","):
        raise typer.BadParameter(f"--decimal is {decimal!r}; it is '.' or ','")
    if not everything and (deck is None or not plan or not effective):
        raise typer.BadParameter("name a deck with --plan and --effective, or use --all")
    desk = open_desk()
    if everything or deck is None:
        _import_all(desk, json)
        return
    from pipeline.rate.deck.file import DeckOptions
    from pipeline.rate.deck.store import layout_of

    written = {"delimiter": delimiter, "encoding": encoding, "decimal": decimal, "sheet": sheet}
    layout = layout_of(names or (), _words(columns), ignore or (), date_format=_dates(date_format), **written)
    options = DeckOptions(
        plan_sid=plan,
        effective_from=instant(effective),
        service=service,
        direction=direction,
        family=family,
        currency=currency,
        unit_rule=unit,
        increment_rule=increments,
        billable_statuses=_words(statuses),
        time_zone=time_zone,
        windows=_windows(windows),
        base_rounding=base_rounding,
        layout=layout,
    )
    _import_one(desk, deck, options, mode, dry_run=dry_run, csv=csv, json=json)


def _import_one(
    desk: "Desk",
    deck: Path,
    options: "DeckOptions",
    mode: str,
    *,
    dry_run: bool,
    csv: Path | None,
    json: bool,
) -> None:
    from pipeline.rate.deck.store import prepare_deck, take_deck

    # A deck becomes some million values without a cycle among them; looking for one takes as long as reading it.
    gc.disable()
    with desk.locked():
        prepared = prepare_deck(desk.lake, deck, options, mode=mode, progress=desk.progress)
        changes = prepared.diff()
        done = None if dry_run else take_deck(desk.lake, desk.ledger, prepared, now=desk.now)
    clear_line()
    if done:
        desk.publish()
    _show(prepared, changes, done, csv=csv, json=json)


def _show(
    prepared: "Prepared", changes: "Diff", done: "Imported | None", *, csv: Path | None, json: bool
) -> None:
    from pipeline.cli.deckshow import show_diff

    said = {
        "plan": prepared.plan.plan_sid,
        "version": prepared.plan.version,
        "rates": len(prepared.plan.rates),
        "effective_from": prepared.effective_from,
        "instead_of": prepared.before.version if prepared.before else None,
        "imported": bool(done and done.changed),
        "notes": prepared.notes,
    }
    if not json:
        state = "would be imported; nothing was changed" if done is None else _state(done)
        start = f"{prepared.effective_from:%Y-%m-%d}"
        say(
            f"{prepared.plan.plan_sid} {prepared.plan.version}: {said['rates']:,} rates from {start}: {state}"
        )
        for note in prepared.notes[:_NOTES]:
            say(f"  {note}", style="dim")
        if len(prepared.notes) > _NOTES:
            say(f"  ... {len(prepared.notes) - _NOTES:,} more such notes; --json lists all", style="dim")
    show_diff(changes, said, csv=csv, limit=20 if prepared.before else 0, json=json)


def _import_all(desk: "Desk", json: bool) -> None:
    imported = desk.import_decks()
    desk.publish()
    clear_line()
    if json:
        as_json(imported)
        return
    rows = [(i.plan_sid, i.version, i.rates, i.effective_from, _state(i)) for i in imported]
    table(("plan", "version", "rates", "in force from", ""), rows, right=("rates",))


def _state(done: "Imported") -> str:
    return "imported" if done.changed else "was there already"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _windows(texts: list[str] | None) -> tuple[Any, ...]:
    from pipeline.rate.deck.windows import windows_said

    try:
        return windows_said(";".join(texts or ()))
    except ValueError as error:
        msg = f"--window cannot be read: {error}. Write it like 'peak mon-fri 08:00-20:00'."
        raise SettingsError(msg) from None


def _dates(date_format: str) -> str:
    from pipeline.rate.deck.fields import strptime_of

    try:
        return date_format and strptime_of(date_format) and date_format
    except ValueError as error:
        raise SettingsError(f"{error}.") from None

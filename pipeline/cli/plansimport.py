"""``plans import``: a deck as a version of a plan, or what it would change."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import Json, instant, open_desk
from pipeline.cli.deckoptions import Reading, read_at_once, reads_deck
from pipeline.cli.plans import TERMS, plans, terms
from pipeline.cli.show import as_json, clear_line, say, table

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.rate.deck.diff import Diff
    from pipeline.rate.deck.file import DeckOptions
    from pipeline.rate.deck.store import Imported, Prepared

MODES = ("replace", "add", "change")
_NOTES = 20


@plans.command("import")
@reads_deck
def import_plan(
    deck: Annotated[Path | None, typer.Argument(help="The deck: CSV or XLSX, or either with gzip.")] = None,
    plan: Annotated[str, typer.Option(help="The plan's name; assignments use it.")] = "",
    effective: Annotated[
        str, typer.Option(help="The first instant it is in force, for example 2026-01-01.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Import what masters/decks/decks.toml lists.")
    ] = False,
    mode: Annotated[
        str,
        typer.Option(help="replace: a whole version; add: more rows; change: other rows, the rest stays."),
    ] = "replace",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would change.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every change to this file.")] = None,
    json: Json = False,
    *,
    reading: Reading,
) -> None:
    """Import a deck as a version of a plan. A refused deck changes nothing.

    The header may be in other people's words, and a title above it; ranges, lists, +, 00 and 011 before prefixes,
    60/6 for increments and prices that say Blocked are understood. A later row of a prefix ends the earlier one where
    it begins; two rows that are in force at once all the same are refused.
    """
    if mode not in MODES:
        raise typer.BadParameter(f"--mode is {mode!r}; it is one of {', '.join(MODES)}")
    if not everything and (deck is None or not plan or not effective):
        raise typer.BadParameter("name a deck with --plan and --effective, or use --all")
    desk = open_desk()
    if everything or deck is None:
        _import_all(desk, json)
    else:
        options = reading.options(plan, instant(effective))
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

    read_at_once()
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
        say(f"  read as {terms({name: getattr(prepared.plan, name) for name in TERMS})}")
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

"""``init`` and ``doctor``: making a home, and finding out what it lacks."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from pipeline.cli.app import app, instant, open_desk, the_home
from pipeline.cli.show import out, say
from pipeline.errors import HomeError, LakeError


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the home shall be.")] = Path("."),
) -> None:
    """Make a home: settings and master files to fill in."""
    from pipeline.homes import make_home

    made = make_home(folder)
    say(f"made a home in {folder.resolve()}", style="bold green")
    for path in made:
        say(f"  {path.relative_to(folder.resolve())}")
    say("next: fill in tollbook.toml and .env, then `tollbook doctor`")


@app.command()
def doctor() -> None:
    """Check settings, token and scopes, system libraries, disk and database; say what to do."""
    from pipeline.doctor import examine

    bad = 0
    for finding in examine(the_home(), today=instant(None).date()):
        mark = {"good": "[green]ok[/]  ", "warn": "[yellow]warn[/]", "bad": "[red]bad[/] "}[finding.grade]
        out.print(f"{mark}  ", end="")
        say(f"{finding.what}: {finding.found}")
        if finding.remedy:
            say(f"        -> {finding.remedy}", style="dim")
        bad += finding.grade == "bad"
    if bad:
        raise HomeError(f"{bad} thing{'s' if bad > 1 else ''} to mend before this home can work.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The new file to write, like home-2026-04-03.tar.")],
) -> None:
    """Write the home into one file: ledger, data, masters, documents and settings, but no secrets."""
    from pipeline.backups import back_up

    saved = back_up(open_desk(), target.resolve())
    say(f"{saved.path}: {saved.files:,} files, {saved.bytes / 1e6:,.1f} MB", style="green")
    if not saved.with_ledger:
        dump = f"pg_dump --format=custom --file={quote(f'{saved.path}.dump')}"
        say("the ledger is in PostgreSQL and not in this file. Dump it before the next run:", style="yellow")
        say(f'  {dump} "$TOLLBOOK_DATABASE_URL"')


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file that backup wrote.")],
    folder: Annotated[Path, typer.Argument(help="The new home's folder.")],
) -> None:
    """Make a home from a backup, after checking all of it. Secrets (.env) are yours to put back."""
    from pipeline import backups

    saved = backups.restore(source, folder)
    say(f"{saved.path}: {saved.files:,} files, every one as it was saved", style="green")
    say(
        "What was done after the backup is forgotten: numbers and e-mails of later invoices would be given again."
    )
    if not saved.with_ledger:
        say(
            "the ledger was in PostgreSQL: load its dump into an empty database before anything runs:",
            "yellow",
        )
        say(f'  pg_restore --no-owner --dbname="$TOLLBOOK_DATABASE_URL" {quote(f"{source}.dump")}')
    say("next: put .env back, `tollbook doctor`, and never run two homes of one account", style="dim")


@app.command()
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Set damaged files aside and make or pull them again.")
    ] = False,
) -> None:
    """Check every data file, and every name of one under lake/, against its commit."""
    desk = open_desk()
    names = desk.misshown()
    found = desk.verify(repair=repair)
    for fault in found:
        say(f"{fault.table} {fault.label}: {fault.problem}", style="red")
        if not fault.can_be_made_again:
            say("        -> nobody can make this file again: restore it from a backup", style="dim")
    for name, problem in names.items():
        say(f"{name.relative_to(desk.settings.home)}: {problem}", style="red")
    if repair and (found or names):
        desk.show_anew()
        say("repaired; run `tollbook run` to rate and check what was made again" if found else "repaired")
    elif found or names:
        told = [f"{len(found)} damaged"] if found else []
        told += [f"{len(names)} under lake/ not what was committed"] if names else []
        raise LakeError(
            f"{', '.join(told)}. `tollbook verify --repair` sets aside what is damaged and makes it again."
        )
    else:
        say("every file is what its commit says", style="green")

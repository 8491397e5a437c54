"""``init`` and ``doctor``: making a home, and finding out what it lacks."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import app, the_home
from pipeline.cli.show import out, say
from pipeline.errors import HomeError


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the home shall be.")] = Path("."),
) -> None:
    """Make a home: settings to fill in, and master files with an example in each."""
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
    for finding in examine(the_home()):
        mark = {"good": "[green]ok[/]  ", "warn": "[yellow]warn[/]", "bad": "[red]bad[/] "}[finding.grade]
        out.print(f"{mark}  ", end="")
        say(f"{finding.what}: {finding.found}")
        if finding.remedy:
            say(f"        -> {finding.remedy}", style="dim")
        bad += finding.grade == "bad"
    if bad:
        raise HomeError(f"{bad} thing{'s' if bad > 1 else ''} to mend before this home can work.")



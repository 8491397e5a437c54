"""The Typer application, and the options that many commands share."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk

app = typer.Typer(
    name="tollbook",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A carrier's billing desk in a folder: pull, land, rate, invoice, render, deliver, measure.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="Work as of this instant (ISO 8601) instead of now: what is due then is billed."
    ),
]


def _version(asked: bool) -> None:
    if asked:
        from pipeline import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    home: Annotated[
        Path | None,
        typer.Option("--home", help="The home to work in; default: upwards from here, or TOLLBOOK_HOME."),
    ] = None,
    version: Annotated[  # noqa: ARG001  its callback has answered
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    global _home
    _home = home


_home: Path | None = None


def the_home() -> Path:
    """The home that the command works on."""
    from pipeline.settings import find_home, use_home

    if _home is not None:
        use_home(_home)
    return find_home()


def instant(text: str | None) -> datetime:
    """The instant of ``--as-of``; now where it is absent."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        msg = f"--as-of {text!r} is no instant; write it like 2026-04-03T06:00:00Z."
        raise SettingsError(msg) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def open_desk(as_of: str | None = None, *, watch: bool = True) -> "Desk":
    """The desk of the home, with progress on the terminal."""
    from pipeline.cli.show import progress_line
    from pipeline.desk import Desk, quiet
    from pipeline.settings import load

    settings = load(the_home())
    return Desk.open(settings, now=instant(as_of), progress=progress_line() if watch else quiet)


def read_amount(text: str) -> Decimal:
    """An amount of money as it is typed, plain and finite."""
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip(), re.ASCII):
        msg = f"{text!r} is no amount; write it like 120.50."
        raise SettingsError(msg)
    return Decimal(text.strip())

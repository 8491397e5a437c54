"""The options that say how a deck file is to be read; ``plans import`` and ``quote --plan-file`` share them."""

from pathlib import Path
from typing import Annotated

import typer

Service = Annotated[str, typer.Option(help="call or message; default: the file's own column, else call.")]
Direction = Annotated[str, typer.Option(help="inbound or outbound; empty covers both.")]
Family = Annotated[str, typer.Option(help="pstn or a VoIP sub_type; empty covers all.")]
Currency = Annotated[str, typer.Option(help="Default: the file's own column, else USD.")]
Unit = Annotated[str, typer.Option(help="What a price is per: fixed:60 (seconds) or minimum.")]
Increments = Annotated[str, typer.Option(help="after_minimum (30/6 as the industry reads it) or total.")]
Statuses = Annotated[str, typer.Option(help="Messages: the statuses that are billed, with commas.")]
TimeZone = Annotated[str, typer.Option(help="The zone of the windows, such as Europe/Berlin; default UTC.")]
Windows = Annotated[
    list[str] | None,
    typer.Option("--window", help="A time window, e.g. 'peak mon-fri 08:00-20:00'; repeat for more."),
]
BaseRounding = Annotated[
    str, typer.Option(help="Seconds before minimum and increment: exact, floor or round.")
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", help="Their column and ours, e.g. 'Rate/min=price'; repeat for more."),
]
Columns = Annotated[str, typer.Option(help="No header: our names of its columns in order, with commas.")]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", help="A column that is not to be read; '*' for all unknown ones."),
]
Delimiter = Annotated[
    str, typer.Option(help="What separates columns; default: found out. tab is a word for it.")
]
Encoding = Annotated[str, typer.Option(help="How text is written, e.g. cp1252; default UTF-8 or as marked.")]
DecimalSign = Annotated[str, typer.Option("--decimal", help="The sign before decimals: '.' or ','.")]
DateFormat = Annotated[str, typer.Option(help="How dates are written, e.g. DD/MM/YYYY; ISO needs none.")]
Sheet = Annotated[str, typer.Option(help="XLSX: the sheet's name; default the first.")]

DeckFile = Annotated[Path | None, typer.Argument(help="The deck: CSV or XLSX, or either with gzip.")]
Plan = Annotated[str, typer.Option(help="The plan's name; assignments use it.")]
Effective = Annotated[str, typer.Option(help="The first instant it is in force, for example 2026-01-01.")]
All = Annotated[bool, typer.Option("--all", help="Import what masters/decks/decks.toml lists.")]
Mode = Annotated[
    str, typer.Option(help="replace: a whole version; add: more rows; change: other rows, the rest stays.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would change.")]
ChangesCsv = Annotated[Path | None, typer.Option("--csv", help="Write every change to this file.")]

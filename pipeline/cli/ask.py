"""``sql``: any question, over every table."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import app, the_home
from pipeline.cli.show import as_json, say, table
from pipeline.errors import TollbookError

if TYPE_CHECKING:
    from pipeline.lake.lake import Answer, Lake


class Format(StrEnum):
    """How ``sql`` prints its answer."""

    table = "table"
    csv = "csv"
    json = "json"


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One query; without it, a session on standard input.")
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="How the answer is printed.")
    ] = Format.table,
    limit: Annotated[int, typer.Option(help="Rows that a table shows; 0 shows all.")] = 200,
) -> None:
    """Ask DuckDB over every table: land.*, rate.*, invoice.*, deliver.*, measure.*."""
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger
    from pipeline.settings import load

    settings = load(the_home())
    lake = Lake(settings.home, Ledger.open(settings.ledger_url))
    with lake.ask() as ask:
        if query is not None:
            _print(ask(query), format, limit)
        else:
            _session(ask, format, limit, lake)


def _session(ask, format: Format, limit: int, lake: "Lake") -> None:  # noqa: ANN001
    """Reads statements that end with a semicolon; an error ends the statement, not the session."""
    prompts = sys.stdin.isatty()
    if prompts:
        import readline  # noqa: F401  line editing and history

        say(
            f"DuckDB over {lake.home}; end a query with ;  leave with Ctrl-D. `show all tables;` lists what there is."
        )
    statement = ""
    while True:
        try:
            statement += input(("tollbook> " if not statement else "     ...> ") if prompts else "") + "\n"
        except EOFError:
            break
        if statement.rstrip().endswith(";"):
            _run(ask, statement, format, limit)
            statement = ""
    if statement.strip():
        _run(ask, statement, format, limit)


def _run(ask, statement: str, format: Format, limit: int) -> None:  # noqa: ANN001
    from pipeline.cli.show import fail

    try:
        _print(ask(statement), format, limit)
    except TollbookError as error:
        fail(error)


def _print(answer: "Answer", format: Format, limit: int) -> None:
    if format is Format.json:
        as_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
    elif format is Format.csv:
        from pipeline.lake.export import write_csv

        write_csv(sys.stdout, answer.columns, answer.rows)
    else:
        shown = answer.rows if limit == 0 else answer.rows[:limit]
        table(answer.columns, shown, right=answer.numeric)
        if len(shown) < len(answer.rows):
            say(f"... {len(answer.rows) - len(shown):,} more rows; --limit 0 shows all", style="dim")

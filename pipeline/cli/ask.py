"""``sql``: any question, over every table."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import app, the_home
from pipeline.cli.show import as_json, fail, say, table
from pipeline.errors import QueryError, TollbookError

if TYPE_CHECKING:
    from pipeline.lake.lake import Answer, Lake
    from pipeline.lake.questions import Questions

_GREETING = """DuckDB over {home}; end a query with ;  leave with Ctrl-D.
`show tables;` says what there is, `describe rate.calls;` what is in it,
`tollbook sql --examples` asks for you."""


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
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the answer to FILE.csv, .json, .parquet or .xlsx."),
    ] = None,
    example: Annotated[str | None, typer.Option(help="Ask a saved example by its name.")] = None,
    examples: Annotated[bool, typer.Option("--examples", help="List the saved examples.")] = False,
) -> None:
    """Ask DuckDB over every table: land.*, rate.*, invoice.*, deliver.*, measure.*."""
    if examples:
        _list_examples()
        return
    if example is not None:
        query = _example(example)
    if out is not None and query is None:
        msg = "--out writes the answer to one question: give it, or --example NAME"
        raise typer.BadParameter(msg)
    lake = _lake()
    with lake.ask() as ask:
        if query is None:
            _session(ask, format, limit, lake)
        elif out is not None:
            _save(ask, query, out)
        else:
            with _stoppable():
                answer = ask(query)
            _print(answer, format, limit)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Within the block Ctrl-C ends the process: DuckDB lets no handler run before it has the answer."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _lake() -> "Lake":
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger
    from pipeline.settings import load

    settings = load(the_home())
    return Lake(settings.home, Ledger.open(settings.ledger_url))


def _saved() -> dict[str, Path]:
    from pipeline.shipped import shipped

    return {path.stem: path for path in sorted(shipped("sql", "examples").glob("*.sql"))}


def _list_examples() -> None:
    lines = {name: path.read_text(encoding="utf-8").splitlines()[0] for name, path in _saved().items()}
    table(("example", "answers"), [(name, line.removeprefix("-- purpose: ")) for name, line in lines.items()])
    say(
        "Ask one with `tollbook sql --example NAME`; the files are in sql/examples, to copy and change.",
        style="dim",
    )


def _example(name: str) -> str:
    saved = _saved()
    if name not in saved:
        msg = f"there is no example {name!r}. There are: {', '.join(saved)}"
        raise QueryError(msg)
    return saved[name].read_text(encoding="utf-8")


def _save(ask: "Questions", query: str, out: Path) -> None:
    from pipeline.lake.export import save

    with _stoppable():
        answer = ask.table(query)
    save(answer, out)
    say(f"{answer.num_rows:,} rows in {out}")


def _session(ask: "Questions", format: Format, limit: int, lake: "Lake") -> None:
    """Reads statements that end with a semicolon; an error ends the statement, not the session."""
    prompts = sys.stdin.isatty()
    if prompts:
        import readline  # noqa: F401  line editing and history

        say(_GREETING.format(home=lake.home))
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


def _run(ask: "Questions", statement: str, format: Format, limit: int) -> None:
    try:
        with _stoppable():
            answer = ask(statement)
        _print(answer, format, limit)
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

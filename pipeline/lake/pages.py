"""The pages of documentation about tables: ``make docs`` writes ``docs/tables`` anew, a test says when they are old.

Everything on them is said elsewhere: in ``lake/tables``, in the heads of the queries, and by DuckDB, which knows types.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipeline.lake import catalog, views
from pipeline.lake.meanings import Head, head_of
from pipeline.lake.tables import BY_NAME, STAGES

_MADE = "<!-- made by `make docs`; change pipeline/lake/tables or the head of the query instead -->\n"


def pages() -> dict[str, str]:
    """File name -> Markdown: a page per table and view, and ``README.md``, which lists them."""
    queries = {each.name: each.file for each in views.sql_views() if each.file}
    with duckdb.connect() as con:
        views.create(con, views.definitions({}))
        for statement in catalog.comments(con):
            con.execute(statement)
        found = con.execute("""
            select schema_name || '.' || view_name, comment from duckdb_views()
            where not internal and not ends_with(view_name, '_history')
            order by all
        """).fetchall()
        columns = con.execute("""
            select schema_name || '.' || table_name, column_name, data_type, comment
            from duckdb_columns() where not internal order by schema_name, table_name, column_index
        """).fetchall()
    made = {}
    for name, comment in found:
        rows = [row[1:] for row in columns if row[0] == name]
        made[f"{name}.md"] = _page(name, comment, rows, queries.get(name))
    return made | {"README.md": _index(found)}


def write(folder: Path) -> None:
    """Writes the pages, and removes those of tables that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in set(folder.glob("*.md")) - {folder / name for name in made}:
        old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(name: str, comment: str, columns: Iterable[tuple[str, str, str]], query: Path | None) -> str:
    lines = [_MADE, f"# {name}", ""]
    if query is not None:
        lines += _of_query(head_of(query), f"{name.replace('.', '/', 1)}.sql")
    else:
        lines += _of_table(name, comment)
    lines += ["", "| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{column}` | {kind} | {_cell(said)} |" for column, kind, said in columns]
    return "\n".join(lines) + "\n"


def _of_query(head: Head, file: str) -> list[str]:
    reads = ", ".join(f"{_link(read)}" for read in head.reads)
    return [
        f"{_sentence(head.purpose)}",
        "",
        f"- Grain: {head.grain}.",
        f"- Reads: {reads or 'nothing but what it holds'}.",
        f"- Query: [`sql/{file}`](../../sql/{file}).",
    ]


def _link(name: str) -> str:
    return f"[{name}]({name.removesuffix('_history')}.md)"


def _of_table(name: str, comment: str) -> list[str]:
    table = BY_NAME[name.replace(".", "/", 1)]
    key = ", ".join(f"`{column}`" for column in table.key)
    lines = [_sentence(comment), "", f"- No two rows agree on all of {key}."]
    if table.current:
        lines += [f"- What was ever so is in the view `{name}_history`."]
    where = f"lake/{table.name}/" + ("date=YYYY-MM-DD/" if table.by_day else "")
    return [*lines, f"- Parquet under `{where}`."]


def _index(found: Iterable[tuple[str, str]]) -> str:
    lines = [_MADE, "# Tables", "", '`tollbook sql "describe rate.calls"` says the same at the terminal.']
    found = list(found)
    for stage in STAGES:
        lines += ["", f"## {stage}", "", "| table | |", "|---|---|"]
        lines += [
            f"| [{name}]({name}.md) | {_cell(said.partition(';')[0])} |"
            for name, said in found
            if name.startswith(f"{stage}.")
        ]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

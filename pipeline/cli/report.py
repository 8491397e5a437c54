"""``report``: the dashboard of a month, or one customer's usage, as one page."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, open_desk
from pipeline.cli.show import as_json, say


@app.command()
def report(
    month: Annotated[
        str | None, typer.Argument(help="A month, like 2026-03. Default: the newest that has begun.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="A partner_sid: its own usage, without our costs.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Where the page shall be. Default: reports/ in the home.")
    ] = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Write the dashboard: quality, money, customers, destinations and the statement on one page."""
    written = open_desk(as_of, watch=False).report(month, customer=customer, target=to)
    if json:
        figures = {name: asked.rows for name, asked in written.answers.items()}
        as_json({"path": written.path, "month": str(written.month), "figures": figures})
        return
    say(f"{written.path}")
    say("one file, no network needed: open it in a browser, print it, or send it on", style="dim")

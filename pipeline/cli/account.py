"""``account``: what a customer owes and why, as a page to send to the customer."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import AsOf, app, open_desk
from pipeline.cli.named import partner_named
from pipeline.cli.show import say


@app.command()
def account(
    customer: Annotated[str, typer.Argument(help="A partner_sid, or the customer's name or a part of it.")],
    to: Annotated[
        Path | None,
        typer.Option("--out", help="Where it shall be; .pdf makes a PDF. Default: reports/ in the home."),
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Write a customer's statement of account: bookings, balance, what is open, disputes, usage so far."""
    desk = open_desk(as_of, watch=False)
    say(f"{desk.account(partner_named(customer, desk.masters.names), to)}")

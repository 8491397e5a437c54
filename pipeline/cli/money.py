"""Money that goes back, or comes another way than by an invoice: credit notes."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from pipeline.cli.app import AsOf, app, open_desk
from pipeline.cli.desk import By
from pipeline.cli.show import money, say
from pipeline.errors import SettingsError


@app.command()
def credit(
    which: Annotated[str, typer.Argument(help="The number or sid of an issued invoice.")],
    reason: Annotated[str, typer.Option(help="Why; the customer reads it.")],
    line: Annotated[
        list[str] | None,
        typer.Option(help="A line to credit: 3, or 3=1.50 for a part of it. Default: all that remains."),
    ] = None,
    rebill: Annotated[
        bool,
        typer.Option(help="Credit the usage and bill its records again, as they are rated by then."),
    ] = False,
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Issue a credit note on an issued invoice, taxes included."""
    desk = open_desk(as_of)
    lines = dict(_line(text) for text in line) if line else None
    issued = desk.credit(which, lines, reason=reason, rebill=rebill, by=by)
    desk.publish()
    owed = f"{money(issued.amount_due)} {issued.currency}"
    say(f"{issued.number}  {issued.invoice_sid}  the account now owes {owed}")
    say("next: `tollbook render` and `tollbook deliver`, or wait for the schedule", style="dim")
    if rebill:
        say(
            "its records wait for the customer's next invoice: `tollbook rate` and `tollbook invoice`",
            style="dim",
        )


def _line(text: str) -> tuple[int, Decimal | None]:
    number, equals, amount = text.partition("=")
    try:
        return int(number), Decimal(amount) if equals else None
    except (ValueError, InvalidOperation):
        msg = f"--line {text!r} is neither a line's number, like 3, nor a part of one, like 3=1.50."
        raise SettingsError(msg) from None

"""``lookup``: who serves a number, for money."""

from typing import Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, instant, open_desk
from pipeline.cli.show import as_json, clear_line, err, say, table


@app.command()
def lookup(
    numbers: Annotated[list[str], typer.Argument(help="Numbers in E.164.")],
    details: Annotated[
        str, typer.Option(help="What to ask, with commas: carrier, lrn, cnam.")
    ] = "carrier,lrn",
    most: Annotated[int, typer.Option(help="At most this many are paid for.")] = 100,
    since: Annotated[
        str | None, typer.Option(help="Ask again what was last looked up before this instant.")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option("--for", help="The customer who pays for them, where per_use.csv has a price."),
    ] = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Look numbers up at the provider. [bold]Each one costs money[/]; what is in the lake already does not."""
    desk = open_desk(as_of, watch=not json)
    wanted = tuple(part.strip() for part in details.split(",") if part.strip())
    err.print(f"up to {min(most, len(numbers))} of these are paid lookups", style="dim")
    again = instant(since) if since else None
    found = desk.look_up(numbers, details=wanted, most=most, since=again, customer=customer)  # type: ignore[arg-type]
    desk.publish()
    clear_line()
    if json:
        as_json(found)
        return
    columns = list(found.rows[0]) if found.rows else ["phonenumber"]
    table(columns, [tuple(row.get(name) for name in columns) for row in found.rows])
    say(
        f"{found.paid} paid, {found.cached} from the lake, {len(found.left)} left, {len(found.invalid)} no numbers"
    )

"""``plans assign``: who is billed on which plan, from when."""

from typing import Annotated

import typer

from pipeline.cli.app import Json, open_desk
from pipeline.cli.named import partner_named
from pipeline.cli.plans import plans
from pipeline.cli.show import as_json, say
from pipeline.errors import SettingsError

EVERYONE = "*"


@plans.command()
def assign(
    partner: Annotated[
        str,
        typer.Argument(help="A customer: partner_sid or name; or '*' for all without a plan of their own."),
    ],
    plan: Annotated[str, typer.Argument(help="A plan's name.")],
    start: Annotated[
        str,
        typer.Option(
            "--start",
            "--from",
            help="From when: a date where the customer is, or an instant; '' for ever since.",
        ),
    ],
    end: Annotated[str, typer.Option("--end", "--to", help="Until when; empty for good.")] = "",
    service: Annotated[str, typer.Option(help="call or message; empty for both.")] = "",
    direction: Annotated[str, typer.Option(help="inbound or outbound; empty for both.")] = "",
    family: Annotated[str, typer.Option(help="pstn or a VoIP sub_type; empty for all.")] = "",
    json: Json = False,
) -> None:
    """Bill a customer on a plan: adds a line to masters/assignments.csv.

    A later start takes over from an earlier one by itself. A line that contradicts another is refused, and the file
    stays as it was. Usage from the start on is rated anew by the next run.
    """
    from pipeline.domain.rate_plan import RETAIL
    from pipeline.masters.assigning import FILE, assign
    from pipeline.rate.plans import load_plans

    desk = open_desk(watch=False)
    if partner != EVERYONE:
        partner = partner_named(partner, desk.masters.names)
    followed = {markup.plan_sid for markup in desk.masters.markups}
    known = {found.plan_sid for found in load_plans(desk.lake) if found.origin == RETAIL} | followed
    if plan not in known:
        names = ", ".join(sorted(known)) or "none"
        raise SettingsError(
            f"there is no plan {plan!r}; the plans are {names}. Import it with `tollbook plans import`."
        )
    values = {"service": service, "direction": direction, "family": family, "start": start, "end": end}
    with desk.locked():
        line, masters = assign(desk.settings.masters, {"partner_sid": partner, "plan_sid": plan} | values)
    path = desk.settings.masters / FILE
    if json:
        as_json({"file": path, "line": line, "assignments": len(masters.assignments)})
    else:
        say(f"added to {path}: {line}")

"""``plans``: rate decks, and who is billed on them."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import Json, app, instant, open_desk
from pipeline.cli.show import as_json, say, table
from pipeline.errors import SettingsError

plans = typer.Typer(no_args_is_help=True, help="Rate decks, and who is billed on them.")
app.add_typer(plans, name="plans")


@plans.command("list")
def list_plans(json: Json = False) -> None:
    """Every version of every plan: the provider's and yours."""
    query = """
        select plan_sid, plan_version, origin, service, coalesce(direction, 'any') as direction,
               coalesce(family, 'any') as family, currency, unit_rule, increment_rule,
               effective_from, effective_to, rows
        from rate.plans order by origin desc, plan_sid, effective_from
    """
    found = open_desk(watch=False).lake.query(query)
    if json:
        as_json(found)
    else:
        columns = list(found[0]) if found else ["plan_sid"]
        table(columns, [tuple(row.values()) for row in found], right=("rows",))


@plans.command()
def show(
    plan: Annotated[str, typer.Argument(help="A plan's name.")],
    prefix: Annotated[str, typer.Option(help="Only prefixes that begin so.")] = "",
    limit: Annotated[int, typer.Option(help="Rows to show; 0 shows all.")] = 50,
    json: Json = False,
) -> None:
    """The rates of a plan."""
    query = """
        select plan_version, prefix, country_code, mcc, mnc, price, connect_fee,
               cast(increment_ms as decimal(15, 3)) * 0.001 as increment,
               cast(minimum_ms as decimal(15, 3)) * 0.001 as minimum,
               cast(unit_ms as decimal(15, 3)) * 0.001 as unit, status, origin_prefix, jurisdiction,
               window_name as "window", min_charge, max_charge, steps, effective_from, effective_to
        from rate.rates where plan_sid = $plan and starts_with(prefix, $prefix)
        order by all
    """
    found = open_desk(watch=False).lake.query(query, {"plan": plan, "prefix": prefix})
    if not found:
        raise SettingsError(
            f"there is no plan {plan!r} with such rates. `tollbook plans list` names the plans."
        )
    shown = found if limit == 0 else found[:limit]
    if json:
        as_json(shown)
        return
    used = [name for name in found[0] if any(row[name] not in (None, "") for row in shown)]
    table(used, [tuple(row[name] for name in used) for row in shown])
    if len(shown) < len(found):
        say(f"... {len(found) - len(shown):,} more; --limit 0 shows all", style="dim")


@plans.command()
def diff(
    plan: Annotated[str, typer.Argument(help="A plan's name.")],
    before: Annotated[str, typer.Option(help="In force at this instant ...")],
    after: Annotated[str, typer.Option(help="... against in force at this one.")],
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every change to this file.")] = None,
    limit: Annotated[int, typer.Option(help="The biggest changes to show.")] = 20,
    json: Json = False,
) -> None:
    """What changed between two versions of a plan."""
    from pipeline.cli.deckshow import show_diff
    from pipeline.rate.deck.diff import diff as compared
    from pipeline.rate.plans import stored_plan

    lake = open_desk(watch=False).lake
    old, new = (stored_plan(lake, plan, instant(at)) for at in (before, after))
    said = {"plan": plan, "before": old.version, "after": new.version}
    show_diff(compared(old, new), said, csv=csv, limit=limit, json=json)

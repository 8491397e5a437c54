"""``plans``: rate decks, and who is billed on them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.app import Json, app, instant, open_desk
from pipeline.cli.show import as_json, heading, money, say, table, when
from pipeline.domain.money import plain
from pipeline.errors import SettingsError

plans = typer.Typer(no_args_is_help=True, help="Rate decks, and who is billed on them.")
app.add_typer(plans, name="plans")
_OWN = ("prefix", "mcc", "mnc", "price")
TERMS = ("service", "direction", "family", "currency", "unit_rule", "increment_rule")
_AMOUNTS = ("price", "connect_fee", "min_charge", "max_charge")


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
        return
    for _, versions in groupby(found, key=itemgetter("plan_sid")):
        _versions(list(versions))
    if not found:
        say(
            "there is no plan yet: `tollbook plans import` takes a deck, `tollbook rate` the provider's rates"
        )


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
    for version, rows in groupby(shown, key=itemgetter("plan_version")):
        heading(f"{plan} {version}")
        _rates([{name: _text(name, value) for name, value in row.items()} for row in rows])
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


def _versions(found: list[dict[str, Any]]) -> None:
    """One plan: what it is for in a line, its versions below."""
    heading(f"{found[-1]['plan_sid']}: {terms(found[-1])}")
    rows = [(v["plan_version"], when(v["effective_from"]), when(v["effective_to"]), v["rows"]) for v in found]
    table(("version", "from", "to", "rates"), rows, right=("rates",))


def terms(plan: Mapping[str, Any]) -> str:
    """What a plan is for and how its prices are meant, in a line."""
    whose = f"{plan['service']}s, direction {plan['direction'] or 'any'}, family {plan['family'] or 'any'}"
    if plan["service"] == "message":
        return f"{whose}, in {plan['currency']}"
    minimum = plan["unit_rule"] == "minimum"
    per = "its row's minimum" if minimum else f"{plan['unit_rule'].removeprefix('fixed:')} s"
    rule = "whole calls rounded up" if plan["increment_rule"] == "total" else "increments after the minimum"
    return f"{whose}, in {plan['currency']} per {per}, {rule}"


def _rates(rows: list[dict[str, str]]) -> None:
    """Rows of a plan; what is the same in all of them is said once."""
    used = [name for name in rows[0] if any(row[name] for row in rows)]
    same = [name for name in used if name not in _OWN and rows[1:] and len({row[name] for row in rows}) == 1]
    if same:
        say(f"  each with {', '.join(f'{name} {rows[0][name]}' for name in same)}", style="dim")
    columns = [name for name in used if name not in same]
    table(columns, [tuple(row[name] for name in columns) for row in rows], right=_AMOUNTS)


def _text(name: str, value: Any) -> str:
    if name == "plan_version" or value is None:
        return ""
    if isinstance(value, Decimal):
        return money(value) if name in _AMOUNTS else plain(value)
    return when(value) if isinstance(value, datetime) else str(value)

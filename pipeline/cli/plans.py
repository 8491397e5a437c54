"""``plans`` and ``quote``: rate decks, and the price of one call or message with its reasons."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import Json, app, instant, open_desk
from pipeline.cli.show import as_json, heading, money, say, table
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.domain.rate_plan import RatePlan
    from pipeline.domain.rating import Outcome

plans = typer.Typer(no_args_is_help=True, help="Rate decks, and who is billed on them.")
app.add_typer(plans, name="plans")

Service = Annotated[str, typer.Option(help="call or message; default: the file's own column, else call.")]
Direction = Annotated[str, typer.Option(help="inbound or outbound; empty covers both.")]
Family = Annotated[str, typer.Option(help="pstn or a VoIP sub_type; empty covers all.")]
Currency = Annotated[str, typer.Option(help="Default: the file's own column, else USD.")]
Unit = Annotated[str, typer.Option(help="What a price is per: fixed:60 (seconds) or minimum.")]
Increments = Annotated[str, typer.Option(help="after_minimum (30/6 as the industry reads it) or total.")]
Statuses = Annotated[str, typer.Option(help="Messages: the statuses that are billed, with commas.")]


@plans.command("import")
def import_plan(
    deck: Annotated[Path | None, typer.Argument(help="The deck, a CSV file.")] = None,
    plan: Annotated[str, typer.Option(help="The plan's name; assignments use it.")] = "",
    effective: Annotated[
        str, typer.Option(help="The first instant it is in force, for example 2026-01-01.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Import what masters/decks/decks.toml lists.")
    ] = False,
    service: Service = "",
    direction: Direction = "",
    family: Family = "",
    currency: Currency = "",
    unit: Unit = "fixed:60",
    increments: Increments = "",
    statuses: Statuses = "",
) -> None:
    """Import a deck as a version of a plan. A refused deck changes nothing."""
    from pipeline.rate.deckfile import DeckOptions
    from pipeline.rate.decks import import_deck

    desk = open_desk(watch=False)
    if everything:
        imported = desk.import_decks()
    elif deck is None or not plan or not effective:
        raise typer.BadParameter("name a deck with --plan and --effective, or use --all")
    else:
        options = DeckOptions(
            plan_sid=plan,
            effective_from=instant(effective),
            service=service,
            direction=direction,
            family=family,
            currency=currency,
            unit_rule=unit,
            increment_rule=increments,
            billable_statuses=tuple(s.strip() for s in statuses.split(",") if s.strip()),
        )
        with desk.locked():
            imported = [import_deck(desk.lake, desk.ledger, deck, options, now=desk.now)]
    desk.publish()
    rows = [
        (i.plan_sid, i.version, i.rates, i.effective_from, "imported" if i.changed else "was there already")
        for i in imported
    ]
    table(("plan", "version", "rates", "in force from", ""), rows, right=("rates",))


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
) -> None:
    """The rates of a plan."""
    query = """
        select plan_version, prefix, country_code, mcc, mnc, price, connect_fee, increment_ms / 1000 as increment,
               minimum_ms / 1000 as minimum, unit_ms / 1000 as unit, status, effective_from, effective_to
        from rate.rates where plan_sid = $plan and starts_with(prefix, $prefix)
        order by plan_version, prefix, mcc, mnc, effective_from
    """
    found = open_desk(watch=False).lake.query(query, {"plan": plan, "prefix": prefix})
    if not found:
        raise SettingsError(
            f"there is no plan {plan!r} with such rates. `tollbook plans list` names the plans."
        )
    shown = found if limit == 0 else found[:limit]
    table(list(found[0]), [tuple(row.values()) for row in shown])
    if len(shown) < len(found):
        say(f"... {len(found) - len(shown):,} more; --limit 0 shows all", style="dim")


@plans.command()
def diff(
    plan: Annotated[str, typer.Argument(help="A plan's name.")],
    before: Annotated[str, typer.Option(help="In force at this instant ...")],
    after: Annotated[str, typer.Option(help="... against in force at this one.")],
) -> None:
    """What changed between two versions of a plan."""
    from pipeline.rate.decks import compare
    from pipeline.rate.plans import stored_plan, with_rates

    lake = open_desk(watch=False).lake
    old, new = (with_rates(lake, stored_plan(lake, plan, instant(at))) for at in (before, after))
    changes = compare(old, new)
    rows = [(c.key[0] or c.key[2:], _price(c.before), _price(c.after)) for c in changes]
    say(f"{plan}: {old.version} -> {new.version}: {len(changes):,} keys differ")
    table(("prefix", "before", "after"), rows[:200], right=("before", "after"))


@app.command()
def quote(
    number: Annotated[str | None, typer.Argument(help="The number called or written to.")] = None,
    seconds: Annotated[str, typer.Option(help="How long the call is talked.")] = "60",
    units: Annotated[int, typer.Option(help="Messages: segments.")] = 1,
    at: Annotated[str | None, typer.Option(help="When it starts; default now.")] = None,
    plan: Annotated[str, typer.Option(help="A stored plan.")] = "",
    plan_file: Annotated[Path | None, typer.Option(help="A deck file instead; needs no home.")] = None,
    usage: Annotated[
        Path | None, typer.Option(help="A CSV of number,seconds,at (messages: number,units,at).")
    ] = None,
    service: Service = "",
    direction: Direction = "",
    unit: Unit = "fixed:60",
    increments: Increments = "",
    mcc: Annotated[int | None, typer.Option(help="Messages: mobile country code.")] = None,
    mnc: Annotated[int | None, typer.Option(help="Messages: mobile network code.")] = None,
    json: Json = False,
) -> None:
    """The price of one call or message, or of a CSV of them, with its reasons."""
    from pipeline.rate.quote import quote_call, quote_message, quote_usage

    start = instant(at)
    deck = _deck(plan, plan_file, start, service, direction, unit, increments, number)
    if usage is not None:
        done = quote_usage(deck, usage, sys.stdout)
        sys.stderr.write(f"{done.rows} rows: {done.rated} rated for {money(done.amount)} {deck.currency}, ")
        sys.stderr.write(
            f"{done.unrated} unrated, {done.not_billable} not billable, {done.invalid} invalid\n"
        )
        return
    if number is None:
        raise typer.BadParameter("name a number, or a file with --usage")
    if deck.service == "message":
        outcome = quote_message(deck, number, units, start, mcc=mcc, mnc=mnc)
    else:
        outcome = quote_call(deck, number, _seconds(seconds), start)
    _show_outcome(outcome, deck, json)


def _deck(
    plan: str, plan_file: Path | None, at: datetime, service: str, direction: str, unit: str, increments: str,
    number: str | None,
) -> "RatePlan":  # fmt: skip
    if (plan_file is None) == (not plan):
        raise typer.BadParameter("name either --plan or --plan-file")
    if plan_file is not None:
        from pipeline.rate.deckfile import DeckOptions, read_deck

        ever = datetime(1970, 1, 1, tzinfo=UTC)
        options = DeckOptions(
            plan_file.stem,
            ever,
            service=service,
            direction=direction,
            unit_rule=unit,
            increment_rule=increments,
        )
        return read_deck(plan_file, options)
    from pipeline.rate.plans import stored_plan, with_rates

    lake = open_desk(watch=False).lake
    return with_rates(lake, stored_plan(lake, plan, at), number)


def _seconds(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except ArithmeticError:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise SettingsError(f"--seconds {text!r} is no number of seconds; write it like 61 or 4.25.")
    return found


def _show_outcome(outcome: "Outcome", plan: "RatePlan", json: bool) -> None:
    if json:
        as_json(
            {
                "status": outcome.status,
                "reason": outcome.reason,
                "amount": outcome.amount,
                "currency": plan.currency,
                "billed": outcome.billed,
                "matched_prefix": outcome.rate.prefix if outcome.rate else None,
                "plan": plan.plan_sid,
                "version": plan.version,
                "country_code": outcome.country_code,
                "reasons": outcome.reasons,
            }
        )
        return
    amount = "no price" if outcome.amount is None else f"{money(outcome.amount)} {plan.currency}"
    heading(f"{amount}  ({outcome.status}{f': {outcome.reason}' if outcome.reason else ''})")
    for reason in outcome.reasons:
        say(f"  {reason}")


def _price(rate: object) -> str:
    if rate is None:
        return ""
    price = getattr(rate, "price", None)
    return "blocked" if price is None else money(price)

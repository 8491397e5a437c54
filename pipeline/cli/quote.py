"""``quote``: the price of one call or message, or of a CSV of them, with its reasons."""

import sys
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.app import Json, app, instant, open_desk, the_home
from pipeline.cli.deckoptions import Reading, read_at_once, reads_deck
from pipeline.cli.show import as_json, heading, masking, money, say, table, when
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.domain.tried import Tried
    from pipeline.rate.preview import Preview
    from pipeline.rate.quote import Ask, PlanFor, Quote
    from pipeline.rate.quotefile import DrawsOf

_TRIED = 12


@app.command()
@reads_deck
def quote(
    number: Annotated[str | None, typer.Argument(help="The number called or written to.")] = None,
    seconds: Annotated[str, typer.Option(help="How long the call is talked.")] = "60",
    units: Annotated[int, typer.Option(help="Messages: segments.")] = 1,
    at: Annotated[str | None, typer.Option(help="When it starts; default now.")] = None,
    plan: Annotated[str, typer.Option(help="A stored plan ...")] = "",
    plan_file: Annotated[Path | None, typer.Option(help="... or a deck file; needs no home ...")] = None,
    customer: Annotated[
        str, typer.Option(help="... or what this customer (partner_sid) is billed on then.")
    ] = "",
    usage: Annotated[
        Path | None,
        typer.Option(
            help="A CSV of number,seconds,at (messages: number,units,at). With --customer it also says what each row "
            "draws on bundles and tiers: in call order, among all that the customer has used in the period."
        ),
    ] = None,
    caller: Annotated[str, typer.Option(help="The calling number, where the price hangs on it.")] = "",
    mcc: Annotated[int | None, typer.Option(help="Messages: mobile country code.")] = None,
    mnc: Annotated[int | None, typer.Option(help="Messages: mobile network code.")] = None,
    json: Json = False,
    *,
    reading: Reading,
) -> None:
    """The price of one call or message, or of a CSV of them, with its reasons.

    A deck file is read as `plans import` reads it, with the same options.
    """
    if sum(bool(way) for way in (plan, plan_file, customer)) != 1:
        raise typer.BadParameter("name one of --plan, --plan-file and --customer")
    if plan_file:
        plan_for, kind = _of_deck(plan_file, reading, whole=usage is not None)
    elif reading.of_file:
        raise typer.BadParameter(f"{', '.join(reading.of_file)} can only be said of a --plan-file")
    else:
        plan_for, kind = _of_home(plan, customer, reading.service, whole=usage is not None)
    if usage is not None:
        _file(plan_for, kind, usage, customer)
    elif number is None:
        raise typer.BadParameter("name a number, or a file with --usage")
    else:
        from pipeline.rate.quote import Ask

        quantity = Decimal(units) if kind == "message" else _seconds(seconds)
        ask = Ask(number, quantity, instant(at), reading.direction, reading.family, caller or None, mcc, mnc)
        with masking(_mask()):
            _one(plan_for, ask, kind, customer, json)


def _of_deck(path: Path, reading: Reading, *, whole: bool) -> "tuple[PlanFor, str]":
    from pipeline.domain.numbering import digits
    from pipeline.rate.deck.file import read_whole
    from pipeline.rate.quote import Found

    read_at_once()
    deck = read_whole(path, reading.options(path.stem, instant("1970-01-01")))

    def plan_for(ask: "Ask") -> "Found":
        near = deck.plan if whole else replace(deck.plan, rates=deck.rates.fitting(digits(ask.number) or ""))
        return Found(near, f"The deck {path.name} was asked for.")

    return plan_for, deck.plan.service


def _of_home(plan: str, customer: str, service: str, *, whole: bool) -> "tuple[PlanFor, str]":
    from pipeline.rate.planfor import CustomerPlan, StoredPlan

    desk = open_desk(watch=False)
    if plan:
        stored = StoredPlan(desk.lake, plan, whole=whole)
        return stored, stored.service
    kind = service or "call"
    found = CustomerPlan(desk.lake, desk.masters, customer, kind, root_sid=desk.root(), whole=whole)
    return found, kind


def _file(plan_for: "PlanFor", service: str, usage: Path, customer: str) -> None:
    from pipeline.rate.quotefile import quote_usage

    done = quote_usage(plan_for, service, usage, sys.stdout, _draws_of(customer) if customer else None)
    sys.stderr.write(f"{done.rows} rows: {done.rated} rated for {money(done.amount)}, ")
    if customer:
        sys.stderr.write(f"{money(done.to_pay)} after bundles and tiers, ")
    sys.stderr.write(f"{done.unrated} unrated, {done.not_billable} not billable, {done.invalid} invalid\n")


def _draws_of(customer: str) -> "DrawsOf":
    from pipeline.rate.preview import previews

    desk = open_desk(watch=False)
    return partial(previews, desk.lake, desk.masters, customer, desk.settings.bill_from)


def _one(plan_for: "PlanFor", ask: "Ask", service: str, customer: str, json: bool) -> None:
    from pipeline.rate.quote import quote as price

    found = price(ask, plan_for(ask), service)
    drawn = _drawn(customer, ask, service, found) if customer else None
    if json:
        as_json(_told(found, drawn))
        return
    outcome = found.outcome
    currency = f" {outcome.plan.currency}" if outcome.plan else ""
    amount = "no price" if outcome.amount is None else f"{money(outcome.amount)}{currency}"
    why = f"{outcome.status}{f': {outcome.reason}' if outcome.reason else ''}"
    if drawn and drawn.draws:
        amount, why = f"{money(drawn.amount)}{currency}", f"{why}; {amount} before bundles and tiers"
    heading(f"{amount}  ({why})")
    draws = drawn.sentences if drawn else ()
    for reason in filter(None, (found.why_number, found.why_plan, *outcome.reasons, *draws)):
        say(f"  {reason}")
    if found.tried:
        print_tried(found.tried)


def _drawn(customer: str, ask: "Ask", service: str, found: "Quote") -> "Preview | None":
    """What is left of the customer's bundles at that time, and what the call would cost within them."""
    from pipeline.rate.preview import preview
    from pipeline.rate.quote import charge_of

    charge = charge_of(ask, service, found.outcome)
    desk = open_desk(watch=False)
    return preview(desk.lake, desk.masters, customer, desk.settings.bill_from, charge) if charge else None


def _told(found: "Quote", drawn: "Preview | None") -> dict[str, Any]:
    outcome, plan, rate = found.outcome, found.outcome.plan, found.outcome.rate
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "amount": outcome.amount,
        "currency": plan.currency if plan else None,
        "billed": outcome.billed,
        "matched_prefix": rate.prefix if rate else None,
        "number": outcome.number,
        "family": outcome.family,
        "jurisdiction": outcome.jurisdiction,
        "plan": plan.plan_sid if plan else None,
        "version": plan.version if plan else None,
        "country_code": outcome.country_code,
        "why_number": found.why_number,
        "why_plan": found.why_plan,
        "reasons": outcome.reasons,
        "would_draw": drawn.sentences if drawn else (),
        "draws": drawn.draws if drawn else (),
        "amount_drawn": drawn.amount if drawn else outcome.amount,
        "candidates": found.tried,
    }


def print_tried(tried: "tuple[Tried, ...]") -> None:
    """The rows that could have priced it, and why each of them did or did not."""
    heading("Rows that fit the number")
    rows = [
        (_key(t), _price(t), when(t.rate.effective_from), when(t.rate.effective_to), t.verdict)
        for t in tried[:_TRIED]
    ]
    table(("row", "price", "from", "to", ""), rows, right=("price",))
    if len(tried) > _TRIED:
        say(f"  ... {len(tried) - _TRIED} more; --json gives them all", style="dim")


def _key(tried: "Tried") -> str:
    r = tried.rate
    network = "/".join(str(code) for code in (r.mcc, r.mnc) if code is not None)
    own = r.prefix or network or r.country_code or "(default)"
    rest = (
        r.origin_prefix and f"from {r.origin_prefix}",
        r.jurisdiction or "",
        r.window and f"window {r.window}",
    )
    return ", ".join(filter(None, (own, *rest)))


def _price(tried: "Tried") -> str:
    return "blocked" if tried.rate.price is None or tried.rate.blocked else money(tried.rate.price)


def _mask() -> str:
    """How the home prints numbers; a deck file may be quoted from without one."""
    from pipeline.errors import HomeError
    from pipeline.settings import load

    try:
        return load(the_home()).mask_numbers
    except HomeError:
        return "off"


def _seconds(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except ArithmeticError:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise SettingsError(f"--seconds {text!r} is no number of seconds; write it like 61 or 4.25.")
    return found

"""``whatif`` and ``adjust``: what another plan would have come to, and money that a person decides on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, instant, open_desk, read_amount
from pipeline.cli.deckoptions import Reading, reads_deck
from pipeline.cli.show import as_json, clear_line, heading, money, say, table, when
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.invoice.differences import Posted
    from pipeline.rate.candidate import Candidate
    from pipeline.rate.whatif import Change, WhatIf

By = Annotated[str | None, typer.Option("--by", help="Who decides; goes on record. Default: the login name.")]
_POSTED = 20
_COLUMNS = ("records", "seconds", "before", "after", "difference")


@app.command()
@reads_deck
def whatif(
    start: Annotated[str, typer.Option("--from", help="Records that ended at this instant or later ...")],
    end: Annotated[str, typer.Option("--to", help="... and before this one.")],
    plan_file: Annotated[Path | None, typer.Option(help="A deck file to try.")] = None,
    plan: Annotated[
        str, typer.Option(help="A stored plan to try; PLAN@2026-04-01 tries the version in force then.")
    ] = "",
    payer: Annotated[str, typer.Option("--for", help="The customer whose charges move to it ...")] = "",
    replaces: Annotated[str, typer.Option(help="... or the plan whose charges move to it.")] = "",
    name: Annotated[
        str, typer.Option(help="The answer's folder under whatif/; default: made of these.")
    ] = "",
    limit: Annotated[int, typer.Option(help="Countries and prefixes to show; 0 shows all.")] = 10,
    commit: Annotated[
        bool, typer.Option("--commit", help="Post the difference of what was billed, as adjustments.")
    ] = False,
    by: By = None,
    as_of: AsOf = None,
    json: Json = False,
    *,
    reading: Reading,
) -> None:
    """History under another plan: the difference by customer, country and prefix. Nothing changes without --commit.

    A deck file is read as `plans import` reads it, with the same options. --commit posts for what issued invoices have
    billed; where bundles or tiers apply, all that was billed of the period gives back what it drew and draws again in
    call order, as bundles.csv and tiers.csv are now.
    """
    from pipeline.rate.whatif import Question

    if (plan_file is None) == (not plan):
        raise typer.BadParameter("name one plan to try, with --plan-file or --plan")
    if plan and reading.of_file:
        raise typer.BadParameter(f"{', '.join(reading.of_file)} can only be said of a --plan-file")
    desk = open_desk(as_of, watch=not json)
    candidate = _from_store(desk, plan) if plan_file is None else _from_deck(plan_file, reading)
    named = name or _name(candidate, payer or replaces)
    answer = desk.what_if(candidate, Question(named, instant(start), instant(end), payer, replaces))
    posted = desk.post_what_if(answer, by=by) if commit else None
    if posted:
        desk.publish()
    clear_line()
    if json:
        as_json({"whatif": answer, "posted": posted})
    else:
        _show(desk, answer, limit)
        _show_posted(posted)


@app.command()
def adjust(
    which: Annotated[str, typer.Argument(help="Invoice number or sid, or a partner_sid.")],
    amount: Annotated[str, typer.Argument(help="What is added to the next invoice; -12.50 gives back.")],
    reason: Annotated[str, typer.Option(help="Why; the customer reads it on the invoice.")],
    taxed_as: Annotated[
        str, typer.Option(help="The item type whose taxes it bears, for example toll; default: adjustment.")
    ] = "",
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Charge an amount with a customer's next invoice, or give it back: then write adjust --reason WHY X -- -12.50."""
    from pipeline.masters.vocabulary import ITEM_TYPES

    if taxed_as and taxed_as not in ITEM_TYPES:
        raise SettingsError(f"--taxed-as {taxed_as!r} is no item type; there are {', '.join(ITEM_TYPES)}.")
    desk = open_desk(as_of)
    made = desk.adjust(which, read_amount(amount), reason=reason, taxed_as=taxed_as, by=by)
    desk.publish()
    say(
        f"{money(made.amount)} {made.currency} waits for the next invoice of {made.partner_sid}: {made.description}"
    )


def _from_deck(path: Path, reading: Reading) -> "Candidate":
    from pipeline.rate.candidate import from_deck

    return from_deck(path, reading.options(path.stem, instant("1970-01-01")))


def _from_store(desk: "Desk", plan: str) -> "Candidate":
    from pipeline.rate.candidate import from_store

    sid, _, at = plan.partition("@")
    return from_store(desk.lake, sid, instant(at) if at else None)


def _name(candidate: "Candidate", whose: str) -> str:
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in f"{candidate.source}.{whose}")
    return kept.lstrip("._-")[:80]


def _show(desk: "Desk", answer: "WhatIf", limit: int) -> None:
    question = answer.question
    moved = f"{question.payer} were billed" if question.payer else f"{question.replaces} were"
    heading(f"If {moved} on {answer.candidate}, {when(question.start)} to {when(question.end)}")
    names = desk.masters.names
    _changes("", answer.totals, {}, 0)
    _changes("customer", answer.by["customer"], names, 0)
    _changes("country", answer.by["country"], {}, limit)
    _changes("prefix", answer.by["prefix"], {}, limit)
    _drawn(answer, names)
    for reason, records in answer.unpriced.items():
        say(f"  {records:,} records have no price ({reason}) and are in no sum", style="yellow")
    say(f"  every record: {answer.folder}/records/*.parquet", style="dim")


def _changes(what: str, changes: "tuple[Change, ...]", names: dict[str, str], limit: int) -> None:
    heading(f"By {what}" if what else "In all")
    shown = changes[:limit] if limit else changes
    rows = [
        (names.get(c.what or "", c.what or ""), *(getattr(c, name) for name in _COLUMNS), c.currency)
        for c in shown
    ]
    table((what, *_COLUMNS, "currency"), rows, right=_COLUMNS)
    if len(shown) < len(changes):
        say(f"  ... {len(changes) - len(shown):,} more in by_{what}.csv; --limit 0 shows all", style="dim")


def _drawn(answer: "WhatIf", names: dict[str, str]) -> None:
    """What is left of the difference once bundles and tiers have been drawn on."""
    if not answer.drawn:
        return
    heading("After bundles and tiers: all usage of these customers and periods, drawn anew on both sides")
    rows = [
        (
            names.get(d.payer_sid, d.payer_sid),
            when(d.start),
            when(d.end),
            d.records,
            d.before,
            d.after,
            d.difference,
            d.currency,
        )
        for d in answer.drawn
    ]
    columns = ("customer", "from", "to", "records", "before", "after", "difference", "currency")
    table(columns, rows, right=("records", "before", "after", "difference"))
    if any(d.before is None for d in answer.drawn):
        say("  too many records share some of them to be drawn here: those have no amounts", style="yellow")
    say("  the sums above are at the plans' prices, before bundles and tiers", style="dim")


def _show_posted(posted: "Posted | None") -> None:
    if posted is None:
        say("nothing was changed; --commit --by NAME posts the difference of what was billed", style="dim")
        return
    heading(f"Posted as {posted.batch_sid}")
    for a in posted.adjustments[:_POSTED]:
        say(f"  {a.partner_sid}: {money(a.amount)} {a.currency} for {a.records:,} records  {a.description}")
    if len(posted.adjustments) > _POSTED:
        say(
            f"  ... {len(posted.adjustments) - _POSTED:,} more; `tollbook sql 'from invoice.adjustments'`",
            style="dim",
        )
    for currency, amount in posted.amounts().items():
        say(f"  {money(amount)} {currency} in all; the next invoices take it")
    if posted.redrawn:
        say(
            f"  {posted.redrawn:,} records draw anew on bundles and tiers, in call order; that is in these amounts"
        )
    for why, records in posted.left_out.items():
        say(f"  {records:,} records were left out: {why}", style="yellow")

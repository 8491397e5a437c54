"""``suspense``: records that could not be rated: looked at, rated again, accepted, written off."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.app import AsOf, Json, app, open_desk
from pipeline.cli.named import partner_named
from pipeline.cli.show import as_json, money, say, table
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.invoice.suspense import Selection

suspense = typer.Typer(
    no_args_is_help=True,
    help="Records that could not be rated: list them, rate them again, accept them or write them off.",
)
app.add_typer(suspense, name="suspense")

Reason = Annotated[str | None, typer.Option("--reason", help="The reason why they are unrated.")]
Customer = Annotated[
    str | None, typer.Option("--customer", help="Who would pay: a partner_sid, or a part of the name.")
]
Day = Annotated[str | None, typer.Option("--day", help="The UTC day on which they ended, like 2026-03-14.")]
From = Annotated[str | None, typer.Option("--from", help="The first UTC day.")]
To = Annotated[str | None, typer.Option("--to", help="The last UTC day.")]
Sid = Annotated[str | None, typer.Option("--sid", help="One record, by its dr_sid.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; goes on record. Default: the login name.")]
Why = Annotated[str, typer.Option("--why", help="Why, in words; goes on record.")]

_RECORD = (
    "standing",
    "unrated_reason",
    "dr_sid",
    "date_stop",
    "payer_sid",
    "matched_number",
    "seconds",
    "cost",
)
_SHOWN = 4
_RULING = (
    *("ruling_id", "action", "reason", "partner_sid", "date_from", "date_to", "cost_limit"),
    *("decided_by", "why", "undone_by"),
)
_REMEDIES = {
    "no_rate": "`tollbook plans import DECK --plan {plan} --mode add --effective {day}`, with rows for these prefixes",
    "no_plan": "`tollbook plans assign {who} PLAN --start {day} {kind}`",
    "no_family": "`tollbook plans assign {who} PLAN --start {day} {kind}`, with a plan for this family",
    "no_customer": "give the partner, or one above it, a row in masters/customers.csv: `tollbook customers missing` "
    "drafts it",
    "unknown_partner": "`tollbook pull`, so that the partner is known",
    "blocked": "the deck blocks it: ask the switch why it went through; accept it, or price the row",
    "answer_missing": "the provider's record lacks its answer time: ask for a corrected one, or write it off",
    "negative_duration": "the provider's record ends before it begins: ask for a corrected one, or write it off",
    "too_long": "longer than 24 hours: check it with the provider; a corrected record is rated by itself",
    "direction": "neither inbound nor outbound: ask the provider, or write it off",
    "no_start": "the provider's record lacks its start: ask for a corrected one, or write it off",
    "no_number": "there are no digits to match: look at the record (`tollbook explain`), or write it off",
    "no_segments": "the provider's record lacks its segments: ask for a corrected one, or write it off",
    "out_of_range": "the amount is impossible: look at the deck's prices",
}
# What is mended here, and not at the provider's, needs the days to be rated again.
_RETRIED = {"no_rate", "no_plan", "no_family", "no_customer", "unknown_partner", "blocked", "out_of_range"}


@suspense.command("list")
def list_suspended(
    reason: Reason = None,
    customer: Customer = None,
    day: Day = None,
    sid: Sid = None,
    records: Annotated[
        int, typer.Option("--records", help="Show the records themselves, at most so many.")
    ] = 0,
    json: Json = False,
) -> None:
    """What could not be rated, by reason: how much, whose, where to, what it cost us, and what to do."""
    from pipeline.desk.suspense import suspended, suspended_records

    desk = open_desk(watch=False)
    chosen = _selection(desk, reason, customer, day, sid=sid)
    if records:
        found = suspended_records(desk, chosen, records)
    else:
        found = [row | {"what to do": _remedy(row)} for row in suspended(desk, chosen)]
    if json:
        as_json(found)
    elif not found:
        say("nothing waits: everything is rated or free", style="green")
    elif records:
        rows = [tuple(row[name] for name in _RECORD) for row in found]
        table(_RECORD, rows, right=("seconds", "cost"))
    else:
        for row in found:
            _print_kind(row)


@suspense.command()
def retry(
    reason: Reason = None,
    customer: Customer = None,
    day: Day = None,
    sid: Sid = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Rate the days on which such records wait again, with today's plans, assignments and customers."""
    from pipeline.desk.suspense import retry

    desk = open_desk(as_of)
    done = retry(desk, _selection(desk, reason, customer, day, sid=sid))
    desk.publish()
    if json:
        as_json({"days": done.days, "before": done.before, "after": done.after})
        return
    say(f"{done.days} days: {done.before:,} records waited, {done.after:,} still do")


@suspense.command()
def accept(
    reason: Annotated[str, typer.Argument(help="The reason, as `suspense list` shows it.")],
    why: Why = "",
    customer: Customer = None,
    first: From = None,
    last: To = None,
    limit: Annotated[
        str | None,
        typer.Option("--limit", help="Only while the provider's charges for them stay within this."),
    ] = None,
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Accept that records with this reason are not billed: they hold no invoice back any more."""
    from pipeline.desk.suspense import accept

    desk = open_desk(as_of)
    chosen = _selection(desk, reason, customer, None, first, last)
    ruling = accept(desk, chosen, limit=_limit(limit), why=why, by=by)
    desk.publish()
    say(f"decision {ruling.ruling_id}: {ruling.records:,} records are accepted by now")


@suspense.command("write-off")
def write_off(
    reason: Reason = None,
    customer: Customer = None,
    day: Day = None,
    first: From = None,
    last: To = None,
    sid: Sid = None,
    why: Why = "",
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Write records off: they stay visible and are never billed, until the decision is taken back."""
    from pipeline.desk.suspense import write_off

    if not any((reason, customer, day, first, last, sid)):
        raise typer.BadParameter("say which records: --reason, --customer, --day, --from, --to or --sid")
    desk = open_desk(as_of)
    ruling = write_off(desk, _selection(desk, reason, customer, day, first, last, sid), why=why, by=by)
    desk.publish()
    say(f"decision {ruling.ruling_id}: {ruling.records:,} records are written off")
    say(f"take it back with `tollbook suspense undo {ruling.ruling_id} --why ...`", style="dim")


@suspense.command()
def undo(
    ruling: Annotated[int, typer.Argument(help="The decision's number, from `suspense rulings`.")],
    why: Why = "",
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Take a decision back: its records wait again, or are billed where they have been rated since."""
    from pipeline.desk.suspense import undo

    desk = open_desk(as_of)
    undo(desk, ruling, why=why, by=by)
    desk.publish()
    say(f"decision {ruling} is taken back")


@suspense.command("rulings")
def list_rulings(json: Json = False) -> None:
    """Every decision: who accepted or wrote off what, when, why, and what was taken back."""
    from pipeline.desk.suspense import rulings

    found = rulings(open_desk(watch=False))
    if json:
        as_json(found)
        return
    table(_RULING, [tuple(row[name] for name in _RULING) for row in found], right=("cost_limit",))


def _selection(
    desk: "Desk",
    reason: str | None,
    customer: str | None,
    day: str | None,
    first: str | None = None,
    last: str | None = None,
    sid: str | None = None,
) -> "Selection":
    from pipeline.invoice.suspense import Selection

    begin = _midnight(first or day, "--from" if first else "--day")
    end = _midnight(last or day, "--to" if last else "--day")
    reason, customer = _known(desk, reason, customer)
    return Selection(reason, customer, begin, end + timedelta(days=1) if end else None, sid)


def _known(desk: "Desk", reason: str | None, customer: str | None) -> tuple[str | None, str | None]:
    """A reason that there is, and the partner_sid: a slip of the pen must not look as if nothing waited."""
    if reason is None and customer is None:
        return None, None
    waiting = desk.lake.query("select distinct unrated_reason, payer_sid from rate.suspense")
    reasons = {*_REMEDIES, *(row["unrated_reason"] for row in waiting)} - {None}
    if reason is not None and reason not in reasons:
        raise SettingsError(f"{reason!r} is no reason; the reasons are {', '.join(sorted(reasons))}.")
    names = {row["payer_sid"]: row["payer_sid"] for row in waiting} | desk.masters.names
    return reason, customer and partner_named(customer, names)


def _midnight(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise SettingsError(f"{option} {text!r} is no day; write it like 2026-03-14.") from None


def _limit(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise SettingsError(f"--limit {text!r} is no amount; write it like 25.00.")
    return found


def _print_kind(row: dict[str, Any]) -> None:
    """Records of one reason and kind: what they are, whose, where to, and what would mend it."""
    kind = " ".join(filter(None, (row["direction"], row["family"], row["service"])))
    days = " to ".join(dict.fromkeys(f"{row[at]:%Y-%m-%d}" for at in ("first", "last")))
    many = f"{row['records']:,} {kind}" + ("s" if row["records"] != 1 else "")
    said = f"{row['unrated_reason']}, {row['standing']}: {many}, {days}"
    say(f"{said}; cost us {money(row['cost'])}", style="bold")
    say(f"  of {_most([(each['name'], each['records']) for each in row['customers']])}")
    places = [
        (" ".join(filter(None, (each["country_code"], each["prefix"]))) or "no number", each["records"])
        for each in row["prefixes"]
    ]
    say(f"  to {_most(places)}" + (f", by {', '.join(row['plans'])}" if row["plans"] else ""))
    say(f"  -> {row['what to do']}", style="dim")


def _most(counted: list[tuple[str, int]]) -> str:
    """The first few and how many records each has, where there are several."""
    if len(counted) == 1:
        return counted[0][0]
    more = f" and {len(counted) - _SHOWN:,} more" if len(counted) > _SHOWN else ""
    return ", ".join(f"{what} ({records:,})" for what, records in counted[:_SHOWN]) + more


def _remedy(row: dict[str, Any]) -> str:
    if row["standing"] == "written_off":
        return "written off; `tollbook suspense rulings` says by whom"
    if row["standing"] == "accepted":
        return "accepted; `tollbook suspense rulings` says by whom"
    reason = row["unrated_reason"] or ""
    if reason not in _REMEDIES:
        return f"look at one: `tollbook explain {row['example']}`"
    kind = {name: row[name] for name in ("service", "direction", "family") if row[name]}
    customers = [each["partner_sid"] for each in row["customers"]]
    told = _REMEDIES[reason].format(
        who=customers[0] if len(customers) == 1 else "'*'",
        plan=row["plans"][0] if len(row["plans"]) == 1 else "PLAN",
        day=f"{row['first']:%Y-%m-%d}",
        kind=" ".join(f"--{name} {value}" for name, value in kind.items()),
    )
    return told + (f"; then `tollbook suspense retry --reason {reason}`" if reason in _RETRIED else "")

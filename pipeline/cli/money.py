"""Money that comes in, goes back, or is asked for: payments, a bank's list, credit notes, reminders, the journal."""

import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, open_desk, read_amount
from pipeline.cli.deckoptions import (
    DateFormat,
    DecimalSign,
    Delimiter,
    Encoding,
    check_decimal,
    dates_said,
)
from pipeline.cli.desk import By
from pipeline.cli.show import as_json, money, say, table
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk

disputes = typer.Typer(no_args_is_help=True, help="What customers contest of their invoices.")
app.add_typer(disputes, name="dispute")


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
        typer.Option(
            help="Credit the usage; the customer's next invoice bills its records again, as they are rated by then."
        ),
    ] = False,
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Issue a credit note on an issued invoice, taxes included."""
    desk = open_desk(as_of)
    lines = dict(_line(text) for text in line) if line else None
    issued = desk.credit(which, lines, reason=reason, rebill=rebill, by=by)
    desk.publish()
    (note,) = desk.lake.query(_BALANCE, {"sid": issued.invoice_sid})
    balance = f"{money(note['balance_forward'])} {issued.currency}"
    say(f"{issued.number}  {issued.invoice_sid}  the balance is now {balance} (negative is credit)")
    if rebill and (again := desk.billed_again(issued.partner_sid)):
        first, last, due = again
        say(
            f"its records are billed again on the invoice for {first} to {last}, which `tollbook invoice` makes from "
            f"{due:%Y-%m-%d %H:%M} UTC on; mend what was wrong and run `tollbook rate` before",
            style="yellow",
        )
    _say_discounts(desk, issued.invoice_sid)
    say("next: `tollbook render` and `tollbook deliver`, or wait for the schedule", style="dim")


@app.command()
def pay(
    which: Annotated[
        str, typer.Argument(help="Invoice number or sid, or a partner_sid; left out with --file.")
    ] = "",
    amount: Annotated[str, typer.Argument(help="What came in, for example 120.50.")] = "",
    kind: Annotated[
        str, typer.Option(help="payment, refund, charge_back, or write_off (gives an invoice up).")
    ] = "payment",
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            exists=True,
            dir_okay=False,
            help="A bank's CSV: date, amount, reference. Each row counts once.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="The bank's name of a column and ours, e.g. 'Betrag=amount'; repeat for more."
        ),
    ] = None,
    decimal: DecimalSign = "",
    date_format: DateFormat = "",
    delimiter: Delimiter = "",
    encoding: Encoding = "",
    note: Annotated[str, typer.Option(help="Where it came from.")] = "",
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Record a payment, a refund, a charge-back or a write-off; or all payments of a bank's list.

    A list is read whole or not at all. Its amounts may be written 1234.56 or 1.234,56; one that can be read in two ways
    is refused unless --decimal says. What it lists is booked now, with the bank's date in the note.
    """
    if (file is None) == (not which) or bool(which) != bool(amount):
        raise typer.BadParameter("name an invoice (or a partner) and an amount, or a bank's list with --file")
    if kind not in _KINDS:
        raise typer.BadParameter(f"--kind {kind!r} is none of {', '.join(_KINDS)}")
    written = {"decimal": decimal, "date_format": date_format, "delimiter": delimiter, "encoding": encoding}
    if file is None and (column or any(written.values())):
        raise typer.BadParameter("how a list is written can only be said of a --file")
    desk = open_desk(as_of)
    if file is not None:
        _read_bank(desk, file, column or (), written, by)
    else:
        paid = desk.pay(which, read_amount(amount), kind=kind, note=note, by=by)
        say(f"recorded; the balance is now {money(paid.balance)} {paid.currency} (negative is credit)")
    desk.publish()


@app.command()
def allow(
    code: Annotated[str, typer.Argument(help="The code in the reason for which a customer is parked.")],
    reason: Annotated[str, typer.Option(help="Why it is right all the same; goes on record.")],
    by: By = None,
) -> None:
    """Let one invoice through that is far from what is usual."""
    partner_sid = open_desk().allow(code, reason=reason, by=by)
    say(f"on record; the next `tollbook invoice` bills {partner_sid}, unless the amount has changed by then")


@app.command()
def remind(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show whom it would remind.")] = False,
    as_of: AsOf = None,
) -> None:
    """Queue the reminders that are due, each invoice and level once; `tollbook deliver` sends them."""
    desk = open_desk(as_of)
    due = desk.remind(dry_run=dry_run)
    columns = ("number", "customer", "level", "days overdue", "amount", "currency")
    names = desk.masters.names
    values = [
        [
            d.invoice["number"],
            names.get(d.invoice["partner_sid"], d.invoice["partner_sid"]),
            d.level.level,
            d.days_overdue,
            money(d.amount),
            d.invoice["currency"],
        ]
        for d in due
    ]
    if values:
        table(columns, values, right=("level", "days overdue", "amount"))
    if not desk.masters.policy.reminders:
        say("policy.toml has no [reminder.1]: nobody is ever reminded", style="yellow")
    elif not values:
        say("no reminder is due")
    else:
        say(
            "nothing was queued" if dry_run else "next: `tollbook deliver`, or wait for the schedule",
            style="dim",
        )


@app.command()
def prepaid(json: Json = False) -> None:
    """What prepaid customers have left, and who should top up or be suspended. Nobody is charged or cut off."""
    rows = open_desk(watch=False).lake.query("from measure.prepaid")
    if json:
        as_json(rows)
    else:
        columns = ("partner_sid", "company_name", "available", "currency", "charge_at", "advice", "top_up")
        values = [[row[name] for name in columns] for row in rows]
        table(columns, values, right=("available", "charge_at", "top_up"))


@app.command()
def journal(
    start: Annotated[str, typer.Option("--from", help="First day, like 2026-03-01.")] = "0001-01-01",
    end: Annotated[str, typer.Option("--to", help="The day after the last.")] = "9999-12-31",
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, for accounting packages.")] = False,
) -> None:
    """Show the double entry: every booking by account, debit and credit."""
    from pipeline.lake.export import write_csv

    desk = open_desk(watch=False)
    rows = desk.lake.query(_JOURNAL, {"start": _day(start), "end": _day(end)})
    columns = (
        "at",
        "txn_id",
        "kind",
        "account",
        "partner_sid",
        "number",
        "debit",
        "credit",
        "currency",
        "note",
    )
    values = [[row[name] for name in columns] for row in rows]
    if csv:
        write_csv(sys.stdout, columns, values)
    else:
        table(columns, values, right=("debit", "credit"))


def _read_bank(
    desk: "Desk", file: Path, columns: Iterable[str], written: dict[str, str], by: str | None
) -> None:
    from pipeline.invoice.banklist import BankLayout

    if written["decimal"]:
        check_decimal(written["decimal"])
    dates_said(written["date_format"])
    layout = BankLayout(dict(_pair(text) for text in columns), **written)
    report = desk.read_bank(file, layout=layout, by=by)
    for row in report.left:
        say(f"line {row.line}: {row.day} {row.amount} {row.reference!r}: {row.why}", style="yellow")
    say(
        f"{len(report.booked)} booked, {report.known} known from before, {len(report.left)} left for a person"
    )


_BALANCE = "select balance_forward from invoice.invoices where invoice_sid = $sid"
_KINDS = ("payment", "refund", "charge_back", "write_off")
_JOURNAL = """
select e.at, e.txn_id, e.kind, e.account, e.partner_sid, i.number,
    case when e.amount > 0 then e.amount end as debit, case when e.amount < 0 then -e.amount end as credit,
    e.currency, e.note
from invoice.entries as e
left join invoice.invoices as i on i.invoice_sid = e.invoice_sid
where e.at >= $start and e.at < $end
order by e.entry_id
"""


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        msg = f"{text!r} is no date; write it like 2026-03-01."
        raise SettingsError(msg) from None


def _pair(text: str) -> tuple[str, str]:
    theirs, equals, ours = text.rpartition("=")
    if not equals:
        msg = f"--map {text!r} is not like 'Booking date=date'."
        raise SettingsError(msg)
    return theirs, ours.strip().lower()


@disputes.command("open")
def open_dispute(
    which: Annotated[str, typer.Argument(help="The number or sid of an issued invoice.")],
    reason: Annotated[str, typer.Option(help="What the customer says; goes on record.")],
    line: Annotated[
        list[str] | None,
        typer.Option(help="A contested line: 3, or 3=1.50 for a part of it. Default: all of the invoice."),
    ] = None,
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Take down what a customer contests: it stays owed, and nobody is reminded of it."""
    desk = open_desk(as_of)
    found = desk.dispute(which, dict(_line(text) for text in line) if line else None, reason=reason, by=by)
    desk.publish()
    say(f"{found.dispute_sid}  {money(found.amount)} {found.currency} of {found.number}, before taxes")


@disputes.command("settle")
def settle_dispute(
    dispute_sid: Annotated[str, typer.Argument(help="As `tollbook dispute list` shows it.")],
    credit: Annotated[bool, typer.Option("--credit/--reject", help="Give the amounts back, or not.")],
    reason: Annotated[str, typer.Option(help="Why; the customer reads it on a credit note.")],
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Decide a dispute: by a credit note, or by rejecting it."""
    desk = open_desk(as_of)
    note = desk.settle_dispute(dispute_sid, credited=credit, reason=reason, by=by)
    desk.publish()
    say(f"{note.number} has been issued" if note else "rejected; the invoice stands")
    if note:
        _say_discounts(desk, note.invoice_sid)


@disputes.command("list")
def list_disputes(json: Json = False) -> None:
    """Every dispute, the open ones first."""
    rows = open_desk(watch=False).lake.query(_DISPUTES)
    if json:
        as_json(rows)
    else:
        columns = (
            "dispute_sid",
            "number",
            "company_name",
            "amount",
            "currency",
            "status",
            "opened",
            "reason",
        )
        table(columns, [[row[name] for name in columns] for row in rows], right=("amount",))


_DISPUTES = """
with contested as (
    select d.dispute_sid, i.number, i.company_name, sum(d.amount)::decimal(20, 2) as amount, i.currency, d.status,
        d.opened_at::date as opened, d.reason
    from invoice.disputes as d
    join invoice.invoices as i on i.invoice_sid = d.invoice_sid
    group by all
)

select * from contested order by status = 'open' desc, opened, dispute_sid
"""


def _line(text: str) -> tuple[int, Decimal | None]:
    number, equals, amount = text.partition("=")
    try:
        return int(number), Decimal(amount) if equals else None
    except (ValueError, InvalidOperation):
        msg = f"--line {text!r} is neither a line's number, like 3, nor a part of one, like 3=1.50."
        raise SettingsError(msg) from None


def _say_discounts(desk: "Desk", credit_sid: str) -> None:
    """Where less was paid for a line than it says, because a percentage off it is a line of its own."""
    for number, line, text, amount in desk.discounts_left(credit_sid):
        say(
            f"line {line}, {text}, stays, so {money(-amount)} more went back than was paid; if that is not meant: "
            f"`tollbook credit {number} --line {line}={amount} --reason ...`",
            style="yellow",
        )

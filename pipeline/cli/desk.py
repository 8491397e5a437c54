"""What a person does at the desk: customers, approvals, payments, audits, explanations."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, open_desk
from pipeline.cli.show import as_json, heading, money, say, table

if TYPE_CHECKING:
    from pipeline.desk import Desk

customers = typer.Typer(
    no_args_is_help=True, help="The master data that billing needs and the provider does not have."
)
app.add_typer(customers, name="customers")

By = Annotated[str | None, typer.Option("--by", help="Who decides; goes on record. Default: the login name.")]


@customers.command("list")
def list_customers(json: Json = False) -> None:
    """Every customer, with seller, currency, anchor day and approval."""
    masters = open_desk(watch=False).masters
    rows = [
        (
            c.name,
            c.partner_sid,
            c.seller,
            c.currency,
            c.time_zone,
            c.anchor_day,
            c.terms_days,
            c.approval,
            c.resells,
        )
        for c in masters.customers.values()
    ]
    columns = (
        "name",
        "partner_sid",
        "seller",
        "currency",
        "time_zone",
        "anchor",
        "terms",
        "approval",
        "resells",
    )
    if json:
        as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(columns, rows, right=("anchor", "terms"))


@customers.command()
def missing() -> None:
    """Partners that nobody is billed for, as rows for masters/customers.csv: fill in seller, zone and terms."""
    from pipeline.lake.export import write_csv

    desk = open_desk(watch=False)
    found = desk.partners_without_customer()
    if not found:
        say("every partner is billed to somebody", style="green")
        return
    columns = _header(desk.settings.masters / "customers.csv")
    known = {"currency": "USD", "approval": "manual"}
    rows = [
        known
        | partner
        | {"name": partner["company_name"] or partner["name"], "country": partner["country_code"]}
        for partner in found
    ]
    write_csv(sys.stdout, columns, [[row.get(column) for column in columns] for row in rows])


def _header(file: Path) -> list[str]:
    """The file's own columns; where there is none yet, or a shell has just emptied it, those of a new home."""
    from pipeline.shipped import shipped

    for path in (file, shipped("data", "masters", "customers.csv")):
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
        if text.strip():
            break
    return text.splitlines()[0].strip().split(",")


@app.command()
def approve(
    which: Annotated[
        list[str] | None,
        typer.Argument(
            help="Invoice sids, or 'all' for every draft that waits. Without any: list the drafts."
        ),
    ] = None,
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Approve drafts: they get their numbers, and the next render and deliver send them."""
    if not which:
        _list_drafts(open_desk(as_of, watch=False))
        return
    desk = open_desk(as_of)
    for one in which:
        for issued in desk.approve(one, by=by):
            name = desk.masters.names.get(issued.partner_sid, issued.partner_sid)
            owed = f"{money(issued.amount_due)} {issued.currency}"
            say(f"{issued.number}  {owed}  {issued.invoice_sid}  {name}")
    desk.publish()
    say("next: `tollbook render` and `tollbook deliver`, or wait for the schedule", style="dim")


def _list_drafts(desk: "Desk") -> None:
    rows = desk.lake.query(_DRAFTS)
    if not rows:
        say("no draft waits for approval", style="green")
        return
    columns = ("customer", "invoice_sid", "from", "amount", "tax", "due", "currency")
    table(columns, [tuple(row[name] for name in columns) for row in rows], right=("amount", "tax", "due"))
    say(f"their pages are {desk.settings.home}/documents/<invoice_sid>/", style="dim")
    say("next: `tollbook approve INVOICE_SID`, or `tollbook approve all`", style="dim")


_DRAFTS = """
select company_name as customer, invoice_sid, date_billing_period_start as "from", amount, amount_tax as tax,
    amount_due as due, currency
from invoice.invoices
where number is null and status = 'reviewing'
order by company_name, date_billing_period_start
"""


@app.command()
def drop(
    which: Annotated[str, typer.Argument(help="A draft's invoice sid.")],
    reason: Annotated[str, typer.Option(help="Why; goes on record.")] = "",
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Take a draft back: its records are free again, and the next run drafts anew."""
    desk = open_desk(as_of)
    desk.drop(which, by=by, reason=reason)
    desk.publish()
    say("dropped")


@app.command()
def audit(
    listed: Annotated[
        int, typer.Option("--limit", help="Records to list, the largest differences first.")
    ] = 100,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write every differing record to this .csv or .parquet file.")
    ] = None,
    json: Json = False,
) -> None:
    """The provider's charges and invoices against our own rating of its plans, and the unit gate."""
    from pipeline.cli.summary import print_audit, print_provider_invoices

    desk = open_desk(watch=False)
    found, gate = desk.audit(listed=listed), desk.unit_gate()
    written = desk.write_differences(to) if to else None
    if json:
        as_json({"audit": found, "gate": gate})
        return
    print_audit(found, limit=listed, groups=20)
    print_provider_invoices(found)
    heading("The unit gate")
    for finding in gate.findings:
        say(finding.message, style="red" if finding.contradicted else "")
    if written is not None:
        say(f"{written:,} differing records are in {to}")


@app.command()
def statement(json: Json = False) -> None:
    """The statement that adds up: fetched, landed, rated, unrated by reason, invoiced."""
    from pipeline.cli.summary import print_statement

    desk = open_desk(watch=False)
    if json:
        as_json(desk.statement())
    else:
        print_statement(desk.statement())

"""What a person does at the desk: customers, approvals, payments, audits, explanations."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, open_desk
from pipeline.cli.show import as_json, heading, money, say, table

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
    with (desk.settings.masters / "customers.csv").open(encoding="utf-8-sig") as stream:
        columns = stream.readline().strip().split(",")
    known = {"currency": "USD", "approval": "manual"}
    rows = [
        known
        | partner
        | {"name": partner["company_name"] or partner["name"], "country": partner["country_code"]}
        for partner in found
    ]
    write_csv(sys.stdout, columns, [[row.get(column) for column in columns] for row in rows])


@app.command()
def approve(
    which: Annotated[list[str], typer.Argument(help="Invoice sids, or 'all' for every draft that waits.")],
    by: By = None,
    as_of: AsOf = None,
) -> None:
    """Approve drafts: they get their numbers, and the next render and deliver send them."""
    desk = open_desk(as_of)
    for one in which:
        for issued in desk.approve(one, by=by):
            say(f"{issued.number}  {money(issued.amount_due)} {issued.currency}  {issued.invoice_sid}")
    desk.publish()
    say("next: `tollbook render` and `tollbook deliver`, or wait for the schedule", style="dim")


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
        print_statement(desk)

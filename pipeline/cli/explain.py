"""``explain``: an invoice, one of its lines, or a record, followed back to what it is made of."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.app import Json, app, open_desk
from pipeline.cli.quote import print_tried
from pipeline.cli.show import as_json, heading, masking, money, say, table
from pipeline.domain.money import plain
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.rate.explain import ExplainedRow, Explanation

_INVOICE = "select * from invoice.invoices where invoice_sid = $which or number = $which"
_ITEMS = "select * from invoice.items where invoice_sid = $sid order by line_no"
_METHODS = {
    "minimum": ", the least that is due",
    "maximum": ", the most that is due",
    "reverse_charge": ", the recipient owes it",
}
_TAXES = "select * from invoice.taxes where invoice_sid = $sid order by line_no"
_LINE = """
select c.dr_sid, c.date_stop, c.revision, coalesce(r.matched_number, m.matched_number) as number,
       coalesce(r.matched_prefix, m.matched_prefix) as prefix, coalesce(r.plan_sid, m.plan_sid) as plan_sid,
       coalesce(r.rate_price, m.rate_price) as price, c.usage, c.amount
from invoice.claims as c
left join rate.calls as r
    on c.service = 'call' and r.source = c.source and r.dr_sid = c.dr_sid and r.side = c.side
    and r.payer_sid = c.payer_sid
left join rate.messages as m
    on c.service = 'message' and m.source = c.source and m.dr_sid = c.dr_sid and m.side = c.side
    and m.payer_sid = c.payer_sid
where c.invoice_sid = $sid and c.line_no = $line order by c.date_stop, c.dr_sid
"""
_ADJUSTED = """
select r.dr_sid, r.date_stop, r.revision, r.plan_sid, r.usage, r.drawn, r.amount
from invoice.adjustments as a
join invoice.adjusted as r
    on r.batch_sid = a.batch_sid and r.of_invoice_sid = a.of_invoice_sid and r.of_line_no = a.of_line_no
    and r.payer_sid = a.partner_sid
where a.invoice_sid = $sid and a.line_no = $line order by r.date_stop, r.dr_sid
"""
_PARTS = """
select kind, what, key, first_day, last_day, quantity, price, days, of_days, of_line_no, amount
from invoice.parts
where invoice_sid = $sid and line_no = $line order by part_no
"""

# What a line may stand on, and what is shown of it: records, adjusted records, or parts.
_RECORDS: tuple[str, ...] = (
    "dr_sid",
    "date_stop",
    "number",
    "prefix",
    "plan_sid",
    "price",
    "usage",
    "amount",
)
_ADJUSTED_RECORDS: tuple[str, ...] = ("dr_sid", "date_stop", "plan_sid", "usage", "drawn", "amount")
_LINE_PARTS: tuple[str, ...] = (
    *("kind", "what", "first_day", "last_day"),
    *("of_line_no", "quantity", "price", "days", "of_days", "amount"),
)
_COUNTED = ("price", "usage", "drawn", "amount", "of_line_no", "quantity", "days", "of_days")


@app.command()
def explain(
    sid: Annotated[
        str, typer.Argument(help="A dr_sid, an invoice number or sid, or a line of one as INVOICE/LINE.")
    ],
    limit: Annotated[int, typer.Option(help="Records of a line to show; 0 shows all.")] = 20,
    json: Json = False,
) -> None:
    """The whole chain of reasons behind a record, an invoice line or an invoice."""
    desk = open_desk(watch=False)
    which, _, line = sid.partition("/")
    found = desk.lake.query(_INVOICE, {"which": which})
    with masking(desk.settings.mask_numbers):
        if found and line:
            _line(desk, found[0], line, limit, json)
        elif found:
            _invoice(desk, found[0], json)
        else:
            _record(desk.explain(sid), json)


def _invoice(desk: "Desk", invoice: dict[str, Any], json: bool) -> None:
    items = desk.lake.query(_ITEMS, {"sid": invoice["invoice_sid"]})
    taxes = desk.lake.query(_TAXES, {"sid": invoice["invoice_sid"]})
    if json:
        as_json({"invoice": invoice, "items": items, "taxes": taxes})
        return
    number = invoice["number"] or invoice["invoice_sid"]
    heading(f"{number}: {invoice['company_name']}, {invoice['status']}")
    say(
        f"  {invoice['date_billing_period_start']} to {invoice['date_billing_period_end']}, {invoice['currency']}"
    )
    rows = [
        (
            i["line_no"],
            i["description"],
            i["records"],
            i["usage"],
            f"{i['amount_exact']:f}",
            money(i["amount"]),
        )
        for i in items
    ]
    table(
        ("line", "what", "records", "usage", "exact", "rounded"),
        rows,
        right=("line", "records", "usage", "exact", "rounded"),
    )
    for t in taxes:
        say(f"  {tax_line(t)}")
    before, items_, taxes_, paid, after, due = (
        money(invoice[name])
        for name in ("balance_previous", "amount", "amount_tax", "payments", "balance_forward", "amount_due")
    )
    say(f"  {before} before + {items_} items + {taxes_} taxes - {paid} paid = {after}; due {due}")
    if items:
        say(f"  a line's records: tollbook explain {number}/{items[0]['line_no']}", style="dim")


def tax_line(tax: dict[str, Any]) -> str:
    """How a tax was found: rate and base, what bounded it, the rule, and where the rule is from."""
    counted = f"{plain(tax['base'])} x {money(tax['rate'])} per {tax['per']}"
    how = counted if tax["per"] else f"{plain(tax['rate'] * 100)} % of {money(tax['base'])}"
    found = f"{how} = {money(tax['amount'])}{_METHODS.get(tax['method'], '')}"
    return f"{tax['name']}: {found}  ({tax['rule']}: {tax['legal_source']})"


def _line(desk: "Desk", invoice: dict[str, Any], line: str, limit: int, json: bool) -> None:
    if not line.isdigit():
        raise SettingsError(f"{line!r} is no line number; write the line as INVOICE/3.")
    which = {"sid": invoice["invoice_sid"], "line": int(line)}
    records, columns = desk.lake.query(_LINE, which), _RECORDS
    if not records:
        records, columns = desk.lake.query(_ADJUSTED, which), _ADJUSTED_RECORDS
    parts = [] if records else desk.lake.query(_PARTS, which)
    items = [i for i in desk.lake.query(_ITEMS, {"sid": invoice["invoice_sid"]}) if i["line_no"] == int(line)]
    if not items:
        raise SettingsError(
            f"the invoice has no line {line}; `tollbook explain {invoice['number']}` lists them."
        )
    if json:
        as_json({"item": items[0], "records": records, "parts": parts})
        return
    item = items[0]
    heading(f"{item['description']}: {money(item['amount'])} {invoice['currency']}")
    behind = item["records"] or len(parts)
    count = f"{behind:,} {'part' if parts else 'record'}{'' if behind == 1 else 's'}"
    say(f"  {count}, {item['usage']:,} of usage, exact sum {item['amount_exact']:f}, rounded half-up once")
    found, columns = (parts, _LINE_PARTS) if parts else (records, columns)
    shown = found if limit == 0 else found[:limit]
    table(columns, [tuple(r[c] for c in columns) for r in shown], right=_COUNTED)
    if len(shown) < len(found):
        say(f"  ... {len(found) - len(shown):,} more; --limit 0 shows all", style="dim")


def _record(found: "Explanation", json: bool) -> None:
    if json:
        as_json(found)
        return
    landed = found.landed
    heading(f"{found.service} {landed['dr_sid']}")
    for name in (
        "date_start",
        "date_talk",
        "date_stop",
        "direction",
        "number_src",
        "number_dst",
        "partner_sid",
    ):
        if landed.get(name) is not None:
            say(f"  {name}: {landed[name]}")
    price = landed.get("price")
    say(f"  the provider's own price: {'none' if price is None else money(price)}, rate {landed.get('rate')}")
    if found.charge_differs:
        say(f"  that is not what its plan says: {found.charge_differs}", style="yellow")
    for row in found.rows:
        _payer(row)
    if found.billed:
        heading("On invoices")
        columns = ("number", "line_no", "description", "what", "revision", "usage", "amount", "taxes")
        table(columns, [tuple(b[c] for c in columns) for b in found.billed], right=columns[4:7])


def _payer(row: "ExplainedRow") -> None:
    outcome, party = row.outcome, row.party
    amount = "no price" if outcome.amount is None else money(outcome.amount)
    heading(f"{party.side} (level {party.level}), paid by {party.payer_sid}: {amount}")
    for reason in filter(None, (row.why_number, row.why_plan, *outcome.reasons, *row.draws)):
        say(f"  {reason}")
    if len(row.tried) > 1:
        print_tried(row.tried)
    if row.agrees is False:
        say(
            "  the rated row says otherwise: masters or plans have changed since; `tollbook rate` brings it up to date",
            style="red",
        )

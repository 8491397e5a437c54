"""``explain``: an invoice, one of its lines or taxes, or a record, followed back to what it is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from pipeline.cli.app import Json, app, open_desk
from pipeline.cli.quote import print_tried
from pipeline.cli.show import as_json, cell, heading, masking, money, out, say, table
from pipeline.domain.money import plain

if TYPE_CHECKING:
    from pipeline.invoice.explain import InvoiceExplained, LineExplained, TaxExplained
    from pipeline.rate.explain import ExplainedRow, Explanation

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], Any]]


def _of(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name]


def _span(row: Row) -> str:
    first, last = row["first_day"], row["last_day"]
    return str(first) if first == last else f"{first} to {last}"


def _days(row: Row) -> str:
    return "" if row["days"] is None else f"{row['days']} of {row['of_days']}"


def _count(name: str) -> Callable[[Row], str]:
    return lambda row: plain(row[name], grouped=True)


def _fee(row: Row) -> Any:
    return row["connect_fee"] or None


def _plan(row: Row) -> str | None:
    return None if row["plan_sid"] is None else f"{row['plan_sid']} {row['plan_version']}"


def _now(row: Row) -> Any:
    return (row["before"] or 0) + row["amount"]


_RECORD = ("record", _of("dr_sid"))
_BEFORE, _NOW = ("before", _of("before")), ("now", _now)
_ENDED, _AMOUNT = ("ended", _of("date_stop")), ("amount", _of("amount"))
_WHAT, _LINE = ("what", _of("what")), ("line", _of("of_line_no"))
_PRICE, _QUANTITY = ("price", _of("price")), ("quantity", _count("quantity"))
_BILLED, _DRAWN = ("billed", _count("usage")), ("drawn", _of("drawn"))
# What is shown of what a line stands on, by the kind of line. A column in which nothing stands is left out.
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "records": (
        _ENDED,
        ("number", _of("number")),
        ("prefix", _of("prefix")),
        *(_PRICE, ("fee", _fee), _BILLED, _DRAWN, _AMOUNT, ("plan", _plan), _RECORD),
    ),
    "corrected": (
        *(_ENDED, ("number", _of("number")), ("revision", _of("revision")), _BILLED),
        *(_BEFORE, _NOW, _AMOUNT, _RECORD),
    ),
    "adjusted": (_ENDED, _BILLED, _BEFORE, _NOW, _DRAWN, _AMOUNT, ("plan", _plan), _RECORD),
    "numbers": (("number", _WHAT[1]), ("for", _span), _PRICE, ("days", _days), _AMOUNT),
    "recurring": (_WHAT, ("for", _span), _QUANTITY, _PRICE, ("days", _days), _AMOUNT),
    "one_off": (_WHAT, ("for", _span), _QUANTITY, _PRICE, _AMOUNT),
    "discount": (_LINE, _WHAT, ("its amount", _of("line_amount")), ("off", _AMOUNT[1])),
    "commitment": (_LINE, _WHAT, _AMOUNT),
    "uses": (("day", _span), _WHAT, _QUANTITY, _PRICE, _AMOUNT),
}
_COUNTED = (
    *("price", "fee", "billed", "drawn", "amount", "revision", "before", "now", "quantity", "days"),
    *("line", "its amount", "off", "records", "usage", "exact", "rounded"),
)
_BELOW = ("plan", "record")
_LANDED = ("date_start", "date_talk", "date_stop", "direction", "number_src", "number_dst")
_TIMED = frozenset({"toll", "toll_free", "bridge"})


@app.command()
def explain(
    sid: Annotated[
        str,
        typer.Argument(
            help="A dr_sid, an invoice number or sid, a line of one as INVOICE/3, or a tax as INVOICE/us-usf-domestic."
        ),
    ],
    limit: Annotated[int, typer.Option(help="Records of a line to show; 0 shows all.")] = 20,
    json: Json = False,
) -> None:
    """The whole chain of reasons behind a record, an invoice, or a line or a tax of one."""
    desk = open_desk(watch=False)
    which, _, part = sid.partition("/")
    with masking(desk.settings.mask_numbers):
        if part and (found := desk.explain_part(which, part)) is not None:
            _part(found, limit, json)
        elif (invoice := desk.explain_invoice(which)) is not None:
            _invoice(invoice, json)
        else:
            _record(desk.explain(sid), desk.masters.names, json)


def _invoice(found: "InvoiceExplained", json: bool) -> None:
    invoice = found.invoice
    if json:
        taxes = [asdict(t.tax) | {"reasons": t.reasons} for t in found.taxes]
        as_json({"invoice": invoice, "items": found.items, "taxes": taxes, "reasons": found.reasons})
        return
    heading(f"{found.name}: {invoice['company_name']}, {invoice['status']}")
    _sentences(found.reasons)
    _items(found.items, invoice["amount"])
    if found.taxes:
        heading("Taxes")
        _sentences(f"{t.tax.name}: {t.short}  ({t.tax.rule})" for t in found.taxes)
    out.print()
    _sentences([_foot(invoice)])
    parts = [f"a line: tollbook explain {found.name}/{i['line_no']}" for i in found.items[:1]]
    parts += [f"a tax: tollbook explain {found.name}/{t.tax.rule}" for t in found.taxes[:1]]
    for part in parts:
        say(f"  {part}", style="dim")


def _items(items: Sequence[Row], amount: Decimal) -> None:
    figures = (text for i in items for text in (plain(i["amount_exact"]), str(i["amount"])))
    places = max((len(text.partition(".")[2]) for text in figures), default=0)
    rows = [
        (
            *(i["line_no"], i["description"], i["records"], _used(i)),
            *(plain(i["amount_exact"], decimals=places, grouped=True), f"{i['amount']:,}"),
        )
        for i in items
    ]
    rows.append(("", "", "", "", "sum", f"{amount:,}"))
    table(("line", "what", "records", "usage", "exact", "rounded"), rows, right=_COUNTED)


def _foot(invoice: Row) -> str:
    terms = ((1, "amount", "items"), (1, "amount_tax", "taxes"), (-1, "payments", "paid"))
    said = "".join(
        f" {'-' if (sign < 0) != (invoice[name] < 0) else '+'} {money(abs(invoice[name]))} {what}"
        for sign, name, what in terms
    )
    before, after, due = (
        money(invoice[name]) for name in ("balance_previous", "balance_forward", "amount_due")
    )
    return f"{before} before{said} = {after}; due {due}"


def _used(item: Row) -> str:
    return f"{item['usage']:,} s" if item["type"] in _TIMED else f"{item['usage']:,}"


def _part(found: "LineExplained | TaxExplained", limit: int, json: bool) -> None:
    from pipeline.invoice.explain import LineExplained

    if json:
        as_json(_line_told(found) if isinstance(found, LineExplained) else _tax_told(found))
    elif isinstance(found, LineExplained):
        _line(found, limit)
    else:
        _tax(found)


def _line_told(found: "LineExplained") -> dict[str, Any]:
    told = {"item": found.item, "records": found.records, "parts": found.parts, "reasons": found.reasons}
    return told | ({"credits": _line_told(found.credits)} if found.credits else {})


def _tax_told(found: "TaxExplained") -> dict[str, Any]:
    return {"tax": asdict(found.tax), "items": found.lines, "reasons": found.reasons}


def _tax(found: "TaxExplained") -> None:
    heading(f"{found.name}: {found.tax.name}, {money(found.tax.amount)} {found.currency}")
    rows = [(line["line_no"], line["description"], f"{line['amount']:,}") for line in found.lines]
    table(("line", "what", "amount"), rows, right=_COUNTED)
    _sentences(found.reasons)


def _line(found: "LineExplained", limit: int) -> None:
    item = found.item
    heading(f"{found.name}: {item['description']}, {money(item['amount'])} {found.currency}")
    _sentences(found.reasons)
    if found.credits is not None:
        _line(found.credits, limit)
        return
    rows = found.records or found.parts
    shown = rows if limit == 0 else rows[:limit]
    columns = [(name, read) for name, read in _COLUMNS.get(found.kind, ()) if _says(name, read, rows)]
    if columns:
        _table([name for name, _ in columns], [[read(row) for _, read in columns] for row in shown])
    if len(shown) < len(rows):
        say(f"  ... {len(rows) - len(shown):,} more; --limit 0 shows all", style="dim")


def _says(name: str, read: Callable[[Row], Any], rows: Sequence[Row]) -> bool:
    """Whether a column is worth its place: something stands in it, and of a plan more than the sentences say."""
    values = {read(row) for row in rows} - {None, ""}
    if name == "plan":
        return len(values) > 1
    return any(values) if name == "drawn" else bool(values)


def _table(names: list[str], rows: list[list[Any]]) -> None:
    """A table; where it is wider than the terminal, a record's id and plan stand below its row, in one piece."""
    texts = [[cell(value) for value in row] for row in rows]
    sizes = [max(map(len, column)) for column in zip(names, *texts, strict=True)]
    beside = len([name for name in names if name not in _BELOW])
    if beside == len(names) or sum(sizes) + 2 * len(sizes) <= out.width:
        table(names, texts, right=_COUNTED)
        return
    for style, row in (("dim", names), *(("", row) for row in texts)):
        cells = [
            text.rjust(size) if name in _COUNTED else text.ljust(size)
            for name, text, size in zip(names[:beside], row, sizes, strict=False)
        ]
        say("  ".join(cells), style=style)
        say("  " + "  ".join(reversed(row[beside:])), style="dim")


def _record(found: "Explanation", names: Mapping[str, str], json: bool) -> None:
    if json:
        as_json(found)
        return
    landed = found.landed
    heading(f"{found.service} {landed['dr_sid']}")
    for name in _LANDED:
        if landed.get(name) is not None:
            say(f"  {name}: {_value(landed[name])}")
    partner = landed.get("partner_sid")
    say(f"  partner: {_named(partner, names)}")
    price, rate = (landed.get(name) for name in ("price", "rate"))
    say(f"  the provider's own price: {'none' if price is None else money(price)}, rate {_value(rate)}")
    if found.charge_differs:
        say(f"  that is not what its plan says: {found.charge_differs}", style="yellow")
    for row in found.rows:
        _payer(row, names)
    if found.billed:
        _billed(found)


def _value(value: Any) -> str:
    """A value of a record: instants to the millisecond, for fractions of a second are billed too."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return "none" if value is None else cell(value)


def _named(sid: str | None, names: Mapping[str, str]) -> str:
    return f"{names[sid]} ({sid})" if sid is not None and sid in names else str(sid)


def _payer(row: "ExplainedRow", names: Mapping[str, str]) -> None:
    outcome, party = row.outcome, row.party
    amount = "no price" if outcome.amount is None else money(outcome.amount)
    payer = f"us ({party.payer_sid})" if party.side == "cost" else _named(party.payer_sid, names)
    heading(f"{party.side} (level {party.level}), paid by {payer}: {amount}")
    _sentences(filter(None, (row.why_number, row.why_plan, *outcome.reasons, *row.draws)))
    if len(row.tried) > 1:
        print_tried(row.tried)
    if row.agrees is False:
        say(
            "  the rated row says otherwise: masters or plans have changed since; `tollbook rate` brings it up to date",
            style="red",
        )


def _billed(found: "Explanation") -> None:
    """What invoices made of a record."""
    heading("On invoices")
    rows = [
        (
            "/".join(str(part) for part in (b["number"] or b["invoice_sid"], b["line_no"]) if part),
            ": ".join(filter(None, (b["what"], b["description"]))),
            *(b["revision"], plain(b["usage"], grouped=True), b["amount"]),
        )
        for b in found.billed
    ]
    table(("invoice", "what", "revision", "usage", "amount"), rows, right=_COUNTED)
    if found.why_drawn:
        _sentences((*found.why_drawn, "What is billed is after what bundles and tiers changed."))
    line = next((invoice for invoice, *_ in rows if "/" in invoice), None)
    if line:
        say(f"  the line: tollbook explain {line}", style="dim")


def _sentences(texts: Any) -> None:
    """Sentences, one below the other; what is too long for the terminal goes on below itself."""
    for text in texts:
        out.print(Padding(Text(cell(text)), (0, 0, 0, 2), expand=False))

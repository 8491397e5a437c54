"""What came of a run, read back from the tables: the same figures that anybody can ask for in SQL."""

import shlex
from typing import TYPE_CHECKING, Any, cast

from pipeline.cli.show import heading, money, say, table

if TYPE_CHECKING:
    from pipeline.defs.journey import JourneyResult
    from pipeline.desk import Desk
    from pipeline.invoice.billing import BillingReport
    from pipeline.measure.statement import Statement
    from pipeline.rate.audit import AuditReport

_LANDED = """
select 'calls' as record, count(*) as landed, count(*) filter (date_stop > date_talk) as answered,
       min(date_stop) as first, max(date_stop) as last from land.calls
union all
select 'messages', count(*), null, min(date_insert), max(date_insert) from land.messages
"""
_RATED = """
with rated as (
  select service, side, level, rating_status, unrated_reason, amount, currency from rate.calls
  union all
  select service, side, level, rating_status, unrated_reason, amount, currency from rate.messages
)
select service, side || case when level > 1 then ' (resold)' else '' end as side, rating_status as status,
       coalesce(unrated_reason, '') as reason, count(*) as records, currency,
       coalesce(sum(amount), 0) as amount
from rated group by all order by service, side, status, reason, currency
"""
_INVOICED = """
select seller, status, currency, count(*) as invoices, sum(amount) as amount, sum(amount_tax) as tax,
       sum(amount_due) as due
from invoice.invoices group by all order by all
"""
_MARGIN = """
with amounts as (
  select payee_sid, payer_sid, currency, amount from rate.calls where rating_status = 'rated'
  union all
  select payee_sid, payer_sid, currency, amount from rate.messages where rating_status = 'rated'
)
select currency, coalesce(sum(amount) filter (payee_sid = $root), 0) as revenue,
       coalesce(sum(amount) filter (payer_sid = $root), 0) as cost
from amounts group by currency order by currency
"""
_MAILED = "select status, count(*) as emails from deliver.emails group by status order by status"


def rating(desk: "Desk") -> list[dict[str, Any]]:
    """Rated and unrated records by service, side and reason, with money."""
    return _ask(desk, _RATED)


def summary(desk: "Desk") -> dict[str, Any]:
    """Everything the summary shows, as plain values."""
    statement = desk.statement()
    return {
        "landed": _ask(desk, _LANDED),
        "rating": rating(desk),
        "invoices": _ask(desk, _INVOICED),
        "margin": _margin(desk),
        "emails": _ask(desk, _MAILED),
        "parked": desk.parked(),
        "differences": [str(d) for d in statement.differences],
        "home": str(desk.settings.home),
    }


def print_rating(desk: "Desk") -> None:
    """The rating table."""
    rows = [
        (r["service"], r["side"], r["status"], r["reason"], r["records"], money(r["amount"]), r["currency"])
        for r in rating(desk)
    ]
    columns = ("service", "side", "status", "reason", "records", "amount", "currency")
    table(columns, rows, right=("records", "amount"))


def print_summary(desk: "Desk", result: "JourneyResult", *, seconds: float) -> None:
    """Records, rating, invoices, money, margin, the statement, and where everything lies."""
    heading("Landed")
    rows = [(r["record"], r["landed"], r["answered"], r["first"], r["last"]) for r in _ask(desk, _LANDED)]
    table(("records", "landed", "answered", "first", "last"), rows, right=("landed", "answered"))
    heading("Rated")
    print_rating(desk)
    heading("Invoiced")
    invoiced = [
        (
            r["seller"],
            r["status"],
            r["invoices"],
            money(r["amount"]),
            money(r["tax"]),
            money(r["due"]),
            r["currency"],
        )
        for r in _ask(desk, _INVOICED)
    ]
    columns = ("seller", "status", "invoices", "amount", "tax", "due", "currency")
    table(columns, invoiced, right=columns[2:6])
    _print_parked([(p["name"], p["reason"]) for p in desk.parked()])
    _print_problems(result)
    print_audit(desk.audit(), limit=12)
    heading("Margin")
    for m in _margin(desk):
        text = (
            f"revenue {money(m['revenue'])} - cost {money(m['cost'])} = {money(m['margin'])} {m['currency']}"
        )
        say(f"{text} ({m['percent']} of revenue)")
    # Working it out takes a while, and nothing has changed since the journey did.
    print_statement(cast("Statement", result.reports.get("measure/statement") or desk.statement()))
    _print_places(desk)
    steps = ", ".join(f"{name} {took:.1f}" for name, took in result.seconds.items() if took >= 0.5)
    say(f"done in {seconds:.1f} s ({steps})", style="dim")


def _margin(desk: "Desk") -> list[dict[str, Any]]:
    found = _ask(desk, _MARGIN, {"root": desk.root_sid})
    for row in found:
        row["margin"] = row["revenue"] - row["cost"]
        row["percent"] = f"{100 * row['margin'] / row['revenue']:.1f} %" if row["revenue"] else "-"
    return found


def print_billing(desk: "Desk", report: "BillingReport") -> None:
    """What an invoice run made, whom it set aside and why, and what to look at."""
    from pipeline.domain.period import days_of

    heading("Invoiced")
    columns = ("number", "customer", "first day", "last day", "amount", "tax", "due", "currency")
    made = []
    for b in report.invoices:
        days = days_of(b.period, desk.masters.customers[b.partner_sid].time_zone)
        sums = (money(b.amount), money(b.amount_tax), money(b.amount_due), b.currency)
        made.append((b.number or "draft", b.name, days[0], days[-1], *sums))
    if made:
        table(columns, made, right=("amount", "tax", "due"))
    say(
        f"{len(report.issued)} issued, {len(report.drafted)} wait for approval, {len(report.parked)} customers parked, "
        f"{report.empty} periods with nothing to bill"
    )
    _print_parked([(p.name, p.reason) for p in report.parked])
    for warning in report.warnings:
        say(warning, style="yellow")


def _print_parked(parked: list[tuple[str, str]]) -> None:
    if parked:
        heading("Parked: these customers are not invoiced until the reason is gone or accepted")
        for name, reason in parked:
            say(f"  {name}: {reason}")


def _print_problems(result: "JourneyResult") -> None:
    problems = [p for report in result.reports.values() for p in getattr(report, "problems", ())]
    if problems:
        heading("To look at")
        for problem in problems:
            say(f"  {problem}", style="yellow")


def print_audit(found: "AuditReport", *, limit: int, groups: int = 0) -> None:
    """What the provider charged against what its plans say: by reason, plan, day and prefix, and record by record."""
    heading("The provider's charges, rated again by us on its own plans")
    if not found.records:
        say(
            "Nothing is rated yet: `tollbook pull` brings records in, `tollbook rate` rates them.",
            style="yellow",
        )
        return
    same = found.records - found.differing
    say(
        f"{same:,} of {found.records:,} records agree to the last digit. Charged {money(found.charged)}, by its plans "
        f"{money(found.expected)}: {money(found.charged - found.expected)} too much."
    )
    figures = ("reason", "records", "charged", "by its plan", "difference")
    if found.differing:
        sums = [(g.reason, g.records, g.charged, g.expected, g.difference) for g in found.by["reason"]]
        table(figures, sums, right=figures[1:])
    for name in ("plan", "day", "prefix") if groups and found.differing else ():
        parts = [
            (g.what, g.reason, g.records, g.charged, g.expected, g.difference)
            for g in found.by[name][:groups]
        ]
        heading(f"By {name}")
        table((name, *figures), parts, right=figures[1:])
    listed = found.differences[:limit]
    rows = [(d.dr_sid, d.reason, d.matched_prefix, d.provider_price, d.amount, d.difference) for d in listed]
    if rows:
        columns = ("dr_sid", "reason", "prefix", "charged", "by its plan", "difference")
        table(columns, rows, right=columns[3:])
    if len(listed) < found.differing:
        left = found.differing - len(listed)
        say(f"... and {left:,} more: `tollbook audit --out differences.csv` writes them all", style="dim")


def print_provider_invoices(found: "AuditReport") -> None:
    """The lines of the provider's invoices, and what the records behind them say."""
    if not found.invoices:
        return
    heading("The provider's invoices against the records behind them")
    names = ("display_id", "line_no", "type", "direction", "country_code", "amount")
    figures = ("records", "records_amount", "expected")
    rows = [tuple(getattr(line, name) for name in (*names, *figures, "verdict")) for line in found.invoices]
    table((*names, *figures, "verdict"), rows, right=("line_no", "amount", *figures))


def print_statement(statement: "Statement") -> None:
    """The statement, and whether it adds up."""
    heading("The statement")
    columns = ("section", "service", "side", "what", "reason", "records", "seconds", "money", "currency")
    rows = [tuple(getattr(line, name) for name in columns) for line in statement.lines]
    table(columns, rows, right=("records", "seconds", "money"))
    if statement.differences:
        for difference in statement.differences:
            say(f"DOES NOT ADD UP: {difference}", style="bold red")
    else:
        say("It adds up.", style="bold green")


def _print_places(desk: "Desk") -> None:
    home = desk.settings.home
    heading("Where it lies")
    mailed = ", ".join(f"{r['emails']} {r['status']}" for r in _ask(desk, _MAILED)) or "none"
    rows = (
        ("invoices", f"{home}/documents/<invoice>/invoice.pdf"),
        (
            "e-mails",
            f"{home}/outbox/*.eml ({mailed})" if not desk.settings.smtp_url else f"sent by SMTP ({mailed})",
        ),
        ("tables", f"{home}/lake/<stage>/<table>/"),
        ("SQL", f"tollbook --home {shlex.quote(str(home))} sql 'select * from measure.traffic limit 10'"),
        ("DuckDB", f"{home}/tollbook.duckdb"),
    )
    table(("what", "where"), rows)


def _ask(desk: "Desk", query: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return desk.lake.query(query, params)

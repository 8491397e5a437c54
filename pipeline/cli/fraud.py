"""``fraud``: signals of possible fraud with their records. ``whatif-rule``: what an access rule would have stopped."""

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.app import AsOf, Json, app, instant, open_desk
from pipeline.cli.show import as_json, clear_line, heading, money, say, table, warn
from pipeline.errors import BusyError, SettingsError

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.measure.access import Outcome

_LISTED = ("signal_sid", "day", "severity", "company_name", "kind", "reason", "records", "cost")
_RECORDS = (
    "service",
    "dr_sid",
    "date_start",
    "date_stop",
    "number_src",
    "number_dst",
    "ip_src",
    "sipcause",
    "price",
)
_SHOWN = 12
_SIGNALS = """
from measure.fraud
where ($day is null or day = $day) and ($kind is null or kind = $kind)
    and ($customer is null or partner_sid = $customer or company_name ilike '%' || $customer || '%')
"""
_PARTNER = """
select partner_sid from land.partners
where partner_sid = $customer or company_name ilike '%' || $customer || '%'
limit 1
"""


@app.command()
def fraud(
    day: Annotated[str | None, typer.Option(help="Of this UTC day, like 2026-03-25.")] = None,
    customer: Annotated[
        str | None, typer.Option(help="Of this partner: its sid, or a part of its name.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind, like wangiri.")] = None,
    records: Annotated[str | None, typer.Option(help="The records behind this signal, by its id.")] = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Signals of possible fraud, each with its reason; looked for first in what is new. Tune them in policy.toml."""
    from pipeline.masters.signals import KINDS

    desk = open_desk(as_of, watch=not json)
    _look(desk)
    clear_line()
    if records:
        _show_records(desk, records, json)
        return
    if kind is not None and kind not in KINDS:
        raise SettingsError(f"--kind {kind!r} is none of {', '.join(KINDS)}.")
    if customer is not None and not desk.lake.query(_PARTNER, {"customer": customer}):
        raise SettingsError(f"nobody is called {customer!r}: no partner has such a sid or name.")
    rows = desk.lake.query(_SIGNALS, {"day": _day(day), "kind": kind, "customer": customer})
    if json:
        as_json(rows)
        return
    if not rows:
        say("nothing stands out", style="green")
        return
    columns = ("signal", "day", "severity", "customer", "kind", "reason", "records", "cost")
    table(columns, [[row[name] for name in _LISTED] for row in rows], right=("records", "cost"))
    say(
        "the records behind one: tollbook fraud --records SIGNAL; in SQL: from measure.fraud_records",
        style="dim",
    )


def _look(desk: "Desk") -> None:
    """Looks for signals in what is new; while another run does so, those that are there have to do."""
    try:
        with desk.locked():
            if desk.find_signals().written:
                desk.publish()
    except BusyError as busy:
        warn(f"{busy} Until then: the signals as they were last looked for.")


def _show_records(desk: "Desk", signal_sid: str, json: bool) -> None:
    found = desk.lake.query("from measure.fraud where signal_sid = $sid", {"sid": signal_sid})
    if not found:
        raise SettingsError(f"there is no signal {signal_sid!r}. `tollbook fraud` lists them with their ids.")
    signal = found[0]
    rows = desk.lake.query(
        "from measure.fraud_records where signal_sid = $sid order by date_start, dr_sid", {"sid": signal_sid}
    )
    if json:
        as_json(signal | {"behind": rows})
        return
    heading(f"{signal['company_name']}, {signal['day']}, {signal['kind']} ({signal['severity']})")
    say(signal["reason"])
    table(_RECORDS, [[row[name] for name in _RECORDS] for row in rows], right=("price",))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise SettingsError(f"--day {text!r} is no day; write it like 2026-03-25.") from None


@app.command("whatif-rule")
def whatif_rule(
    operation: Annotated[str | None, typer.Argument(help="exact, prefix or regexp.")] = None,
    entries: Annotated[
        list[str] | None, typer.Argument(help="Numbers, prefixes or regular expressions.")
    ] = None,
    field: Annotated[str, typer.Option(help="Which number is looked at: to or from.")] = "to",
    quantifier: Annotated[str, typer.Option(help="How many entries must fit: any, all or none.")] = "any",
    direction: Annotated[str, typer.Option(help="Whose calls: any, inbound or outbound.")] = "any",
    others: Annotated[bool, typer.Option("--others", help="Reject what the rule does not apply to.")] = False,
    landed: Annotated[
        bool, typer.Option("--landed", help="Try the provider's own rules, as they have landed.")
    ] = False,
    customer: Annotated[str | None, typer.Option(help="Only calls of this partner, by its sid.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Calls that ended from here on; default: 31 days before --until.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Calls that ended before this; default: now.")] = None,
    json: Json = False,
) -> None:
    """What an access rule would have rejected of past calls: cost avoided, charges lost, honest calls spoilt."""
    from pipeline.measure.access import AccessRule, landed_rules

    desk = open_desk(watch=not json)
    end = instant(until)
    begin = instant(since) if since else end - timedelta(days=31)
    partners = (customer,) if customer else ()
    notes: list[str] = []
    if landed:
        rules, notes = landed_rules(desk.lake)
    elif operation is None or not entries:
        msg = "name a rule, like `tollbook whatif-rule prefix 1900 8816`, or try the provider's own with --landed."
        raise SettingsError(msg)
    else:
        named = AccessRule("rule", field, operation, quantifier, tuple(entries), direction, others, partners)
        rules = [named]
    outcomes = desk.try_rules(rules, since=begin, until=end)
    if json:
        as_json([_plain(outcome) for outcome in outcomes])
        return
    for outcome in outcomes:
        _show(outcome)
    for note in notes:
        say(note, style="yellow")
    if landed and not rules:
        say("no access rules have landed; `tollbook pull --all` takes them", style="yellow")


def _plain(outcome: "Outcome") -> dict[str, Any]:
    sums = {
        currency: {"cost_avoided": cost, "charges_lost": revenue, "of_these_honest": honest}
        for currency, (cost, revenue, honest) in outcome.money().items()
    }
    counts = {
        "calls": outcome.calls,
        "behind_signals": outcome.behind_signals,
        "false_positives": outcome.false_positives,
    }
    shown = {"rule": outcome.rule, "since": outcome.since, "until": outcome.until}
    return shown | counts | {"money": sums, "customers": outcome.rejected}


def _show(outcome: "Outcome") -> None:
    heading(str(outcome.rule))
    begin, end = (f"{at.astimezone(UTC):%Y-%m-%d}" for at in (outcome.since, outcome.until))
    say(
        f"{outcome.calls:,} calls from {begin} to {end} would have been rejected: {outcome.behind_signals:,} behind a "
        f"signal of fraud, {outcome.false_positives:,} of customers without any (false positives)"
    )
    for currency, (cost, revenue, honest) in outcome.money().items():
        say(
            f"{money(cost)} {currency} of cost avoided, {money(revenue)} {currency} of charges not made, "
            f"{money(honest)} of them to customers without signals"
        )
    columns = (
        "customer",
        "calls",
        "answered",
        "behind signals",
        "has signals",
        "cost",
        "charges",
        "currency",
    )
    rows = [
        (r.company_name, r.calls, r.answered, r.behind_signals, r.has_signals, r.cost, r.revenue, r.currency)
        for r in outcome.rejected[:_SHOWN]
    ]
    if rows:
        table(columns, rows, right=("calls", "answered", "behind signals", "cost", "charges"))
    if len(outcome.rejected) > _SHOWN:
        say(f"... {len(outcome.rejected) - _SHOWN} more customers; --json lists all", style="dim")

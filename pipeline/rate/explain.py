"""One record, told whole: what landed, how each payer's row was rated and why (by the reference), which rows of the
plan lost, what the provider charged and what is to be said of that, and the invoices that billed it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date
from decimal import Decimal
from functools import partial
from typing import Any

from pipeline.domain.allowances import BUNDLE, Charge, Tier, TierStep
from pipeline.domain.money import plain
from pipeline.domain.numbering import country_of, digits
from pipeline.domain.parties import COST, Party
from pipeline.domain.rating import Outcome
from pipeline.domain.tried import Tried, tried_for_call, tried_for_message
from pipeline.errors import TollbookError
from pipeline.lake.lake import Lake
from pipeline.masters.model import Masters
from pipeline.rate.planfor import why_charged
from pipeline.rate.plans import with_rates
from pipeline.rate.preview import preview
from pipeline.rate.quote import how_read
from pipeline.rate.reference import Row, rate_by_reference
from pipeline.rate.world import World, read_world

_BILLED = """
with billed as (
    select 2 as step, payer_sid, invoice_sid, line_no, revision, 'billed' as what, amount, usage,
        null as kind, null as key, null as measure, null as position
    from invoice.claims
    where dr_sid = ?
    union all
    select if(redrawn_at is null, 1, 3), payer_sid, invoice_sid, null, revision,
        kind || ' ' || name || if(redrawn_at is null, '', ', drawn anew'), amount, quantity,
        kind, key, measure, position
    from invoice.draws
    where dr_sid = ?
    union all
    select 4, r.payer_sid, a.invoice_sid, a.line_no, r.revision, 'adjusted: ' || a.reason, r.amount, r.usage,
        null, null, null, null
    from invoice.adjusted as r
    join invoice.adjustments as a
        on a.batch_sid = r.batch_sid and a.of_invoice_sid = r.of_invoice_sid and a.of_line_no = r.of_line_no
    where r.dr_sid = ?
)

select
    b.payer_sid, v.number, b.invoice_sid, b.line_no, i.description, b.revision, b.what, b.amount, b.usage,
    b.kind, b.key, b.measure, b.position, v.currency,
    (
        select string_agg(t.name || ' ' || t.rate::varchar, ', ' order by t.line_no)
        from invoice.taxes as t
        where t.invoice_sid = b.invoice_sid
    ) as taxes
from billed as b
left join invoice.invoices as v on v.invoice_sid = b.invoice_sid
left join invoice.items as i on i.invoice_sid = b.invoice_sid and i.line_no = b.line_no
order by b.payer_sid, b.revision, v.date_created, b.step
"""


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """One payer's row: as the engine wrote it (None: not rated yet) and as the reference sees it now."""

    party: Party
    rated: dict[str, Any] | None
    outcome: Outcome
    why_number: str = ""
    why_plan: str = ""
    tried: tuple[Tried, ...] = ()
    draws: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool | None:
        """Whether both say the same; None when there is nothing to compare. Masters may have changed since."""
        if self.rated is None:
            return None
        o, r = self.outcome, self.rated
        plan = (o.plan.plan_sid, o.plan.version) if o.plan else (None, None)
        mine = (o.status, o.reason, *plan, o.rate.prefix if o.rate else None, o.amount)
        names = ("rating_status", "unrated_reason", "plan_sid", "plan_version", "matched_prefix", "amount")
        return mine == tuple(r[name] for name in names)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A landed record and its rows, the cost first.

    ``charge_differs`` is the reason of ``rate.charge_differences`` where the provider charged something else than its
    plan says. ``billed`` are the lines of invoices that took the record, with what bundles and tiers had changed of it
    before, and what adjusted it since; ``why_drawn`` says by which rules.
    """

    service: str
    landed: dict[str, Any]
    rows: tuple[ExplainedRow, ...]
    charge_differs: str | None = None
    billed: tuple[dict[str, Any], ...] = ()
    why_drawn: tuple[str, ...] = ()


def explain_record(
    lake: Lake, masters: Masters, dr_sid: str, *, root_sid: str, bill_from: date | None = None
) -> Explanation:
    """Explains a call or message; what no invoice has taken yet, with what it would draw from bundles and tiers.

    Raises:
        TollbookError: no record with that id has landed.
    """
    service, landed, rated = _find(lake, dr_sid)
    world = read_world(lake, masters, root_sid)
    written = {(r["level"], r["payer_sid"]): r for r in rated}
    rows = tuple(
        _explained(
            world, masters.names, service, landed, party, outcome, written.get((party.level, party.payer_sid))
        )
        for party, outcome in rate_by_reference(world, service, landed, partial(with_rates, lake))
    )
    with lake.duck() as con:
        billed = _dicts(con, _BILLED, dr_sid, dr_sid, dr_sid)
        differs = _charge_differs(con, rows[0], dr_sid)
    done = {b["payer_sid"] for b in billed}
    rows = tuple(
        row
        if row.party.payer_sid in done
        else replace(row, draws=_draws(lake, masters, landed, row, bill_from))
        for row in rows
    )
    why = tuple(_why_drawn(masters, b) for b in billed if b["kind"])
    return Explanation(service, landed, rows, differs, tuple(billed), why)


def _why_drawn(masters: Masters, drawn: dict[str, Any]) -> str:
    """The bundle or tier that changed what an invoice took a record for."""
    key, measure = drawn["key"], drawn["measure"]
    used = f"{plain(drawn['usage'], grouped=True)} {measure}"
    if drawn["kind"] == BUNDLE:
        held = next((b.quantity for b in masters.bundles if b.key == key), None)
        has = "not there any more" if held is None else f"{plain(held, grouped=True)} {measure} a period"
        return f"Bundle {key} of bundles.csv, {has}: it covers {used} here."
    tier = next((t for t in masters.tiers if t.key == key), None)
    steps = ", ".join(_step(tier, step) for step in tier.steps) if tier else ""
    has = f"{tier.rule}, {steps}" if tier else "not there any more"
    reached = plain(drawn["position"], grouped=True)
    return f"Tier {key} of tiers.csv, {has}: it counts {used} here, from {reached} of the period on."


def _step(tier: Tier, step: TierStep) -> str:
    per = f" per {plain(tier.unit)} s" if tier.scope.service == "call" else ""
    price = f"{plain(step.percent or Decimal(0))} %" if step.price is None else f"{plain(step.price)}{per}"
    return f"{price} from {plain(step.after, grouped=True)}"


def _explained(
    world: World,
    names: Mapping[str, str],
    service: str,
    landed: Row,
    party: Party,
    outcome: Outcome,
    rated: dict[str, Any] | None,
) -> ExplainedRow:
    at, direction = landed["date_start"], landed["direction"] or ""
    if outcome.plan is None or at is None:
        return ExplainedRow(party, rated, outcome)
    if party.side == COST:
        why = "It is the provider's own plan for this kind of usage, in force when it began."
    else:
        why = why_charged(world.book, names, party.payer_sid, service, direction, outcome.family, at)
    if service == "call":
        tried = tried_for_call(outcome.plan, outcome, at, digits(landed["number_src"]))
    else:
        country = country_of(outcome.number)
        tried = tried_for_message(outcome.plan, outcome, at, landed["mcc"], landed["mnc"], country)
    stated = landed[outcome.plan.match_field] if service == "call" else None
    read = how_read(landed["number_dst"] if stated is None else stated, outcome.number)
    return ExplainedRow(party, rated, outcome, read, why, tried)


def _draws(
    lake: Lake, masters: Masters, landed: Row, row: ExplainedRow, bill_from: date | None
) -> tuple[str, ...]:
    rated = row.rated
    if row.party.side == COST or rated is None or rated["rating_status"] != "rated":
        return ()
    is_call = rated["service"] == "call"
    wanted = Charge(
        *(rated["source"], rated["dr_sid"], rated["date_stop"].astimezone(UTC), rated["service"]),
        *(rated["direction"], rated["item_type"] or "", rated["country_code"], rated["matched_number"] or ""),
        *(digits(landed["number_billing"]) or "", rated["billed_seconds" if is_call else "billed_units"]),
        *(rated["amount"], rated["rate_price"] or Decimal(0)),
    )
    found = preview(lake, masters, row.party.payer_sid, bill_from, wanted)
    return found.sentences if found else ()


def _charge_differs(con: Any, cost: ExplainedRow, dr_sid: str) -> str | None:
    rated = cost.rated
    if rated is None or rated["provider_price"] == rated["amount"]:
        return None
    found = _dicts(con, "select reason from rate.charge_differences where dr_sid = ?", dr_sid)
    return found[0]["reason"] if found else None


def _find(lake: Lake, dr_sid: str) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    with lake.duck() as con:
        for service in ("call", "message"):
            landed = _dicts(con, f"select * from land.{service}s where dr_sid = ?", dr_sid)
            if landed:
                query = f"select * from rate.{service}s where dr_sid = ? order by level, payer_sid"
                return service, landed[0], _dicts(con, query, dr_sid)
    msg = f"no call or message with dr_sid {dr_sid} has landed. Check the id, or run `tollbook pull` first."
    raise TollbookError(msg)


def _dicts(con: Any, query: str, *values: object) -> list[dict[str, Any]]:
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

"""Makes the provider's plans ready to rate with, and reads plans back as values of the domain.

``rate/plans`` and ``rate/rates`` hold all plans in one shape: those of the provider, made here from ``land/rates``
and the terms in the masters' policy, under the label ``provider``; and the imported ones, see ``decks``, one label
per plan. Unchanged inputs make no new file.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa

from pipeline.domain.period import in_force
from pipeline.domain.rate_plan import PROVIDER, Rate, RatePlan, unit_of
from pipeline.domain.rate_rows import RateRows
from pipeline.domain.steps import steps_of, steps_text
from pipeline.domain.windows import windows_of, windows_text
from pipeline.errors import DeckError, SettingsError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import Masters, PlanTerms

LABEL = "provider"
BUILDER = "2"
CURRENCY = "USD"
LONGEST_STEP = Decimal(86_400)
_PLAN = ["service", "direction", "family"]
# The provider's rows hold for every origin, at all times, and have one price.
_UNCONDITIONAL = (
    *(pl.lit("").alias(name) for name in ("origin_prefix", "window_name", "steps")),
    pl.lit(None, pl.String).alias("jurisdiction"),
    *(pl.lit(None, pl.Decimal(24, 12)).alias(name) for name in ("min_charge", "max_charge")),
)


@dataclass(frozen=True, slots=True)
class PlansReport:
    """What building did: ``refused`` names the rows that cannot be used, and why; their calls are unrated."""

    changed: bool
    plans: int
    rates: int
    refused: tuple[str, ...] = ()


def build_plans(lake: Lake, ledger: Ledger, masters: Masters, *, now: datetime) -> PlansReport:
    """Brings the provider's plans up to what has landed and to the policy's terms.

    A row whose price cannot be read (its unit is its minimum, and that is 0) is kept as blocked and reported: its
    calls are unrated, and everything else goes on.
    """
    terms = masters.policy.provider_terms
    _check_terms(terms)
    inputs = _inputs(lake, terms)
    known = lake.files("rate/plans", [LABEL])
    if known and known[0].inputs == inputs:
        rows = sum(f.rows for f in lake.files("rate/rates", [LABEL]))
        return PlansReport(False, known[0].rows, rows)
    landed = lake.scan("land/rates").collect()
    versions = _versions(landed, terms)
    rates, refused = _rates(landed, terms.unit_rule)
    staged = [
        lake.stage("rate/plans", LABEL, plans_table(versions), inputs),
        lake.stage("rate/rates", LABEL, rates, inputs),
    ]
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=now, stage="rate", note=f"provider plans: {len(versions)} versions")
    return PlansReport(True, len(versions), rates.height, refused)


def load_plans(lake: Lake) -> tuple[RatePlan, ...]:
    """All versions of all plans, their terms only."""
    rows = lake.scan("rate/plans").sort("plan_sid", "effective_from", "plan_version").collect()
    return tuple(_plan(row) for row in rows.iter_rows(named=True))


def with_rates(lake: Lake, plan: RatePlan, number: str | None = None) -> RatePlan:
    """A plan together with its rates; with a ``number``, only with those rows that its digits can match."""
    wanted = (pl.col("plan_sid") == plan.plan_sid) & (pl.col("plan_version") == plan.version)
    if number is not None:
        wanted &= pl.col("prefix").is_in([number[:length] for length in range(len(number) + 1)])
    rows = lake.scan("rate/rates").filter(wanted).collect()
    return replace(plan, rates=_all_rates(rows))


def stored_plan(lake: Lake, plan_sid: str, at: datetime) -> RatePlan:
    """The version of a plan in force at ``at``, with its rates.

    Raises:
        DeckError: there is no such plan, or no version of it is in force then.
    """
    plans = load_plans(lake)
    found = [p for p in plans if p.plan_sid == plan_sid]
    for plan in found:
        if in_force(plan.effective_from, plan.effective_to, at):
            return with_rates(lake, plan)
    known = ", ".join(sorted({p.plan_sid for p in plans})) or "none: run `tollbook plans import`"
    when = f"no version of it is in force at {at:%Y-%m-%d %H:%M}" if found else f"the plans are {known}"
    msg = f"there is no plan {plan_sid} to price with: {when}."
    raise DeckError(msg)


def plans_table(plans: Iterable[tuple[RatePlan, int, str]]) -> pa.Table:
    """Rows of ``rate/plans`` from (plan, number of rates, hash of the rates)."""
    rows = [plan_row(plan, count, content) for plan, count, content in plans]
    return pa.Table.from_pylist(rows, schema=BY_NAME["rate/plans"].schema)


def rates_table(plan: RatePlan) -> pa.Table:
    """Rows of ``rate/rates`` from a plan of the domain."""
    rows = RateRows.of(plan.rates)
    shared, at = rows.shared()
    columns = {
        "plan_sid": [plan.plan_sid] * len(shared),
        "plan_version": [plan.version] * len(shared),
        "prefix": [x.prefix for x in shared],
        "mcc": [x.mcc for x in shared],
        "mnc": [x.mnc for x in shared],
        "country_code": [x.country_code for x in shared],
        "increment_ms": [int(x.increment * 1000) for x in shared],
        "minimum_ms": [int(x.minimum * 1000) for x in shared],
        "grace_ms": [int(x.grace * 1000) for x in shared],
        "unit_ms": [int(x.unit * 1000) for x in shared],
        "price": [x.price for x in shared],
        "connect_fee": [x.connect_fee for x in shared],
        "effective_from": [x.effective_from for x in shared],
        "effective_to": [x.effective_to for x in shared],
        "status": ["active" if x.priced else "blocked" for x in shared],
        "origin_prefix": [x.origin_prefix for x in shared],
        "jurisdiction": [x.jurisdiction for x in shared],
        "window_name": [x.window for x in shared],
        "min_charge": [x.min_charge for x in shared],
        "max_charge": [x.max_charge for x in shared],
        "steps": [steps_text(x.steps) for x in shared],
    }
    table = pa.table(columns, schema=BY_NAME["rate/rates"].schema)
    whole = table.take(pa.array(at, pa.int32()))
    return whole.set_column(
        whole.schema.get_field_index("prefix"), whole.schema.field("prefix"), [rows.prefixes]
    )


def _check_terms(terms: PlanTerms) -> None:
    try:
        unit_of(terms.unit_rule, Decimal(1))
    except ValueError as error:
        msg = f"[provider] unit_rule in masters/policy.toml: {error}"
        raise SettingsError(msg) from None


def _inputs(lake: Lake, terms: PlanTerms) -> str:
    shas = [f.sha256 for f in lake.files("land/rates")]
    return hashlib.sha256(repr((BUILDER, shas, terms)).encode()).hexdigest()


def _versions(landed: pl.DataFrame, terms: PlanTerms) -> list[tuple[RatePlan, int, str]]:
    """Each version in force from its date to the next one's; one that keeps its date, from when it was seen."""
    rows = (
        landed.group_by(*_PLAN, "plan_version")
        .agg(
            pl.first("effective_date", "seen_at", "rates_plan_name"),
            pl.len().alias("rows"),
        )
        .with_columns(pl.coalesce("effective_date", "seen_at").alias("starts"))
        .sort(*_PLAN, "starts", "seen_at", "plan_version")
        .with_columns(pl.col("starts").is_first_distinct().over(*_PLAN).alias("first"))
        .with_columns(pl.when("first").then("starts").otherwise("seen_at").alias("effective_from"))
        .sort(*_PLAN, "effective_from", "plan_version")
        .with_columns(pl.col("effective_from").shift(-1).over(*_PLAN).alias("effective_to"))
    )
    return [_version(row, terms) for row in rows.iter_rows(named=True)]


def _version(row: dict, terms: PlanTerms) -> tuple[RatePlan, int, str]:
    plan = RatePlan(
        plan_sid=provider_sid(row["service"], row["direction"], row["family"]),
        version=row["plan_version"],
        service=row["service"],
        currency=CURRENCY,
        origin=PROVIDER,
        direction=row["direction"],
        family=row["family"],
        name=row["rates_plan_name"] or "",
        unit_rule=terms.unit_rule,
        increment_rule=terms.increment_rule,
        billable_base=terms.billable_base,
        match_field=terms.match_field,
        rounding_mode=terms.rounding_mode,
        rounding_decimals=terms.rounding_decimals,
        billable_statuses=terms.billable_statuses,
        effective_from=row["effective_from"],
        effective_to=row["effective_to"],
    )
    return plan, row["rows"], row["plan_version"][-12:]


def provider_sid(service: str, direction: str, family: str) -> str:
    """The name of one of the provider's plans."""
    return f"provider:{service}:{direction}:{family}"


def _rates(landed: pl.DataFrame, unit_rule: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    calls = pl.col("service") == "call"
    increment = _ms("billing_increment")
    frame = landed.with_columns(
        pl.format("provider:{}:{}:{}", *_PLAN).alias("plan_sid"),
        pl.col("prefix").fill_null("").alias("prefix"),
        pl.when(increment > 0).then(increment).otherwise(1000).alias("increment_ms"),
        _ms("billing_minimum").fill_null(0).alias("minimum_ms"),
    ).with_columns(_unit_ms(unit_rule).alias("unit_ms"))
    longest = int(LONGEST_STEP * 1000)
    usable = (
        (pl.col("unit_ms") > 0)
        & pl.col("increment_ms").is_between(1, longest)
        & pl.col("minimum_ms").is_between(0, longest)
    )
    usable = ~calls | usable
    refused = tuple(
        f"{r['plan_sid']} {r['plan_version']} prefix {r['prefix'] or '(default)'}: minimum {r['minimum_ms']} ms, "
        f"increment {r['increment_ms']} ms cannot be rated with unit rule {unit_rule}"
        for r in frame.filter(~usable).iter_rows(named=True)
    )
    whole = pl.col("increment_ms", "minimum_ms", "unit_ms").clip(0, longest)
    rated = frame.with_columns(whole).with_columns(
        pl.when(pl.col("unit_ms") > 0).then("unit_ms").otherwise(60_000).alias("unit_ms"),
        pl.lit(0, pl.Int64).alias("grace_ms"),
        pl.lit(Decimal(0)).cast(pl.Decimal(24, 12)).alias("connect_fee"),
        pl.lit(None, pl.Datetime("ms", "UTC")).alias("effective_from"),
        pl.lit(None, pl.Datetime("ms", "UTC")).alias("effective_to"),
        pl.when(usable & pl.col("price").is_not_null())
        .then(pl.lit("active"))
        .otherwise(pl.lit("blocked"))
        .alias("status"),
        *_UNCONDITIONAL,
    )
    names = [name for name, _, _ in BY_NAME["rate/rates"].columns]
    return rated.select(names).sort(
        "plan_sid", "plan_version", "prefix", "mcc", "mnc", "country_code"
    ), refused


def _ms(column: str) -> pl.Expr:
    return (pl.col(column) * Decimal(1000)).cast(pl.Int64)


def _unit_ms(unit_rule: str) -> pl.Expr:
    if unit_rule == "minimum":
        return pl.col("minimum_ms")
    return pl.lit(int(unit_of(unit_rule, Decimal(0)) * 1000), pl.Int64)


def _plan(row: dict) -> RatePlan:
    return RatePlan(
        row["plan_sid"],
        row["plan_version"],
        row["service"],
        row["currency"],
        row["origin"],
        row["direction"],
        row["family"],
        row["name"] or "",
        row["unit_rule"],
        row["increment_rule"],
        row["billable_base"],
        row["match_field"],
        row["rounding_mode"],
        row["rounding_decimals"],
        tuple(filter(None, (row["billable_statuses"] or "").split(","))),
        row["effective_from"],
        row["effective_to"],
        row["time_zone"] or "UTC",
        windows_of(row["windows"]),
        row["base_rounding"] or "exact",
    )


def plan_row(plan: RatePlan, count: int, content_hash: str) -> dict:
    """A row of ``rate/plans``."""
    return {
        "plan_sid": plan.plan_sid,
        "plan_version": plan.version,
        "origin": plan.origin,
        "service": plan.service,
        "direction": plan.direction,
        "family": plan.family,
        "name": plan.name,
        "currency": plan.currency,
        "unit_rule": plan.unit_rule,
        "increment_rule": plan.increment_rule,
        "billable_base": plan.billable_base,
        "match_field": plan.match_field,
        "rounding_mode": plan.rounding_mode,
        "rounding_decimals": plan.rounding_decimals,
        "billable_statuses": ",".join(plan.billable_statuses),
        "effective_from": plan.effective_from,
        "effective_to": plan.effective_to,
        "time_zone": plan.time_zone,
        "windows": windows_text(plan.windows),
        "base_rounding": plan.base_rounding,
        "rows": count,
        "content_hash": content_hash,
    }


def _all_rates(rows: pl.DataFrame) -> RateRows:
    """Rates from rows of ``rate/rates``: a few sets of terms stand behind many prefixes, and are read once each."""
    names = [name for name in rows.columns if name != "prefix"]
    sets = rows.with_row_index("row").group_by(names, maintain_order=True).agg("row")
    shared = [_rate({"prefix": ""} | row) for row in sets.select(names).iter_rows(named=True)]
    at = sets.select("row").with_row_index("set").explode("row").sort("row")["set"]
    return RateRows(rows["prefix"].fill_null("").to_list(), [shared[n] for n in at.to_list()])


def _rate(row: dict) -> Rate:
    return Rate(
        row["price"],
        row["prefix"] or "",
        row["country_code"],
        row["mcc"],
        row["mnc"],
        Decimal(row["increment_ms"]) / 1000,
        Decimal(row["minimum_ms"]) / 1000,
        Decimal(row["grace_ms"]) / 1000,
        Decimal(row["unit_ms"]) / 1000,
        row["connect_fee"] or Decimal(0),
        row["effective_from"],
        row["effective_to"],
        row["status"] == "blocked",
        row["origin_prefix"] or "",
        row["jurisdiction"],
        row["window_name"] or "",
        row["min_charge"],
        row["max_charge"],
        steps_of(row["steps"]),
    )

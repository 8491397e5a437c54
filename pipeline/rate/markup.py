"""Makes the markup plans of the masters: retail plans that follow the provider's, version by version.

Each version of the provider's plan gives one of the markup plan, in force from and to the same instants, so every
rated row names the provider's version that its price was made from. A version is written again only where the
provider's rates or the markup's own rules have changed, and its name says both. Blocked rows stay blocked.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa

from pipeline.domain.markup import Markup, prices
from pipeline.domain.rate_plan import RETAIL
from pipeline.errors import MasterError
from pipeline.lake.lake import DataFile, Lake, Staged
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.rate.plans import BUILDER, LABEL, provider_sid

PREFIX = "markup="


@dataclass(frozen=True, slots=True)
class MarkupReport:
    """Plan versions written anew, those that were as they should be, and files that are not wanted any more."""

    written: int
    unchanged: int
    removed: int


def build_markups(lake: Lake, ledger: Ledger, markups: Iterable[Markup], *, now: datetime) -> MarkupReport:
    """Brings the markup plans up to the provider's plans, which must have been built before, and to the masters.

    Raises:
        MasterError: an imported plan has the name of a markup plan.
    """
    markups = tuple(markups)
    held = {
        (f.table, f.label): f
        for table in ("rate/plans", "rate/rates")
        for f in lake.files(table)
        if f.label.startswith(PREFIX)
    }
    if not markups and not held:
        return MarkupReport(0, 0, 0)
    _check_names(lake, markups)
    provider = lake.scan("rate/plans", [LABEL]).collect()
    staged: list[Staged] = []
    wanted: set[tuple[str, str]] = set()
    unchanged = 0
    for markup in markups:
        versions = _versions(markup, provider)
        label = PREFIX + markup.plan_sid
        wanted.add(("rate/plans", label))
        staged += _stage_plan(lake, label, versions, held)
        for source, row in versions:
            at = ("rate/rates", f"{label}.{row['plan_version']}")
            wanted.add(at)
            if at in held:
                unchanged += 1
            else:
                staged.append(lake.stage(*at, _rates(lake, markup, source, row)))
    gone = sorted(set(held) - wanted)
    if staged or gone:
        with ledger.transaction() as tx:
            lake.commit(tx, staged, at=now, stage="rate", note=f"{len(markups)} markup plans", remove=gone)
    written = sum(1 for s in staged if s.table == "rate/rates")
    return MarkupReport(written, unchanged, sum(1 for table, _ in gone if table == "rate/rates"))


def _check_names(lake: Lake, markups: tuple[Markup, ...]) -> None:
    imported = {f.label for f in lake.files("rate/plans")}
    for markup in markups:
        if f"plan={markup.plan_sid}" in imported:
            msg = (
                f"markups.csv makes a plan {markup.plan_sid}, and a deck was imported under that name: which of the "
                "two prices is anybody's guess. Give the markup another plan_sid."
            )
            raise MasterError(msg)


def _versions(markup: Markup, provider: pl.DataFrame) -> list[tuple[dict, dict]]:
    """(the provider's row of rate/plans, the markup plan's) for each version of the plan that is followed."""
    sid = provider_sid(markup.service, markup.direction, markup.family)
    rows = provider.filter(pl.col("plan_sid") == sid).sort("effective_from").to_dicts()
    return [(row, _plan_row(markup, row)) for row in rows]


def _plan_row(markup: Markup, source: dict) -> dict:
    # What a price is made of: the provider's rates as read under the policy's terms, and the rules.
    terms = (BUILDER, source["plan_version"], source["unit_rule"], markup.rules)
    digest = hashlib.sha256(repr(terms).encode()).hexdigest()[:8]
    return source | {
        "plan_sid": markup.plan_sid,
        "plan_version": f"{source['plan_version']}-m{digest}",
        "origin": RETAIL,
        "name": markup.name,
        "content_hash": digest,
    }


def _stage_plan(
    lake: Lake, label: str, versions: list[tuple[dict, dict]], held: dict[tuple[str, str], DataFile]
) -> list[Staged]:
    rows = [row for _, row in versions]
    inputs = hashlib.sha256(repr(rows).encode()).hexdigest()
    known = held.get(("rate/plans", label))
    if known is not None and known.inputs == inputs:
        return []
    table = pa.Table.from_pylist(rows, schema=BY_NAME["rate/plans"].schema)
    return [lake.stage("rate/plans", label, table, inputs)]


def _rates(lake: Lake, markup: Markup, source: dict, row: dict) -> pl.DataFrame:
    rates = (
        lake.scan("rate/rates", [LABEL])
        .filter(
            (pl.col("plan_sid") == source["plan_sid"]) & (pl.col("plan_version") == source["plan_version"])
        )
        .collect()
    )
    made = prices(markup, list(rates.select("prefix", "country_code", "price").iter_rows()))
    priced = pl.Series("price", made, pl.Decimal(24, 12))
    return rates.with_columns(
        priced,
        pl.lit(row["plan_sid"]).alias("plan_sid"),
        pl.lit(row["plan_version"]).alias("plan_version"),
        pl.when(priced.is_null()).then(pl.lit("blocked")).otherwise("status").alias("status"),
    )

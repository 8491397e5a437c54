"""The provider's rate plans into ``land.rates``: every version that was ever seen, one file each.

Only the plan in force can be read from the provider, so history is what we saw. A version is its effective date and
the hash of its rates: the provider reuses ``rates_plan_sid`` and may change a plan without a new date.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipeline.errors import DeckError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME

_TABLE = BY_NAME["land/rates"]
_RATE = pl.Decimal(24, 12)
_NUMBER = r"^-?\d{1,12}(\.\d{1,12})?$"
_TEXTS = ("prefix", "country_code", "country_name", "network", "operator")
_NUMBERS = ("billing_increment", "billing_minimum", "price")


@dataclass(frozen=True, slots=True)
class PlanLanded:
    """A plan's version, its rates, and whether it was new."""

    plan: str
    version: str
    rows: int
    new: bool


def land_plan(
    lake: Lake,
    *,
    service: str,
    direction: str,
    family: str,
    effective_date: str,
    rates_plan_sid: str | None,
    rates_plan_name: str | None,
    items: list[dict[str, Any]],
    now: datetime,
) -> PlanLanded:
    """Lands one plan; a version that is held already changes nothing.

    Raises:
        DeckError: a price or increment is no number, or two rates have one key.
    """
    name = f"{service}-{direction}-{family}"
    rates = _rates(name, items)
    effective = _instant(effective_date)
    version = f"{effective:%Y%m%d}-{_digest(rates)}"
    label = f"{name}.{version}"
    if lake.files(_TABLE.name, [label]):
        return PlanLanded(name, version, rates.height, new=False)
    utc = pl.Datetime("ms", "UTC")
    constant = {
        "service": service,
        "direction": direction,
        "family": family,
        "plan_version": version,
        "rates_plan_sid": rates_plan_sid,
        "rates_plan_name": rates_plan_name,
    }
    frame = rates.with_columns(
        *(pl.lit(value, pl.String).alias(column) for column, value in constant.items()),
        pl.lit(effective).cast(utc).alias("effective_date"),
        pl.lit(now).cast(utc).alias("seen_at"),
    )
    staged = lake.stage(_TABLE.name, label, frame.select(_TABLE.schema.names))
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=now, stage="land", note=f"rates {label}")
    return PlanLanded(name, version, rates.height, new=True)


def _rates(name: str, items: list[dict[str, Any]]) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {}
    for column in (*_TEXTS, *_NUMBERS, "mcc", "mnc"):
        values = [None if (v := item.get(column)) is None else str(v) for item in items]
        columns[column] = pl.Series(column, values, pl.String)
    frame = pl.DataFrame(columns).with_columns(
        pl.col("prefix").fill_null("").str.strip_prefix("+"),
        pl.col("mcc", "mnc").cast(pl.Int32, strict=False),
    )
    bad = frame.filter(pl.any_horizontal(~pl.col(c).str.contains(_NUMBER) for c in _NUMBERS))
    bad = bad if bad.height else frame.filter(~pl.col("prefix").str.contains(r"^\d*$"))
    if bad.height:
        row = {k: v for k, v in bad.row(0, named=True).items() if v is not None}
        msg = f"the provider's plan {name} has a rate that is none: {row}. The version was not taken."
        raise DeckError(msg)
    key = ["prefix", "mcc", "mnc"]
    frame = frame.with_columns(pl.col(c).cast(_RATE) for c in _NUMBERS).sort(key)
    twice = frame.filter(frame.select(key).is_duplicated())
    if twice.height:
        msg = f"the provider's plan {name} prices prefix {twice['prefix'][0]!r} twice. The version was not taken."
        raise DeckError(msg)
    return frame


def _digest(rates: pl.DataFrame) -> str:
    text = rates.write_csv(None)
    return hashlib.sha256(re.sub(r"\r\n", "\n", text).encode()).hexdigest()[:12]


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

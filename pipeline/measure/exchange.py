"""The lake's copy of the masters' exchange rates, each with the days that it serves, ready to be joined."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

import pyarrow as pa

from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import ExchangeRate

TABLE = "measure/exchange_rates"
_LABEL = "all"
# A rate that is older is no rate of that day any more.
_LONGEST = timedelta(days=31)


def export_exchange_rates(lake: Lake, ledger: Ledger, rates: Iterable[ExchangeRate], *, at: datetime) -> None:
    """Brings the copy up to the masters; nothing is written where nothing has changed."""
    rows = exchange_rows(rates)
    inputs = hashlib.sha256(repr(rows).encode()).hexdigest()
    known = lake.files(TABLE, [_LABEL])
    if (not rows and not known) or any(file.inputs == inputs for file in known):
        return
    table = pa.Table.from_pylist(rows, schema=BY_NAME[TABLE].schema)
    with ledger.transaction() as tx:
        staged = lake.stage(TABLE, _LABEL, table, inputs)
        lake.commit(tx, [staged], at=at, stage="measure", note="exchange rates")


def exchange_rows(rates: Iterable[ExchangeRate]) -> list[dict[str, Any]]:
    """Each rate from its day up to the next one's, at most a month; and the report's own currency, worth itself."""
    ordered = sorted(rates, key=lambda rate: (rate.currency, rate.date))
    rows = []
    for _, own in groupby(ordered, key=lambda rate: rate.currency):
        for rate, following in pairwise([*own, None]):
            assert rate is not None
            until = rate.date + _LONGEST
            rows.append(_row(rate, min(until, following.date) if following else until))
    if ordered:
        into = ordered[0].report_currency
        itself = ExchangeRate(date.min, into, Decimal(1), into, "itself")
        rows.append(_row(itself, date.max))
    return rows


def _row(rate: ExchangeRate, until: date) -> dict[str, Any]:
    names = ("date", "currency", "rate", "report_currency", "source")
    return {name: getattr(rate, name) for name in names} | {"until": until}

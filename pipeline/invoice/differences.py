"""Posts what a what-if would have charged otherwise, as adjustments: the difference, and only of what was billed.

A record counts where an issued invoice has billed it at the revision that the what-if rated. What it is adjusted by is
its new amount less everything that was billed or posted for it before; so the same what-if posts nothing a second
time, and a better one posts the rest. What no invoice has taken yet is billed on the plan in use, and is left to it.

Where bundles or tiers apply, one record's price moves what others draw. So a period in which a record moves is drawn
anew: all that was billed of it gives back what it drew and draws again in call order, by the bundles and tiers that
the master files have for it now; see ``allowances``. What comes out is what rating and billing it in one piece would
have come to. The draws change with the adjustments, in one commit: what comes late finds what is left by then. The
queries are in ``sql/invoice/adjusting``; each makes one temporary table, ``adjusting`` is the last.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.domain.period import Period
from pipeline.domain.rounding import quantize
from pipeline.errors import GateError
from pipeline.invoice.adjustments import WHATIF, Adjustment, Batch, post
from pipeline.invoice.allowances import Key, draw_taken
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Account, Calendar
from pipeline.invoice.export import export
from pipeline.lake.disk import quoted
from pipeline.lake.duck import rows_table
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.views import sql_text
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import Masters

_INSTANT = pa.timestamp("us", "UTC")
_POOLED = pa.schema(
    [
        ("payer_sid", pa.string()),
        ("payee_sid", pa.string()),
        ("own_start", _INSTANT),
        ("own_end", _INSTANT),
    ]
)
_BEFORE = "select * from invoice.draws where payer_sid in (select payer_sid from asked)"
_DREW = "select distinct payer_sid, payee_sid from drawn_before"
_WINDOW = "select coalesce(min(own_start), $now), coalesce(max(own_end), $now) from periods"
_LINES = """
select
    a.payer_sid, a.payee_sid, a.of_invoice_sid, a.of_line_no, v.number, any_value(v.currency),
    any_value(l.type), any_value(l.direction), any_value(l.country_code), any_value(l.description),
    any_value(l.date_billing_period_start), any_value(l.date_billing_period_end),
    count(*), sum(a.amount), sum(a.usage)
from adjusting as a
join invoice.invoices as v on v.invoice_sid = a.of_invoice_sid
join invoice.items as l on l.invoice_sid = a.of_invoice_sid and l.line_no = a.of_line_no
where a.left_out is null and (a.amount <> 0 or a.redrawn)
group by all
having bool_or(a.amount <> 0)
order by a.payer_sid, a.payee_sid, v.number, a.of_line_no
"""
_RECORDS = """
select '{batch_sid}' as batch_sid, * exclude (left_out, redrawn)
from adjusting
where left_out is null and (amount <> 0 or redrawn)
order by date_stop, source, dr_sid, payer_sid
"""
_REDRAWN = """
select of_invoice_sid as invoice_sid, 'charge' as side, timestamptz '{now}' as redrawn_at, *
from compared
where changed and own not in (select own from compared where unsure is not null)
order by date_stop, source, dr_sid, payer_sid, kind, key, own_number
"""
_COUNT = "select count(*) from adjusting where left_out is null and redrawn"
_LEFT = "select left_out, count(*) from adjusting where left_out is not null group by all order by all"


@dataclass(frozen=True, slots=True)
class Posted:
    """What waits now for the next invoices; ``left_out`` counts the records that were not adjusted, by why, and
    ``redrawn`` those that draw otherwise on bundles and tiers, moved or not."""

    batch_sid: str
    adjustments: tuple[Adjustment, ...]
    left_out: dict[str, int]
    redrawn: int = 0

    @property
    def records(self) -> int:
        return sum(a.records for a in self.adjustments)

    def amounts(self) -> dict[str, Decimal]:
        """Money per currency; negative is given back."""
        sums: dict[str, Decimal] = {}
        for a in self.adjustments:
            sums[a.currency] = sums.get(a.currency, Decimal(0)) + a.amount
        return sums


def post_differences(
    lake: Lake,
    ledger: Ledger,
    masters: Masters,
    held: Sequence[Calendar],
    folder: Path,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> Posted:
    """Posts the answer in ``folder`` as adjustments, each to the line of the invoice that had billed its records.

    Raises:
        GateError: there is nothing to post, or a payer is no customer any more.
    """
    batch_sid = f"{WHATIF}-{hashlib.sha256(f'{folder.name}|{now.isoformat()}'.encode()).hexdigest()[:16]}"
    accounts = {c.account.key: c.account for c in held}
    with lake.duck() as con:
        con.execute(
            f"create temp view asked as select * from read_parquet('{quoted(folder / 'records')}/*.parquet')"
        )
        _compare(con, masters, held, now)
        left_out = dict(con.execute(_LEFT).fetchall())
        redrawn = con.execute(_COUNT).fetchall()[0][0]
        made = tuple(_adjustment(accounts, *row) for row in con.execute(_LINES).fetchall())
        staged = _stage(lake, con, batch_sid, now)
    if not staged:
        raise GateError(_nothing(folder.name, left_out))
    with ledger.transaction() as tx:
        post(tx, Batch(batch_sid, WHATIF, by, now, reason), made)
        lake.commit(tx, staged, at=now, stage="invoice", note=f"{batch_sid}: {reason}")
    export(lake, ledger, at=now)
    return Posted(batch_sid, made, left_out, redrawn)


def _compare(con: Duck, masters: Masters, held: Sequence[Calendar], now: datetime) -> None:
    """Works out ``adjusting`` and ``compared`` of the what-if in ``asked``."""
    _make(con, "billed")
    _make(con, "moved")
    con.execute(f"create temp table drawn_before as {_BEFORE}")
    con.register("pooled", _pooled(con, masters, held))
    _make(con, "periods")
    first, last = con.execute(_WINDOW, {"now": now}).fetchall()[0]
    window = {"first": first, "last": last}
    _make(con, "taken", window)
    # Everything is given back before anything is drawn.
    con.execute("create or replace view invoice.draws as select * from drawn_before where false")
    keys: set[Key] = set(con.execute("select distinct payer_sid, payee_sid from periods").fetchall())
    draw_taken(con, keys, masters, window)
    _make(con, "compared")
    _make(con, "adjusting")


def _make(con: Duck, name: str, window: dict[str, datetime] | None = None) -> None:
    con.execute(f"create temp table {name} as {sql_text(f'invoice/adjusting/{name}')}", window)


def _pooled(con: Duck, masters: Masters, held: Sequence[Calendar]) -> pa.Table:
    """The closed periods of the accounts that have bundles or tiers, or once drew on some."""
    drew = set(con.execute(_DREW).fetchall())
    rows = [
        (*c.account.key, period.start, period.end)
        for c in held
        if c.account.key in drew or masters.allowances(c.account.customer.partner_sid)
        for period in c.periods
    ]
    return rows_table(rows, _POOLED)


def _stage(lake: Lake, con: Any, batch_sid: str, now: datetime) -> list[Staged]:
    """The adjusted records, and what they draw otherwise, as far as there are any."""
    queries = {
        "invoice/adjusted": _RECORDS.format(batch_sid=batch_sid),
        "invoice/draws": _REDRAWN.format(now=now.isoformat()),
    }
    return lake.stage_found(con, batch_sid, queries)


def _adjustment(
    accounts: dict[tuple[str, str], Account],
    payer: str,
    payee: str,
    invoice_sid: str,
    line_no: int,
    number: str,
    currency: str,
    kind: str,
    direction: str | None,
    country: str | None,
    described: str,
    start: datetime,
    end: datetime,
    records: int,
    amount: Decimal,
    usage: Decimal,
) -> Adjustment:
    account = accounts.get((payer, payee))
    if account is None:
        msg = (
            f"{payer} is no customer of {payee} any more: put it back into customers.csv. Nothing was posted."
        )
        raise GateError(msg)
    first = described if described.startswith(("SMS", "MMS")) else described[0].lower() + described[1:]
    return Adjustment(
        payer,
        account.seller.key,
        currency,
        f"Adjustment to {number}, line {line_no}: {first}",
        amount,
        kind,
        direction,
        country,
        int(quantize(usage, 0, "half_up")),
        records,
        invoice_sid,
        line_no,
        Period(start.astimezone(UTC), end.astimezone(UTC)),
    )


def _nothing(name: str, left_out: dict[str, Any]) -> str:
    why = ", ".join(f"{count} records: {reason}" for reason, count in left_out.items())
    return (
        f"the what-if {name} has nothing to post: what was billed, with what was posted before, is what it says"
        f"{f' ({why})' if why else ''}. A record that is not billed yet is billed on the plan in use: import the plan "
        "or assign it, and rate again."
    )

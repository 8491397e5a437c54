"""Bundles and tiers of the records that invoices take: the rules of ``domain/draws.py``, all records at once.

The pass runs where an invoice takes its records, and what it drew is committed with the invoice: so nobody else can
draw the same minutes, and a draft that is dropped gives its minutes back. The queries are in ``sql/invoice/draws``;
each makes one temporary table, ``draws`` is the last.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipeline.domain.allowances import BUNDLE, NUMBER, TIER, USAGE, Bundle, Scope, Tier, held_by
from pipeline.domain.period import Period
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Due
from pipeline.lake.batches import batches
from pipeline.lake.duck import rows_table
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.views import sql_text
from pipeline.masters.model import Masters

# What ``taken`` has to hold for this, besides what every invoice needs, and where that is from.
TAKEN = """,
    u.matched_number, u.rate_price, u.connect_fee, u.unit_seconds, u.full_amount, u.full_usage,
    p.rounding_mode, p.rounding_decimals"""
PLANS = "left join rate.plans as p on p.plan_sid = u.plan_sid and p.plan_version = u.plan_version"
BATCH_RECORDS = 100_000
_MOST = 10**30
_MONEY, _SECONDS, _UNITS = "money", "seconds", "units"
_TEXTS = pa.list_(pa.string())
# (payer_sid, payee_sid)
Key = tuple[str, str]
_TERMS = pa.schema(
    [
        ("term", pa.int32()),
        ("payer_sid", pa.string()),
        ("payee_sid", pa.string()),
        ("kind", pa.string()),
        ("rank", pa.int32()),
        ("key", pa.string()),
        ("name", pa.string()),
        ("service", pa.string()),
        ("direction", pa.string()),
        ("items", _TEXTS),
        ("countries", _TEXTS),
        ("prefixes", pa.string()),
        ("per", pa.string()),
        ("from_at", pa.timestamp("us", "UTC")),
        ("to_at", pa.timestamp("us", "UTC")),
        ("measure", pa.string()),
        ("quantity_ms", pa.int64()),
        ("rule", pa.string()),
        ("unit_ms", pa.int64()),
        ("priced", pa.bool_()),
    ]
)
_STEPS = pa.schema(
    [
        ("term", pa.int32()),
        ("from_n", pa.decimal128(38, 0)),
        ("to_n", pa.decimal128(38, 0)),
        ("value", pa.decimal128(38, 0)),
    ]
)
# num / den is money in 1e-12; the answer is in 1e-10, rounded once, to steps of a plan's quantum.
_ROUNDED = """
create or replace temp macro rounded_e10(num, den, step, how) as (
    sign(num)::hugeint * (step // 100) * (abs(num) // (den * step) + case
        when how = 'half_up' and abs(num) % (den * step) * 2 >= den * step then 1
        when how = 'up' and abs(num) % (den * step) > 0 then 1
        when how = 'half_even' and abs(num) % (den * step) * 2 > den * step then 1
        when how = 'half_even' and abs(num) % (den * step) * 2 = den * step and abs(num) // (den * step) % 2 = 1 then 1
        else 0
    end)
)
"""
_PERIODS = """
create or replace temp table periods as
select (row_number() over (order by payer_sid, payee_sid, own_start, own_end))::integer as own, *
from (
    select distinct d.payer_sid, d.payee_sid, o.own_start, o.own_end
    from due as d join own_periods as o on o.invoice_sid = d.invoice_sid
)
"""
_PAYERS = "select payer_sid, payee_sid from terms union select payer_sid, payee_sid from invoice.draws"
_SIZES = """
select invoice_sid, count(*)
from taken join payers using (payer_sid, payee_sid)
group by invoice_sid
order by invoice_sid
"""
_OWN_NUMBERS = """
select source, dr_sid, translate(number_billing, '+ ().-', '') as own_number
from land.calls where date_stop >= $first and date_stop < $last
union all
select source, dr_sid, translate(number_billing, '+ ().-', '')
from land.messages where date_insert >= $first and date_insert < $last
"""
_NO_NUMBERS = (
    "select null::varchar as source, null::varchar as dr_sid, null::varchar as own_number where false"
)
_APPLY = """
create or replace temp table taken as
with drawn as (
    select invoice_sid, source, dr_sid, payer_sid, payee_sid, sum(amount)::decimal(20, 10) as amount,
        coalesce(sum(quantity) filter (kind = 'bundle'), 0)::decimal(18, 3) as included
    from draws
    group by all
)
select t.* replace (
    (t.amount + coalesce(x.amount, 0))::decimal(20, 10) as amount,
    coalesce(x.included, 0)::decimal(18, 3) as included,
    not (t.correction and t.amount + coalesce(x.amount, 0) = 0 and t.usage = 0) as shown
)
from taken as t
left join drawn as x
    on x.invoice_sid = t.invoice_sid and x.source = t.source and x.dr_sid = t.dr_sid
    and x.payer_sid = t.payer_sid and x.payee_sid = t.payee_sid
"""
_USES = """
with here as (
    select w.invoice_sid, w.payer_sid, w.payee_sid, p.own_start, p.own_end, w.kind, w.key, any_value(w.name) as name,
        any_value(w.measure) as measure, sum(w.quantity) as drawn, sum(w.amount) as amount
    from draws as w
    join periods as p
        on p.payer_sid = w.payer_sid and p.payee_sid = w.payee_sid
        and w.date_stop >= p.own_start and w.date_stop < p.own_end
    group by all
),
period as (
    select w.payer_sid, w.payee_sid, p.own_start, w.kind, w.key, sum(w.quantity) as used,
        count(distinct w.own_number) as pools
    from (
        select payer_sid, payee_sid, kind, key, own_number, date_stop, quantity from invoice.draws
        union all
        select payer_sid, payee_sid, kind, key, own_number, date_stop, quantity from draws
    ) as w
    join periods as p
        on p.payer_sid = w.payer_sid and p.payee_sid = w.payee_sid
        and w.date_stop >= p.own_start and w.date_stop < p.own_end
    group by all
)
select h.invoice_sid, h.own_start, h.own_end, h.kind, h.key, h.name, h.measure, h.drawn, h.amount, p.used, p.pools,
    t.quantity_ms, coalesce(t.per, 'customer')
from here as h
join period as p
    on p.payer_sid = h.payer_sid and p.payee_sid = h.payee_sid and p.own_start = h.own_start
    and p.kind = h.kind and p.key = h.key
left join terms as t
    on t.payer_sid = h.payer_sid and t.payee_sid = h.payee_sid and t.kind = h.kind and t.key = h.key
order by h.invoice_sid, h.own_start desc, h.kind, t.rank, h.key
"""
_BEFORE_BUNDLES = ("fits", "held", "rooms")
_AFTER_BUNDLES = ("bundled", "counted", "placed", "tiered")


@dataclass(frozen=True, slots=True)
class AllowanceUsed:
    """What an invoice drew from a bundle or counted in a tier, of one period.

    ``used`` is the period so far, this invoice included; ``quantity`` is what a bundle holds for the customer, or for
    each of ``pools`` numbers. ``amount`` is what it adds to the invoice: less than 0 takes off.
    """

    period: Period
    kind: str
    key: str
    name: str
    measure: str
    drawn: Decimal
    amount: Decimal
    used: Decimal
    pools: int
    quantity: Decimal | None
    per: str


def apply_allowances(con: Duck, due: Sequence[Due], masters: Masters) -> None:
    """Works out what the records in ``taken`` draw, into ``draws``, and takes it off their amounts."""
    con.execute(_PERIODS)
    window = {"first": min(d.claims_from for d in due), "last": max(d.period.end for d in due)}
    draw_taken(con, {d.account.key for d in due}, masters, window)
    con.execute(_APPLY)


def draw_taken(con: Duck, accounts: Iterable[Key], masters: Masters, window: dict[str, datetime]) -> None:
    """Works out what the records in ``taken`` draw in ``periods``, beside what ``invoice.draws`` holds, into ``draws``.

    Every row of ``taken`` names one of the ``accounts``, and ended within ``window``.
    """
    con.execute(_ROUNDED)
    con.execute("create or replace temp table draws as select * from invoice.draws where false")
    ranks = _register(con, accounts, masters)
    scopes = [*(b.scope for b in masters.bundles), *(t.scope for t in masters.tiers)]
    numbered = any(scope.per == NUMBER for scope in scopes)
    _make(con, "own_numbers", _OWN_NUMBERS if numbered else _NO_NUMBERS, window if numbered else None)
    _make(con, "payers", _PAYERS)
    for batch in _batches(con):
        con.register("batch", pa.table({"invoice_sid": pa.array(batch, pa.string())}))
        _draw(con, ranks)


def _draw(con: Duck, ranks: int) -> None:
    """Adds to ``draws`` what the invoices of ``batch`` draw."""
    _make(con, "charges_in_order", _query("charges"))
    con.execute("create or replace temp view charges as select rowid as n, * from charges_in_order")
    for name in _BEFORE_BUNDLES:
        _make(con, name, _query(name))
    _make(con, "drawn", _query("kept"))
    for rank in range(ranks):
        con.execute(f"insert into drawn {_query('bundle')}", {"rank": rank})
    for name in _AFTER_BUNDLES:
        _make(con, name, _query(name))
    con.execute(f"insert into draws by name {_query('differences')}")


def _batches(con: Duck) -> Iterator[list[str]]:
    """The invoices with something to draw on, so many at a time that their records fit in memory.

    Invoices of one payer share no pool: each has periods of its own.
    """
    return batches(con.execute(_SIZES).fetchall(), BATCH_RECORDS)


def needed(lake: Lake, masters: Masters) -> bool:
    """Whether there is anything to draw on, or anything drawn that a correction could give back."""
    return bool(masters.bundles or masters.tiers or lake.files("invoice/draws"))


def uses(con: Duck) -> dict[str, list[AllowanceUsed]]:
    """What each invoice draws, by invoice_sid: its own period's first."""
    found: dict[str, list[AllowanceUsed]] = {}
    for sid, *row in con.execute(_USES).fetchall():
        found.setdefault(sid, []).append(_used(*row))
    return found


def stage_draws(lake: Lake, con: Any, invoice_sid: str) -> list[Staged]:
    """Writes what one invoice drew, if anything."""
    query = f"select * from draws where invoice_sid = '{invoice_sid}'"
    if not con.execute(f"select count(*) from ({query})").fetchall()[0][0]:
        return []
    order = "order by date_stop, source, dr_sid, payer_sid, kind, key, own_number"
    return [lake.stage_query(con, "invoice/draws", invoice_sid, f"{query} {order}")]


def _query(name: str) -> str:
    return sql_text(f"invoice/draws/{name}")


def _make(con: Duck, name: str, query: str, window: dict[str, datetime] | None = None) -> None:
    con.execute(f"create or replace temp table {name} as {query}", window)


def _register(con: Duck, accounts: Iterable[Key], masters: Masters) -> int:
    """Makes the bundles and tiers of these accounts known, numbered in their order; the most bundles that one has."""
    terms: list[tuple] = []
    steps: list[tuple] = []
    ranks = 0
    for payer, payee in sorted(accounts):
        bundles, tiers = held_by(payer, masters.bundles), held_by(payer, masters.tiers)
        ranks = max(ranks, len(bundles))
        for rank, bundle in enumerate(bundles):
            terms.append((len(terms), payer, payee, BUNDLE, rank, *_bundle(bundle)))
        for rank, tier in enumerate(tiers):
            steps += [(len(terms), *step) for step in _tier_steps(tier)]
            terms.append((len(terms), payer, payee, TIER, rank, *_tier(tier)))
    con.register("terms", _table(terms, _TERMS))
    con.register("tier_steps_given", _table(steps, _STEPS))
    whole = "from_n::hugeint as from_n, to_n::hugeint as to_n, value::hugeint as value"
    _make(con, "tier_steps", f"select * replace ({whole}) from tier_steps_given")
    return ranks


def _bundle(b: Bundle) -> tuple:
    measure = _SECONDS if b.scope.service == "call" else _UNITS
    return b.key, b.name, *_scope(b.scope), measure, int(b.quantity * 1000), None, None, None


def _tier(t: Tier) -> tuple:
    usage = _SECONDS if t.scope.service == "call" else _UNITS
    measure = usage if t.measure == USAGE else _MONEY
    priced = any(step.price is not None for step in t.steps)
    return t.key, t.name, *_scope(t.scope), measure, None, t.rule, int(t.unit * 1000), priced


def _scope(s: Scope) -> tuple:
    prefixes = f"^({'|'.join(s.prefixes)})" if s.prefixes else ""
    return s.service, s.direction, list(s.items), list(s.countries), prefixes, s.per, s.start, s.end


def _tier_steps(t: Tier) -> list[tuple]:
    scale = 1000 if t.measure == USAGE else 10**10
    edges = [int(step.after * scale) for step in t.steps]
    rows: list[tuple] = [(-_MOST, edges[0], None)]
    for step, begin, end in zip(t.steps, edges, [*edges[1:], _MOST], strict=True):
        value = step.price * 10**12 if step.price is not None else (step.percent or Decimal(0)) * 10**4
        rows.append((begin, end, int(value)))
    return rows


def _used(
    start: datetime, end: datetime, kind: str, key: str, name: str, measure: str, drawn: Decimal, amount: Decimal,
    used: Decimal, pools: int, quantity_ms: int | None, per: str,
) -> AllowanceUsed:  # fmt: skip
    quantity = None if quantity_ms is None else Decimal(quantity_ms) / 1000
    period = Period(start.astimezone(UTC), end.astimezone(UTC))
    return AllowanceUsed(period, kind, key, name, measure, drawn, amount, used, pools, quantity, per)


def _table(rows: list[tuple], schema: pa.Schema) -> pa.Table:
    return rows_table([tuple(map(_cell, row)) for row in rows], schema)


def _cell(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and abs(value) > 2**62 else value

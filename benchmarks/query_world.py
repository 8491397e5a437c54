"""The world that ``queries.py`` asks about: a month of calls, their invoices and what stands around them.

A month of landed and rated calls is made in Parquet by DuckDB, a file for each part of a day, and committed to a lake;
nothing is fetched. Partners, trunk groups and numbers follow a power law, and a number and a trunk group belong to one
partner, as in life. One answered call in a thousand has no price, the provider charged one in fifty thousand twice.
All but a few customers have an invoice with taxes that took the month, but for a few records that came late.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

START, DAYS, PART = datetime(2026, 3, 1, tzinfo=UTC), 31, 480_000
AFTER = datetime(2026, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 3, tzinfo=UTC)
PARTNERS, TRUNKS, NUMBERS, PREFIXES = 200, 40, 20_000, 20_000
# So many customers have an invoice, and so many charges of theirs are on none.
INVOICED, LATE = 195, 3
COUNTRIES = ("USA", "USA", "USA", "CAN", "GBR", "DEU", "FRA", "ESP", "IND", "MEX")
PLAN = "provider:call:outbound:pstn"

_DICE = """
    select
        range + {first} as n,
        (hash(range + {first}) >> 1)::bigint as h,
        floor({partners} * pow((hash(range + {first}, 1) >> 40)::bigint / 16777216, 2))::bigint as partner,
        (hash(range + {first}, 3) >> 8) % 10 < 7 as answered,
        answered and h % 1000 = 1 as unpriced,
        ({prefixes} * pow((hash(range + {first}, 2) >> 40)::bigint / 16777216, 3))::bigint as prefix,
        1 + (-60000 * ln(1 - (hash(range + {first}, 4) >> 40)::bigint / 16777217))::bigint as talk_ms,
        2000 + ((hash(range + {first}, 5) >> 40) % 15000)::bigint as ring_ms,
        if(answered, talk_ms // 6000 + 1, 0)::decimal(9, 0) as tenths,
        timestamptz '{day}' + to_milliseconds(({place} + range) * 86400000 // {whole}) as stop
    from range({count})
"""
_LANDED = """
    select
        'carrierx' as source, 'dr-' || lpad(n::varchar, 12, '0') as dr_sid, 1 as revision, 2::bigint as version,
        timestamptz '2026-04-02 00:00:00+00' as landed_at,
        stop - to_milliseconds(ring_ms + if(answered, talk_ms, 0)) as date_start, stop as date_stop,
        stop + to_milliseconds(1000 + h % 200000) as date_insert,
        if(h % 3 = 0, 'inbound', 'outbound') as direction, 'telecom' as type, 'partner-' || partner as partner_sid,
        '1516' || lpad((partner * {numbers} // {partners} + h % ({numbers} // {partners}))::varchar, 7, '0')
            as number_billing,
        if(answered, stop - to_milliseconds(talk_ms), null) as date_talk,
        if(h % 3 = 0, null, 'trunk-' || partner % {trunks}) as trunk_group_sid_src,
        if(h % 3 = 0, 'trunk-' || partner % {trunks}, null) as trunk_group_sid_dst,
        case when answered then 200 else [480, 486, 487, 404, 503][1 + (h // 7) % 5] end::integer as sipcause,
        if((h // 11) % 2 = 0, 'src', 'dst') as disconnect_originator, ['A', 'B', 'C'][1 + (h // 13) % 3] as stir_attest,
        true as stir_identity, if(h % 3 = 0, null, 'TN-Validation-Passed') as stir_verstat
    from ({dice})
    order by n
"""
_RATED = """
    select
        'carrierx' as source, 'dr-' || lpad(n::varchar, 12, '0') as dr_sid, 1 as revision,
        if(level = 0, 'cost', 'charge') as side, level,
        if(level = 0, 'root', 'partner-' || partner) as payer_sid, if(level = 0, null, 'root') as payee_sid,
        'partner-' || partner as partner_sid, 'call' as service, if(h % 3 = 0, 'inbound', 'outbound') as direction,
        'pstn' as family, if(h % 50 = 0, 'toll_free', 'toll') as item_type,
        {countries}[1 + prefix % 10] as country_code, (200 + prefix) || '5550100' as matched_number,
        stop - to_milliseconds(ring_ms + if(answered, talk_ms, 0)) as date_start, stop as date_stop,
        case when not answered then 'not_billable' when open then 'unrated' else 'rated' end as rating_status,
        case when not answered then 'not_answered' when open then 'no_rate' end as unrated_reason,
        if(level = 0, '{plan}', 'plan-' || partner % 20) as plan_sid, 'v1' as plan_version,
        if(answered and not open, (200 + prefix)::varchar, null) as matched_prefix,
        'USD' as currency, (level * 0.005 + 0.007)::decimal(24, 12) as rate_price,
        if(open, null, (tenths * (7 + 5 * level) * 0.0001::decimal(5, 4))::decimal(20, 10)) as amount,
        if(level = 0, (tenths * if(h % 50000 = 7, 14, 7) * 0.0001::decimal(5, 4))::decimal(24, 12), null)
            as provider_price,
        (if(answered, talk_ms, 0)::decimal(15, 0) * 0.001::decimal(4, 3))::decimal(18, 3) as base_seconds,
        60::decimal(18, 3) as unit_seconds, (tenths * 6)::decimal(18, 3) as billed_seconds
    from (
        select *, unpriced and level = 1 as open from ({dice}), (values (0), (1)) as levels(level)
    )
    order by n, level
"""
_CLAIMED = """
    select
        'invoice-' || partner as invoice_sid, 1 as line_no, 'call' as service, 'carrierx' as source,
        'dr-' || lpad(n::varchar, 12, '0') as dr_sid, 1 as revision, 'charge' as side,
        'partner-' || partner as payer_sid, 'root' as payee_sid, stop as date_stop,
        (tenths * 12 * 0.0001::decimal(5, 4))::decimal(20, 10) as amount, (tenths * 6)::decimal(18, 3) as usage
    from ({dice})
    where answered and not unpriced and partner < {invoiced} and n % ({records} // {late}) <> 17
    order by n
"""
_SUMS = """
    create temp table sums as
    select invoice_sid, payer_sid, count(*) as records, sum(usage)::bigint as usage,
        sum(amount)::decimal(20, 10) as exact, round(sum(amount), 2)::decimal(18, 2) as amount,
        round(round(sum(amount), 2) * 0.1::decimal(2, 1), 2)::decimal(18, 2) as tax
    from invoice.claims
    group by all
"""
_INVOICES = {
    "invoice/invoices": """
        select invoice_sid, payer_sid as partner_sid, 'Customer of ' || payer_sid as company_name,
            'INV-' || invoice_sid as number, 'open' as status, 'USD' as currency, amount, tax as amount_tax,
            (amount + tax)::decimal(18, 2) as amount_due,
            timestamptz '2026-03-01 00:00:00+00' as date_billing_period_start,
            timestamptz '2026-04-01 00:00:00+00' as date_billing_period_end,
            timestamptz '2026-04-02 00:00:00+00' as date_issued, timestamptz '2026-05-02 00:00:00+00' as date_due
        from sums
    """,
    "invoice/items": """
        select invoice_sid, 1 as line_no, 'toll' as type, 'USA' as country_code, 'Calls' as description, usage, records,
            exact as amount_exact, amount
        from sums
    """,
    "invoice/taxes": """
        select invoice_sid, 1 as line_no, 'sales' as rule, 'Sales tax' as name, 'state' as jurisdiction,
            amount::decimal(20, 10) as base, 0.1::decimal(24, 12) as rate, tax as amount, 'percent' as method
        from sums
    """,
}


def opened(home: Path) -> tuple[Any, Any]:
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger, sqlite_url

    ledger = Ledger.open(sqlite_url(home / "ledger.db"))
    return Lake(home, ledger, memory_limit="2GB"), ledger


def make(home: Path, records: int, days: range) -> None:
    """Lands, rates and claims days, one part after the other, so that memory holds one."""
    home.mkdir(parents=True, exist_ok=True)
    lake, ledger = opened(home)
    names = {"partners": PARTNERS, "trunks": TRUNKS, "numbers": NUMBERS, "prefixes": PREFIXES, "plan": PLAN}
    names |= {"countries": list(COUNTRIES), "invoiced": INVOICED, "late": LATE, "records": records}
    queries = {"land/calls": _LANDED, "rate/calls": _RATED, "invoice/claims": _CLAIMED}
    with lake.duck() as con:
        for day in days:
            first, after = records * day // DAYS, records * (day + 1) // DAYS
            at = START + timedelta(days=day)
            staged = []
            for part, begin in enumerate(range(first, after, PART)):
                held = {"place": begin - first, "whole": after - first, "count": min(PART, after - begin)}
                dice = _DICE.format(first=begin, day=at.isoformat(), **held, **names)
                label = f"date={at.date()}" + (f".p{part + 1:04d}" if part else "")
                for table, query in queries.items():
                    staged.append(_staged(lake, con, table, label, query.format(dice=dice, **names)))
            with ledger.transaction() as tx:
                lake.commit(tx, staged, at=NOW, stage="made")


def surround(home: Path) -> None:
    """Adds what stands around the calls."""
    import pyarrow as pa

    from pipeline.lake.tables import BY_NAME

    lake, ledger = opened(home)
    staged = []
    for table, rows in _surroundings().items():
        schema = BY_NAME[table].schema
        blank = dict.fromkeys(schema.names)
        whole = pa.Table.from_pylist([blank | row for row in rows], schema=schema)
        staged.append(lake.stage(table, "all", whole))
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=NOW, stage="made")


def invoice(home: Path) -> None:
    """Writes the invoices of all that is claimed."""
    lake, ledger = opened(home)
    with lake.duck() as con:
        con.execute(_SUMS)
        staged = [_staged(lake, con, table, "all", query) for table, query in _INVOICES.items()]
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=NOW, stage="made")


def _staged(lake: Any, con: Any, table: str, label: str, query: str) -> Any:
    from pipeline.lake.tables import BY_NAME

    con.register("blank", BY_NAME[table].schema.empty_table())
    return lake.stage_query(con, table, label, f"({query}) union all by name from blank")


def _surroundings() -> dict[str, list[dict[str, Any]]]:
    times = {"valid_from": START}
    period = {"date_billing_period_start": START, "date_billing_period_end": AFTER - timedelta(seconds=1)}
    day = START.date()
    items = [
        {"type": kind, "direction": direction, "country_code": country, "usage": "1", "amount": "1"}
        for kind in ("toll", "toll_free")
        for direction in ("inbound", "outbound")
        for country in sorted(set(COUNTRIES))
    ]
    return {
        "land/partners": [
            {"partner_sid": f"partner-{n}", "parent_sid": "root", "company_name": f"Partner {n}"} | times
            for n in range(PARTNERS)
        ],
        "land/dids": [
            {"did_sid": f"did-{n}", "phonenumber": f"1516{n:07d}", "partner_sid": f"partner-{n * PARTNERS // NUMBERS}"}
            | times
            for n in range(NUMBERS)
        ],
        "land/countries": [{"iso_3166_alpha_3": c, "common_name": c.title()} | times for c in sorted(set(COUNTRIES))],
        "land/trunk_groups": [{"trunk_group_sid": f"trunk-{n}", "name": f"Trunk {n}"} | times for n in range(TRUNKS)],
        "land/provider_invoices": [
            {"invoice_sid": "provider-1", "display_id": "P-1", "partner_sid": "root", "items_json": json.dumps(items)}
            | period | times
        ],
        "rate/plans": [
            {"plan_sid": PLAN, "plan_version": "v1", "origin": "provider", "service": "call", "increment_rule": "total"}
        ],
        "rate/rates": [
            {"plan_sid": PLAN, "plan_version": "v1", "prefix": str(200 + n), "status": "active", "increment_ms": 6_000,
             "minimum_ms": 6_000, "unit_ms": 60_000, "price": Decimal("0.007")}
            for n in range(PREFIXES)
        ],
        "invoice/accounts": [
            {"partner_sid": f"partner-{n}", "payee_sid": "root", "name": f"Partner {n}", "currency": "USD",
             "bill_from": START, "due_to": AFTER, "parked": None if n < INVOICED else "usage without a price"}
            for n in range(PARTNERS)
        ],
        "measure/signals": [
            {"signal_sid": f"signal-{n}", "day": day + timedelta(days=n % DAYS), "kind": "night", "severity": "low",
             "partner_sid": f"partner-{n}", "records": 10}
            for n in range(PARTNERS)
        ],
        "measure/exchange_rates": [
            {"date": day + timedelta(days=n), "until": day + timedelta(days=n + 1), "currency": "USD",
             "rate": Decimal("0.9"), "report_currency": "EUR"}
            for n in range(DAYS)
        ],
    }  # fmt: skip

"""The calls, messages, decks and customers that ``rate.py`` measures with: made here, the same every time.

Calls have every column of ``land.calls``, filled as the provider fills them. Customers and destinations follow power
laws, durations an exponential one; seven calls in ten are answered. The rows of the decks are shared out to the plans
by a power law too; six in ten are area code and exchange in North America, the others abroad and nested. A tenth of
the rows of each plan change their price on a day of the month that is the plan's own. There is a message for every
ten calls, and plans for messages with the prices of two thousand networks.

Days lie in parts of the size that landing gives them, written as landing writes them, and are made part by part, two
at once: a hundred million calls take the memory of one. No more than a month is made: days beyond it are its days over
again, as links under later dates, so that the disk holds a month. They are good for what does not ask a record for its
day.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.domain.rate_plan import RatePlan
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.layout import label_day, part_label
from pipeline.lake.parquet import ROW_GROUP
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.masters.model import Assignment, Customer, Masters, Place
from pipeline.rate.plans import plans_table

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 3, tzinfo=UTC)
DAYS = 31
PER_PLAN = 4
PER_MESSAGE = 10
TEXT_PLANS = 10
PART = 4 * ROW_GROUP
ROOT = "00000000-0000-4000-8000-000000000000"

_SETTING = """
    create or replace temp macro chance(n, salt) as (hash(n, salt) >> 11)::double / 9007199254740992.0;
    create or replace temp macro sid(n) as
        substr(md5(n::varchar), 1, 8) || '-' || substr(md5(n::varchar), 9, 4) || '-4' || substr(md5(n::varchar), 13, 3)
            || '-8' || substr(md5(n::varchar), 16, 3) || '-' || substr(md5(n::varchar), 19, 12);
    create or replace temp table plans as
        with shares as (select range as plan, 1.0 / (range + 2) as share from range({plans}))
        select plan::integer as plan, greatest(20, floor({prefixes} / 1.1 * share / sum(share) over ())::bigint) as size
        from shares;
    create or replace temp table prefixes as
        select range::integer as n, case
            when range % 10 < 6 then '1' || (201 + hash(range) % 790) || (200 + range // 10 * 6 % 800 + range % 10)
            else (20 + hash(range) % 79) || (range // 10)
        end as prefix
        from range((select max(size) from plans));
    create or replace temp table partners as
        select range::integer as customer, range::integer % {plans} as plan, sid('partner' || range) as sid,
            (select size from plans where plan = range % {plans}) as size
        from range({plans} * {per_plan});
    create or replace temp table fixed as
        select sid('gateway') as gateway, list(sid('trunk' || range)) as trunks from range(40)
"""

_RATES = """
    with held as (
        select plan, prefix, n, n % 10 = 7 as changes, part,
            timestamptz '2026-03-01 00:00:00+00' + to_days((1 + plan % 28)::integer) as changed
        from plans join (select min(n) as n, prefix from prefixes group by prefix) on n < size
        cross join (values (0), (1)) as parts(part)
    )
    select
        'plan-' || plan as plan_sid, 'v1' as plan_version, prefix, null::integer as mcc, null::integer as mnc,
        case when prefix like '1%' then 'USA' else 'DEU' end as country_code,
        case when n % 3 = 0 then 60000 else 6000 end as increment_ms,
        case when n % 3 = 0 then 60000 else 30000 end as minimum_ms,
        0 as grace_ms, 60000 as unit_ms,
        ((hash(n, plan + part) % 9000 + 10)::decimal(18, 0) * 0.0001::decimal(10, 4))::decimal(24, 12) as price,
        (case when n % 50 = 0 then 0.01 else 0 end)::decimal(24, 12) as connect_fee,
        case when part = 1 then changed end as effective_from,
        case when changes and part = 0 then changed end as effective_to,
        'active' as status
    from held where part = 0 or changes
"""

_CALLS = """
    with thrown as (
        select
            range as n,
            floor({customers} * pow(chance(range, 1), 2))::integer as customer,
            timestamptz '{day}' + to_milliseconds((range - {first}) * 86400000 // {count}) as stop
        from range({begin}, {end})
    ),
    dice as (
        select
            t.n, p.plan, p.sid as partner, p.customer, t.stop,
            floor(p.size * pow(chance(t.n, 2), 3))::integer as rank,
            chance(t.n, 3) < 0.7 as answered,
            (-60000 * ln(1 - chance(t.n, 4)))::bigint + 1 as talk_ms,
            2000 + (chance(t.n, 5) * 15000)::bigint as ring_ms
        from thrown as t join partners as p on p.customer = t.customer
    ),
    called as (
        select d.*, x.prefix,
            case when x.prefix like '1%' then x.prefix || lpad((hash(d.n) % 10000)::varchar, 4, '0')
            else left(x.prefix || lpad((hash(d.n) % 10000000000)::varchar, 10, '0'), 12) end as far
        from dice as d join prefixes as x on x.n = d.rank
    )
    select
        'carrierx' as source, sid(n) as dr_sid, 1 as revision, 2::bigint as version,
        timestamptz '2026-04-02 00:00:00+00' as landed_at,
        stop - to_milliseconds(ring_ms + case when answered then talk_ms else 0 end) as date_start, stop as date_stop,
        stop + to_milliseconds(1000 + n % 200000) as date_insert, 'outbound' as direction, 'telecom' as type,
        partner as partner_sid, '1516' || lpad((hash(n, 6) % 4000)::varchar, 7, '2') as number_billing,
        far as number_external, '1516' || lpad((hash(n, 6) % 4000)::varchar, 7, '2') as number_src, far as number_dst,
        0.005::decimal(24, 12) as rate,
        (case when answered then (talk_ms // 6000 + 1) * 0.0005 else 0 end)::decimal(24, 12) as price,
        case when answered then stop - to_milliseconds(talk_ms) end as date_talk,
        ((ring_ms + case when answered then talk_ms else 0 end)::decimal(18, 0) * 0.001::decimal(4, 3))::decimal(24, 12)
            as duration,
        (case when answered then (talk_ms // 6000 + 1) * 6 else 0 end)::decimal(24, 12) as duration_billing,
        partner as endpoint_sid_src, gateway as endpoint_sid_dst, trunks[1 + n % 20] as trunk_group_sid_src,
        trunks[21 + n % 20] as trunk_group_sid_dst, trunks[1 + n % 17] as trunk_sid_src,
        '162.251.180.' || hash(n, 7) % 90 as ip_src, '10.222.2.' || hash(n, 8) % 250 || ':5060' as ip_dst,
        md5('a' || n) || '@162.251.180.24' as sipcallid_src, md5('b' || n) || '@12.7.193.174' as sipcallid_dst,
        case when answered then 200 else 486 end as sipcause,
        case when n % 2 = 0 then 'src' else 'dst' end as disconnect_originator, 'A' as stir_attest,
        false as stir_identity, '1516' || lpad((hash(n, 6) % 4000)::varchar, 7, '2') as stir_orig_id,
        'carrier' as stir_signing_entity
    from called, fixed
"""


_TEXT_RATES = """
    select
        'text-' || plan.range as plan_sid, 'v1' as plan_version, 200 + n.range // 4 as mcc,
        case when n.range % 4 > 0 then n.range % 4 end as mnc,
        0 as increment_ms, 0 as minimum_ms, 0 as grace_ms, 1000 as unit_ms,
        ((hash(n.range, plan.range) % 900 + 10)::decimal(18, 0) * 0.0001::decimal(10, 4))::decimal(24, 12) as price,
        0::decimal(24, 12) as connect_fee, 'active' as status
    from range({text_plans}) as plan, range(2000) as n
"""

_MESSAGES = """
    with sent as (
        select
            range as n, p.sid as partner,
            timestamptz '{day}' + to_milliseconds((range - {first}) * 86400000 // {count}) as inserted,
            case when range % 10 < 6 then '1' || (2015550000 + hash(range) % 6000000000)
                else (20 + hash(range) % 79) || (1000000000 + hash(range, 1) % 9000000000) end as far,
            '1516' || lpad((hash(range, 6) % 4000)::varchar, 7, '2') as own
        from range({begin}, {end})
        join partners as p on p.customer = floor({customers} * pow(chance(range, 1), 2))::integer
    )
    select
        'carrierx' as source, sid('text' || n) as dr_sid, 1 as revision, 2::bigint as version,
        timestamptz '2026-04-02 00:00:00+00' as landed_at, inserted - to_milliseconds(n % 2000) as date_start,
        inserted as date_stop, inserted as date_insert, 'outbound' as direction,
        case when n % 20 = 0 then 'mms' else 'sms' end as type, partner as partner_sid, own as number_billing,
        far as number_external, own as number_src, far as number_dst, 0.004::decimal(24, 12) as rate,
        0.004::decimal(24, 12) as price, inserted as date_sent,
        case when n % 5 > 0 then (200 + hash(n, 2) % 600)::integer end as mcc, (hash(n, 3) % 4)::integer as mnc,
        (1 + n % 3)::integer as message_segments, 1 as recipients, 'carrier' as provider,
        case when n % 10 > 0 then 'sent' else 'failed' end as status
    from sent
"""


def make(home: Path, calls: int, prefixes: int, plans: int, days: int = DAYS) -> None:
    """A home with some days of calls landed and the decks imported; nothing is rated yet."""
    home.mkdir(parents=True)
    ledger = Ledger.open(sqlite_url(home / "ledger.db"))
    lake = Lake(home, ledger)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        cons = [stack.enter_context(_set(lake, prefixes, plans)) for _ in range(2)]
        partners = cons[0].execute("select sid from partners order by customer").fetchall()
        gateway = cons[0].execute("select gateway from fixed").fetchall()[0][0]
        rates = [cons[0].sql(text) for text in (_RATES, _TEXT_RATES.format(text_plans=TEXT_PLANS))]
        whole = pa.concat_tables(_whole("rate/rates", found.to_arrow_table()) for found in rates)
        named = [RatePlan(f"plan-{n}", "v1", "call", "USD") for n in range(plans)]
        named += [RatePlan(f"text-{n}", "v1", "message", "USD") for n in range(TEXT_PLANS)]
        staged = [
            _small(
                lake,
                "land/partners",
                [{"partner_sid": s, "parent_sid": ROOT, "valid_from": START} for (s,) in partners],
            ),
            _small(
                lake,
                "land/endpoints",
                [{"endpoint_sid": gateway, "type": "system_gateway", "valid_from": START}],
            ),
            lake.stage("rate/plans", "made", plans_table([(plan, 0, "made") for plan in named])),
            lake.stage("rate/rates", "made", whole),
        ]
        own = min(days, DAYS)
        calls = calls * own // days
        parts = [("land/calls", *part) for part in _parts(_CALLS, calls, own, len(partners))]
        parts += [
            ("land/messages", *part) for part in _parts(_MESSAGES, calls // PER_MESSAGE, own, len(partners))
        ]
        made = [pool.submit(_land, lake, con, parts[n::2]) for n, con in enumerate(cons)]
        landed = [file for done in made for file in done.result()]
        staged += [*landed, *_again(lake, landed, days)]
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=NOW, stage="land")


@contextmanager
def _set(lake: Lake, prefixes: int, plans: int) -> Iterator[Any]:
    with lake.duck() as con:
        con.execute("reset memory_limit")
        con.execute("set threads = 1")
        for statement in _SETTING.format(plans=plans, prefixes=prefixes, per_plan=PER_PLAN).split(";\n"):
            con.execute(statement)
        yield con


def _parts(rows: str, records: int, days: int, customers: int) -> Iterator[tuple[str, str]]:
    """The label and the query of each part of each day."""
    for day in range(days):
        first, last = records * day // days, records * (day + 1) // days
        at = START + timedelta(days=day)
        for n, begin in enumerate(range(first, last, PART), start=1):
            query = rows.format(
                begin=begin,
                end=min(last, begin + PART),
                first=first,
                count=last - first,
                day=at.isoformat(),
                customers=customers,
            )
            yield part_label(at.date(), n), query


def _land(lake: Lake, con: Any, parts: Iterable[tuple[str, str, str]]) -> list[Staged]:
    made = []
    for table, label, query in parts:
        con.register("blank", BY_NAME[table].schema.empty_table())
        names = ", ".join(BY_NAME[table].schema.names)
        rows = con.sql(f"select {names} from (({query}) union all by name from blank)").to_arrow_reader(
            ROW_GROUP
        )
        made.append(lake.stage_pieces(table, label, (pa.Table.from_batches([piece]) for piece in rows)))
    return made


def _again(lake: Lake, landed: Iterable[Staged], days: int) -> Iterator[Staged]:
    """The days beyond a month, each a link to one of the month."""
    for file in landed:
        first = label_day(file.label)
        for day in range((first - START.date()).days + DAYS, days, DAYS):
            label = file.label.replace(str(first), str(START.date() + timedelta(days=day)))
            path = lake.layout.stored(file.table, label, file.sha256)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(file.path, path)
            yield replace(file, label=label, path=path)


def opened(home: Path) -> tuple[Lake, Ledger, Masters]:
    """The home again, with its customers: each has a plan, and each plan has several."""
    ledger = Ledger.open(sqlite_url(home / "ledger.db"))
    lake = Lake(home, ledger)
    plans = sum(f.rows for f in lake.files("rate/plans")) - TEXT_PLANS
    sids = lake.scan("land/partners").select("partner_sid").collect().to_series().to_list()
    customer = {hashlib.md5(f"partner{n}".encode()).hexdigest()[:8]: n for n in range(len(sids))}
    held = [Assignment(sid, f"plan-{customer[sid[:8]] % plans}", "call") for sid in sids]
    held += [Assignment(sid, f"text-{customer[sid[:8]] % TEXT_PLANS}", "message") for sid in sids]
    customers = {sid: Customer(sid, sid, "house", "UTC", "USD", Place("USA")) for sid in sids}
    return lake, ledger, Masters(customers=customers, assignments=tuple(held))


def _small(lake: Lake, table: str, rows: list[dict]) -> Staged:
    schema = BY_NAME[table].schema
    blank = dict.fromkeys(schema.names)
    return lake.stage(table, "all", pa.Table.from_pylist([blank | row for row in rows], schema=schema))


def _whole(table: str, given: pa.Table) -> pa.Table:
    schema = BY_NAME[table].schema
    columns = [
        given[f.name].cast(f.type) if f.name in given.column_names else pa.nulls(len(given), f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)

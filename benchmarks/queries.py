"""What the dashboard's questions cost: ``python benchmarks/queries.py [--records 100000000] [--folder F]``.

A month of landed and rated calls is made in Parquet by DuckDB, a file for each part of a day, and committed to a lake;
nothing is fetched. Partners, trunk groups and numbers follow a power law, and a number and a trunk group belong to one
partner, as in life. The days are rolled up, all but the last; then the last, in turns with rating a day of calls, and
the least CPU of each is set against that of the other. Each question is then asked of the roll-ups, as the dashboard
asks it, and of the records themselves.

With ``--folder`` the records are kept, and used again by the next run; roll-ups that have changed are made anew.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from apart import child, folder

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
START, DAYS, PART = datetime(2026, 3, 1, tzinfo=UTC), 31, 480_000
NOW = datetime(2026, 4, 3, tzinfo=UTC)
GOAL_SECONDS, GOAL_SHARE, TURNS = 1.0, 5, 3
PARTNERS, TRUNKS, NUMBERS, PREFIXES = 200, 40, 20_000, 20_000

# What the dashboard asks that the roll-ups answer. The others follow single records, and read them at any size: the
# statement, what has no price, what the provider charged otherwise; or they read invoices, which are few.
FROM_ROLLUPS = (
    *("glance", "days", "hours", "causes", "quality", "trunks", "stir", "deliveries", "money", "money_days"),
    *("forecast", "customers", "destinations", "prefixes", "sources", "idle_numbers", "provider"),
)
IN_MARCH = "date_stop >= '2026-03-01 00:00:00Z' and date_stop < '2026-04-01 00:00:00Z'"
DAY = "epoch_ms(date_stop) // 86400000 as day"
ANSWERED = "count(*) filter (date_stop > date_talk)"
# The same questions put to the records, where one query can.
SCANS = {
    "glance": f"select count(*), {ANSWERED} from land.calls where {IN_MARCH}",
    "days": f"select {DAY}, count(*), {ANSWERED} from land.calls where {IN_MARCH} group by 1",
    "hours": f"select epoch_ms(date_stop) // 3600000, count(*) from land.calls where {IN_MARCH} group by 1",
    "causes": f"select sipcause, disconnect_originator, count(*) from land.calls where {IN_MARCH} group by all",
    "quality": f"select partner_sid, count(*), {ANSWERED} from land.calls where {IN_MARCH} group by 1",
    "stir": f"select direction, stir_attest, stir_verstat, count(*) from land.calls where {IN_MARCH} group by all",
    "money": f"select currency, level, sum(amount) from rate.calls where {IN_MARCH} group by all",
    "money_days": f"select {DAY}, currency, level, sum(amount) from rate.calls where {IN_MARCH} group by all",
    "customers": f"select payer_sid, currency, level, sum(amount) from rate.calls where {IN_MARCH} group by all",
    "destinations": f"select country_code, level, count(*), sum(amount) from rate.calls where {IN_MARCH} group by all",
    "prefixes": f"select matched_prefix, sum(amount) from rate.calls where level = 0 and {IN_MARCH} group by 1",
    "sources": f"select number_billing, count(*) from land.calls where {IN_MARCH} group by 1",
    "provider": f"select sum(provider_price), sum(amount) from rate.calls where level = 0 and {IN_MARCH}",
}

_DICE = """
    select
        range + {first} as n,
        (hash(range + {first}) >> 1)::bigint as h,
        floor({partners} * pow((hash(range + {first}, 1) >> 40)::bigint / 16777216, 2))::bigint as partner,
        (hash(range + {first}, 3) >> 8) % 10 < 7 as answered,
        ({prefixes} * pow((hash(range + {first}, 2) >> 40)::bigint / 16777216, 3))::bigint as prefix,
        1 + (-60000 * ln(1 - (hash(range + {first}, 4) >> 40)::bigint / 16777217))::bigint as talk_ms,
        2000 + ((hash(range + {first}, 5) >> 40) % 15000)::bigint as ring_ms,
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
        ['USA', 'USA', 'USA', 'CAN', 'GBR', 'DEU', 'FRA', 'ESP', 'IND', 'MEX'][1 + prefix % 10] as country_code,
        stop - to_milliseconds(ring_ms + if(answered, talk_ms, 0)) as date_start, stop as date_stop,
        if(answered, 'rated', 'not_billable') as rating_status, if(answered, null, 'not_answered') as unrated_reason,
        if(level = 0, 'provider:call:outbound:pstn', 'plan-' || partner % 20) as plan_sid, 'v1' as plan_version,
        if(answered, (200 + prefix)::varchar, null) as matched_prefix,
        'USD' as currency,
        (tenths * (7 + 5 * level) * 0.0001::decimal(5, 4))::decimal(20, 10) as amount,
        if(level = 0, (tenths * 7 * 0.0001::decimal(5, 4))::decimal(24, 12), null) as provider_price,
        (if(answered, talk_ms, 0)::decimal(15, 0) * 0.001::decimal(4, 3))::decimal(18, 3) as base_seconds,
        (tenths * 6)::decimal(18, 3) as billed_seconds
    from (select *, if(answered, talk_ms // 6000 + 1, 0)::decimal(9, 0) as tenths from ({dice})),
        (values (0), (1)) as levels(level)
    order by n, level
"""


def opened(home: Path) -> tuple[Any, Any]:
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger, sqlite_url

    ledger = Ledger.open(sqlite_url(home / "ledger.db"))
    return Lake(home, ledger, memory_limit="2GB"), ledger


def make(home: Path, records: int, days: range) -> None:
    """Lands and rates days, one part after the other, so that memory holds one."""
    home.mkdir(parents=True, exist_ok=True)
    lake, ledger = opened(home)
    names = {"partners": PARTNERS, "trunks": TRUNKS, "numbers": NUMBERS, "prefixes": PREFIXES}
    _surroundings(lake, ledger)
    with lake.duck() as con:
        for day in days:
            first, after = records * day // DAYS, records * (day + 1) // DAYS
            at = START + timedelta(days=day)
            staged = []
            for part, begin in enumerate(range(first, after, PART)):
                held = {"place": begin - first, "whole": after - first, "count": min(PART, after - begin)}
                dice = _DICE.format(first=begin, day=at.isoformat(), **held, **names)
                label = f"date={at.date()}" + (f".p{part + 1:04d}" if part else "")
                for table, query in (("land/calls", _LANDED), ("rate/calls", _RATED)):
                    staged.append(_staged(lake, con, table, label, query.format(dice=dice, **names)))
            with ledger.transaction() as tx:
                lake.commit(tx, staged, at=NOW, stage="made")


def _staged(lake: Any, con: Any, table: str, label: str, query: str) -> Any:
    from pipeline.lake.tables import BY_NAME

    con.register("blank", BY_NAME[table].schema.empty_table())
    return lake.stage_query(con, table, label, f"({query}) union all by name from blank")


def _surroundings(lake: Any, ledger: Any) -> None:
    import pyarrow as pa

    from pipeline.lake.tables import BY_NAME

    rows = {
        "land/partners": [
            {"partner_sid": f"partner-{n}", "parent_sid": "root", "company_name": f"Partner {n}", "valid_from": START}
            for n in range(PARTNERS)
        ],
        "land/dids": [
            {"did_sid": f"did-{n}", "phonenumber": f"1516{n:07d}", "partner_sid": f"partner-{n * PARTNERS // NUMBERS}",
             "valid_from": START}
            for n in range(NUMBERS)
        ],
    }  # fmt: skip
    staged = []
    for table, found in rows.items():
        schema = BY_NAME[table].schema
        blank = dict.fromkeys(schema.names)
        staged.append(
            lake.stage(table, "all", pa.Table.from_pylist([blank | row for row in found], schema=schema))
        )
    with ledger.transaction() as tx:
        lake.commit(tx, staged, at=NOW, stage="made")


def roll(home: Path, again: str = "") -> dict[str, float]:
    """Rolls up what is not rolled up yet, and what is of the day to be rolled up again."""
    from pipeline.measure.rollups import ROLLUPS, roll_up

    lake, ledger = opened(home)
    with ledger.transaction() as tx:
        lake.commit(tx, [], at=NOW, stage="made", remove=[(rollup.table, again) for rollup in ROLLUPS])
    return _cost(lambda: roll_up(lake, ledger, now=NOW))


def _cost(work: Callable[[], Any]) -> dict[str, float]:
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return {"wall": time.monotonic() - began, "cpu": cpu, "mb": now.ru_maxrss / 1024}


def ask(home: Path) -> dict[str, Any]:
    """Each question of the dashboard: seconds from the roll-ups and from the records."""
    from pipeline.render.reportdata import Month, answer

    lake, _ = opened(home)
    month = Month(START.date())
    found: dict[str, Any] = {}
    with lake.duck() as con:
        for name in FROM_ROLLUPS:
            rows = len(answer(con, name, month).rows)
            rolled = min(_cost(partial(answer, con, name, month))["wall"] for _ in range(3))
            scan = _cost(partial(_scan, con, SCANS[name]))["wall"] if name in SCANS else None
            found[name] = {"rolled": rolled, "rows": rows, "scan": scan}
    return found


def _scan(con: Any, query: str) -> None:
    con.execute(query).fetchall()


def rated(calls: int) -> dict[str, float]:
    """CPU seconds of ``tollbook rate`` for a day of as many calls, see ``rate.py``."""
    import rate_world

    from pipeline.rate.engine import rate_days

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        rate_world.make(home, calls, 20_000, 50, days=1)
        lake, ledger, masters = rate_world.opened(home)
        return _cost(lambda: rate_days(lake, ledger, masters, root_sid=rate_world.ROOT, days=None, now=NOW))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--records", type=int, default=10_000_000, help="calls, each with a cost and a charge"
    )
    parser.add_argument(
        "--rate-calls", type=int, default=500_000, help="calls to rate for comparison; 0 leaves it out"
    )
    parser.add_argument("--folder", type=Path, help="make and keep the records here")
    asked = parser.parse_args()
    with folder(asked.folder) as here:
        home = here / "home"
        if not home.exists():
            child(__file__, "make", home, asked.records, 0, DAYS - 1)
            days = child(__file__, "roll", home)
            child(__file__, "make", home, asked.records, DAYS - 1, DAYS)
            calls = asked.records - asked.records * (DAYS - 1) // DAYS
            print_rolling(home, days, calls, asked.rate_calls)
        else:
            print(
                f"rolled up anew, where anything has changed: {child(__file__, 'roll', home)['cpu']:.1f} s of CPU"
            )
        print_questions(child(__file__, "ask", home))


def print_rolling(home: Path, days: dict[str, float], calls: int, rate_calls: int) -> None:
    label = f"date={(START + timedelta(days=DAYS - 1)).date()}"
    turns = [
        (child(__file__, "roll", home, label), child(__file__, "rate", rate_calls) if rate_calls else None)
        for _ in range(TURNS)
    ]
    last = min((rolled for rolled, _ in turns), key=lambda cost: cost["cpu"])
    for cost, said in ((days, f"{DAYS - 1} days"), (last, "the last day")):
        print(
            f"{said} rolled up: {cost['wall']:.1f} s, {cost['cpu']:.1f} s of CPU, at most {cost['mb']:.0f} MB"
        )
    each = last["cpu"] / calls * 1e6
    print(f"a new day: {each:.2f} us of CPU for each of its {calls:,} calls")
    if rate_calls:
        rating = min(cost["cpu"] for _, cost in turns if cost) / rate_calls * 1e6
        share = 100 * each / rating
        print(
            f"rating {rate_calls:,}: {rating:.2f} us each; the roll-ups are {share:.1f} % (goal {GOAL_SHARE} %)"
        )


def print_questions(found: dict[str, Any]) -> None:
    print("\n  question          rows   roll-ups, s   records, s")
    for name, got in found.items():
        scan = f"{got['scan']:>12.2f}" if got["scan"] is not None else f"{'-':>12}"
        late = "  over a second" if got["rolled"] > GOAL_SECONDS else ""
        print(f"  {name:14} {got['rows']:>7} {got['rolled']:>13.3f} {scan}{late}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", home, records, first, after]:
            make(Path(home), int(records), range(int(first), int(after)))
        case ["roll", home, *again]:
            print(json.dumps(roll(Path(home), *again)))
        case ["rate", calls]:
            print(json.dumps(rated(int(calls))))
        case ["ask", home]:
            print(json.dumps(ask(Path(home))))
        case _:
            main()

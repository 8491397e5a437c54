"""What the dashboard's questions cost: ``python benchmarks/queries.py [--records 100000000] [--folder F]``.

The month of ``query_world.py`` is rolled up, all but its last day; then the last, in turns with rating a day of calls,
and the least CPU of each is set against that of the other. Then every question of the dashboard is asked as the
dashboard asks it: of roll-ups, sums and marks; what several of them share is worked out first, and is a line of its
own. Beside it stands what the records themselves take to answer, where one query can.

With ``--folder`` the records are kept, and used again by the next run; roll-ups that have changed are made anew.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from apart import child, folder
from query_world import DAYS, NOW, START, invoice, make, opened, surround

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

GOAL_SECONDS, GOAL_SHARE, TURNS = 1.0, 5, 3

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


def marked(home: Path) -> dict[str, float]:
    """Adds up and marks what has been charged and claimed."""
    from pipeline.measure.marks import mark

    lake, ledger = opened(home)
    return _cost(lambda: mark(lake, ledger, now=NOW))


def ask(home: Path) -> dict[str, Any]:
    """Each question of the dashboard: the least seconds from the roll-ups, and those from the records."""
    from pipeline.render.reportdata import CONVERTED, CUSTOMER, DESK, Month, answer

    lake, _ = opened(home)
    month = Month(START.date())
    shared, found = [], {}
    for _ in range(TURNS):
        with lake.duck() as con:
            shared.append(_prepared(lake, con))
    with lake.duck() as con:
        _prepared(lake, con)
        for name in (*DESK, CONVERTED):
            found[name] = _asked(con, partial(answer, con, name, month), SCANS.get(name))
    with lake.duck() as con:
        for name in CUSTOMER:
            found[name] = _asked(con, partial(answer, con, name, month, "partner-0"))
    once = {
        name: {"rolled": min(took[name] for took in shared), "rows": None, "scan": None} for name in shared[0]
    }
    return once | found


def _prepared(lake: Any, con: Any) -> dict[str, float]:
    """What takes how long before the first question."""
    from pipeline.measure.marks import shorten
    from pipeline.render.reportdata import SHARED, share, show_landings

    show_landings(con, _landings(lake))
    took = {"sums and marks": _cost(partial(shorten, lake, con))["wall"]}
    return took | {view: _cost(partial(share, con, view))["wall"] for view in SHARED}


def page(home: Path) -> dict[str, float]:
    """All questions of the dashboard, as it asks them."""
    from pipeline.measure.marks import shorten
    from pipeline.render.reportdata import Month, ask

    lake, _ = opened(home)
    landings = _landings(lake)
    return _cost(lambda: ask(lake, Month(START.date()), landings, None, partial(shorten, lake)))


def _landings(lake: Any) -> list[dict[str, Any]]:
    calls = sum(file.rows for file in lake.files("land/calls"))
    return [
        {
            "resource": "calls",
            "fetched": calls,
            "fresh": calls,
            "superseding": 0,
            "identical": 0,
            "quarantined": 0,
        }
    ]


def _asked(con: Any, work: Callable[[], Any], query: str | None = None) -> dict[str, Any]:
    """The rows of an answer, the least seconds of some times, and those of a query of the records."""
    rows = len(work().rows)
    rolled = min(_cost(work)["wall"] for _ in range(TURNS))
    return {
        "rolled": rolled,
        "rows": rows,
        "scan": _cost(partial(_scan, con, query))["wall"] if query else None,
    }


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
            child(__file__, "surround", home)
            print_cost(f"{DAYS - 1} days rolled up", child(__file__, "roll", home))
            child(__file__, "make", home, asked.records, DAYS - 1, DAYS)
        child(__file__, "invoice", home)
        print_share(home, asked.records - asked.records * (DAYS - 1) // DAYS, asked.rate_calls)
        print_cost("charges and claims marked", child(__file__, "mark", home))
        print_questions(child(__file__, "ask", home))
        whole = child(__file__, "page", home)
        print(f"\nall that the page asks: {whole['wall']:.2f} s, at most {whole['mb']:.0f} MB")


def print_share(home: Path, calls: int, rate_calls: int) -> None:
    label = f"date={(START + timedelta(days=DAYS - 1)).date()}"
    child(__file__, "roll", home)
    turns = [
        (child(__file__, "roll", home, label), child(__file__, "rate", rate_calls) if rate_calls else None)
        for _ in range(TURNS)
    ]
    last = min((rolled for rolled, _ in turns), key=lambda cost: cost["cpu"])
    print_cost("the last day rolled up", last)
    each = last["cpu"] / calls * 1e6
    print(f"a new day: {each:.2f} us of CPU for each of its {calls:,} calls")
    if rate_calls:
        rating = min(cost["cpu"] for _, cost in turns if cost) / rate_calls * 1e6
        share = 100 * each / rating
        print(
            f"rating {rate_calls:,}: {rating:.2f} us each; the roll-ups are {share:.1f} % (goal {GOAL_SHARE} %)"
        )


def print_cost(what: str, cost: dict[str, float]) -> None:
    print(f"{what}: {cost['wall']:.1f} s, {cost['cpu']:.1f} s of CPU, at most {cost['mb']:.0f} MB")


def print_questions(found: dict[str, Any]) -> None:
    print(f"\n  {'question':22} {'rows':>7} {'roll-ups, s':>12} {'records, s':>12}")
    for name, got in found.items():
        rows = "" if got["rows"] is None else got["rows"]
        scan = "-" if got["scan"] is None else f"{got['scan']:.2f}"
        late = "  over a second" if got["rolled"] > GOAL_SECONDS else ""
        print(f"  {name:22} {rows:>7} {got['rolled']:>12.3f} {scan:>12}{late}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", home, records, first, after]:
            make(Path(home), int(records), range(int(first), int(after)))
        case ["roll", home, *again]:
            print(json.dumps(roll(Path(home), *again)))
        case ["surround", home]:
            surround(Path(home))
        case ["invoice", home]:
            invoice(Path(home))
        case ["mark", home]:
            print(json.dumps(marked(Path(home))))
        case ["page", home]:
            print(json.dumps(page(Path(home))))
        case ["rate", calls]:
            print(json.dumps(rated(int(calls))))
        case ["ask", home]:
            print(json.dumps(ask(Path(home))))
        case _:
            main()

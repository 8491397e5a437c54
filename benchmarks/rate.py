"""What rating costs: ``python benchmarks/rate.py [--calls 10000000] [--tasks narrow,wide]``.

A month of calls with all their columns is made in Parquet, see ``rate_world.py``; nothing is fetched. Each task runs in
a process of its own, in turns, and the best of its runs counts. What they are compared with runs in the same turns:

* wide: each call with all its columns and those of its charge, to Parquet; against merely copying the same records to
  Parquet with the same compression, by Polars and by DuckDB, both on two cores: the least time and the least CPU of
  the two. What was landed is not decoded: its columns are handed on as they lie in the file, see ``rate_splice.py``.
  ``check`` reads the result with Polars, DuckDB and Arrow and compares every value;
* narrow: dr_sid, prefix, billed seconds and amount of each charge, to Parquet; against PostgreSQL writing the same
  to a table, on the same deck and the first calls of the same month: with a B-tree, probing each length of prefix,
  and with the index of its ``prefix`` extension. Without a server on this machine that part says so and is left out;
* home: what ``tollbook rate`` does: cost and charge of every call, every column of rate.calls, read back, counted,
  hashed and committed; and again, when nothing has changed;
* large: narrow with a deck of a million rows in 500 plans; against narrow;
* messages: cost and charge of a message for every ten calls, every column of rate.messages, to Parquet.

``--memory 1,3,10`` measures instead what narrow, wide and home hold at most, for so many millions of calls: a million a
day, each time, so that only the number of days differs. What is held must not grow with that. Of every ten million it
prints how fast they went and the peak until then. ``--memory 100`` takes the disk of 31: the days beyond a month are
links to its days, which home, where every record must lie in its day, refuses; it is left out there.

Wide, narrow, large and messages take the engine's own query and tables. Of their CPU seconds those of ``load`` pass
before the first record: starting, reading the customers and the plans, sorting the deck.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from apart import child, folder
from rate_memory import HOLDING, Pace, memory, peak

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
LARGE = (1_000_000, 500)
DAYS = 31
NARROW = "dr_sid, matched_prefix, billed_seconds, amount"
RATING = (
    "rating_status, unrated_reason, plan_sid, plan_version, family, matched_prefix, rate_price, unit_seconds, "
    "billed_seconds, amount, currency, item_type, country_code"
)
GROUP = 122_880
PARQUET = f"(format parquet, compression zstd, row_group_size {GROUP})"
LEVEL = 3
PACE = Pace()


def make(home: str, calls: str, prefixes: str, plans: str, days: str) -> None:
    from rate_world import make

    make(Path(home), int(calls), int(prefixes), int(plans), int(days))


def copy_polars(home: Path) -> None:
    import polars as pl
    from rate_world import opened

    how: dict[str, Any] = {"compression": "zstd", "compression_level": LEVEL, "row_group_size": GROUP}

    def copy(paths: Iterable[Path], target: Path) -> None:
        for path in paths:
            pl.scan_parquet(path).sink_parquet(target, **how)

    paths = [file.path for file in opened(home)[0].files("land/calls")]
    in_two(lambda n: copy(paths[n::2], home / f"out{n}.parquet"))


def copy_duckdb(home: Path) -> None:
    from rate_world import opened

    lake = opened(home)[0]
    with lake.duck() as con, tempfile.TemporaryDirectory(dir=home) as target:
        con.execute("reset memory_limit")
        con.execute("set preserve_insertion_order = false")
        paths = [str(file.path) for file in lake.files("land/calls")]
        how = PARQUET.replace(")", ", per_thread_output true, overwrite true)")
        for begin in range(0, len(paths), 31):
            con.execute(f"copy (from read_parquet({paths[begin : begin + 31]})) to '{target}/out' {how}")


def narrow(home: Path) -> float:
    return rated(home, "call", narrow_part)


def narrow_part(con: Any, _: Any, query: str, out: Path) -> None:
    con.execute(f"copy (select {NARROW} from ({query}) where side = 'charge') to '{out}' {PARQUET}")


def messages(home: Path) -> float:
    def part(con: Any, _: Any, query: str, out: Path) -> None:
        con.execute(f"copy ({query}) to '{out}' {PARQUET}")

    return rated(home, "message", part)


def wide(home: Path) -> float:
    return rated(home, "call", wide_part)


def wide_part(con: Any, file: Any, query: str, out: Path) -> None:
    """The columns of the records are handed on as they are; those of the rating are put beside them."""
    from rate_splice import splice

    from pipeline.lake.parquet import STREAMED

    beside, how = out.with_suffix(".rated"), PARQUET.replace(str(GROUP), str(STREAMED))
    con.execute(f"copy (select {RATING} from ({query}) where side = 'charge') to '{beside}' {how}")
    assert splice(file.path, beside, out) == file.rows


def check(home: Path) -> None:
    """What ``wide`` writes of two days is what it should be, for each of three readers."""
    import polars as pl
    import pyarrow.parquet as pq

    def part(con: Any, file: Any, query: str, out: Path) -> None:
        wide_part(con, file, query, out)
        charges = f"select dr_sid, {RATING} from ({query}) where side = 'charge'"
        expected = pl.read_parquet(file.path).join(con.sql(charges).pl(), on="dr_sid", validate="1:1")
        readings = (
            pl.read_parquet(out),
            pl.DataFrame(pl.from_arrow(pq.read_table(out))),
            con.sql(f"from '{out}'").pl(),
        )
        for found in readings:
            assert found.height == file.rows
            assert found.cast(dict(expected.schema)).equals(expected), "wide is not what was landed and rated"

    rated(home, "call", part, parts=2)


def rated(
    home: Path, service: str, work: Callable[[Any, Any, str, Path], None], parts: int | None = None
) -> float:
    """Gives the engine's query for each landed part, ready to run, to ``work``; returns the CPU seconds of loading."""
    from rate_world import ROOT as HOUSE
    from rate_world import opened

    from pipeline.rate.engine import connected, prepare, steady
    from pipeline.rate.rater import Rater
    from pipeline.rate.tariff import read_tariff
    from pipeline.rate.world import read_world

    lake, _, masters = opened(home)
    world = read_world(lake, masters, HOUSE)
    files = lake.files(f"land/{service}s")[:parts]
    with lake.duck() as con:
        tariff = read_tariff(con, world, service, masters.customers)
        loaded = time.process_time()
        PACE.start()

        def share(n: int) -> None:
            with connected(con) as own:
                prepare(own, world)
                rater = Rater(own, world, service, tariff, n)
                for file in files[n::2]:
                    lake.give_back(own)
                    own.execute(
                        "create or replace temp view landed as "
                        f"from read_parquet('{file.path}', hive_partitioning = false)"
                    )
                    rater.lay_out(world.endpoints)
                    work(own, file, rater.query(), home / f"out{n}.parquet")
                    PACE.add(file.rows)

        with steady(con):
            in_two(share)
    return loaded


def in_two(work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (0, 1)))


def rate_home(home: Path) -> None:
    from rate_world import NOW, opened
    from rate_world import ROOT as HOUSE

    from pipeline.rate.engine import rate_days

    lake, ledger, masters = opened(home)
    PACE.start()
    report = rate_days(
        lake,
        ledger,
        masters,
        root_sid=HOUSE,
        days=None,
        now=NOW,
        services=["call"],
        progress=lambda done, _: PACE.add(done - PACE.done),
    )
    assert report.written in (0, len(lake.files("land/calls")))


TASKS: dict[str, Callable[[Path], float | None]] = {
    "check": check,
    "copy polars": copy_polars,
    "copy duckdb": copy_duckdb,
    "wide": wide,
    "narrow": narrow,
    "home": rate_home,
    "again": rate_home,
    "large": narrow,
    "messages": messages,
}
# These run once: what they would do again is another thing, or nothing.
ONCE = ("check", "home")


def run(task: str, home: str) -> None:
    """One task in this process; its seconds, CPU seconds and peak of memory as JSON."""
    began = time.monotonic()
    loaded = TASKS[task](Path(home))
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "wall": time.monotonic() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "load": loaded or 0,
        "mb": peak(),
        "legs": PACE.legs,
    }
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--prefixes", type=int, default=110_170)
    parser.add_argument("--plans", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3, help="how often each task runs; the best run counts")
    parser.add_argument("--tasks", default=",".join(TASKS), help=f"some of {', '.join(TASKS)}")
    parser.add_argument("--postgres-calls", type=int, default=30_000, help="0 leaves PostgreSQL out")
    parser.add_argument("--folder", type=Path, help="make and keep the records here")
    parser.add_argument(
        "--memory", default="", help="millions of calls, such as 1,3,10: only what is held at most"
    )
    asked = parser.parse_args()
    if asked.memory:
        tasks = [task for task in HOLDING if task in asked.tasks.split(",")]
        sizes = [int(millions) for millions in asked.memory.split(",")]
        memory(partial(child, __file__), sizes, tasks, [asked.prefixes, asked.plans], DAYS)
        return
    tasks = [task for task in TASKS if task in asked.tasks.split(",")]
    with folder(asked.folder) as here:
        homes = {"home": here / "home", "large": here / "large"}
        if not homes["home"].exists():
            child(__file__, "make", homes["home"], asked.calls, asked.prefixes, asked.plans, DAYS)
        if "large" in tasks and not homes["large"].exists():
            child(__file__, "make", homes["large"], asked.calls, *LARGE, DAYS)
        found = in_turns(homes, tasks, asked.runs)
        report(found, asked.calls)
        if asked.postgres_calls and {"home", "narrow"} <= found.keys():
            from rate_postgres import compare

            compare(homes["home"], asked.postgres_calls, asked.calls / found["narrow"]["wall"])


def in_turns(homes: dict[str, Path], tasks: list[str], runs: int) -> dict[str, dict[str, float]]:
    best: dict[str, dict[str, float]] = {}
    for turn in range(runs):
        for task in tasks:
            if task in ONCE and turn:
                continue
            got = child(__file__, "run", task, homes.get(task, homes["home"]))
            got.pop("legs")
            kept = best.setdefault(task, got)
            best[task] = {name: min(kept[name], got[name]) for name in got}
    return best


def report(found: dict[str, dict[str, float]], calls: int) -> None:
    from rate_world import PER_MESSAGE

    print(
        f"{calls:,} calls\n\n  task              s     CPU s   of it load   us of CPU each    records/s   peak MB"
    )
    for task, got in found.items():
        if task == "check":
            print("  check        what wide wrote is whole")
            continue
        records = calls // PER_MESSAGE if task == "messages" else calls
        print(
            f"  {task:12} {got['wall']:>7.1f} {got['cpu']:>8.1f} {got['load']:>12.1f}"
            f" {got['cpu'] / records * 1e6:>16.2f} {records / got['wall']:>12,.0f} {got['mb']:>9.0f}"
        )
    copies = [found[task] for task in ("copy polars", "copy duckdb") if task in found]
    copy = {unit: min(c[unit] for c in copies) for unit in ("wall", "cpu")} if copies else None
    lines = [("wide / copy", "wide", copy, 1.5), ("narrow / copy", "narrow", copy, None)]
    lines += [("home / copy", "home", copy, None), ("large / narrow", "large", found.get("narrow"), 1.5)]
    print("\n  ratio             s     CPU     goal")
    for name, task, other, goal in lines:
        if other and task in found:
            wall, cpu = (found[task][unit] / other[unit] for unit in ("wall", "cpu"))
            print(f"  {name:14} {wall:>5.2f} {cpu:>7.2f} {f'<= {goal}' if goal else '':>8}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", *given]:
            make(*given)
        case ["run", task, home]:
            run(task, home)
        case _:
            main()

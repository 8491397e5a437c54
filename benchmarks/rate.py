"""What rating costs: ``python benchmarks/rate.py [--calls 10000000]``.

A month of calls with all their columns is made in Parquet, see ``rate_world.py``; nothing is fetched. Each task runs in
a process of its own, in turns, and the best of its runs counts. What they are compared with runs in the same turns:

* wide: each call with all its columns and those of its charge, to Parquet; against merely copying the same records to
  Parquet with the same compression, by the faster of Polars and DuckDB;
* narrow: dr_sid, prefix, billed seconds and amount of each charge, to Parquet; against PostgreSQL writing the same
  to a table, on the same deck and the first calls of the same month: with a B-tree, probing each length of prefix,
  and with the index of its ``prefix`` extension. Without a server on this machine that part says so and is left out;
* home: what ``tollbook rate`` does: cost and charge of every call, every column of rate.calls, read back, counted,
  hashed and committed; and again, when nothing has changed;
* large: narrow with a deck of a million rows in 500 plans; against narrow.

Wide, narrow and large take the engine's own query and tables, and the charge side of it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
LARGE = (1_000_000, 500)
NARROW = "dr_sid, matched_prefix, billed_seconds, amount"
RATING = (
    *(
        "rating_status",
        "unrated_reason",
        "plan_sid",
        "plan_version",
        "family",
        "matched_prefix",
        "rate_price",
    ),
    *("unit_seconds", "billed_seconds", "amount", "currency", "item_type", "country_code"),
)
PARQUET = "(format parquet, compression zstd, row_group_size 122880)"
GROUP = 122_880
LEVEL = 3


def make(home: str, calls: str, prefixes: str, plans: str) -> None:
    from rate_world import make

    make(Path(home), int(calls), int(prefixes), int(plans))


def copy_polars(home: Path) -> None:
    import polars as pl
    from rate_world import opened

    for file in opened(home)[0].files("land/calls"):
        pl.scan_parquet(file.path).sink_parquet(
            home / "out.parquet", compression="zstd", compression_level=LEVEL
        )


def copy_duckdb(home: Path) -> None:
    from rate_world import opened

    lake = opened(home)[0]
    with lake.duck() as con:
        for file in lake.files("land/calls"):
            con.execute(f"copy (from read_parquet('{file.path}')) to '{home / 'out.parquet'}' {PARQUET}")


def narrow(home: Path) -> None:
    in_two(home, narrow_days)


def narrow_days(home: Path, part: int) -> None:
    for con, _, query in rated_days(home, part):
        out = f"{home / f'out{part}.parquet'}"
        con.execute(f"copy (select {NARROW} from ({query}) where side = 'charge') to '{out}' {PARQUET}")


def wide(home: Path) -> None:
    """The columns of the records pass by; those of the rating are put beside them."""
    in_two(home, wide_days)


def wide_days(home: Path, part: int) -> None:
    import pyarrow.parquet as pq

    for con, path, query in rated_days(home, part):
        repeated = repeated_columns(path)
        landed = pq.read_table(path, read_dictionary=repeated, use_threads=False)
        rows = f"select dr_sid as rated_sid, {', '.join(RATING)} from ({query}) where side = 'charge'"
        rated = con.sql(rows).to_arrow_reader(GROUP).read_all()
        write_wide(landed, rated, home / f"out{part}.parquet", repeated)


def in_two(home: Path, work: Callable[[Path, int], None]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, home, part) for part in (0, 1)]:
            done.result()


def repeated_columns(path: Path) -> list[str]:
    """The texts that repeat themselves, as the file's own dictionaries show."""
    import pyarrow.parquet as pq

    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = [group.column(n) for n in range(group.num_columns)]
    texts = [
        c for c in columns if c.physical_type == "BYTE_ARRAY" and c.total_uncompressed_size < 8 * c.num_values
    ]
    return [c.path_in_schema for c in texts]


def write_wide(landed: Any, rated: Any, path: Path, repeated: list[str]) -> None:
    import pyarrow.parquet as pq

    assert landed["dr_sid"].equals(rated["rated_sid"].cast(landed["dr_sid"].type))
    for name in RATING:
        landed = landed.append_column(
            name if name not in landed.column_names else f"rated_{name}", rated[name]
        )
    pq.write_table(
        landed,
        path,
        compression="zstd",
        row_group_size=GROUP,
        use_dictionary=[*repeated, *RATING],
        compression_level=LEVEL,
    )


def rated_days(home: Path, part: int) -> Iterator[tuple[Any, Path, str]]:
    """The engine's query for every other day, ready to run."""
    from rate_world import ROOT as HOUSE
    from rate_world import opened

    from pipeline.rate.engine import steady
    from pipeline.rate.rater import Rater
    from pipeline.rate.world import read_world

    lake, _, masters = opened(home)
    world = read_world(lake, masters, HOUSE)
    with lake.duck() as con, steady(con):
        rater = Rater(con, world, "call")
        for file in lake.files("land/calls")[part::2]:
            con.execute(
                f"create or replace temp view landed as from read_parquet('{file.path}', hive_partitioning = false)"
            )
            rater.lay_out(masters.customers, world.endpoints)
            yield con, file.path, rater.query()


def rate_home(home: Path) -> None:
    from rate_world import NOW, opened
    from rate_world import ROOT as HOUSE

    from pipeline.rate.engine import rate_days

    lake, ledger, masters = opened(home)
    report = rate_days(lake, ledger, masters, root_sid=HOUSE, days=None, now=NOW)
    assert report.written in (0, len(lake.files("land/calls")))


TASKS: dict[str, Callable[[Path], None]] = {
    "copy polars": copy_polars,
    "copy duckdb": copy_duckdb,
    "wide": wide,
    "narrow": narrow,
    "home": rate_home,
    "again": rate_home,
    "large": narrow,
}


def run(task: str, home: str) -> None:
    """One task in this process; its seconds, CPU seconds and peak of memory as JSON."""
    began = time.monotonic()
    TASKS[task](Path(home))
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "wall": time.monotonic() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "mb": used.ru_maxrss / 1024,
    }
    print(json.dumps(found))


def child(*arguments: object) -> dict[str, float]:
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout or "{}")


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--prefixes", type=int, default=110_170)
    parser.add_argument("--plans", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3, help="how often each task runs; the best run counts")
    parser.add_argument("--postgres-calls", type=int, default=30_000, help="0 leaves PostgreSQL out")
    parser.add_argument("--no-large", action="store_true", help="leave the large deck out")
    parser.add_argument("--folder", type=Path, help="make and keep the records here")
    asked = parser.parse_args()
    with folder(asked.folder) as here:
        homes = {"home": here / "home", "large": here / "large"}
        if not homes["home"].exists():
            child("make", homes["home"], asked.calls, asked.prefixes, asked.plans)
        if not asked.no_large and not homes["large"].exists():
            child("make", homes["large"], asked.calls, *LARGE)
        found = in_turns(homes, [task for task in TASKS if task != "large" or not asked.no_large], asked.runs)
        report(found, asked.calls)
        if asked.postgres_calls:
            from rate_postgres import compare

            compare(homes["home"], asked.postgres_calls, asked.calls / found["narrow"]["wall"])


def in_turns(homes: dict[str, Path], tasks: list[str], runs: int) -> dict[str, dict[str, float]]:
    best: dict[str, dict[str, float]] = {}
    for turn in range(runs):
        for task in tasks:
            if task == "home" and turn:
                continue  # it is rated once: from then on nothing changes
            got = child("run", task, homes.get(task, homes["home"]))
            kept = best.setdefault(task, got)
            best[task] = {name: min(kept[name], got[name]) for name in got}
    return best


def report(found: dict[str, dict[str, float]], calls: int) -> None:
    print(f"{calls:,} calls\n\n  task              s     CPU s   us of CPU each   calls/s   peak MB")
    for task, got in found.items():
        print(
            f"  {task:12} {got['wall']:>7.1f} {got['cpu']:>8.1f} {got['cpu'] / calls * 1e6:>14.2f}"
            f" {calls / got['wall']:>12,.0f} {got['mb']:>8.0f}"
        )
    copy = {name: min(found["copy polars"][name], found["copy duckdb"][name]) for name in ("wall", "cpu")}
    lines = [("wide / copy", "wide", copy, 1.5), ("narrow / copy", "narrow", copy, None)]
    lines += [("home / copy", "home", copy, None)]
    lines += [("large / narrow", "large", found["narrow"], 1.5)] if "large" in found else []
    print("\n  ratio             s     CPU     goal")
    for name, task, other, goal in lines:
        wall, cpu = (found[task][unit] / other[unit] for unit in ("wall", "cpu"))
        print(f"  {name:14} {wall:>5.2f} {cpu:>7.2f} {f'<= {goal}' if goal else '':>8}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", home, calls, prefixes, plans]:
            make(home, calls, prefixes, plans)
        case ["run", task, home]:
            run(task, home)
        case _:
            main()

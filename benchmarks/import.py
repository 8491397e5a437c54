"""What importing a deck costs: ``python benchmarks/import.py [--rows 200000]``.

The command itself, as a process of its own: a first deck, one in which nearly every price has changed, and the same
once more; then a quote out of the file alone. Beside them stands a process that does nothing but read the same CSV
with Polars, as text, and write it as Parquet. The goal is 10 seconds for 200,000 rows. CPU seconds count every thread;
on a machine that others use, they are what to compare.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOAL_SECONDS = 10
_COPY = """
import sys, polars
polars.read_csv(sys.argv[1], infer_schema=False).write_parquet(sys.argv[2], compression="zstd")
"""


def write_deck(path: Path, rows: int, seed: int) -> None:
    """A deck whose 10,000 different prices fall on its rows at random: more than real ones have, so none is easier."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        file.write("prefix,country_code,country_name,billing_increment,billing_minimum,price\n")
        for n in range(rows):
            price = chance.randint(1, 9999)
            file.write(f"{1_000_000 + n * 37},USA,United States,6,30,{price // 100_000}.{price:05d}\n")


def spent(words: Sequence[object]) -> tuple[float, float]:
    """Wall and CPU seconds of a command; it must end well."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rows: int, folder: Path) -> list[tuple[str, float, float]]:
    """(what, wall, CPU) of each step."""
    first, second = folder / "first.csv", folder / "second.csv"
    write_deck(first, rows, 1)
    write_deck(second, rows, 2)
    tollbook = ("-m", "pipeline.cli", "--home", folder / "home")
    take = (*tollbook, "plans", "import", "--plan", "gold", "--effective")
    spent(("-m", "pipeline.cli", "init", folder / "home"))
    steps = {
        "Polars copies the CSV to Parquet": ("-c", _COPY, first, folder / "copy.parquet"),
        "a command that does next to nothing": (*tollbook, "plans", "list"),
        "a first deck": (*take, "2026-01-01", first),
        "a deck of other prices": (*take, "2026-02-01", second),
        "the same deck from a later date": (*take, "2026-03-01", second),
        "one price out of the file": (*tollbook, "quote", "1000037", "--plan-file", first),
    }
    return [(what, *spent(words)) for what, words in steps.items()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(asked.rows, Path(folder))
    _, _, copied = found[0]
    print(f"{asked.rows:,} rows{'':26} wall s   CPU s   rows per CPU s   times the copy")
    for what, wall, cpu in found:
        print(f"{what:38} {wall:8.2f} {cpu:7.2f} {asked.rows / cpu:16,.0f} {cpu / copied:16.1f}")
    slowest = max(wall for what, wall, _ in found if "deck" in what)
    print(f"the slowest import took {slowest:.1f} s; the goal is {GOAL_SECONDS} s for 200,000 rows")


if __name__ == "__main__":
    main()

"""Compares both ways of rating on many random worlds: ``python -m tests.property.compare_many --records 1000000``.

Prints how many records and rows were compared, how they came out, and every world in which anything differs.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from tests.property.rating_worlds import call_world, message_world
from tests.spec.engines import connection, fast, reference

PER_WORLD = 8000
WORLDS = {"call": call_world, "message": message_world}


def main() -> None:
    parser = argparse.ArgumentParser(description="the SQL against the reference on random worlds")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the next ones follow")
    parser.add_argument("--service", choices=WORLDS, default="call")
    asked = parser.parse_args()
    count, rows, differing = 0, 0, 0
    came_out: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, connection(Path(folder)) as con:
        for seed in range(asked.seed, asked.seed + -(-asked.records // PER_WORLD)):
            case, records = WORLDS[asked.service](seed, PER_WORLD)
            expected = reference(case, asked.service, records)
            actual = fast(case, asked.service, records, con)
            wrong = sum(a != b for a, b in zip(actual, expected, strict=False)) + abs(
                len(actual) - len(expected)
            )
            if wrong:
                print(f"seed {seed}: {wrong} of {len(expected)} rows differ")
            count, rows, differing = count + len(records), rows + len(expected), differing + wrong
            came_out.update(answer.reason or answer.status for answer in expected)
    print(f"{count:,} {asked.service}s, {rows:,} rows: {differing:,} differ")
    print(", ".join(f"{reason} {n:,}" for reason, n in came_out.most_common()))
    raise SystemExit(differing > 0)


if __name__ == "__main__":
    main()

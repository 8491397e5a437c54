"""PostgreSQL rating the same calls on the same deck, for ``rate.py``: a server of its own, gone afterwards.

It runs with its safety off (no fsync, unlogged tables), which is kinder to it than any place that bills. Its result is
compared with the engine's before its speed is printed.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TABLES = """
    create unlogged table calls (dr_sid text, plan_sid text, number text, at timestamptz, base numeric);
    create unlogged table deck (plan_sid text, prefix text, increment numeric, minimum numeric, unit numeric,
        price numeric, fee numeric, begins timestamptz, ends timestamptz);
    \\copy calls from 'calls.csv' csv
    \\copy deck from 'deck.csv' csv
    update deck set prefix = coalesce(prefix, '');
    {index}
    analyze;
"""
_RATED = """
    create unlogged table rated as
    select c.dr_sid, r.prefix, b.billed, round(r.fee + r.price * b.billed / r.unit, 10) as amount
    from calls as c
    cross join lateral ({probe}) as r
    cross join lateral (select case when c.base <= r.minimum then r.minimum else
        r.minimum + ceil((c.base - r.minimum) / r.increment) * r.increment end as billed) as b;
"""
_IN_FORCE = "d.plan_sid = c.plan_sid and (begins is null or begins <= c.at) and (ends is null or c.at < ends)"
WAYS = {
    "B-tree": (
        "create index on deck (plan_sid, prefix);",
        "select d.* from generate_series((select max(length(prefix)) from deck), 0, -1) as n, "
        f"lateral (select * from deck as d where d.prefix = left(c.number, n) and {_IN_FORCE} limit 1) as d "
        "where n <= length(c.number) limit 1",
        20,
    ),
    "prefix, GiST": (
        "create extension prefix; alter table deck add range prefix_range; update deck set range = prefix; "
        "create index on deck using gist (range);",
        f"select d.* from deck as d where d.range @> c.number and {_IN_FORCE} order by length(d.prefix) desc limit 1",
        100,
    ),
}


def compare(home: Path, calls: int, ours: float) -> None:
    """Prints what PostgreSQL makes of the first ``calls`` of the month, and how many times as fast the engine is."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        print(
            "\n  PostgreSQL is not on this machine (apt-get install postgresql-15 postgresql-15-prefix): left out"
        )
        return
    with _server(programs[-1].parent) as (folder, psql):
        expected = _export(home, folder, calls)
        print(f"\n  PostgreSQL        calls/s   rating is faster   goal   ({calls:,} calls)")
        for name, (index, probe, goal) in WAYS.items():
            try:
                psql(f"drop table if exists calls, deck, rated;{_TABLES.format(index=index)}")
            except subprocess.CalledProcessError as error:
                print(f"  {name:14} left out: {error.stderr.splitlines()[0]}")
                continue
            began = time.monotonic()
            psql(_RATED.format(probe=probe))
            speed = calls / (time.monotonic() - began)
            sums = "count(*), sum(billed)::numeric(30, 3), sum(amount)::numeric(30, 10)"
            found = psql(f"select {sums} from rated").strip()
            assert found == expected, f"{name}: {found} is not {expected}"
            print(f"  {name:14} {speed:>10,.0f} {ours / speed:>17.0f}x {goal:>5}x")


def _export(home: Path, folder: Path, calls: int) -> str:
    """The answered calls that were rated and their deck as CSV; the engine's count and sums over them."""
    from rate_world import opened

    lake = opened(home)[0]
    with lake.duck() as con:
        con.execute(f"""
            create temp table chosen as
            select dr_sid, plan_sid, matched_number, date_start, base_seconds, billed_seconds, amount
            from rate.calls where side = 'charge' and rating_status = 'rated' order by date_stop, dr_sid limit {calls}
        """)
        copied = "dr_sid, plan_sid, matched_number, date_start, base_seconds"
        con.execute(f"copy (select {copied} from chosen) to '{folder / 'calls.csv'}' (header false)")
        con.execute(f"""
            copy (select plan_sid, prefix, increment_ms * 0.001::decimal(4, 3), minimum_ms * 0.001::decimal(4, 3),
                unit_ms * 0.001::decimal(4, 3), price, connect_fee, effective_from, effective_to from rate.rates)
            to '{folder / "deck.csv"}' (header false)
        """)
        row = con.execute("select count(*), sum(billed_seconds), sum(amount) from chosen").fetchall()[0]
    assert row[0] == calls, "there are not so many rated calls; ask for fewer with --postgres-calls"
    return "|".join(map(str, row))


@contextmanager
def _server(programs: Path) -> Iterator[tuple]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        # PostgreSQL refuses to run as root.
        user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        if user:
            folder.chmod(0o755)
            shutil.chown(folder, "postgres", "postgres")
        how = {"cwd": folder, "text": True, "capture_output": True, **user}
        subprocess.run([programs / "initdb", "-U", "postgres", "-A", "trust", "data"], check=True, **how)
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c shared_buffers=512MB"
        ctl = [programs / "pg_ctl", "-D", "data", "-w"]
        subprocess.run(
            [*ctl, "-l", "log", "-o", options, "start"],
            check=True,
            **(how | {"capture_output": False, "stdout": subprocess.DEVNULL}),
        )

        def psql(text: str) -> str:
            command = ["psql", "-h", str(folder), "-U", "postgres", "-qtA", "-v", "ON_ERROR_STOP=1"]
            lines = "\n".join(line.strip() if "\\copy" in line else line for line in text.splitlines())
            return subprocess.run(command, input=lines, check=True, **how).stdout

        try:
            yield folder, psql
        finally:
            subprocess.run([*ctl, "-m", "immediate", "stop"], check=True, **how)


__all__ = ["compare"]

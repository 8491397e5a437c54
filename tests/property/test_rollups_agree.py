"""The roll-ups against the queries that say what they are, and calls at once against counting every second of them.

The worlds are random: several parts of several days, nulls and odd clocks everywhere, resellers, sums beyond 64 bits.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.lake import parquet
from pipeline.lake.lake import Lake
from pipeline.lake.layout import part_label
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.measure import records, rollups
from pipeline.measure.rollups import ROLLUPS, roll_up
from tests.fixtures.ledgers import ledger_at

NOW = datetime(2026, 4, 3, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
# Records that are made together, counted together and read together, and how many places an array may have.
LIMITS = {
    "together": (500_000, 250_000, 245_760, 2**21, 2**17),
    "one by one": (1, 1, 245_760, 2**21, 2**6),
    "narrow": (50, 30, 5, 2**8, 2**6),
}
KNOBS = (
    (rollups, "_BATCH_ROWS"), (rollups, "_PIECE_ROWS"), (parquet, "CODED"), (records, "_MOST"), (records, "_FEW"),
)  # fmt: skip
Row = dict[str, Any]


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_rows_are_those_of_the_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, ...]
) -> None:
    # So that calls are cut in two by the row groups of a file.
    monkeypatch.setattr(parquet, "ROW_GROUP", 5)
    lake = world(tmp_path, random.Random(limits[0]))
    for (module, name), most in zip(KNOBS, limits, strict=True):
        monkeypatch.setattr(module, name, most)
    roll_up(lake, lake.ledger, now=NOW)

    with lake.duck() as con:
        for rollup in ROLLUPS:
            actual = con.execute(f"from {rollup.table.replace('/', '.')}").fetchall()
            assert actual == (seconds_counted(con) if rollup.past_midnight else asked(con, rollup.table))


def asked(con: Any, table: str) -> list[tuple]:
    columns = ", ".join(BY_NAME[table].schema.names)
    return con.execute(f"select {columns} from ({sql_text(table)})").fetchall()


def seconds_counted(con: Any) -> list[tuple]:
    """The rows of measure.trunk_hours, from each second of each call that its query gives for each day."""
    found: dict[tuple, Counter[int]] = {}
    for (day,) in con.execute("select distinct epoch(date_stop::date)::bigint from land.calls").fetchall():
        after = datetime.fromtimestamp(day + 86_400, UTC)
        calls = con.execute(sql_text("measure/trunk_hours"), {"after": after.isoformat()}).fetchall()
        for *groups, start, stop in calls:
            seconds = range(max(-(-start // 1000), day), min(-(-stop // 1000), day + 86_400))
            for side, sid in zip(("in", "out", "all"), (*groups, None), strict=True):
                for second in seconds if side == "all" or sid else ():
                    found.setdefault((second // 3600, side, sid), Counter())[second] += 1
    rows = []
    for (hour, side, sid), counts in sorted(found.items(), key=repr):
        at = datetime.fromtimestamp(hour * 3600, UTC)
        peak = max(counts.values())
        first = datetime.fromtimestamp(min(s for s, n in counts.items() if n == peak), UTC)
        rows.append((at.date(), at, side, sid, peak, first, counts.total()))
    return rows


def world(home: Path, dice: random.Random) -> Lake:
    lake = Lake(home, ledger_at(home))
    staged = []
    for day in sorted(dice.sample(range(6), 3)):
        for part in range(1, 3):
            calls = [call(dice, START + timedelta(days=day)) for _ in range(dice.randint(1, 20))]
            texts = [text(dice, START + timedelta(days=day)) for _ in range(dice.randint(0, 6))]
            made = {
                "land/calls": calls,
                "land/messages": texts,
                "rate/calls": [row for record in calls for row in rated(dice, record)],
                "rate/messages": [row for record in texts for row in rated(dice, record)],
            }
            for table, rows in made.items():
                schema = BY_NAME[table].schema
                whole = [{name: row.get(name) for name in schema.names} for row in rows]
                label = part_label((START + timedelta(days=day)).date(), part)
                staged.append(lake.stage(table, label, pa.Table.from_pylist(whole, schema=schema)))
    with lake.ledger.transaction() as tx:
        lake.commit(tx, staged, at=NOW, stage="land")
    return lake


def some(dice: random.Random, *values: Any) -> Any:
    """One of these, or null."""
    return dice.choice([*values, None])


def ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def call(dice: random.Random, day: datetime) -> Row:
    stop = day + ms(dice.choice((0, 400, 86_399_999, dice.randrange(86_400_000))))
    talk = some(dice, *(stop - ms(n) for n in (-500, 0, 1, 6_000, 6_001, dice.randrange(5_000_000))))
    return {
        "date_start": stop - ms(dice.choice((-1, 0, 1, dice.randrange(9_000_000)))),
        "date_talk": talk,
        "date_stop": stop,
        "date_insert": some(dice, *(stop + ms(n) for n in (-1_500, -500, 999, 1_000))),
        "direction": some(dice, "inbound", "outbound"),
        "type": some(dice, "telecom", "mediator"),
        "partner_sid": some(dice, "zeta", "alpha"),
        "number_billing": some(dice, "2", "10"),
        "trunk_group_sid_src": some(dice, "t2", "t1", "t9"),
        "trunk_group_sid_dst": some(dice, "t1"),
        "sipcause": some(dice, 200, 480, 486, 487, 600, 603, 607, 503),
        "disconnect_originator": some(dice, "src", "dst"),
        "stir_attest": some(dice, "C", "A"),
        "stir_identity": some(dice, True, False),
        "stir_verstat": some(dice, "TN-Validation-Passed"),
    }


def text(dice: random.Random, day: datetime) -> Row:
    inserted = day + ms(dice.randrange(86_400_000))
    return {
        "date_start": some(dice, inserted),
        "date_stop": inserted,
        "date_insert": inserted,
        "date_sent": some(dice, inserted + ms(1_234)),
        "direction": some(dice, "outbound"),
        "type": some(dice, "sms", "mms"),
        "partner_sid": some(dice, "zeta", "alpha"),
        "number_billing": some(dice, "2", "10"),
        "mcc": some(dice, 310, 262),
        "mnc": some(dice, 0, 4),
        "message_segments": some(dice, 1, 3),
        "recipients": some(dice, 0, 2),
        "provider": some(dice, "tsg"),
        "status": some(dice, "sent", "failed"),
    }


def rated(dice: random.Random, record: Row) -> list[Row]:
    """Its cost and its charge, and now and then what somebody below us is charged."""
    payers = [("root",), ("zeta", "alpha"), ("below",)][: dice.choice((2, 2, 3))]
    return [
        {name: record.get(name) for name in ("date_stop", "direction", "partner_sid")}
        | {
            "level": level,
            "payer_sid": some(dice, *who),
            "family": some(dice, "pstn"),
            "item_type": some(dice, "toll", "toll_free"),
            "country_code": "USA",
            "currency": some(dice, "USD", "EUR"),
            "rating_status": dice.choice(("rated", "unrated")),
            "unrated_reason": some(dice, "no_rate"),
            "base_seconds": some(dice, Decimal(0), Decimal("60.001")),
            "billed_seconds": some(dice, Decimal(66)),
            "provider_billed_seconds": some(dice, Decimal("60.0004999"), Decimal("9999999.9995")),
            "billed_units": some(dice, 3),
            "amount": some(dice, Decimal("-0.0000000001"), Decimal("999999999.9999999999"), Decimal("0.5")),
            "provider_price": some(dice, Decimal("0.000000000001"), Decimal("123456789.1")),
            "plan_sid": some(dice, "q", "p"),
            "plan_version": some(dice, "v1"),
            "matched_prefix": some(dice, "", "49", "1"),
        }
        for level, who in enumerate(payers)
    ]

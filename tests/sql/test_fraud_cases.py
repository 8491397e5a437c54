"""Where each kind of signal begins, as rows: every case is a customer of its own, and all are looked at together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from pipeline.lake.lake import Lake
from pipeline.lake.layout import day_label
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.masters.model import Customer, Masters, Place, Policy
from pipeline.masters.signals import SignalPolicy
from pipeline.measure.signals import find_signals

TODAY = 9
NOW = datetime(2026, 3, 11, tzinfo=UTC)
OWN = "15125550100"
POLICY = SignalPolicy(
    history_least=2,
    factor=2,
    premium_calls=2,
    premium_minutes=1,
    spend_least=Decimal(1),
    wangiri_calls=4,
    sequential_calls=5,
    night_calls=3,
    parallel_calls=2,
    destination_calls=3,
    spoofed_calls=2,
    far_apart_calls=1,
    pumped_messages=4,
    risky_ranges=("17775",),
    safe_ranges=("37190",),
    quiet=("left alone", "left alone at night/night"),
)
Row = dict[str, Any]


def call(to: str = "17135550000", at: str = "12:00", *, talk: int = 30, day: int = TODAY, **more: Any) -> Row:
    """A call that ends at this time of the day."""
    stop = datetime.fromisoformat(f"2026-03-{day:02d}T{at}:00+00:00")
    dates = {"date_stop": stop, "date_start": stop - timedelta(seconds=talk + 1)}
    answered = {"date_talk": stop - timedelta(seconds=talk)} if talk else {}
    usual = {"direction": "outbound", "number_src": OWN, "number_dst": to, "price": Decimal("0.01")}
    return usual | {"ip_src": "203.0.113.9", "stir_verstat": "TN-Validation-Passed"} | dates | answered | more


def text(to: str, at: str = "12:00", *, day: int = TODAY) -> Row:
    """An outbound message."""
    when = datetime.fromisoformat(f"2026-03-{day:02d}T{at}:00+00:00")
    return {"date_insert": when, "date_start": when, "direction": "outbound", "number_dst": to} | {
        "price": Decimal("0.01")
    }


def block(count: int, **more: Any) -> list[Row]:
    """Calls to different numbers, some way apart, of one block."""
    return [call(f"1713666{n * 137:04d}", f"12:{n:02d}", **more) for n in range(count)]


def apart(count: int, at: str = "12:{:02d}", **more: Any) -> list[Row]:
    """Calls to numbers that have nothing to do with one another."""
    return [call(f"1{212 + n}5557{n:03d}", at.format(n), **more) for n in range(count)]


def row_of(first: int, count: int, **more: Any) -> list[Row]:
    """One number after the other."""
    return [call(str(first + n), f"{9 + n // 6}:{n % 6}5".rjust(5, "0"), **more) for n in range(count)]


def before(*days: int, **more: Any) -> list[Row]:
    """Ordinary days before."""
    return [call(day=day, **more) for day in days]


def dear(count: int) -> list[Row]:
    """Calls of two each; all but one of them count."""
    return [call(f"1214555{n * 311:04d}", "12:20", price=Decimal(2)) for n in range(count)]


USED = before(5, 6, 7)
INBOUND = {"direction": "inbound", "number_dst": OWN}
REFUTED = {"stir_verstat": "TN-Validation-Failed"}
ELSEWHERE = {"ip_src": "198.18.0.1"}

# the calls and messages of a customer -> the kinds that they raise
CASES: dict[str, tuple[list[Row], str]] = {
    "four short calls to a block": (block(4, talk=0), "wangiri"),
    "three": (block(3, talk=0), ""),
    "four that last": (block(4, talk=30), ""),
    "four of six": (block(6)[4:] + block(4, talk=3), ""),
    "four in two hours": (block(2, talk=0) + [call(f"171366691{n}9", f"14:{n}0", talk=0) for n in (1, 2)], ""),
    "one number redialled": ([call("17136661234", f"12:{n}0", talk=0) for n in range(5)], ""),
    "four short calls from a block": (
        [call("", f"12:{n}0", talk=0, number_src=f"+2226612{n}34", **INBOUND) | {"number_dst": OWN} for n in range(4)],
        "wangiri",
    ),
    "five neighbours": (row_of(17136668801, 5), "sequential"),
    "four neighbours": (row_of(17136668801, 4), ""),
    "neighbours with a gap": (row_of(17136668801, 4) + row_of(17136668806, 4), ""),
    "neighbours across a hundred": (row_of(17136668897, 5), "sequential"),
    "our own numbers in a row": (row_of(15125550100, 5), ""),
    "two minutes to premium rate": (row_of(19005550001, 2, talk=60), "premium"),
    "one minute in all": (row_of(19005550001, 2, talk=30), ""),
    "one long call": ([call("19005550001", talk=600)], ""),
    "a range of our own list": (row_of(17775550001, 2, talk=60), "premium"),
    "a range that is safe": (row_of(37190123451, 2, talk=60), ""),
    "premium rate as ever": (before(6, 7, to="19005550001", talk=60) + row_of(19005550001, 2, talk=60), ""),
    "a dear hour": ([*before(6, 7), *dear(2)], "spend"),
    "one dear call": ([*USED, call(price=Decimal(3))], ""),
    "a dear hour without history": ([*before(7), *dear(2)], ""),
    "a dear hour as ever": ([*before(5, 6, 7, price=Decimal(1)), *dear(2)], ""),
    # 2026-03-02 is a Monday as today is; the other days were dearer.
    "dearer than on this weekday": (
        [*before(2, price=Decimal(1)), *before(3, 4, price=Decimal(3)), *dear(3)],
        "spend",
    ),
    "four at night": (USED + apart(4, "08:{:02d}"), "night"),
    "three at night": (USED + apart(3, "08:{:02d}"), ""),
    "four in the evening of UTC": (USED + apart(4, "23:{:02d}"), ""),
    "four at night as ever": (
        [c for day in (5, 6) for c in apart(2, "08:{:02d}", day=day)] + apart(4, "08:{:02d}"),
        "",
    ),
    "three at once": (USED + apart(3, "12:30", talk=300), "parallel"),
    "two at once": (USED + apart(2, "12:30", talk=300), ""),
    "three one after the other": (USED + apart(3, "12:{:02d}", talk=30), ""),
    "three at once as ever": (apart(2, "12:30", talk=300, day=5) + before(6) + apart(3, "12:30", talk=300), ""),
    "three to a new country": (USED + [call(f"9761{n}334{n}55") for n in range(3)], "destination"),
    "two to a new country": (USED + [call(f"9761{n}334{n}55") for n in range(2)], ""),
    "three to a known country": (
        [*USED, call("97619987766", day=4), *(call(f"9761{n}334{n}55") for n in range(3))],
        "",
    ),
    "two refuted": (apart(2, number_src="12025550001", **REFUTED), "spoofing"),
    "one refuted": (apart(1, number_src="12025550001", **REFUTED), ""),
    "refuted, but our own": (apart(2, **REFUTED), ""),
    "foreign, but not refuted": (apart(2, number_src="12025550001"), ""),
    "our number from outside": (
        [call("", f"12:{n}0", number_src="+15125550100", stir_attest="C", direction="inbound", number_dst="15125550199")
         for n in range(2)],
        "spoofing",
    ),
    "our number from outside in full": (
        [call("", f"12:{n}0", number_src="+15125550100", stir_attest="A", direction="inbound", number_dst="15125550199")
         for n in range(2)],
        "",
    ),
    "two places at once": ([*USED, call(talk=300), call("12125557001", talk=300, **ELSEWHERE)], "far_apart"),
    "two places one after the other": ([*USED, call(talk=60), call("12125557001", "15:00", **ELSEWHERE)], ""),
    "two places at once, the new one first": (
        [*USED, call(talk=30, at="12:03"), call("12125557001", "12:02", talk=120, **ELSEWHERE)],
        "",
    ),
    "two known places at once": (
        [*USED, *before(8, **ELSEWHERE), call(talk=300), call("12125557001", talk=300, **ELSEWHERE)],
        "",
    ),
    "four messages to a block": ([text(f"4479001{n}123{n}") for n in range(4)], ""),
    "four messages to numbers of a block": ([text(f"44790012{n}34{n}") for n in range(4)], "pumping"),
    "four messages to one number": ([text("447900123456") for _ in range(4)], ""),
    "left alone": (block(4, talk=0), ""),
    "left alone at night": (USED + apart(4, "08:{:02d}") + block(4, talk=0), "wangiri"),
}  # fmt: skip


def tables() -> Iterator[tuple[str, str, list[Row]]]:
    """The landed rows by table and label."""
    found: dict[tuple[str, str], list[Row]] = {}
    for case, (rows, _) in CASES.items():
        for number, row in enumerate(rows):
            table = "land/calls" if "date_stop" in row else "land/messages"
            day = (row.get("date_stop") or row["date_insert"]).date()
            given = {"source": "carrierx", "dr_sid": f"{case} {number}", "partner_sid": case, "revision": 1}
            found.setdefault((table, day_label(day)), []).append(given | row)
    found["land/dids", "all"] = [{"did_sid": "d", "phonenumber": OWN, "valid_from": NOW}] + [
        {"did_sid": str(n), "phonenumber": str(15125550100 + n), "valid_from": NOW} for n in range(1, 10)
    ]
    for (table, label), rows in found.items():
        yield table, label, rows


@pytest.fixture(scope="module")
def raised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The kinds that each customer raised."""
    folder = tmp_path_factory.mktemp("cases")
    lake = Lake(folder, Ledger.open(sqlite_url(folder / "ledger.db")))
    for table, label, rows in tables():
        schema = BY_NAME[table].schema
        filled = [dict.fromkeys(schema.names) | row for row in rows]
        staged = lake.stage(table, label, pa.Table.from_pylist(filled, schema=schema))
        with lake.ledger.transaction() as tx:
            lake.commit(tx, [staged], at=NOW, stage="land")
    customers = {
        case: Customer(case, case, "house", "America/Chicago", "USD", Place("USA")) for case in CASES
    }
    find_signals(lake, lake.ledger, Masters(customers=customers, policy=Policy(signals=POLICY)), now=NOW)
    found = lake.query(
        "select partner_sid, string_agg(kind, ' ' order by kind) as kinds from measure.signals group by all"
    )
    lake.ledger.close()
    return {row["partner_sid"]: row["kinds"] for row in found}


@pytest.mark.parametrize("case", CASES)
def test_where_a_signal_begins(raised: dict[str, str], case: str) -> None:
    assert raised.get(case, "") == CASES[case][1]

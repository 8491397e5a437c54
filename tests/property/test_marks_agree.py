"""What became of charges, told by marks, against the query that looks at every record.

The worlds are random: days on which all is as it should be, and days on which records are gone, doubled, dearer,
revised, moved, given back, written off, adjusted, drawn on bundles, or claimed by no invoice that there is.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.lake.lake import Lake
from pipeline.lake.layout import day_label
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import sql_text
from pipeline.measure.marks import mark, shorten
from tests.fixtures.ledgers import ledger_at

NOW = datetime(2026, 4, 3, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 6
VIEWS = (
    *("measure.fates_by_day", "measure.ratings", "measure.claim_sums"),
    *("rate.suspense", "rate.charge_differences", "rate.invoice_differences"),
)
PAYEES = {"acme": "root", "boreal": "root", "leaf": "acme", "stray": "root"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fate:
    """How a record is charged now, where that is otherwise, and what was claimed for it: changes to one whole claim."""

    charged: Row | None = field(default_factory=dict)
    claims: tuple[Row, ...] = ({},)
    more: str = ""


UNRATED: Row = {"rating_status": "unrated", "unrated_reason": "no_rate", "amount": None}
FREE: Row = {"rating_status": "not_billable", "unrated_reason": "not_answered", "amount": Decimal(0)}
USUAL = {
    "claimed": Fate(),
    "waiting": Fate(claims=()),
    "unrated": Fate(UNRATED, ()),
    "free": Fate(FREE, ()),
    "drawn": Fate(more="draws"),
}
ODD = {
    "doubled": Fate(claims=({}, {})),
    "dearer": Fate({"amount": Decimal(3)}),
    "free since": Fate(FREE),
    "of another": Fate({"payer_sid": "boreal", "payee_sid": "root"}),
    "revised": Fate({"revision": 2, "amount": Decimal(3)}),
    "corrected": Fate({"revision": 2}, ({}, {"revision": 2, "amount": Decimal(0), "usage": Decimal(0)})),
    "moved": Fate({"revision": 2, "date_stop": START + DAY}),
    "given back": Fate(claims=({}, {"amount": Decimal("-1.5"), "usage": Decimal(-60)})),
    "gone": Fate(None),
    "on no invoice": Fate(claims=({"invoice_sid": "inv-none"},)),
    "written off": Fate(claims=(), more="write_offs"),
    "written off unrated": Fate(UNRATED, (), more="write_offs"),
    "adjusted": Fate(more="adjusted"),
}
# How the records of a payer's day fare: most days are alike, as in life.
MOODS = (("claimed",), ("claimed", "free"), ("claimed", "drawn"), ("waiting",), ("waiting", "unrated"))


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_fates_are_those_of_the_records(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    lake, made = Lake(tmp_path, ledger_at(tmp_path)), usual(dice)
    for name, fate in ODD.items():
        made.play(name, fate, START + DAY * dice.randrange(DAYS), dice.choice(["acme", "leaf"]), "call")
    made.commit(lake)
    mark(lake, lake.ledger, now=NOW)

    assert short(lake) == asked(lake)


CHANGES: dict[str, Row] = {
    "another record": {"dr_sid": "c9"},
    "another price": {"amount": Decimal("2.1")},
    "other usage": {"usage": Decimal(66)},
    "another payer": {"payer_sid": "boreal"},
}


def test_one_claim_that_is_not_the_charge_is_found(tmp_path: Path) -> None:
    """What is claimed too much of one record is missing at another: the sums of each day are as they should be."""
    lake, made = Lake(tmp_path, ledger_at(tmp_path)), World(random.Random(1))
    for day, change in enumerate(({}, *CHANGES.values())):
        for n in range(3):
            made.play(f"c{day}-{n}", Fate(), START + DAY * day, "acme", "call")
        first, second, _ = made.rows["invoice/claims"][-3:]
        for name in ("amount", "usage"):
            second[name] -= change.get(name, first[name]) - first[name]
        first |= change
    made.commit(lake)
    mark(lake, lake.ledger, now=NOW)
    [found] = short(lake, ["measure.fates_by_day"])
    told = {row[0].day for row in found if row[2] != "claimed"}

    assert [found] == asked(lake, ["measure.fates_by_day"])
    assert told == {2, 3, 4, 5}


def test_a_day_and_an_invoice_are_marked_once_and_again_where_they_changed(tmp_path: Path) -> None:
    lake, made = Lake(tmp_path, ledger_at(tmp_path)), World(random.Random(1))
    made.play("a", Fate(claims=({"invoice_sid": "inv-1"},)), START, "acme", "call")
    made.play("b", Fate(claims=({"invoice_sid": "inv-2"},)), START + DAY, "acme", "call")
    claims = made.rows["invoice/claims"]
    claim = claims.pop()
    made.commit(lake)
    first = marked(lake)
    assert marked(lake) == first
    both = {"date=2026-03-01", "date=2026-03-02"}
    assert {table: set(files) for table, files in first.items()} == {
        "measure/charge_days": both,
        "measure/claim_days": {"all"},
        "measure/exceptions": both,
    }

    claims.append(claim)
    made.rows["rate/calls"] = [row for row in made.rows["rate/calls"] if row["dr_sid"] == "a"]
    made.commit(lake)
    second = marked(lake)
    for table in ("measure/charge_days", "measure/exceptions"):
        assert second[table] == {"date=2026-03-01": first[table]["date=2026-03-01"]}
    assert second["measure/claim_days"] != first["measure/claim_days"]
    assert lake.query("select invoice_sid, records from measure.claim_days order by all") == [
        {"invoice_sid": "inv-1", "records": 1},
        {"invoice_sid": "inv-2", "records": 1},
    ]


def marked(lake: Lake) -> dict[str, dict[str, tuple[Path, str]]]:
    """The files of each table, by label: one that is made again has another name."""
    mark(lake, lake.ledger, now=NOW)
    tables = ("measure/charge_days", "measure/claim_days", "measure/exceptions")
    return {table: {file.label: (file.path, file.sha256) for file in lake.files(table)} for table in tables}


def short(lake: Lake, views: Sequence[str] = VIEWS) -> list[list[tuple]]:
    with lake.duck() as con:
        # This roll-up is held to its query elsewhere.
        con.execute(f"create temp table money as {sql_text('measure/money_days')}")
        con.execute("create or replace view measure.money_days as from money")
        shorten(lake, con)
        return rows(con, views)


def asked(lake: Lake, views: Sequence[str] = VIEWS) -> list[list[tuple]]:
    with lake.duck() as con:
        return rows(con, views)


def rows(con: Any, views: Sequence[str]) -> list[list[tuple]]:
    return [con.execute(f"from {view} order by all").fetchall() for view in views]


class World:
    """Rows of a home: what is rated, and what invoices took of it."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        noon = START + DAY / 2
        house = {"payee_sid": "root", "bill_from": START, "due_to": NOW}
        self.rows: dict[str, list[Row]] = {
            "invoice/accounts": [
                house | {"partner_sid": "acme"},
                house | {"partner_sid": "boreal", "bill_from": noon, "due_to": noon + DAY},
                house | {"partner_sid": "leaf", "payee_sid": "acme", "parked": "so"},
            ],
            "invoice/rulings": [
                {"ruling_id": "1", "action": "write_off"},
                {"ruling_id": "2", "action": "write_off", "undone_at": NOW},
                {"ruling_id": "3", "action": "accept", "reason": "no_rate", "partner_sid": "leaf"},
            ],
            "land/provider_invoices": [provider_invoice(dice)],
            "invoice/invoices": [
                {"invoice_sid": f"inv-{payer}-{n}", "currency": "USD"} for payer in PAYEES for n in range(2)
            ],
        }

    def play(self, sid: str, fate: Fate, stop: datetime, payer: str, service: str) -> None:
        """A record of 60 seconds or units, and what became of it."""
        whole = Decimal(self.dice.choice(("0", "0.0000000001", "1.5", "20")))
        who = {"payer_sid": payer, "payee_sid": PAYEES[payer], "side": "charge", "service": service}
        own = {"source": "carrierx", "dr_sid": sid, "revision": 1, "date_stop": stop, "amount": whole} | who
        if fate.charged is not None:
            self.charge(own | fate.charged)
        drawn = self.draw(own) if fate.more == "draws" else Decimal(0)
        for change in fate.claims:
            claim = {"invoice_sid": f"inv-{payer}-{self.dice.randrange(2)}", "usage": Decimal(60)}
            self.put("invoice/claims", own | claim | {"amount": whole + drawn} | change)
        if fate.more == "write_offs":
            self.put("invoice/write_offs", own | {"ruling_id": self.dice.choice("12")})
        if fate.more == "adjusted":
            self.put("invoice/adjusted", own | {"batch_sid": "b", "amount": -whole, "usage": Decimal(-60)})

    def charge(self, own: Row) -> None:
        level = 1 if own["payee_sid"] == "root" else 2
        usage = {"billed_units": 60} if own["service"] == "message" else {"billed_seconds": Decimal(60)}
        charge = {"rating_status": "rated", "currency": "USD", "level": level} | usage
        charge |= {"item_type": "toll", "direction": "outbound", "country_code": "USA"} | own
        cost = {
            "side": "cost",
            "level": 0,
            "payer_sid": "root",
            "payee_sid": None,
            "provider_price": Decimal(1),
        }
        # Every other record has a cost that is as it should be, whatever we charge for it.
        if int(own["dr_sid"][-1], 36) % 2:
            cost |= {"rating_status": "rated", "unrated_reason": None, "amount": Decimal(1)}
        elif charge["rating_status"] == "unrated":
            cost |= {"item_type": "toll_free"}
        for row in (charge | cost, charge):
            self.put("rate/messages" if own["service"] == "message" else "rate/calls", row)

    def draw(self, own: Row) -> Decimal:
        """What bundles and tiers make of its price."""
        drawn = {kind: Decimal(self.dice.choice(("0", "-1", "0.5"))) for kind in ("bundle", "tier")}
        for kind, amount in drawn.items():
            more = {"invoice_sid": "inv-acme-0", "kind": kind, "key": "k", "amount": amount}
            self.put("invoice/draws", own | more)
        return sum(drawn.values(), Decimal(0))

    def put(self, table: str, row: Row) -> None:
        self.rows.setdefault(table, []).append(row)

    def commit(self, lake: Lake) -> None:
        """All of it, in the place of what there is."""
        files: dict[tuple[str, str], list[Row]] = {}
        for table, found in self.rows.items():
            for row in found:
                day = table.startswith("rate/") and day_label(row["date_stop"].date())
                label = day or (row["invoice_sid"] if table in ("invoice/claims", "invoice/draws") else "all")
                files.setdefault((table, label), []).append(row)
        staged = []
        for (table, label), found in files.items():
            schema = BY_NAME[table].schema
            whole = [{name: row.get(name) for name in schema.names} for row in found]
            staged.append(lake.stage(table, label, pa.Table.from_pylist(whole, schema=schema)))
        held = {(file.table, file.label) for table in self.rows for file in lake.files(table)}
        with lake.ledger.transaction() as tx:
            lake.commit(tx, staged, at=NOW, stage="land", remove=held - files.keys())


def provider_invoice(dice: random.Random) -> Row:
    """Some of its periods begin and end with a UTC day, others at any time."""
    starts = [START + n * DAY for n in range(DAYS)] + [START + DAY * dice.random() for _ in range(2)]
    lines = [
        {
            "date_billing_period_start": start,
            "date_billing_period_end": start + 2 * DAY - timedelta(seconds=1),
        }
        | {"type": kind, "direction": "outbound", "country_code": "USA", "amount": "1", "usage": "60"}
        for start in starts
        for kind in ("toll", "toll_free")
    ]
    return {"invoice_sid": "p", "partner_sid": "root", "items_json": json.dumps(lines, default=str)}


def usual(dice: random.Random) -> World:
    """Days on which nothing goes wrong."""
    made = World(dice)
    for day in range(DAYS):
        for payer in PAYEES:
            for service in ("call", "message"):
                mood = dice.choice(MOODS)
                for n in range(dice.randint(1, 4)):
                    stop = START + DAY * day + timedelta(milliseconds=dice.randrange(86_400_000))
                    sid = f"{service}-{payer}-{day}-{n}"
                    made.play(sid, USUAL[dice.choice(mood)], stop, payer, service)
    return made

"""Runs cases on both engines: the domain's reference, record by record, and the SQL, all at once.

Both answer with ``Answer`` rows in one shape, so a case states what should come out and never how.
"""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.domain.rate_plan import PlanBook, RatePlan
from pipeline.domain.rating import Outcome
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.masters.model import Assignment
from pipeline.rate.choices import Tree
from pipeline.rate.engine import prepare, rate_landed
from pipeline.rate.plans import rates_table
from pipeline.rate.reference import rate_by_reference
from pipeline.rate.world import Route, World

ROOT = "root"
SHOP = "shop"
RINGING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine says about one record for one payer."""

    dr_sid: str
    side: str
    level: int
    payer_sid: str
    payee_sid: str | None
    family: str
    item_type: str
    country_code: str | None
    matched_number: str | None
    jurisdiction: str | None
    status: str
    reason: str | None
    plan: tuple[str, str] | None
    prefix: str | None
    price: Decimal | None
    unit: Decimal | None
    base: Decimal | None
    billed: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True)
class Case:
    """A world to rate in. One partner, ``shop``, is a customer of ``root`` unless the case says otherwise."""

    plans: Sequence[RatePlan]
    assignments: Sequence[Assignment] = ()
    parents: Mapping[str, str | None] = field(default_factory=lambda: {ROOT: None, SHOP: ROOT})
    resells: Mapping[str, bool] = field(default_factory=lambda: {SHOP: False})
    endpoints: Mapping[str, str | None] = field(default_factory=lambda: {"gateway": "system_gateway"})
    routes: tuple[Route, ...] = ()

    def world(self) -> World:
        bare = tuple(RatePlan(**{**_terms(p), "rates": ()}) for p in self.plans)
        book = PlanBook(bare, tuple(self.assignments), self.parents)
        return World(
            book, tuple(self.assignments), Tree(ROOT, self.parents, self.resells), self.endpoints, self.routes
        )


def reference(case: Case, service: str, records: Sequence[dict[str, Any]]) -> list[Answer]:
    """The domain's answer."""
    full = {(p.plan_sid, p.version): p for p in case.plans}
    blank = dict.fromkeys(BY_NAME[f"land/{service}s"].schema.names)
    return sorted(
        (
            _answer(record["dr_sid"], party, outcome, service)
            for record in records
            for party, outcome in rate_by_reference(
                case.world(), service, blank | record, lambda plan, _: full[plan.plan_sid, plan.version]
            )
        ),
        key=_order,
    )


def fast(case: Case, service: str, records: Sequence[dict[str, Any]], con: Any) -> list[Answer]:
    """The SQL's answer."""
    schema = BY_NAME[f"land/{service}s"].schema
    blank = dict.fromkeys(schema.names)
    landed = pa.Table.from_pylist([blank | r for r in records], schema=schema)
    con.register("landed", landed)
    rates = [rates_table(plan) for plan in case.plans] or [BY_NAME["rate/rates"].schema.empty_table()]
    con.register("rates_at_hand", pa.concat_tables(rates))
    con.execute("create or replace temp table rates_copy as select * from rates_at_hand")
    con.execute("create or replace view rate.rates as select * from temp.rates_copy")
    world = case.world()
    prepare(con, world)
    rate_landed(con, world, service)
    cursor = con.execute("select * from rated")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return sorted((_row_answer(row, service) for row in rows), key=_order)


@contextmanager
def connection(home: Path):
    """A DuckDB connection as the engine gets it, over an empty lake."""
    ledger = Ledger.open(sqlite_url(home / "ledger.db"))
    with Lake(home, ledger).duck(apart=True) as con:
        yield con
    ledger.close()


def call(
    sid: str, number: str = "442079460000", seconds: str = "60", *, at: datetime | None = None, **more: Any
) -> dict:
    """A landed outbound call of ``shop``, answered 2 s after its start."""
    start = at or datetime(2026, 3, 10, 12, tzinfo=UTC)
    milliseconds = int(Decimal(seconds) * 1000)
    talk = (start + RINGING).timestamp() * 1000
    row = {
        "source": "carrierx",
        "dr_sid": sid,
        "revision": 1,
        "date_start": start,
        "date_talk": _at(int(talk)) if seconds != "0" else None,
        "date_stop": _at(int(talk) + milliseconds),
        "direction": "outbound",
        "partner_sid": SHOP,
        "number_dst": number,
        "endpoint_sid_src": "gateway",
        "endpoint_sid_dst": "gateway",
        "sipcause": 200 if seconds != "0" else 486,
    }
    return row | more


def message(sid: str, number: str = "4915112345678", *, at: datetime | None = None, **more: Any) -> dict:
    """A landed outbound SMS of ``shop``."""
    start = at or datetime(2026, 3, 10, 12, tzinfo=UTC)
    row = {
        "source": "carrierx",
        "dr_sid": sid,
        "revision": 1,
        "date_start": start,
        "date_stop": start,
        "date_insert": start,
        "direction": "outbound",
        "type": "sms",
        "status": "sent",
        "partner_sid": SHOP,
        "number_dst": number,
        "number_billing": "12125550100",
        "message_segments": 1,
        "recipients": 1,
    }
    return row | more


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def _terms(plan: RatePlan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in RatePlan.__dataclass_fields__}


def _answer(sid: str, party: Any, o: Outcome, service: str) -> Answer:
    rate = o.rate
    return Answer(
        sid,
        party.side,
        party.level,
        party.payer_sid,
        party.payee_sid,
        o.family,
        o.item_type,
        o.country_code,
        o.number,
        o.jurisdiction,
        o.status,
        o.reason,
        (o.plan.plan_sid, o.plan.version) if o.plan else None,
        rate.prefix if rate else None,
        rate.price if rate else None,
        rate.unit if rate and service == "call" else None,
        o.base,
        o.billed,
        o.amount,
    )


def _row_answer(row: dict[str, Any], service: str) -> Answer:
    return Answer(
        row["dr_sid"],
        row["side"],
        row["level"],
        row["payer_sid"],
        row["payee_sid"],
        row["family"],
        row["item_type"],
        row["country_code"],
        row["matched_number"],
        row.get("jurisdiction"),
        row["rating_status"],
        row["unrated_reason"],
        (row["plan_sid"], row["plan_version"]) if row["plan_sid"] else None,
        row["matched_prefix"],
        row["rate_price"],
        row.get("unit_seconds"),
        row.get("base_seconds"),
        row["billed_seconds"] if service == "call" else row["billed_units"],
        row["amount"],
    )


def _order(answer: Answer) -> tuple:
    return (answer.dr_sid, answer.level, answer.payer_sid)

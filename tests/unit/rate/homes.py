"""A small home with landed records, plans and masters to rate."""

import copy
import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.masters.model import Assignment, Customer, Masters, Place
from pipeline.rate.deck.file import DeckOptions
from pipeline.rate.deck.store import import_deck
from pipeline.rate.engine import rate_days
from pipeline.rate.plans import build_plans
from pipeline.rate.report import RateReport
from tests.fixtures.ledgers import sqlite_at
from tests.spec.engines import call

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
LATER = datetime(2026, 4, 4, 6, tzinfo=UTC)
DAY = date(2026, 3, 10)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "prefix,country_code,country_name,billing_increment,billing_minimum,price\n"
DECK = HEADER + "44,GBR,,60,60,0.02\n1,USA,,6,30,0.01\n"


def customer(sid: str, *, resells: bool = False) -> Customer:
    return Customer(sid, sid.title(), "house", "UTC", "USD", Place("USA"), resells=resells)


MASTERS = Masters(customers={"shop": customer("shop")}, assignments=(Assignment("*", "retail"),))


class Home:
    """A lake and a ledger with a partner, a gateway and one provider plan per 6 seconds."""

    def __init__(self, folder: Path) -> None:
        self.ledger = sqlite_at(folder)
        self.lake = Lake(folder, self.ledger)
        self.folder = folder
        self.put("land/partners", "all", [{"partner_sid": "shop", "parent_sid": "root", "valid_from": SINCE}])
        gateway = {"endpoint_sid": "gateway", "type": "system_gateway", "valid_from": SINCE}
        self.put("land/endpoints", "all", [gateway])

    def copied(self, folder: Path) -> "Home":
        """The same in another folder: what many tests begin with is made once, and each has its own."""
        self.ledger.close()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        made = copy.copy(self)
        made.folder, made.ledger = folder, sqlite_at(folder)
        made.lake = Lake(folder, made.ledger)
        return made

    def put(self, table: str, label: str, rows: Iterable[dict[str, Any]], now: datetime = NOW) -> None:
        schema = BY_NAME[table].schema
        blank = dict.fromkeys(schema.names)
        staged = self.lake.stage(table, label, pa.Table.from_pylist([blank | r for r in rows], schema=schema))
        with self.ledger.transaction() as tx:
            self.lake.commit(tx, [staged], at=now, stage="land")

    def provider_plan(self, rates: Iterable[tuple[str, str, str, str]], **more: Any) -> None:
        """Rates as (prefix, increment, minimum, price)."""
        version = more.pop("plan_version", "20260101-aaaaaaaaaaaa")
        rows = [
            {
                "service": "call",
                "direction": "outbound",
                "family": "pstn",
                "plan_version": version,
                "effective_date": SINCE,
                "seen_at": NOW,
                "prefix": prefix,
                "billing_increment": Decimal(increment),
                "billing_minimum": Decimal(minimum),
                "price": Decimal(price),
            }
            | more
            for prefix, increment, minimum, price in rates
        ]
        self.put("land/rates", f"call-outbound-pstn.{version}", rows)

    def calls(self, *rows: dict[str, Any], day: date = DAY) -> None:
        self.put("land/calls", f"date={day}", rows)

    def deck(self, text: str = DECK, sid: str = "retail", since: datetime = SINCE, **options: Any) -> Any:
        path = self.folder / f"{sid}.csv"
        path.write_text(text, encoding="utf-8")
        options = {"direction": "outbound", "family": "pstn"} | options
        return import_deck(self.lake, self.ledger, path, DeckOptions(sid, since, **options), now=NOW)

    def rate(
        self, masters: Masters = MASTERS, days: list[date] | None = None, now: datetime = NOW
    ) -> RateReport:
        build_plans(self.lake, self.ledger, masters, now=now)
        return rate_days(self.lake, self.ledger, masters, root_sid="root", days=days, now=now)

    def rows(self, columns: str, table: str = "rate.calls") -> list[tuple]:
        with self.lake.duck() as con:
            return con.execute(f"select {columns} from {table} order by all").fetchall()

    def hashes(self, table: str = "rate/calls") -> dict[str, str]:
        return {f.label: f.sha256 for f in self.lake.files(table)}


__all__ = ["DAY", "DECK", "LATER", "MASTERS", "NOW", "SINCE", "Home", "call", "customer"]

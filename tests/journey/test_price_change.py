"""The provider changes its prices in the middle of a month: every version stays, and every call has its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pipeline.desk.desk import Desk
from pipeline.domain.cursor import CALLS
from pipeline.provider import app
from pipeline.provider.deck import call_plan
from pipeline.provider.server import Background, start_background
from pipeline.provider.world import World, WorldConfig
from pipeline.settings import Settings
from pipeline.shipped import shipped

JANUARY, TENTH, TWENTIETH = (datetime(2026, *day, tzinfo=UTC) for day in ((1, 15), (3, 10), (3, 20)))
SEEN = TWENTIETH.replace(hour=9, minute=30)
APRIL = datetime(2026, 4, 3, 6, tzinfo=UTC)


@pytest.fixture
def provider() -> Iterator[Background]:
    world = World(WorldConfig(seed=7, calls=400, messages=1, start=date(2026, 3, 1), days=31))
    with start_background(world, "token", process=False) as background:
        yield background


def changed(price: str, effective: str):
    """The provider's plans, with another price for all inbound calls; of the others a few rows are enough."""

    def plan(direction: str, family: str, _rates: int = 0):
        found = call_plan(direction, family)
        if (direction, family) != ("inbound", "pstn"):
            return replace(found, rows=found.rows[:9])
        rows = tuple(msgspec.structs.replace(row, price=price) for row in found.rows)
        return replace(found, rows=rows, effective_date=effective)

    return plan


def test_each_call_is_priced_by_the_version_of_its_time(
    provider: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masters = tmp_path / "masters"
    masters.mkdir()
    for name in ("customers.csv", "sellers.toml", "logo.svg", "logo-bluebird.svg"):
        (masters / name).write_bytes(shipped("data", "masters", name).read_bytes())
    (masters / "assignments.csv").write_text("partner_sid,plan_sid\n*,plus\n")
    (masters / "markups.csv").write_text("plan_sid,direction,percent,floor\nplus,inbound,20,0.002\n")
    settings = Settings(tmp_path, provider.url, "token", since=datetime(2026, 2, 28, tzinfo=UTC))

    def pulled(at: datetime) -> Desk:
        desk = Desk.open(settings, now=at)
        desk.pull_rates()
        return desk

    monkeypatch.setattr(app, "call_plan", changed("0.003", "2026-01-15T00:00:00.000Z"))
    pulled(JANUARY.replace(day=20))
    monkeypatch.setattr(app, "call_plan", changed("0.01", "2026-03-10T00:00:00.000Z"))
    pulled(TENTH.replace(hour=7))
    monkeypatch.setattr(app, "call_plan", changed("0.0015", "2026-03-10T00:00:00.000Z"))
    pulled(SEEN)
    desk = pulled(APRIL)
    for resource in ("partners", "endpoints"):
        desk.pull_snapshot(resource)
    desk.pull_feed(CALLS)
    desk.rate()

    def versions(plan: str) -> list[tuple]:
        with desk.lake.duck() as con:
            return con.execute(
                "select effective_from, effective_to from rate.plans where plan_sid = ? order by effective_from",
                [plan],
            ).fetchall()

    wanted = [(JANUARY, TENTH), (TENTH, SEEN), (SEEN, None)]
    assert versions("provider:call:inbound:pstn") == versions("plus") == wanted
    rows = desk.lake.query("""
        select distinct c.side, p.effective_from, c.unit_seconds,
            c.date_start >= p.effective_from and coalesce(c.date_start < p.effective_to, true) as fits,
            c.rate_price as price
        from rate.calls as c
        join rate.plans as p on p.plan_sid = c.plan_sid and p.plan_version = c.plan_version
        where c.direction = 'inbound' and c.family = 'pstn' and c.rating_status = 'rated'
    """)
    assert all(row["fits"] for row in rows)
    assert {(r["side"], r["effective_from"], r["price"]) for r in rows} == {
        ("cost", JANUARY, Decimal("0.003")),
        ("charge", JANUARY, Decimal("0.0036")),
        ("cost", TENTH, Decimal("0.01")),
        ("charge", TENTH, Decimal("0.012")),
        ("cost", SEEN, Decimal("0.0015")),
        ("charge", SEEN, Decimal("0.002")),
    }
    assert desk.due_days() == {}

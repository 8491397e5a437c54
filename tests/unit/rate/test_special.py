"""The small tables behind windows and ported numbers, and what of them decides whether a day is rated again."""

from datetime import UTC, date, datetime, time

import pytest

from pipeline.domain.rate_plan import PlanBook, RatePlan
from pipeline.domain.windows import Window
from pipeline.land.lookups import land_lookups, lookup_row
from pipeline.rate.choices import LATEST_MS, Tree, instant_ms
from pipeline.rate.special import ported, window_pieces
from pipeline.rate.world import Route, World, read_world
from tests.unit.rate.homes import MASTERS

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PEAK = (Window("peak", begin=time(8), end=time(18)),)


def plan(**terms) -> RatePlan:
    return RatePlan("retail", "v1", "call", "USD", **terms)


def test_pieces_of_windows_are_gapless_from_a_day_before_to_two_days_after():
    keys = [
        (0, plan(windows=PEAK, time_zone="Europe/Berlin")),
        (1, plan()),
        (2, plan(time_zone="Mars/Olympus")),
    ]
    pieces = window_pieces(keys, NOON, NOON).to_pylist()

    assert [(p["plan_key"], p["window_name"]) for p in pieces] == [
        *((0, name) for name in ("peak", "", "peak", "", "peak", "", "peak")),
        (1, ""),
    ]
    first = pieces[:7]
    assert [p["from_ms"] for p in first[1:]] == [p["to_ms"] for p in first[:-1]]
    assert (first[0]["from_ms"], first[-1]["to_ms"]) == (
        instant_ms(datetime(2026, 3, 9, 12, tzinfo=UTC)),
        instant_ms(datetime(2026, 3, 12, 12, tzinfo=UTC)),
    )
    assert first[1]["from_ms"] == instant_ms(datetime(2026, 3, 9, 17, tzinfo=UTC))


def test_each_lookup_of_a_number_holds_until_the_next():
    later = datetime(2026, 3, 11, tzinfo=UTC)
    routes = (Route(NOON, "1212", "a"), Route(NOON, "1310", "b"), Route(later, "1212", "c"))

    assert [tuple(row.values()) for row in ported(routes).to_pylist()] == [
        ("1212", instant_ms(NOON), instant_ms(later), "a"),
        ("1212", instant_ms(later), LATEST_MS, "c"),
        ("1310", instant_ms(NOON), LATEST_MS, "b"),
    ]


@pytest.mark.parametrize(("day", "touched"), [(date(2026, 3, 7), False), (date(2026, 3, 10), True)])
def test_a_lookup_touches_the_days_from_its_own_on(day, touched):
    def world(*routes: Route) -> World:
        return World(PlanBook(()), (), Tree("root", {}, {}), {}, routes)

    before, after = world(), world(Route(NOON, "12125550100", "12012000100"))

    assert (before.fingerprint(day) != after.fingerprint(day)) is touched
    assert (before.fingerprint_for(day, (), ()) != after.fingerprint_for(day, (), ())) is touched


def test_routes_are_read_from_the_lookups_that_were_paid_for(home):
    answers = {"12125550100": {"details": {"lrn": "2012000100"}}, "442079460000": {"details": {}}}
    rows = [lookup_row(n, "found", answer, ("lrn",), NOON) for n, answer in answers.items()]
    land_lookups(home.lake, rows, now=NOON)

    world = read_world(home.lake, MASTERS, "root")

    assert world.routes == (Route(NOON, "12125550100", "12012000100"),)
    assert [world.routed("+1 212 555 0100", at) for at in (NOON, None)] == ["12012000100", None]

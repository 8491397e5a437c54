"""Secure ids, order and determinism: a record is a function of (seed, index) and nothing else."""

import tracemalloc
import uuid
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.provider.__main__ import _config, _parser
from pipeline.provider.entropy import SidCodec
from pipeline.provider.faults import Faults
from pipeline.provider.listing import Query, list_feed
from pipeline.provider.traffic import Curve, first_at_or_after, stamp
from pipeline.provider.world import Clock, World, WorldConfig, WorldError

START = WorldConfig().start


@given(seed=st.integers(0, 2**32), index=st.integers(0, 2**56))
def test_a_secure_id_leads_back_to_its_index(seed: int, index: int) -> None:
    codec = SidCodec(seed, "calls")
    sid = codec.encode(index)

    assert codec.decode(sid) == index
    assert str(uuid.UUID(sid)) == sid
    assert uuid.UUID(sid).version == 4


@given(st.uuids(version=4))
def test_a_foreign_uuid_is_nobodys(sid: uuid.UUID) -> None:
    assert SidCodec(1, "calls").decode(str(sid)) is None


@pytest.mark.parametrize(
    "pattern",
    ["{upper}", "{sid}x", "{short}", "{bare}", "g{tail}", "\u0661{tail}", " {tail}", "+{tail}"],
    ids=["upper case", "longer", "shorter", "without dashes", "no digit", "foreign digit", "blank", "sign"],
)
def test_a_secure_id_is_compared_to_the_byte(pattern: str) -> None:
    codec = SidCodec(1, "calls")
    sid = codec.encode(12)

    other = pattern.format(
        sid=sid, upper=sid.upper(), short=sid[:-1], bare=sid.replace("-", ""), tail=sid[1:]
    )

    assert (codec.decode(sid), codec.decode(other)) == (12, None)


def test_kinds_and_seeds_do_not_share_secure_ids() -> None:
    sid = SidCodec(1, "calls").encode(5)

    assert [SidCodec(1, "messages").decode(sid), SidCodec(2, "calls").decode(sid)] == [None, None]


@given(count=st.integers(1, 10**7), data=st.data())
def test_times_never_decrease_and_stay_within_the_days(count: int, data: st.DataObject) -> None:
    curve = Curve(START, 3)
    index = data.draw(st.integers(0, count - 1))
    jitters = data.draw(st.tuples(st.integers(0, 65_535), st.integers(0, 65_535)))

    here, there = curve.at(index, jitters[0], count), curve.at(index + 1, jitters[1], count + 1)

    assert curve.start_ms <= here < curve.end_ms
    assert index + 1 >= count or here <= curve.at(index + 1, jitters[1], count)
    assert there < curve.end_ms


def test_business_hours_are_the_busy_ones() -> None:
    curve = Curve(START, 7)
    hours = [0] * 24
    for index in range(5000):
        hours[curve.at(index, 0, 5000) % 86_400_000 // 3_600_000] += 1

    assert hours.index(max(hours)) in range(14, 21)
    assert min(hours) < max(hours) / 8


@pytest.mark.parametrize(("wanted", "expected"), [(0, 0), (3, 0), (4, 1), (5, 1), (6, 3), (7, 4)])
def test_bisection_finds_the_first(wanted: int, expected: int) -> None:
    times = [3, 5, 5, 6]

    assert first_at_or_after(times.__getitem__, 4, wanted) == expected


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_772_323_199_999, "2026-02-28T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_stamps(ms: int, text: str) -> None:
    assert stamp(ms) == text


def everything(world: World) -> bytes:
    feeds = (world.calls, world.messages)
    records = [feed.record(index, world.now_ms) for feed in feeds for index in range(feed.count)]
    return msgspec.json.encode([records, world.dids, world.endpoints, world.invoices, world.truth()])


def test_two_worlds_of_one_seed_are_the_same_to_the_byte() -> None:
    config = WorldConfig(seed=9, calls=200, messages=100)

    assert everything(World(config)) == everything(World(config))
    assert everything(World(config)) != everything(World(WorldConfig(seed=10, calls=200, messages=100)))


def test_ten_million_calls_take_the_memory_of_a_page() -> None:
    world = World(WorldConfig(calls=10_000_000, messages=10))
    query = Query.parse({"limit": "500", "offset": "5000000", "order": "date_stop asc"}, "http://x")
    list_feed(world.calls, world.now_ms, query)

    tracemalloc.start()
    page = list_feed(world.calls, world.now_ms, query)
    after = {"limit": "500", "after": page["items"][-1]["dr_sid"]}
    list_feed(world.calls, world.now_ms, Query.parse(after, "http://x"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert world.calls.codec.decode(page["items"][0]["dr_sid"]) == 5_000_000
    assert peak < 16_000_000


def test_a_configuration_survives_the_command_line() -> None:
    config = WorldConfig(
        seed=4, calls=7, messages=0, partners=30, days=3, price_unit=60,
        now=datetime(2026, 3, 2, 5, tzinfo=UTC),
        faults=Faults.parse("late_inserts=0.5"), newer_keys=True, rates=1_200,
    )  # fmt: skip

    assert _config(_parser().parse_args(config.flags())) == config


@pytest.mark.parametrize(
    "values", [{"partners": 0}, {"partners": 401}, {"days": 0}, {"calls": -1}, {"rates": 9}]
)
def test_an_impossible_world_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(WorldError):
        WorldConfig(**values)


def test_the_clock_stands_or_runs() -> None:
    seconds = [100.0]
    clock = Clock(datetime(2026, 3, 2, tzinfo=UTC), lambda: seconds[0])
    begin = clock.now()
    seconds[0] = 110.0
    standing = clock.now()
    clock.set(begin, speed=60)
    seconds[0] = 111.0

    assert (standing - begin).total_seconds() == 0
    assert (clock.now() - begin).total_seconds() == 60


def test_an_empty_world_answers_with_empty_pages() -> None:
    world = World(WorldConfig(calls=0, messages=0))
    query = Query.parse({"filter": "direction eq inbound"}, "http://x")

    assert list_feed(world.calls, world.now_ms, query)["items"] == []
    assert world.truth()["visible"]["calls"] == 0

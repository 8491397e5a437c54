"""Planted records stand among the ordinary ones, which stay as they are."""

import pytest

from pipeline.provider.fraud import KINDS, FraudError
from pipeline.provider.joining import Joined
from pipeline.provider.world import World, WorldConfig

SMALL = WorldConfig(calls=300, messages=60, partners=4, days=12)


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(calls=300, messages=60, partners=4, days=12, fraud="all"))


def test_each_kind_that_is_asked_for_is_planted(world: World) -> None:
    assert set(world.truth()["fraud"]) == set(KINDS)
    assert World(SMALL).truth()["fraud"] == {}


@pytest.mark.parametrize("feed", ["call_feed", "message_feed"])
def test_every_record_has_its_place_and_its_id(world: World, feed: str) -> None:
    held = getattr(world, feed)
    indexes = range(held.count)
    times = [held.time(n) for n in indexes]

    assert times == sorted(times)
    assert [held.decode(held.encode(n)) for n in indexes] == list(indexes)
    assert [held.record(n, world.now_ms)["dr_sid"] for n in indexes] == [held.encode(n) for n in indexes]


def test_ordinary_records_stay_as_they_are(world: World) -> None:
    plain = World(SMALL)
    assert isinstance(world.call_feed, Joined)
    joined = {r["dr_sid"]: r for r in (world.call_feed.record(n, 0) for n in range(world.call_feed.count))}
    alone = {r["dr_sid"]: r for r in (plain.call_feed.record(n, 0) for n in range(plain.call_feed.count))}

    assert {sid: joined[sid] for sid in alone} == alone
    assert set(joined) - set(alone) == {
        sid for kind, sids in world.truth()["fraud"].items() if kind != "pumping" for sid in sids
    }


@pytest.mark.parametrize(
    ("config", "told"),
    [
        pytest.param({"fraud": "wangri"}, "there is no fraud 'wangri'", id="a kind that is none"),
        pytest.param(
            {"fraud": "all", "messages": 0}, "needs calls and messages", id="a world without traffic"
        ),
    ],
)
def test_what_cannot_be_planted_is_told(config: dict, told: str) -> None:
    with pytest.raises(FraudError, match=told):
        World(WorldConfig(**{"calls": 10, "partners": 4} | config))

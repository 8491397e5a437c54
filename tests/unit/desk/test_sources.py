"""A second provider on an open home: its messages land, change, are rated and counted beside the first one's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import doctor
from pipeline.desk.desk import Desk
from pipeline.domain.cursor import CALLS, MESSAGES
from pipeline.errors import HomeError, SettingsError, UnauthorizedError
from pipeline.homes import DEMO_NOW, make_demo_home
from pipeline.lake.layout import day_label
from pipeline.ledger import bookmarks
from pipeline.provider.fone import ACCOUNT_SID, PROPERTIES, TOKEN
from pipeline.provider.server import start_background
from pipeline.provider.world import World, WorldConfig
from pipeline.settings import Fone, load
from tests.journey.house import RATES

NOW = datetime.fromisoformat(DEMO_NOW)
SINCE = datetime(2026, 3, 25, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World(WorldConfig(calls=0, messages=300, start=SINCE.date(), days=8, now=NOW, rates=RATES))


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    with start_background(world, process=False) as sandbox:
        make_demo_home(tmp_path / "home", sandbox.url, fresh=False)
        settings = load(tmp_path / "home")
        url = sandbox.url.removesuffix("/core/v2") + "/fone/v2"
        # One property is a customer's, the other nobody's.
        owned = ((PROPERTIES[0], world.partners[1].sid), (PROPERTIES[1], "PR-nobody"))
        settings = replace(settings, since=SINCE, fone=Fone(url, ACCOUNT_SID, TOKEN, owned))
        yield Desk.open(settings, now=NOW)


def rows(desk: Desk, query: str) -> list[tuple]:
    return [tuple(row.values()) for row in desk.lake.query(query)]


BY_SOURCE = "select source, count(*) from land.messages group by all order by all"


def test_its_messages_land_beside_the_first_ones_and_once(desk: Desk) -> None:
    first = desk.pull_feed(MESSAGES)
    found = rows(desk, BY_SOURCE)
    files = desk.lake.files("land/messages")
    again = desk.pull_feed(MESSAGES)

    assert found == [("carrierx", 300), ("fonedynamics", 30)]
    assert (first.fetched, first.fresh) == (330, 330)
    assert (again.fresh, again.superseding, desk.lake.files("land/messages") == files) == (0, 0, True)


def test_calls_are_the_first_ones_alone(desk: Desk) -> None:
    assert desk.pull_feed(CALLS).fetched == 0


def test_a_later_status_supersedes_the_earlier_one(desk: Desk, world: World) -> None:
    desk.pull_feed(MESSAGES)
    made = rows(
        desk,
        "select dr_sid, date_insert from land.messages where source = 'fonedynamics' and direction = 'outbound' "
        "order by date_insert desc limit 1",
    )[0]
    early = desk_at(desk, made[1] + timedelta(seconds=62), world, clock=made[1] + timedelta(seconds=5))
    early.pull_feed(MESSAGES)
    seen = [status(early, made[0])]
    late = desk_at(desk, made[1] + timedelta(minutes=5), world, clock=made[1] + timedelta(minutes=5))
    landed = late.pull_feed(MESSAGES)
    seen.append(status(late, made[0]))

    assert seen in (["Submitted", "Delivered"], ["Submitted", "Failed"])
    assert landed.superseding == 1


def status(desk: Desk, sid: str) -> str:
    return rows(desk, f"select status from land.messages where dr_sid = '{sid}'")[0][0]


def desk_at(desk: Desk, now: datetime, world: World, *, clock: datetime) -> Desk:
    """A second home of the same provider, whose clock is set."""
    world.clock.set(clock)
    home = desk.settings.home.parent / "early"
    settings = replace(desk.settings, home=home)
    return Desk.open(settings, now=now)


def test_a_message_that_changed_long_after_its_poll_is_seen_by_the_sweep(desk: Desk, world: World) -> None:
    first = NOW - timedelta(days=1, hours=6)
    world.clock.set(first)
    desk.now = first
    desk.pull_feed(MESSAGES)
    with desk.ledger.read() as tx:
        mark = bookmarks.read(tx, "fonedynamics", "messages")

    asked = _windows(desk, NOW)

    assert (mark.cursor_value, mark.swept_to) == (first - timedelta(minutes=1), first)
    assert asked[0][0] == first - desk.settings.lookback
    assert asked[-1][1] == NOW - timedelta(minutes=1)


def test_between_sweeps_a_poll_reads_little(desk: Desk) -> None:
    desk.pull_feed(MESSAGES)

    assert _windows(desk, NOW + timedelta(hours=1)) == [
        (NOW - timedelta(minutes=16), NOW + timedelta(minutes=59))
    ]


def test_history_from_before_is_read_when_it_is_asked_for(desk: Desk) -> None:
    desk.pull_feed(MESSAGES)
    desk.settings = replace(desk.settings, since=SINCE - timedelta(days=2))

    windows = _windows(desk, NOW)

    assert windows[:2] == [
        (SINCE - timedelta(days=2), SINCE - timedelta(days=1)),
        (SINCE - timedelta(days=1), SINCE),
    ]


def _windows(desk: Desk, now: datetime) -> list[tuple[datetime, datetime]]:
    """What a pull at ``now`` would ask for."""
    from pipeline.desk import sources

    asked: list[tuple[datetime, datetime]] = []

    class Listening:
        name, account, feed = "fonedynamics", ACCOUNT_SID, MESSAGES

        def read(self, begin: datetime, end: datetime) -> Iterator:
            asked.append((begin, end))
            return iter(())

        def close(self) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "sources", lambda *_: [Listening()])
        desk.now = now
        sources.pull_sources(desk, MESSAGES, desk.settings.since, None)
    return asked


def test_charges_are_the_customers_plan_and_costs_nobodys(desk: Desk) -> None:
    desk.import_decks()
    for resource in ("partners", "countries"):
        desk.pull_snapshot(resource)
    desk.pull_rates()
    desk.pull_feed(MESSAGES)
    desk.rate()

    found = rows(
        desk,
        "select side, partner_sid = 'PR-nobody' as nobody, rating_status, unrated_reason, count(*), "
        "sum(amount) > 0 as money from rate.messages where source = 'fonedynamics' group by all order by all",
    )
    status = {
        (side, nobody, state, reason): (count, money) for side, nobody, state, reason, count, money in found
    }
    assert status[("cost", False, "unrated", "no_plan")] == (15, None)
    assert status[("charge", True, "unrated", "unknown_partner")] == (15, None)
    assert status[("charge", False, "rated", None)][1] is True
    assert {(side, state) for side, _, state, _ in status} <= {
        ("cost", "unrated"), ("charge", "unrated"), ("charge", "rated"), ("charge", "not_billable"),
    }  # fmt: skip
    assert desk.statement().differences == ()
    [sid] = rows(desk, "select dr_sid from land.messages where source = 'fonedynamics' order by all limit 1")[
        0
    ]
    assert [row.agrees for row in desk.explain(sid).rows] == [True, True]


def test_a_damaged_day_comes_back_from_both(desk: Desk) -> None:
    desk.pull_feed(MESSAGES)
    before = rows(desk, "select source, dr_sid, revision, status from land.messages order by all")
    [(day,)] = rows(
        desk,
        "select date_insert::date as day from land.messages where source = 'fonedynamics' order by 1 limit 1",
    )
    [file] = desk.lake.files("land/messages", [day_label(day)])
    file.path.write_bytes(b"torn")

    desk.verify(repair=True)

    assert rows(desk, "select source, dr_sid, revision, status from land.messages order by all") == before
    assert [d for d in desk.statement().differences if d.rule == "new = landed"] == []


def test_a_home_keeps_to_one_account(desk: Desk) -> None:
    desk.pull_feed(MESSAGES)
    assert desk.settings.fone is not None
    desk.settings = replace(desk.settings, fone=replace(desk.settings.fone, account_sid="AC-other"))

    with pytest.raises(HomeError, match="AC-other"):
        desk.pull_feed(MESSAGES)


def test_a_refused_login_names_its_settings_and_keeps_what_came(desk: Desk) -> None:
    assert desk.settings.fone is not None
    desk.settings = replace(desk.settings, fone=replace(desk.settings.fone, token="wrong"))

    with pytest.raises(UnauthorizedError, match="TOLLBOOK_FONE_TOKEN"):
        desk.pull_feed(MESSAGES)
    assert rows(desk, BY_SOURCE) == [("carrierx", 300)]


@pytest.mark.parametrize(("token", "grade"), [(TOKEN, "good"), ("wrong", "bad")])
def test_the_doctor_says_whether_it_answers(desk: Desk, token: str, grade: str) -> None:
    assert desk.settings.fone is not None
    settings = replace(desk.settings, fone=replace(desk.settings.fone, token=token))

    [found] = doctor._sources(settings)

    assert (found.grade, TOKEN in found.found) == (grade, False)


def test_its_token_is_not_sent_in_the_clear(desk: Desk) -> None:
    assert desk.settings.fone is not None
    desk.settings = replace(desk.settings, fone=replace(desk.settings.fone, url="http://api.example.com/v2"))

    with pytest.raises(SettingsError, match="TOLLBOOK_FONE_URL"):
        desk.pull_feed(MESSAGES)


def test_its_secret_and_its_texts_are_nowhere_in_the_home(desk: Desk) -> None:
    desk.pull_feed(MESSAGES)

    files = [path.read_bytes() for path in desk.settings.home.rglob("*") if path.is_file()]
    assert [
        canary for canary in (TOKEN, "fone message") if any(canary.encode() in data for data in files)
    ] == []
    assert "fone message" not in str(desk.lake.scan("land/messages").collect().to_dicts())
    assert TOKEN not in repr(desk.settings)

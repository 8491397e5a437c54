"""Signals of fraud are told to a person once, all in one message, through the doors of the alerts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.defs.assets.fraud import find_and_tell
from pipeline.desk import Desk
from tests.unit.defs.conftest import Put

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def ringing(partner: str, count: int = 60) -> list[dict[str, Any]]:
    """Calls that ring once, to one range within the hour."""
    stops = [NOON + timedelta(seconds=30 * n) for n in range(count)]
    shared = {
        "source": "carrierx",
        "partner_sid": partner,
        "direction": "outbound",
        "number_src": "15125550100",
    }
    return [
        shared
        | {
            "dr_sid": f"{partner}-{n}",
            "date_start": at,
            "date_stop": at,
            "number_dst": f"1713555{n * 131:04d}",
        }
        for n, at in enumerate(stops)
    ]


def alerts(desk: Desk) -> list[str]:
    return [path.read_text() for path in sorted((desk.settings.home / "alerts").glob("*-signals.txt"))]


@pytest.fixture
def told(desk: Desk, put: Put) -> Desk:
    """Acme has rung half a city, and a person knows."""
    put("land/calls", "date=2026-03-09", ringing("acme"))
    find_and_tell(desk)
    return desk


def test_a_person_is_told_what_and_why(told: Desk) -> None:
    [text] = alerts(told)

    assert text.startswith("tollbook: a signal of possible fraud by acme\n")
    assert "low: acme, 2026-03-09, wangiri: 60 short calls to 1713555xxxx in the hour from 12:00 UTC" in text


def test_nobody_is_told_twice(told: Desk) -> None:
    again = find_and_tell(told)

    assert (again.problems, again.how, again.found.unchanged) == ((), (), 1)


def test_the_same_signal_with_more_records_is_no_news_and_another_is(told: Desk, put: Put) -> None:
    put("land/calls", "date=2026-03-09", [*ringing("acme", 70), *ringing("other")])
    news = find_and_tell(told)

    assert [line.partition(",")[0] for line in news.problems] == ["low: other"]
    assert told.lake.query("select records from measure.signals order by partner_sid") == [
        {"records": 70},
        {"records": 60},
    ]


def test_what_is_no_signal_any_more_is_gone(told: Desk, put: Put) -> None:
    put("land/calls", "date=2026-03-09", ringing("acme", 3))
    find_and_tell(told)

    assert told.lake.query("from measure.fraud") == []

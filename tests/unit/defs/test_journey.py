"""What a journey that did not end well says to the command line."""

from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.defs.journey import JourneyResult
from pipeline.errors import HomeError, TollbookError


@pytest.mark.parametrize(
    ("failures", "broken", "raised", "said"),
    [
        ({"land/dids": HomeError("one")}, {}, HomeError, "one"),
        (
            {"land/dids": HomeError("one"), "rate": HomeError("two")},
            {},
            TollbookError,
            "land/dids: one\nrate: two",
        ),
        ({"rate/calls": ZeroDivisionError("bug")}, {}, TollbookError, "rate/calls: bug"),
        (
            {"land/calls": HomeError("no token"), "land/dids": HomeError("no token")},
            {},
            TollbookError,
            "land/calls, land/dids: no token",
        ),
        (
            {},
            {"calls_once": [{"dr_sid": "a", "times": 2, "source": None}, {}]},
            TollbookError,
            "calls_once: 2 rows break it (no call record is landed twice), first dr_sid a, times 2. "
            "What follows waits until that is mended.",
        ),
        (
            {},
            {"rolled_up": [{"rollup": "call_hours"}] * 1000},
            TollbookError,
            "rolled_up: 1,000 rows or more break it (every record that has landed and is rated is in the roll-ups, "
            "once), first rollup call_hours.",
        ),
    ],
    ids=[
        "one step",
        "two steps",
        "not ours",
        "one failure of two steps",
        "a promise",
        "one that nothing waits for",
    ],
)
def test_a_journey_that_did_not_end_well_says_so(
    failures: dict[str, Exception], broken: dict[str, Any], raised: type[Exception], said: str
) -> None:
    with pytest.raises(TollbookError) as error:
        JourneyResult({}, failures, broken, {}).check()

    assert (type(error.value), str(error.value)) == (raised, said)


def test_one_that_ended_well_raises_nothing() -> None:
    JourneyResult({"land/calls": object()}, {}, {}, {}).check()


@dataclass
class Report:
    problems: tuple[str, ...] = ("INV-2026-000001: nobody to send it to",)


def test_what_needs_a_look_is_named_though_nothing_failed() -> None:
    result = JourneyResult({"land/calls": object(), "deliver/emails": Report()}, {}, {}, {})

    assert result.notices() == ["deliver/emails: INV-2026-000001: nobody to send it to"]

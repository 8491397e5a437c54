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
        ({}, {"calls_once": [{}, {}]}, TollbookError, "calls_once: 2 rows break it"),
    ],
    ids=["one step", "two steps", "not ours", "a promise"],
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

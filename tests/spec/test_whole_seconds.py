"""Fractions of a second count, unless the plan floors or rounds a call to whole seconds first."""

import pytest

from tests.spec.drawing import check_calls

DECK = """
    prefix | price | increment | grace
    44     | 0.06  | 6         | 3
    49     | 0.06  | 1         |
"""


@pytest.mark.parametrize(
    ("base_rounding", "drawn"),
    [
        ("exact", "60.001 66 | 3.4 6 | 0.4 1 | 0.5 1 | 1.5 2 | 2.499 3"),
        ("floor", "60 60 | 3 0 | 0 0 | 0 0 | 1 1 | 2 2"),
        ("round", "60 60 | 3 0 | 0 0 | 1 1 | 2 2 | 2 2"),
    ],
)
def test_whole_seconds_come_before_grace_and_increments(engine, base_rounding, drawn):
    seconds = ("441 | 60.001", "441 | 3.4", "491 | 0.4", "491 | 0.5", "491 | 1.5", "491 | 2.499")
    expected = [" | ".join(pair.split()) for pair in drawn.split(" | ")]
    rows = [f"{given} | {counted}" for given, counted in zip(seconds, expected, strict=True)]
    check_calls(
        engine, DECK, "\n".join(["number | seconds | -> base | billed", *rows]), base_rounding=base_rounding
    )


def test_a_call_that_loses_its_only_second_is_free_by_grace_not_unanswered(engine):
    calls = """
        number | seconds | -> status      | reason       | base | amount
        491    | 0.999   |   not_billable | grace        | 0    | 0
        491    | 0       |   not_billable | not_answered | 0    | 0
    """
    check_calls(engine, DECK, calls, base_rounding="floor")


def test_what_is_impossible_is_judged_by_the_exact_length(engine):
    calls = """
        number | seconds   | ends          | -> status | reason            | base
        491    | 60        | before answer |   unrated | negative_duration | -0.001
        491    | 86400.001 |               |   unrated | too_long          | 86400
    """
    check_calls(engine, DECK, calls, base_rounding="floor")

"""Only what is in force at the start of the call counts, to the millisecond. Times count from 2026-03-15T00:00Z."""

from dataclasses import replace

from pipeline.masters.model import Assignment
from tests.spec.drawing import check, check_calls, instant, plan
from tests.spec.engines import Case


def test_a_row_is_in_force_from_its_first_instant_up_to_its_end(engine):
    deck = """
        prefix | price | from  | to
        44     | 0.02  |       | 0 ms
        44     | 0.03  | 0 ms  | 500 ms
        44     | 0.04  | 500 ms|
    """
    calls = """
        at     | -> amount
        -1 ms  |    0.02
        0 ms   |    0.03
        499 ms |    0.03
        500 ms |    0.04
    """
    check_calls(engine, deck, calls)


def test_an_expired_or_future_longer_prefix_does_not_hide_a_shorter_one(engine):
    deck = """
        prefix | price | from | to
        44     | 0.02  |      |
        4420   | 0.05  |      | 0 ms
        44207  | 0.07  | 1 ms |
    """
    calls = """
        at    | -> prefix | amount
        -1 ms |    4420   | 0.05
        0 ms  |    44     | 0.02
        1 ms  |    44207  | 0.07
    """
    check_calls(engine, deck, calls)


def test_in_a_gap_of_a_row_there_is_no_rate(engine):
    deck = """
        prefix | price | from | to
        44     | 0.02  |      | 0 ms
        44     | 0.03  | 5 ms |
    """
    calls = """
        at    | -> status | reason
        -1 ms |   rated   |
        0 ms  |   unrated | no_rate
        4 ms  |   unrated | no_rate
        5 ms  |   rated   |
    """
    check_calls(engine, deck, calls)


def test_the_version_at_the_start_holds_for_the_whole_call(engine):
    old = plan("prefix | price\n44 | 0.02", effective_to=instant("0 ms"))
    new = plan("prefix | price\n44 | 0.03", effective_from=instant("0 ms"))
    case = Case([old, replace(new, version="v2")], [Assignment("*", "plan")])
    calls = """
        at     | seconds | -> version | amount
        -1 ms  | 120     |    v1      | 0.04
        0 ms   | 120     |    v2      | 0.06
    """
    check(engine, case, "call", calls)


def test_before_the_first_version_there_is_no_plan(engine):
    case = Case(
        [plan("prefix | price\n44 | 0.02", effective_from=instant("0 ms"))], [Assignment("*", "plan")]
    )
    calls = """
        at    | -> status | reason
        -1 ms |   unrated | no_plan
        0 ms  |   rated   |
    """
    check(engine, case, "call", calls)

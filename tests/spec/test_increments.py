"""Minimum and increments, by the two rules. Published examples of both are among the cases."""

import pytest

from tests.spec.drawing import check_calls


def test_30_6_bills_thirty_seconds_and_then_six_by_six(engine):
    """30/6 bills thirty seconds, and then six by six."""
    deck = """
        prefix | price | increment | minimum
        44     | 0.60  | 6         | 30
    """
    calls = """
        seconds | -> billed | amount
        0.001   |    30     | 0.3
        29.999  |    30     | 0.3
        30      |    30     | 0.3
        30.001  |    36     | 0.36
        36      |    36     | 0.36
        36.001  |    42     | 0.42
    """
    check_calls(engine, deck, calls)


def test_where_the_minimum_is_no_multiple_of_the_increment_the_rules_part(engine):
    deck = """
        prefix | price | increment | minimum
        44     | 60    | 11        | 60
        49     | 60    | 8         | 25
    """
    after = """
        number | seconds | -> billed
        441    | 560     |    566
        491    | 26      |    33
        441    | 60      |    60
    """
    total = """
        number | seconds | -> billed
        441    | 560     |    561
        491    | 26      |    32
        441    | 60      |    66
    """
    check_calls(engine, deck, after, increment_rule="after_minimum")
    check_calls(engine, deck, total, increment_rule="total")


@pytest.mark.parametrize("rule", ["total", "after_minimum"])
def test_where_it_is_a_multiple_they_agree(engine, rule):
    deck = """
        prefix | price | increment | minimum
        44     | 0.06  | 60        | 60
        49     | 0.06  | 6         | 6
        33     | 0.06  | 1         | 60
        1      | 0.06  | 1         | 0
    """
    calls = """
        number | seconds | -> billed | amount
        441    | 60      |    60     | 0.06
        441    | 60.001  |    120    | 0.12
        491    | 0.5     |    6      | 0.006
        491    | 6.001   |    12     | 0.012
        331    | 1       |    60     | 0.06
        331    | 60.5    |    61     | 0.061
        11     | 0.001   |    1      | 0.001
        11     | 61      |    61     | 0.061
    """
    check_calls(engine, deck, calls, increment_rule=rule)


def test_fractions_of_a_second_count(engine):
    deck = """
        prefix | price | increment | minimum
        44     | 0.06  | 0.1       | 0
    """
    calls = """
        seconds | -> billed | amount
        4.2     |    4.2    | 0.0042
        4.201   |    4.3    | 0.0043
    """
    check_calls(engine, deck, calls)


def test_seven_increments_of_0_6_seconds_are_seven(engine):
    """Seven increments of 0.6 seconds are seven."""
    # In binary fractions 4.2 / 0.6 is a little more than 7, and ceil makes it 8.
    deck = """
        prefix | price | increment | minimum
        44     | 0.06  | 0.6       | 0
    """
    calls = """
        seconds | -> billed
        4.2     |    4.2
    """
    check_calls(engine, deck, calls)


def test_a_plan_may_bill_the_whole_duration_of_answered_calls(engine):
    deck = """
        prefix | price
        44     | 0.06
    """
    calls = """
        seconds | -> base | billed
        60      |    62   | 62
        0       |    0    | 0
    """
    check_calls(engine, deck, calls, billable_base="duration")

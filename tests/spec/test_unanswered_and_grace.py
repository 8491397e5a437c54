"""What is free, and what only looks free."""

from tests.spec.drawing import check_calls

DECK = """
    prefix | price | minimum | connect_fee | grace
    44     | 0.06  | 60      | 0.10        | 5
    49     | 0.06  | 60      | 0.10        |
"""


def test_an_unanswered_call_costs_nothing_not_even_the_connect_fee(engine):
    calls = """
        number | seconds | -> status      | reason       | base | billed | amount
        441    | 0       |   not_billable | not_answered | 0    | 0      | 0
    """
    check_calls(engine, DECK, calls)


def test_up_to_and_including_the_grace_seconds_a_call_is_free(engine):
    calls = """
        number | seconds | -> status      | reason | billed | amount
        441    | 5       |   not_billable | grace  | 0      | 0
        441    | 5.001   |   rated        |        | 60     | 0.16
        491    | 0.001   |   rated        |        | 60     | 0.16
    """
    check_calls(engine, DECK, calls)


def test_no_answer_time_on_a_call_that_ended_well_or_was_charged_is_a_hole_not_a_gift(engine):
    calls = """
        answered | sipcause | charged | -> status      | reason         | base | amount
        no       | 200      |         |   unrated      | answer_missing |      |
        no       | 486      | 0.01    |   unrated      | answer_missing |      |
        no       | 486      | 0       |   not_billable | not_answered   | 0    | 0
        no       |          |         |   not_billable | not_answered   | 0    | 0
        yes      | 486      |         |   rated        |                | 60   | 0.16
    """
    check_calls(engine, DECK, calls)


def test_an_unanswered_call_needs_no_rate_no_number_and_no_direction(engine):
    calls = """
        number    | seconds | direction | -> status      | reason
        33123     | 0       | outbound  |   not_billable | not_answered
        anonymous | 0       | outbound  |   not_billable | not_answered
        441       | 0       | any       |   not_billable | not_answered
        33123     | 1       | outbound  |   unrated      | no_rate
        441       | 1       | any       |   unrated      | direction
        441       | 1       |           |   unrated      | direction
    """
    check_calls(engine, DECK, calls)


def test_impossible_lengths_are_not_priced(engine):
    calls = """
        seconds   | ends          | -> status | reason            | base
        60        | before answer |   unrated | negative_duration | -0.001
        86400     |               |   rated   |                   | 86400
        86400.001 |               |   unrated | too_long          | 86400.001
    """
    check_calls(engine, DECK, calls)

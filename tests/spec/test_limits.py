"""The least and the most that a call may cost: applied to the whole amount, before it is rounded."""

from tests.spec.drawing import check_calls


def test_a_billable_call_costs_no_less_than_the_least_and_no_more_than_the_most(engine):
    deck = """
        prefix | price | connect_fee | grace | min_charge | max_charge
        44     | 0.06  | 0.01        | 5     | 0.05       | 0.5
        49     | 0.06  |             |       |            | 0.02
        33     | 0.06  |             |       | 0.05       |
    """
    calls = """
        number | seconds | -> status      | amount
        441    | 0       |   not_billable | 0
        441    | 5       |   not_billable | 0
        441    | 6       |   rated        | 0.05
        441    | 60      |   rated        | 0.07
        441    | 600     |   rated        | 0.5
        491    | 10      |   rated        | 0.01
        491    | 600     |   rated        | 0.02
        331    | 1       |   rated        | 0.05
        331    | 600     |   rated        | 0.6
    """
    check_calls(engine, deck, calls)


def test_limits_come_before_rounding(engine):
    deck = """
        prefix | price | min_charge | max_charge
        44     | 0.06  | 0.015      |
        49     | 0.06  |            | 0.045
    """
    calls = """
        number | seconds | -> amount
        441    | 1       |    0.02
        491    | 60      |    0.05
    """
    check_calls(engine, deck, calls, rounding_decimals=2)


def test_a_least_of_zero_changes_nothing_and_a_most_of_zero_makes_it_nothing(engine):
    deck = """
        prefix | price | min_charge | max_charge
        44     | 0.06  | 0          |
        49     | 0.06  |            | 0
    """
    calls = """
        number | seconds | -> status | amount
        441    | 60      |    rated  | 0.06
        491    | 60      |    rated  | 0
    """
    check_calls(engine, deck, calls)

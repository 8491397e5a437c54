"""amount = connect_fee + price * billed / unit, rounded once."""

import pytest

from tests.spec.drawing import check_calls


def test_the_price_is_for_the_rows_unit(engine):
    """The price is for the row's unit."""
    deck = """
        prefix | price | unit
        44     | 0.06  | 60
        49     | 0.06  | 6
        33     | 0.06  | 1
    """
    calls = """
        number | seconds | -> amount
        441    | 60      |    0.06
        491    | 60      |    0.6
        331    | 60      |    3.6
    """
    check_calls(engine, deck, calls)


def test_the_connect_fee_is_added_once_and_before_rounding(engine):
    deck = """
        prefix | price | connect_fee
        44     | 0.06  | 0.10
        49     | 0     | 0.10
        33     | 0.003 | 0.004
    """
    calls = """
        number | seconds | -> amount
        441    | 60      |    0.16
        441    | 600     |    0.7
        491    | 600     |    0.1
        331    | 40      |    0.006
    """
    check_calls(engine, deck, calls)


def test_a_price_of_zero_is_a_price(engine):
    calls = """
        seconds | -> status | billed | amount
        60      |   rated   | 60     | 0
    """
    check_calls(engine, "prefix | price\n44 | 0", calls)


def test_ten_decimals_half_up_unless_the_plan_says_otherwise(engine):
    deck = """
        prefix | price
        44     | 0.01
        49     | 0.000000003
        33     | 0.000000000049
    """
    calls = """
        number | seconds | -> amount
        441    | 1       |    0.0001666667
        491    | 1       |    0.0000000001
        331    | 60      |    0
    """
    check_calls(engine, deck, calls)


@pytest.mark.parametrize(
    ("mode", "drawn"),
    [
        ("half_up", "0.12 | 0.13 | 0.13 | 0.14"),
        ("half_even", "0.12 | 0.12 | 0.13 | 0.14"),
        ("up", "0.13 | 0.13 | 0.13 | 0.14"),
        ("down", "0.12 | 0.12 | 0.12 | 0.13"),
    ],
)
def test_ties_and_their_neighbours(engine, mode, drawn):
    deck = """
        prefix | price
        1      | 0.124999999999
        2      | 0.125
        3      | 0.125000000001
        4      | 0.135
    """
    below, tie, above, odd = drawn.split(" | ")
    calls = f"""
        number | -> amount
        12     |    {below}
        21     |    {tie}
        31     |    {above}
        41     |    {odd}
    """
    check_calls(engine, deck, calls, rounding_mode=mode, rounding_decimals=2)


def test_nothing_is_rounded_per_increment(engine):
    # 0.02 a minute in increments of 1 s: 0.000333... each, and still exactly 0.20 for ten minutes.
    calls = """
        seconds | -> amount
        600     |    0.2
        1       |    0.0003
    """
    check_calls(engine, "prefix | price\n44 | 0.02", calls, rounding_decimals=4)


@pytest.mark.parametrize(("decimals", "amount"), [(0, "1"), (1, "1.2"), (3, "1.235"), (10, "1.2345678901")])
def test_from_no_decimals_to_ten(engine, decimals, amount):
    calls = f"""
        seconds | -> amount
        60      |    {amount}
    """
    check_calls(engine, "prefix | price\n44 | 1.234567890123", calls, rounding_decimals=decimals)


def test_an_amount_that_no_column_holds_is_not_charged(engine):
    deck = """
        prefix | price        | unit
        44     | 999999999999 | 0.001
    """
    calls = """
        seconds | -> status | reason       | billed | amount
        60      |   unrated | out_of_range |        |
    """
    check_calls(engine, deck, calls)

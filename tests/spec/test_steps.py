"""Prices that change inside a call: the first minute at one price, what follows at another."""

from tests.spec.drawing import check_calls


def test_from_a_billed_second_on_another_price_holds(engine):
    deck = """
        prefix | price | steps
        44     | 0.06  | 60:0.03
        49     | 0.06  | 60:0.03;300:0
    """
    calls = """
        number | seconds | -> billed | amount
        441    | 59      |    59     | 0.059
        441    | 60      |    60     | 0.06
        441    | 61      |    61     | 0.0605
        441    | 180     |    180    | 0.12
        491    | 300     |    300    | 0.18
        491    | 3600    |    3600   | 0.18
    """
    check_calls(engine, deck, calls)


def test_an_increment_is_charged_whole_at_the_price_at_which_it_begins(engine):
    deck = """
        prefix | price | increment | steps
        44     | 0.06  | 60        | 90:0.03
        49     | 0.06  | 7         | 60:0.03
    """
    calls = """
        number | seconds | -> billed | amount
        441    | 61      |    120    | 0.12
        441    | 121     |    180    | 0.15
        491    | 60      |    63     | 0.063
        491    | 64      |    70     | 0.0665
    """
    check_calls(engine, deck, calls)


def test_the_minimum_is_the_first_increment(engine):
    deck = """
        prefix | price | increment | minimum | steps
        44     | 0.06  | 6         | 60      | 30:0.03
    """
    calls = """
        seconds | -> billed | amount
        1       |    60     | 0.06
        60      |    60     | 0.06
        61      |    66     | 0.063
    """
    check_calls(engine, deck, calls)


def test_where_the_whole_is_rounded_up_a_short_call_costs_what_one_of_the_minimum_costs(engine):
    deck = """
        prefix | price | increment | minimum | steps
        44     | 0.06  | 6         | 60      | 30:0.03
        49     | 0.06  | 11        | 60      | 30:0.03
        33     | 0.06  | 11        | 60      | 58:0.03
    """
    calls = """
        number | seconds | -> billed | amount
        441    | 1       |    60     | 0.045
        441    | 60      |    60     | 0.045
        441    | 61      |    66     | 0.048
        491    | 1       |    60     | 0.0465
        491    | 61      |    66     | 0.0495
        331    | 1       |    60     | 0.06
        331    | 61      |    66     | 0.066
    """
    check_calls(engine, deck, calls, increment_rule="total")


def test_the_connect_fee_comes_once_and_all_is_rounded_once(engine):
    deck = """
        prefix | price | connect_fee | unit | steps
        44     | 0.01  | 0.1         | 7    | 3:0.02;5:0.03
    """
    calls = """
        seconds | -> amount
        1       |    0.1014
        6       |    0.1143
        7       |    0.1186
    """
    check_calls(engine, deck, calls, rounding_decimals=4)


def test_a_row_without_a_price_is_blocked_whatever_its_steps(engine):
    calls = """
        seconds | -> status  | reason
        61      |    unrated | blocked
    """
    check_calls(engine, "prefix | price | steps\n44 | | 60:0.03", calls)

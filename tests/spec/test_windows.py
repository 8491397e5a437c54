"""Hours, weekdays and holidays: windows of the plan, in its own time zone, and calls that cross from one to another."""

from tests.spec.drawing import check_calls

PEAK = """
    window | days                | from  | to
    peak   | Mon Tue Wed Thu Fri | 08:00 | 18:00
"""
DECK = """
    prefix | window | price
    44     | peak   | 0.06
    44     |        | 0.03
"""


def test_a_row_holds_in_its_window_and_the_row_without_one_for_the_rest(engine):
    calls = """
        answered at               | -> price | amount
        2026-03-10T07:59:00-04:00 |    0.03  | 0.03
        2026-03-10T08:00:00-04:00 |    0.06  | 0.06
        2026-03-10T17:58:59-04:00 |    0.06  | 0.06
        2026-03-10T18:00:00-04:00 |    0.03  | 0.03
        2026-03-14T12:00:00-04:00 |    0.03  | 0.03
        2026-03-16T12:00:00-04:00 |    0.06  | 0.06
    """
    check_calls(engine, DECK, calls, windows=PEAK, time_zone="America/New_York")


def test_each_increment_is_charged_in_the_window_in_which_it_begins(engine):
    deck = """
        prefix | window | price | increment
        44     | peak   | 0.06  | 1
        44     |        | 0.03  | 1
        49     | peak   | 0.06  | 60
        49     |        | 0.03  | 60
    """
    calls = """
        number | answered at             | seconds | -> billed | price | amount
        441    | 2026-03-10 17:59:30.000 | 60      |    60     | 0.06  | 0.045
        441    | 2026-03-10 07:59:30.000 | 60      |    60     | 0.03  | 0.045
        441    | 2026-03-10 17:59:30.500 | 60      |    60     | 0.06  | 0.045
        491    | 2026-03-10 17:59:30.000 | 60      |    60     | 0.06  | 0.06
        491    | 2026-03-10 17:59:30.000 | 61      |    120    | 0.06  | 0.09
        491    | 2026-03-10 17:59:00.000 | 61      |    120    | 0.06  | 0.09
        491    | 2026-03-10 07:59:59.999 | 61      |    120    | 0.03  | 0.09
        441    | 2026-03-10 07:00:00.000 | 43200   |    43200  | 0.03  | 39.6
    """
    check_calls(engine, deck, calls, windows=PEAK)


def test_the_row_in_whose_time_a_call_begins_gives_the_other_terms(engine):
    deck = """
        prefix | window | price | connect_fee | increment | minimum | grace | min_charge
        44     | peak   | 0.06  | 0.1         | 60        | 60      | 5     |
        44     |        | 0.03  | 0           | 1         | 0       | 0     | 0.05
    """
    calls = """
        answered at         | seconds | -> status      | billed | amount
        2026-03-10 17:59:50 | 5       |   not_billable | 0      | 0
        2026-03-10 17:59:50 | 61      |   rated        | 120    | 0.19
        2026-03-10 07:59:50 | 5       |   rated        | 5      | 0.05
        2026-03-10 07:59:50 | 130     |   rated        | 130    | 0.125
    """
    check_calls(engine, deck, calls, windows=PEAK)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(engine):
    windows = """
        window | days | from  | to
        night  | Fri  | 22:00 | 06:00
    """
    deck = """
        prefix | window | price
        44     | night  | 0.01
        44     |        | 0.05
    """
    calls = """
        answered at      | -> price
        2026-03-13 05:00 |    0.05
        2026-03-13 21:59 |    0.05
        2026-03-13 22:00 |    0.01
        2026-03-14 05:59 |    0.01
        2026-03-14 06:00 |    0.05
        2026-03-14 22:00 |    0.05
    """
    check_calls(engine, deck, calls, windows=windows)


def test_holidays_come_first_because_they_are_named_first(engine):
    windows = """
        window | days                | from  | to    | holidays
        feast  |                     | 00:00 | 00:00 | 2026-07-03 2026-12-25
        peak   | Mon Tue Wed Thu Fri | 08:00 | 18:00 |
    """
    deck = """
        prefix | window | price
        44     | peak   | 0.06
        44     | feast  | 0.01
        44     |        | 0.03
    """
    calls = """
        answered at      | seconds | -> price | amount
        2026-07-02 12:00 | 60      |    0.06  | 0.06
        2026-07-03 12:00 | 60      |    0.01  | 0.01
        2026-12-24 23:59 | 120     |    0.03  | 0.04
    """
    check_calls(engine, deck, calls, windows=windows)
    # A row that knows nothing of feasts is off its peak on them.
    calls = """
        answered at      | -> price
        2026-07-03 12:00 |    0.03
    """
    check_calls(engine, DECK, calls, windows=windows)


def test_a_window_with_holidays_and_weekdays_holds_on_both(engine):
    windows = """
        window | days    | from  | to    | holidays
        cheap  | Sat Sun | 00:00 | 00:00 | 2026-03-11
    """
    deck = """
        prefix | window | price
        44     | cheap  | 0.01
        44     |        | 0.05
    """
    calls = """
        answered at      | -> price
        2026-03-10 12:00 |    0.05
        2026-03-11 00:00 |    0.01
        2026-03-12 00:00 |    0.05
        2026-03-14 12:00 |    0.01
    """
    check_calls(engine, deck, calls, windows=windows)


def test_in_spring_the_hour_that_is_left_out_is_in_no_window(engine):
    windows = """
        window | days | from  | to
        small  |      | 02:00 | 03:30
    """
    deck = """
        prefix | window | price
        44     | small  | 0.60
        44     |        | 0.06
    """
    calls = """
        answered at               | seconds | -> amount
        2026-03-07T02:00:00-05:00 | 3600    |    36
        2026-03-08T01:00:00-05:00 | 3600    |    3.6
        2026-03-08T01:59:00-05:00 | 120     |    0.66
        2026-03-08T03:00:00-04:00 | 3600    |    19.8
    """
    check_calls(engine, deck, calls, windows=windows, time_zone="America/New_York")


def test_in_autumn_the_hour_that_comes_twice_is_in_its_window_twice(engine):
    windows = """
        window | days | from  | to
        small  |      | 01:00 | 02:00
    """
    deck = """
        prefix | window | price
        44     | small  | 0.60
        44     |        | 0.06
    """
    calls = """
        answered at               | seconds | -> amount
        2026-11-01T00:59:00-04:00 | 7320    |    72.12
        2026-11-01T01:30:00-04:00 | 60      |    0.6
        2026-11-01T01:30:00-05:00 | 60      |    0.6
        2026-11-01T01:59:00-05:00 | 120     |    0.66
    """
    check_calls(engine, deck, calls, windows=windows, time_zone="America/New_York")


def test_peak_begins_at_eight_by_the_clock_in_summer_and_in_winter(engine):
    calls = """
        answered at               | -> price
        2026-03-27T06:59:59+00:00 |    0.03
        2026-03-27T07:00:00+00:00 |    0.06
        2026-03-30T05:59:59+00:00 |    0.03
        2026-03-30T06:00:00+00:00 |    0.06
    """
    check_calls(engine, DECK, calls, windows=PEAK, time_zone="Europe/Berlin")


def test_steps_and_windows_together(engine):
    deck = """
        prefix | window | price | steps
        44     | peak   | 0.60  | 60:0.30
        44     |        | 0.06  | 120:0.03
    """
    calls = """
        answered at         | seconds | -> amount
        2026-03-10 17:58:30 | 180     |    0.81
        2026-03-10 07:58:30 | 180     |    0.54
    """
    check_calls(engine, deck, calls, windows=PEAK)


def test_without_a_row_for_the_rest_such_calls_are_unrated_not_free(engine):
    deck = """
        prefix | window | price
        44     | peak   | 0.06
    """
    calls = """
        answered at         | seconds | -> status  | reason    | prefix | amount
        2026-03-10 12:00:00 | 60      |    rated   |           | 44     | 0.06
        2026-03-10 07:59:00 | 60      |    unrated | no_window |        |
        2026-03-10 17:59:30 | 60      |    unrated | no_window | 44     |
    """
    check_calls(engine, deck, calls, windows=PEAK)


def test_a_call_into_blocked_hours_is_unrated(engine):
    deck = """
        prefix | window | price | status
        44     | peak   | 0.06  |
        44     |        |       | blocked
    """
    calls = """
        answered at         | seconds | -> status  | reason
        2026-03-10 17:59:00 | 60      |    rated   |
        2026-03-10 17:59:30 | 60      |    unrated | blocked
    """
    check_calls(engine, deck, calls, windows=PEAK)


def test_an_unknown_time_zone_is_a_reason_and_only_where_it_matters(engine):
    deck = """
        prefix | window | price
        44     | peak   | 0.06
        44     |        | 0.03
        49     |        | 0.05
    """
    calls = """
        number | -> status  | reason    | amount
        441    |    unrated | time_zone |
        491    |    rated   |           | 0.05
    """
    check_calls(engine, deck, calls, windows=PEAK, time_zone="Mars/Olympus")


def test_rows_of_two_units_cannot_be_added_up_in_one_call(engine):
    deck = """
        prefix | window | price | unit
        44     | peak   | 0.06  | 60
        44     |        | 0.03  | 1
    """
    calls = """
        answered at         | seconds | -> status  | reason      | amount
        2026-03-10 12:00:00 | 60      |    rated   |             | 0.06
        2026-03-10 17:59:30 | 60      |    unrated | mixed_units |
    """
    check_calls(engine, deck, calls, windows=PEAK)

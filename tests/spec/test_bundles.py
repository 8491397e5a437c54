"""Included usage: a customer need not pay for the first seconds or units of a period.

Calls draw in the order in which they end; ``included`` is what a bundle covers of a call, ``to pay`` what is left of
its amount. The price is 0.06 a minute where a table does not say otherwise.
"""

from tests.spec.allowances import Terms, bundle, check

HUNDRED = Terms([bundle("start", "100")])


def test_calls_draw_in_the_order_in_which_they_end_until_nothing_is_left(drawing):
    calls = """
        sid | day | seconds | -> included | to pay
        c   | 12  | 60      |    0        | 0.06
        a   | 10  | 60      |    60       | 0
        b   | 11  | 60      |    40       | 0.02
    """
    check(drawing, HUNDRED, calls)


def test_calls_that_end_at_the_same_instant_draw_in_the_order_of_their_ids(drawing):
    calls = """
        sid | seconds | -> included
        b   | 80      |    20
        a   | 80      |    80
    """
    check(drawing, HUNDRED, calls)


def test_the_rest_of_a_call_costs_the_plans_price_and_the_connect_fee_stays(drawing):
    """The rest of a call costs the plan's price, and the connect fee stays."""
    calls = """
        sid | seconds | -> included | to pay
        a   | 90      |    90       | 0.1
        b   | 90      |    10       | 0.18
    """
    check(drawing, HUNDRED, calls, fee="0.1")


def test_what_is_left_is_rounded_once_as_the_plan_rounds(drawing):
    calls = """
        sid | seconds | amount | -> included | to pay
        a   | 130     | 0.02   |    100      | 0.01
    """
    check(drawing, HUNDRED, calls, price="0.007", rounding_mode="up", rounding_decimals=2)


def test_where_no_single_price_made_the_amount_each_second_bears_the_same_share(drawing):
    calls = """
        sid | seconds | amount | -> included | to pay
        a   | 400     | 1      |    100      | 0.75
    """
    check(drawing, HUNDRED, calls)


def test_fractions_of_a_second_count(drawing):
    calls = """
        sid | seconds | -> included | to pay
        a   | 99.999  |    99.999   | 0
        b   | 1       |    0.001    | 0.000999
    """
    check(drawing, HUNDRED, calls)


def test_only_records_that_a_bundle_is_meant_for_draw_on_it(drawing):
    meant = bundle(
        "start",
        "1000",
        direction="outbound",
        items=("toll",),
        countries=("DEU", "GBR"),
        prefixes=("49", "44"),
    )
    calls = """
        sid | direction | item      | country | number | seconds | -> included
        a   | outbound  | toll      | DEU     | 4930   | 60      |    60
        b   | inbound   | toll      | DEU     | 4930   | 60      |    0
        c   | outbound  | toll_free | DEU     | 4930   | 60      |    0
        d   | outbound  | toll      | FRA     | 4930   | 60      |    0
        e   | outbound  | toll      | DEU     | 3930   | 60      |    0
        f   | outbound  | toll      | GBR     | 4420   | 60      |    60
    """
    check(drawing, Terms([meant]), calls)


def test_messages_draw_units(drawing):
    messages = """
        sid | units | -> included | to pay
        a   | 7     |    7        | 0
        b   | 7     |    3        | 0.24
    """
    check(drawing, Terms([bundle("texts", "10", service="message"), *HUNDRED.bundles]), messages)


def test_several_bundles_are_drawn_in_their_stated_order(drawing):
    terms = Terms(
        [bundle("second", "50", order=2), bundle("first", "50", order=1), bundle("third", "50", order=3)]
    )
    calls = """
        sid | seconds | -> from               | to pay
        a   | 40      |    first:40           | 0
        b   | 40      |    first:10 second:30 | 0
        c   | 60      |    second:20 third:40 | 0
        d   | 60      |    third:10           | 0.05
    """
    check(drawing, terms, calls)


def test_each_number_can_have_a_pool_of_its_own(drawing):
    calls = """
        sid | own | seconds | -> included
        a   | 101 | 80      |    80
        b   | 102 | 80      |    80
        c   | 101 | 80      |    20
        d   | 102 | 10      |    10
    """
    check(drawing, Terms([bundle("start", "100", per="number")]), calls)


def test_a_customers_own_bundle_takes_the_place_of_everybodys_with_the_same_key(drawing):
    """A customer's own bundle takes the place of everybody's with the same key."""
    terms = Terms(
        [
            bundle("start", "100"),
            bundle("start", "30", partner="shop"),
            bundle("start", "500", partner="other"),
        ]
    )
    check(drawing, terms, "sid | seconds | -> included\na | 60 | 30")


def test_an_invoice_draws_what_earlier_ones_have_left_also_for_calls_that_come_late(drawing):
    calls = """
        sid  | invoice | day | seconds | -> included
        a    | 1       | 10  | 50      |    50
        b    | 1       | 20  | 30      |    30
        late | 2       | 5   | 60      |    20
    """
    check(drawing, HUNDRED, calls)


def test_a_corrected_call_gives_back_what_it_uses_no_more(drawing):
    calls = """
        sid  | invoice | seconds | -> included | to pay
        a    | 1       | 90      |    90       | 0
        b    | 1       | 60      |    10       | 0.05
        a    | 2       | 30      |    30       | 0
        late | 2       | 90      |    60       | 0.03
    """
    check(drawing, HUNDRED, calls)


def test_a_corrected_call_keeps_what_it_drew_and_draws_the_difference_in_its_turn(drawing):
    calls = """
        sid   | invoice | day | seconds | -> included
        a     | 1       | 10  | 40      |    40
        early | 2       | 5   | 50      |    50
        a     | 2       | 10  | 60      |    50
    """
    check(drawing, HUNDRED, calls)


def test_a_correction_that_a_bundle_is_not_meant_for_gives_everything_back(drawing):
    terms = Terms([bundle("start", "100", countries=("DEU",))])
    calls = """
        sid | invoice | country | seconds | -> included | to pay
        a   | 1       | DEU     | 80      |    80       | 0
        a   | 2       | FRA     | 80      |    0        | 0.08
        b   | 2       | DEU     | 90      |    90       | 0
    """
    check(drawing, terms, calls)


def test_a_record_that_costs_nothing_any_more_gives_everything_back(drawing):
    calls = """
        sid | invoice | seconds | -> included | to pay
        a   | 1       | 80      |    80       | 0
        a   | 2       | 0       |    0        | 0
        b   | 3       | 100     |    100      | 0
    """
    check(drawing, HUNDRED, calls)

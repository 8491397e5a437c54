"""Volume tiers: the price of usage changes with how much of it there is in a period.

The volume is what bundles have left to pay, in call order; ``counts`` is what a record adds to it. The price is 0.06 a
minute where a table does not say otherwise.
"""

from tests.spec.allowances import Terms, bundle, check, tier


def test_marginal_each_part_of_a_call_is_priced_in_the_step_in_which_it_lies(drawing):
    """Marginal: each part of a call is priced in the step in which it lies."""
    calls = """
        sid | seconds | -> counts | to pay
        a   | 60      |    60     | 0.06
        b   | 60      |    60     | 0.054
        c   | 60      |    60     | 0.03
    """
    check(drawing, Terms(tiers=[tier("volume", "90:-20%;120:-50%")]), calls)


def test_retroactive_everything_is_priced_in_the_step_that_the_period_has_reached(drawing):
    """Retroactive: everything is priced in the step that the period has reached."""
    calls = """
        sid | seconds | -> counts | to pay
        a   | 60      |    60     | 0.03
        b   | 60      |    60     | 0.03
    """
    check(drawing, Terms(tiers=[tier("volume", "90:-20%;120:-50%", rule="retroactive")]), calls)


def test_a_step_is_reached_with_its_first_second(drawing):
    reached = Terms(tiers=[tier("volume", "90:-20%", rule="retroactive")])
    check(drawing, reached, "sid | seconds | -> to pay\na | 89.999 | 0.089999")
    check(drawing, reached, "sid | seconds | -> to pay\na | 90 | 0.072")


def test_a_price_takes_the_place_of_the_plans_and_the_connect_fee_stays(drawing):
    """A price takes the place of the plan's, and the connect fee stays."""
    calls = """
        sid | seconds | -> to pay
        a   | 60      |    0.16
        b   | 60      |    0.145
        c   | 60      |    0.13
    """
    check(drawing, Terms(tiers=[tier("volume", "90:0.03")]), calls, fee="0.1")


def test_the_volume_can_be_money(drawing):
    calls = """
        sid | seconds | -> counts | to pay
        a   | 60      |    0.06   | 0.06
        b   | 60      |    0.06   | 0.057
        c   | 60      |    0.06   | 0.054
    """
    check(drawing, Terms(tiers=[tier("money", "0.09:-10%", measure="amount")]), calls)


def test_a_percentage_can_raise_a_price(drawing):
    check(drawing, Terms(tiers=[tier("volume", "0:25%")]), "sid | seconds | -> to pay\na | 60 | 0.075")


def test_what_a_bundle_covers_counts_in_no_tier(drawing):
    terms = Terms([bundle("start", "60")], [tier("volume", "30:-50%")])
    calls = """
        sid | seconds | -> included | counts | to pay
        a   | 60      |    60       | 0      | 0
        b   | 60      |    0        | 60     | 0.045
    """
    check(drawing, terms, calls)


def test_a_record_belongs_to_the_first_tier_that_takes_it(drawing):
    terms = Terms(
        tiers=[tier("world", "0:-10%", order=2), tier("germany", "0:-50%", order=1, countries=("DEU",))]
    )
    calls = """
        sid | country | seconds | -> from       | to pay
        a   | DEU     | 60      |    germany:60 | 0.03
        b   | FRA     | 60      |    world:60   | 0.054
    """
    check(drawing, terms, calls)


def test_messages_count_units(drawing):
    messages = """
        sid | units | -> counts | to pay
        a   | 3     |    3      | 0.18
        b   | 4     |    4      | 0.18
    """
    check(drawing, Terms(tiers=[tier("texts", "5:0.03", service="message", unit=1)]), messages)


def test_each_number_can_have_a_volume_of_its_own(drawing):
    calls = """
        sid | own | seconds | -> to pay
        a   | 101 | 60      |    0.06
        b   | 102 | 60      |    0.06
        c   | 101 | 60      |    0.03
    """
    check(drawing, Terms(tiers=[tier("volume", "60:-50%", per="number")]), calls)


def test_late_calls_come_after_all_that_was_invoiced_and_change_none_of_it(drawing):
    calls = """
        sid  | invoice | day | seconds | -> to pay
        a    | 1       | 10  | 60      |    0.06
        b    | 1       | 20  | 60      |    0.06
        late | 2       | 5   | 60      |    0.03
    """
    check(drawing, Terms(tiers=[tier("volume", "120:-50%")]), calls)


def test_late_calls_take_the_step_that_the_period_has_reached_with_them(drawing):
    calls = """
        sid  | invoice | seconds | -> to pay
        a    | 1       | 60      |    0.06
        late | 2       | 60      |    0.03
    """
    check(drawing, Terms(tiers=[tier("volume", "120:-50%", rule="retroactive")]), calls)


def test_a_corrected_call_stays_where_it_was_in_the_volume(drawing):
    calls = """
        sid | invoice | day | seconds | -> to pay
        a   | 1       | 10  | 60      |    0.06
        b   | 1       | 20  | 60      |    0.045
        c   | 1       | 21  | 60      |    0.03
        a   | 2       | 10  | 60      |    0.06
        b   | 2       | 20  | 30      |    0.03
        c   | 2       | 21  | 90      |    0.045
    """
    check(drawing, Terms(tiers=[tier("volume", "90:-50%")]), calls)

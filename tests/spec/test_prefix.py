"""The longest prefix wins; the default row comes last; price never decides."""

from tests.spec.drawing import check_calls


def test_the_longest_prefix_wins_even_when_it_is_dearer_or_cheaper(engine):
    deck = """
        prefix | price
        44     | 0.02
        4420   | 0.05
        44207  | 0.01
    """
    calls = """
        number       | -> prefix | amount
        442079460000 |    44207  | 0.01
        442012345678 |    4420   | 0.05
        447700900000 |    44     | 0.02
    """
    check_calls(engine, deck, calls)


def test_the_empty_prefix_is_the_default_row(engine):
    deck = """
        prefix | price
               | 0.5
        1      | 0.01
    """
    calls = """
        number       | -> prefix | amount
        12125550100  |    1      | 0.01
        442079460000 |           | 0.5
        1            |    1      | 0.01
    """
    check_calls(engine, deck, calls)


def test_without_a_matching_row_a_call_is_unrated_never_free(engine):
    deck = """
        prefix | price
        44     | 0.02
    """
    calls = """
        number      | -> status | reason  | prefix | billed | amount
        12125550100 |   unrated | no_rate |        |        |
        4           |   unrated | no_rate |        |        |
    """
    check_calls(engine, deck, calls)


def test_a_prefix_longer_than_the_number_does_not_match(engine):
    deck = """
        prefix    | price
        44        | 0.02
        442079460 | 0.05
    """
    calls = """
        number    | -> prefix
        44207946  |    44
        442079460 |    442079460
    """
    check_calls(engine, deck, calls)


def test_a_blocked_row_and_a_row_without_price_hide_shorter_ones(engine):
    deck = """
        prefix | price | status
        44     | 0.02  |
        4420   | 0.05  | blocked
        447    |       |
    """
    calls = """
        number       | -> status | reason  | prefix | amount
        442079460000 |   unrated | blocked | 4420   |
        447700900000 |   unrated | blocked | 447    |
        441632960000 |   rated   |         | 44     | 0.02
    """
    check_calls(engine, deck, calls)


def test_numbers_match_by_their_digits(engine):
    deck = """
        prefix | price
        44     | 0.02
    """
    calls = """
        number            | -> status | reason    | matched
        +442079460000     |   rated   |           | 442079460000
        +44 (20) 7946-000 |   rated   |           | 44207946000
        anonymous         |   unrated | no_number |
        sip:44@example.com|   unrated | no_number |
                          |   unrated | no_number |
    """
    check_calls(engine, deck, calls)
    other_digits = "\N{ARABIC-INDIC DIGIT FOUR}" * 4
    check_calls(engine, deck, f"number | -> reason\n{other_digits} | no_number")


def test_the_plan_says_which_number_is_matched_and_the_called_one_stands_in(engine):
    deck = """
        prefix | price
        44     | 0.02
        49     | 0.03
        33     | 0.04
    """
    calls = """
        number | transformed | original | -> matched
        44111  |     49111   | 33111    |    49111
        44111  |             | 33111    |    44111
    """
    check_calls(engine, deck, calls, match_field="number_dst_transformed")
    calls = """
        number | transformed | original | -> matched
        44111  |     49111   | 33111    |    33111
        44111  |     49111   |          |    44111
    """
    check_calls(engine, deck, calls, match_field="number_dst_original")


def test_the_country_is_the_rows_own_else_the_numbers(engine):
    """The country is the row's own, else the number's."""
    deck = """
        prefix | price | country
        44     | 0.02  | GBR
        1      | 0.01  |
        881    | 9     |
    """
    calls = """
        number       | -> country
        442079460000 |    GBR
        12125550100  |    USA
        14165550100  |    CAN
        18765550100  |    JAM
        88161234567  |
        4930901820   |    DEU
    """
    check_calls(engine, deck, calls)

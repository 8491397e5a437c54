"""Rows that hold for callers from somewhere: an origin prefix beside that of the destination."""

from tests.spec.drawing import check_calls


def test_of_one_destination_the_longest_origin_wins(engine):
    deck = """
        prefix | origin | price
        49     |        | 0.05
        49     | 44     | 0.02
        49     | 4420   | 0.01
    """
    calls = """
        caller         | number      | -> amount
        +44 2079460000 | 49301234567 |    0.01
        447700900000   | 49301234567 |    0.02
        33123456789    | 49301234567 |    0.05
        anonymous      | 49301234567 |    0.05
                       | 49301234567 |    0.05
    """
    check_calls(engine, deck, calls)


def test_the_destination_comes_first_then_the_origin_then_the_jurisdiction(engine):
    deck = """
        prefix | origin | jurisdiction | price
        4930   |        |              | 0.08
        49     | 442079 |              | 0.01
        1      | 1201   |              | 0.03
        1      |        | interstate   | 0.04
        1      | 1201   | interstate   | 0.02
    """
    calls = """
        caller       | number       | -> prefix | amount
        442079460000 | 493012345678 |    4930   | 0.08
        442079460000 | 498912345678 |    49     | 0.01
        12012000100  | 12125550100  |    1      | 0.02
        12012000100  | 12012160100  |    1      | 0.03
        13105550100  | 12125550100  |    1      | 0.04
    """
    check_calls(engine, deck, calls)


def test_a_row_for_another_origin_is_no_candidate(engine):
    deck = """
        prefix | origin | price
        4930   | 44     | 0.08
        49     |        | 0.05
        33     | 44     | 0.02
    """
    calls = """
        caller       | number       | -> status  | reason  | prefix | amount
        33123456789  | 493012345678 |    rated   |         | 49     | 0.05
        442079460000 | 493012345678 |    rated   |         | 4930   | 0.08
        33123456789  | 33112345678  |    unrated | no_rate |        |
    """
    check_calls(engine, deck, calls)


def test_a_blocked_origin_blocks(engine):
    deck = """
        prefix | origin | price | status
        49     |        | 0.05  |
        49     | 44     |       | blocked
    """
    calls = """
        caller       | number       | -> status  | reason  | amount
        442079460000 | 493012345678 |    unrated | blocked |
        33123456789  | 493012345678 |    rated   |         | 0.05
    """
    check_calls(engine, deck, calls)


def test_expired_rows_of_an_origin_do_not_count(engine):
    deck = """
        prefix | origin | price | to
        49     |        | 0.05  |
        49     | 44     | 0.01  | 2026-03-10 12:00
    """
    calls = """
        at               | caller       | number       | -> amount
        2026-03-10 11:59 | 442079460000 | 493012345678 |    0.01
        2026-03-10 12:00 | 442079460000 | 493012345678 |    0.05
    """
    check_calls(engine, deck, calls)

"""Interstate, intrastate, local, international: where both numbers are, as public numbering data has it."""

from tests.spec.drawing import check_calls

DECK = "prefix | price\n | 0.01"


def test_two_states_are_interstate_one_state_is_intrastate_one_place_is_local(engine):
    """Two states are interstate, one state is intrastate, one place is local."""
    calls = """
        caller       | number       | -> jurisdiction
        +12012000100 | 12012160100  |    local
        12012000100  | 19732420100  |    intrastate
        12012000100  | 12125550100  |    interstate
        12125550100  | 12125550199  |    local
    """
    check_calls(engine, DECK, calls)


def test_territories_count_as_states_canada_and_the_caribbean_are_abroad(engine):
    """Territories count as states; Canada and the Caribbean are abroad."""
    calls = """
        caller      | number       | -> jurisdiction
        12125550100 | 17875550100  |    interstate
        17875550100 | 19395550100  |    intrastate
        12125550100 | 13405550100  |    interstate
        12125550100 | 14165550100  |    international
        12125550100 | 18765550100  |    international
        12125550100 | 442079460000 |    international
        442079460000| 12125550100  |    international
    """
    check_calls(engine, DECK, calls)


def test_what_has_no_place_is_indeterminate(engine):
    calls = """
        caller       | number       | -> jurisdiction
        12125550100  | 18005550100  |    indeterminate
        12125550100  | 19005550100  |    indeterminate
        12125550100  | 15005550100  |    indeterminate
        12125550100  | 88161234567  |    indeterminate
        12125550100  | 911          |    indeterminate
        12125550100  | 121255501    |    indeterminate
        anonymous    | 12125550100  |    indeterminate
                     | 12125550100  |    indeterminate
    """
    check_calls(engine, DECK, calls)


def test_inside_another_country_there_is_no_jurisdiction(engine):
    calls = """
        caller       | number       | -> jurisdiction
        493012345678 | 491511234567 |    indeterminate
        14165550100  | 16045550100  |    indeterminate
        14165550100  | 18765550100  |    international
    """
    check_calls(engine, DECK, calls)


def test_a_ported_number_is_where_its_routing_number_is_from_the_lookup_on(engine):
    lookups = """
        at               | number      | lrn
        2026-03-10 10:00 | 12125550100 | 12012000100
        2026-03-10 14:00 | 12125550100 | 13105550100
    """
    calls = """
        at               | caller      | number      | -> jurisdiction
        2026-03-10 09:00 | 12012160100 | 12125550100 |    interstate
        2026-03-10 10:00 | 12012160100 | 12125550100 |    local
        2026-03-10 12:00 | 12125550100 | 12012160100 |    local
        2026-03-10 14:00 | 13105550111 | 12125550100 |    intrastate
    """
    check_calls(engine, DECK, calls, lookups)


def test_a_row_for_a_jurisdiction_wins_over_one_for_any(engine):
    deck = """
        prefix | jurisdiction  | price
        1201   | interstate    | 0.01
        1201   | intrastate    | 0.05
        1201   | indeterminate | 0.04
        1201   |               | 0.03
    """
    calls = """
        caller       | number      | -> jurisdiction  | amount
        12125550100  | 12012000100 |    interstate    | 0.01
        19732420100  | 12012000100 |    intrastate    | 0.05
        anonymous    | 12012000100 |    indeterminate | 0.04
        12012160100  | 12012000100 |    local         | 0.03
        442079460000 | 12012000100 |    international | 0.03
    """
    check_calls(engine, deck, calls)


def test_rows_for_other_jurisdictions_only_are_passed_over(engine):
    deck = """
        prefix | jurisdiction | price
        1201   | interstate   | 0.01
        1      |              | 0.09
    """
    calls = """
        caller      | number      | -> status | prefix | amount
        12125550100 | 12012000100 |    rated  | 1201   | 0.01
        19732420100 | 12012000100 |    rated  | 1      | 0.09
    """
    check_calls(engine, deck, calls)
    calls = """
        caller      | number      | -> status | reason
        19732420100 | 12012000100 |   unrated | no_rate
    """
    check_calls(engine, "prefix | jurisdiction | price\n1201 | interstate | 0.01", calls)

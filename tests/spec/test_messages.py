"""Messages: the network, else the mobile country code, else the country, else the default row."""

from pipeline.masters.model import Assignment
from tests.spec.drawing import check, check_messages, instant, plan
from tests.spec.engines import Case

DECK = """
    mcc | mnc | country | price
    262 | 1   | DEU     | 0.08
    262 |     | DEU     | 0.09
        |     | DEU     | 0.10
        |     |         | 0.20
"""


def test_the_most_specific_row_wins(engine):
    messages = """
        mcc | mnc | number        | -> amount | country
        262 | 1   | 4915112345678 |    0.08   | DEU
        262 | 99  | 4915112345678 |    0.09   | DEU
        262 |     | 4915112345678 |    0.09   | DEU
            |     | 4915112345678 |    0.1    | DEU
            | 1   | 4915112345678 |    0.1    | DEU
        310 | 26  | 12125550100   |    0.2    | USA
            |     | 26210         |    0.2    |
    """
    check_messages(engine, DECK, messages)


def test_a_network_is_known_by_its_codes_alone_not_by_the_number(engine):
    messages = """
        mcc | mnc | number | -> status | amount | country
        262 | 1   | ACME   |   rated   | 0.08   | DEU
    """
    check_messages(engine, DECK, messages)


def test_price_times_segments_times_recipients(engine):
    messages = """
        type | segments | recipients | -> status | reason      | billed | amount | item
        sms  | 3        | 1          |   rated   |             | 3      | 0.3    | sms
        sms  | 2        | 3          |   rated   |             | 6      | 0.6    | sms
        mms  | 9        | 3          |   rated   |             | 3      | 0.3    | mms
        mms  |          | 0          |   rated   |             | 1      | 0.1    | mms
        sms  |          | 1          |   unrated | no_segments |        |        | sms
        sms  | 0        | 1          |   unrated | no_segments |        |        | sms
    """
    check_messages(engine, DECK, messages)


def test_the_plan_says_which_statuses_are_billed(engine):
    messages = """
        sent_as   | -> status      | reason | billed | amount
        sent      |   rated        |        | 1      | 0.1
        SENT      |   rated        |        | 1      | 0.1
        delivered |   not_billable | status | 0      | 0
        failed    |   not_billable | status | 0      | 0
    """
    check_messages(engine, DECK, messages, billable_statuses=("sent",))


def test_rows_with_dates_count_at_the_start(engine):
    deck = """
        mcc | mnc | country | price | from | to
        262 | 1   | DEU     | 0.08  |      | 0 ms
        262 |     | DEU     | 0.09  | 5 ms |
            |     | DEU     | 0.10  |      |
    """
    messages = """
        mcc | mnc | at    | -> amount
        262 | 1   | -1 ms |    0.08
        262 | 1   | 0 ms  |    0.1
        262 | 1   | 5 ms  |    0.09
    """
    check_messages(engine, deck, messages)


def test_without_a_row_there_is_no_price(engine):
    deck = """
        mcc | mnc | country | price | status
        262 | 1   | DEU     | 0.08  |
            |     | USA     | 0.01  | blocked
    """
    messages = """
        mcc | mnc | number        | -> status | reason
        262 | 2   | 4915112345678 |   unrated | no_rate
            |     | 4915112345678 |   unrated | no_rate
            |     | ACME          |   unrated | no_number
            |     | 12125550100   |   unrated | blocked
    """
    check_messages(engine, deck, messages)


def test_the_family_is_that_of_the_subscribers_number(engine):
    """The family is that of the subscriber's number."""
    plans = [
        plan("mcc | price\n | 0.01", service="message", plan_sid=family, family=family)
        for family in ("toll", "toll_free", "short_code")
    ]
    case = Case(plans, [Assignment("*", p.plan_sid) for p in plans])
    messages = """
        own_number   | -> family     | plan
        12125550100  |    toll       | toll
        +18885550100 |    toll_free  | toll_free
        26210        |    short_code | short_code
        ACME         |    toll       | toll
    """
    check(engine, case, "message", messages)


def test_the_provider_has_no_plan_for_inbound_messages(engine):
    case = Case([plan("mcc | price\n | 0.01", service="message")], [Assignment("*", "plan")])
    messages = """
        direction | charged | -> status      | reason           | amount
        inbound   |         |   not_billable | no_provider_plan | 0
        inbound   | 0       |   not_billable | no_provider_plan | 0
        inbound   | 0.005   |   unrated      | no_plan          |
        outbound  | 0.005   |   unrated      | no_plan          |
    """
    check(engine, case, "message", messages, side="cost")


def test_versions_follow_the_start(engine):
    versions = [
        plan("mcc | price\n | 0.01", service="message", effective_to=instant("0 ms")),
        plan("mcc | price\n | 0.02", service="message", version="v2", effective_from=instant("0 ms")),
    ]
    messages = """
        at    | -> amount
        -1 ms |    0.01
        0 ms  |    0.02
    """
    check(engine, Case(versions, [Assignment("*", "plan")]), "message", messages)

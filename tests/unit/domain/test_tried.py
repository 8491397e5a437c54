"""Why each row of a plan did or did not price a call or message."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.rating import CallUsage, MessageUsage, rate_call, rate_message
from pipeline.domain.tried import tried_for_call, tried_for_message
from pipeline.domain.windows import Window

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
ONE = Decimal(1)
NOON = Window("noon", begin=AT.time(), end=AT.time().replace(minute=1))


def told(rates: list[Rate], caller: str = "12125550100", windows=(), number: str = "12015550123"):
    plan = RatePlan("p", "v", "call", "USD", rates=tuple(rates), windows=windows)
    call = CallUsage("outbound", AT, AT, AT.replace(minute=2), number, number_src=caller)
    outcome = rate_call(call, plan)
    return [(t.rate.prefix, t.verdict) for t in tried_for_call(plan, outcome, AT, caller)]


@pytest.mark.parametrize(
    ("loser", "why"),
    [
        (Rate(ONE, "1"), "the prefix 1201 is longer"),
        (Rate(ONE, "1201555", effective_from=MAY), "in force only from 2026-05-01 00:00"),
        (Rate(ONE, "1201555", effective_to=FEBRUARY), "ended on 2026-02-01 00:00"),
        (Rate(ONE, "1201555", origin_prefix="1310"), "only for callers from 1310"),
        (Rate(ONE, "1201555", jurisdiction="local"), "only for local calls, and this one is interstate"),
        (Rate(ONE, ""), "the prefix 1201 is longer"),
    ],
)
def test_the_rule_that_passed_a_row_over(loser, why):
    found = dict(told([Rate(ONE, "1201"), loser]))

    assert found == {"1201": "chosen", loser.prefix: why}


def test_of_one_prefix_the_narrower_row_goes_first():
    rates = [
        Rate(ONE, "1201"),
        Rate(ONE, "1201", origin_prefix="1212"),
        Rate(ONE, "1201", origin_prefix="1212", jurisdiction="interstate"),
    ]

    assert [why for _, why in told(rates)] == [
        "chosen",
        "a row for interstate calls goes before one for all",
        "the origin 1212 is longer",
    ]


def test_a_call_may_lie_in_two_windows():
    rates = [Rate(ONE, "1201"), Rate(ONE, "1201", window="noon"), Rate(ONE, "1201", window="night")]
    night = Window("night", begin=AT.time().replace(hour=23))

    assert [why for _, why in told(rates, windows=(NOON, night))] == [
        "chosen for the part of the call in its window",
        "only in the window night",
        "chosen",
    ]


def test_rows_of_other_numbers_are_not_named():
    assert told([Rate(ONE, "44"), Rate(ONE, "1")]) == [("1", "chosen")]


def test_the_rows_of_a_message():
    rates = (
        Rate(ONE),
        Rate(ONE, country_code="DEU"),
        Rate(ONE, mcc=262),
        Rate(ONE, mcc=262, mnc=1),
        Rate(ONE, mcc=1),
    )
    plan = RatePlan("p", "v", "message", "USD", rates=rates)
    message = MessageUsage("outbound", "sms", AT, "sent", "4915112345678", mcc=262)
    outcome = rate_message(message, plan)

    assert [
        (t.rate.mcc, t.rate.country_code, t.verdict)
        for t in tried_for_message(plan, outcome, AT, 262, None, "DEU")
    ] == [
        (262, None, "chosen"),
        (None, "DEU", "a narrower row goes before it"),
        (None, None, "a narrower row goes before it"),
    ]

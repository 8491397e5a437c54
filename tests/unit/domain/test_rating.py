"""The sentences that an outcome carries. What comes out is in tests/spec."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.rating import CallUsage, MessageUsage, rate_call, rate_message
from pipeline.domain.steps import Step
from pipeline.domain.windows import Window

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLAN = RatePlan(
    "retail",
    "20260101-abc",
    "call",
    "USD",
    rates=(
        Rate(Decimal("0.0200"), "44", increment=Decimal(6), minimum=Decimal(30), connect_fee=Decimal("0.01")),
    ),
)


def usage(number: str, seconds: int) -> CallUsage:
    return CallUsage(
        "outbound", START, START, START + timedelta(seconds=seconds), number, endpoint_type="flexml"
    )


def test_a_rated_call_explains_every_step():
    outcome = rate_call(usage("+442079460000", 31), PLAN)

    assert outcome.reasons == (
        "The endpoint is a flexml, so the family is flexml.",
        "Plan retail version 20260101-abc: 442079460000 matches prefix 44 (0.02 USD per 60 s).",
        "31 s count.",
        "Minimum 30 s, increment 6 s, increments after the minimum: 36 s billed.",
        "0.01 + 0.02 x 36 / 60 = 0.022 USD (half up to 10 decimals).",
        "Rated.",
    )


def test_a_call_in_parts_explains_each_and_the_limits():
    peak = (Window("peak", begin=time(8), end=time(12, 1)),)
    rates = (
        Rate(Decimal("0.06"), "44", origin_prefix="33", window="peak", max_charge=Decimal("0.1")),
        Rate(Decimal("0.03"), "44", origin_prefix="33", steps=(Step(Decimal(90), Decimal("0.01")),)),
    )
    call = replace(usage("442079460000", 120), number_src="33123456789")
    outcome = rate_call(call, replace(PLAN, rates=rates, windows=peak))

    assert outcome.reasons[1:] == (
        "Plan retail version 20260101-abc: 442079460000 matches prefix 44, from 33, in the window peak "
        "(0.06 USD per 60 s).",
        "120 s count.",
        "Minimum 0 s, increment 1 s, increments after the minimum: 120 s billed.",
        "60 s from second 0 in the window peak at 0.06.",
        "30 s from second 60 at 0.03.",
        "30 s from second 90 at 0.01.",
        "The row charges at most 0.1.",
        "(0.06 x 60 + 0.03 x 30 + 0.01 x 30) / 60 within that: 0.08 USD (half up to 10 decimals).",
        "Rated.",
    )
    assert outcome.jurisdiction == "international"


def test_an_unrated_call_says_what_is_missing():
    outcome = rate_call(usage("33123456789", 31), PLAN)

    assert outcome.reasons[1:] == (
        "Plan retail version 20260101-abc has no row for 33123456789.",
        "31 s count.",
        "Unrated (no_rate): The plan has no row for it, and no default row.",
    )


def test_a_message_explains_segments_and_recipients():
    plan = RatePlan("sms", "v1", "message", "USD", rates=(Rate(Decimal("0.05"), mcc=262, mnc=1),))
    message = MessageUsage("outbound", "sms", START, "sent", "4915112345678", "26210", 262, 1, 2, 3)

    assert rate_message(message, plan).reasons == (
        "The subscriber's number makes it short_code.",
        "Plan sms version v1: mcc 262 mnc 1 (0.05 USD per segment).",
        "0.05 x 6 (segments x recipients) = 0.3 USD (half up to 10 decimals).",
        "Rated.",
    )

"""The parts of a call against the plainest reading of the rule: walk the increments one by one."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.charging import billed_seconds, parts_of
from pipeline.domain.numbering import digits
from pipeline.domain.rate_plan import Rate, RateGroup, RatePlan
from pipeline.domain.windows import window_at
from tests.property.rating_worlds import ZONES, call_world

Charged = dict[tuple[Decimal | None, Decimal | None], Decimal]
LONGEST = 300
KNOWN_ZONES = ZONES[:-1]


@settings(max_examples=15, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1))
def test_every_increment_costs_what_holds_when_it_begins(seed):
    case, records = call_world(seed, 15)
    for plan in (p for p in case.plans if p.time_zone in KNOWN_ZONES):
        for record in (r for r in records if r["date_talk"] and r["date_stop"] and r["date_start"]):
            number, began = digits(record["number_dst"]), record["date_talk"]
            group = number and plan.match_number(number, began, origin=digits(record["number_src"]))
            rate = group and group.at(window(plan, began))
            base = Decimal((record["date_stop"] - began) // timedelta(milliseconds=1)) / 1000
            if rate and 0 < base < LONGEST * rate.increment:
                billed = billed_seconds(base, rate, plan.increment_rule)
                parts = parts_of(group, plan, rate, began, billed)

                assert charged((p.rate, p.price, p.seconds) for p in parts) == walked(
                    group, plan, rate, began, billed
                )


def walked(group: RateGroup, plan: RatePlan, rate: Rate, began: datetime, billed: Decimal) -> Charged:
    """Seconds by unit and price, one increment after the other."""
    pieces, second = [], Decimal(0)
    length = rate.minimum if plan.increment_rule == "after_minimum" and rate.minimum else rate.increment
    while second < billed:
        row = group.at(window(plan, began + timedelta(milliseconds=int(second * 1000))))
        price = row.price if row and row.priced else None
        if price is not None:
            price = ([price] + [s.price for s in row.steps if s.after_seconds <= second])[-1]
        pieces.append((row, price, min(length, billed - second)))
        second += length
        length = rate.increment
    return charged(pieces)


def charged(pieces) -> Charged:
    sums: Charged = {}
    for row, price, seconds in pieces:
        key = (row.unit if row else None, price)
        sums[key] = sums.get(key, Decimal(0)) + seconds
    return sums


def window(plan: RatePlan, at: datetime) -> str:
    return window_at(plan.windows, ZoneInfo(plan.time_zone), at)

"""The price of one call or message under a plan: the reference, with its reasons and the rows that lost.

Works on a plan value alone, so that ``quote --plan-file`` answers at once and without a home; ``planfor`` finds stored
plans and customers' ones, ``quotefile`` prices whole files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from pipeline.domain.allowances import Charge
from pipeline.domain.numbering import country_of, digits
from pipeline.domain.rate_plan import PSTN, RatePlan
from pipeline.domain.rating import SYSTEM_GATEWAY, CallUsage, MessageUsage, Outcome, rate_call, rate_message
from pipeline.domain.tried import Tried, tried_for_call, tried_for_message

CALL, MESSAGE = "call", "message"


@dataclass(frozen=True, slots=True)
class Ask:
    """One call or message to price: ``quantity`` is the seconds it is talked, or its segments.

    An empty ``direction`` or ``family`` is the plan's own. ``caller`` is the calling number, where that matters.
    """

    number: str
    quantity: Decimal
    at: datetime
    direction: str = ""
    family: str = ""
    caller: str | None = None
    mcc: int | None = None
    mnc: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A plan to price with, with its rates, and why it is this one; None where there is none."""

    plan: RatePlan | None
    why: str = ""
    missing: str = "no_plan"


@dataclass(frozen=True, slots=True)
class Quote:
    """A price: what came out, how the number was read, why this plan, and every row that could have priced it."""

    outcome: Outcome
    why_number: str
    why_plan: str
    tried: tuple[Tried, ...]


PlanFor = Callable[[Ask], Found]


def quote(ask: Ask, found: Found, service: str) -> Quote:
    """Prices a call or message under the plan that was found."""
    outcome = _outcome(ask, found, service)
    read = how_read(ask.number, outcome.number)
    if found.plan is None:
        return Quote(outcome, read, found.why, ())
    if service == CALL:
        tried = tried_for_call(found.plan, outcome, ask.at, digits(ask.caller))
    else:
        country = country_of(digits(ask.number))
        tried = tried_for_message(found.plan, outcome, ask.at, ask.mcc, ask.mnc, country)
    return Quote(outcome, read, found.why, tried)


def how_read(given: str | None, number: str | None) -> str:
    """How a number as given became the digits that prefixes are held against; empty where they are the same."""
    if given == number:
        return ""
    return (
        f"The number {given} is read as {number}."
        if number
        else f"The number {given} has no digits to match."
    )


def quote_call(plan: RatePlan, number: str, seconds: Decimal, at: datetime) -> Outcome:
    """Prices a call that was answered at ``at`` and talked for ``seconds`` (to the millisecond)."""
    return _outcome(Ask(number, seconds, at), Found(plan), CALL)


def quote_message(
    plan: RatePlan, number: str, units: int, at: datetime, *, mcc: int | None = None, mnc: int | None = None
) -> Outcome:
    """Prices ``units`` segments to a number; ``mcc`` and ``mnc`` as far as they are known."""
    return _outcome(Ask(number, Decimal(units), at, mcc=mcc, mnc=mnc), Found(plan), MESSAGE)


def charge_of(ask: Ask, service: str, outcome: Outcome, sid: str = "quote") -> Charge | None:
    """A rated call or message as a record that ends when it would; None where it has no price to draw on."""
    plan, rate = outcome.plan, outcome.rate
    if plan is None or rate is None or rate.price is None or outcome.billed is None or outcome.amount is None:
        return None
    talked = timedelta(milliseconds=int(ask.quantity * 1000)) if service == CALL else timedelta()
    direction = ask.direction or plan.direction or "outbound"
    return Charge(
        *("quote", sid, ask.at + talked, service, direction, outcome.item_type, outcome.country_code),
        *(outcome.number or "", digits(ask.caller) or "", outcome.billed, outcome.amount, rate.price),
        unit=rate.unit if service == CALL else Decimal(1),
        fee=rate.connect_fee,
        rounding_mode=plan.rounding_mode,
        rounding_decimals=plan.rounding_decimals,
    )


def _outcome(ask: Ask, found: Found, service: str) -> Outcome:
    plan = found.plan
    direction = ask.direction or (plan.direction if plan else None) or "outbound"
    if service == CALL:
        end = ask.at + timedelta(milliseconds=int(ask.quantity * 1000))
        talk = ask.at if ask.quantity > 0 else None
        family = ask.family or (plan.family if plan else None) or PSTN
        endpoint = SYSTEM_GATEWAY if family == PSTN else family
        call = CallUsage(
            direction, ask.at, talk, end, ask.number, endpoint_type=endpoint, number_src=ask.caller
        )
        return rate_call(call, plan, missing=found.missing)
    status = plan.billable_statuses[0] if plan and plan.billable_statuses else None
    message = MessageUsage(
        direction, "sms", ask.at, status, ask.number, None, ask.mcc, ask.mnc, int(ask.quantity)
    )
    return rate_message(message, plan, missing=found.missing)

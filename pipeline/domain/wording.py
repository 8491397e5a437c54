"""The sentences that explain a rating: one per rule, for people who read an invoice.

They say what happened and carry every figure, but decide nothing.
"""

from decimal import Decimal

from pipeline.domain.charging import Part
from pipeline.domain.money import plain
from pipeline.domain.rate_plan import Rate, RatePlan

_VERDICTS = {
    "own_use": "It is our own traffic: nobody is charged.",
    "not_answered": "A call that was not answered costs nothing.",
    "grace": "It is not longer than the seconds that the plan gives away.",
    "status": "The plan does not bill messages with this status.",
    "no_provider_plan": "The provider has no plan for inbound messages and charged nothing.",
    "no_start": "The record does not say when it started, so no plan can be found.",
    "answer_missing": "It has no answer time, though it ended well or was charged: it is not free, it is unknown.",
    "negative_duration": "It ends before it begins.",
    "too_long": "It is longer than 24 hours.",
    "direction": "It is neither inbound nor outbound.",
    "no_customer": "No customer is billed for this partner.",
    "unknown_partner": "The partner is not known.",
    "no_family": "Nobody has a plan for this family.",
    "no_plan": "No plan was in force or assigned.",
    "no_number": "The called number has no digits to match.",
    "no_rate": "The plan has no row for it, and no default row.",
    "no_window": "The plan has no price for it at that time of day.",
    "time_zone": "The plan's time zone is not known, so nobody can say which of its windows holds.",
    "mixed_units": "Its rows for different times of day are per different numbers of seconds.",
    "blocked": "The row is blocked, or has no price.",
    "no_segments": "The number of segments is missing or impossible.",
    "out_of_range": "The amount is larger than any that can be charged.",
}


def family(endpoint_type: str | None, name: str) -> str:
    """How the family of a call was found."""
    if endpoint_type is None:
        return "The endpoint's type is not known, so the call is taken as PSTN."
    return f"The endpoint is a {endpoint_type}, so the family is {name}."


def call_match(plan: RatePlan | None, rate: Rate | None, number: str | None, place: str) -> str:
    """Which row a call matched."""
    if plan is None or (rate is None and number is None):
        return ""
    if rate is None:
        return f"{_named(plan)} has no row for {number}."
    found = [f"prefix {rate.prefix}" if rate.prefix else "the default row"]
    if rate.origin_prefix:
        found.append(f"from {rate.origin_prefix}")
    if rate.jurisdiction:
        found.append(place)
    if rate.window:
        found.append(f"in the window {rate.window}")
    price = _price(rate, plan, f"per {_seconds(rate.unit)}")
    return f"{_named(plan)}: {number} matches {', '.join(found)} ({price})."


def message_match(
    plan: RatePlan | None, rate: Rate | None, number: str | None, mcc: int | None, mnc: int | None
) -> str:
    """Which row a message matched."""
    if plan is None:
        return ""
    if rate is None:
        return f"{_named(plan)} has no row for {number} (mcc {mcc}, mnc {mnc})."
    if rate.mcc is not None:
        found = f"mcc {rate.mcc}" + (f" mnc {rate.mnc}" if rate.mnc is not None else "")
    else:
        found = f"country {rate.country_code}" if rate.country_code else "the default row"
    return f"{_named(plan)}: {found} ({_price(rate, plan, 'per segment')})."


def base(answered: bool, seconds: Decimal | None) -> str:
    """How many seconds count."""
    if seconds is None:
        return ""
    return f"{_seconds(seconds)} count." if answered else "The call was not answered."


def billed(seconds: Decimal, rate: Rate, plan: RatePlan) -> str:
    """How minimum and increments were applied."""
    rule = "the whole rounded up" if plan.increment_rule == "total" else "increments after the minimum"
    steps = f"Minimum {_seconds(rate.minimum)}, increment {_seconds(rate.increment)}, {rule}"
    return f"{steps}: {_seconds(seconds)} billed."


def call_amount(amount: Decimal, parts: tuple[Part, ...], rate: Rate, plan: RatePlan) -> list[str]:
    """The arithmetic of a call: part by part where there are several, and the limits that the row sets."""
    fee = f"{plain(rate.connect_fee)} + " if rate.connect_fee else ""
    limits = ((rate.min_charge, "least"), (rate.max_charge, "most"))
    said = [f"The row charges at {word} {plain(limit)}." for limit, word in limits if limit is not None]
    if len(parts) > 1:
        said = [_part(part) for part in parts] + said
        terms = " + ".join(f"{plain(p.price or Decimal(0))} x {plain(p.seconds)}" for p in parts)
        terms = f"({terms})"
    else:
        terms = f"{plain(parts[0].price or Decimal(0))} x {plain(parts[0].seconds)}"
    equals = "within that:" if limits != ((None, "least"), (None, "most")) else "="
    return [*said, f"{fee}{terms} / {plain(rate.unit)} {equals} {_rounded(amount, plan)}."]


def _part(part: Part) -> str:
    window = f" in the window {part.window}" if part.window else ""
    return f"{_seconds(part.seconds)} from second {plain(part.begin)}{window} at {plain(part.price or Decimal(0))}."


def message_amount(amount: Decimal, units: int, rate: Rate, plan: RatePlan) -> str:
    """The arithmetic of a message."""
    return f"{plain(rate.price or Decimal(0))} x {units} (segments x recipients) = {_rounded(amount, plan)}."


def verdict(status: str, reason: str | None) -> str:
    """What it came to, and why it has no price."""
    if reason is None:
        return "Rated."
    kind = "Not billable" if status == "not_billable" else "Unrated"
    return f"{kind} ({reason}): {_VERDICTS.get(reason, reason)}"


def _named(plan: RatePlan) -> str:
    return f"Plan {plan.plan_sid} version {plan.version}"


def _price(rate: Rate, plan: RatePlan, per: str) -> str:
    if rate.price is None or rate.blocked:
        return "blocked"
    return f"{plain(rate.price)} {plan.currency} {per}"


def _rounded(amount: Decimal, plan: RatePlan) -> str:
    mode = plan.rounding_mode.replace("_", " ")
    return f"{plain(amount)} {plan.currency} ({mode} to {plan.rounding_decimals} decimals)"


def _seconds(value: Decimal) -> str:
    return f"{plain(value)} s"

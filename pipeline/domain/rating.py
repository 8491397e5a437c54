"""Rates one record: the reference that every faster engine must agree with, row by row.

Plain Decimal seconds and dollars, one rule after the other, each leaving a sentence behind. A record that cannot be
priced is ``unrated`` with a reason, never free; one that is free is ``not_billable`` with a reason.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from pipeline.domain import wording
from pipeline.domain.charging import Part, billed_seconds, call_amount, parts_of, whole_base, why_unpriced
from pipeline.domain.jurisdiction import jurisdiction
from pipeline.domain.numbering import country_of, digits, is_short_code, is_toll_free_nanp
from pipeline.domain.rate_plan import PSTN, Rate, RateGroup, RatePlan
from pipeline.domain.rounding import EXACT, quantize
from pipeline.domain.windows import window_at, zone_of

RATED = "rated"
UNRATED = "unrated"
NOT_BILLABLE = "not_billable"
SYSTEM_GATEWAY = "system_gateway"
LONGEST_CALL = Decimal(86_400)
MOST_UNITS = 1_000_000
LARGEST_AMOUNT = Decimal(10) ** 10
DIRECTIONS = ("inbound", "outbound")
ANSWERED = 200


@dataclass(frozen=True, slots=True)
class CallUsage:
    """What rating reads of a call.

    ``endpoint_type`` is that of the leg that names the family; None is unknown. ``routed_src`` and ``routed_dst`` are
    the routing numbers of ported ones, where a lookup has told them.
    """

    direction: str | None
    date_start: datetime | None
    date_talk: datetime | None
    date_stop: datetime | None
    number_dst: str | None
    number_dst_transformed: str | None = None
    number_dst_original: str | None = None
    endpoint_type: str | None = None
    sipcause: int | None = None
    provider_price: Decimal | None = None
    number_src: str | None = None
    routed_src: str | None = None
    routed_dst: str | None = None


@dataclass(frozen=True, slots=True)
class MessageUsage:
    """What rating reads of a message. ``number_billing`` is the subscriber's number, which names the family."""

    direction: str | None
    type: str | None
    date_start: datetime | None
    status: str | None
    number_dst: str | None
    number_billing: str | None = None
    mcc: int | None = None
    mnc: int | None = None
    message_segments: int | None = 1
    recipients: int | None = 1
    provider_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record for one payer.

    ``base`` and ``billed`` are seconds (``billed`` of a message: units). ``amount`` is None when unrated and 0 when
    not billable. ``reasons`` is the explanation, one sentence per rule. ``parts`` are what a rated call is made of.
    """

    status: str
    reason: str | None
    family: str
    item_type: str
    number: str | None
    country_code: str | None
    plan: RatePlan | None
    rate: Rate | None
    base: Decimal | None
    billed: Decimal | None
    amount: Decimal | None
    reasons: tuple[str, ...]
    jurisdiction: str | None = None
    parts: tuple[Part, ...] = ()


def call_family(endpoint_type: str | None) -> str:
    """``pstn``, or the VoIP sub_type of the endpoint."""
    return PSTN if endpoint_type in (None, SYSTEM_GATEWAY) else endpoint_type


def message_family(number_billing: str | None) -> str:
    """``toll``, ``toll_free`` or ``short_code``, by the subscriber's own number."""
    number = digits(number_billing)
    if is_short_code(number):
        return "short_code"
    return "toll_free" if is_toll_free_nanp(number) else "toll"


def matched_number(call: CallUsage, plan: RatePlan | None) -> str | None:
    """The digits that prefixes are held against: the plan's field where the record has it, else ``number_dst``."""
    field = plan.match_field if plan else "number_dst"
    stated: str | None = getattr(call, field)
    return digits(call.number_dst if stated is None else stated)


def rate_call(
    call: CallUsage, plan: RatePlan | None, *, verdict: str | None = None, missing: str = "no_plan"
) -> Outcome:
    """Rates a call under a plan. ``verdict`` is that of the party; ``missing`` says why there is no plan."""
    family = call_family(call.endpoint_type)
    number = matched_number(call, plan)
    place = jurisdiction(call.routed_src or call.number_src, call.routed_dst or call.number_dst)
    group = _group(call, plan, number, place)
    exact = billable_base(call, plan)
    began = _began(call, plan) if exact and 0 < exact <= LONGEST_CALL else None
    rate = first_rate(plan, group, began)
    base = whole_base(exact, plan.base_rounding) if plan and exact is not None else exact
    status, reason = _call_status(call, plan, group, rate, number, (exact, base), verdict, missing)
    why = [
        wording.family(call.endpoint_type, family),
        wording.call_match(plan, rate, number, place),
        wording.base(call.date_talk is not None, base),
    ]
    billed: Decimal | None = None
    amount: Decimal | None = None
    parts: tuple[Part, ...] = ()
    if status == RATED and plan and group and rate and began and base is not None:
        billed = billed_seconds(base, rate, plan.increment_rule)
        parts = parts_of(group, plan, rate, began, billed)
        why.append(wording.billed(billed, rate, plan))
        unpriced = why_unpriced(parts, rate)
        if unpriced:
            status, reason, billed, parts = UNRATED, unpriced, None, ()
        else:
            amount = call_amount(parts, rate, plan)
            why += wording.call_amount(amount, parts, rate, plan)
            status, reason, billed, amount = _within_bounds(status, reason, billed, amount)
    return Outcome(
        status,
        reason,
        family,
        _call_item_type(family, number),
        number,
        (rate.country_code if rate else None) or country_of(number),
        plan,
        rate,
        base,
        Decimal(0) if status == NOT_BILLABLE else billed,
        Decimal(0) if status == NOT_BILLABLE else amount,
        (*filter(None, why), wording.verdict(status, reason)),
        place,
        parts,
    )


def first_rate(plan: RatePlan | None, group: RateGroup | None, began: datetime | None) -> Rate | None:
    """The row in whose time a call begins; where no time counts, that for the rest of the day."""
    if plan is None or group is None:
        return None
    if not group.timed or began is None:
        return group.at("")
    zone = zone_of(plan.time_zone)
    return group.at(window_at(plan.windows, zone, began)) if zone else None


def rate_message(
    message: MessageUsage, plan: RatePlan | None, *, verdict: str | None = None, missing: str = "no_plan"
) -> Outcome:
    """Rates a message under a plan: price per segment and recipient, if its status is billable."""
    number = digits(message.number_dst)
    country = country_of(number)
    rate = None
    if plan and message.date_start:
        rate = plan.match_message(message.mcc, message.mnc, country, message.date_start)
    units = _units(message)
    status, reason = _message_status(message, plan, rate, number, units, verdict, missing)
    family = message_family(message.number_billing)
    why = [
        f"The subscriber's number makes it {family}.",
        wording.message_match(plan, rate, message.number_dst, message.mcc, message.mnc),
    ]
    amount: Decimal | None = None
    billed: Decimal | None = None
    if status == RATED and plan and rate and rate.price is not None and units is not None:
        billed = Decimal(units)
        with localcontext(EXACT):
            amount = quantize(rate.price * billed, plan.rounding_decimals, plan.rounding_mode)
        why.append(wording.message_amount(amount, units, rate, plan))
        status, reason, billed, amount = _within_bounds(status, reason, billed, amount)
    return Outcome(
        status,
        reason,
        family,
        "mms" if message.type == "mms" else "sms",
        number,
        (rate.country_code if rate else None) or country,
        plan,
        rate,
        None,
        Decimal(0) if status == NOT_BILLABLE else billed,
        Decimal(0) if status == NOT_BILLABLE else amount,
        (*filter(None, why), wording.verdict(status, reason)),
    )


def billable_base(call: CallUsage, plan: RatePlan | None) -> Decimal | None:
    """Seconds that count: from answer (or, if the plan says so, start) to end; 0 unanswered; None if unknowable."""
    if answer_is_missing(call) or call.date_stop is None:
        return None
    if call.date_talk is None:
        return Decimal(0)
    began = _began(call, plan)
    if began is None:
        return None
    return Decimal((call.date_stop - began) // timedelta(milliseconds=1)) / 1000


def answer_is_missing(call: CallUsage) -> bool:
    """No answer time on a call that ended well or that the provider charged."""
    charged = call.provider_price is not None and call.provider_price > 0
    return call.date_talk is None and (call.sipcause == ANSWERED or charged)


def _began(call: CallUsage, plan: RatePlan | None) -> datetime | None:
    return call.date_start if plan and plan.billable_base == "duration" else call.date_talk


def _group(call: CallUsage, plan: RatePlan | None, number: str | None, place: str) -> RateGroup | None:
    if plan is None or number is None or call.date_start is None:
        return None
    return plan.match_number(number, call.date_start, origin=digits(call.number_src), jurisdiction=place)


def _call_status(
    call: CallUsage,
    plan: RatePlan | None,
    group: RateGroup | None,
    rate: Rate | None,
    number: str | None,
    bases: tuple[Decimal | None, Decimal | None],
    verdict: str | None,
    missing: str,
) -> tuple[str, str | None]:
    exact, base = bases
    early = _own_or_undated(verdict, call.date_start) or _call_length(call, exact)
    if early:
        return early
    if call.direction not in DIRECTIONS:
        return UNRATED, "direction"
    nowhere = "no_number" if number is None else "no_rate"
    if plan and group:
        nowhere = "no_window" if zone_of(plan.time_zone) else "time_zone"
    late = _unpriced(plan, rate, verdict, missing, nowhere)
    if late:
        return late
    return (NOT_BILLABLE, "grace") if rate and base is not None and base <= rate.grace else (RATED, None)


def _message_status(
    message: MessageUsage,
    plan: RatePlan | None,
    rate: Rate | None,
    number: str | None,
    units: int | None,
    verdict: str | None,
    missing: str,
) -> tuple[str, str | None]:
    early = _own_or_undated(verdict, message.date_start)
    if early:
        return early
    if message.direction not in DIRECTIONS:
        return UNRATED, "direction"
    if plan is None and verdict is None and missing == "no_provider_plan":
        return (UNRATED, "no_plan") if message.provider_price else (NOT_BILLABLE, "no_provider_plan")
    if plan and (message.status or "").lower() not in plan.billable_statuses:
        return NOT_BILLABLE, "status"
    nowhere = "no_number" if number is None and message.mcc is None else "no_rate"
    late = _unpriced(plan, rate, verdict, missing, nowhere)
    if late:
        return late
    return (UNRATED, "no_segments") if units is None else (RATED, None)


def _own_or_undated(verdict: str | None, date_start: datetime | None) -> tuple[str, str] | None:
    if verdict == "own_use":
        return NOT_BILLABLE, "own_use"
    return (UNRATED, "no_start") if date_start is None else None


def _call_length(call: CallUsage, base: Decimal | None) -> tuple[str, str] | None:
    if answer_is_missing(call) or base is None:
        return UNRATED, "answer_missing"
    if base < 0:
        return UNRATED, "negative_duration"
    if base > LONGEST_CALL:
        return UNRATED, "too_long"
    return (NOT_BILLABLE, "not_answered") if base == 0 else None


def _unpriced(
    plan: RatePlan | None, rate: Rate | None, verdict: str | None, missing: str, nowhere: str
) -> tuple[str, str] | None:
    if verdict:
        return UNRATED, verdict
    if plan is None:
        return UNRATED, missing
    if rate is None:
        return UNRATED, nowhere
    return None if rate.priced else (UNRATED, "blocked")


def _within_bounds(
    status: str, reason: str | None, billed: Decimal, amount: Decimal
) -> tuple[str, str | None, Decimal | None, Decimal | None]:
    # What no table can hold is a broken record or deck, not a charge.
    if abs(amount) >= LARGEST_AMOUNT:
        return UNRATED, "out_of_range", None, None
    return status, reason, billed, amount


def _units(message: MessageUsage) -> int | None:
    segments = 1 if message.type == "mms" else message.message_segments
    if segments is None or segments < 1:
        return None
    units = segments * max(1, message.recipients or 1)
    return units if units <= MOST_UNITS else None


def _call_item_type(family: str, number: str | None) -> str:
    if family != PSTN:
        return "bridge"
    return "toll_free" if is_toll_free_nanp(number) else "toll"

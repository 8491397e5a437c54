"""What each roll-up counts: the queries ``sql/measure/<name>.sql`` once more, on arrays.

The queries say what a roll-up is, and these are held to them on every kind of record; they take less than half as long.
Each takes records of one table and gives a row for each group, in which days and hours are counted from the epoch; more
records may give more rows of the same group. What only all rows together can say is in ``with_customers`` and
``with_revenue``.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import LakeError
from pipeline.measure.records import Key, Records, Sum, constant, numbers, put, tallied

SECOND, HOUR = 1_000, 3_600_000
_REACHED = (480, 486, 487, 600, 603, 607)
_SHORT = 6 * SECOND
# Of a millisecond: what the provider's seconds are written in.
_MILLIONTH = 10**9
PAID = (
    *("level", "partner_sid", "payer_sid", "direction", "family", "item_type", "country_code", "currency"),
    *("rating_status", "unrated_reason"),
)
STIR = ("stir_attest", "stir_identity", "stir_verstat")


def call_hours(calls: Records) -> pa.Table:
    talk = np.maximum(calls.elapsed("date_talk", "date_stop"), 0)
    answered = talk > 0
    effective = answered.copy()
    for cause in _REACHED:
        effective |= calls.whole("sipcause") == cause
    sums = {
        "answered": answered,
        "effective": effective,
        "short_calls": answered & (talk <= _SHORT),
        "talk_ms": talk,
        "setup_ms": calls.elapsed("date_start", "date_talk") * answered,
    }
    keys = calls.keys("direction", "partner_sid", "trunk_group_sid_src", "trunk_group_sid_dst")
    return tallied(keys | {"hour": numbers(calls.whole("date_stop") // HOUR)}, sums, "calls")


def cause_days(calls: Records) -> pa.Table:
    keys = calls.keys("direction", "partner_sid", "sipcause", "disconnect_originator", *STIR, "day")
    answered = calls.elapsed("date_talk", "date_stop") > 0
    return tallied(keys, {"answered": answered}, "calls")


def called_numbers(calls: Records) -> pa.Table:
    keys = _numbers(calls)
    talk = np.maximum(calls.elapsed("date_talk", "date_stop"), 0)
    sums = {"answered": talk > 0, "talk_ms": talk}
    return constant(tallied(keys, sums, "records"), "service", "call")


def texted_numbers(messages: Records) -> pa.Table:
    keys = _numbers(messages)
    sums = {"segments": messages.whole("message_segments")}
    return constant(tallied(keys, sums, "records"), "service", "message")


def lag_days(calls: Records) -> pa.Table:
    lag = calls.elapsed("date_stop", "date_insert")
    # Divided as in SQL: towards 0. A call whose insertion is not known has none.
    seconds = numbers(np.where(lag < 0, -(-lag // SECOND), lag // SECOND), calls.known("date_insert"))
    found = tallied(calls.keys("day") | {"lag_seconds": seconds}, {}, "calls")
    return found.filter(pc.is_valid(found["lag_seconds"]))


def message_days(messages: Records) -> pa.Table:
    keys = messages.keys("direction", "type", "partner_sid", "status", "provider", "mcc", "mnc", "day")
    segments, recipients = messages.whole("message_segments"), messages.whole("recipients").astype(np.int64)
    sums = {
        "segments": segments,
        "units": segments * np.where(messages.known("recipients"), recipients, 1),
        "sent": messages.known("date_sent"),
        "sent_ms": messages.elapsed("date_start", "date_sent"),
    }
    return tallied(keys, sums, "messages")


def paid_calls(calls: Records) -> pa.Table:
    sums: dict[str, np.ndarray | Sum] = {
        name: calls.amounts(name) for name in ("billed_seconds", "amount", "provider_price")
    }
    sums |= {"talk_seconds": calls.amounts("base_seconds"), "answered": calls.whole("base_seconds") > 0}
    sums["provider_seconds"] = _seconds_charged(calls)
    keys = calls.keys(*PAID, "day")
    return constant(tallied(keys, sums, "records"), "service", "call")


def paid_messages(messages: Records) -> pa.Table:
    sums = {name: messages.amounts(name) for name in ("billed_units", "amount", "provider_price")}
    keys = messages.keys(*PAID, "day")
    return constant(tallied(keys, sums, "records"), "service", "message")


def with_customers(rows: pa.Table) -> pa.Table:
    """The rows of measure.money_days with who pays us for the traffic, also on the side of the cost."""
    records = Records(rows)
    days, partners, payers = records.keys("day", "partner_sid", "payer_sid").values()
    payers, level = payers.ranked(), records.whole("level")
    whose = days.codes * partners.size + partners.codes
    known = payers.size - payers.null
    charged = (level == 1) & (payers.codes < known)
    greatest = np.full(days.size * partners.size, -1)
    np.maximum.at(greatest, whose[charged], payers.codes[charged])
    paying = np.where(level == 0, greatest[whose], payers.codes)
    customers = Key(np.where(paying < 0, known, paying), known + 1, True, payers.values)
    sides = _sides(level)
    for name in ("talk_seconds", "billed_seconds", "amount"):
        rows = _without_nulls(rows, name)
    rows = put(rows, "customer_sid", customers.decoded(customers.codes))
    return put(rows, "side", sides.decoded(sides.codes))


def prefix_days(calls: Records) -> pa.Table:
    """A cost and the first charge of the same call stand at the same place among their like.

    Raises:
        LakeError: they do not.
    """
    level = calls.whole("level")
    cost, charge = np.flatnonzero(level == 0), np.flatnonzero(level == 1)
    _check_pairs(calls.whole("date_stop"), cost, charge)
    earning = np.arange(len(level))
    earning[cost] = charge
    [currency] = calls.keys("currency").values()
    keys = {"side": _sides(level)} | calls.keys(
        "plan_sid", "plan_version", "matched_prefix", "currency", "day"
    )
    keys["revenue_currency"] = replace(currency, codes=currency.codes[earning])
    amount = calls.amounts("amount")
    sums = {"talk_seconds": calls.amounts("base_seconds"), "amount": amount, "revenue": amount.of(earning)}
    return tallied(keys, sums, "calls", calls.keys("country_code"))


def with_revenue(rows: pa.Table) -> pa.Table:
    """The rows of measure.prefix_days: those that have a prefix, and revenue beside costs."""
    rows = rows.filter(pc.is_valid(rows["matched_prefix"]))
    is_cost = pc.equal(rows["side"].cast(pa.string()), "cost")
    for name in ("talk_seconds", "amount", "revenue"):
        rows = _without_nulls(rows, name)
    for name in ("revenue", "revenue_currency"):
        rows = put(rows, name, pc.if_else(is_cost, rows[name], pa.scalar(None, rows[name].type)))
    return rows


def _seconds_charged(calls: Records) -> Sum:
    """Of costs the seconds that the provider billed, to the millisecond; ours where it does not say."""
    ours, said = calls.amounts("billed_seconds"), calls.known("provider_billed_seconds")
    known = said | calls.known("billed_seconds")
    values = ours.values
    if said.any():
        theirs = (calls.whole("provider_billed_seconds") + _MILLIONTH // 2) // _MILLIONTH
        values = np.where(said, theirs, values)
    return Sum(values, known & (calls.whole("level") == 0), ours.kind)


def _sides(level: np.ndarray) -> Key:
    return Key((level > 0).astype(np.int32), 2, values=pa.array(["cost", "charge"]))


def _numbers(records: Records) -> dict[str, Key]:
    found = records.keys("number_billing", "type", "direction", "partner_sid", "day")
    return {"number": found.pop("number_billing")} | found


def _without_nulls(rows: pa.Table, name: str) -> pa.Table:
    return put(rows, name, rows[name].fill_null(pa.scalar(Decimal(0), rows[name].type)))


def _check_pairs(stops: np.ndarray, costs: np.ndarray, charges: np.ndarray) -> None:
    both = min(len(costs), len(charges))
    apart = int((stops[costs[:both]] != stops[charges[:both]]).sum()) + max(len(costs), len(charges)) - both
    if apart:
        at = datetime.fromtimestamp(int(stops[0]) // SECOND, UTC)
        msg = f"rate/calls from {at:%Y-%m-%d} on: {apart} costs stand beside no charge. Run `tollbook verify --repair`."
        raise LakeError(msg)

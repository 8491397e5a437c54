"""Rates a landed row with the domain, one payer after the other: what the fast engine is compared with."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.domain.cursor import HOME_SOURCE
from pipeline.domain.numbering import digits
from pipeline.domain.parties import COST, Party
from pipeline.domain.rate_plan import RatePlan
from pipeline.domain.rating import (
    DIRECTIONS,
    CallUsage,
    MessageUsage,
    Outcome,
    call_family,
    message_family,
    rate_call,
    rate_message,
)
from pipeline.rate.world import World

# Gives a plan its rates; the number, where there is one, says which of them are needed.
LoadRates = Callable[[RatePlan, str | None], RatePlan]
Row = Mapping[str, Any]


def rate_by_reference(world: World, service: str, row: Row, load: LoadRates) -> list[tuple[Party, Outcome]]:
    """Every payer of a row of ``land/calls`` or ``land/messages``, and what it comes to for each."""
    parties = world.tree.parties(row["partner_sid"] or "")
    return [(party, _outcome(world, service, row, party, load)) for party in parties]


def call_usage(world: World, row: Row) -> CallUsage:
    """What rating reads of a landed call."""
    return CallUsage(
        row["direction"],
        row["date_start"],
        row["date_talk"],
        row["date_stop"],
        row["number_dst"],
        row["number_dst_transformed"],
        row["number_dst_original"],
        world.endpoints.get(deciding_endpoint(row) or ""),
        row["sipcause"],
        row["price"],
        row["number_src"],
        world.routed(row["number_src"], row["date_start"]),
        world.routed(row["number_dst"], row["date_start"]),
    )


def message_usage(row: Row) -> MessageUsage:
    """What rating reads of a landed message."""
    return MessageUsage(
        row["direction"],
        row["type"],
        row["date_start"],
        row["status"],
        row["number_dst"],
        row["number_billing"],
        row["mcc"],
        row["mnc"],
        row["message_segments"],
        row["recipients"],
        row["price"],
    )


def deciding_endpoint(row: Row) -> str | None:
    """The endpoint whose type names the family: the source's of an inbound call, else the destination's."""
    leg = {"inbound": "endpoint_sid_src", "outbound": "endpoint_sid_dst"}.get(row["direction"] or "")
    return row[leg] if leg else None


def _outcome(world: World, service: str, row: Row, party: Party, load: LoadRates) -> Outcome:
    is_call = service == "call"
    endpoint = world.endpoints.get(deciding_endpoint(row) or "") if is_call else None
    family = call_family(endpoint) if is_call else message_family(row["number_billing"])
    plan = _plan(world, service, row, party, family)
    if plan is not None:
        plan = load(plan, _number(plan, row) if is_call else None)
    missing = "no_plan"
    if party.side != COST or row["source"] == HOME_SOURCE:
        missing = world.book.missing(party.side, service, row["direction"] or "", family)
    if is_call:
        return rate_call(call_usage(world, row), plan, verdict=party.verdict, missing=missing)
    return rate_message(message_usage(row), plan, verdict=party.verdict, missing=missing)


def _plan(world: World, service: str, row: Row, party: Party, family: str) -> RatePlan | None:
    direction, at = row["direction"], row["date_start"]
    if party.verdict is not None or at is None or direction not in DIRECTIONS:
        return None
    if party.side == COST:
        own = row["source"] == HOME_SOURCE
        return world.book.cost_plan(service, direction, family, at) if own else None
    return world.book.charge_plan(party.payer_sid, service, direction, family, at)


def _number(plan: RatePlan, row: Row) -> str:
    stated = row[plan.match_field]
    return digits(row["number_dst"] if stated is None else stated) or ""

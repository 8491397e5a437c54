"""Every measure, on a small world whose answers are worked out by hand.

Two days of March. Acme and Boreal call out by trunk group ``t1``, somebody calls Acme in by ``t2``, and one call lasts
past midnight. Acme pays dollars, Boreal euros; what the provider charges is in dollars.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.measure.rollups import roll_up
from tests.fixtures.billing import NOW, Desk

ONE, TWO = date(2026, 3, 2), date(2026, 3, 3)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 3, 0, 0, 30, tzinfo=UTC)
MONTH = date(2026, 3, 1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def landed(
    talk: float | None, ring: float = 5, cause: int = 200, start: datetime = NOON, **more: Any
) -> dict[str, Any]:
    """The columns of a call that rings and talks for so many seconds, and is inserted two seconds after its end."""
    talked = start + timedelta(seconds=ring) if talk is not None else None
    stop = start + timedelta(seconds=ring + (talk or 0))
    dates = {
        "date_start": start,
        "date_talk": talked,
        "stop": stop,
        "date_insert": stop + timedelta(seconds=2),
    }
    base = {"base_seconds": Decimal(str(talk or 0)), "billed_seconds": Decimal(60 if talk else 0)}
    held = {"sipcause": cause, "disconnect_originator": "src", "stir_attest": "A", "stir_identity": True}
    numbers = {"number_billing": "15125550100", "type": "telecom", "trunk_group_sid_src": "t1"}
    rows = {"matched_prefix": "49", "provider_price": Decimal("0.002"), "plan_sid": "retail"}
    return dates | base | held | numbers | rows | more


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A connection that sees the world, rolled up."""
    desk = Desk(tmp_path_factory.mktemp("measures"))
    free: dict[str, Any] = {"rating_status": "not_billable", "unrated_reason": "not_answered"}
    boreal = {"partner_sid": "boreal", "payer_sid": "boreal", "currency": "EUR"}
    inbound = {"direction": "inbound", "trunk_group_sid_src": "t2", "number_billing": "18005550199"}
    desk.call("long", "1.50", **landed(60))
    desk.call("short", "0.50", **landed(4, start=at(30), stir_attest=None))
    desk.call("instant", "0", **free, **landed(0, cause=200, start=at(100)))
    desk.call("busy", "0", **free, **landed(None, cause=486, start=at(200), disconnect_originator="dst"))
    desk.call("gone", "0", **free, **landed(None, cause=503, start=at(300)))
    desk.call("moved", "0", **free, **landed(None, cause=302, start=at(400)))
    desk.call("euro", "2", **boreal, **landed(30, ring=1.5, start=at(10), matched_prefix=""))
    desk.call(
        "in",
        "0.25",
        item_type="toll_free",
        **landed(20, ring=2, start=at(500), matched_prefix="1", **inbound),
    )
    desk.call("night", "0.75", **landed(60, ring=0, start=NIGHT - timedelta(seconds=60), matched_prefix="49"))
    desk.call("mediator", None, unrated_reason="no_rate", **mediated())
    desk.message("sent", "0.02", NOON, **texted(status="sent", date_sent=at(1), message_segments=2))
    desk.message("late", "0.01", NOON, **texted(status="failed", date_sent=None, message_segments=1))
    desk.commit()
    _surroundings(desk)
    roll_up(desk.lake, desk.ledger, now=NOW)
    with desk.lake.duck() as con:
        yield con


def mediated() -> dict[str, Any]:
    more = {"type": "mediator", "number_billing": "+13125550111", "matched_prefix": None}
    return landed(10, start=datetime(2026, 3, 3, 8, tzinfo=UTC), **more)


def texted(**more: Any) -> dict[str, Any]:
    held = {"type": "sms", "date_start": NOON, "provider": "tsg", "mcc": 310, "mnc": 4, "recipients": 3}
    return held | {"number_billing": "15125550100", "billed_units": 3 * more["message_segments"]} | more


def _surroundings(desk: Desk) -> None:
    now = {"valid_from": NOW}
    numbers = ("15125550100", "18005550199", "17135550000")
    rent = {"partner_sid": "acme", "price": Decimal(2), "country_code": "USA"} | now
    desk.put("land/dids", [{"did_sid": f"did-{n}", "phonenumber": n} | rent for n in numbers])
    desk.put("land/trunk_groups", [{"trunk_group_sid": "t1", "name": "Harbor West"} | now])
    desk.put("land/countries", [{"iso_3166_alpha_3": "DEU", "common_name": "Germany"} | now])
    binding = {"binding_sid": "b", "redirect_did": "13125550111", "destination_did": "17135550000"}
    desk.put("land/mediator_bindings", [binding | {"name": "spring"} | now])
    plan = {"plan_sid": "retail", "plan_version": "v1"}
    desk.put("rate/plans", [plan | {"service": "call"}])
    desk.put(
        "rate/rates", [plan | {"prefix": prefix, "country_code": "DEU"} for prefix in ("", "1", "49", "4915")]
    )


# The view, the columns that are looked at, a condition, and the rows worked out by hand.
ANSWERS: list[Any] = [
    pytest.param(
        "call_hours",
        "hour(hour) as h, direction, partner_sid, calls, answered, effective, short_calls, talk_ms, setup_ms",
        f"day = '{ONE}'",
        [
            # busy (486) is effective; 503 and 302 are not; the call of no length is not answered
            (12, "inbound", "acme", 1, 1, 1, 0, 20_000, 2_000),
            (12, "outbound", "acme", 6, 2, 3, 1, 64_000, 10_000),
            (12, "outbound", "boreal", 1, 1, 1, 0, 30_000, 1_500),
        ],
        id="hours: answered is talk time present",
    ),
    pytest.param(
        "quality",
        "asr_percent, ner_percent, acd_seconds, answer_delay_seconds, short_percent",
        f"day = '{ONE}' and partner_sid = 'acme' and direction = 'outbound'",
        # 2 of 6; 3 of 6; 64 s by 2; 10 s by 2; 1 of 2
        [("33.3", "50.0", "32.0", "5.0", "50.0")],
        id="quality: ASR, NER, ACD",
    ),
    pytest.param(
        "sessions",
        "calls, established, redirected, ser_percent, seer_percent",
        f"day = '{ONE}' and partner_sid = 'acme' and direction = 'outbound'",
        # 2 of 5 that were not redirected; with the busy one 3 of 5
        [(6, 2, 1, "40.0", "60.0")],
        id="sessions: RFC 6076 leaves redirects out",
    ),
    pytest.param(
        "causes",
        "sipcause, disconnect_originator, calls, answered",
        f"day = '{ONE}' and direction = 'outbound'",
        [(200, "src", 4, 3), (302, "src", 1, 0), (486, "dst", 1, 0), (503, "src", 1, 0)],
        id="causes and who hung up",
    ),
    pytest.param(
        "short_calls",
        "month, direction, partner_sid, answered, short_calls, short_percent",
        "true",
        [(MONTH, "outbound", "acme", 4, 1, "25.0")],
        id="short calls are over within six seconds",
    ),
    pytest.param(
        "trunk_quality",
        "day, side, trunk_group_sid, name, calls, answered, talk_seconds, asr_percent",
        f"day = '{ONE}'",
        [
            (ONE, "in", "t1", "Harbor West", 7, 3, "94.000", "42.9"),
            (ONE, "in", "t2", None, 1, 1, "20.000", "100.0"),
        ],
        id="quality by trunk group",
    ),
    pytest.param(
        "trunk_hours",
        "hour(hour) as h, side, trunk_group_sid, peak_calls, peak_at, call_seconds",
        f"day = '{ONE}' and (side = 'all' or trunk_group_sid = 't1')",
        [
            # long 0-65, short 30-39, euro 10-41.5: three at once from 30 s on; 65 + 9 + 32 + 4 x 5, and 22 by t2
            (12, "all", None, 3, at(30), 148),
            (12, "in", "t1", 3, at(30), 126),
            # the night call began at 23:59:30 and is landed on the next day
            (23, "all", None, 1, datetime(2026, 3, 2, 23, 59, 30, tzinfo=UTC), 30),
            (23, "in", "t1", 1, datetime(2026, 3, 2, 23, 59, 30, tzinfo=UTC), 30),
        ],
        id="calls at once, past midnight too",
    ),
    pytest.param(
        "concurrency",
        "day, peak_calls, hour(busy_hour) as h, busy_hour_erlang, day_erlang",
        f"day = '{ONE}' and side = 'all'",
        # 148 / 3600 and 178 / 86400
        [(ONE, 3, 12, "0.041", "0.002")],
        id="Erlang is call seconds over seconds",
    ),
    pytest.param(
        "stir",
        "direction, stir_attest, stir_verstat, calls, share_percent",
        f"day = '{ONE}' and direction = 'outbound'",
        [("outbound", None, None, 1, "14.3"), ("outbound", "A", None, 6, "85.7")],
        id="STIR attestation",
    ),
    pytest.param(
        "lag",
        "day, calls, median_seconds, p99_seconds, longest_seconds, over_15_minutes",
        f"day = '{ONE}'",
        [(ONE, 8, 2, 2, 2, 0)],
        id="lag of insertion",
    ),
    pytest.param(
        "deliveries",
        "status, provider, messages, segments, units, share_percent, delay_seconds",
        "true",
        [("failed", "tsg", 1, 1, 3, "50.0", None), ("sent", "tsg", 1, 2, 6, "50.0", "1.0")],
        id="messages by status and operator",
    ),
    pytest.param(
        "traffic",
        "service, direction, currency, attempts, answered, talk_seconds, message_units, revenue, cost, margin",
        f"day = '{ONE}'",
        [
            # every record costs 0.001; what a record costs is in dollars, also where it is charged in euros
            ("call", "inbound", "USD", 1, 1, "20.000", 0, "0.2500000000", "0.0010000000", "0.2490000000"),
            ("call", "outbound", "EUR", 0, 0, "0.000", 0, "2.0000000000", "0.0000000000", "2.0000000000"),
            ("call", "outbound", "USD", 7, 3, "94.000", 0, "2.0000000000", "0.0070000000", "1.9930000000"),
            ("message", "outbound", "USD", 2, 0, "0.000", 9, "0.0300000000", "0.0020000000", "0.0280000000"),
        ],
        id="traffic keeps currencies apart",
    ),
    pytest.param(
        "customers",
        "partner_sid, currency, calls, answered, messages, revenue, cost, margin",
        "true",
        [
            ("boreal", "USD", 0, 0, 0, "0.0000000000", "0.0010000000", "-0.0010000000"),
            ("boreal", "EUR", 1, 1, 0, "2.0000000000", "0.0000000000", "2.0000000000"),
            ("acme", "USD", 9, 5, 2, "3.0300000000", "0.0110000000", "3.0190000000"),
        ],
        id="customers: worst margin first, a currency a row",
    ),
    pytest.param(
        "destinations",
        "country, currency, calls, answered, asr_percent, revenue, cost",
        "true",
        [
            # the days of both countries: 7 and 2 calls, of which 3 and 2 were answered
            ("Germany", "EUR", 0, 0, None, "2.0000000000", "0.0000000000"),
            ("Germany", "USD", 9, 5, "55.6", "2.7500000000", "0.0090000000"),
        ],
        id="destinations: outbound calls only",
    ),
    pytest.param(
        "prefixes",
        "prefix, currency, calls, revenue, cost",
        "true",
        [
            ("1", "USD", 1, "0.2500000000", "0.0010000000"),
            ("", "EUR", 0, "2.0000000000", "0.0000000000"),
            ("", "USD", 1, "0.0000000000", "0.0010000000"),
            ("49", "USD", 7, "2.7500000000", "0.0070000000"),
        ],
        id="prefixes: cost and what it earns",
    ),
    pytest.param(
        "sources",
        "service, number, records, answered, talk_seconds, segments",
        "true",
        [
            ("call", "+13125550111", 1, 1, "10.000", None),
            ("call", "15125550100", 7, 3, "124.000", None),
            ("call", "15125550100", 1, 1, "30.000", None),
            ("message", "15125550100", 2, None, None, 3),
        ],
        id="our numbers that call the most",
    ),
    pytest.param(
        "toll_free",
        "service, direction, partner_sid, records, talk_seconds, revenue, cost",
        "true",
        [("call", "inbound", "acme", 1, "20.000", "0.2500000000", "0.0010000000")],
        id="toll-free",
    ),
    pytest.param(
        "did_use",
        "phonenumber, last_used, inbound_30_days, outbound_30_days, idle",
        "true",
        [
            ("15125550100", TWO, 0, 10, False),
            ("17135550000", None, 0, 0, True),
            ("18005550199", ONE, 1, 0, False),
        ],
        id="numbers in use and idle",
    ),
    pytest.param(
        "mediator_use",
        "month, binding_sid, name, redirect_did, calls, answered, talk_seconds",
        "true",
        [(MONTH, "b", "spring", "13125550111", 1, 1, "10.000")],
        id="Mediator calls by binding",
    ),
    pytest.param(
        "plan_coverage",
        "side, prefixes, used_prefixes, unused_prefixes, calls, default_calls, default_percent",
        "side = 'charge'",
        [("charge", 4, 3, 1, 9, 1, "11.1")],
        id="coverage and the default row",
    ),
    pytest.param(
        "unused_prefixes", "plan_sid, prefix", "true", [("retail", "4915")], id="prefixes never used"
    ),
    pytest.param(
        "statement_days",
        "section, service, side, what, reason, records, money",
        f"day = '{TWO}' and section <> 'charged'",
        [
            ("landed", "call", None, "landed", None, 2, None),
            ("rated", "call", "charge", "rated", None, 1, "0.7500000000"),
            ("rated", "call", "charge", "unrated", "no_rate", 1, None),
            ("rated", "call", "cost", "rated", None, 2, "0.0020000000"),
        ],
        id="the statement of a day",
    ),
]


@pytest.mark.parametrize(("view", "columns", "where", "expected"), ANSWERS)
def test_a_measure_is_what_it_is_by_hand(
    lake: Any, view: str, columns: str, where: str, expected: list[tuple]
) -> None:
    found = lake.execute(f"select {columns} from measure.{view} where {where}").fetchall()

    assert sorted(map(_plain, found), key=repr) == sorted(expected, key=repr)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(f"{value:f}" if isinstance(value, Decimal) else value for value in row)

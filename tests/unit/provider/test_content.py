"""What the records say: valid numbers, prices by the published plans, times that fit together."""

from collections import Counter
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from itertools import product

import pytest

from pipeline.provider import numbers
from pipeline.provider.deck import FEWEST_ROWS, call_plan, message_rows
from pipeline.provider.entropy import Entropy
from pipeline.provider.inventory import assign_lines
from pipeline.provider.partners import partners
from pipeline.provider.traffic import stamp
from pipeline.provider.world import World, WorldConfig

COUNT = 2500


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(seed=6, calls=COUNT, messages=1200))


@pytest.fixture(scope="module")
def calls(world: World) -> list[dict]:
    return [world.calls.record(index, world.now_ms) for index in range(COUNT)]


@pytest.fixture(scope="module")
def messages(world: World) -> list[dict]:
    return [world.messages.record(index, world.now_ms) for index in range(1200)]


def seconds(record: dict, start: str, end: str) -> Decimal:
    span = datetime.fromisoformat(record[end]) - datetime.fromisoformat(record[start])
    return Decimal(span.seconds * 1000 + span.microseconds // 1000) / 1000


def test_the_outbound_deck_has_the_real_size_and_no_default() -> None:
    rows = call_plan("outbound", "pstn").rows
    prefixes = {row.prefix for row in rows}

    assert (len(rows), len(prefixes)) == (110_170, 110_170)
    assert all(prefix and prefix.isascii() and prefix.isdigit() for prefix in prefixes)
    assert Counter((r.billing_increment, r.billing_minimum) for r in rows).most_common(1)[0][0] == ("6", "6")
    assert {(r.billing_increment, r.billing_minimum) for r in rows} == {
        ("6", "6"), ("60", "60"), ("6", "30"), ("1", "1"), ("1", "60"),
    }  # fmt: skip
    assert all(len(row.price.partition(".")[2]) <= 6 for row in rows)


def test_a_shorter_outbound_deck_reaches_every_country_by_the_same_rows() -> None:
    rows, short = call_plan("outbound", "pstn").rows, call_plan("outbound", "pstn", FEWEST_ROWS).rows

    assert len(short) == FEWEST_ROWS
    assert set(short) <= set(rows)
    assert {row.country_code for row in short} == {row.country_code for row in rows}


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("493023125001", "4930"),
        ("19002345678", "1900"),
        ("18005551212", "1800"),
        ("18762345678", "1876"),
        ("85021234567", None),
    ],
)
def test_the_longest_prefix_matches(number: str, prefix: str | None) -> None:
    row = call_plan("outbound", "pstn").match(number)

    assert (row.prefix if row else None) == prefix


def test_the_inbound_deck_has_nine_rows_and_a_default() -> None:
    rows = call_plan("inbound", "pstn").rows

    assert [row.prefix for row in rows] == [
        None, "1800", "1833", "1844", "1855", "1866", "1877", "1888", "44800",
    ]  # fmt: skip
    assert {(row.billing_increment, row.billing_minimum) for row in rows} == {("60", "60")}


@pytest.mark.parametrize("sub_type", ["short_code", "toll", "toll_free"])
def test_message_plans_have_a_row_per_network(sub_type: str) -> None:
    rows = message_rows(sub_type)

    assert (len(rows), len({(row.mcc, row.mnc) for row in rows})) == (1778, 1778)


def test_every_number_is_valid(calls: list[dict], messages: list[dict]) -> None:
    fields = ("number_billing", "number_external", "number_src", "number_dst")
    seen = {record[field].lstrip("+") for record in calls[:800] + messages[:400] for field in fields}

    assert [n for n in seen if len(n) > 6 and not numbers.is_valid(n)] == []


def test_numbers_belong_to_one_partner_each() -> None:
    everyone = partners(400)
    owned = [number for lines in assign_lines(everyone, Entropy(1)) for number in lines.all]

    assert len(owned) == len(set(owned))
    assert [number for number in owned if not numbers.is_valid(number)] == []


def test_the_mix_is_that_of_a_carrier(calls: list[dict]) -> None:
    share = {key: value / COUNT for key, value in Counter(call["direction"] for call in calls).items()}
    answered = sum(call["sipcause"] == "200" for call in calls) / COUNT
    abroad = sum(
        call["direction"] == "outbound" and not call["number_dst"].startswith(("1", "44", "49"))
        for call in calls
    )

    assert 0.58 < share["outbound"] < 0.66
    assert 0.66 < answered < 0.77
    assert 0.03 < abroad / COUNT < 0.12


def test_times_fit_together(calls: list[dict]) -> None:
    for call in calls:
        assert call["date_start"] < call["date_stop"] < call["date_insert"]
        assert abs(Decimal(call["duration"]) - seconds(call, "date_start", "date_stop")) < Decimal("0.001")
        assert len(call["duration"].partition(".")[2]) == 5
        assert (call["date_talk"] is None) == (call["sipcause"] != "200")
        assert call["date_talk"] is None or call["date_start"] < call["date_talk"] <= call["date_stop"]


def test_the_subscriber_is_the_caller_or_the_called(calls: list[dict]) -> None:
    for call in calls:
        near, far = (
            ("number_src", "number_dst") if call["direction"] == "outbound" else ("number_dst", "number_src")
        )
        assert call["number_billing"] == call[near].lstrip("+")
        assert call["number_external"] == call[far].lstrip("+")


@pytest.mark.parametrize("unit", [None, 60])
def test_prices_are_those_of_the_published_plans(world: World, unit: int | None) -> None:
    """Worked out again with Decimal, from what a client can see."""
    kinds = {endpoint["endpoint_sid"]: endpoint["type"] for endpoint in world.endpoints}
    priced = World(WorldConfig(seed=6, calls=COUNT, messages=1, price_unit=unit)).calls
    families = set()
    for index in range(0, COUNT, 3):
        call = priced.record(index, 0)
        kind = kinds[call["endpoint_sid_dst" if call["direction"] == "outbound" else "endpoint_sid_src"]]
        row = call_plan(call["direction"], "pstn" if kind == "system_gateway" else kind).match(
            call["number_dst"]
        )
        families.add((call["direction"], kind))
        if row is None:
            assert (call["rate"], call["price"], call["date_talk"]) == (None, "0", None)
            assert call["sipcause"] in ("404", "503")
            continue
        talk = seconds(call, "date_talk", "date_stop") if call["date_talk"] else Decimal(0)
        increment, minimum = Decimal(row.billing_increment), Decimal(row.billing_minimum)
        billed = (
            max(minimum, (talk / increment).to_integral_value(ROUND_CEILING) * increment)
            if talk
            else Decimal(0)
        )
        price = Decimal(row.price) * billed / (unit or minimum)
        assert (call["rate"], Decimal(call["duration_billing"])) == (row.price, billed)
        assert Decimal(call["price"]) == price.quantize(Decimal("1e-10"), ROUND_HALF_UP)
        assert "E" not in call["price"]

    types = "system_gateway third_party conference flexml mediator voicemail conference_playback".split()
    assert families == set(product(("inbound", "outbound"), types))


def test_messages_are_priced_by_segment_and_recipient(world: World, messages: list[dict]) -> None:
    plans = {
        t: {(r.mcc, r.mnc): r.price for r in message_rows(t)} for t in ("short_code", "toll", "toll_free")
    }
    seen = set()
    for message in messages:
        if message["direction"] == "inbound":
            assert (message["rate"], message["price"], message["status"], message["mcc"]) == (
                "0",
                "0",
                "received",
                None,
            )
            continue
        sender = message["number_src"]
        family = (
            "short_code" if len(sender) < 7 else "toll_free" if sender[1:4] in numbers.TOLL_FREE else "toll"
        )
        rate = plans[family][message["mcc"], message["mnc"]]
        units = message["message_segments"] * len(message.get("number_group_dst", [0]))
        due = Decimal(rate) * units if message["status"] != "failed" else Decimal(0)
        seen.add((family, message["type"], message["status"]))
        assert (message["rate"], Decimal(message["price"])) == (rate, due)

    assert {family for family, _, _ in seen} == {"short_code", "toll", "toll_free"}
    assert {status for _, _, status in seen} == {"sent", "delivered", "failed"}
    assert {kind for _, kind, _ in seen} == {"sms", "mms"}


def test_segments_are_160_characters(messages: list[dict]) -> None:
    for message in messages:
        assert -(-len(message["message"]) // 160) == message["message_segments"]
        assert message["type"] == "sms" or message["message_segments"] == 1
        assert bool(message["media_urls"]) == (message["type"] == "mms")


def test_the_traffic_covers_its_days_and_the_clock_stands_a_day_later(
    world: World, calls: list[dict]
) -> None:
    assert calls[0]["date_stop"].startswith("2026-03-01T0")
    assert calls[-1]["date_stop"].startswith("2026-04-01T2")
    assert stamp(world.now_ms) == "2026-04-03T00:00:00.000Z"

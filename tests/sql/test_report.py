"""The queries of the dashboard, on rows whose answers are worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.measure.rollups import roll_up
from pipeline.render.report import write_report
from pipeline.render.reportdata import Asked, Month, ask
from tests.fixtures.billing import NOON, NOW, ROOT, Desk

MARCH = Month.of("2026-03")
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Acme pays dollars, Boreal euros; each record costs us 0.001 dollars. A call is ours, two are not March's."""
    desk = Desk(tmp_path)
    desk.call("a", "1", **talked()).call("b", "0.5", base_seconds=Decimal(0), matched_prefix="49")
    desk.call("c", "2", partner_sid="boreal", payer_sid="boreal", currency="EUR", **talked())
    free = {"currency": None, "rating_status": "not_billable", "unrated_reason": "own_use"}
    desk.call("own", "0", partner_sid=ROOT, payer_sid=ROOT, **free, **talked())
    desk.call("late", "7", stop=APRIL, **talked(APRIL)).call("early", "9", stop=FEBRUARY, **talked(FEBRUARY))
    return desk.message("m", "0.02").commit()


def talked(stop: datetime = NOON) -> dict[str, Any]:
    """What fifty seconds of talk are, landed and rated."""
    return {"date_talk": stop - timedelta(seconds=50), "base_seconds": Decimal(50), "matched_prefix": "49"}


def answers(desk: Desk, customer: str | None = None) -> dict[str, Asked]:
    roll_up(desk.lake, desk.ledger, now=NOW)
    return ask(desk.lake, MARCH, [], customer)


def column(asked: Asked, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in asked.rows]


def test_the_month_and_the_one_before_it_stand_side_by_side(desk: Desk) -> None:
    found = column(answers(desk)["glance"], "month", "calls", "answered", "talk_seconds", "messages")

    assert [(str(month), *rest) for month, *rest in found] == [
        ("2026-03-01", 4, 3, Decimal(150), 1),
        ("2026-02-01", 1, 1, Decimal(50), 0),
    ]


def test_money_stays_in_its_currency(desk: Desk) -> None:
    """Five records cost 0.001 dollars each; the euros of Boreal are no dollars."""
    assert column(answers(desk)["money"], "currency", "revenue", "cost", "margin") == [
        ("EUR", Decimal(2), Decimal(0), Decimal(2)),
        ("USD", Decimal("1.52"), Decimal("0.005"), Decimal("1.515")),
    ]


def test_converted_money_has_the_rate_of_its_day_and_says_where_there_is_none(desk: Desk) -> None:
    names = ("currency", "date", "until", "rate", "report_currency")
    rates = [
        ("EUR", date(2026, 3, 10), date(2026, 3, 11), Decimal("1.25"), "USD"),
        ("EUR", date(2026, 3, 11), date(2026, 4, 9), Decimal(9), "USD"),
        ("USD", date(2026, 1, 1), date(2027, 1, 1), Decimal(1), "USD"),
    ]
    before = NOON - timedelta(days=1)
    desk.call("old", "4", stop=before, payer_sid="boreal", currency="EUR", **talked(before)).commit()
    desk.put("measure/exchange_rates", [dict(zip(names, row, strict=True)) for row in rates])

    roll_up(desk.lake, desk.ledger, now=NOW)
    page = write_report(desk.lake, MARCH, landings=[], customer=None, target=None, now=NOW)

    assert column(page.answers["converted"], "currency", "days_without_rate", "revenue", "cost") == [
        ("EUR", 1, Decimal("2.5"), Decimal(0)),
        ("USD", 0, Decimal("1.52"), Decimal("0.006")),
    ]
    assert "no rate on 1 of its days" in page.path.read_text(encoding="utf-8")


def test_a_customer_that_pays_in_another_currency_has_a_row_for_what_it_costs(desk: Desk) -> None:
    found = answers(desk)["customers"]

    assert column(found, "partner_sid", "currency", "revenue", "cost", "calls", "messages", "own_use") == [
        ("boreal", "EUR", Decimal(2), Decimal(0), 1, 0, False),
        ("acme", "USD", Decimal("1.52"), Decimal("0.003"), 2, 1, False),
        ("boreal", "USD", Decimal(0), Decimal("0.001"), 0, 0, False),
        (ROOT, "USD", Decimal(0), Decimal("0.001"), 1, 0, True),
    ]


def test_what_a_bundle_took_off_is_no_revenue(desk: Desk) -> None:
    draw = {
        "invoice_sid": "i",
        "service": "call",
        "source": "carrierx",
        "dr_sid": "a",
        "revision": 1,
        "side": "charge",
    }
    draw |= {
        "payer_sid": "acme",
        "payee_sid": ROOT,
        "kind": "bundle",
        "date_stop": desk.calls["a"]["date_stop"],
    }
    desk.put("invoice/invoices", [{"invoice_sid": "i", "partner_sid": "acme", "currency": "USD"}])
    found = answers(desk.put("invoice/draws", [draw | {"amount": Decimal("-0.25")}]))

    assert column(found["money"], "currency", "drawn", "revenue")[1:] == [
        ("USD", Decimal("-0.25"), Decimal("1.27"))
    ]
    assert found["customers"].rows[1]["revenue"] == Decimal("1.27")


def test_prefixes_have_the_costs_of_their_currency(desk: Desk) -> None:
    assert column(answers(desk)["prefixes"], "prefix", "currency", "calls", "revenue", "cost") == [
        ("49", "USD", 4, Decimal("1.5"), Decimal("0.004")),
        ("49", "EUR", 0, Decimal(2), Decimal(0)),
    ]


def test_a_day_without_traffic_is_there_and_has_no_ratio(desk: Desk) -> None:
    days = answers(desk)["days"]
    busy = [row for row in days.rows if row["calls"]]

    assert (len(days.rows), len(busy), busy[0]["asr_percent"], busy[0]["acd_seconds"]) == (31, 1, 75.0, 50.0)
    assert {row["asr_percent"] for row in days.rows if not row["calls"]} == {None}


def test_a_customer_sees_its_own_records(desk: Desk) -> None:
    found = answers(desk, "boreal")

    assert found["customer_days"].total("amount") == Decimal(2)
    assert column(found["customer_usage"], "item_type", "country_code", "records", "amount", "currency") == [
        ("toll", "DEU", 1, Decimal(2), "EUR")
    ]


def test_a_record_without_a_price_is_in_the_months_suspense(desk: Desk) -> None:
    desk.call(
        "x", None, unrated_reason="blocked", base_seconds=Decimal(9), provider_price=Decimal("0.4")
    ).commit()

    assert column(answers(desk)["suspense"], "reason", "standing", "records", "talk_seconds", "cost") == [
        ("blocked", "open", 1, Decimal(9), Decimal("0.4"))
    ]

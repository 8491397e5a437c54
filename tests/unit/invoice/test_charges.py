"""Charges, discounts, commitments and features by use, as lines of invoices: by hand, without a lake where one is not
needed, and once in a house that is billed on time, late, and again."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.charges import Charge, Commitment, Discount, PerUse
from pipeline.domain.invoice import Item
from pipeline.domain.period import Period, day_start, last_day
from pipeline.invoice.charges import Use, charge_lines, use_lines
from pipeline.invoice.discounts import commitment_lines, discount_lines
from pipeline.invoice.due import Account, Due
from pipeline.invoice.issue import drop
from pipeline.invoice.lines import TYPES
from pipeline.invoice.parts import Line, Part
from pipeline.masters.model import Masters
from pipeline.masters.vocabulary import ITEM_TYPES, PER_USE_TYPES
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, HOUSE, NOW, Desk, masters

ZONE = "America/New_York"
EDGES = [day_start(date(2026, month, 1), ZONE) for month in (3, 4, 5, 6)]
MARCH, APRIL, MAY = (Period(a, b) for a, b in pairwise(EDGES))
ACCOUNT = Account(ACME, HOUSE, "root")
NO_PARTS: tuple[Part, ...] = ()


def due(period: Period = MARCH) -> Due:
    return Due(ACCOUNT, period, EDGES[0], "sid")


def item(kind: str, amount: str, country: str | None = "USA", period: Period = MARCH, **more: Any) -> Item:
    direction = None if kind in ("did", "adjustment") else "outbound"
    value = Decimal(amount)
    return Item(kind, direction, country, kind, 1, 1, value, value, period, **more)


def said(lines: list[Line]) -> list[tuple[str, str]]:
    """What a line says, its amount and, where it is not the invoice's, the last day of its period."""
    return [(line.item.description, f"{line.item.amount:f}") for line in lines if line.item]


def charge(billed: str = "advance", **more: Any) -> Charge:
    base = {"key": "seat", "name": "Seat", "partner_sid": "acme", "amount": Decimal(31), "currency": "USD"}
    return Charge(**base | {"billed": billed} | more)


def on_invoices(
    *charges: Charge, periods: tuple[Period, ...] = (MARCH, APRIL)
) -> list[list[tuple[str, str]]]:
    """What the invoices of these periods, made one after the other, say of charges."""
    held, before, found = masters(charges=charges), [], []
    for n, period in enumerate(periods):
        lines = charge_lines(due(period), [MARCH, APRIL, MAY][: n + 1], held, before)
        before += [part for line in lines for part in line.parts]
        found.append(
            [
                (text, amount, last_day(line.item.period, ZONE).month)
                for (text, amount), line in zip(said(lines), lines, strict=True)
                if line.item
            ]
        )
    return found  # type: ignore[return-value]


CHARGES = {
    "in arrears, with the period": ([charge("arrears")], [[("Seat", "31.00", 3)], [("Seat", "31.00", 4)]]),
    "in advance, with the one before": ([charge()], [[("Seat", "31.00", 4)], [("Seat", "31.00", 5)]]),
    "in advance, begun within the period": (
        [charge(start=date(2026, 3, 22))],
        [[("Seat, 10 of 31 days", "10.00", 3), ("Seat", "31.00", 4)], [("Seat", "31.00", 5)]],
    ),
    "in advance, begun with our first day": (
        [charge(start=date(2026, 3, 1))],
        [[("Seat", "31.00", 3), ("Seat", "31.00", 4)], [("Seat", "31.00", 5)]],
    ),
    "in advance, ends ahead": (
        [charge(end=date(2026, 4, 11))],
        [[("Seat, 10 of 30 days", "10.33", 4)], []],
    ),
    "several, with what one costs": (
        [charge("arrears", quantity=3, amount=Decimal("9.5"), end=date(2026, 4, 1))],
        [[("Seat (3 at 9.50)", "28.50", 3)], []],
    ),
    "whole in each period that it touches": (
        [charge("arrears", prorated=False, end=date(2026, 3, 2))],
        [[("Seat", "31.00", 3)], []],
    ),
    "once, on its day": (
        [charge("once", start=date(2026, 4, 30), quantity=2)],
        [[], [("Seat (2 at 31.00)", "62.00", 4)]],
    ),
    "in another currency": ([charge(currency="EUR", partner_sid="*")], [[], []]),
    "in their order": (
        [charge("arrears", key="a", order=3, end=date(2026, 4, 1)), charge("arrears", key="b", name="First")],
        [[("First", "31.00", 3), ("Seat", "31.00", 3)], [("First", "31.00", 4)]],
    ),
}


@pytest.mark.parametrize(("charges", "expected"), CHARGES.values(), ids=CHARGES)
def test_charges_on_two_invoices(charges: list[Charge], expected: list[list[tuple]]) -> None:
    assert on_invoices(*charges) == expected


def test_charge_that_is_entered_late_is_billed_for_its_past_under_its_own_dates() -> None:
    lines = charge_lines(due(MAY), [MARCH, APRIL, MAY], masters(charges=[charge("arrears")]), [])
    assert [(i.amount, i.period) for i in (line.item for line in lines) if i] == [
        (Decimal("31.00"), period) for period in (MARCH, APRIL, MAY)
    ]


def test_charge_that_ends_early_gives_its_days_back_at_the_price_that_was_paid() -> None:
    paid = charge_lines(due(), [MARCH], masters(charges=[charge(amount=Decimal(60))]), [])
    ended = masters(charges=[charge(amount=Decimal(90), end=date(2026, 4, 16))])
    before = [part for line in paid for part in line.parts]
    back = charge_lines(due(APRIL), [MARCH, APRIL], ended, before)
    assert (said(paid), said(back)) == (
        [("Seat", "60.00")],
        [("Seat, given back for 15 of 30 days", "-30.00")],
    )


def test_one_off_charge_is_billed_with_the_first_invoice_after_it_was_entered_and_never_again() -> None:
    once = masters(charges=[charge("once", start=date(2026, 3, 5))])
    late = charge_lines(due(APRIL), [MARCH, APRIL], once, [])
    again = charge_lines(due(MAY), [MARCH, APRIL, MAY], once, [p for line in late for p in line.parts])
    assert ([line.item.period for line in late if line.item], again) == ([MARCH], [])


def discount(**more: Any) -> Discount:
    base = {"key": "loyal", "name": "Loyalty", "partner_sid": "acme", "currency": "USD"}
    return Discount(**base | more)


TEN, FIFTY = Decimal(10), Decimal(50)
LINES = (
    item("toll", "20"), item("toll", "10", "DEU"), item("toll", "5", "FRA"), item("sms", "8"), item("did", "7", None),
    item("adjustment", "40", None), item("adjustment", "30", None, detail={"charge": "recurring"}, taxed_as="did"),
)  # fmt: skip
DISCOUNTS = {
    "a line for each kind, at home and abroad": (
        [discount(percent=TEN, items=("toll",))],
        [("Loyalty: 10 % off outbound calls", "-2.00"), ("Loyalty: 10 % off outbound calls abroad", "-1.50")],
    ),
    "on all but adjustments where nothing is named": (
        [discount(percent=TEN)],
        [
            ("Loyalty: 10 % off outbound calls", "-2.00"),
            ("Loyalty: 10 % off outbound calls abroad", "-1.50"),
            ("Loyalty: 10 % off SMS sent", "-0.80"),
            ("Loyalty: 10 % off phone numbers", "-0.70"),
            ("Loyalty: 10 % off recurring charges", "-3.00"),
        ],
    ),
    "a fixed amount, shared by weight": (
        [discount(amount=TEN, items=("did", "sms"))],
        [("Loyalty: off SMS sent", "-5.33"), ("Loyalty: off phone numbers", "-4.67")],
    ),
    "never below zero": ([discount(amount=FIFTY, items=("did",))], [("Loyalty: off phone numbers", "-7.00")]),
    "below zero where that is said": (
        [discount(amount=FIFTY, items=("did",), below_zero=True)],
        [("Loyalty: off phone numbers", "-50.00")],
    ),
    "below zero of nothing": (
        [discount(amount=FIFTY, items=("mms",), below_zero=True)],
        [("Loyalty", "-50.00")],
    ),
    "one after the other, each on what is left": (
        [discount(key="b", percent=FIFTY, items=("sms",), order=2), discount(amount=TEN / 5, items=("sms",))],
        [("Loyalty: off SMS sent", "-2.00"), ("Loyalty: 50 % off SMS sent", "-3.00")],
    ),
    "not yet": ([discount(percent=TEN, start=date(2026, 4, 1))], []),
    "not on the last day any more": ([discount(percent=TEN, end=date(2026, 3, 31))], []),
}


@pytest.mark.parametrize(("discounts", "expected"), DISCOUNTS.values(), ids=DISCOUNTS)
def test_discounts(discounts: list[Discount], expected: list[tuple[str, str]]) -> None:
    assert said(discount_lines(due(), LINES, masters(discounts=discounts))) == expected


def test_a_discount_bears_the_taxes_of_what_it_is_taken_from() -> None:
    found = discount_lines(due(), LINES, masters(discounts=[discount(percent=TEN)]))
    assert [(i.taxed_as, i.direction, i.country_code, i.abroad) for i in (x.item for x in found) if i] == [
        ("toll", "outbound", "USA", False),
        ("toll", "outbound", None, True),
        ("sms", "outbound", "USA", False),
        ("did", None, None, False),
        ("did", None, None, False),
    ]


def test_late_usage_has_the_discount_of_its_own_period() -> None:
    held = masters(discounts=[discount(percent=TEN, end=date(2026, 4, 1))])
    lines = [item("toll", "20", period=APRIL), item("toll", "5", period=MARCH)]
    found = discount_lines(due(APRIL), lines, held)
    assert (said(found), [line.item.period for line in found if line.item]) == (
        [("Loyalty: 10 % off outbound calls", "-0.50")],
        [MARCH],
    )


def commitment(**more: Any) -> Commitment:
    base = {"key": "least", "name": "Least", "partner_sid": "acme", "amount": Decimal(100), "currency": "USD"}
    return Commitment(**base | more)


COMMITMENTS = {
    "short": ([commitment(items=("toll",))], [("Least: minimum of 100.00, 35.00 reached", "65.00")]),
    "all that is not an adjustment counts": (
        [commitment()],
        [("Least: minimum of 100.00, 80.00 reached", "20.00")],
    ),
    "reached": ([commitment(amount=Decimal(80))], []),
    "a share where it begins": (
        [commitment(start=date(2026, 3, 17), amount=Decimal(310))],
        [("Least: minimum of 150.00, 80.00 reached", "70.00")],
    ),
    "not in force": ([commitment(end=date(2026, 3, 1))], []),
}


@pytest.mark.parametrize(("commitments", "expected"), COMMITMENTS.values(), ids=COMMITMENTS)
def test_commitments(commitments: list[Commitment], expected: list[tuple[str, str]]) -> None:
    found = commitment_lines(due(), LINES, masters(commitments=commitments), NO_PARTS)
    assert said(found) == expected
    assert [sum(p.amount for p in line.parts) for line in found] == [
        line.item.amount_exact if line.item else 0 for line in found
    ]


def test_late_usage_counts_for_the_commitment_of_its_own_period() -> None:
    held = masters(commitments=[commitment(end=date(2026, 4, 1))])
    first = commitment_lines(due(), [item("toll", "60")], held, NO_PARTS)
    before = [part for line in first for part in line.parts]
    late = commitment_lines(due(APRIL), [item("toll", "70", period=APRIL), item("toll", "25")], held, before)
    assert (said(first), said(late)) == (
        [("Least: minimum of 100.00, 60.00 reached", "40.00")],
        [("Least: given back, minimum of 100.00, 85.00 reached", "-25.00")],
    )


# The provider's vocabulary, as it stands on its invoices.
CONTRACT = """
adjustment bridge did did_lookup_carrier did_lookup_cnam did_lookup_lrn mms sms toll toll_free transcription_average
transcription_high transcription_low tts
"""


def test_every_item_type_is_made_from_something() -> None:
    """Usage by rating (``tests/spec`` says of what), numbers by rent, these by use; what else there is, a person or a
    charge decides, and it is an adjustment."""
    assert {*TYPES, "did", *PER_USE_TYPES, "adjustment"} == {*CONTRACT.split()} == {*ITEM_TYPES}


@pytest.mark.parametrize("kind", PER_USE_TYPES)
def test_a_feature_is_charged_by_use(kind: str) -> None:
    price = PerUse("p", "Feature", "acme", kind, Decimal("0.0125"), "USD", "provider_invoices")
    uses = [
        Use("provider_invoices", kind, "", f"p{n}", "", date(2026, 3, 31), Decimal(n), MARCH) for n in (2, 3)
    ]
    (line,) = use_lines(due(), uses, masters(per_use=[price]))
    assert line.item
    assert (line.item.type, line.item.usage, line.item.amount_exact, line.item.amount, line.item.records) == (
        *(kind, 5, Decimal("0.0625"), Decimal("0.06"), 2),
    )
    assert sum(part.amount for part in line.parts) == line.item.amount_exact


def test_a_use_is_charged_by_the_first_price_that_takes_it() -> None:
    base = ("Feature", "acme", "tts", Decimal("0.01"), "USD", "calls")
    held = masters(
        per_use=[
            PerUse("a", *base, ("voicemail",), end=date(2026, 3, 15)),
            PerUse("b", *base, ("voicemail", "flexml"), order=1),
        ]
    )
    days = ((date(2026, 3, 1), "voicemail"), (date(2026, 3, 20), "voicemail"), (date(2026, 3, 1), "flexml"))
    uses = [
        Use("calls", "tts", family, str(n), "", day, Decimal(1), MARCH)
        for n, (day, family) in enumerate(days)
    ]
    other = replace(uses[0], type="transcription_low")
    lines = use_lines(due(), [*uses, other], held)
    assert [(x.item.detail["per_use"], x.item.usage) for x in lines if x.item] == [("a", 1), ("b", 2)]


MAY_3 = datetime(2026, 5, 3, 6, tzinfo=UTC)
JUNE_3 = datetime(2026, 6, 3, 6, tzinfo=UTC)
TERMS: dict[str, Any] = {
    "charges": (
        charge(start=date(2026, 3, 11), quantity=2, taxed_as="did"),
        charge("once", key="setup", name="Set-up", start=date(2026, 4, 2)),
    ),
    "discounts": (discount(percent=TEN, items=("toll",)),),
    "commitments": (commitment(items=("toll", "sms")),),
    "per_use": (
        PerUse("dip", "Routing dips", "acme", "did_lookup_lrn", Decimal("0.004"), "USD", "lookups"),
        PerUse("speech", "Spoken text", "acme", "tts", Decimal("0.02"), "USD", "provider_invoices"),
        PerUse(
            *("voicemail", "Transcripts", "acme", "transcription_low", Decimal("0.05"), "USD", "calls"),
            ("voicemail",),
        ),
    ),
}


def house(folder: Path) -> Desk:
    """Calls of three months, lookups for Acme and for nobody, and an invoice of the provider that shows spoken text."""
    desk = Desk(folder, masters(**TERMS))
    for n, month in enumerate((3, 4, 5)):
        stop = datetime(2026, month, 10, 12, tzinfo=UTC)
        desk.call(f"c{month}", f"{20 + n}.004", stop)
        desk.call(f"v{month}", "0.01", stop, family="voicemail", item_type="bridge", country_code="USA")
    looked = {"status": "found", "details": "carrier,lrn", "looked_up_at": datetime(2026, 3, 9, tzinfo=UTC)}
    lookups = [
        {"phonenumber": n, "partner_sid": who} | looked for n, who in (("12125550100", "acme"), ("1", None))
    ]
    used = json.dumps([{"type": "tts", "usage": 3, "amount": "0.1"}, {"type": "did", "usage": 1}])
    end = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    shown = {"partner_sid": "acme", "items_json": used, "date_billing_period_end": end, "valid_from": NOW}
    issued = shown | {
        "invoice_sid": "p1",
        "display_id": "004",
        "date_issued": datetime(2026, 4, 1, tzinfo=UTC),
    }
    desk.put("land/lookups", lookups)
    desk.put("land/provider_invoices", [issued, shown | {"invoice_sid": "open"}])
    return desk.commit()


LINES_SOLD = """
select i.date_billing_period_end, l.* exclude (invoice_sid)
from invoice.items as l
join invoice.invoices as i using (invoice_sid)
order by all
"""


@pytest.fixture(scope="module")
def on_time(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = house(tmp_path_factory.mktemp("on_time"))
    for as_of in (NOW, MAY_3, JUNE_3):
        desk.bill(as_of)
    return desk


def test_every_kind_of_line_is_on_an_invoice(on_time: Desk) -> None:
    first = on_time.rows(
        "select type, description, usage, l.amount::varchar from invoice.items l join invoice.invoices i "
        "using (invoice_sid) where number like '%000001' order by line_no"
    )
    assert first == [
        ("toll", "Outbound calls to DEU", 60, "20.00"),
        ("bridge", "Calls to conferences and applications", 60, "0.01"),
        ("did_lookup_lrn", "Routing dips (1 at 0.004)", 1, "0.00"),
        ("tts", "Spoken text (3 at 0.02)", 3, "0.06"),
        ("transcription_low", "Transcripts (1 at 0.05)", 1, "0.05"),
        ("adjustment", "Seat (2 at 31.00), 21 of 31 days", 2, "42.00"),
        ("adjustment", "Seat (2 at 31.00)", 2, "62.00"),
        ("adjustment", "Loyalty: 10 % off outbound calls abroad", 0, "-2.00"),
        ("adjustment", "Least: minimum of 100.00, 18.00 reached", 0, "82.00"),
    ]


@pytest.mark.parametrize("check", ["parts_sum_to_items", "claims_sum_to_items", "items_sum_to_invoice"])
def test_lines_sum_to_what_they_are_made_of(on_time: Desk, check: str) -> None:
    assert on_time.rows(shipped("sql", "check", f"{check}.sql").read_text()) == []


def test_the_statement_adds_up_and_names_what_was_added(on_time: Desk) -> None:
    made = make_statement(on_time.lake, on_time.ledger)
    added = {line.what: str(line.money) for line in made.lines if line.section == "invoiced"}
    wanted = ("charges", "discounts", "features by use", "short of commitments")
    assert (made.differences, {name: added[name] for name in wanted}) == (
        (),
        {
            "charges": "259.0000000000",
            "discounts": "-6.3000000000",
            "features by use": "0.2140000000",
            "short of commitments": "243.3000000000",
        },
    )


def test_three_months_late_gives_the_same_lines_as_on_time(on_time: Desk, tmp_path: Path) -> None:
    late = house(tmp_path)
    late.bill(JUNE_3)
    assert late.rows(LINES_SOLD) == on_time.rows(LINES_SOLD)
    late.ledger.close()


def test_a_second_run_adds_nothing_and_a_dropped_draft_is_made_anew(tmp_path: Path) -> None:
    desk = house(tmp_path)
    manual = replace(desk.masters, customers={"acme": replace(ACME, approval="manual")})
    (made,) = desk.bill(masters=manual).invoices
    lines, parts = desk.rows(LINES_SOLD), desk.rows("select * from invoice.parts order by all")
    assert desk.bill(masters=manual).invoices == ()
    drop(desk.lake, desk.ledger, made.invoice_sid, by="pat", now=NOW)
    assert desk.rows("select count(*) from invoice.parts") == [(0,)]
    desk.bill(masters=manual)
    assert (desk.rows(LINES_SOLD), desk.rows("select * from invoice.parts order by all")) == (lines, parts)
    desk.ledger.close()


def test_what_was_billed_ahead_is_given_back_once_where_a_charge_ends_meanwhile(tmp_path: Path) -> None:
    desk = Desk(tmp_path).commit()
    desk.bill(masters=masters(charges=[charge(amount=Decimal(60))]))
    ended = masters(charges=[charge(amount=Decimal(60), end=date(2026, 4, 16))])
    for as_of in (MAY_3, JUNE_3):
        desk.bill(as_of, masters=ended)
    assert desk.rows("select description, amount::varchar from invoice.items order by all") == [
        ("Seat", "60.00"),
        ("Seat, given back for 15 of 30 days", "-30.00"),
    ]
    desk.ledger.close()


def test_masters_of_nobody_bill_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Masters(sellers={"house": HOUSE}, charges=TERMS["charges"])).commit()
    assert desk.bill().invoices == ()
    desk.ledger.close()

"""Every record is billed exactly once, whatever comes late, changes, or is run again."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import GateError
from pipeline.ledger.schema import entries, invoice_items, invoices, parked
from pipeline.masters.model import Policy
from tests.fixtures.billing import ACME, BOREAL, NOON, NOW, ROOT, SALES_TAX, Desk, masters

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
JUNE = datetime(2026, 6, 3, 6, tzinfo=UTC)
APRIL_DAY = datetime(2026, 4, 15, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def lines(desk: Desk, number: str) -> list[tuple]:
    """(description, usage, records, amount) of an invoice."""
    with desk.ledger.read() as tx:
        sid = tx.execute(invoices.select().where(invoices.c.number == number)).one().invoice_sid
        found = tx.execute(invoice_items.select().where(invoice_items.c.invoice_sid == sid)).all()
    return [
        (i.description, i.usage, i.records, str(i.amount)) for i in sorted(found, key=lambda i: i.line_no)
    ]


def claimed(desk: Desk) -> list[tuple]:
    query = "select dr_sid, revision, payer_sid, amount, usage::integer from invoice.claims order by all"
    return [
        (sid, rev, payer, str(amount.normalize()), usage)
        for sid, rev, payer, amount, usage in desk.rows(query)
    ]


def test_a_month_of_records_becomes_one_issued_invoice(desk: Desk) -> None:
    desk.call("a", "0.123").call("b", "0.122").call("c", "2", country_code="USA").message(
        "m", "0.0075"
    ).commit()
    (billed,) = desk.bill().invoices
    assert (billed.number, billed.amount) == ("HCS-2026-000001", Decimal("2.26"))
    assert lines(desk, "HCS-2026-000001") == [
        ("Outbound calls to DEU", 120, 2, "0.25"),
        ("Outbound calls to USA", 60, 1, "2.00"),
        ("SMS sent to DEU", 1, 1, "0.01"),
    ]


def test_the_contracts_sample_invoice(desk: Desk) -> None:
    customer = replace(ACME, opening_balance=Decimal("-351.91"))
    desk.call("a", "0.37", country_code="USA", direction="inbound", billed_seconds=Decimal(8880))
    desk.call("b", "0.01", country_code="USA").commit()
    desk.bill(masters=masters(customer))
    (invoice,) = desk.ledger_rows(invoices)
    found = (
        invoice.amount,
        invoice.amount_tax,
        invoice.balance_previous,
        invoice.balance_forward,
        invoice.amount_due,
    )
    assert [str(f) for f in found] == ["0.38", "0.00", "-351.91", "-351.53", "0.00"]
    assert invoice.status == "complete"


def test_a_second_run_does_nothing(desk: Desk) -> None:
    desk.call("a").commit().bill()
    before = desk.ledger_rows(invoices), desk.ledger_rows(entries), desk.lake.files("invoice/claims")
    assert desk.bill().invoices == ()
    assert (
        desk.ledger_rows(invoices),
        desk.ledger_rows(entries),
        desk.lake.files("invoice/claims"),
    ) == before


def test_a_late_record_is_billed_with_the_next_invoice_under_its_own_period(desk: Desk) -> None:
    desk.call("a").commit().bill()
    desk.call("late", "3").call("april", "1", stop=APRIL_DAY).commit().bill(MAY)
    assert lines(desk, "HCS-2026-000002") == [
        ("Outbound calls to DEU", 60, 1, "1.00"),
        ("Outbound calls to DEU (late)", 60, 1, "3.00"),
    ]
    starts = desk.rows("select date_billing_period_start from invoice.items where description like '%late%'")
    assert [s[0].isoformat() for s in starts] == ["2026-03-01T05:00:00+00:00"]


def test_a_changed_record_is_billed_by_its_difference(desk: Desk) -> None:
    desk.call("a", "1").commit().bill()
    desk.call("a", "0.4", revision=2, billed_seconds=Decimal(24)).commit().bill(MAY)
    assert lines(desk, "HCS-2026-000002") == [("Correction of outbound calls to DEU", -36, 1, "-0.60")]
    assert claimed(desk) == [("a", 1, "acme", "1", 60), ("a", 2, "acme", "-0.6", -36)]


def test_a_changed_record_that_became_unrated_is_given_back_and_billed_again_when_it_is_rated(
    desk: Desk,
) -> None:
    accepting = masters(policy=Policy(accepted_unrated=("blocked",)))
    desk.call("a", "1").commit().bill(masters=accepting)
    desk.call("a", None, revision=2, unrated_reason="blocked").commit().bill(MAY, masters=accepting)
    desk.call("a", "1.5", revision=2).commit().bill(JUNE, masters=accepting)
    assert claimed(desk) == [
        ("a", 1, "acme", "1", 60),
        ("a", 2, "acme", "-1", -60),
        ("a", 2, "acme", "1.5", 60),
    ]


def test_a_revision_without_a_difference_makes_no_line(desk: Desk) -> None:
    desk.call("a", "1").commit().bill()
    desk.call("a", "1", revision=2).commit()
    assert desk.bill(MAY).invoices == ()
    desk.call("b", "1", stop=APRIL_DAY).commit().bill(MAY)
    assert lines(desk, "HCS-2026-000002") == [("Outbound calls to DEU", 60, 1, "1.00")]
    assert desk.rows("select line_no, dr_sid, revision from invoice.claims where line_no = 0") == [
        (0, "a", 2)
    ]


def test_rating_the_same_revision_anew_bills_nothing(desk: Desk) -> None:
    desk.call("a", "1").commit().bill()
    desk.call("a", "5").commit()
    assert desk.bill(MAY).invoices == ()


def test_a_record_that_gets_another_payer_is_given_back_to_the_first(desk: Desk) -> None:
    both = masters(ACME, BOREAL)
    desk.call("a", "1").commit().bill(masters=both)
    desk.call("a", "2", revision=2, payer_sid="boreal", partner_sid="boreal").commit().bill(MAY, masters=both)
    assert claimed(desk) == [
        ("a", 1, "acme", "1", 60),
        ("a", 2, "acme", "-1", -60),
        ("a", 2, "boreal", "2", 60),
    ]


def test_a_new_master_file_does_not_bill_a_claimed_record_to_somebody_else(desk: Desk) -> None:
    both = masters(ACME, BOREAL)
    desk.call("a", "1").commit().bill(masters=both)
    desk.call("a", "1", payer_sid="boreal").commit()
    assert desk.bill(MAY, masters=both).invoices == ()


def test_nothing_before_bill_from_is_invoiced(desk: Desk) -> None:
    desk.call("old", "9", stop=datetime(2026, 3, 1, 4, 59, 59, 999_000, tzinfo=UTC))
    desk.call("first", "1", stop=datetime(2026, 3, 1, 5, tzinfo=UTC)).commit().bill()
    assert [c[0] for c in claimed(desk)] == ["first"]


def test_a_period_closes_after_the_lookback(desk: Desk) -> None:
    desk.call("a").commit()
    end = datetime(2026, 4, 1, 4, tzinfo=UTC)
    assert desk.bill(end + timedelta(hours=25) - timedelta(seconds=1)).invoices == ()
    assert len(desk.bill(end + timedelta(hours=25)).invoices) == 1


def test_missed_months_are_invoiced_in_order(desk: Desk) -> None:
    desk.call("march", "1").call("april", "2", stop=APRIL_DAY).commit()
    report = desk.bill(MAY)
    assert [(b.number, b.amount) for b in report.invoices] == [
        ("HCS-2026-000001", Decimal("1.00")),
        ("HCS-2026-000002", Decimal("2.00")),
    ]
    assert [str(i.balance_forward) for i in desk.ledger_rows(invoices)] == ["1.00", "3.00"]


def test_an_empty_period_makes_no_invoice(desk: Desk) -> None:
    desk.commit()
    report = desk.bill()
    assert (report.invoices, report.empty) == ((), 1)


def test_unrated_records_park_their_customer_and_nobody_else(desk: Desk) -> None:
    both = masters(ACME, BOREAL)
    desk.call("a", None).call("b", payer_sid="boreal", partner_sid="boreal").commit()
    report = desk.bill(masters=both)
    (waiting,) = report.parked
    assert (waiting.partner_sid, waiting.reason[:26]) == ("acme", "unrated records: 1 no_rate")
    assert [b.partner_sid for b in report.invoices] == ["boreal"]
    assert [row.partner_sid for row in desk.ledger_rows(parked)] == ["acme"]


def test_the_next_clean_run_frees_a_parked_customer(desk: Desk) -> None:
    desk.call("a", None).commit().bill()
    report = desk.call("a", "1").commit().bill()
    assert (len(report.invoices), desk.ledger_rows(parked)) == (1, [])


def test_accepted_reasons_park_nobody_and_are_told_to_the_customer(desk: Desk) -> None:
    desk.call("a").call("b", None, unrated_reason="blocked").commit().bill()
    (invoice,) = desk.ledger_rows(invoices)
    assert json.loads(invoice.snapshot)["not_billed"] == [{"reason": "blocked", "records": 1}]


def test_a_landed_record_that_is_not_rated_parks_its_customer(desk: Desk) -> None:
    desk.call("a").commit()
    row = desk.calls["a"] | {"dr_sid": "new"}
    desk.put("land/calls", [desk.calls["a"], row], "date=2026-03-10")
    (found,) = desk.bill().parked
    assert "not every call record is rated in its newest revision (2 landed, 1 rated" in found.reason


@pytest.mark.parametrize("reason", ["no_customer", "unknown_partner"])
def test_records_of_nobody_stop_the_run(desk: Desk, reason: str) -> None:
    desk.call("a").call(
        "x", None, payer_sid="stranger", partner_sid="stranger", unrated_reason=reason
    ).commit()
    with pytest.raises(GateError, match=f"1 record of partner stranger: {reason}"):
        desk.bill()
    assert desk.ledger_rows(invoices) == []


def test_our_own_use_stops_nobody(desk: Desk) -> None:
    own = {
        "payer_sid": ROOT,
        "partner_sid": ROOT,
        "rating_status": "not_billable",
        "unrated_reason": "own_use",
    }
    report = desk.call("a").call("x", "0", **own).commit().bill()
    assert len(report.invoices) == 1


def test_a_contradicted_unit_stops_the_run(desk: Desk) -> None:
    class Contradicted:
        ok = False
        message = "provider:call:outbound:pstn reads as fixed:60"

    desk.call("a").commit()
    with pytest.raises(GateError, match="reads as fixed:60"):
        desk.bill(unit_gate=Contradicted)


def test_an_unknown_place_parks_and_an_exempt_customer_does_not_need_one(desk: Desk) -> None:
    somewhere = replace(ACME, place=replace(ACME.place, state="NV"))
    exempt = replace(somewhere, tax_exempt="certificate 17")
    desk.call("a").commit()
    (parked,) = desk.bill(masters=masters(somewhere)).parked
    assert parked.reason.startswith("no tax rules for NV, USA: add what is due there")
    assert len(desk.bill(masters=masters(exempt)).invoices) == 1


def test_another_currency_parks(desk: Desk) -> None:
    desk.call("a").commit()
    (found,) = desk.bill(masters=masters(replace(ACME, currency="EUR"))).parked
    assert found.reason.startswith("billed in EUR, but rated in another currency: 1 USD: ")


def test_a_seller_that_does_not_stand_for_the_payee_parks(desk: Desk) -> None:
    desk.call("a", payee_sid="reseller").commit()
    (found,) = desk.bill().parked
    assert found.reason.startswith("1 record charged by reseller, while its seller house stands for root: ")


def test_taxes_are_in_the_books(desk: Desk) -> None:
    desk.call("a", "10").commit().bill(masters=masters(taxes=(SALES_TAX,)))
    assert {(e.account, str(e.amount)) for e in desk.ledger_rows(entries)} == {
        ("receivable", "10.63"),
        ("revenue", "-10.00"),
        ("tax", "-0.63"),
    }


def test_a_manual_customer_waits_for_approval(desk: Desk) -> None:
    desk.call("a").commit()
    report = desk.bill(masters=masters(replace(ACME, approval="manual")))
    assert ([b.number for b in report.drafted], report.issued) == ([None], ())
    assert desk.ledger_rows(entries) == []


def test_an_opening_balance_is_booked_once_and_a_later_change_is_told(desk: Desk) -> None:
    desk.call("a").commit()
    desk.bill(masters=masters(replace(ACME, opening_balance=Decimal(5))))
    desk.call("b", stop=APRIL_DAY).commit()
    report = desk.bill(MAY, masters=masters(replace(ACME, opening_balance=Decimal(7))))
    assert [str(i.balance_previous) for i in desk.ledger_rows(invoices)] == ["5.00", "6.00"]
    assert report.warnings[0].startswith("Acme Dental: the opening balance 5.00 is booked and stays")


def test_the_snapshot_freezes_what_the_document_says(desk: Desk) -> None:
    desk.call("a", "1.5").message("m").commit()
    desk.bill()
    snapshot = json.loads(desk.ledger_rows(invoices)[0].snapshot)
    assert snapshot["bill_to"] == ["Acme Dental", "1 Main Street", "Austin, TX 78701", "USA"]
    assert snapshot["recipients"] == ["billing@acme.example"]
    assert len(snapshot["days"]) == 31
    assert snapshot["days"][9] == {
        "date": "2026-03-10",
        "amount": "1.5100000000",
        "seconds": "60.000",
        "messages": 1,
    }
    assert snapshot["records"] == {"calls": 1, "messages": 1}
    assert snapshot["customer"]["opening_balance"] == "0"
    assert [(p["plan_sid"], p["records"]) for p in snapshot["plans"]] == [("retail", 2)]


def test_invoices_are_numbered_by_period_then_name(desk: Desk) -> None:
    late_anchor = replace(BOREAL, name="Aardvark", anchor_day=31)
    desk.call("a").call("b", payer_sid="boreal", partner_sid="boreal").commit()
    report = desk.bill(masters=masters(ACME, late_anchor))
    assert [(b.partner_sid, b.number) for b in report.invoices] == [
        ("boreal", "HCS-2026-000001"),
        ("acme", "HCS-2026-000002"),
    ]


def test_a_customers_own_bill_from_wins(desk: Desk) -> None:
    desk.call("a", stop=NOON).call("b", stop=NOON + timedelta(days=10)).commit()
    desk.bill(masters=masters(replace(ACME, bill_from=date(2026, 3, 15))))
    assert [c[0] for c in claimed(desk)] == ["b"]
    assert NOW > NOON

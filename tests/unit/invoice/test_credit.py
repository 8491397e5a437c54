"""Credit notes: what they take back, that they add up with what remains, and records that are billed again."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.charges import Charge, Commitment, Discount
from pipeline.domain.credit import after_credit, tax_remaining
from pipeline.domain.invoice import TaxItem
from pipeline.domain.money import multiply, to_minor
from pipeline.errors import GateError
from pipeline.invoice.books import RECEIVABLE
from pipeline.invoice.credit import credit, discounts_left
from pipeline.invoice.explain import explain_part
from pipeline.ledger.schema import decisions, entries, invoice_items, invoice_taxes, invoices
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, NOW, SALES_TAX, Desk, masters

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
JUNE = datetime(2026, 6, 3, 6, tzinfo=UTC)
FUND = replace(SALES_TAX, rule="fund", name="Fund", rate=Decimal("0.333"), items=("toll",), order=1)
TAX = replace(SALES_TAX, on=("fund",), order=2)


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    taxed = masters(ACME, taxes=(FUND, TAX))
    desk = (
        Desk(tmp_path_factory.mktemp("billed"), taxed)
        .call("a", "10")
        .call("b", "5", country_code="FRA")
        .message("c", "1")
        .commit()
    )
    desk.bill()
    return desk


@pytest.fixture
def desk(billed: Desk, tmp_path: Path) -> Desk:
    return billed.copied(tmp_path)


def back(desk: Desk, lines: dict[int, Decimal | None] | None = None, **changes: object) -> str:
    note = credit(
        desk.lake, desk.ledger, "HCS-2026-000001", lines, by="ann", reason="wrong rate", now=NOW, **changes
    )
    return note.number


def money(desk: Desk) -> list[tuple]:
    rows = sorted(desk.ledger_rows(invoices), key=lambda row: row.number)
    return [(row.number, row.status, str(row.amount), str(row.amount_tax)) for row in rows]


def owed(desk: Desk) -> Decimal:
    return sum((e.amount for e in desk.ledger_rows(entries) if e.account == RECEIVABLE), Decimal(0))


def test_a_whole_invoice_is_taken_back(desk: Desk) -> None:
    assert back(desk) == "HCS-CN-2026-000001"
    assert money(desk) == [
        ("HCS-2026-000001", "complete", "16.00", "6.31"),
        ("HCS-CN-2026-000001", "complete", "-16.00", "-6.31"),
    ]
    assert owed(desk) == 0
    (decision,) = desk.ledger_rows(decisions)
    assert (decision.by, decision.what, decision.reason) == ("ann", "credit", "wrong rate")


def test_lines_and_parts_of_lines_take_their_taxes_with_them(desk: Desk) -> None:
    lines = {row.description: row.line_no for row in desk.ledger_rows(invoice_items)}
    assert len(lines) == 3
    first = next(row for row in desk.ledger_rows(invoice_items) if row.amount == 10)
    back(desk, {first.line_no: Decimal("4.00")})
    note = next(row for row in desk.ledger_rows(invoices) if row.kind == "credit_note")
    # fund: 15.00 -> 5.00 (4.995), 11.00 -> 3.66 (3.663); sales tax: 16 + 5.00 -> 1.31, 12 + 3.66 -> 0.98
    assert (str(note.amount), str(note.amount_tax)) == ("-4.00", "-1.67")
    taxes = [
        (t.rule, str(t.amount)) for t in desk.ledger_rows(invoice_taxes) if t.invoice_sid == note.invoice_sid
    ]
    assert taxes == [("fund", "-1.34"), ("us-tx-sales", "-0.33")]


def test_credit_upon_credit_ends_at_nothing(desk: Desk) -> None:
    first = next(row for row in desk.ledger_rows(invoice_items) if row.amount == 10)
    back(desk, {first.line_no: Decimal("3.33")})
    back(desk, {first.line_no: Decimal("0.01")})
    back(desk)
    assert [row[0] for row in money(desk)][1:] == [f"HCS-CN-2026-00000{n}" for n in (1, 2, 3)]
    assert sum(Decimal(a) + Decimal(t) for _, _, a, t in money(desk)) == 0
    assert owed(desk) == 0
    with pytest.raises(GateError, match="nothing remains of it"):
        back(desk)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({9: None}, "there is no line 9"),
        ({1: Decimal(99)}, "cannot be credited where"),
        ({1: Decimal(-1)}, "cannot be credited where"),
        ({1: Decimal(0)}, "cannot be credited where"),
        ({1: Decimal("0.001")}, "not in whole cents"),
    ],
)
def test_no_more_is_credited_than_remains(desk: Desk, lines: dict, why: str) -> None:
    before = money(desk), owed(desk)
    with pytest.raises(GateError, match=why):
        back(desk, lines)
    assert (money(desk), owed(desk)) == before


def test_what_is_billed_again_bears_the_value_added_tax_of_its_own_period(tmp_path: Path) -> None:
    old = replace(SALES_TAX, rule="vat", type="service_tax", rate=Decimal("0.20"), end=date(2026, 4, 16))
    vat = replace(old, rate=Decimal("0.25"), start=date(2026, 4, 16), end=None)
    desk = Desk(tmp_path, masters(ACME, taxes=(old, vat))).call("a", "10").commit()
    desk.bill()
    back(desk, rebill=True)
    desk.call("late", "1").call("b", "2", stop=datetime(2026, 4, 20, tzinfo=UTC)).commit().bill(MAY)
    credit(desk.lake, desk.ledger, "HCS-2026-000002", by="ann", reason="all of it", now=MAY)
    numbers = {row.invoice_sid: row.number for row in desk.ledger_rows(invoices)}
    taxes = [(numbers[t.invoice_sid], t.rule, str(t.amount)) for t in desk.ledger_rows(invoice_taxes)]
    assert sorted(taxes) == [
        ("HCS-2026-000001", "vat", "2.00"),
        ("HCS-2026-000002", "vat", "0.50"),
        ("HCS-2026-000002", "vat@2026-04-15", "2.20"),
        ("HCS-CN-2026-000001", "vat", "-2.00"),
        ("HCS-CN-2026-000002", "vat", "-0.50"),
        ("HCS-CN-2026-000002", "vat@2026-04-15", "-2.20"),
    ]
    assert owed(desk) == 0
    told = explain_part(desk.lake, desk.ledger, desk.masters, "HCS-2026-000002", "vat@2026-04-15")
    assert told is not None
    assert told.reasons == (
        "It is on lines 2 to 3, which sum to 11.00.",
        "20 % of 11.00 = 2.20.",
        "Rule vat of taxes.csv, state, service_tax, in force up to and without 2026-04-16: 20 %. Its lines are of "
        "earlier periods: the tax point of each is the last day of its own.",
        "Source: Texas Tax Code 151.0051",
    )


def test_a_credit_needs_an_issued_invoice_and_a_reason(desk: Desk) -> None:
    number = back(desk)
    for which in (number, "nonsense"):
        with pytest.raises(GateError, match="there is no issued invoice"):
            credit(desk.lake, desk.ledger, which, by="ann", reason="x", now=NOW)
    with pytest.raises(GateError, match="says why"):
        credit(desk.lake, desk.ledger, "HCS-2026-000001", by="ann", reason=" ", now=NOW)


def test_records_that_are_given_back_are_billed_again_as_they_are_rated_by_then(desk: Desk) -> None:
    back(desk, rebill=True)
    assert owed(desk) == 0
    desk.call("a", "8").commit()
    report = desk.bill(MAY)
    assert [str(b.amount) for b in report.invoices] == ["14.00"]
    claimed = desk.lake.query(
        "select dr_sid, sum(amount)::varchar as amount from invoice.claims group by 1 order by 1"
    )
    assert [(r["dr_sid"], Decimal(r["amount"])) for r in claimed] == [("a", 8), ("b", 5), ("c", 1)]
    assert desk.lake.query("from measure.statement_differences") == []
    with pytest.raises(GateError, match="nothing has been credited before"):
        back(desk, rebill=True)


def test_a_line_that_came_to_nothing_goes_back_with_the_others(desk: Desk) -> None:
    """Calls to a free number, say: the credit is no less for them, and their records are billed again too."""
    april = datetime(2026, 4, 15, 12, tzinfo=UTC)
    desk.call("d", "2", stop=april).call("e", "0", stop=april, item_type="toll_free").commit().bill(MAY)
    note = credit(desk.lake, desk.ledger, "HCS-2026-000002", by="ann", reason="x", now=MAY, rebill=True)
    lines = [row for row in desk.ledger_rows(invoice_items) if row.invoice_sid == note.invoice_sid]
    assert [(row.type, row.records, str(row.amount)) for row in lines] == [
        ("toll", 1, "-2.00"),
        ("toll_free", 1, "0.00"),
    ]
    assert desk.lake.query("from measure.statement_differences") == []


def said(desk: Desk, number: str) -> list[tuple[str, str]]:
    (sid,) = (row.invoice_sid for row in desk.ledger_rows(invoices) if row.number == number)
    rows = sorted(desk.ledger_rows(invoice_items), key=lambda row: row.line_no)
    return [(row.description, str(row.amount)) for row in rows if row.invoice_sid == sid]


def checked(desk: Desk) -> None:
    """What is claimed is claimed once, and everything sums."""
    for check in ("claimed_once", "claims_sum_to_items", "parts_sum_to_items", "items_sum_to_invoice"):
        assert desk.rows(shipped("sql", "check", f"{check}.sql").read_text()) == [], check
    assert desk.lake.query("from measure.statement_differences") == []


def test_what_rests_on_usage_goes_back_with_it_and_is_taken_anew(tmp_path: Path) -> None:
    """A percentage off usage, and what counted towards a minimum; a fixed amount off stays with its invoice."""
    terms = masters(
        discounts=(
            Discount("off", "Off", "acme", "USD", percent=Decimal(10), items=("toll",)),
            Discount("flat", "Flat", "acme", "USD", amount=Decimal(1), order=1),
        ),
        commitments=(Commitment("least", "Least", "acme", Decimal(20), "USD", ("toll",)),),
    )
    desk = Desk(tmp_path, terms).call("a", "10").commit()
    # 10 less 1.00 less 1.00 is 8 of 20.
    assert [str(b.amount) for b in desk.bill().invoices] == ["20.00"]
    assert said(desk, back(desk, rebill=True)) == [
        ("Credit: Outbound calls to DEU", "-10.00"),
        ("Credit: Off: 10 % off outbound calls abroad", "1.00"),
    ]
    checked(desk)
    desk.call("a", "30").commit().bill(MAY)
    # March: 30 less 3.00, less 1.00 on each of both invoices, is 25 of 20.
    assert said(desk, "HCS-2026-000002") == [
        ("Correction of outbound calls to DEU", "30.00"),
        ("Off: 10 % off outbound calls abroad", "-3.00"),
        ("Flat: off outbound calls abroad", "-1.00"),
        ("Least: minimum of 20.00, 0.00 reached", "20.00"),
        ("Least: given back, minimum of 20.00, 25.00 reached", "-12.00"),
    ]
    checked(desk)


def test_a_percentage_off_a_credited_line_stays_and_is_told(tmp_path: Path) -> None:
    """Its part of what went back; crediting that too gives back what was paid, to the cent."""
    off = Discount("off", "Off", "acme", "USD", percent=Decimal(10), items=("toll",))
    flat = Discount("flat", "Flat", "acme", "USD", amount=Decimal(1), order=1)
    desk = Desk(tmp_path, masters(discounts=(off, flat))).call("a", "10").commit()
    desk.bill()

    def told() -> list[tuple[str, int, str, str]]:
        note = max(desk.ledger_rows(invoices), key=lambda row: row.number.partition("-CN-")[2])
        left = discounts_left(desk.lake, desk.ledger, note.invoice_sid)
        return [(number, line, text, str(amount)) for number, line, text, amount in left]

    back(desk, {1: Decimal("2.55")})
    assert told() == [("HCS-2026-000001", 2, "Off: 10 % off outbound calls abroad", "-0.26")]
    back(desk, {1: None})
    assert told() == [("HCS-2026-000001", 2, "Off: 10 % off outbound calls abroad", "-0.75")]
    back(desk, {2: Decimal("-1.00")})
    assert told() == []


def test_records_that_later_invoices_corrected_go_back_with_those_first(desk: Desk) -> None:
    desk.call("a", "7", revision=2).commit().bill(MAY)
    with pytest.raises(GateError, match=r"corrected on HCS-2026-000002\. Give those back before"):
        back(desk, rebill=True)
    credit(desk.lake, desk.ledger, "HCS-2026-000002", by="ann", reason="x", now=MAY, rebill=True)
    back(desk, rebill=True)
    checked(desk)
    desk.call("a", "6", revision=2).commit().bill(JUNE)
    claimed = desk.rows("select dr_sid, sum(amount) from invoice.claims group by 1 order by 1")
    assert claimed == [("a", 6), ("b", 5), ("c", 1)]
    checked(desk)


def test_a_correction_alone_is_given_back_and_made_again(desk: Desk) -> None:
    desk.call("a", "7", revision=2).commit().bill(MAY)
    credit(desk.lake, desk.ledger, "HCS-2026-000002", by="ann", reason="x", now=MAY, rebill=True)
    desk.call("a", "6", revision=2).commit()
    assert [str(b.amount) for b in desk.bill(JUNE).invoices] == ["-4.00"]
    checked(desk)


def test_an_invoice_whose_usage_came_to_nothing_is_given_back_too(tmp_path: Path) -> None:
    """Wrongly free, say: there is no money to credit, and its records are billed again all the same."""
    desk = Desk(tmp_path).call("a", "0").call("b", "0", billed_seconds=Decimal(0)).commit()
    desk.bill()
    assert money(desk) == [("HCS-2026-000001", "complete", "0.00", "0.00")]
    back(desk, rebill=True)
    desk.call("a", "3").commit()
    assert [str(b.amount) for b in desk.bill(MAY).invoices] == ["3.00"]
    assert desk.bill(JUNE).invoices == ()
    checked(desk)


def test_only_what_has_records_is_billed_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, masters(charges=(Charge("seat", "Seat", "acme", Decimal(9), "USD"),))).commit()
    desk.bill()
    with pytest.raises(GateError, match="has no usage"):
        back(desk, rebill=True)


def test_claiming_a_record_twice_is_seen(desk: Desk) -> None:
    """Also where it had become free in between: then it may be claimed once more, and no more than that."""
    once = shipped("sql", "check", "claimed_once.sql").read_text()
    desk.call("a", "0", revision=2, billed_seconds=Decimal(0)).commit().bill(MAY)
    desk.call("a", "9", revision=2).commit().bill(JUNE)
    checked(desk)
    (claim,) = desk.lake.query("from invoice.claims where dr_sid = 'a' and amount = 9")
    desk.put("invoice/claims", [claim], "again")
    assert desk.rows(once) == [("call", "carrierx", "a", 2, "charge", "acme", 3, 0)]


def test_the_statement_adds_up_with_credited_money(desk: Desk) -> None:
    back(desk, {1: Decimal("0.50")})
    assert desk.lake.query("from measure.statement_differences") == []


def test_a_credit_shows_on_the_next_invoice_like_a_payment(desk: Desk) -> None:
    desk.call("d", "2", stop=datetime(2026, 4, 15, 12, tzinfo=UTC)).commit()
    back(desk)
    desk.bill(MAY)
    latest = max(desk.ledger_rows(invoices), key=lambda row: row.period_end)
    assert (str(latest.balance_previous), str(latest.payments)) == ("22.31", "22.31")


cents = st.integers(-10_000, 10_000).map(lambda n: to_minor(Decimal(n) / 100, "USD"))
rates = st.decimals(0, 1, places=4)


IN_PARTS = 8  # after so many credits each line is given back whole


@settings(max_examples=150, deadline=None)
@given(st.lists(cents.filter(bool), min_size=1, max_size=6), st.lists(rates, max_size=3), st.data())
def test_credits_and_what_remains_always_equal_the_invoice(
    amounts: list[Decimal], shares: list[Decimal], data: st.DataObject
) -> None:
    lines = dict(enumerate(amounts, start=1))
    taxes: list[TaxItem] = []
    for n, rate in enumerate(shares):
        on = tuple(f"r{m}" for m in range(n))
        whole = sum(lines.values(), Decimal(0)) + sum((t.amount for t in taxes), Decimal(0))
        amount = to_minor(multiply(rate, whole), "USD")
        taxes.append(TaxItem(f"r{n}", "T", "state", "t", whole, rate, amount, "", lines=tuple(lines), on=on))
    left, tax_left = dict(lines), [t.amount for t in taxes]
    credited = Decimal(0)
    for turn in itertools.count():
        if not (open_lines := [n for n, amount in left.items() if amount]):
            break
        number = data.draw(st.sampled_from(open_lines))
        most = left[number]
        whole = int(abs(most) * 100)
        part = data.draw(st.integers(1, whole)) if turn < IN_PARTS else whole
        amount = to_minor(Decimal(part) / 100, "USD").copy_sign(most)
        after = after_credit(left, {number: amount}, "USD")
        taxes_after = tax_remaining(taxes, tax_left, after, "USD")
        credited += amount + sum(tax_left, Decimal(0)) - sum(taxes_after, Decimal(0))
        left, tax_left = after, taxes_after
    assert not any(tax_left)
    assert credited == sum(lines.values(), Decimal(0)) + sum((t.amount for t in taxes), Decimal(0))

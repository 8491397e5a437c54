"""Any amount of an invoice is followed back to what made it, and every step adds up to what is on the page."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.allowances import Bundle, Scope
from pipeline.domain.charges import Charge, Commitment, Discount, PerUse
from pipeline.domain.did_prices import DidPrice
from pipeline.domain.invoice import TaxItem
from pipeline.domain.money import add, multiply, to_minor
from pipeline.errors import GateError
from pipeline.invoice.adjustments import WHATIF, Adjustment, Batch, adjust, post
from pipeline.invoice.credit import credit
from pipeline.invoice.due import accounts
from pipeline.invoice.explain import LineExplained, TaxExplained, explain_invoice, explain_part
from pipeline.invoice.explainlines import NOTHING, NUMBERS, USES, Said, line_reasons
from pipeline.invoice.explaintaxes import lines_in_words, tax_in_short, tax_reasons
from pipeline.ledger.schema import invoices
from tests.fixtures.billing import ACME, NOON, NOW, ROOT, SALES_TAX, Desk, masters

APRIL = datetime(2026, 4, 10, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
MINE = {"partner_sid": "acme", "currency": "USD"}
# A share of calls, a tax on that tax too, an amount for each line, and bounds on both sides.
FUND = replace(
    SALES_TAX,
    rule="fund",
    name="Fund",
    rate=Decimal("0.376"),
    share=Decimal("0.649"),
    items=("toll",),
    order=1,
)
TAX = replace(SALES_TAX, on=("fund",), order=2, start=date(2026, 1, 1), end=date(2027, 1, 1))
LINES = replace(SALES_TAX, rule="lines", name="Line fee", rate=Decimal("0.25"), per="line", order=3)
LEAST = replace(SALES_TAX, rule="least", name="Least", minimum=Decimal(9), order=4)
MOST = replace(SALES_TAX, rule="most", name="Most", maximum=Decimal("0.5"), order=5)
HELD = masters(
    ACME,
    taxes=(FUND, TAX, LINES, LEAST, MOST),
    bundles=(Bundle("free", "Start", "acme", Scope("call", countries=("FRA",)), Decimal(30)),),
    charges=(Charge("seat", "Seat", amount=Decimal("9.5"), billed="arrears", quantity=2, **MINE),),
    discounts=(Discount("loyal", "Loyalty", percent=Decimal(5), items=("sms",), **MINE),),
    commitments=(Commitment("least", "Minimum", amount=Decimal(40), start=date(2026, 3, 16), **MINE),),
)
RATE: dict[str, Any] = {"rate_price": Decimal(10), "unit_seconds": Decimal(60), "matched_prefix": "49"}
FIRST, NOTE, REBILL, SECOND = (
    f"HCS-{n}" for n in ("2026-000001", "CN-2026-000001", "CN-2026-000002", "2026-000002")
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """March billed; one line credited in two notes; then April, with a changed record and an adjustment."""
    desk = Desk(tmp_path_factory.mktemp("explained"), HELD)
    desk.call("a", "10", **RATE).call("b", "5", country_code="FRA", **RATE | {"rate_price": Decimal(5)})
    desk.call("steps", "0.123456", **RATE).message("c", "1", rate_price=Decimal(1)).commit().bill()
    for amount in ("1.50", "0.62"):
        credit(desk.lake, desk.ledger, FIRST, {1: Decimal(amount)}, by="ann", reason="wrong deck", now=NOW)
    held = accounts(desk.masters, ROOT)
    adjust(
        desk.lake,
        desk.ledger,
        held,
        FIRST,
        Decimal(-3),
        reason="goodwill",
        by="bob",
        now=NOW,
        taxed_as="toll",
    )
    rerated(desk)
    desk.call("a", "8", revision=2, **RATE | {"rate_price": Decimal(8)}).call("d", "2", stop=APRIL).commit()
    desk.bill(MAY)
    return desk


def rerated(desk: Desk) -> None:
    """What a committed what-if leaves: a decision, a line that waits, and the record behind it."""
    (sid,) = {row.invoice_sid for row in desk.ledger_rows(invoices) if row.number == FIRST}
    posted = {"of_invoice_sid": sid, "of_line_no": 2, "records": 1, "amount": Decimal("-0.75")}
    with desk.ledger.transaction() as tx:
        batch = Batch("whatif-1", WHATIF, "bob", NOW, "the deck of May")
        post(tx, batch, [Adjustment("acme", "house", "USD", "Corrected: calls to FRA", **posted)])
    record = {"batch_sid": "whatif-1", "service": "call", "source": "carrierx", "dr_sid": "b", "revision": 1}
    record |= {
        "payer_sid": "acme",
        "payee_sid": ROOT,
        "date_stop": NOON,
        "of_invoice_sid": sid,
        "of_line_no": 2,
    }
    record |= {"plan_sid": "may", "plan_version": "v2", "usage": 0, "drawn": Decimal("0.25")}
    desk.put("invoice/adjusted", [record | {"amount": Decimal("-0.75")}])


def line(desk: Desk, name: str, starts: str) -> LineExplained:
    invoice = explain_invoice(desk.ledger, desk.masters, name)
    assert invoice is not None
    number = next(i["line_no"] for i in invoice.items if i["description"].startswith(starts))
    found = explain_part(desk.lake, desk.ledger, desk.masters, name, str(number))
    assert isinstance(found, LineExplained)
    return found


def tax(desk: Desk, name: str, rule: str) -> TaxExplained:
    found = explain_part(desk.lake, desk.ledger, desk.masters, name, rule)
    assert isinstance(found, TaxExplained)
    return found


SAID = {
    "records, one of which has more to it than a price": (
        (FIRST, "Outbound calls to DEU"),
        "Plan retail version v1: price x billed / 60 s; prefix is the row that matched.",
        "1 record comes to another amount than price x billed: windows, steps, a least or most charge, or its plan's "
        "rounding. `tollbook explain RECORD` tells each step.",
        "1 changed or rated anew since: the price that was billed is not shown. `tollbook explain RECORD` tells what "
        "it costs by now.",
        "The 2 amounts sum to 10.123456, rounded half-up once: 10.12 USD.",
    ),
    "records that draw on a bundle": (
        (FIRST, "Outbound calls to FRA"),
        "Plan retail version v1: price x billed / 60 s; prefix is the row that matched.",
        "Drawn is what bundle free, Start changed, -2.50 in all; 30 of what is billed are included. Amount is after "
        "that.",
        "That is 2.50 USD.",
    ),
    "messages": (
        (FIRST, "SMS sent"),
        "Plan retail version v1: price x segments x recipients.",
        "That is 1.00 USD.",
    ),
    "a charge": (
        (FIRST, "Seat"),
        "Rule seat of charges.csv, in force always.",
        "2 x 9.50 = 19.00.",
        "That is 19.00 USD.",
    ),
    "a discount": (
        (FIRST, "Loyalty"),
        "Rule loyal of discounts.csv, in force always.",
        "Off is 5 % of the line's amount.",
        "That is -0.05 USD.",
    ),
    "a commitment for a part of the period": (
        (SECOND, "Minimum"),
        "Rule least of commitments.csv, in force from 2026-03-16.",
        "For 2026-04-01 to 2026-04-30 at least 40.00 is due.",
        "The lines that count towards it come to 21.00.",
        "The 3 amounts sum to 19.00 USD.",
    ),
    "a record that changed": (
        (SECOND, "Correction of outbound calls to DEU"),
        "It is for 2026-03-01 to 2026-03-31, which is over.",
        "The provider changed these records after they had been billed. Each is billed by the difference: before is "
        "what had been billed for it, now is what it costs as changed, amount is now - before. `tollbook explain "
        "RECORD` tells how it comes to now.",
        "That is -2.00 USD.",
    ),
    "an adjustment": (
        (SECOND, "Adjustment to"),
        "Decided by bob on 2026-04-03: goodwill (manual-1)",
        f"It corrects {FIRST}.",
        "It bears the taxes of toll.",
        "That is -3.00 USD.",
    ),
    "records that were rated anew": (
        (SECOND, "Corrected"),
        "Decided by bob on 2026-04-03: the deck of May (whatif-1)",
        f"It corrects {FIRST}/2.",
        "It bears the taxes of an adjustment.",
        "Each record was rated anew on may version v2; amount is now - before, which is all that had been billed for "
        "it, drawn the part of it that bundles and tiers make.",
        "That is -0.75 USD.",
    ),
    "a part of a line that is credited": (
        (REBILL, "Credit"),
        f"It credits {FIRST}/1, Outbound calls to DEU, which was 10.12.",
        "Decided by ann on 2026-04-03: wrong deck",
        f"{NOTE} had taken back 1.50 before.",
        "This note takes back 0.62: 10.12 - 1.50 - 0.62 = 8.00 USD remains of the line.",
        "It is money alone: what was used stays billed, and is not billed again.",
    ),
}


@pytest.mark.parametrize(("which", "said"), [(x[0], x[1:]) for x in SAID.values()], ids=SAID)
def test_a_line_tells_every_step(desk: Desk, which: tuple[str, str], said: tuple[str, ...]) -> None:
    assert line(desk, *which).reasons == said


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_what_is_behind_each_line_comes_to_it(desk: Desk, name: str) -> None:
    invoice = explain_invoice(desk.ledger, desk.masters, name)
    assert invoice is not None
    for item in invoice.items:
        found = explain_part(desk.lake, desk.ledger, desk.masters, name, str(item["line_no"]))
        assert isinstance(found, LineExplained)
        behind = [row["amount"] for row in (*found.records, *found.parts)] or [item["amount_exact"]]
        assert to_minor(add(behind), "USD") == item["amount"]


def test_a_changed_record_tells_before_and_after(desk: Desk) -> None:
    (record,) = line(desk, SECOND, "Correction").records
    assert (record["dr_sid"], record["revision"], record["before"], record["amount"]) == ("a", 2, 10, -2)


def test_records_that_were_given_back_are_told_as_billed_whole(tmp_path: Path) -> None:
    desk = Desk(tmp_path).call("a", "10", **RATE).commit()
    desk.bill()
    credit(
        desk.lake,
        desk.ledger,
        FIRST,
        by="ann",
        reason="wrong deck",
        now=NOW + timedelta(hours=1),
        rebill=True,
    )
    desk.bill(MAY)
    found = line(desk, SECOND, "Correction")
    assert [(r["before"], r["amount"]) for r in found.records] == [(0, 10)]
    assert found.reasons[1:] == (
        "Of 1 nothing stood billed any more: a credit note had given them back, or they had cost nothing. They are "
        "billed whole, as they are rated by now.",
        "That is 10.00 USD.",
    )
    assert line(desk, NOTE, "Credit").reasons[-1] == (
        "Its records are given back: the next invoice takes them anew, as they are rated by then."
    )
    assert [r["changed"] for r in line(desk, FIRST, "Outbound").records] == [False]


def test_a_record_that_was_rated_anew_tells_before_and_after(desk: Desk) -> None:
    (record,) = line(desk, SECOND, "Corrected").records
    assert (record["dr_sid"], record["before"], record["amount"]) == ("b", Decimal("2.5"), Decimal("-0.75"))


def test_a_credit_shows_the_line_and_the_records_that_it_is_of(desk: Desk) -> None:
    note = explain_invoice(desk.ledger, desk.masters, NOTE)
    credited = line(desk, NOTE, "Credit").credits
    assert note is not None
    assert credited is not None
    assert note.reasons[1:] == (
        f"It takes back of {FIRST}, issued on 2026-04-03.",
        "Decided by ann on 2026-04-03: wrong deck",
    )
    assert (credited.name, [r["dr_sid"] for r in credited.records]) == (f"{FIRST}/1", ["a", "steps"])


TAXES = {
    "fund": (
        "It is on lines 1 to 2, which sum to 12.62.",
        "Only a share of that is taxed: 64.9 % of 12.62 = 8.19038.",
        "37.6 % of 8.19038 = 3.07958288, rounded half-up once to 3.08.",
        "Rule fund of taxes.csv, state, sales_tax, in force always: 37.6 %. The tax point is 2026-03-31, the period's "
        "last day.",
    ),
    "us-tx-sales": (
        "It is on lines 1 to 5, which sum to 32.57.",
        "It also taxes other taxes: 3.08 (fund). Together 35.65.",
        "6.25 % of 35.65 = 2.228125, rounded half-up once to 2.23.",
        "Rule us-tx-sales of taxes.csv, state, sales_tax, in force from 2026-01-01 up to and without 2027-01-01: "
        "6.25 %. The tax point is 2026-03-31, the period's last day.",
    ),
    "lines": (
        "It is due per line; lines 1 to 5 count as 4.",
        "4 x 0.25 = 1.00.",
        "Rule lines of taxes.csv, state, sales_tax, in force always: 0.25 per line. The tax point is 2026-03-31, the "
        "period's last day.",
    ),
    "least": (
        "It is on lines 1 to 5, which sum to 32.57.",
        "6.25 % of 32.57 = 2.035625; 9.00 is the least that is due.",
        "Rule least of taxes.csv, state, sales_tax, in force always: 6.25 %, at least 9.00 an invoice. The tax point "
        "is 2026-03-31, the period's last day.",
    ),
    "most": (
        "It is on lines 1 to 5, which sum to 32.57.",
        "6.25 % of 32.57 = 2.035625; 0.50 is the most that is due.",
        "Rule most of taxes.csv, state, sales_tax, in force always: 6.25 %, at most 0.50 an invoice. The tax point is "
        "2026-03-31, the period's last day.",
    ),
}


@pytest.mark.parametrize(("rule", "said"), TAXES.items(), ids=TAXES)
def test_a_tax_tells_every_step(desk: Desk, rule: str, said: tuple[str, ...]) -> None:
    assert tax(desk, FIRST, rule).reasons == (*said, "Source: Texas Tax Code 151.0051")


def test_a_share_of_the_lines_comes_to_the_cent(desk: Desk) -> None:
    found = tax(desk, FIRST, "fund")
    lines = add(item["amount"] for item in found.lines)
    assert to_minor(multiply(lines, found.tax.share, found.tax.rate), "USD") == found.tax.amount
    assert found.short == "37.6 % of 8.19038 (64.9 % of 12.62) = 3.08"


CREDITED = {
    "fund": (
        f"{FIRST} has it on lines 1 to 2: 37.6 % of 8.19038 = 3.08.",
        "Before this note 11.12 of those lines stood, and 2.71 of the tax.",
        "What remains is taxed as a whole: 37.6 % of 6.8145 (64.9 % of 10.50) = 2.562252, rounded half-up once to "
        "2.56.",
        "So 2.71 - 2.56 = 0.15 goes back.",
    ),
    "us-tx-sales": (
        f"{FIRST} has it on lines 1 to 5: 6.25 % of 35.65 = 2.23.",
        "Before this note 31.07 of those lines stood, and 2.11 of the tax.",
        "What remains is taxed as a whole: 6.25 % of 33.01 + 2.56 of fund = 2.063125, rounded half-up once to 2.06.",
        "So 2.11 - 2.06 = 0.05 goes back.",
    ),
}


@pytest.mark.parametrize(("rule", "said"), CREDITED.items(), ids=CREDITED)
def test_a_tax_that_goes_back_tells_what_remains(desk: Desk, rule: str, said: tuple[str, ...]) -> None:
    assert tax(desk, REBILL, rule).reasons == (*said, "Source: Texas Tax Code 151.0051")


def test_what_there_is_not_says_what_to_write(desk: Desk) -> None:
    assert explain_invoice(desk.ledger, desk.masters, "HCS-1") is None
    with pytest.raises(GateError, match=r"neither a line nor a tax '77'\. Write a line as INVOICE/3"):
        explain_part(desk.lake, desk.ledger, desk.masters, FIRST, "77")


# base, rate, per, amount, method, share -> what is said
SHORT = [
    ("3.28", "0.376", "", "1.23", "percent", "1", "37.6 % of 3.28 = 1.23"),
    ("1.64", "0.376", "", "0.62", "percent", "0.5", "37.6 % of 1.64 (50 % of 3.28) = 0.62"),
    ("3", "0.75", "number", "2.25", "fixed", "1", "3 x 0.75 per number = 2.25"),
    ("3.28", "0.10", "", "5.00", "minimum", "1", "5.00, the least that is due; 10 % of 3.28 = 0.328"),
    ("99", "0.10", "", "5.00", "maximum", "1", "5.00, the most that is due; 10 % of 99.00 = 9.90"),
    ("99", "0", "", "0.00", "reverse_charge", "1", "0 % of 99.00 = 0.00, the recipient owes it"),
    ("-2.69", "0.376", "", "-1.01", "credit_note", "1", "1.01 goes back, of what was taken on 2.69"),
]


def item(base: str, rate: str, per: str, amount: str, method: str, share: str) -> TaxItem:
    return TaxItem(
        *(
            "us-fund",
            "Fund",
            "federal",
            "fund",
            Decimal(base),
            Decimal(rate),
            Decimal(amount),
            "the law",
            method,
        ),
        *(per, (1,), (), Decimal(share)),
    )


@pytest.mark.parametrize("case", SHORT, ids=[x[-1] for x in SHORT])
def test_how_a_tax_was_found_in_short(case: tuple[str, ...]) -> None:
    assert tax_in_short(item(*case[:-1]), [{"amount": Decimal("3.28")}]) == case[-1]


def test_a_rule_that_has_changed_since_is_not_told_as_that_of_the_invoice() -> None:
    changed = replace(SALES_TAX, rule="us-fund", rate=Decimal("0.40"), legal_source="the law")
    found = tax_reasons(
        item(*SHORT[0][:-1]), (), {1: {"amount": Decimal("3.28")}}, [changed], date(2026, 3, 31)
    )
    assert found[2] == (
        "Rule us-fund, federal, fund, on 2026-03-31, the tax point. taxes.csv has no such row (changed since, or "
        "another tax engine answered): these figures are the invoice's own."
    )


@pytest.mark.parametrize(
    ("numbers", "said"),
    [((2,), "line 2"), ((1, 2, 3), "lines 1 to 3"), ((1, 3, 4, 9), "lines 1, 3 to 4, 9")],
    ids=["one", "a run", "several"],
)
def test_lines_in_words(numbers: tuple[int, ...], said: str) -> None:
    assert lines_in_words(numbers) == said


def about(amount: str, detail: dict[str, Any], customer: dict[str, Any] | None = None, **more: Any) -> Said:
    days = (date(2026, 3, 1), date(2026, 3, 31))
    value = Decimal(amount)
    return Said(
        {"amount": value, "amount_exact": value, "detail": detail},
        "USD",
        {"partner_sid": "acme"} | (customer or {}),
        days,
        days,
        late=False,
        masters=masters(ACME, **more),
    )


NUMBER = [{"price": Decimal("1.25"), "amount": Decimal("1.25")}]
RENT = {
    "the price list": (
        {},
        {"did_prices": (DidPrice("*", "1", "USD", ((0, Decimal("1.25")),)),)},
        "did_prices.csv",
    ),
    "the customer": ({"did_price": "1.25"}, {}, "the customer's did_price in customers.csv"),
    "the provider": ({"did_price": None}, {}, "the provider's own price for them"),
}


@pytest.mark.parametrize(("customer", "more", "said"), RENT.values(), ids=RENT)
def test_rent_says_whose_price_it_is(customer: dict[str, Any], more: dict[str, Any], said: str) -> None:
    found = line_reasons(NUMBERS, about("1.25", {"rent": "advance"}, customer, **more), NUMBER)
    assert said in found[0]
    assert found[-1] == "That is 1.25 USD."


def test_uses_name_their_row() -> None:
    price = PerUse("lrn", "Lookups", "acme", "did_lookup_lrn", Decimal("0.01"), "USD", "lookups")
    found = line_reasons(
        USES, about("0.02", {"per_use": "lrn"}, per_use=(price,)), [{"amount": Decimal("0.01")}] * 2
    )
    assert found == (
        "Rule lrn of per_use.csv, in force always.",
        "Each use costs quantity x price.",
        "The 2 amounts sum to 0.02 USD.",
    )


def test_what_is_missing_behind_a_line_is_said() -> None:
    assert (
        "something is missing"
        in line_reasons(USES, about("0.02", {"per_use": "x"}), [{"amount": Decimal(1)}])[-1]
    )
    assert line_reasons(NOTHING, about("0.02", {}), ()) == (
        "Neither records nor parts of it are kept; the ledger has 0.02.",
    )

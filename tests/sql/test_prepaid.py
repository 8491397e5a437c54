"""What a prepaid customer has left: its credit less what waits and what is drafted, and the advice that follows."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.invoice.payments import pay
from tests.fixtures.billing import ACME, NOW, Desk, masters

APRIL = datetime(2026, 4, 15, 12, tzinfo=UTC)


def prepaid(home: Path, *, credit: str, approval: str = "automatic", payment_type: str = "prepay") -> Desk:
    """Acme has this credit; a march of 10 is billed, then 5 of April wait."""
    customer = replace(ACME, opening_balance=-Decimal(credit), approval=approval)
    desk = Desk(home, masters(customer)).call("a", "10").commit()
    desk.bill()
    desk.call("b", "5", stop=APRIL).commit()
    return with_partner(desk, payment_type)


def with_partner(desk: Desk, payment_type: str = "prepay") -> Desk:
    partner = {"partner_sid": "acme", "company_name": "Acme", "payment_type": payment_type, "valid_from": NOW}
    return desk.put("land/partners", [partner | {"charge_at": Decimal(20), "prepay_amount": Decimal(100)}])


def standing(desk: Desk) -> list[tuple]:
    query = "select credit, available, advice, top_up from measure.prepaid"
    return [
        tuple(f"{value.normalize():f}" if isinstance(value, Decimal) else value for value in row)
        for row in desk.rows(query)
    ]


# the credit before March's 10 and April's 5 -> (credit, available, advice, top_up)
CASES = {
    "enough": ("100", ("90", "85", "ok", None)),
    "just above the line": ("35.01", ("25.01", "20.01", "ok", None)),
    "on the line": ("35", ("25", "20", "low", "100")),
    "nothing left": ("15", ("5", "0", "suspend", "100")),
    "overdrawn": ("1", ("-9", "-14", "suspend", "100")),
}


@pytest.mark.parametrize("approval", ["automatic", "manual"])
@pytest.mark.parametrize(("credit", "wanted"), CASES.values(), ids=CASES)
def test_what_is_left(tmp_path: Path, credit: str, wanted: tuple, approval: str) -> None:
    desk = prepaid(tmp_path, credit=credit, approval=approval)
    # A draft is not booked, and counts all the same.
    booked = wanted[0] if approval == "automatic" else credit
    assert standing(desk) == [(booked, *wanted[1:])]


def test_money_that_comes_in_ends_the_alarm(tmp_path: Path) -> None:
    desk = prepaid(tmp_path, credit="15")
    pay(desk.lake, desk.ledger, "acme", Decimal(100), by="ann", now=NOW)
    assert standing(desk) == [("105", "100", "ok", None)]


@pytest.mark.parametrize(
    ("used", "wanted"),
    [([], ("0", "0", "ok", None)), (["5"], ("0", "-5", "suspend", "100"))],
    ids=["nothing", "something"],
)
def test_without_a_payment_it_is_used_up_once_something_is_used(
    tmp_path: Path, used: list[str], wanted: tuple
) -> None:
    desk = Desk(tmp_path, masters(ACME))
    for amount in used:
        desk.call("a", amount, stop=APRIL)
    desk.commit().bill()
    assert standing(with_partner(desk)) == [wanted]


def test_a_customer_that_pays_later_is_not_here(tmp_path: Path) -> None:
    assert standing(prepaid(tmp_path, credit="1", payment_type="postpay")) == []

"""What an invoice waits for a person for, and how that person lets it through."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import GateError
from pipeline.invoice.bounds import allow
from pipeline.ledger.schema import decisions, parked
from pipeline.masters.model import Bounds, Policy
from tests.fixtures.billing import ACME, HOUSE, NOW, Desk, masters

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
APRIL = datetime(2026, 4, 15, 12, tzinfo=UTC)


def bounded(**bounds: object) -> Policy:
    return Policy(bounds=replace(Bounds(), **bounds))


def two_months(home: Path, first: str, second: str, **bounds: object) -> Desk:
    """Acme's March is issued; April is rated and waits."""
    desk = Desk(home, masters(policy=bounded(**bounds))).call("a", first).commit()
    assert len(desk.bill().issued) == 1
    return desk.call("b", second, stop=APRIL).commit()


def reason(desk: Desk) -> str:
    return "; ".join(row.reason for row in desk.ledger_rows(parked))


def code_in(text: str) -> str:
    return text.partition("`tollbook allow ")[2].split()[0]


# March, April, the least that counts as usual -> is April asked about?
AMOUNTS = {
    "as usual": ("200", "210", 100, False),
    # March has 743 hours in New York and April 720: ten times 200 is 1938.09 there
    "just within": ("200", "1938.08", 100, False),
    "just beyond": ("200", "1938.09", 100, True),
    "small amounts may grow": ("1", "999", 100, False),
    "but not beyond the least times the factor": ("1", "1001", 100, True),
}


@pytest.mark.parametrize(("first", "second", "least", "asked"), AMOUNTS.values(), ids=AMOUNTS)
def test_many_times_the_usual_waits(tmp_path: Path, first: str, second: str, least: int, asked: bool) -> None:
    desk = two_months(tmp_path, first, second, usual_least=least)
    report = desk.bill(MAY)
    assert (len(report.parked), len(report.invoices)) == ((1, 0) if asked else (0, 1))


def test_a_factor_of_0_asks_about_nothing(tmp_path: Path) -> None:
    assert two_months(tmp_path, "1", "99999", usual_factor=0).bill(MAY).parked == ()


def test_a_first_invoice_has_no_usual(tmp_path: Path) -> None:
    assert Desk(tmp_path).call("a", "99999").commit().bill().parked == ()


def test_a_short_first_period_is_taken_by_its_length(tmp_path: Path) -> None:
    acme = replace(ACME, bill_from=datetime(2026, 3, 30, tzinfo=UTC).date())
    last_days = datetime(2026, 3, 31, 12, tzinfo=UTC)
    desk = Desk(tmp_path, masters(acme)).call("a", "100", stop=last_days).commit()
    desk.bill()
    assert desk.call("b", "1500", stop=APRIL).commit().bill(MAY).parked == ()


def test_the_reason_says_what_is_usual_and_how_to_go_on(tmp_path: Path) -> None:
    desk = two_months(tmp_path, "310", "5000")
    desk.bill(MAY)
    assert reason(desk).startswith(
        "5000.00 USD before taxes is more than 10 times what is usual (300.40 USD, from the last 1): "
        "if that is right, `tollbook allow "
    )


def test_a_person_lets_it_through_on_record(tmp_path: Path) -> None:
    desk = two_months(tmp_path, "200", "5000")
    desk.bill(MAY)
    code = code_in(reason(desk))
    assert allow(desk.ledger, code, by="ann", reason="a trade fair", now=MAY) == "acme"
    (billed,) = desk.bill(MAY).issued
    assert (str(billed.amount), desk.ledger_rows(parked)) == ("5000.00", [])
    assert [(d.by, d.what, d.subject, d.reason) for d in desk.ledger_rows(decisions)] == [
        ("ann", "allow", code, "a trade fair")
    ]


def test_what_has_changed_since_is_asked_about_again(tmp_path: Path) -> None:
    desk = two_months(tmp_path, "200", "5000")
    desk.bill(MAY)
    allow(desk.ledger, code_in(reason(desk)), by="ann", reason="a trade fair", now=MAY)
    desk.call("c", "1", stop=APRIL).commit()
    assert len(desk.bill(MAY).parked) == 1


def test_too_many_lines_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path, masters(policy=bounded(most_lines=2)))
    for country in ("DEU", "FRA", "ITA"):
        desk.call(country, country_code=country)
    assert "it has 3 lines, and 2 are the most" in desk.commit().bill().parked[0].reason


def test_a_customer_with_a_new_seller_is_not_billed_twice_for_a_period(tmp_path: Path) -> None:
    desk = Desk(tmp_path).call("a").commit()
    desk.bill()
    other = replace(HOUSE, key="other", series="OTH")
    moved = masters(replace(ACME, seller="other"), sellers={"house": HOUSE, "other": other})
    desk.call("late", "1").commit()
    (waiting,) = desk.bill(masters=moved).parked
    assert "HCS-2026-000001 of seller house is for this period already" in waiting.reason


@pytest.mark.parametrize(
    ("code", "why", "told"),
    [("0123456789ab", "fair", "no customer is parked"), ("", " ", "says why")],
    ids=["unknown code", "no reason"],
)
def test_nothing_is_let_through_by_accident(tmp_path: Path, code: str, why: str, told: str) -> None:
    desk = two_months(tmp_path, "200", "5000")
    desk.bill(MAY)
    with pytest.raises(GateError, match=told):
        allow(desk.ledger, code or code_in(reason(desk)), by="ann", reason=why, now=NOW)
    assert desk.ledger_rows(decisions) == []

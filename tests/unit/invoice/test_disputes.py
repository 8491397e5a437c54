"""What a customer contests stays owed until somebody decides, and is decided once."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import GateError
from pipeline.invoice.disputes import open_dispute, settle_dispute
from pipeline.ledger.schema import decisions, disputes, invoices
from tests.fixtures.billing import NOW, Desk

NUMBER = "HCS-2026-000001"


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("billed")).call("a", "10").call("b", "5", country_code="FRA").commit()
    desk.bill()
    return desk


@pytest.fixture
def desk(billed: Desk, tmp_path: Path) -> Desk:
    return billed.copied(tmp_path)


def contest(desk: Desk, lines: dict | None = None) -> str:
    return open_dispute(
        desk.lake, desk.ledger, NUMBER, lines, by="ann", reason="never called", now=NOW
    ).dispute_sid


def decide(desk: Desk, sid: str, *, credited: bool) -> object:
    return settle_dispute(desk.lake, desk.ledger, sid, by="bob", reason="looked", now=NOW, credited=credited)


def open_amounts(desk: Desk) -> list[tuple]:
    rows = desk.lake.query(
        "select open_amount::varchar as owed, contested::varchar as contested from invoice.ageing"
    )
    return [(row["owed"], row["contested"]) for row in rows]


def test_a_contested_amount_stays_owed_and_is_shown_apart(desk: Desk) -> None:
    contest(desk, {1: Decimal("2.50")})
    assert open_amounts(desk) == [("15.00", "2.50")]


def test_a_dispute_ends_with_a_credit_note(desk: Desk) -> None:
    note = decide(desk, contest(desk, {1: Decimal("2.50")}), credited=True)
    assert note.number == "HCS-CN-2026-000001"
    assert open_amounts(desk) == [("12.50", "0.00")]
    (dispute,) = desk.ledger_rows(disputes)
    assert (dispute.status, dispute.settled_by, dispute.credit_sid) == ("credited", "bob", note.invoice_sid)


def test_a_dispute_is_rejected_on_record(desk: Desk) -> None:
    assert decide(desk, contest(desk), credited=False) is None
    assert open_amounts(desk) == [("15.00", "0.00")]
    assert [(d.by, d.what) for d in desk.ledger_rows(decisions)] == [
        ("ann", "dispute"),
        ("bob", "dispute rejected"),
    ]
    assert len(desk.ledger_rows(invoices)) == 1


def test_a_dispute_is_decided_once(desk: Desk) -> None:
    sid = contest(desk)
    decide(desk, sid, credited=False)
    with pytest.raises(GateError, match="is rejected since 2026-04-03"):
        decide(desk, sid, credited=True)
    with pytest.raises(GateError, match="does not exist"):
        decide(desk, "dispute-0", credited=True)


def test_a_line_is_contested_once_at_a_time(desk: Desk) -> None:
    first = contest(desk, {1: None})
    contest(desk, {2: None})
    with pytest.raises(GateError, match="line 1 is contested already"):
        contest(desk, {1: Decimal("1.00")})
    decide(desk, first, credited=False)
    contest(desk, {1: Decimal("1.00")})


@pytest.mark.parametrize(
    ("lines", "why"), [({9: None}, "no line 9"), ({1: Decimal(99)}, "cannot be credited")]
)
def test_no_more_is_contested_than_remains(desk: Desk, lines: dict, why: str) -> None:
    with pytest.raises(GateError, match=why):
        contest(desk, lines)
    assert desk.ledger_rows(disputes) == []

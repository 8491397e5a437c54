"""Records that cannot be rated: accepted, written off and taken back, by name, and never billed by accident."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import GateError
from pipeline.invoice.suspense import (
    Selection,
    accept,
    export_rulings,
    suspended,
    suspended_days,
    undo,
    write_off,
)
from pipeline.ledger.rulings import ruling_undos, rulings
from pipeline.measure.statement import make_statement
from tests.fixtures.billing import ACME, BOREAL, NOON, NOW, Desk, masters

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Four calls of Acme, a day apart, of which three have no rate and cost us 0.001 each."""
    desk = Desk(tmp_path)
    for n in range(3):
        costs = {"provider_price": Decimal("0.001"), "matched_number": "49309018200"}
        desk.call(f"c{n}", None, NOON + n * DAY, **costs)
    return desk.call("good", "1").commit()


def accepting(desk: Desk, reason: str = "no_rate", limit: str | None = None, **chosen: object) -> int:
    most = None if limit is None else Decimal(limit)
    selection = Selection(reason, **chosen)
    return accept(
        desk.lake, desk.ledger, selection, limit=most, by="Ann", why="agreed", now=NOW, policy=("blocked",)
    ).ruling_id


def writing_off(desk: Desk, **chosen: object) -> int:
    selection = Selection(**chosen)
    return write_off(
        desk.lake, desk.ledger, selection, by="Ann", why="too small", now=NOW, policy=("blocked",)
    ).ruling_id


def taking_back(desk: Desk, ruling: int) -> None:
    undo(desk.lake, desk.ledger, ruling, by="Bob", why="a mistake", now=NOW, policy=("blocked",))


def standings(desk: Desk) -> dict[str, str]:
    return dict(desk.rows("select dr_sid, standing from rate.suspense order by dr_sid"))


def billed(desk: Desk) -> list[str]:
    return [sid for (sid,) in desk.rows("select dr_sid from invoice.claims where amount > 0 order by dr_sid")]


def test_what_cannot_be_rated_is_counted_with_what_it_costs_us(desk: Desk) -> None:
    (row,) = suspended(desk.lake, Selection())
    assert (row["standing"], row["unrated_reason"], row["payer_sid"], row["records"]) == (
        "open",
        "no_rate",
        "acme",
        3,
    )
    assert row["cost"] == Decimal("0.003")
    assert [row[name] for name in ("service", "direction", "family", "country_code", "prefix")] == [
        *("call", "outbound", "pstn", "DEU", "49309"),
    ]
    assert suspended_days(desk.lake, Selection(reason="no_rate")) == [
        (NOON + n * DAY).date() for n in range(3)
    ]


def test_it_holds_its_customer_back_until_a_person_accepts_it(desk: Desk) -> None:
    (parked,) = desk.bill().parked
    assert parked.reason.startswith("unrated records: 3 no_rate: `tollbook suspense list` shows them")
    accepting(desk)
    assert standings(desk) == {"c0": "accepted", "c1": "accepted", "c2": "accepted"}
    assert len(desk.bill().issued) == 1


@pytest.mark.parametrize(
    ("chosen", "open_"),
    [
        pytest.param({}, [], id="a reason"),
        pytest.param({"reason": "no_plan"}, ["c0", "c1", "c2"], id="another reason"),
        pytest.param({"partner_sid": "boreal"}, ["c0", "c1", "c2"], id="another customer"),
        pytest.param({"date_from": NOON + DAY}, ["c0"], id="from a day on"),
        pytest.param({"date_to": NOON + DAY}, ["c1", "c2"], id="up to a day"),
        pytest.param({"limit": "0.002"}, ["c2"], id="up to a cost, in call order"),
        pytest.param({"limit": "0"}, ["c0", "c1", "c2"], id="up to nothing"),
    ],
)
def test_an_acceptance_goes_as_far_as_it_says(desk: Desk, chosen: dict, open_: list[str]) -> None:
    accepting(desk, **chosen)
    assert [sid for sid, standing in standings(desk).items() if standing == "open"] == open_


def test_the_policy_is_an_acceptance_like_any_other(desk: Desk) -> None:
    export_rulings(desk.lake, desk.ledger, ("no_rate",), at=NOW)
    assert set(standings(desk).values()) == {"accepted"}
    assert desk.rows("select ruling_id, decided_by, action, reason from invoice.rulings") == [
        ("policy:no_rate", "policy.toml", "accept", "no_rate")
    ]
    export_rulings(desk.lake, desk.ledger, (), at=NOW)
    assert set(standings(desk).values()) == {"open"}


def test_what_is_written_off_is_never_billed_also_when_it_is_rated_after_all(desk: Desk) -> None:
    writing_off(desk, reason="no_rate")
    desk.bill()
    desk.call("c0", "5").commit().bill(MAY)
    assert billed(desk) == ["good"]
    assert standings(desk) == {"c0": "written_off", "c1": "written_off", "c2": "written_off"}


def test_a_write_off_is_of_these_records_and_no_others(desk: Desk) -> None:
    writing_off(desk, reason="no_rate", date_to=NOON + DAY)
    desk.call("c9", None, NOON).commit()
    assert standings(desk) == {"c0": "written_off", "c1": "open", "c2": "open", "c9": "open"}


def test_a_write_off_that_is_taken_back_is_billed_once(desk: Desk) -> None:
    ruling = writing_off(desk)
    desk.bill()
    for n in range(3):
        desk.call(f"c{n}", "5", NOON + n * DAY)
    desk.commit()
    taking_back(desk, ruling)
    desk.bill(MAY)
    assert billed(desk) == ["c0", "c1", "c2", "good"]
    assert standings(desk) == {}


def test_an_acceptance_that_is_taken_back_holds_the_customer_back_again(desk: Desk) -> None:
    taking_back(desk, accepting(desk))
    assert len(desk.bill().parked) == 1


def test_what_is_on_an_invoice_cannot_be_written_off(desk: Desk) -> None:
    for n in range(3):
        desk.call(f"c{n}", "5", NOON + n * DAY)
    desk.commit().bill()
    desk.call("c0", None, revision=2).commit()
    with pytest.raises(GateError, match="nothing to write off"):
        writing_off(desk)


def test_every_decision_is_on_record_with_name_and_reason(desk: Desk) -> None:
    taking_back(desk, writing_off(desk))
    with pytest.raises(GateError, match="taken back already"):
        taking_back(desk, 1)
    with pytest.raises(GateError, match="there is no decision 7"):
        taking_back(desk, 7)
    with pytest.raises(GateError, match="say why"):
        write_off(desk.lake, desk.ledger, Selection(), by="Ann", why=" ", now=NOW, policy=())
    (ruling,), (back,) = desk.ledger_rows(rulings), desk.ledger_rows(ruling_undos)
    assert (ruling.by, ruling.action, ruling.why, ruling.records) == ("Ann", "write_off", "too small", 3)
    assert (back.ruling_id, back.by, back.why) == (ruling.ruling_id, "Bob", "a mistake")


def test_the_statement_tells_open_from_accepted_from_written_off_and_adds_up(desk: Desk) -> None:
    desk.call("b", None, unrated_reason="blocked").commit()
    accepting(desk, "no_rate", date_to=NOON + DAY)
    writing_off(desk, dr_sid="c1")
    statement = make_statement(desk.lake, desk.ledger)
    charges = [line for line in statement.lines if line.section == "rated" and line.side == "charge"]
    assert [
        (line.what, line.reason, line.records) for line in charges if line.what.startswith("unrated")
    ] == [
        ("unrated", "no_rate", 1),
        ("unrated, accepted", "blocked", 1),
        ("unrated, accepted", "no_rate", 1),
        ("unrated, written off", "no_rate", 1),
    ]
    assert statement.differences == ()


def test_what_was_written_off_and_is_rated_is_a_line_of_its_own(desk: Desk) -> None:
    writing_off(desk)
    desk.call("c0", "5").commit().bill()
    statement = make_statement(desk.lake, desk.ledger)
    charged = [line for line in statement.lines if line.section == "charged"]
    assert [(line.what, line.records, str(line.money.normalize())) for line in charged] == [
        ("claimed", 1, "1"),
        ("written off", 1, "5"),
    ]
    assert statement.differences == ()


def test_one_customers_records_are_written_off_and_the_others_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path, masters=masters(ACME, BOREAL))
    desk.call("a", None).call("b", None, payer_sid="boreal", partner_sid="boreal").commit()
    writing_off(desk, partner_sid="boreal")
    assert standings(desk) == {"a": "open", "b": "written_off"}

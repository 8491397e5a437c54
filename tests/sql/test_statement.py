"""The statement adds up through every turn, and says so when it does not."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.ledger.schema import commits, landings
from pipeline.measure.statement import export_landings, make_statement
from tests.fixtures.billing import NOW, Desk

MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def land(desk: Desk, resource: str, **counts: int) -> None:
    row = dict.fromkeys(("fetched", "fresh", "superseding", "identical", "quarantined"), 0) | counts
    with desk.ledger.transaction() as tx:
        commit = tx.execute(commits.insert(), {"at": NOW, "stage": "land", "note": ""}).inserted_primary_key[
            0
        ]
        tx.execute(landings.insert(), row | {"commit_id": commit, "source": "carrierx", "resource": resource})


def section(desk: Desk, name: str) -> list[tuple]:
    found = [line for line in make_statement(desk.lake, desk.ledger).lines if line.section == name]
    return [
        (line.what, line.reason, line.records, None if line.money is None else str(line.money.normalize()))
        for line in found
    ]


def test_an_empty_home_adds_up(desk: Desk) -> None:
    assert make_statement(desk.lake, desk.ledger).differences == ()


def test_the_whole_way_of_a_month(desk: Desk) -> None:
    land(desk, "calls", fetched=5, fresh=3, identical=1, quarantined=1)
    land(desk, "messages", fetched=1, fresh=1)
    desk.call("a", "0.124").call("b", "0.1").call("c", "2", stop=datetime(2026, 4, 10, tzinfo=UTC))
    desk.message("m", None, unrated_reason="blocked").commit().bill()
    statement = make_statement(desk.lake, desk.ledger)
    assert statement.differences == ()
    assert section(desk, "fetched") == [
        ("fetched", None, 5, None),
        ("new", None, 3, None),
        ("superseding", None, 0, None),
        ("identical", None, 1, None),
        ("quarantined", None, 1, None),
        ("fetched", None, 1, None),
        ("new", None, 1, None),
        ("superseding", None, 0, None),
        ("identical", None, 0, None),
        ("quarantined", None, 0, None),
    ]
    assert section(desk, "charged") == [("claimed", None, 2, "0.224"), ("waiting", "not yet due", 1, "2")]
    assert section(desk, "invoiced") == [
        ("claimed records", None, 2, "0.224"),
        ("rounding of lines", None, None, "-0.004"),
        ("lines of issued invoices", None, None, "0.22"),
        ("invoices", None, 1, "0.22"),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": "1", "revision": 2}, [("claimed", None, 1, "1"), ("correction waiting", "due", 0, "0")]),
        ({"amount": "3", "revision": 2}, [("claimed", None, 1, "1"), ("correction waiting", "due", 0, "2")]),
        ({"amount": "5"}, [("claimed", None, 1, "1"), ("rated anew after it was claimed", None, 0, "4")]),
        (
            {"amount": None},
            [("claimed", None, 0, "1"), ("rated anew after it was claimed", None, 0, "-1")],
        ),
        (
            {"amount": None, "revision": 2},
            [("claimed", None, 0, "1"), ("correction waiting", "due", 0, "-1")],
        ),
        (
            {"payer_sid": "boreal"},
            [
                ("claimed", None, 0, "1"),
                ("claimed from another payer", None, 1, "1"),
                ("rated anew after it was claimed", None, 0, "-1"),
            ],
        ),
    ],
    ids=["same amount", "corrected", "rated anew", "unrated anew", "became unrated", "other payer"],
)
def test_what_changes_after_it_was_claimed(desk: Desk, change: dict, expected: list[tuple]) -> None:
    desk.call("a", "1").commit().bill()
    desk.call("a", **change).commit()
    assert section(desk, "charged") == expected
    assert make_statement(desk.lake, desk.ledger).differences == ()


def test_it_adds_up_after_the_correction_is_invoiced(desk: Desk) -> None:
    desk.call("a", "1").commit().bill()
    desk.call("a", "3", revision=2).call("b", "1", stop=datetime(2026, 3, 2, 12, tzinfo=UTC)).commit().bill(
        MAY
    )
    assert section(desk, "charged") == [("claimed", None, 2, "4")]
    assert make_statement(desk.lake, desk.ledger).differences == ()


def test_a_record_that_was_fetched_and_is_not_landed_is_a_difference(desk: Desk) -> None:
    land(desk, "calls", fetched=2, fresh=2)
    desk.call("a").commit()
    (difference,) = make_statement(desk.lake, desk.ledger).differences
    assert str(difference) == "new = landed: call: 2 is not 1"


def test_a_landed_record_that_is_not_rated_is_a_difference(desk: Desk) -> None:
    desk.call("a").commit()
    desk.put("land/calls", [desk.calls["a"], desk.calls["a"] | {"dr_sid": "b"}], "date=2026-03-10")
    found = [str(d) for d in make_statement(desk.lake, desk.ledger).differences]
    assert found == [
        "landed = rated + unrated + not billable: call charge: 2 is not 1",
        "landed = rated + unrated + not billable: call cost: 2 is not 1",
    ]


def test_the_records_behind_a_difference_are_named(desk: Desk) -> None:
    desk.call("a").call("b").commit()
    label = "date=2026-03-10"
    columns = [name for name, *_ in desk.rows("describe rate.calls")]
    held = [
        dict(zip(columns, row, strict=True)) for row in desk.rows("from rate.calls order by dr_sid, level")
    ]
    desk.put("land/calls", [desk.calls["a"], desk.calls["a"] | {"dr_sid": "new"}], label)
    desk.put("rate/calls", [*held, held[1]], label)

    assert desk.rows("select what, side, dr_sid from measure.unaccounted") == [
        ("landed, and not rated", "charge", "new"),
        ("landed, and not rated", "cost", "new"),
        ("rated more than once", "charge", "a"),
        ("rated, and not landed", "charge", "b"),
        ("rated, and not landed", "cost", "b"),
    ]


def test_claims_that_are_not_on_their_invoice_are_a_difference(desk: Desk) -> None:
    desk.call("a").commit().bill()
    (sid,) = desk.rows("select invoice_sid from invoice.invoices")[0]
    claim = desk.rows("select * from invoice.claims")[0]
    columns = [c[0] for c in desk.rows("select column_name from (describe invoice.claims)")]
    row = dict(zip(columns, claim, strict=True))
    desk.put("invoice/claims", [row, row | {"dr_sid": "stray", "amount": Decimal("0.5")}], sid)
    rules = {d.rule for d in make_statement(desk.lake, desk.ledger).differences}
    assert "claims = lines before rounding" in rules


def test_the_landing_counters_are_copied_once(desk: Desk) -> None:
    land(desk, "calls", fetched=2, fresh=2)
    assert export_landings(desk.lake, desk.ledger, at=NOW)
    assert not export_landings(desk.lake, desk.ledger, at=NOW)
    assert desk.rows("select resource, fetched, fresh from measure.landings") == [("calls", 2, 2)]


def test_no_figure_passes_through_a_binary_float(desk: Desk) -> None:
    views = ("invoice.unclaimed", "invoice.standing", "measure.fates", "measure.statement")
    types = {t for view in views for _, t, *_ in desk.rows(f"describe {view}")}
    assert types & {"DOUBLE", "FLOAT", "REAL"} == set()

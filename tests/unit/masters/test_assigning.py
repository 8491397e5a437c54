"""An assignment is added at the end of the file, or not at all."""

import os

import pytest

from pipeline.errors import MasterError
from pipeline.masters.assigning import assign

HEADER = "partner_sid,plan_sid,service,direction,family,start,end"
LINE = {"partner_sid": "*", "plan_sid": "gold", "start": "2026-03-01"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, f"{HEADER}\n*,gold,,,,2026-03-01,\n"),
        (f"{HEADER}\n*,base,,,,,\n", f"{HEADER}\n*,base,,,,,\n*,gold,,,,2026-03-01,\n"),
        (f"{HEADER}\n*,base,,,,,", f"{HEADER}\n*,base,,,,,\n*,gold,,,,2026-03-01,\n"),
        (f"{HEADER}\r\n*,base,,,,,\r\n", f"{HEADER}\r\n*,base,,,,,\r\n*,gold,,,,2026-03-01,\r\n"),
        ("comment,plan_sid,start,partner_sid\n", "comment,plan_sid,start,partner_sid\n,gold,2026-03-01,*\n"),
    ],
    ids=["no file", "at the end", "no last line end", "crlf", "columns in another order"],
)
def test_a_line_is_added_and_the_rest_stays(tmp_path, before, after):
    path = tmp_path / "assignments.csv"
    if before is not None:
        path.write_bytes(before.encode())
    line, masters = assign(tmp_path, LINE)

    assert path.read_bytes().decode() == after
    assert line in after
    assert masters.assignments[-1].plan_sid == "gold"
    assert [p.name for p in tmp_path.iterdir()] == ["assignments.csv"]


@pytest.mark.parametrize(
    ("before", "more", "problem"),
    [
        (f"{HEADER}\n*,gold,,,,2026-01-01,\n", {}, "overlaps line 2"),
        (f"{HEADER}\n*,base,,,,2026-03-01,\n", {}, "overlaps line 2"),
        (f"{HEADER}\n", {"start": "March"}, "start is 'March'; valid is a date"),
        (f"{HEADER}\n", {"end": "2026-02-01"}, "not after start"),
        (f"{HEADER}\n", {"direction": "out"}, "direction is 'out'"),
        ("partner_sid,plan_sid\n", {}, "has no column start"),
    ],
    ids=["the same plan", "the same start", "no date", "ends before it starts", "no direction", "no column"],
)
def test_a_line_that_is_wrong_changes_nothing(tmp_path, before, more, problem):
    path = tmp_path / "assignments.csv"
    path.write_text(before)

    with pytest.raises(MasterError, match=problem) as refused:
        assign(tmp_path, LINE | more)
    assert path.read_text() == before
    assert "/tmp/masters-" not in str(refused.value)
    assert [p.name for p in tmp_path.iterdir()] == ["assignments.csv"]


def test_somebody_else_who_writes_meanwhile_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "assignments.csv"
    path.write_text(f"{HEADER}\n")
    monkeypatch.setattr(os, "fsync", lambda _: path.write_text(f"{HEADER}\n*,silver,,,,,\n"))

    with pytest.raises(MasterError, match="changed by somebody else just now"):
        assign(tmp_path, LINE)
    assert path.read_text() == f"{HEADER}\n*,silver,,,,,\n"
    assert [p.name for p in tmp_path.iterdir()] == ["assignments.csv"]

"""A day that has landed in several parts: each is rated into a file of its own, and none outlives its records."""

import pytest

from tests.unit.rate.homes import DAY, LATER, call

FIRST, SECOND = f"date={DAY}", f"date={DAY}.p0002"


@pytest.fixture
def rated(home):
    """Two calls in one part and one in another."""
    home.provider_plan([("44", "6", "6", "0.001"), ("1", "6", "6", "0.0005")])
    home.deck()
    home.put("land/calls", FIRST, [call("a"), call("b")])
    home.put("land/calls", SECOND, [call("c")])
    home.first = home.rate(days=[DAY])
    return home


def costs(home) -> dict[str, list[str]]:
    """Which calls have a cost, by the label of the file that it is in."""
    return {
        file.label: sorted(
            row["dr_sid"]
            for row in home.lake.scan_files("rate/calls", [file])
            .select("dr_sid", "side")
            .collect()
            .to_dicts()
            if row["side"] == "cost"
        )
        for file in home.lake.files("rate/calls")
    }


def test_each_part_of_a_day_is_rated_into_its_own_file(rated):
    assert costs(rated) == {FIRST: ["a", "b"], SECOND: ["c"]}
    assert rated.rate().written == 0


def test_only_the_part_that_has_changed_is_rated_again(rated):
    rated.put("land/calls", SECOND, [call("c"), call("d")])

    assert rated.rate(days=[DAY]).written == 1
    assert costs(rated) == {FIRST: ["a", "b"], SECOND: ["c", "d"]}


def test_records_that_moved_to_another_part_are_rated_once(rated):
    """All of the second part went into the first."""
    rated.put("land/calls", FIRST, [call("a"), call("b"), call("c")])
    with rated.ledger.transaction() as tx:
        rated.lake.commit(tx, [], at=LATER, stage="land", remove=[("land/calls", SECOND)])

    report = rated.rate(days=[DAY])
    assert (report.written, report.removed) == (1, 1)
    assert costs(rated) == {FIRST: ["a", "b", "c"]}


def test_a_day_that_lost_only_its_first_part_keeps_the_others(rated):
    with rated.ledger.transaction() as tx:
        rated.lake.commit(tx, [], at=LATER, stage="land", remove=[("land/calls", FIRST)])

    assert rated.rate(days=[DAY]).removed == 1
    assert costs(rated) == {SECOND: ["c"]}

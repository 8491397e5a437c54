"""Signals of fraud and access rules from the outside, on the billed month."""

import fcntl
import json

from tests.journey.house import AS_OF, House

MONTH = ("--since", "2026-03-01", "--until", "2026-04-01")


def test_an_ordinary_month_is_looked_at_and_raises_nothing(house: House) -> None:
    """In a copy: who looks for signals holds the home, and others that read the month may be at it."""
    looked, landed = house.rows(
        "select count(*) from measure.signal_days union all select count(distinct day) from ("
        "select date_stop::date as day from land.calls union select date_insert::date from land.messages)"
    )

    assert (house.json("fraud", "--as-of", AS_OF), looked) == ([], landed)


def test_while_another_run_works_the_signals_are_those_that_are_there(house: House) -> None:
    with (house.home / ".lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = house.tollbook("fraud", "--as-of", AS_OF, "--json")

    assert (done.code, json.loads(done.out)) == (0, [])
    assert "another run works on" in done.err


def test_a_rule_is_tried_on_past_calls(march: House) -> None:
    [tried] = march.json("whatif-rule", "prefix", "1900", "52", "--direction", "outbound", *MONTH)
    wanted = march.one(
        "select count(*) from land.calls where direction = 'outbound' and date_stop >= '2026-03-01' "
        "and date_stop < '2026-04-01' and regexp_matches(number_dst, '^\\+?(1900|52)')"
    )

    assert (tried["calls"], tried["behind_signals"], tried["false_positives"]) == (wanted, 0, wanted)
    assert wanted > 0


def test_what_is_no_rule_is_told(march: House) -> None:
    done = march.tollbook("whatif-rule", "suffix", "1900")

    assert (done.code, "valid are exact, prefix, regexp" in done.said) == (1, True)

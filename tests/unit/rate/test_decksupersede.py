"""Today's price and the one from a day on, without an end: the later row ends the earlier, or the deck is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.rate_rows import RateRows
from pipeline.errors import DeckError
from pipeline.masters.decks import DeckFile
from pipeline.rate.deck.clash import refuse_clashes
from pipeline.rate.deck.diff import price_text
from pipeline.rate.deck.file import DeckOptions, read_whole
from pipeline.rate.deck.layout import Problems
from pipeline.rate.deck.store import options_of, prepare_deck
from pipeline.rate.deck.supersede import superseded
from tests.unit.rate.homes import Home

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = "prefix,price,effective_date,end_date\n"


def given_deck(folder: Path, rows: str) -> Path:
    path = folder / "given.csv"
    path.write_text(HEADER + rows.replace(" ", "\n") + "\n")
    return path


def shown(plan: RatePlan) -> list[str]:
    def day(at: datetime | None) -> str:
        return f"{at:%m-%d}" if at else ""

    return sorted(
        f"{r.prefix} {price_text(r)} {day(r.effective_from)}..{day(r.effective_to)}" for r in plan.rates
    )


SHEETS = {
    "today's and a future one": (
        "44,0.02,, 44,0.03,2026-05-01,",
        ["44 0.02 ..05-01", "44 0.03 05-01.."],
        ["line 2: prefix '44' at 0.02 ends 2026-05-01, superseded by line 3 at 0.03"],
    ),
    "in any order": (
        "44,0.04,2026-06-01, 44,0.02,2026-01-01, 44,0.03,2026-05-01,",
        ["44 0.02 01-01..05-01", "44 0.03 05-01..06-01", "44 0.04 06-01.."],
        [
            "line 3: prefix '44' at 0.02 ends 2026-05-01, superseded by line 4 at 0.03",
            "line 4: prefix '44' at 0.03 ends 2026-06-01, superseded by line 2 at 0.04",
        ],
    ),
    "blocked from a day on": (
        "44,0.02,, 44,blocked,2026-05-01T12:00:00Z,",
        ["44  05-01..", "44 0.02 ..05-01"],
        ["line 2: prefix '44' at 0.02 ends 2026-05-01 12:00:00, superseded by line 3 at no price"],
    ),
    "an offer with an end, and what follows": (
        "44,0.02,, 44,0.01,2026-04-01,2026-05-01 44,0.02,2026-05-01,",
        ["44 0.01 04-01..05-01", "44 0.02 ..04-01", "44 0.02 05-01.."],
        ["line 2: prefix '44' at 0.02 ends 2026-04-01, superseded by line 3 at 0.01"],
    ),
    "ranges meet their own prefix only": (
        "441-442,0.02,, 442,0.03,2026-05-01,",
        ["441 0.02 ..", "442 0.02 ..05-01", "442 0.03 05-01.."],
        ["line 2: prefix '442' at 0.02 ends 2026-05-01, superseded by line 3 at 0.03"],
    ),
    "ends of their own": (
        "44,0.02,,2026-05-01 44,0.03,2026-05-01,",
        ["44 0.02 ..05-01", "44 0.03 05-01.."],
        [],
    ),
}


@pytest.mark.parametrize(("rows", "kept", "told"), SHEETS.values(), ids=SHEETS)
def test_a_later_row_ends_the_earlier(tmp_path: Path, rows: str, kept: list[str], told: list[str]) -> None:
    deck = read_whole(given_deck(tmp_path, rows), DeckOptions("retail", SINCE))

    assert shown(deck.plan) == kept
    assert list(deck.ended) == told


REFUSED = {
    "together": (
        "44,0.02,2026-05-01, 44,0.03,2026-05-01,",
        "line 3: prefix '44' is in force at the same time as line 2, with another rate",
    ),
    "together, and one before": (
        "44,0.01,, 44,0.02,2026-05-01, 44,0.03,2026-05-01,",
        "line 4: prefix '44' is in force at the same time as line 3, with another rate",
    ),
    "an end of its own that says otherwise": (
        "44,0.02,,2026-06-01 44,0.03,2026-05-01,",
        "line 3: prefix '44' is in force at the same time as line 2, with another rate",
    ),
    "an offer that ends with nothing behind it": (
        "44,0.02,, 44,0.01,2026-04-01,2026-05-01",
        "line 3: prefix '44' is in force at the same time as line 2, with another rate; does that come back on "
        "2026-05-01? Give it an end_date, and what follows then a line",
    ),
    "an offer that ends before the next begins": (
        "44,0.02,, 44,0.01,2026-04-01,2026-05-01 44,0.03,2026-06-01,",
        "line 3: prefix '44' is in force at the same time as line 2, with another rate; does that come back on "
        "2026-05-01? Give it an end_date, and what follows then a line",
    ),
}


@pytest.mark.parametrize(("rows", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(tmp_path: Path, rows: str, problem: str) -> None:
    with pytest.raises(DeckError) as refused:
        read_whole(given_deck(tmp_path, rows), DeckOptions("retail", SINCE))

    assert refused.value.problems == (problem,)


def test_a_deck_that_people_keep_by_hand_says_itself_when_a_row_ends(tmp_path: Path) -> None:
    path = given_deck(tmp_path, "44,0.02,, 44,0.03,2026-05-01,")
    listed = DeckFile(path, "retail", "Retail", "call", "", "", "USD", SINCE)
    with pytest.raises(DeckError, match="line 3: prefix '44' is in force at the same time as line 2"):
        read_whole(path, options_of(listed))


OFFER = "44,0.02,, 44,0.05,2026-06-01,"
# what the plan holds, the mode, the sheet -> the version from 1 March on, or the refusal
AGAINST = {
    "a price is announced": (
        "44,0.02,,",
        "add",
        "44,0.03,2026-05-01,",
        ["44 0.02 ..05-01", "44 0.03 05-01.."],
    ),
    "one is announced before another": (
        *(OFFER, "add", "44,0.03,2026-07-01,"),
        ["44 0.02 ..06-01", "44 0.03 07-01..", "44 0.05 06-01..07-01"],
    ),
    "the sheet again, with one line more": (
        *(OFFER, "add", OFFER + " 49,0.1,,"),
        ["44 0.02 ..06-01", "44 0.05 06-01..", "49 0.1 .."],
    ),
    "adding leaves what holds": (
        *("44,0.02,2026-01-01,", "add", "44,0.03,2026-03-01,"),
        "line 2: prefix '44' is in force at the same time as a row that the plan has already, with another rate",
    ),
    "adding puts nothing behind what holds": (
        *("44,0.02,2026-01-01,", "add", "44,0.03,,"),
        "a row that the plan has already",
    ),
    "an end of the plan's says otherwise": (
        *("44,0.02,,2026-06-01", "add", "44,0.03,2026-05-01,"),
        "line 2: prefix '44' is in force at the same time as a row that the plan has already, with another rate",
    ),
    "a change takes the time from its dates on": (
        *(OFFER, "change", "44,0.03,2026-05-01, 44,0.04,2026-07-01,"),
        ["44 0.02 ..05-01", "44 0.03 05-01..07-01", "44 0.04 07-01.."],
    ),
    "a whole deck stands alone": (
        *(OFFER, "replace", "44,0.03,2026-05-01, 44,0.04,2026-07-01,"),
        ["44 0.03 05-01..07-01", "44 0.04 07-01.."],
    ),
}


@pytest.mark.parametrize(("held", "mode", "sheet", "expected"), AGAINST.values(), ids=AGAINST)
def test_a_sheet_against_what_the_plan_holds(
    home: Home, held: str, mode: str, sheet: str, expected: list[str] | str
) -> None:
    home.deck(HEADER + held.replace(" ", "\n"))
    path = given_deck(home.folder, sheet)
    if isinstance(expected, str):
        with pytest.raises(DeckError) as refused:
            prepare_deck(home.lake, path, DeckOptions("retail", MARCH), mode=mode)
        assert expected in "\n".join(refused.value.problems)
    else:
        prepared = prepare_deck(home.lake, path, DeckOptions("retail", MARCH), mode=mode)
        assert shown(prepared.plan) == expected


def test_a_dry_run_says_which_rows_end(home: Home) -> None:
    home.deck(HEADER + "44,0.02,,")
    path = given_deck(home.folder, "44,0.03,2026-05-01, 44,0.04,2026-06-01,")

    assert prepare_deck(home.lake, path, DeckOptions("retail", MARCH), mode="add").notes == (
        "line 2: prefix '44' at 0.03 ends 2026-06-01, superseded by line 3 at 0.04",
        "a row that the plan has already: prefix '44' at 0.02 ends 2026-05-01, superseded by line 2 at 0.03",
    )


def test_a_day_between_two_rows_is_told(home: Home) -> None:
    path = given_deck(home.folder, "44,0.02,,2026-04-30 44,0.03,2026-05-01,")

    assert prepare_deck(home.lake, path, DeckOptions("retail", MARCH)).notes == (
        "line 2: prefix '44' has no rate on 2026-04-30, between line 2 and line 3: an end_date is the first day that "
        "is not in it, is 2026-05-01 meant?",
    )


days = st.one_of(st.none(), st.integers(1, 6))


@given(st.lists(st.tuples(st.sampled_from(["44", "441"]), days, days), min_size=1, max_size=6))
def test_every_instant_is_rated_by_the_row_that_began_last(rows: list[tuple]) -> None:
    def at(day: int | None) -> datetime | None:
        return SINCE + timedelta(days=day) if day else None

    given_rates = [
        Rate(Decimal(n), prefix, effective_from=at(start), effective_to=at(end))
        for n, (prefix, start, end) in enumerate(rows, 1)
        if end is None or end > (start or 0)
    ]
    lines = list(range(1, len(given_rates) + 1))
    plan = RatePlan("retail", "1", "call", "USD")
    rates, _ = superseded("call", RateRows.of(given_rates), lines)
    problems = Problems()
    refuse_clashes(plan, lines, rates, problems)
    starts = [(rate.prefix, rate.effective_from) for rate in given_rates]
    if all(rate.effective_to is None for rate in given_rates):
        assert bool(problems.found) == (len(set(starts)) < len(starts))
    for day in range(8 if not problems.found else 0):
        now = SINCE + timedelta(days=day)
        begun = [r for r in given_rates if r.prefix == "44" and (r.effective_from or SINCE) <= now]
        last = max(begun, key=lambda r: r.effective_from or datetime.min.replace(tzinfo=UTC), default=None)
        holds = last if last and (last.effective_to is None or now < last.effective_to) else None
        found = replace(plan, rates=rates).match_number("44", now)
        assert [r.price for r in (found.rates if found else ())] == ([holds.price] if holds else [])

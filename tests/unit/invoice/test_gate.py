"""What keeps an invoice back is told in one sentence, with how much of it there is and what to do."""

from dataclasses import replace
from datetime import date

import pytest

from pipeline.errors import GateError
from pipeline.invoice.due import accounts
from pipeline.invoice.gate import Standing, Tree, Uncovered, Verdict, judge, stop_for_nobody
from tests.fixtures.billing import ACME, BOREAL, HOUSE, ROOT, masters

# Acme resells to Boreal, whom it bills itself.
RESELLER = replace(HOUSE, key="acme", partner_sid="acme", series="ACM")
HELD = replace(
    masters(replace(ACME, resells=True), replace(BOREAL, seller="acme")),
    sellers={"house": HOUSE, "acme": RESELLER},
)
TREE = Tree(ROOT, {"acme": ROOT, "boreal": "acme", ROOT: None}, HELD.customers)
UP, DOWN = ("acme", ROOT), ("boreal", "acme")
RATE = "run `tollbook rate`"


def gap(partner: str, landed: int, rated: int, day: int, service: str = "call") -> Uncovered:
    return Uncovered(partner, service, landed, rated, date(2026, 3, day))


def standing(payer: str, reason: str) -> Standing:
    return Standing(None, payer, ROOT, "unrated", reason, "open", None, True, 3)


def judged(*gaps: Uncovered, standings: tuple[Standing, ...] = ()) -> Verdict:
    return judge([], accounts(HELD, ROOT), TREE, standings, gaps)


# what is not rated -> who is set aside, with which counts
GAPS = {
    "a customer's own": ([gap("acme", 5, 3, 9)], {UP: ["call (5 landed, 3 rated, first on 2026-03-09)"]}),
    "of two levels, told once each": (
        [gap("acme", 5, 3, 9), gap("boreal", 2, 0, 4)],
        {
            UP: ["call (7 landed, 3 rated, first on 2026-03-04)"],
            DOWN: ["call (2 landed, 0 rated, first on 2026-03-04)"],
        },
    ),
    "of both services": (
        [gap("acme", 5, 3, 9), gap("acme", 1, 0, 2, "message")],
        {
            UP: [
                "call (5 landed, 3 rated, first on 2026-03-09)",
                "message (1 landed, 0 rated, first on 2026-03-02)",
            ]
        },
    ),
}


@pytest.mark.parametrize(("gaps", "parked"), GAPS.values(), ids=GAPS)
def test_what_is_not_rated_is_told_once_per_customer_and_service(gaps: list, parked: dict) -> None:
    found = judged(*gaps)
    said = {
        key: [
            f"not every {text.replace(' (', ' record is rated in its newest revision (')}: {RATE}"
            for text in texts
        ]
        for key, texts in parked.items()
    }
    assert (found.parked, found.nobody) == (said, [])


def test_what_belongs_to_nobody_stops_the_run_with_each_remedy_once() -> None:
    verdict = judged(
        gap(ROOT, 4, 0, 1), standings=(standing("ghost", "no_customer"), standing("other", "no_customer"))
    )
    with pytest.raises(GateError) as told:
        stop_for_nobody(verdict)
    assert str(told.value) == (
        "nothing was invoiced, because the statement does not add up: 3 records of partner ghost: no_customer; "
        "3 records of partner other: no_customer; partner root: not every call record is rated in its newest revision "
        "(4 landed, 0 rated, first on 2026-03-01). Give these records a customer (customers.csv) and run `tollbook "
        "rate`, or accept the reason (`tollbook suspense accept`), and try again. Run `tollbook rate`, and try again."
    )


def test_nothing_that_belongs_to_nobody_stops_nothing() -> None:
    stop_for_nobody(judged(gap("acme", 5, 3, 9)))

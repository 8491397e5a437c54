"""What waits is told by reason, with whose it is, where it went, and the command that would mend it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipeline.cli import suspense
from pipeline.desk.suspense import _summed

FIRST, LAST = datetime(2026, 3, 4, 15, tzinfo=UTC), datetime(2026, 3, 30, 9, tzinfo=UTC)
NAMES = {"p-1": "Acme Dental", "p-2": "Boreal Freight"}


def counted(records: int, payer: str = "p-1", prefix: str | None = "49151", **changes: Any) -> dict[str, Any]:
    """As ``pipeline.invoice.suspense`` counts them."""
    row = {"records": records, "seconds": Decimal(60), "cost": Decimal("0.5"), "first": LAST, "last": LAST}
    row |= {"payer_sid": payer, "plan_sid": "retail", "country_code": "DEU", "prefix": prefix}
    return row | {"example": f"{payer}-{prefix}"} | changes


def kind(reason: str, *rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """One kind of records, as the desk gives it."""
    found = {"standing": "open", "unrated_reason": reason, "service": "call", "direction": "inbound"}
    found |= {"family": "pstn"} | _summed(rows or [counted(1, first=FIRST)], NAMES) | changes
    return found | {"what to do": suspense._remedy(found)}


def test_what_waits_is_told_with_whose_it_is_and_where_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        counted(600, first=FIRST, plan_sid=None),
        *(counted(9 - n, "p-2", f"3315{n}", country_code="FRA") for n in range(5)),
        counted(18, "p-3", None, country_code=None, seconds=None),
    ]

    suspense._print_kind(kind("no_plan", *rows))

    assert capsys.readouterr().out.splitlines() == [
        "no_plan, open: 653 inbound pstn calls, 2026-03-04 to 2026-03-30; cost us 3.50",
        "  of Acme Dental (600), Boreal Freight (35), p-3 (18)",
        "  to DEU 49151 (600), no number (18), FRA 33150 (9), FRA 33151 (8) and 3 more, by retail",
        "  -> `tollbook plans assign '*' PLAN --start 2026-03-04 --service call --direction inbound --family pstn`; "
        "then `tollbook suspense retry --reason no_plan`",
    ]


AGAIN = "; then `tollbook suspense retry --reason "
REMEDIES = {
    "no plan, one customer": (
        kind("no_plan", direction="outbound", family=None),
        f"`tollbook plans assign p-1 PLAN --start 2026-03-04 --service call --direction outbound`{AGAIN}no_plan`",
    ),
    "no rate, one plan": (
        kind("no_rate"),
        "`tollbook plans import DECK --plan retail --mode add --effective 2026-03-04`, with rows for these prefixes"
        f"{AGAIN}no_rate`",
    ),
    "the provider's to mend": (
        kind("too_long"),
        "longer than 24 hours: check it with the provider; a corrected record is rated by itself",
    ),
    "unheard of": (kind("strange"), "look at one: `tollbook explain p-1-49151`"),
    "decided": (
        kind("no_rate", standing="accepted"),
        "accepted; `tollbook suspense rulings` says by whom",
    ),
}


@pytest.mark.parametrize(("found", "said"), REMEDIES.values(), ids=REMEDIES)
def test_the_command_that_would_mend_it_is_said(found: dict[str, Any], said: str) -> None:
    assert found["what to do"] == said

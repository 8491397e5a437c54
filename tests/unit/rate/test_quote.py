"""Quotes: one, a file of them, and without loading anything heavy."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.errors import DeckError
from pipeline.rate.quote import Found, quote_call, quote_message
from pipeline.rate.quotefile import Quoted, quote_usage

PAID = Decimal("0.0120000000")
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLAN = RatePlan(
    "retail",
    "v1",
    "call",
    "USD",
    rates=(Rate(Decimal("0.02"), "44", increment=Decimal(6), minimum=Decimal(30)),),
)
SMS = RatePlan(
    "sms",
    "v1",
    "message",
    "USD",
    rates=(Rate(Decimal("0.05"), country_code="DEU"), Rate(Decimal(1), mcc=310)),
)


def test_a_call():
    outcome = quote_call(PLAN, "+44 20 7946 0000", Decimal("30.001"), AT)

    assert (outcome.status, outcome.billed, outcome.amount) == ("rated", 36, Decimal("0.0120000000"))


def test_no_seconds_is_an_unanswered_call():
    assert quote_call(PLAN, "44", Decimal(0), AT).reason == "not_answered"


def test_a_message():
    assert quote_message(SMS, "4915112345678", 3, AT).amount == Decimal("0.15")
    assert quote_message(SMS, "4915112345678", 1, AT, mcc=310).amount == Decimal(1)


def quoted(tmp_path, plan: RatePlan, text: str) -> tuple[Quoted, list[str]]:
    path, out = tmp_path / "usage.csv", io.StringIO()
    path.write_text(text, encoding="utf-8")
    return quote_usage(lambda _ask: Found(plan), plan.service, path, out), out.getvalue().splitlines()


def test_a_file_of_calls(tmp_path):
    counts, lines = quoted(
        tmp_path,
        PLAN,
        "ref,number,seconds,at\n"
        "a,442079460000,31,2026-03-10\n"
        "b,33123456789,31,2026-03-10T12:00:00Z\n"
        "c,442079460000,0,2026-03-10\n"
        "d,442079460000,long,2026-03-10\n"
        "e,442079460000,1,yesterday\n",
    )

    assert lines == [
        "ref,number,seconds,at,status,reason,matched_prefix,billed_seconds,amount",
        "a,442079460000,31,2026-03-10,rated,,44,36,0.0120000000",
        "b,33123456789,31,2026-03-10T12:00:00Z,unrated,no_rate,,,",
        "c,442079460000,0,2026-03-10,not_billable,not_answered,44,0,0",
        "d,442079460000,long,2026-03-10,invalid,seconds 'long' is not a number of seconds,,,",
        "e,442079460000,1,yesterday,invalid,Invalid isoformat string: 'yesterday',,,",
    ]
    assert counts == Quoted(5, rated=1, unrated=1, not_billable=1, invalid=2, amount=PAID, to_pay=PAID)


def test_a_file_of_messages(tmp_path):
    _, lines = quoted(
        tmp_path, SMS, "number,units,at\n4915112345678,2,2026-03-10\n4915112345678,x,2026-03-10\n"
    )

    assert lines[1:] == [
        "4915112345678,2,2026-03-10,rated,,,2,0.1000000000",
        "4915112345678,x,2026-03-10,invalid,units 'x' is not a whole number,,,",
    ]


def test_a_short_row_is_invalid_and_not_an_error(tmp_path):
    counts, _ = quoted(tmp_path, PLAN, "number,seconds,at\n442079460000\n")

    assert counts.invalid == 1


@pytest.mark.parametrize("text", ["number,at\n1,2\n", "", "a;b\n"])
def test_a_file_without_the_columns_is_refused(tmp_path, text):
    with pytest.raises(DeckError, match="its first line must name number,seconds,at"):
        quoted(tmp_path, PLAN, text)


def test_a_quote_from_a_file_loads_nothing_heavy():
    code = (
        "import sys, pipeline.rate.quotefile, pipeline.rate.deck.file\n"
        "print([m for m in ('polars', 'duckdb', 'pyarrow', 'sqlalchemy') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"

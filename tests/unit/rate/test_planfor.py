"""Which plan a quote is made under: a stored one at its time, or the one that a customer would get then."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.errors import DeckError, SettingsError
from pipeline.masters.model import Assignment
from pipeline.rate.planfor import CustomerPlan, StoredPlan
from pipeline.rate.quote import Ask, quote
from pipeline.rate.quotefile import quote_usage
from tests.unit.rate.homes import DECK, MASTERS, SINCE, customer

MARCH, APRIL = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
ASK = Ask("+44 20 7946 0000", Decimal(61), MARCH)
TREE = replace(
    MASTERS,
    customers={"shop": customer("shop"), "till": customer("till")},
    assignments=(
        Assignment("*", "retail"),
        Assignment("shop", "gold", "call", "outbound", "", MARCH, APRIL),
    ),
)


@pytest.fixture
def two(home):
    """The plans retail (0.02, from April 0.03) and gold (0.01); till is below shop."""
    partners = [("shop", "root"), ("till", "shop")]
    rows = [{"partner_sid": sid, "parent_sid": up, "valid_from": SINCE} for sid, up in partners]
    home.put("land/partners", "all", rows)
    home.deck()
    home.deck(DECK.replace("0.02", "0.03"), since=APRIL)
    home.deck(DECK.replace("0.02", "0.01"), sid="gold")
    return home


def under_customer(home, sid, at=MARCH):
    found = CustomerPlan(home.lake, TREE, sid, "call", root_sid="root", whole=False)
    return quote(replace(ASK, at=at), found(replace(ASK, at=at)), "call")


def test_the_version_in_force_at_the_time_of_the_call(two):
    stored = StoredPlan(two.lake, "retail", whole=False)
    amounts = [quote(ask, stored(ask), "call").outcome.amount for ask in (ASK, replace(ASK, at=APRIL))]

    assert amounts == [Decimal("0.04"), Decimal("0.06")]


def test_before_the_first_version_there_is_no_price(two):
    early = replace(ASK, at=datetime(2020, 1, 1, tzinfo=UTC))
    found = quote(early, StoredPlan(two.lake, "retail", whole=False)(early), "call")

    assert (found.outcome.reason, found.why_plan) == (
        "no_plan",
        "No version of plan retail is in force at 2020-01-01 00:00.",
    )


@pytest.mark.parametrize(
    ("sid", "at", "amount", "why"),
    [
        (
            "shop",
            MARCH,
            "0.02",
            "Shop (shop) is billed for outbound pstn calls on gold by its own assignment "
            "(for outbound calls, from 2026-03-10 00:00, to 2026-04-01 00:00).",
        ),
        (
            "till",
            MARCH,
            "0.02",
            "Till (till) is billed for outbound pstn calls on gold by the assignment of Shop (shop) above it "
            "(for outbound calls, from 2026-03-10 00:00, to 2026-04-01 00:00).",
        ),
        (
            "till",
            APRIL,
            "0.06",
            "Till (till) is billed for outbound pstn calls on retail by the default for everybody (for everything).",
        ),
    ],
    ids=["its own", "its parent's", "the default"],
)
def test_what_a_customer_would_be_billed_on_and_why(two, sid, at, amount, why):
    found = under_customer(two, sid, at)

    assert (found.outcome.amount, found.why_plan) == (Decimal(amount), why)
    assert found.why_number == "The number +44 20 7946 0000 is read as 442079460000."


def test_nothing_assigned_is_said(two):
    bare = replace(TREE, assignments=())
    ask = replace(ASK, direction="inbound")
    plan_for = CustomerPlan(two.lake, bare, "till", "call", root_sid="root", whole=False)

    assert (
        plan_for(ask).why
        == "Nobody has assigned Till (till) a plan for inbound pstn calls at 2026-03-10 00:00."
    )
    assert quote(ask, plan_for(ask), "call").outcome.reason == "no_plan"


def test_a_file_is_priced_row_by_row_at_its_own_times(two, tmp_path):
    usage, out = tmp_path / "usage.csv", io.StringIO()
    usage.write_text(
        "number,seconds,at,direction\n442079460000,60,2026-03-10,\n442079460000,60,2026-04-02,outbound\n"
    )
    quote_usage(StoredPlan(two.lake, "retail", whole=True), "call", usage, out)

    assert [line.rsplit(",", 1)[1] for line in out.getvalue().splitlines()[1:]] == [
        "0.0200000000",
        "0.0300000000",
    ]


def test_what_is_not_there_is_named(two):
    with pytest.raises(DeckError, match="there is no plan zzz to price with: the plans are gold, retail"):
        StoredPlan(two.lake, "zzz", whole=False)
    with pytest.raises(SettingsError, match="there is no customer zzz"):
        CustomerPlan(two.lake, TREE, "zzz", "call", root_sid="root", whole=False)

"""Records that come late or change: the tables follow the provider, and an invoiced month bills the difference once.

The month is closed an hour after its end, which is far too early, and then the sweep looks back over days: so records
appear, and change, behind an invoice that cannot change any more.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.provider.faults import Faults
from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.journey.house import RATES, TOKEN, House, Provider, make_house
from tests.journey.warm import Warm

RESTLESS = WorldConfig(
    seed=11,
    calls=900,
    messages=100,
    start=date(2026, 3, 29),
    days=4,
    rates=RATES,
    faults=Faults.parse("late_inserts=0.3,version_bumps=120"),
)
CLOSED, LATER, NEXT_MONTH = "2026-04-01T10:00:00Z", "2026-04-03T00:00:00Z", "2026-05-05T00:00:00Z"
HASTY = {"TOLLBOOK_LOOKBACK_HOURS": "1"}
STAGES = ("pull", "rate", "invoice")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with start_background(RESTLESS, TOKEN) as background:
        yield Provider(background)


def work(house: House, at: str, *stages: str) -> None:
    """These stages, as of an instant."""
    for stage in stages:
        done = house.tollbook(stage, "--as-of", at)
        assert done.code == 0, done.said


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory, warm: Warm, provider: Provider) -> House:
    """A home that has billed March too early, has then seen what came later, and has billed April."""
    home = tmp_path_factory.mktemp("late") / "home"
    hasty = make_house(home, warm, provider.url, **HASTY)
    provider.set_clock(CLOSED)
    work(hasty, CLOSED, *STAGES)
    assert landed(hasty) == there(provider)
    patient = House(home, warm, {"TOLLBOOK_API_URL": provider.url, "TOLLBOOK_LOOKBACK_HOURS": "72"})
    for at in (LATER, NEXT_MONTH):
        provider.set_clock(at)
        work(patient, at, *STAGES)
    return patient


def landed(house: House) -> list[tuple]:
    return house.rows("select dr_sid, version, price, duration from land.calls order by dr_sid")


def there(provider: Provider) -> list[tuple]:
    """What the provider has now, as it should have landed."""
    return [
        (r["dr_sid"], r["version"], Decimal(r["price"]), Decimal(r["duration"]))
        for r in provider.records("calls")
    ]


def test_the_tables_are_the_providers(billed: House, provider: Provider) -> None:
    assert landed(billed) == there(provider)
    assert set(provider.planted("version_bumps")) == {
        sid for (sid,) in billed.rows("select dr_sid from land.calls where version = 3")
    }
    assert billed.statement_differences() == []


def test_late_and_changed_records_are_rated_as_if_they_had_been_there(
    billed: House, provider: Provider, warm: Warm, tmp_path: Path
) -> None:
    """A home that pulls everything at once, long after, has the same amounts."""
    fresh = make_house(tmp_path / "home", warm, provider.url)
    work(fresh, NEXT_MONTH, "pull", "rate")

    amounts = """
        select dr_sid, side, payer_sid, payee_sid, rating_status, unrated_reason, plan_sid, billed_seconds, amount
        from rate.calls order by all
    """
    assert billed.rows(amounts) == fresh.rows(amounts)


def test_every_record_is_billed_once_by_what_it_costs_now(billed: House) -> None:
    differing = billed.rows("""
        with claimed as (
            select source, dr_sid, payer_sid, sum(amount) as amount
            from invoice.claims where service = 'call' group by all
        )
        select r.dr_sid, r.payer_sid, r.amount, c.amount
        from rate.calls as r left join claimed as c using (source, dr_sid, payer_sid)
        join invoice.invoices as v on v.partner_sid = r.payer_sid
        where r.side = 'charge' and r.rating_status = 'rated'
        group by all having coalesce(c.amount, 0) <> r.amount
    """)

    assert differing == []


def test_the_difference_is_on_the_next_invoice_once(billed: House) -> None:
    """Claims of March's records: on the first invoice what was known, on the second only what came or changed later."""
    twice = billed.rows("""
        select c.dr_sid, c.payer_sid, count(*), count(distinct c.revision)
        from invoice.claims as c where c.service = 'call'
        group by all having count(*) > 1
    """)
    late = billed.one("""
        select count(*) from invoice.claims as c join invoice.invoices as v using (invoice_sid)
        where v.date_billing_period_start > c.date_stop
    """)

    assert len(twice) > 0
    assert [row for row in twice if row[2:] != (2, 2)] == []
    assert late > len(twice)


def test_what_was_issued_has_not_changed(billed: House) -> None:
    invoices = billed.rows("""
        select v.number, v.amount, (select sum(i.amount) from invoice.items as i where i.invoice_sid = v.invoice_sid)
        from invoice.invoices as v where v.number is not null
    """)

    assert len(invoices) > 20
    assert [row for row in invoices if row[1] != row[2]] == []

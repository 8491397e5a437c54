"""Where the charges contradict the unit that plans are read with, nothing is billed until a person decides."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.journey.house import RATES, TOKEN, House, make_house
from tests.journey.warm import Warm

PER_MINUTE = WorldConfig(
    seed=3, calls=1_200, messages=100, start=date(2026, 3, 28), days=4, price_unit=60, rates=RATES
)
PLAN = "provider-outbound-pstn"


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, warm: Warm) -> House:
    """A home whose run was refused, and its provider gone."""
    with start_background(PER_MINUTE, TOKEN) as provider:
        house = make_house(tmp_path_factory.mktemp("gate") / "home", warm, provider.url)
        done = house.run()

    assert done.code == 1
    assert "Traceback" not in done.said
    assert 'unit_rule = "fixed:60"' in done.err
    assert "masters/policy.toml" in done.err
    assert 'gate_accepted = "your name"' in done.err
    return house


def test_nothing_was_billed_or_sent(refused: House) -> None:
    assert refused.rows("select number from invoice.invoices") == []
    assert refused.ledger("select * from invoices") == []
    assert not list((refused.home / "outbox").glob("*"))
    assert refused.statement_differences() == []


def test_the_plans_that_are_contradicted_are_named(refused: House) -> None:
    gate = refused.json("audit")["gate"]
    named = [f["plan_sid"] for f in gate["findings"] if f["agreeing"] * 2 < f["records"]]

    again = refused.tollbook("invoice", "--as-of", "2026-04-03T06:00:00Z")

    assert named != []
    assert again.code == 1
    assert [plan for plan in named if plan not in again.err] == []


def test_a_decision_lets_it_go_on(refused: House, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "home"
    shutil.copytree(refused.home, home)
    house = House(home, refused.warm, refused.settings)
    policy = home / "masters" / "policy.toml"
    policy.write_text(policy.read_text().replace('unit_rule = "minimum"', 'unit_rule = "fixed:60"'))

    rated = house.tollbook("rate", "--as-of", "2026-04-03T06:00:00Z")
    billed = house.tollbook("invoice", "--as-of", "2026-04-03T06:00:00Z")

    assert rated.code == 0, rated.said
    assert billed.code == 0, billed.said
    assert house.one("select count(*) from invoice.invoices where number is not null") > 10
    assert house.json("audit")["audit"]["differences"] == []
    assert house.statement_differences() == []

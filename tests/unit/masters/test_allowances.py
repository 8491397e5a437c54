"""``bundles.csv`` and ``tiers.csv`` are read whole, and refused whole with every problem's line."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.allowances import Bundle, Scope, Tier, TierStep
from pipeline.masters.files import read_masters
from tests.unit.masters.test_files import HOUSE, problems, write

ONE = "partner_sid,name,time_zone,currency,country\np1,One,America/New_York,USD,USA\n"


def test_everything_a_bundle_can_say_is_read(tmp_path: Path) -> None:
    header = "bundle,name,partner_sid,quantity,service,direction,items,countries,prefixes,per,order,start,end,comment\n"
    row = "start,Start 2000,p1,120000.5,call,outbound,toll bridge,USA CAN,1212 44,number,3,2026-03-01,2027-01-01,x\n"
    folder = write(tmp_path, sellers_toml=HOUSE, customers_csv=ONE, bundles_csv=header + row)
    scope = Scope(
        "call",
        "outbound",
        ("toll", "bridge"),
        ("USA", "CAN"),
        ("1212", "44"),
        "number",
        datetime(2026, 3, 1, 5, tzinfo=UTC),
        datetime(2027, 1, 1, 5, tzinfo=UTC),
    )

    assert read_masters(folder).bundles == (
        Bundle("start", "Start 2000", "p1", scope, Decimal("120000.5"), 3),
    )


def test_everything_a_tier_can_say_is_read(tmp_path: Path) -> None:
    header = "tier,name,partner_sid,steps,measure,rule,unit_seconds,service,order\n"
    volume = "volume,,*,36000:0.008; 180000:0.006,,retroactive,6,call,1\n"
    money = "money,Money,p1,100:-5%;200.5:-10.25%,amount,,,message,\n"
    folder = write(tmp_path, sellers_toml=HOUSE, customers_csv=ONE, tiers_csv=header + volume + money)
    prices = (TierStep(Decimal(36000), Decimal("0.008")), TierStep(Decimal(180000), Decimal("0.006")))
    percents = (
        TierStep(Decimal(100), None, Decimal(-5)),
        TierStep(Decimal("200.5"), None, Decimal("-10.25")),
    )

    assert read_masters(folder).tiers == (
        Tier("volume", "volume", "*", Scope("call"), prices, "usage", "retroactive", Decimal(6), 1),
        Tier("money", "Money", "p1", Scope("message"), percents, "amount", "marginal", Decimal(1), 0),
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param("B,p1,5,call,", "bundle is 'B'; valid is a short name in small letters", id="key"),
        pytest.param("b,zz,5,call,", "partner_sid is 'zz'; valid are *, p1", id="customer"),
        pytest.param("b,p1,0,call,", "quantity is '0'; valid are seconds of calls or units", id="nothing"),
        pytest.param("b,p1,-5,call,", "quantity is '-5'", id="negative"),
        pytest.param("b,p1,1e3,call,", "quantity is '1e3'", id="not plain"),
        pytest.param("b,p1,5,fax,", "service is 'fax'; valid are call, message", id="service"),
        pytest.param("b,p1,5,call,+44", "prefixes holds '+44'; valid are digits", id="prefix"),
        pytest.param("b,p1,5,call,\nb,p1,6,call,", "bundle 'b' of 'p1' is already on line 2", id="twice"),
    ],
)
def test_a_wrong_bundle_is_refused_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    text = f"bundle,partner_sid,quantity,service,prefixes\n{row}\n"
    found = problems(write(tmp_path, sellers_toml=HOUSE, customers_csv=ONE, bundles_csv=text))

    assert [said in line and line.startswith("bundles.csv:") for line in found] == [True]


@pytest.mark.parametrize(
    ("steps", "measure"),
    [
        pytest.param("100:-5%;50:-10%", "usage", id="falling"),
        pytest.param("100:-5%;100:-10%", "usage", id="twice"),
        pytest.param("100:-5%;200:0.1", "usage", id="a price and a percentage"),
        pytest.param("100:-101%", "usage", id="more than everything"),
        pytest.param("100", "usage", id="no price"),
        pytest.param("100:0.1;", "usage", id="an open end"),
        pytest.param("100:0.1", "amount", id="a price by money"),
    ],
)
def test_wrong_steps_are_refused_with_their_line(tmp_path: Path, steps: str, measure: str) -> None:
    text = f"tier,partner_sid,steps,measure,service\nt,*,{steps},{measure},call\n"
    found = problems(write(tmp_path, sellers_toml=HOUSE, customers_csv=ONE, tiers_csv=text))

    assert [line.startswith("tiers.csv:2: steps ") for line in found] == [True]

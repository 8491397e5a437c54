"""Before invoices are made it is said which taxes the periods that are due would need and the tables do not have."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipeline.desk.desk import Desk
from pipeline.settings import Settings

MASTERS = {
    "sellers.toml": '[seller.house]\nname = "House"\n',
    "customers.csv": "partner_sid,name,time_zone,currency,country\na,A,America/New_York,USD,USA\nb,B,UTC,USD,USA\n",
    "taxes.csv": "rule,name,jurisdiction,type,rate,start,end,country,legal_source\n"
    "fund,Fund,federal,sales_tax,0.37,2026-01-01,2026-04-01,USA,the law\n",
    "tax_places.csv": "country\nUSA\n",
}
GAP = (
    "the tax rule fund ends on 2026-04-01 and nothing follows it: add its next row to taxes.csv, with rate 0 if the "
    "tax is gone (2 customers)"
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "masters").mkdir()
    for name, content in MASTERS.items():
        (tmp_path / "masters" / name).write_text(content)
    settings = Settings(home=tmp_path, api_url="https://api.example.com/core/v2", bill_from=date(2026, 3, 1))
    desk = Desk.open(settings, now=datetime(2026, 4, 3, 6, tzinfo=UTC))
    desk.root_sid = "root"
    return desk


# as of -> what is missing: March has its rate, the last day of April has none
DAYS = {
    "March is due": (datetime(2026, 4, 3, 6, tzinfo=UTC), ()),
    "April is due": (datetime(2026, 5, 3, 6, tzinfo=UTC), (GAP,)),
}


@pytest.mark.parametrize(("now", "gaps"), DAYS.values(), ids=DAYS)
def test_what_is_missing_for_what_is_due(desk: Desk, now: datetime, gaps: tuple[str, ...]) -> None:
    desk.now = now
    assert desk.tax_gaps() == gaps


def test_an_outside_engine_needs_no_tables(desk: Desk) -> None:
    desk.now = datetime(2026, 5, 3, 6, tzinfo=UTC)
    desk.settings = replace(desk.settings, tax_engine="some.engine:answer")
    assert desk.tax_gaps() == ()

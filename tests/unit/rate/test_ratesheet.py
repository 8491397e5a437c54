"""A rate sheet says what has changed since the last one sent, and importing it gives the plan it was made from."""

from datetime import UTC, datetime

import pytest

from pipeline.errors import DeckError
from pipeline.rate.deck.export import Sent, rate_sheet
from pipeline.rate.deck.file import DeckOptions, read_deck
from pipeline.rate.deck.windows import windows_said
from pipeline.rate.plans import stored_plan
from tests.unit.rate.homes import NOW, SINCE

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
EVERYTHING = (
    "prefix,country_code,billing_increment,billing_minimum,price,unit_seconds,connect_fee,grace_seconds,"
    "effective_date,end_date,status,origin_prefix,jurisdiction,window,min_charge,max_charge,steps\n"
    "44,GBR,6,60,0.020,,0.1,2.5,2026-02-01T10:00:00Z,2027-01-01,,49,interstate,peak,0.05,1,60:0.01;120:0.005\n"
    "1,USA,1,1,0.0001,1,,,,,,,,,,,\n,,,,0.5,,,,,,blocked,,,,,,\n7,,,,,,,,,,,,,,,,\n"
)
TERMS = {
    "increment_rule": "total",
    "rounding_mode": "up",
    "rounding_decimals": 4,
    "billable_base": "duration",
    "time_zone": "Europe/Berlin",
    "base_rounding": "floor",
    "windows": windows_said("peak mon-fri,sun 08:00-20:00; peak 2026-12-25"),
}


def stored(home, text: str, since: datetime = SINCE, **options):
    home.deck(text, since=since, **options)
    return stored_plan(home.lake, "retail", since)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("prefix,price\n44,0.02\n", {}),
        (EVERYTHING, TERMS),
        ("prefix,billing_minimum,price,unit_seconds\n44,6,0.02,\n1,30,0.1,60\n", {"unit_rule": "minimum"}),
        (
            "mcc,mnc,country_code,price\n262,1,DEU,0.08\n,,USA,0.1\n",
            {"service": "message", "direction": "outbound"},
        ),
    ],
    ids=["few columns", "every column and term", "a price per minimum", "messages"],
)
def test_a_sheet_gives_the_plan_that_it_was_made_from(home, tmp_path, text, options, kind):
    plan = stored(home, text, **options)
    path = tmp_path / f"sheet.{kind}"
    path.write_bytes(rate_sheet(plan, None, {}).content(path))
    again = read_deck(path, DeckOptions("retail", SINCE))

    assert again.version == plan.version
    assert set(again.rates) == set(plan.rates)


def test_columns_that_say_nothing_are_left_out(home):
    sheet = rate_sheet(
        stored(home, "prefix,country_code,price\n44,GBR,0.02\n"), None, {"GBR": "United Kingdom"}
    )

    assert sheet.csv().decode().splitlines() == [
        "prefix,country_code,country_name,billing_increment,billing_minimum,price,service,direction,family,currency",
        "44,GBR,United Kingdom,1,0,0.02,call,outbound,pstn,USD",
    ]


def test_names_never_become_formulas(home):
    plan = stored(home, "prefix,country_code,price\n44,GBR,0.02\n")

    assert ",'=cmd()," in rate_sheet(plan, None, {"GBR": "=cmd()"}).csv().decode()


def test_the_next_sheet_says_what_has_changed(home, tmp_path):
    first = stored(home, "prefix,price\n44,0.02\n49,0.03\n1,0.01\n")
    second = stored(home, "prefix,price,effective_date\n44,0.03,2026-04-01\n1,0.01,\n33,0.1,\n", since=MARCH)
    sent = Sent(tmp_path / "sent")
    sent.record(rate_sheet(first, sent.last_before(first), {}), NOW)
    sheet = rate_sheet(second, sent.last_before(second), {})
    at = [sheet.columns.index(name) for name in ("prefix", "price", "change", "old_price", "changes_from")]

    assert [tuple(row[n] for n in at) for row in sheet.rows] == [
        ("1", "0.01", "", "", ""),
        ("33", "0.1", "new", "", "2026-03-01"),
        ("44", "0.03", "up", "0.02", "2026-04-01"),
        ("49", "", "gone", "0.03", "2026-03-01"),
    ]
    (tmp_path / "sheet.csv").write_bytes(sheet.csv())
    assert read_deck(tmp_path / "sheet.csv", DeckOptions("retail", MARCH)).version == second.version


def test_a_row_that_will_end_is_still_in_the_sheet(home, tmp_path):
    first = stored(home, "prefix,price\n44,0.02\n")
    second = stored(home, "prefix,price,end_date\n44,0.02,2026-06-01\n", since=MARCH)
    path = tmp_path / "sheet.csv"
    path.write_bytes(rate_sheet(second, first, {}).csv())

    assert ",ends,0.02,2026-06-01" in path.read_text()
    assert read_deck(path, DeckOptions("retail", MARCH)).version == second.version


def test_the_same_version_again_gives_the_same_sheet_and_is_kept_once(home, tmp_path):
    first = stored(home, "prefix,price\n44,0.02\n")
    second = stored(home, "prefix,price\n44,0.03\n", since=MARCH)
    sent = Sent(tmp_path / "sent")
    sheets = []
    for plan in (first, second, second):
        sheets.append(rate_sheet(plan, sent.last_before(plan), {}))
        sent.record(sheets[-1], NOW)

    assert sheets[1].csv() == sheets[2].csv()
    assert len((tmp_path / "sent" / "sent.csv").read_text().splitlines()) == 3


def test_a_sheet_that_was_altered_after_it_was_sent_is_not_compared_with(home, tmp_path):
    first = stored(home, "prefix,price\n44,0.02\n")
    second = stored(home, "prefix,price\n44,0.03\n", since=MARCH)
    sent = Sent(tmp_path / "sent")
    path = sent.record(rate_sheet(first, None, {}), NOW)
    path.write_text(path.read_text().replace("0.02", "0.01"))

    with pytest.raises(DeckError, match="is not what was sent"):
        sent.last_before(second)

"""Landing: each content once, the newest version current, a bad record a row with a reason."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.domain.cursor import CALLS, MESSAGES, Bookmark, Page, Unreadable
from pipeline.lake.lake import Lake
from pipeline.land.records import Landed, land_pages
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.ledger.schema import files as files_table
from pipeline.measure.rollups import roll_up

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
TALK = datetime(2026, 3, 1, 15, 32, 16, tzinfo=UTC)


def call(sid: str = "a", **changes: Any) -> dict[str, Any]:
    """A call as the provider sends it: the shape of its documents' sample."""
    return {
        "cic": None,
        "cic_original": None,
        "cic_transformed": None,
        "date_insert": "2026-03-01T15:35:03.000Z",
        "date_start": "2026-03-01T15:32:15.589Z",
        "date_stop": "2026-03-01T15:32:19.839Z",
        "date_talk": "2026-03-01T15:32:16.535Z",
        "direction": "inbound",
        "disconnect_originator": "DST",
        "diversion_dst": "+15162065451",
        "diversion_src": "+15162065451",
        "dr_sid": sid,
        "duration": "4.25015",
        "duration_billing": "60",
        "endpoint_sid_dst": "1ce5a6da-7d72-448a-ab81-897fe24b8f02",
        "endpoint_sid_src": "7fc3e7ea-a0df-4de1-836f-50318ed66466",
        "identity": None,
        "ip_dst": "10.222.2.197:5060",
        "ip_src": "162.251.180.18",
        "number_billing": "15162065451",
        "number_dst": "15162065451",
        "number_dst_original": None,
        "number_dst_transformed": None,
        "number_external": "15012678830",
        "number_src": "+15012678830",
        "number_src_original": None,
        "number_src_transformed": None,
        "partner_sid": "ed437757-002d-4ecc-aa5a-efdf5e50dba0",
        "price": "0.0025",
        "rate": "0.0005",
        "sipcallid_dst": "11b5b29c3486cac52a7d5baa52c937c9@12.7.193.174",
        "sipcallid_src": "428ac5df4582bea66501f7d45199a18d@162.251.180.24",
        "sipcause": "200",
        "stir_attest": "A",
        "stir_identity": "false",
        "stir_orig_id": "+15012678830",
        "stir_signing_entity": "carrierX",
        "stir_verstat": None,
        "trunk_group_sid_dst": "cf7db13f-5c63-4c62-a447-fe3008cd72ef",
        "trunk_group_sid_src": None,
        "trunk_sid_dst": "7098d9f8-c8f2-400f-a31a-61ef7755985c",
        "trunk_sid_src": None,
        "type": "telecom",
        "user_data": {"identity": "a-private-passport"},
        "version": 2,
    } | changes


def message(sid: str = "m", **changes: Any) -> dict[str, Any]:
    """A message as the provider sends it."""
    return {
        "date_insert": "2026-03-24T10:25:11.000Z",
        "date_sent": "2026-03-24T10:25:11.014Z",
        "date_start": "2026-03-24T10:25:11.014Z",
        "date_stop": "2026-03-24T10:25:12.014Z",
        "delay_sent": 0,
        "direction": "outbound",
        "dr_sid": sid,
        "mcc": 310,
        "media_urls": [],
        "message": "a private text",
        "message_segments": 1,
        "mnc": 999,
        "number_billing": "15162065870",
        "number_dst": "12078152557",
        "number_external": "12078152557",
        "number_src": "15162065870",
        "partner_sid": "8d180104-0b34-4e55-907f-4a72409484c9",
        "price": "0.005",
        "provider": "tsg",
        "rate": "0.005",
        "status": "sent",
        "type": "sms",
        "user_data": "a private note",
        "version": None,
    } | changes


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Ledger.open(sqlite_url(tmp_path / "ledger.db")))


def land(lake: Lake, *items: dict[str, Any], feed=CALLS, unreadable: tuple = ()) -> Landed:
    return land_pages(lake, feed, [Page(list(items), unreadable)], Bookmark(), source="carrierx", now=NOW)


def counts(landed: Landed) -> tuple[int, ...]:
    return landed.fetched, landed.fresh, landed.superseding, landed.identical, landed.quarantined


def current(lake: Lake, *columns: str, table: str = "land/calls") -> list[tuple]:
    return lake.scan(table).select(*columns).collect().rows()


def test_sample_call_lands_exactly(lake: Lake) -> None:
    """Decimals stay decimal, booleans as text become booleans, numbers keep their plus."""
    land(lake, call())
    row = lake.scan("land/calls").collect().row(0, named=True)
    wanted = {
        "price": Decimal("0.0025"),
        "duration": Decimal("4.25015"),
        "date_talk": datetime(2026, 3, 1, 15, 32, 16, 535000, tzinfo=UTC),
        "number_src": "+15012678830",
        "stir_identity": False,
        "disconnect_originator": "dst",
        "sipcause": 200,
        "version": 2,
        "revision": 1,
        "extra_json": None,
    }
    assert {name: row[name] for name in wanted} == wanted


@pytest.mark.parametrize(("feed", "item"), [(CALLS, call()), (MESSAGES, message())], ids=["call", "message"])
def test_private_fields_are_not_stored(lake: Lake, feed, item: dict) -> None:
    """Message text, media links and user data leave no trace on disk."""
    land(lake, item, feed=feed)
    content = b"".join(p.read_bytes() for p in lake.home.rglob("*") if p.is_file())
    assert b"a private" not in content


def test_identical_content_changes_no_file(lake: Lake) -> None:
    """A second pull of the same records is a no-op."""
    land(lake, call("a"), call("b"))
    before = lake.files("land/calls")
    assert counts(land(lake, call("b"), call("a"))) == (2, 0, 0, 2, 0)
    assert lake.files("land/calls") == before


VERSIONS = {
    "newer version wins": (2, "1", 3, "2", ("2", 2)),
    "older version does not": (2, "1", 1, "2", ("1", 1)),
    "same version, later content wins": (2, "1", 2, "2", ("2", 2)),
    "null is lowest": (None, "1", 1, "2", ("2", 2)),
    "null does not replace a version": (1, "1", None, "2", ("1", 1)),
}


@pytest.mark.parametrize(("v1", "p1", "v2", "p2", "wanted"), VERSIONS.values(), ids=VERSIONS)
def test_current_content_of_a_changed_record(lake: Lake, v1, p1, v2, p2, wanted) -> None:
    """The other content is kept beside it."""
    land(lake, call(version=v1, price=p1))
    second = land(lake, call(version=v2, price=p2))
    found = [(str(p.normalize()), r) for p, r in current(lake, "price", "revision")]
    assert (counts(second), found) == ((1, 0, 1, 0, 0), [wanted])
    kept = [str(p.normalize()) for (p,) in current(lake, "price", table="land/calls_versions")]
    assert sorted([found[0][0], *kept]) == ["1", "2"]


def test_superseded_content_that_comes_again_says_nothing_new(lake: Lake) -> None:
    """A sweep that meets an old version again adds no row."""
    land(lake, call(version=3, price="3"))
    land(lake, call(version=2, price="2"))
    assert counts(land(lake, call(version=2, price="2"))) == (1, 0, 0, 1, 0)
    assert len(current(lake, "price", table="land/calls_versions")) == 1


def test_record_that_moves_to_another_day_leaves_the_first(lake: Lake) -> None:
    """Both days are known as touched; the emptied one has no file left."""
    land(lake, call())
    moved = land(lake, call(version=3, date_stop="2026-03-02T00:00:01.000Z"))
    assert moved.days == {date(2026, 3, 1), date(2026, 3, 2)}
    assert [f.label for f in lake.files("land/calls")] == ["date=2026-03-02"]


def test_two_contents_in_one_page(lake: Lake) -> None:
    """The counts add up and the newer one is current."""
    landed = land(lake, call(version=2, price="1"), call(version=3, price="2"), call("b"))
    assert counts(landed) == (3, 2, 1, 0, 0)
    assert sorted(current(lake, "dr_sid", "revision")) == [("a", 2), ("b", 1)]


BAD = {
    "impossible date": {"date_talk": "2026-02-30T00:00:00.000Z"},
    "leap second": {"date_stop": "2026-03-01T23:59:60.000Z"},
    "exponent": {"price": "1E+30"},
    "not a number": {"price": "NaN"},
    "too many digits": {"rate": "0." + "1" * 13},
    "spaces inside": {"duration": "1 000"},
    "no partner": {"partner_sid": None},
    "no end": {"date_stop": None},
    "a list for a number": {"price": [1]},
    "a word for a boolean": {"stir_identity": "perhaps"},
    "a version beyond 64 bits": {"version": 2**70},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_record_is_a_row_with_a_reason(lake: Lake, bad: dict) -> None:
    """It is quarantined once, and its neighbours land."""
    item = call("bad", **bad)
    first, again = land(lake, call("good"), item), land(lake, item)
    quarantined = current(lake, "dr_sid", "reason", table="land/quarantine")
    assert (counts(first), counts(again)) == ((2, 1, 0, 0, 1), (1, 0, 0, 0, 1))
    assert [sid for sid, _ in quarantined] == ["bad"]
    assert next(iter(bad)) in quarantined[0][1] or "fit" in quarantined[0][1]


LENIENT = {
    "price as a number": ({"price": "0.5"}, "price", Decimal("0.5")),
    "cause as a number": ({"sipcause": 486}, "sipcause", 486),
    "version as text": ({"version": "7"}, "version", 7),
    "date without milliseconds": (
        {"date_talk": "2026-03-01T15:32:16Z"},
        "date_talk",
        datetime(2026, 3, 1, 15, 32, 16, tzinfo=UTC),
    ),
    "date with an offset": (
        {"date_talk": "2026-03-01T16:32:16+01:00"},
        "date_talk",
        datetime(2026, 3, 1, 15, 32, 16, tzinfo=UTC),
    ),
    "boolean as boolean": ({"stir_identity": True}, "stir_identity", True),
    "unknown key": ({"codec_src": "opus"}, "extra_json", '{"codec_src":"opus"}'),
    "missing keys": ({"identity": None}, "identity", None),
}


@pytest.mark.parametrize(("given", "column", "wanted"), LENIENT.values(), ids=LENIENT)
def test_dialects_of_the_documents_are_read(lake: Lake, given: dict, column: str, wanted: object) -> None:
    """What the documents show in more than one shape is taken in each."""
    landed = land(lake, call(**given))
    assert (counts(landed), current(lake, column)) == ((1, 1, 0, 0, 0), [(wanted,)])


def test_unreadable_bytes_are_kept(lake: Lake) -> None:
    """An item that is no text is quarantined with its bytes."""
    land(lake, call(), unreadable=(Unreadable(b'{"dr_sid": "\\ud83d"}', "not readable"),))
    assert current(lake, "raw", "reason", table="land/quarantine") == [
        (b'{"dr_sid": "\\ud83d"}', "not readable")
    ]


def test_group_message_counts_its_recipients(lake: Lake) -> None:
    """number_group_dst is what a group MMS is billed by."""
    land(lake, message("one"), message("three", number_group_dst=["1", "2", "3"]), feed=MESSAGES)
    found = current(lake, "dr_sid", "recipients", "extra_json", table="land/messages")
    assert sorted(found) == [("one", 1, None), ("three", 3, None)]


def test_messages_lie_on_their_insert_day(lake: Lake) -> None:
    """Messages are billed and stored by date_insert."""
    land(lake, message(date_insert="2026-03-25T00:00:00.000Z"), feed=MESSAGES)
    assert [f.label for f in lake.files("land/messages")] == ["date=2026-03-25"]


def test_private_fields_are_stored_where_asked_for(lake: Lake) -> None:
    """They have a column of their own, and the content of the record is the same without them."""
    store = {"source": "carrierx", "now": NOW, "store_private": True}
    land_pages(lake, MESSAGES, [Page([message()])], Bookmark(), **store)
    again = land(lake, message(), feed=MESSAGES)
    [(text,)] = current(lake, "private_json", table="land/messages")
    assert (counts(again), text) == (
        (1, 0, 0, 1, 0),
        '{"message":"a private text","user_data":"a private note"}',
    )


def test_lag_is_told_in_whole_seconds() -> None:
    assert Landed(slowest=timedelta(minutes=8, seconds=55, milliseconds=148)).lag == "0:08:55"


def test_lag_of_late_records_is_measured(lake: Lake) -> None:
    """From the end of a call to its insertion; an identical record is measured once."""
    late = call("late", date_insert="2026-03-01T18:32:19.839Z")
    first, again = land(lake, call(), late), land(lake, call(), late)
    assert (first.slowest, first.late) == (timedelta(hours=3), 1)
    assert (again.slowest, again.late) == (timedelta(0), 0)
    roll_up(lake, lake.ledger, now=NOW)
    [row] = lake.query("select * from measure.lag")
    assert (row["calls"], row["longest_seconds"], row["over_15_minutes"], row["over_24_hours"]) == (
        2,
        10800,
        1,
        0,
    )


def test_unknown_values_are_kept_and_counted(lake: Lake) -> None:
    """An enumeration may grow; nothing is lost, and it can be seen."""
    land(lake, call(), call("b", type="hologram", direction="Sideways"), call("c", type="hologram"))
    found = lake.query("select field, value, records from measure.unknown_values")
    assert [tuple(row.values()) for row in found] == [("type", "hologram", 2), ("direction", "sideways", 1)]


def test_file_from_before_a_column_was_added_is_still_read(lake: Lake) -> None:
    """A wider table does not break yesterday's files."""
    land(lake, call())
    [file] = lake.files("land/calls")
    pl.read_parquet(file.path).drop("private_json", "cic").write_parquet(file.path)
    with lake.ledger.transaction() as tx:
        changes = {
            "bytes": file.path.stat().st_size,
            "sha256": hashlib.sha256(file.path.read_bytes()).hexdigest(),
        }
        tx.execute(files_table.update().values(**changes))
    land(lake, call("b"))
    assert current(lake, "dr_sid", "private_json", "cic") == [("a", None, None), ("b", None, None)]

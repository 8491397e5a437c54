"""Whole days: what is rated, what is left alone, and what a run says about it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest

from pipeline.errors import LakeError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.masters.model import Assignment
from pipeline.rate import engine
from pipeline.rate.due import due_days
from tests.unit.rate.homes import DAY, LATER, MASTERS, SINCE, call, customer

NEXT = date(2026, 3, 11)
NOON_NEXT = datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def rated_once(shared):
    """Two days: a cost and a charge each, one call without a rate."""
    shared.provider_plan([("44", "6", "6", "0.001"), ("1", "6", "6", "0.0005")])
    shared.deck()
    shared.calls(call("a", price=Decimal("0.01")), call("b", "33123456789", price=Decimal(0)))
    shared.calls(call("c", "12125550100", "31", at=NOON_NEXT), day=NEXT)
    shared.first = shared.rate()
    return shared


@pytest.fixture
def rated(rated_once, copied):
    return copied(rated_once)


def test_every_record_has_a_cost_and_a_charge(rated):
    assert rated.rows("dr_sid, side, rating_status, unrated_reason, billed_seconds, amount") == [
        ("a", "charge", "rated", None, Decimal("60.000"), Decimal("0.0200000000")),
        ("a", "cost", "rated", None, Decimal("60.000"), Decimal("0.0100000000")),
        ("b", "charge", "unrated", "no_rate", None, None),
        ("b", "cost", "unrated", "no_rate", None, None),
        ("c", "charge", "rated", None, Decimal("36.000"), Decimal("0.0060000000")),
        ("c", "cost", "rated", None, Decimal("36.000"), Decimal("0.0030000000")),
    ]


def test_the_report_counts_records_reasons_and_money(rated):
    report = rated.first

    assert (report.written, report.unchanged, report.removed) == (2, 0, 0)
    assert report.records(status="rated", side="charge") == 2
    assert report.reasons("unrated", "charge") == {"no_rate": 1}
    assert report.amounts("charge") == {"USD": Decimal("0.0260000000")}
    assert report.amounts("cost") == {"USD": Decimal("0.0130000000")}


def test_days_are_files_of_their_own(rated):
    assert [(f.label, f.rows) for f in rated.lake.files("rate/calls")] == [
        ("date=2026-03-10", 4),
        ("date=2026-03-11", 2),
    ]


def test_nothing_changed_nothing_is_rated(rated):
    before = rated.hashes()
    again = rated.rate(now=LATER)

    assert (again.written, again.unchanged) == (0, 2)
    assert rated.hashes() == before


def test_a_changed_day_is_rated_alone(rated):
    rated.calls(call("a", seconds="61"), call("b", "33123456789"))

    assert list(due_days(rated.lake, MASTERS, root_sid="root")) == [DAY]
    assert (rated.rate().written, rated.rate().written) == (1, 0)
    assert rated.rows("amount from rate.calls where dr_sid = 'a' and side = 'charge' --") == [
        (Decimal("0.04"),)
    ]


def test_only_the_days_asked_for_are_rated(rated):
    rated.deck(rated_deck("0.03"))

    assert rated.rate(days=[NEXT]).written == 1
    assert rated.rate().written == 1


def test_a_day_that_lost_all_its_records_is_removed(rated):
    with rated.ledger.transaction() as tx:
        rated.lake.commit(tx, [], at=LATER, stage="land", remove=[("land/calls", f"date={NEXT}")])

    assert list(due_days(rated.lake, MASTERS, root_sid="root").items()) == [(NEXT, "gone")]
    assert rated.rate().removed == 1
    assert list(rated.hashes()) == ["date=2026-03-10"]


def test_rating_again_gives_the_same_bytes(rated, monkeypatch):
    before = rated.hashes()
    monkeypatch.setattr("pipeline.rate.due.VERSION", "another")

    assert rated.rate().written == 2
    assert rated.hashes() == before


@pytest.mark.parametrize(
    "masters",
    [
        replace(MASTERS, assignments=(Assignment("shop", "retail"),)),
        replace(MASTERS, assignments=()),
        replace(MASTERS, customers={}),
    ],
    ids=["an assignment", "no assignment", "no customer"],
)
def test_changed_masters_rate_again(rated, masters):
    assert rated.rate(masters).written == 2


def test_masters_that_do_not_bear_on_rating_do_not(rated):
    renamed = replace(MASTERS, customers={"shop": replace(customer("shop"), name="Renamed", terms_days=30)})

    assert rated.rate(replace(renamed, fingerprint="other")).written == 0


def test_a_new_customer_with_a_plan_of_its_own_does_not_rate_others_again(rated):
    rated.deck(rated_deck("0.5"), sid="special")
    rows = [{"partner_sid": sid, "parent_sid": "root", "valid_from": SINCE} for sid in ("shop", "newcomer")]
    rated.put("land/partners", "all", rows)
    rated.put(
        "land/endpoints",
        "all",
        [{"endpoint_sid": e, "type": "system_gateway", "valid_from": SINCE} for e in ("gateway", "second")],
    )
    masters = replace(
        MASTERS,
        customers=MASTERS.customers | {"newcomer": customer("newcomer")},
        assignments=(*MASTERS.assignments, Assignment("newcomer", "special")),
    )

    assert rated.rate(masters).written == 0
    rated.calls(call("n", partner_sid="newcomer"))
    assert rated.rate(masters).written == 1
    assert rated.rate(masters).written == 0


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("land/partners", {"partner_sid": "other", "parent_sid": "root", "valid_from": SINCE}),
        ("land/endpoints", {"endpoint_sid": "gateway", "type": "conference", "valid_from": SINCE}),
    ],
)
def test_a_partner_or_endpoint_of_its_own_that_changes_rates_again(rated, table, row):
    rated.put(table, "all", [row])

    assert rated.rate().written == 2


def test_what_begins_later_does_not_rate_the_past_again(rated):
    april = datetime(2026, 4, 1, tzinfo=UTC)
    rated.deck(rated_deck("0.03"), since=april)
    later = Assignment("shop", "retail", start=april)

    assert rated.rate(replace(MASTERS, assignments=(*MASTERS.assignments, later))).written == 0


def test_a_new_version_from_a_day_on_rates_that_day_and_the_next(rated):
    rated.deck(rated_deck("0.03"), since=datetime(2026, 3, 13, tzinfo=UTC))
    assert rated.rate().written == 0

    rated.deck(rated_deck("0.03"), since=datetime(2026, 3, 12, tzinfo=UTC))
    assert rated.rate().written == 1


def test_a_partner_and_an_endpoint_that_are_gone_still_count(rated):
    gone = SINCE + timedelta(days=1)
    rated.put(
        "land/partners",
        "all",
        [{"partner_sid": "shop", "parent_sid": "root", "valid_from": SINCE, "valid_to": gone}],
    )
    rated.put(
        "land/endpoints",
        "all",
        [{"endpoint_sid": "gateway", "type": "system_gateway", "valid_from": SINCE, "valid_to": gone}],
    )

    assert rated.rate().written == 0


def test_a_plan_that_is_not_imported_is_a_warning(rated):
    masters = replace(MASTERS, assignments=(Assignment("*", "missing"),))

    assert rated.rate(masters).warnings == (
        "assignments.csv names the plan missing, which is not imported: import it, or its customers stay unrated.",
    )


def test_oddities_are_counted(home):
    home.calls(
        call("a", endpoint_sid_dst="unheard"),
        call("b", number_dst_transformed="123"),
        call("c", number_dst_original="442079460000"),
    )
    report = home.rate()

    assert (report.endpoint_unknown, report.numbers_differ) == (1, 1)


def test_records_filed_under_the_wrong_day_are_never_half_rated(home):
    home.calls(call("a"), day=NEXT)

    with pytest.raises(LakeError, match="1 records landed, 1 were rated, 0 of 2 rows fell on their day"):
        home.rate()
    assert home.hashes() == {}


def test_a_day_of_several_row_groups_keeps_the_order_of_its_records(home):
    home.provider_plan([("44", "6", "6", "0.001")])
    count = 130_000
    one = pa.Table.from_pylist(
        [dict.fromkeys(BY_NAME["land/calls"].schema.names) | call("a")], schema=BY_NAME["land/calls"].schema
    )
    many = pl.concat([pl.DataFrame(pl.from_arrow(one))] * count, rechunk=True)
    stops = pl.datetime(2026, 3, 10, 12, 2, time_zone="UTC", time_unit="ms") + pl.duration(
        milliseconds=pl.int_range(count)
    )
    many = many.with_columns(
        stops.alias("date_stop"), pl.int_range(count).reverse().cast(pl.String).alias("dr_sid")
    )
    staged = home.lake.stage("land/calls", f"date={DAY}", many)
    with home.ledger.transaction() as tx:
        home.lake.commit(tx, [staged], at=LATER, stage="land")
    assert home.rate().written == 1

    written = pl.read_parquet(home.lake.files("rate/calls")[0].path)
    assert written.filter(side="cost")["dr_sid"].equals(many["dr_sid"])
    assert written["side"].head(4).to_list() == ["cost", "charge", "cost", "charge"]
    assert written["side"].equals(pl.concat([written["side"].head(2)] * count))


def test_progress_counts_records(rated, monkeypatch):
    seen = []
    monkeypatch.setattr("pipeline.rate.due.VERSION", "another")
    engine.rate_days(
        rated.lake,
        rated.ledger,
        MASTERS,
        root_sid="root",
        days=None,
        now=LATER,
        progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(2, 3), (3, 3)]


def test_footers_of_files_are_not_kept_while_days_are_rated(rated_once):
    lake = rated_once.lake
    footers = "select memory_usage_bytes from duckdb_memory() where tag = 'OBJECT_CACHE'"
    [day, _] = lake.files("land/calls")

    def kept(con) -> int:
        con.execute(f"select count(*) from read_parquet('{day.path}') where sipcause = 200").fetchall()
        return con.execute(footers).fetchall()[0][0]

    with lake.duck(apart=True) as con:
        with engine.steady(con):
            while_rating = kept(con)
        after = kept(con)

    assert while_rating < 1000 < after


def test_the_limit_of_memory_is_the_same_from_part_to_part(rated_once):
    with rated_once.lake.duck() as con:
        limits = []
        for _ in range(3):
            limits += con.execute("select current_setting('memory_limit')").fetchall()
            rated_once.lake.give_back(con)

    assert limits == limits[:1] * 3


def test_messages_are_rated_by_the_day_they_were_inserted(home):
    home.deck(
        "mcc,country_code,price\n262,DEU,0.08\n", sid="retail", service="message", direction="", family=""
    )
    inserted = datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC)
    home.put("land/messages", f"date={DAY}", [message_row(inserted)])

    assert home.rate().written == 1
    assert home.rows(
        "side, rating_status, billed_units, amount, date_stop, country_code", "rate.messages"
    ) == [
        ("charge", "rated", 2, Decimal("0.1600000000"), inserted, "DEU"),
        ("cost", "unrated", None, None, inserted, "DEU"),
    ]


def test_unrated_shows_both_services(rated):
    assert rated.rows("service, dr_sid, side, unrated_reason", "rate.unrated") == [
        ("call", "b", "charge", "no_rate"),
        ("call", "b", "cost", "no_rate"),
    ]


def test_a_damaged_landed_file_stops_the_run(rated):
    rated.calls(call("a", seconds="61"))
    path = next(f.path for f in rated.lake.files("land/calls") if f.label == f"date={DAY}")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    fresh = Lake(rated.folder, rated.ledger)

    with pytest.raises(LakeError, match="damaged"):
        engine.rate_days(fresh, rated.ledger, MASTERS, root_sid="root", days=None, now=LATER)


def rated_deck(price: str) -> str:
    return f"prefix,price\n44,{price}\n"


def message_row(inserted: datetime) -> dict:
    return {
        "source": "carrierx",
        "dr_sid": "m",
        "revision": 1,
        "date_start": inserted,
        "date_stop": inserted,
        "date_insert": inserted,
        "direction": "outbound",
        "type": "sms",
        "status": "sent",
        "partner_sid": "shop",
        "number_dst": "4915112345678",
        "number_billing": "12125550100",
        "mcc": 262,
        "mnc": 1,
        "message_segments": 2,
        "recipients": 1,
    }

"""The optional resources and the lookups on an open home, against the sandbox: what lands, and what must not."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stamina

from pipeline.desk.desk import Desk
from pipeline.desk.dimensions import (
    DIMENSIONS,
    look_up_numbers,
    pull_dimension,
    pull_dimensions,
)
from pipeline.errors import SettingsError, TransientError, UnauthorizedError
from pipeline.provider import app as sandbox_app
from pipeline.provider.faults import Faults
from pipeline.provider.inventory import ENDPOINT_SIDS
from pipeline.provider.server import start_background
from pipeline.provider.world import World, WorldConfig
from pipeline.settings import Settings

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
ROWS = {
    "trunk_groups": 4,
    "trunks": 8,
    "billing_methods": 19,
    "mediator_accounts": 1,
    "mediator_bindings": 4,
    "mediator_dialouts": 4,
    "mediator_dids": 12,
    "batch_tasks": 5,
    "access_rules": 5,
    "effective_acls": 73,
}
# What the sandbox shows and no file of a home may hold.
CANARIES = (
    "sandbox-token", "sandbox-mediator-secret", "sandbox-flexml-secret", "sandbox-conference-secret",
    "sandbox-sip-secret", "c2FuZGJveF9tZWRpYXRvcjpz", "sandbox_mediator:", "sandbox-header-secret",
    "sandbox-user-secret", "key=hush", "4111111111111111", "CANARY",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_waiting():
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def world() -> World:
    return World(WorldConfig(calls=20, messages=10))


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    with start_background(world, process=False) as sandbox:
        settings = Settings(home=tmp_path / "home", api_url=sandbox.url, api_token="sandbox-token")
        yield Desk.open(settings, now=NOW)


def count(desk: Desk, table: str) -> int:
    return desk.lake.query(f"select count(*) as n from land.{table}")[0]["n"]


def all_text(desk: Desk) -> str:
    """Every byte of the home, and every row of its tables unpacked."""
    files = [path.read_bytes() for path in desk.settings.home.rglob("*") if path.is_file()]
    tables = [f"land/{name}" for name in (*DIMENSIONS, "endpoints", "lookups", "quarantine")]
    rows = [str(desk.lake.scan(name).collect().to_dicts()) for name in tables]
    return b"\n".join(files).decode("utf-8", "replace") + "\n".join(rows)


def test_every_resource_lands_whole_and_a_second_time_changes_nothing(desk: Desk) -> None:
    first = {done.resource: done for done in pull_dimensions(desk)}

    assert {name: count(desk, name) for name in ROWS} == ROWS
    assert {name: done.landed.new for name, done in first.items() if name in ROWS} == ROWS
    assert [done for done in first.values() if done.landed.quarantined or done.reason] == []

    again = pull_dimensions(desk)
    assert [(done.landed.new, done.landed.gone) for done in again] == [(0, 0)] * len(DIMENSIONS)


def test_transformations_are_found_at_all_their_owners(desk: Desk) -> None:
    pull_dimension(desk, "transformations")

    found = desk.lake.query(
        "select owner_type, list(effect order by effect) as effects from land.transformations "
        "where owner_type <> 'did' group by all order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("endpoint", ["rewrite_from", "stir_validate"]),
        ("partner", ["reject", "set_user_data"]),
        ("trunk", ["rewrite_from"]),
        ("trunk_group", ["reject", "rewrite_to", "set_header"]),
    ]


def test_what_passes_stays_in_the_history(world: World, desk: Desk) -> None:
    pull_dimension(desk, "mediator_dialouts")
    desk.now += timedelta(days=6)
    world.clock.set(desk.now)

    done = pull_dimension(desk, "mediator_dialouts")

    assert (done.landed.rows, done.landed.gone) == (0, 4)
    assert (count(desk, "mediator_dialouts"), count(desk, "mediator_dialouts_history")) == (0, 4)


def test_a_forbidden_resource_names_its_scope_and_leaves_the_others(world: World, desk: Desk) -> None:
    pull_dimensions(desk)
    world_faults(desk, world, "forbidden=trunk_groups+batch_tasks+billing_methods")
    desk.now += timedelta(days=1)

    done = {d.resource: d for d in pull_dimensions(desk)}

    assert {name: d.reason.rpartition("ask for ")[2] for name, d in done.items() if d.landed is None} == {
        "trunk_groups": "trunk_groups.read and trunk_groups.trunks.read.",
        "trunks": "trunk_groups.read and trunk_groups.trunks.read.",
        "billing_methods": "partners.billing_method.read.",
        "batch_tasks": "batch.read.",
    }
    assert not any(d.failed for d in done.values())
    whole = [name for name in ROWS if name != "effective_acls"]
    assert {name: count(desk, name) for name in whole} == {name: ROWS[name] for name in whole}
    owners = "select distinct owner_type from {} order by 1"
    assert [
        desk.lake.query(owners.format(f"land.{name}")) for name in ("effective_acls", "transformations")
    ] == [
        [{"owner_type": "partner"}],
        [{"owner_type": "did"}, {"owner_type": "endpoint"}, {"owner_type": "partner"}],
    ]


def world_faults(desk: Desk, world: World, faults: str) -> None:
    """Puts faults in force, as ``PUT /sandbox/faults`` does."""
    import httpx

    admin = desk.settings.api_url.removesuffix("/core/v2") + "/sandbox/faults"
    answer = httpx.put(admin, json={"faults": faults}, headers={"Authorization": "Bearer sandbox-token"})
    assert (answer.status_code, world.faults) == (200, Faults.parse(faults))


def test_an_inner_failure_of_the_mediator_fails_it_alone_and_changes_nothing(
    world: World, desk: Desk
) -> None:
    pull_dimension(desk, "mediator_dids")
    world_faults(desk, world, "mediator_inner_failure=1")

    done = pull_dimensions(desk, ("mediator_dids", "access_rules"))

    assert [(d.landed is not None, d.failed) for d in done] == [(False, True), (True, False)]
    assert "internal error" in done[0].reason
    assert count(desk, "mediator_dids") == 12


def test_a_resource_that_the_account_lacks_is_not_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.pull.dimensions.READERS", {"trunk_groups": _no_such_path})

    done = pull_dimension(desk, "trunk_groups")

    assert (done.landed, done.failed) == (None, False)
    assert done.reason.startswith("the account has none (GET http://127.0.0.1:")


def _no_such_path(client):
    return client.get("/trunk_groups_of_the_future")


def test_a_refused_token_ends_it(desk: Desk) -> None:
    pull_dimension(desk, "access_rules")
    desk.settings = replace(desk.settings, api_token="wrong")

    with pytest.raises(UnauthorizedError):
        pull_dimensions(desk)


def test_no_secret_reaches_the_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    method = {
        "type": {"CANARY": "nested"}, "cc_number": "4111111111111111", "cc_cid": "CANARY", "cc_expiration": "022029",
        "ec_account_number": "CANARY", "ec_routing_number": "CANARY",
    }  # fmt: skip
    plain = method | {"type": "visa", "cc_number": "4111111111111234"}
    monkeypatch.setattr(sandbox_app, "billing_method", lambda p: method if p.index % 2 else plain)

    done = {d.resource: d for d in pull_dimensions(desk)}
    desk.pull_snapshot("endpoints")
    look_up_numbers(desk, ["12065550100"])

    assert done["billing_methods"].landed.quarantined == 12
    assert count(desk, "billing_methods") == 13
    text = all_text(desk)
    assert [canary for canary in CANARIES if canary in text] == []


def test_credentials_reach_no_host_that_an_answer_names(world: World, desk: Desk) -> None:
    seen: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    [mediator] = [e for e in world.endpoints if e["endpoint_sid"] == ENDPOINT_SIDS["mediator"]]
    with ThreadingHTTPServer(("127.0.0.1", 0), Canary) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mediator["properties"]["api_url"] = f"http://127.0.0.1:{server.server_port}/mediator/v1"
        done = pull_dimension(desk, "mediator_dids")
        server.shutdown()

    assert (seen, done.landed.rows) == ([], 12)


# --- lookups -------------------------------------------------------------------------------------------------

NUMBERS = ["+1 206 555 0100", "12065550101", "12065550102", "12065550100"]


def test_a_number_is_paid_for_once(world: World, desk: Desk) -> None:
    first = look_up_numbers(desk, NUMBERS)
    again = look_up_numbers(desk, NUMBERS)

    assert ((first.paid, first.cached), (again.paid, again.cached)) == ((3, 0), (0, 3))
    assert [row["lrn"] for row in again.rows] == ["2065550000"] * 3
    assert world.lookups == {"carrier": 3, "lrn": 3}


def test_a_lookup_is_made_for_a_customer_or_for_ourselves(desk: Desk) -> None:
    desk.settings.masters.mkdir(parents=True)
    (desk.settings.masters / "sellers.toml").write_text('[seller.house]\nname = "House"\n')
    (desk.settings.masters / "customers.csv").write_text(
        "partner_sid,name,time_zone,currency,country\nacme,Acme,UTC,USD,USA\n"
    )
    known = Desk.open(desk.settings, now=NOW)
    look_up_numbers(known, NUMBERS[:1], customer="acme")
    look_up_numbers(known, NUMBERS[1:2])

    assert known.lake.query("select phonenumber, partner_sid from land.lookups order by all") == [
        {"phonenumber": "12065550100", "partner_sid": "acme"},
        {"phonenumber": "12065550101", "partner_sid": None},
    ]
    with pytest.raises(SettingsError, match="'acmee' is no customer"):
        look_up_numbers(known, NUMBERS[2:3], customer="acmee")


def test_other_details_are_paid_for_and_nothing_is_lost_to_them(world: World, desk: Desk) -> None:
    look_up_numbers(desk, NUMBERS[:1], details=("lrn",))
    [row] = look_up_numbers(desk, NUMBERS[:1], details=("cnam",)).rows
    [held] = look_up_numbers(desk, NUMBERS[:1], details=("lrn",)).rows

    assert (row["cnam_name"], row["lrn"], held["lrn"], held["cnam_name"]) == (
        "CALLER 0100",
        None,
        "2065550000",
        None,
    )
    assert world.lookups == {"lrn": 1, "cnam": 1}


def test_a_run_spends_no_more_than_its_cap(world: World, desk: Desk) -> None:
    report = look_up_numbers(desk, NUMBERS, most=2)

    assert (report.paid, report.left, len(report.rows)) == (2, ("12065550102",), 2)
    assert look_up_numbers(desk, NUMBERS, most=0).paid == 0
    assert world.lookups["lrn"] == 2


def test_what_is_no_number_costs_nothing_and_what_matches_nothing_is_remembered(
    world: World, desk: Desk
) -> None:
    report = look_up_numbers(desk, ["anonymous", "1" * 16, "99999999999"])

    assert (report.invalid, report.paid) == (("anonymous", "1" * 16), 1)
    assert [(row["phonenumber"], row["status"]) for row in report.rows] == [("99999999999", "unmatched")]
    assert look_up_numbers(desk, ["99999999999"]).paid == 0


def test_old_answers_are_asked_for_again_on_request(world: World, desk: Desk) -> None:
    look_up_numbers(desk, NUMBERS[:1])
    desk.now += timedelta(days=400)

    assert look_up_numbers(desk, NUMBERS[:1]).paid == 0
    assert look_up_numbers(desk, NUMBERS[:1], since=NOW + timedelta(days=30)).paid == 1
    assert count(desk, "lookups") == 2


def test_a_lookup_is_not_tried_twice_and_what_came_before_it_is_kept(world: World, desk: Desk) -> None:
    desk.pull_snapshot("countries")
    look_up_numbers(desk, NUMBERS[:1])
    world_faults(desk, world, "http_500=1")

    tries: list[str] = []
    desk.progress = tries.append
    with pytest.raises(TransientError):
        look_up_numbers(desk, NUMBERS)
    assert tries == []
    assert count(desk, "lookups") == 1


@pytest.mark.parametrize("details", [(), ("shoe size",)])
def test_nothing_is_asked_for_that_does_not_exist(desk: Desk, details: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="carrier, cnam, lrn"):
        look_up_numbers(desk, NUMBERS, details=details)

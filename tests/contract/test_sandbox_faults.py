"""Every fault of the sandbox does what its name says, to as many records or answers as it says, and to no others."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx import Client

from pipeline.provider import fone
from pipeline.provider.app import create_app
from pipeline.provider.faults import RESOURCES, Faults
from pipeline.provider.partners import partner_sid
from pipeline.provider.world import World, WorldConfig
from tests.contract.sandbox_api import client

CALLS = "/core/v2/calls/call_drs"
MEDIATOR_LOGIN = ("sandbox_mediator", "sandbox-mediator-secret")


def sandbox(faults: str, **config: Any) -> Client:
    world = World(WorldConfig(seed=5, calls=300, messages=50, faults=Faults.parse(faults), **config))
    return client(create_app(world))


def records(api: Client) -> dict[str, dict]:
    items = api.get(CALLS, params={"limit": 1000, "order": "date_stop"}).json()["items"]
    return {item["dr_sid"]: item for item in items}


def planted(api: Client, fault: str) -> list[dict]:
    return api.get("/sandbox/truth").json()["planted"][fault]


@pytest.fixture(scope="module")
def clean() -> dict[str, dict]:
    return records(sandbox(""))


def changed(clean: dict[str, dict], spoiled: dict[str, dict]) -> dict[str, set[str]]:
    """The keys that differ, by record."""
    return {
        sid: {key for key in record if record[key] != clean[sid][key]}
        for sid, record in spoiled.items()
        if record != clean[sid]
    }


def test_wrong_charges_change_the_price_of_so_many_calls(clean: dict[str, dict]) -> None:
    api = sandbox("wrong_charges=7")
    told = planted(api, "wrong_charges")

    assert changed(clean, records(api)) == {entry["dr_sid"]: {"price"} for entry in told}
    assert len(told) == 7
    ratios = [Decimal(entry["price"]) / Decimal(entry["price_due"]) for entry in told]
    assert sorted(ratios) == [0, 0, 2, 2, 2, 10, 10]
    assert [clean[entry["dr_sid"]]["price"] for entry in told] == [entry["price_due"] for entry in told]


def test_missing_answers_leave_the_charge(clean: dict[str, dict]) -> None:
    api = sandbox("missing_answer=4")
    spoiled, told = records(api), planted(api, "missing_answer")

    assert changed(clean, spoiled) == {entry["dr_sid"]: {"date_talk"} for entry in told}
    assert [spoiled[e["dr_sid"]]["date_talk"] for e in told] == [None] * 4
    assert all(spoiled[e["dr_sid"]]["price"] != "0" for e in told)


def test_version_bumps_come_with_time(clean: dict[str, dict]) -> None:
    api = sandbox("version_bumps=6")
    told = planted(api, "version_bumps")
    after = records(api)

    keys = {"date_start", "date_talk", "duration", "duration_billing", "price", "version"}
    assert {sid: found - keys for sid, found in changed(clean, after).items()} == {
        e["dr_sid"]: set() for e in told
    }
    assert [(after[e["dr_sid"]]["version"], after[e["dr_sid"]]["price"]) for e in told] == [
        (3, e["price_after"]) for e in told
    ]

    moment = datetime.fromisoformat(told[2]["at"])
    sid = told[2]["dr_sid"]
    for step, version in ((-1, 2), (0, 3)):
        api.put("/sandbox/clock", json={"now": (moment + timedelta(milliseconds=step)).isoformat()})
        assert api.get(f"{CALLS}/{sid}").json()["version"] == version


def test_late_inserts_appear_hours_later_and_nothing_else_changes(clean: dict[str, dict]) -> None:
    api = sandbox("late_inserts=0.1")
    told = {entry["dr_sid"] for entry in planted(api, "late_inserts")}
    everything = records(api)

    assert changed(clean, everything) == {sid: {"date_insert"} for sid in told}
    assert 15 <= len(told) <= 45
    lags = {
        sid: datetime.fromisoformat(record["date_insert"]) - datetime.fromisoformat(record["date_stop"])
        for sid, record in everything.items()
    }
    assert {sid for sid, lag in lags.items() if lag >= timedelta(minutes=20)} == told
    assert max(lags.values()) <= timedelta(hours=20)


@pytest.mark.parametrize("faults", ["", "late_inserts=0.3"])
@pytest.mark.parametrize("hour", [1, 14, 15, 30, 300])
def test_nothing_is_seen_before_it_is_inserted(faults: str, hour: int) -> None:
    api = sandbox(faults)
    everything = records(api)
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
    expected = [s for s, r in everything.items() if datetime.fromisoformat(r["date_insert"]) <= now]

    api.put("/sandbox/clock", json={"now": now.isoformat()})

    assert list(records(api)) == expected
    assert api.get("/sandbox/truth").json()["visible"]["calls"] == len(expected)
    descending = {"limit": 1000, "order": "date_stop desc", "offset": 5}
    items = api.get(CALLS, params=descending).json()["items"]
    assert [item["dr_sid"] for item in items] == expected[::-1][5:]
    pages = [
        api.get(CALLS, params={"limit": 9, "offset": o, "order": "date_stop"}).json()
        for o in range(0, 300, 9)
    ]
    assert [item["dr_sid"] for page in pages for item in page["items"]] == expected


def test_a_hidden_record_is_neither_found_nor_a_cursor() -> None:
    api = sandbox("late_inserts=0.1")
    entry = planted(api, "late_inserts")[0]["dr_sid"]
    stopped = records(api)[entry]["date_stop"]

    api.put("/sandbox/clock", json={"now": stopped})

    assert api.get(f"{CALLS}/{entry}").status_code == 404
    assert api.get(CALLS, params={"after": entry}).status_code == 404


def test_kept_cursors_expire_and_those_of_a_walk_do_not() -> None:
    kept = list(records(sandbox("")))
    api = sandbox("expired_cursors=2")

    def status(sid: str) -> int:
        return api.get(CALLS, params={"limit": 100, "order": "date_stop", "after": sid}).status_code

    assert [status(kept[n]) for n in (10, 10, 20, 30)] == [404, 404, 404, 200]

    api = sandbox("expired_cursors=2")
    page = api.get(CALLS, params={"limit": 100, "order": "date_stop"}).json()
    seen = len(page["items"])
    while page["items"]:
        last = page["items"][-1]["dr_sid"]
        page = api.get(CALLS, params={"limit": 100, "order": "date_stop", "after": last}).json()
        seen += page["count"]
    assert (seen, status(last), status(last)) == (300, 200, 404)


def test_a_share_of_the_answers_is_an_error_of_the_server() -> None:
    def statuses(faults: str) -> list[int]:
        api = sandbox(faults)
        return [api.get("/core/v2/endpoints").status_code for _ in range(200)]

    first = statuses("http_500=0.1,html_502=0.1")

    assert set(first) == {200, 500, 502}
    assert 20 <= 200 - first.count(200) <= 70
    assert statuses("http_500=0.1,html_502=0.1") == first


def test_errors_of_the_server_are_not_json() -> None:
    assert sandbox("http_500=1").get(CALLS).text == "Internal Server Error"
    assert sandbox("html_502=1").get(CALLS).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_resource_can_be_forbidden(resource: str) -> None:
    core = (
        "calls/call_drs", "sms/message_drs", "partners", "phonenumber/dids", "endpoints", "countries",
        "calls/rates/inbound/pstn", "sms/rates/outbound/toll", "invoices", "oauth/whoami",
        f"partners/{partner_sid(0)}/billing_method", "trunk_groups", "accesscontrol/rules", "batch/tasks",
        "lookup/dids/12065550100",
    )  # fmt: skip
    api = sandbox(f"forbidden={resource}")

    statuses = [api.get(f"/core/v2/{path}").status_code for path in core]
    statuses.append(api.get("/mediator/v1/dids", auth=MEDIATOR_LOGIN).status_code)
    messages = f"/fone/v2/Properties/{fone.PROPERTIES[0]}/Messages?Date_From=1772323200&Date_To=1772409600"
    statuses.append(api.get(messages, auth=(fone.ACCOUNT_SID, fone.TOKEN)).status_code)

    assert statuses == [403 if resource == name else 200 for name in RESOURCES]


def test_a_forbidden_resource_leaves_the_others() -> None:
    api = sandbox("forbidden=messages+invoices")
    paths = ("/sms/message_drs", "/billing/invoices", "/calls/call_drs", "/oauth/whoami")

    answers = [api.get("/core/v2" + path) for path in paths]

    error = {"field": "cause", "message": "permission denied", "reference_sid": None}
    assert [answer.status_code for answer in answers] == [403, 403, 200, 200]
    assert answers[0].json() == {"message": "permission denied", "errors": [error]}


def test_faults_can_be_set_and_cleared_at_run_time(clean: dict[str, dict]) -> None:
    api = sandbox("")
    api.put("/sandbox/faults", json={"faults": "wrong_charges=3,http_500=0"})
    spoiled = records(api)
    api.put("/sandbox/faults", json={"faults": ""})

    assert len(changed(clean, spoiled)) == 3
    assert records(api) == clean


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sandbox/faults", b'{"faults": "earthquakes=1"}', 400),
        ("/sandbox/faults", b"[]", 400),
        ("/sandbox/clock", b"{not json", 400),
        ("/sandbox/clock", b'{"now": "noon"}', 400),
        ("/sandbox/clock", b'{"now": "2026-03-01T00:00:00"}', 400),
    ],
)
def test_the_switches_refuse_what_they_do_not_know(path: str, body: bytes, status: int) -> None:
    api = sandbox("")
    json = {"content-type": "application/json"}

    assert api.put(path, content=body, headers=json).status_code == status
    assert api.put(path, content=body, headers={"content-type": "text/plain"}).status_code == 415


def test_requests_are_counted_by_path_and_status() -> None:
    api = sandbox("")
    sid = next(iter(records(api)))
    for path in (f"{CALLS}/{sid}", f"{CALLS}/{sid}", f"{CALLS}?limit=0"):
        api.get(path)

    counted = {(e["path"], e["status"]): e["count"] for e in api.get("/sandbox/requests").json()["requests"]}

    assert counted == {(CALLS, 200): 1, (CALLS, 400): 1, (CALLS + "/{sid}", 200): 2}

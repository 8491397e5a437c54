"""The faults of answers, pages and values: each does what its name says, and says in the truth what it has planted."""

import gzip
import json
import zlib
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from httpx import Client

from pipeline.provider.app import create_app
from pipeline.provider.faults import Faults
from pipeline.provider.poison import POISON
from pipeline.provider.server import start_background
from pipeline.provider.world import World, WorldConfig
from tests.contract.sandbox_api import client
from tests.journey.house import RATES

CALLS, MESSAGES = "/core/v2/calls/call_drs", "/core/v2/sms/message_drs"


def sandbox(faults: str = "") -> Client:
    config = WorldConfig(seed=5, calls=100, messages=120, rates=RATES, faults=Faults.parse(faults))
    return client(create_app(World(config)))


def page(api: Client, path: str = CALLS, **query: Any) -> dict[str, Any]:
    key = "date_stop" if path == CALLS else "date_insert"
    return api.get(path, params={"limit": 20, "order": f"{key} asc"} | query).json()


def sids(found: dict[str, Any]) -> list[str]:
    return [item["dr_sid"] for item in found["items"]]


PLAIN = page(sandbox())
SECOND = page(sandbox(), after=PLAIN["items"][-1]["dr_sid"])


# --- answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        pytest.param("http_409", 409, {}, id="conflict"),
        pytest.param("http_429", 429, {"retry-after": "1"}, id="too many, with the time to wait"),
        pytest.param("redirects", 302, {"location": "https://elsewhere.example/core/v2"}, id="sent away"),
    ],
)
def test_a_fault_answers_instead(fault: str, status: int, headers: dict[str, str]) -> None:
    answer = sandbox(f"{fault}=1").get(CALLS)

    assert (answer.status_code, headers.items() <= answer.headers.items()) == (status, True)


def test_what_says_it_is_json_is_none() -> None:
    answer = sandbox("bad_json=1").get(CALLS)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def packed(fault: str) -> bytes:
    """An answer as it is on the wire."""
    world = World(WorldConfig(calls=3, messages=3, faults=Faults.parse(f"{fault}=1")))
    headers = {"Authorization": "Bearer sandbox-token"}
    with (
        start_background(world, process=False) as sandbox,
        httpx.stream("GET", f"{sandbox.url}/countries", headers=headers, trust_env=False) as answer,
    ):
        assert answer.headers["content-encoding"] == "gzip"
        return b"".join(answer.iter_raw())


def test_what_is_packed_does_not_unpack() -> None:
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(packed("bad_gzip"))


def test_what_is_packed_unpacks_to_a_multitude(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.provider.disturbance._BOMB_MEGABYTES", 3)

    assert gzip.decompress(packed("bomb")) == bytes(3 * 1024 * 1024)


# --- pages -----------------------------------------------------------------------------------------------------


def test_an_empty_page_is_empty_once() -> None:
    api = sandbox("empty_pages=1")

    first, again = page(api), page(api)

    assert (first["items"], first["count"], sids(again)) == ([], 0, sids(PLAIN))


def test_a_repeated_page_is_the_one_before() -> None:
    repeated = page(sandbox("repeated_pages=1"), after=PLAIN["items"][-1]["dr_sid"])

    assert sids(repeated) == sids(PLAIN)[:-1]


def test_a_page_in_no_order_holds_the_same_records() -> None:
    found = sids(page(sandbox("unsorted_pages=1")))

    assert found != sids(PLAIN)
    assert sorted(found) == sorted(sids(PLAIN))


def test_a_page_holds_fewer_than_it_counts() -> None:
    found = page(sandbox("wrong_count=1"))

    assert (found["count"], sids(found)) == (20, sids(PLAIN)[:10])


def test_a_page_holds_no_more_than_the_server_likes() -> None:
    found = page(sandbox("most_per_page=7"), limit=1000)

    assert (found["count"], found["limit"], sids(found)) == (7, 7, sids(PLAIN)[:7])


def test_signs_lie() -> None:
    found = page(sandbox("lying_links=1"))

    assert (PLAIN["has_more"], found["has_more"]) == (True, False)
    assert found["pagination"]["next"].startswith("https://elsewhere.example/")
    assert sids(found) == sids(PLAIN)


def test_before_gives_the_first_of_all() -> None:
    far = SECOND["items"][-1]["dr_sid"]

    assert sids(page(sandbox("far_before=1"), before=far, limit=5)) == sids(PLAIN)[:5]
    assert sids(page(sandbox(), before=far, limit=5)) == sids(SECOND)[-6:-1]


# --- values ----------------------------------------------------------------------------------------------------


def test_every_poison_is_in_its_record() -> None:
    """As bytes: few readers take such a page."""
    api = sandbox(f"poison={len(POISON)}")
    planted = api.get("/sandbox/truth").json()["planted"]["poison"]
    body = api.get(CALLS, params={"limit": 1000, "order": "date_stop"}).content

    assert len(planted) == len(POISON)
    assert [kind for kind in POISON for raw in kind.values() if bytes(raw) not in body] == []


def test_strange_words_stay_in_records_that_are_sound() -> None:
    api = sandbox("unknown_values=4")
    planted = {entry["dr_sid"] for entry in api.get("/sandbox/truth").json()["planted"]["unknown_values"]}
    found = {item["dr_sid"]: item for item in page(api, limit=1000)["items"]}
    plain = {item["dr_sid"]: item for item in page(sandbox(), limit=1000)["items"]}

    assert {sid for sid in found if found[sid] != plain[sid]} == planted
    assert {"sideways", "hologram", "BOTH"} <= {str(v) for sid in planted for v in found[sid].values()}


# --- the status of messages ------------------------------------------------------------------------------------


def test_a_message_is_queued_then_sent_then_ended() -> None:
    api = sandbox("late_status=1")
    told = api.get("/sandbox/truth").json()["planted"]["late_status"]
    failed = next(entry for entry in told if entry["status"] == "failed")
    last = {item["dr_sid"]: item for item in page(sandbox(), MESSAGES, limit=1000)["items"]}[failed["dr_sid"]]

    def seen(at: str, seconds: float) -> tuple[int, str, str]:
        moment = datetime.fromisoformat(at) + timedelta(seconds=seconds)
        api.put("/sandbox/clock", json={"now": moment.isoformat()})
        record = api.get(f"{MESSAGES}/{failed['dr_sid']}").json()
        return record["version"], record["status"], record["price"]

    queued, sent, ended = seen(failed["sent"], -0.001), seen(failed["sent"], 0), seen(failed["at"], 0)

    assert (queued, ended) == ((1, "queued", "0"), (3, "failed", "0"))
    assert sent[:2] == (2, "sent")
    assert sent[2] != "0", "what was sent is charged, until it fails"
    assert seen(failed["at"], -0.001) == sent
    assert last["version"] is None


def test_a_message_whose_status_came_late_ends_as_it_would_have() -> None:
    late = {item["dr_sid"]: item for item in page(sandbox("late_status=0.5"), MESSAGES, limit=1000)["items"]}
    plain = {item["dr_sid"]: item for item in page(sandbox(), MESSAGES, limit=1000)["items"]}
    changed = {sid for sid in plain if late[sid] != plain[sid]}

    assert {sid: late[sid] | {"version": None} for sid in late} == plain
    assert 20 < len(changed) < 80
    assert {plain[sid]["direction"] for sid in changed} == {"outbound"}

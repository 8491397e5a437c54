"""Paging, cursors, filters, field selection and errors of the sandbox, over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client
from starlette.applications import Starlette

from pipeline.provider.app import create_app
from pipeline.provider.world import World, WorldConfig
from tests.contract.sandbox_api import client

CALLS, MESSAGES = "/core/v2/calls/call_drs", "/core/v2/sms/message_drs"
FEEDS = [pytest.param(CALLS, "date_stop", id="calls"), pytest.param(MESSAGES, "date_insert", id="messages")]


@pytest.fixture(scope="module")
def app() -> Starlette:
    return create_app(World(WorldConfig(seed=3, calls=157, messages=101)))


@pytest.fixture(scope="module")
def api(app: Starlette) -> Client:
    return client(app)


def sids(page: dict[str, Any]) -> list[str]:
    return [item["dr_sid"] for item in page["items"]]


def listed(api: Client, path: str, order: str) -> list[str]:
    return sids(api.get(path, params={"limit": 1000, "order": order}).json())


def walked(api: Client, path: str, key: str) -> Iterator[str]:
    """As the official clients do it: the first record by filter, then after."""
    start = {"limit": 1, "order": f"{key} asc", "filter": f"{key} ge 2026-03-01T00:00:00Z"}
    page = api.get(path, params=start).json()
    while page["items"]:
        yield from sids(page)
        page = api.get(path, params={"limit": 20, "order": f"{key} asc", "after": sids(page)[-1]}).json()


def linked(api: Client, path: str, key: str) -> Iterator[str]:
    """By the links of the first page, filter and all."""
    params = {"limit": 20, "order": f"{key} asc", "filter": f"{key} ge 2026-03-01"}
    page = api.get(path, params=params).json()
    yield from sids(page)
    while "next" in page["pagination"]:
        page = api.get(page["pagination"]["next"]).json()
        yield from sids(page)


def offsets(api: Client, path: str, key: str) -> Iterator[str]:
    for offset in range(0, 200, 20):
        params = {"limit": 20, "order": f"{key} asc", "offset": offset}
        yield from sids(api.get(path, params=params).json())


@pytest.mark.parametrize(("path", "key"), FEEDS)
@pytest.mark.parametrize("way", [walked, linked, offsets])
def test_every_way_through_a_feed_sees_every_record_once(api: Client, path: str, key: str, way: Any) -> None:
    assert list(way(api, path, key)) == listed(api, path, f"{key} asc")


@pytest.mark.parametrize(("path", "key"), FEEDS)
def test_desc_is_asc_reversed_and_sorted_by_the_key(api: Client, path: str, key: str) -> None:
    items = api.get(path, params={"limit": 1000, "order": key}).json()["items"]

    assert [item[key] for item in items] == sorted(item[key] for item in items)
    assert listed(api, path, f"{key} desc") == [item["dr_sid"] for item in items][::-1]


@pytest.mark.parametrize(("path", "key"), FEEDS)
@pytest.mark.parametrize(
    ("order", "side", "expected"),
    [
        pytest.param("asc", "after", slice(51, 54), id="after, ascending: the next newer ones"),
        pytest.param("asc", "before", slice(47, 50), id="before, ascending: the next older ones, in order"),
        pytest.param("desc", "after", slice(49, 46, -1), id="after, descending: the next older ones"),
        pytest.param("desc", "before", slice(53, 50, -1), id="before, descending: the next newer ones"),
    ],
)
def test_cursors_give_the_neighbours_in_the_asked_order(
    api: Client, path: str, key: str, order: str, side: str, expected: slice
) -> None:
    everything = listed(api, path, f"{key} asc")

    page = api.get(path, params={"limit": 3, "order": f"{key} {order}", side: everything[50]}).json()

    assert sids(page) == everything[expected]


def test_a_cursor_page_links_back_only_and_always_has_more(api: Client) -> None:
    everything = listed(api, CALLS, "date_stop")

    page = api.get(CALLS, params={"limit": 1, "after": everything[3]}).json()
    end = api.get(CALLS, params={"limit": 1, "after": everything[-1]}).json()

    link = f"http://testserver{CALLS}?before={everything[4]}&limit=1&offset=0"
    assert (page["pagination"], page["has_more"]) == ({"previous": link}, True)
    assert sids(api.get(link).json()) == [everything[3]]
    assert (end["items"], end["count"], end["has_more"], end["pagination"]) == ([], 0, True, {})


def test_the_offset_is_ignored_beside_a_cursor(api: Client) -> None:
    everything = listed(api, CALLS, "date_stop")

    page = api.get(CALLS, params={"limit": 2, "offset": 40, "after": everything[0]}).json()

    assert sids(page) == everything[1:3]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("operator", ["ge", "gt", "le", "lt", "eq"])
def test_a_filter_on_the_sort_date_is_exact(api: Client, operator: str, descending: bool) -> None:
    items = api.get(CALLS, params={"limit": 1000, "order": "date_stop"}).json()["items"]
    edge = items[60]["date_stop"]
    test = {"ge": str.__ge__, "gt": str.__gt__, "le": str.__le__, "lt": str.__lt__, "eq": str.__eq__}[
        operator
    ]
    expected = [item["dr_sid"] for item in items if test(item["date_stop"], edge)]

    order = "date_stop desc" if descending else "date_stop asc"
    found = api.get(
        CALLS, params={"limit": 1000, "order": order, "filter": f"date_stop {operator} {edge}"}
    ).json()

    assert sids(found) == (expected[::-1] if descending else expected)


def test_other_filters_look_at_every_record(api: Client) -> None:
    items = api.get(CALLS, params={"limit": 1000, "order": "date_stop"}).json()["items"]
    expected = [i["dr_sid"] for i in items if i["direction"] == "inbound" and float(i["price"]) > 0.004]
    params = {"limit": 7, "filter": "direction eq inbound and price gt 0.004", "order": "date_stop asc"}

    found = []
    page = api.get(CALLS, params=params).json()
    found += sids(page)
    while "next" in page["pagination"]:
        page = api.get(page["pagination"]["next"]).json()
        found += sids(page)

    assert found == expected
    assert len(found) > 14


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({"include_fields": "dr_sid,price"}, {"dr_sid", "price"}),
        ({"include_fields": "dr_sid, price", "exclude_fields": "price"}, {"dr_sid"}),
    ],
)
def test_fields_can_be_chosen(api: Client, params: dict[str, str], keys: set[str]) -> None:
    page = api.get(CALLS, params=params).json()

    assert {frozenset(item) for item in page["items"]} == {frozenset(keys)}
    assert page["limit"] == 10


def test_excluded_fields_are_left_out(api: Client) -> None:
    page = api.get("/core/v2/endpoints", params={"exclude_fields": "properties"}).json()

    assert [item for item in page["items"] if "properties" in item] == []


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        ("endpoints", "type eq conference", ["conference"]),
        ("endpoints", 'addresses.ip eq "198.51.100.14"', ["third_party"]),
        ("endpoints", "properties.login like sandbox_f%", ["flexml"]),
        ("endpoints", "type in (flexml, mediator)", ["flexml", "mediator"]),
        ("endpoints", "name ilike SANDBOX_VOICE%", ["voicemail"]),
        ("endpoints", "type notin (flexml, conference) and type like con%", ["conference_playback"]),
    ],
)
def test_tables_are_filtered(api: Client, resource: str, text: str, expected: list[str]) -> None:
    page = api.get(f"/core/v2/{resource}", params={"filter": text}).json()

    assert [item["type"] for item in page["items"]] == expected
    assert page["total"] == len(expected)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        pytest.param(CALLS, {"limit": "1001"}, id="a limit above 1000"),
        pytest.param(CALLS, {"limit": "0"}, id="no limit at all"),
        pytest.param(CALLS, {"limit": "ten"}, id="a limit that is no number"),
        pytest.param(CALLS, {"offset": "-1"}, id="a negative offset"),
        pytest.param(CALLS, {"order": "shuffle"}, id="shuffled order"),
        pytest.param(CALLS, {"order": "price asc"}, id="calls by price"),
        pytest.param(CALLS, {"order": "date_stop up"}, id="an order that is none"),
        pytest.param(CALLS, {"filter": "date_stop ge"}, id="half a filter"),
        pytest.param(CALLS, {"filter": "colour eq red"}, id="an unknown field"),
        pytest.param(CALLS, {"after": "x", "before": "y"}, id="both cursors"),
        pytest.param(CALLS, {"after": "x", "filter": "direction eq inbound"}, id="filter beside a cursor"),
        pytest.param("/core/v2/partners", {"after": "x"}, id="a cursor on a table"),
        pytest.param("/core/v2/partners", {"filter": "colour eq red"}, id="an unknown field of a table"),
        pytest.param("/core/v2/partners", {"order": "colour"}, id="an unknown field to order by"),
    ],
)
def test_bad_requests_answer_400_with_the_wrapped_body(
    api: Client, path: str, params: dict[str, str]
) -> None:
    answer = api.get(path, params=params)

    body = answer.json()
    assert (answer.status_code, body["status"], body["body"]["errors"]) == (400, 400, None)
    assert isinstance(body["body"]["message"], str)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (CALLS + "/92cd9154-2f53-4e62-8b4e-8ff6e4849d16", "cannot find item"),
        (CALLS + "?after=92cd9154-2f53-4e62-8b4e-8ff6e4849d16", "cannot find item"),
        (MESSAGES + "?before=QLJ79xlC2vP-UEx3hS0R4rldas8.G1UB", "cannot find item"),
        ("/core/v2/partners/nobody", "cannot find partner"),
        ("/core/v2/calls/rates/sideways/pstn", "cannot find rates"),
        ("/core/v2/calls/rates/inbound/voip/smoke", "cannot find rates"),
        ("/core/v2/nothing", "Not Found"),
    ],
)
def test_what_is_not_there_answers_404_with_the_flat_body(api: Client, path: str, message: str) -> None:
    answer = api.get(path)

    error = {"field": None, "message": message, "reference_sid": None}
    assert (answer.status_code, answer.json()) == (404, {"message": "no item error", "errors": [error]})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}])
def test_only_the_token_opens_the_door(app: Starlette, headers: dict[str, str]) -> None:
    answers = [client(app, headers).get(path) for path in (CALLS, "/sandbox/truth")]

    error = {"field": "cause", "message": "authentication required", "reference_sid": None}
    body = {"message": "authentication required", "errors": [error]}
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, body)] * 2


def test_other_methods_are_refused(api: Client) -> None:
    assert api.delete(CALLS).status_code == 405

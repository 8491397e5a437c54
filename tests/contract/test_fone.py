"""The second provider of messages: its shapes, its window, its errors, and what the adapter makes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
import stamina

from pipeline.errors import ForbiddenError, NotFoundError, TerminalError, TransientError, UnauthorizedError
from pipeline.provider.app import create_app
from pipeline.provider.faults import Faults
from pipeline.provider.fone import ACCOUNT_SID, PROPERTIES, TOKEN
from pipeline.provider.world import World, WorldConfig
from pipeline.pull.fone import FoneDynamics, record
from tests.contract.sandbox_api import client, wrong

TEXT, NULL, WHOLE, FLAG = str, type(None), int, bool
BASE = "http://127.0.0.1/fone/v2"
BEGIN, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 3, tzinfo=UTC)
MESSAGE = {
    **dict.fromkeys(
        ("MessageSid", "AccountSid", "PropertySid", "From", "To", "Text", "Status", "Direction"), TEXT
    ),
    "DeliveryReceipt": FLAG,
    "NumSegments": (WHOLE, NULL),
    "Created": WHOLE,
    **dict.fromkeys(("Scheduled", "Submitted", "Delivered", "Received"), (WHOLE, NULL)),
    **dict.fromkeys(("ErrorCode", "ExternalId"), (TEXT, NULL)),
}
SAMPLE = {
    "MessageSid": "ME-1", "AccountSid": "AC-1", "PropertySid": "PR-1", "From": "+61491570156", "To": "+61491570157",
    "Text": "a private text", "DeliveryReceipt": True, "NumSegments": 2, "Status": "Delivered",
    "Direction": "Transmit", "Scheduled": None, "Created": 1772352000, "Submitted": 1772352001,
    "Delivered": 1772352003, "Received": None, "ErrorCode": None, "ExternalId": "mine-7",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_waiting():
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def sandbox(faults: str = "") -> Any:
    return create_app(World(WorldConfig(calls=0, messages=9000, faults=Faults.parse(faults))))


def fone(
    transport: httpx.BaseTransport, token: str = TOKEN, properties: tuple[str, ...] = PROPERTIES
) -> FoneDynamics:
    owned = {sid: f"partner-{n}" for n, sid in enumerate(properties)}
    return FoneDynamics(BASE, ACCOUNT_SID, token, owned, transport=transport)


def read(source: FoneDynamics, begin: datetime = BEGIN, end: datetime = END) -> list[dict[str, Any]]:
    return [item for page in source.read(begin, end) for item in page.items]


def answering(*bodies: bytes) -> tuple[FoneDynamics, list[httpx.Request]]:
    """A source whose provider gives these pages, one after the other, then empty ones."""
    seen: list[httpx.Request] = []
    left = list(bodies)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(left.pop(0) if left else b"[]"))

    return fone(httpx.MockTransport(handle), properties=("PR-1",)), seen


def test_the_sandbox_shows_the_documented_keys() -> None:
    with client(sandbox(), {}) as api:
        path = f"/fone/v2/Properties/{PROPERTIES[0]}/Messages"
        window = {"Date_From": 1772323200, "Date_To": 1775088000}
        rows = api.get(path, params=window, auth=(ACCOUNT_SID, TOKEN)).json()
        [one] = [api.get(f"/fone/v2/Messages/{rows[0]['MessageSid']}", auth=(ACCOUNT_SID, TOKEN)).json()]

    assert len(rows) == 200
    assert [problem for row in rows for problem in wrong(row, MESSAGE)] == []
    assert wrong(SAMPLE, MESSAGE) == []
    assert one == rows[0]


def test_a_message_in_the_words_of_the_table() -> None:
    assert record(SAMPLE, "shop") == {
        "dr_sid": "ME-1", "partner_sid": "shop", "type": "sms", "direction": "outbound", "status": "Delivered",
        "date_start": "2026-03-01T08:00:00.000Z", "date_insert": "2026-03-01T08:00:00.000Z",
        "date_sent": "2026-03-01T08:00:01.000Z", "date_stop": "2026-03-01T08:00:03.000Z",
        "number_src": "+61491570156", "number_dst": "+61491570157", "number_billing": "+61491570156",
        "number_external": "+61491570157", "message_segments": 2, "message": "a private text",
        "AccountSid": "AC-1", "PropertySid": "PR-1", "DeliveryReceipt": True, "Scheduled": None, "ErrorCode": None,
        "ExternalId": "mine-7",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"Direction": "Receive", "Received": 1772352009},
            {
                "direction": "inbound",
                "number_billing": "+61491570157",
                "date_stop": "2026-03-01T08:00:09.000Z",
            },
            id="received",
        ),
        pytest.param({"Direction": "Sideways"}, {"direction": "sideways"}, id="an unknown direction"),
        pytest.param({"Created": None}, {"date_insert": None, "date_start": None}, id="no date"),
        pytest.param({"Created": "soon"}, {"date_insert": "soon"}, id="a date in words is left for landing"),
        pytest.param({"Created": 10**17}, {"date_insert": str(10**17)}, id="a date out of range too"),
        pytest.param({"price": "9"}, {"Fone_price": "9"}, id="a key that could pass for ours"),
    ],
)
def test_what_is_odd_is_neither_lost_nor_believed(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    made = record(SAMPLE | changes, "shop")

    assert {key: made.get(key) for key in expected} == expected


def test_every_message_of_a_window_comes_once_whatever_the_page_size() -> None:
    transport = client(sandbox())._transport

    whole = read(fone(transport))
    cut = datetime(2026, 3, 17, 12, 30, tzinfo=UTC)
    halves = [*read(fone(transport), BEGIN, cut), *read(fone(transport), cut, END)]

    assert len(whole) == len({item["dr_sid"] for item in whole}) == 900
    assert sorted(i["dr_sid"] for i in halves) == sorted(i["dr_sid"] for i in whole)
    assert {item["partner_sid"] for item in whole} == {"partner-0", "partner-1"}


def test_a_message_changes_its_status_by_and_by() -> None:
    app = sandbox()
    world: World = app.state.world
    source = fone(client(app)._transport)
    made = [i for i in read(source) if i["direction"] == "outbound" and i["status"] == "Delivered"][-1]
    at = datetime.fromisoformat(made["date_insert"])

    statuses = []
    for age in (0, 5, 60):
        world.clock.set(at + timedelta(seconds=age))
        statuses += [i["status"] for i in read(source) if i["dr_sid"] == made["dr_sid"]]

    assert statuses == ["Processing", "Submitted", "Delivered"]


@pytest.mark.parametrize(
    ("faults", "how", "error", "says"),
    [
        pytest.param("", {"token": "wrong"}, UnauthorizedError, "TOLLBOOK_FONE_TOKEN", id="a wrong token"),
        pytest.param("forbidden=fone", {}, ForbiddenError, "permission", id="forbidden"),
        pytest.param(
            "", {"properties": ("PR-other",)}, NotFoundError, "property", id="no such property, said with 400"
        ),
        pytest.param("html_502=1", {}, TransientError, "502", id="never there"),
    ],
)
def test_its_errors_are_typed(faults: str, how: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as raised:
        read(fone(client(sandbox(faults))._transport, **how))
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("params", "status", "code", "fields"),
    [
        ({}, 400, "PARAMETER_REQUIRED", ["Date_From"]),
        ({"Date_From": "x", "Date_To": "2"}, 400, "PARAMETER_INVALID", ["Date_From"]),
        ({"Date_From": "2", "Date_To": "2"}, 400, "INVALID_DATE_RANGE", []),
    ],
    ids=["no window", "no number", "an empty window"],
)
def test_the_sandbox_refuses_in_its_own_dialect(params: dict, status: int, code: str, fields: list) -> None:
    with client(sandbox(), {}) as api:
        path = f"/fone/v2/Properties/{PROPERTIES[0]}/Messages"
        answer = api.get(path, params=params, auth=(ACCOUNT_SID, TOKEN))

    said = answer.json()["ResponseStatus"]
    found = (answer.status_code, said["ErrorCode"], [e["FieldName"] for e in said.get("Errors", [])])
    assert found == (status, code, fields)


def test_the_window_is_in_seconds_and_the_login_in_the_header_alone() -> None:
    source, seen = answering(msgspec.json.encode([SAMPLE]))

    assert len(read(source, BEGIN, BEGIN + timedelta(days=1))) == 1
    assert [dict(request.url.params) for request in seen] == [
        {"Date_From": "1772323200", "Date_To": "1772409600", "Results_Count": "200", "Results_Skip": skip}
        for skip in ("0", "1")
    ]
    assert {request.headers["authorization"][:6] for request in seen} == {"Basic "}
    assert TOKEN not in repr(source)


def test_a_page_that_repeats_is_an_error_that_names_it() -> None:
    page = msgspec.json.encode([SAMPLE])
    source, _ = answering(page, page)

    with pytest.raises(TerminalError, match="repeats"):
        read(source)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'[{"MessageSid":"ME-9","Text":"private \\ud83d"}]', id="half a surrogate pair"),
        pytest.param(
            b'[{"MessageSid":"ME-9","Text":"private","NumSegments":' + b"9" * 5000 + b"}]", id="a long number"
        ),
    ],
)
def test_what_cannot_be_decoded_is_kept_without_its_text(body: bytes) -> None:
    # Twice the same, because a first answer may have been damaged on its way.
    source, _ = answering(body, body)

    [page] = source.read(BEGIN, END)

    assert (page.items, [u.known for u in page.unreadable]) == ([], [{"dr_sid": "ME-9"}])
    assert b"private" not in page.unreadable[0].raw


@pytest.mark.parametrize(
    "body", [b"{}", b'{"items":[]}', b"[", b"<html>"], ids=["object", "envelope", "cut", "HTML"]
)
def test_what_is_no_array_is_no_page(body: bytes) -> None:
    source, _ = answering(*[body] * 3)

    with pytest.raises((TerminalError, TransientError)):
        read(source)

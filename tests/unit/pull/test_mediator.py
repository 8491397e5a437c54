"""The Mediator: where its credentials go, what its wrapped answers mean, and that half a list is none."""

import json
from typing import Any

import httpx
import pytest
import stamina

from pipeline.errors import ForbiddenError, NotFoundError, ProviderError, TerminalError, TransientError
from pipeline.pull.client import Client
from pipeline.pull.mediator import mediator_base, mediator_list

CORE = "https://api.example.com/core/v2"


@pytest.fixture(autouse=True)
def no_waiting():
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"count": len(items), "items": list(items), "limit": 1000, "offset": 0, "total": len(items)}


def answer(status: int, content: Any, **headers: str) -> httpx.Response:
    """An answer that is still on its way, as from a server."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(json.dumps(content).encode()))


def endpoint(sid: str = "e-1", **properties: Any) -> dict[str, Any]:
    shown = {"login": "med", "password": "CANARY", "api_url": "https://api.example.com/mediator/v1"}
    return {"endpoint_sid": sid, "type": "mediator", "properties": shown | properties}


def client(
    endpoints: list[dict[str, Any]], *answers: Any, status: int = 200
) -> tuple[Client, list[httpx.Request]]:
    """A provider with these endpoints, whose Mediator gives these answers, the last one for ever."""
    seen: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path == "/core/v2/endpoints":
            return answer(200, listed(*endpoints))
        return answer(status, left.pop(0) if len(left) > 1 else left[0])

    return Client(CORE, "core-token", transport=httpx.MockTransport(handle)), seen


@pytest.mark.parametrize(
    ("core", "api_url", "base"),
    [
        (CORE, "https://api.example.com/mediator/v1", "https://api.example.com/mediator/v1"),
        (CORE, "https://api.example.com:443/mediator/v3/", "https://api.example.com/mediator/v3"),
        (CORE, "https://API.example.com/mediator/v1?key=1#x", "https://api.example.com/mediator/v1"),
        (CORE, "https://api.example.net/mediator/v1", "https://api.example.com/mediator/v1"),
        (CORE, "https://api.example.com.evil.net/mediator/v1", "https://api.example.com/mediator/v1"),
        (CORE, "https://api.example.com@evil.net/mediator/v1", "https://api.example.com/mediator/v1"),
        (CORE, "https://user:pass@api.example.com/mediator/v2", "https://api.example.com/mediator/v1"),
        (CORE, "https://api.example.com:8443/mediator/v2", "https://api.example.com/mediator/v1"),
        (CORE, "http://api.example.com/mediator/v2", "https://api.example.com/mediator/v1"),
        (CORE, "//api.example.com/mediator/v2", "https://api.example.com/mediator/v1"),
        (CORE, "https://api.example.com:port/mediator/v2", "https://api.example.com/mediator/v1"),
        (CORE, None, "https://api.example.com/mediator/v1"),
        ("http://127.0.0.1:9/core/v2", "http://127.0.0.1:10/mediator/v2", "http://127.0.0.1:9/mediator/v1"),
    ],
)  # fmt: skip
def test_credentials_go_to_the_configured_provider(core: str, api_url: object, base: str) -> None:
    assert mediator_base(core, api_url) == base


def test_a_base_that_is_no_core_is_not_guessed_from() -> None:
    with pytest.raises(TerminalError, match="does not end in /core/v2"):
        mediator_base("https://gateway.example.com/voice", "https://elsewhere.example.com/mediator/v1")


def test_each_endpoint_opens_its_own_mediator() -> None:
    both = [endpoint("e-1"), endpoint("e-2", login="second", password="CANARY-2")]
    api, seen = client(both, {"body": listed({"did_sid": "d-1"}), "status": 200})

    found = mediator_list(api, "/dids", "did_sid")

    assert found == [{"did_sid": "d-1", "endpoint_sid": "e-1"}, {"did_sid": "d-1", "endpoint_sid": "e-2"}]
    assert [(r.url.path, r.headers["authorization"]) for r in seen] == [
        ("/core/v2/endpoints", "Bearer core-token"),
        ("/mediator/v1/dids", "Basic bWVkOkNBTkFSWQ=="),
        ("/mediator/v1/dids", "Basic c2Vjb25kOkNBTkFSWS0y"),
    ]
    assert seen[0].url.params["filter"] == "type eq mediator"


def test_a_filter_that_is_not_understood_sends_no_other_credentials() -> None:
    api, seen = client([endpoint() | {"type": "flexml"}], {})

    assert mediator_list(api, "/dids", "did_sid") == []
    assert len(seen) == 1


INNER = {
    "400": (400, TerminalError, 1),
    "403": (403, ForbiddenError, 1),
    "404": (404, NotFoundError, 1),
    "409 is tried again": (409, TransientError, 4),
    "500 is tried again": (500, TransientError, 4),
}


@pytest.mark.parametrize(("status", "error", "tries"), INNER.values(), ids=INNER)
def test_an_inner_failure_is_a_failure(status: int, error: type[ProviderError], tries: int) -> None:
    wrapped = {"body": {"message": "Cannot find redirect_did", "errors": None}, "status": status}
    api, seen = client([endpoint()], wrapped)

    with pytest.raises(error, match="Cannot find redirect_did") as raised:
        mediator_list(api, "/dids", "did_sid")
    assert (type(raised.value), len(seen) - 1) == (error, tries)


def test_an_inner_failure_that_passes_is_forgotten() -> None:
    failure = {"body": {"message": "internal error", "errors": None}, "status": 500}
    api, _ = client([endpoint()], failure, {"body": listed({"did_sid": "d-1"}), "status": 200})

    assert [item["did_sid"] for item in mediator_list(api, "/dids", "did_sid")] == ["d-1"]


@pytest.mark.parametrize("bare", [listed(), {"body": listed()}, {"body": listed(), "status": "fine"}, [1]])
def test_an_answer_without_its_wrapping_is_refused(bare: Any) -> None:
    api, _ = client([endpoint()], bare)

    with pytest.raises(TerminalError, match="body and status"):
        mediator_list(api, "/dids", "did_sid")


@pytest.mark.parametrize("status", [200, 401])
def test_a_refused_login_is_that_of_the_endpoint_and_is_not_shown(status: int) -> None:
    refused = {"body": {"message": "authentication required", "errors": None}, "status": 401}
    api, _ = client([endpoint()], refused, status=status)

    with pytest.raises(ForbiddenError, match="login of endpoint e-1") as raised:
        mediator_list(api, "/dids", "did_sid")
    shown = str(raised.value) + repr(raised.value.__dict__) + repr(raised.value.__cause__)
    assert "CANARY" not in shown
    assert "bWVkOkNBTkFSWQ" not in shown


@pytest.mark.parametrize("properties", [{"password": None}, {"login": {}}])
def test_an_endpoint_without_credentials_says_so(properties: dict[str, Any]) -> None:
    api, seen = client([endpoint(**properties)], {})

    with pytest.raises(ForbiddenError, match="endpoint e-1 shows no credentials"):
        mediator_list(api, "/dids", "did_sid")
    assert len(seen) == 1


def test_a_redirect_is_not_followed() -> None:
    hosts: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if request.url.path.endswith("/endpoints"):
            return answer(200, listed(endpoint()))
        return answer(302, "moved", location="https://evil.example.net/")

    with pytest.raises(TerminalError):
        mediator_list(Client(CORE, "t", transport=httpx.MockTransport(handle)), "/dids", "did_sid")
    assert hosts == ["api.example.com"] * 2

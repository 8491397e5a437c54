"""The client: one typed error for every dialect, bounded retries, and a token that goes nowhere else."""

import httpx
import pytest
import stamina

from pipeline.errors import (
    ForbiddenError,
    NotFoundError,
    SettingsError,
    TerminalError,
    TransientError,
    UnauthorizedError,
)
from pipeline.pull.client import Client

URL = "https://api.example.com/core/v2"
FLAT = {
    "message": "permission denied",
    "errors": [{"field": "cause", "message": "permission denied", "reference_sid": None}],
}
WRAPPED = {"body": {"message": "cannot parse json. Check json for validity", "errors": None}, "status": 400}


@pytest.fixture(autouse=True)
def no_waiting():
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


class Unread(httpx.SyncByteStream):
    """A body that comes in pieces."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self):
        for start in range(0, len(self.content), 7):
            yield self.content[start : start + 7]


def client(*answers: httpx.Response | Exception) -> tuple[Client, list[httpx.Request]]:
    seen: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        # As from a socket: not read yet.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=Unread(answer.content))

    return Client(URL, "secret-token", transport=httpx.MockTransport(handle)), seen


ERRORS = {
    "400 wrapped": (400, {"json": WRAPPED}, TerminalError, "cannot parse json", 1),
    "401": (
        401,
        {"json": FLAT | {"message": "authentication required"}},
        UnauthorizedError,
        "TOLLBOOK_API_TOKEN",
        1,
    ),
    "403 names the scope": (403, {"json": FLAT}, ForbiddenError, "partners.read", 1),
    "404": (404, {"json": FLAT | {"message": "no item error"}}, NotFoundError, "no item error", 1),
    "409 is retried": (409, {"json": FLAT}, TransientError, "409", 4),
    "415": (415, {"text": ""}, TerminalError, "empty answer", 1),
    "422": (422, {"json": FLAT}, TerminalError, "422", 1),
    "429 is retried": (429, {"json": FLAT}, TransientError, "429", 4),
    "500 empty": (500, {"text": ""}, TransientError, "500", 4),
    "502 HTML": (502, {"text": "<html>bad gateway</html>"}, TransientError, "bad gateway", 4),
    "redirect is not followed": (
        302,
        {"headers": {"location": "https://evil.example"}},
        TerminalError,
        "302",
        1,
    ),
    "200 that is no JSON": (200, {"text": '{"items": [{"a"'}, TransientError, "not JSON", 4),
    "200 HTML": (200, {"text": "<html>"}, TransientError, "not JSON", 4),
}


@pytest.mark.parametrize(("status", "answer", "error", "text", "tries"), ERRORS.values(), ids=ERRORS)
def test_answers_become_typed_errors(status: int, answer: dict, error: type, text: str, tries: int) -> None:
    """Each status has its class, its message and its number of tries."""
    api, seen = client(httpx.Response(status, **answer))
    with pytest.raises(error) as raised:
        api.get("/partners")
    assert text in str(raised.value)
    assert len(seen) == tries
    assert {str(r.url.host) for r in seen} == {"api.example.com"}


def test_connection_errors_are_retried_and_then_succeed() -> None:
    """A reset in the middle costs a try, not the run."""
    api, seen = client(
        httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(200, json={"a": "1"})
    )
    assert (api.get("/partners"), len(seen)) == ({"a": "1"}, 3)


def test_fractions_keep_their_text() -> None:
    """No float on the way: 0.1 stays 0.1."""
    api, _ = client(httpx.Response(200, text='{"price": 0.1, "n": 3, "big": 1.10}'))
    assert api.get("/x") == {"price": "0.1", "n": 3, "big": "1.10"}


def test_token_is_in_the_header_alone() -> None:
    """Neither the URL nor any text of ours carries it."""
    api, seen = client(httpx.Response(500, text="boom"))
    with pytest.raises(TransientError) as raised:
        api.get("/partners", {"limit": 1})
    assert seen[0].headers["authorization"] == "Bearer secret-token"
    assert "secret-token" not in str(seen[0].url) + str(raised.value) + repr(raised.value.__dict__) + repr(
        api
    )


@pytest.mark.parametrize("url", ["http://api.example.com/core/v2", "ftp://x", "api.example.com"])
def test_only_https_is_taken(url: str) -> None:
    """A token must not travel in the clear."""
    with pytest.raises(SettingsError, match="https"):
        Client(url, "t")


def test_one_unreadable_item_does_not_lose_its_page() -> None:
    """A lone surrogate is legal JSON and undecodable text; its neighbours are kept."""
    body = b'{"items": [{"dr_sid": "a"}, {"dr_sid": "\\ud83d"}, {"dr_sid": "c"}], "limit": 3}'
    api, _ = client(httpx.Response(200, content=body))
    envelope = api.get_page("/calls/call_drs", {})
    assert [item["dr_sid"] for item in envelope["items"]] == ["a", "c"]
    assert [item.raw for item in envelope["unreadable"]] == [b'{"dr_sid":"\\ud83d"}']

"""A token by OAuth: asked for once, renewed before it ends, asked for anew where that fails, and never shown."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest
import stamina

from pipeline.errors import SettingsError, TerminalError, TransientError, UnauthorizedError
from pipeline.provider.app import create_app
from pipeline.provider.faults import Faults
from pipeline.provider.oauth import CLIENT_ID, CLIENT_SECRET, PASSWORD
from pipeline.provider.world import World, WorldConfig
from pipeline.pull.client import Client
from pipeline.pull.oauth import Credentials, Grant
from pipeline.pull.snapshots import whoami
from tests.contract.sandbox_api import client

URL = "https://api.example.com/core/v2"
LOGIN = Credentials("my-client", "CANARY-secret", "me", "CANARY-password")
CREATED = "2026-04-03T06:00:00.000Z"


@pytest.fixture(autouse=True)
def no_waiting():
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


class Clock:
    """Seconds that pass when they are told to."""

    now = 500.0

    def __call__(self) -> float:
        return self.now


class Provider:
    """Gives tokens ``t1``, ``t2`` ... for an hour each, and notes the forms; ``answer`` may say something else."""

    def __init__(
        self, answer: Callable[[dict[str, str]], httpx.Response | None] = lambda _form: None
    ) -> None:
        self.forms: list[dict[str, str]] = []
        self.answer = answer
        self.expires = "2026-04-03T07:00:00.000Z"
        self.headers: dict[str, str] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("POST", f"{URL}/oauth/token")
        assert "authorization" not in request.headers
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.forms.append(form)
        number = len(self.forms)
        token = {"access_token": f"t{number}", "refresh_token": f"r{number}", "date_created": CREATED}
        said = self.answer(form)
        return said or reply(200, token | {"date_expiration_access_token": self.expires}, **self.headers)


def reply(status: int, content: object, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(json.dumps(content).encode()))


def grant(provider: Provider, clock: Clock) -> Grant:
    return Grant(URL, LOGIN, transport=httpx.MockTransport(provider), clock=clock)


def refused(status: int = 401) -> httpx.Response:
    error = {"field": "cause", "message": "CANARY-echo", "reference_sid": None}
    return reply(status, {"message": "Bad credentials", "errors": [error]})


def test_a_token_is_asked_for_once_and_only_for_an_hour() -> None:
    provider, clock = Provider(), Clock()
    token = grant(provider, clock)

    assert [token(), token()] == ["t1", "t1"]
    assert provider.forms == [
        {
            "grant_type": "password",
            "client_id": "my-client",
            "client_secret": "CANARY-secret",
            "username": "me",
            "password": "CANARY-password",
            "name": "tollbook",
            "access_token_expires_in": "3600",
            "refresh_token_expires_in": "86400",
        }
    ]


def test_it_is_renewed_before_it_ends_without_the_password() -> None:
    provider, clock = Provider(), Clock()
    token = grant(provider, clock)
    token()

    clock.now += 3539
    assert token() == "t1"
    clock.now += 1
    assert [token(), token()] == ["t2", "t2"]
    assert provider.forms[1] == {
        "grant_type": "refresh_token",
        "refresh_token_type": "new_token",
        "refresh_token": "r1",
        "client_id": "my-client",
        "client_secret": "CANARY-secret",
        "name": "tollbook",
        "access_token_expires_in": "3600",
    }


def test_a_refresh_token_that_has_ended_leads_back_to_the_password() -> None:
    provider, clock = Provider(lambda form: refused() if "refresh_token" in form else None), Clock()
    token = grant(provider, clock)
    token()
    clock.now += 3600

    assert token() == "t3"
    assert [form["grant_type"] for form in provider.forms] == ["password", "refresh_token", "password"]


@pytest.mark.parametrize(
    ("expires", "headers", "good_for"),
    [
        pytest.param("2026-04-03T07:00:00.000Z", {}, 3540, id="from the date of creation"),
        pytest.param(
            "2026-04-03T09:00:00.000Z",
            {"date": "Fri, 03 Apr 2026 08:59:00 GMT"},
            48,
            id="from the date of the answer: a prolonged token is older than that",
        ),
        pytest.param(
            "2026-04-03T06:01:00.000Z",
            {"date": "Fri, 03 Apr 2026 05:59:58 GMT"},
            48,
            id="from the later of the two",
        ),
        pytest.param("2126-03-10T06:00:00.000Z", {}, 3_153_599_940, id="a century"),
        pytest.param("2026-04-03T06:00:03.000Z", {}, 2, id="a short life"),
        pytest.param("2026-04-03T05:00:00.000Z", {}, 0, id="ended already: asked for again each time"),
        pytest.param(None, {}, 3540, id="not told"),
    ],
)
def test_its_life_is_counted_on_our_clock(expires: str, headers: dict[str, str], good_for: int) -> None:
    provider, clock = Provider(), Clock()
    provider.expires, provider.headers = expires, headers
    token = grant(provider, clock)
    token()

    clock.now += max(0, good_for - 1)
    assert token() == ("t1" if good_for else "t2")
    clock.now += 1
    assert token() == ("t2" if good_for else "t3")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_name_the_settings_and_show_nothing(status: int) -> None:
    provider = Provider(lambda _form: refused(status))
    token = grant(provider, Clock())

    with pytest.raises(UnauthorizedError, match="TOLLBOOK_OAUTH_CLIENT_ID") as raised:
        token()
    assert len(provider.forms) == 1
    assert "CANARY" not in str(raised.value) + repr(raised.value.__dict__) + repr(token) + repr(LOGIN)


def test_a_token_is_not_shown() -> None:
    token = grant(Provider(), Clock())
    token()

    assert "t1" not in repr(token)
    assert "r1" not in repr(token)
    assert "t1" not in repr(Client(URL, token))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(reply(503, {}), TransientError, id="never there"),
        pytest.param(reply(200, {"token": "x"}), TerminalError, id="no token"),
        pytest.param(reply(200, ["x"]), TerminalError, id="no object"),
        pytest.param(reply(302, {}, location="https://evil.example.net"), TerminalError, id="moved"),
    ],
)
def test_an_answer_without_a_token_is_an_error(answer: httpx.Response, error: type[Exception]) -> None:
    body = b"".join(answer.stream)
    headers = dict(answer.headers)
    provider = Provider(
        lambda _form: httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))
    )

    with pytest.raises(error):
        grant(provider, Clock())()


def test_a_password_is_not_sent_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="https"):
        Grant("http://api.example.com/core/v2", LOGIN)


def test_a_client_asks_again_for_a_token_that_did_not_come() -> None:
    left = [reply(503, {}), reply(500, {})]
    provider = Provider(lambda _form: left.pop() if left else None)

    def handle(request: httpx.Request) -> httpx.Response:
        return provider(request) if request.method == "POST" else reply(200, {"partner_sid": "p"})

    with Client(URL, grant(provider, Clock()), transport=httpx.MockTransport(handle)) as api:
        assert whoami(api) == {"partner_sid": "p"}
    assert len(provider.forms) == 3


class Withdrawing:
    """Serves calls to whoever has a token that is not withdrawn; ``withdrawn`` are looked at with every request."""

    def __init__(self, provider: Provider, *withdrawn: str) -> None:
        self.provider, self.withdrawn, self.sent = provider, set(withdrawn), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return self.provider(request)
        self.sent.append(token := request.headers["authorization"].removeprefix("Bearer "))
        return refused() if token in self.withdrawn else reply(200, {"partner_sid": token})


def test_a_token_withdrawn_in_the_middle_is_renewed_once_and_the_work_goes_on() -> None:
    provider = Provider()
    server = Withdrawing(provider)
    with Client(URL, grant(provider, Clock()), transport=httpx.MockTransport(server)) as api:
        first = whoami(api)
        server.withdrawn.add("t1")
        later = [whoami(api), whoami(api)]

    assert (first, later) == ({"partner_sid": "t1"}, [{"partner_sid": "t2"}] * 2)
    assert server.sent == ["t1", "t1", "t2", "t2"]
    assert [form["grant_type"] for form in provider.forms] == ["password", "refresh_token"]


def test_a_refresh_token_that_was_withdrawn_too_leads_back_to_the_password() -> None:
    provider = Provider(lambda form: refused() if "refresh_token" in form else None)
    server = Withdrawing(provider, "t1")
    with Client(URL, grant(provider, Clock()), transport=httpx.MockTransport(server)) as api:
        assert whoami(api) == {"partner_sid": "t3"}
    assert [form["grant_type"] for form in provider.forms] == ["password", "refresh_token", "password"]


def test_where_every_token_is_refused_it_ends_after_the_second() -> None:
    provider = Provider()
    server = Withdrawing(provider, *(f"t{n}" for n in range(9)))
    with (
        Client(URL, grant(provider, Clock()), transport=httpx.MockTransport(server)) as api,
        pytest.raises(UnauthorizedError),
    ):
        whoami(api)
    assert server.sent == ["t1", "t2"]


def test_a_login_that_is_refused_in_the_middle_names_its_settings() -> None:
    provider = Provider(lambda _form: refused() if provider.forms[1:] else None)
    server = Withdrawing(provider, "t1")
    with (
        Client(URL, grant(provider, Clock()), transport=httpx.MockTransport(server)) as api,
        pytest.raises(UnauthorizedError, match="TOLLBOOK_OAUTH_CLIENT_ID"),
    ):
        whoami(api)


def test_a_static_token_that_is_refused_ends_it_at_once() -> None:
    server = Withdrawing(Provider(), "fixed")
    with (
        Client(URL, "fixed", transport=httpx.MockTransport(server)) as api,
        pytest.raises(UnauthorizedError, match="TOLLBOOK_API_TOKEN"),
    ):
        whoami(api)
    assert server.sent == ["fixed"]


def test_a_client_works_on_while_its_tokens_expire() -> None:
    app = create_app(World(WorldConfig(calls=3, messages=3, faults=Faults.parse("token_expires=600"))))
    clock = Clock()
    tokens = app.state.tokens
    tokens._clock = clock
    transport = client(app)._transport
    login = Credentials(CLIENT_ID, CLIENT_SECRET, "harborcarrierservi", PASSWORD)
    base = "http://127.0.0.1/core/v2"
    token = Grant(base, login, transport=transport, clock=clock)

    with Client(base, token, transport=transport) as api:
        names = []
        for _ in range(12):
            names.append(whoami(api)["company_name"])
            clock.now += 150

    assert names == ["Harbor Carrier Services"] * 12
    assert len({issued.access for issued in tokens._issued}) == 3

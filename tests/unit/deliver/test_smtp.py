"""What a server's answers mean, with a real server."""

import pytest

from pipeline.deliver.smtp import Mailer, Outcome, Server, parse_url
from pipeline.errors import DeliveryError
from tests.fixtures.mail import Sink, free_port, smtp_server

SENDER, ALL = "billing@harbor.example", ("a@x.example", "b@y.example")
CONTENT = b"Subject: x\r\n\r\nHello\r\n.\r\n..dots\r\n"


def send(sink: Sink, times: int = 1) -> list[Outcome]:
    with smtp_server(sink) as url:
        mailer = Mailer(parse_url(url), helo="harbor.example", timeout=5)
        outcomes = []
        for _ in range(times):
            mailer.open()
            outcomes.append(mailer.send(SENDER, ALL, CONTENT))
        mailer.close()
    return outcomes


def test_message_arrives_as_it_was_written() -> None:
    sink = Sink()
    assert send(sink) == [Outcome("sent")]
    assert sink.arrived == [(SENDER, ALL, CONTENT)]


def test_one_connection_carries_many_messages() -> None:
    sink = Sink(data=["550 no", "451 later"])
    assert [o.status for o in send(sink, 3)] == ["failed", "queued", "sent"]


@pytest.mark.parametrize(
    ("sink", "status", "note"),
    [
        pytest.param(Sink(data=["554 spam"]), "failed", "refused: 554 spam", id="content refused for good"),
        pytest.param(Sink(data=["452 full"]), "queued", "refused: 452 full", id="content refused for now"),
        pytest.param(
            Sink(rcpt={"a@x.example": "550 who", "b@y.example": "550 who"}),
            "failed",
            "not accepted: a@x.example: 550 who; b@y.example: 550 who",
            id="nobody known",
        ),
        pytest.param(
            Sink(rcpt={"a@x.example": "550 who", "b@y.example": "450 busy"}),
            "queued",
            "not accepted: a@x.example: 550 who; b@y.example: 450 busy",
            id="one of them later",
        ),
        pytest.param(
            Sink(rcpt={"b@y.example": "550 who"}),
            "sent",
            "not accepted: b@y.example: 550 who",
            id="one of two",
        ),
        pytest.param(Sink(drop="mail"), "queued", "connection lost before", id="cut before anything"),
        pytest.param(Sink(drop="rcpt"), "queued", "connection lost before", id="cut among recipients"),
        pytest.param(Sink(drop="data"), "unknown", "may have arrived", id="cut after the content"),
    ],
)
def test_what_an_answer_means(sink: Sink, status: str, note: str) -> None:
    (outcome,) = send(sink)
    assert (outcome.status, note in outcome.note) == (status, True)


# what the server says to a@x.example and b@y.example -> who is lost, who may be tried again
REFUSALS = {
    "one for good": (("250 OK", "550 who"), {"b@y.example": "550 who"}, {}),
    "one for now": (("250 OK", "450 busy"), {}, {"b@y.example": "450 busy"}),
    "one each": (("550 who", "450 busy"), {"a@x.example": "550 who"}, {"b@y.example": "450 busy"}),
    "both for now": (("450 busy", "450 busy"), {}, dict.fromkeys(ALL, "450 busy")),
}


@pytest.mark.parametrize(("answers", "refused", "later"), REFUSALS.values(), ids=REFUSALS)
def test_who_is_lost_and_who_may_be_tried_again(answers: tuple, refused: dict, later: dict) -> None:
    (outcome,) = send(Sink(rcpt=dict(zip(ALL, answers, strict=True))))
    assert (outcome.refused, outcome.later) == (refused, later)


def test_lost_connection_is_opened_again() -> None:
    sink = Sink(drop="mail")
    with smtp_server(sink) as url:
        mailer = Mailer(parse_url(url), helo="harbor.example", timeout=5)
        mailer.open()
        assert mailer.send(SENDER, ALL, CONTENT).status == "queued"
        sink.drop = ""
        mailer.open()
        assert mailer.send(SENDER, ALL, CONTENT) == Outcome("sent")
        mailer.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("smtp://mail.example.com", Server("smtp", "mail.example.com", 25), id="plain"),
        pytest.param("smtps://u:p@m.example", Server("smtps", "m.example", 465, "u", "p"), id="TLS"),
        pytest.param(
            "smtp+starttls://u%40d:p%2Fw@m.example:2525",
            Server("smtp+starttls", "m.example", 2525, "u@d", "p/w"),
            id="STARTTLS",
        ),
        pytest.param("smtp://u:p@127.0.0.1:1025", Server("smtp", "127.0.0.1", 1025, "u", "p"), id="loopback"),
    ],
)
def test_urls(url: str, expected: Server) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://SECRET@mail.example.com",
        "smtp://",
        "smtp://u:SECRET@:25",
        "smtps://u:SECRET@m.example:port",
        "smtps://u:SECRET@m.example/path",
        "smtps://u:SECRET@m.example?x=1",
        "smtp://u:SECRET@mail.example.com",
    ],
)
def test_bad_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DeliveryError, match="TOLLBOOK_SMTP_URL") as caught:
        parse_url(url)
    assert "SECRET" not in str(caught.value)


def test_password_is_in_no_repr() -> None:
    assert "SECRET" not in repr(parse_url("smtps://u:SECRET@m.example"))


def test_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(DeliveryError, match=f"127.0.0.1:{port} cannot be used"):
        Mailer(parse_url(f"smtp://127.0.0.1:{port}"), helo="x.example", timeout=2).open()


def test_server_without_encryption_is_not_trusted_with_starttls() -> None:
    with smtp_server(Sink()) as url, pytest.raises(DeliveryError, match="cannot be used") as caught:
        Mailer(
            parse_url(url.replace("smtp://", "smtp+starttls://u:SECRET@")), helo="x.example", timeout=2
        ).open()
    assert "SECRET" not in str(caught.value)


def test_refused_login_says_so_without_the_password() -> None:
    def nobody(*_: object) -> bool:
        return False

    options = {"auth_require_tls": False, "auth_callback": nobody}
    with (
        smtp_server(Sink(), **options) as url,
        pytest.raises(DeliveryError, match="refuses the login") as caught,
    ):
        Mailer(parse_url(url.replace("smtp://", "smtp://u:SECRET@")), helo="x.example", timeout=2).open()
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None

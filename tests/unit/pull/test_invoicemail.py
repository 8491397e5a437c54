"""The provider is asked for an e-mail once, as its documents say, and never again by itself."""

from urllib.parse import parse_qs

import httpx
import pytest

from pipeline.errors import ForbiddenError, NotFoundError, ProviderError, TransientError
from pipeline.pull.client import Client
from pipeline.pull.invoicemail import ask_for_mail

TO = ("ann@x.example", "bob+billing@y.example")


def asked(answer: httpx.Response | Exception) -> tuple[list[httpx.Request], ProviderError | None]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with Client("https://api.example.com/core/v2", "token", transport=httpx.MockTransport(handle)) as client:
        try:
            ask_for_mail(client, "inv-1", TO)
        except ProviderError as error:
            return seen, error
    return seen, None


def test_the_request_is_a_form_with_the_addresses() -> None:
    (request,), error = asked(httpx.Response(204))
    assert error is None
    assert (request.method, request.url.path) == ("POST", "/core/v2/invoices/inv-1.pdf/emails")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode()) == {"emails": [",".join(TO)]}


FAILURES = {
    "no such invoice": (
        httpx.Response(404, json={"message": "no item"}),
        NotFoundError,
        "has no invoice inv-1",
    ),
    "no scope": (httpx.Response(403, json={"message": "permission denied"}), ForbiddenError, "lacks a scope"),
    "an error of the server": (httpx.Response(502), TransientError, "may have left all the same"),
    "no answer": (httpx.ReadTimeout("late"), TransientError, "may have left all the same"),
}


@pytest.mark.parametrize(("answer", "kind", "said"), FAILURES.values(), ids=FAILURES)
def test_what_fails_says_what_to_do_and_is_not_tried_again(
    answer: httpx.Response | Exception, kind: type[ProviderError], said: str
) -> None:
    seen, error = asked(answer)
    assert (len(seen), type(error), said in str(error)) == (1, kind, True)

"""Number lookups. Each one is billed, so each is asked for once: whatever comes of it, it is not tried again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

from pipeline.errors import NotFoundError, TerminalError
from pipeline.pull.client import Client

Detail = Literal["carrier", "cnam", "lrn"]
DETAILS: tuple[Detail, ...] = ("carrier", "cnam", "lrn")


@dataclass(frozen=True, slots=True)
class Lookup:
    """What came of one: ``status`` is found, unmatched or invalid; ``answer`` the provider's object where found."""

    phonenumber: str
    status: str
    answer: dict[str, Any]


@contextmanager
def asked_once(client: Client) -> Iterator[Client]:
    """The client without second tries: a request whose answer was lost has been billed all the same."""
    patience, client.patience = client.patience, replace(client.patience, attempts=1)
    try:
        yield client
    finally:
        client.patience = patience


def look_up(client: Client, number: str, details: tuple[Detail, ...]) -> Lookup:
    """One lookup of an international number, digits only, for a price per detail.

    The provider says 400 for a number that matches nothing and 404 for one that is none: it is documented so.

    Raises:
        ForbiddenError: the scope is missing.
        TransientError: no answer; whether it was billed, the provider knows.
    """
    asked = dict.fromkeys(details, "true") | {"guess": "e164"}
    try:
        answer = client.get(f"/lookup/dids/{quote(number, safe='')}", asked)
    except NotFoundError:
        return Lookup(number, "invalid", {})
    except TerminalError as error:
        if error.status != 400:
            raise
        return Lookup(number, "unmatched", {})
    if not isinstance(answer, dict):
        raise TerminalError(f"GET /lookup/dids/{number}: the answer is no object.")
    return Lookup(number, "found", answer)

"""Error bodies, in the shapes that the provider's documents show: 400 is wrapped, all others are flat."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """A request that is answered with an error. Only the sandbox's own server sees it."""

    def __init__(
        self, status: int, message: str, cause: str | None = None, field: str | None = "cause"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.cause = cause or message
        self.field = field

    def response(self) -> Response:
        """The error as the provider would send it."""
        if self.status == 400:
            return as_json({"body": {"message": self.message, "errors": None}, "status": 400}, 400)
        error = {"field": self.field, "message": self.cause, "reference_sid": None}
        return as_json({"message": self.message, "errors": [error]}, self.status)


def bad_request(message: str) -> Refusal:
    """400: the request itself is wrong."""
    return Refusal(400, message)


def unauthorized() -> Refusal:
    """401: no token, or not the right one."""
    return Refusal(401, "authentication required")


def forbidden() -> Refusal:
    """403: the token lacks a scope."""
    return Refusal(403, "permission denied")


def not_found(what: str) -> Refusal:
    """404: no such item, or an expired one."""
    return Refusal(404, "no item error", f"cannot find {what}", None)

"""The dialects in which providers say no, read into one shape.

Three are known: the Core's flat ``{message, errors}``; the same wrapped as ``{body, status}`` (the Core for 400, the
Mediator always, also around a failure inside a 200); and the second provider's ``{ResponseStatus}``, whose HTTP
statuses say less than its codes. Anything else is taken as text. Nothing here raises.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

NOT_FOUND, FORBIDDEN, CONFLICT, INVALID = "not_found", "forbidden", "conflict", "invalid"
_FORBIDDEN = {
    "FORBIDDEN", "NO_SMS_AGREEMENT", "SMS_NOT_ENABLED", "COUNTRY_UNAVAILABLE", "SMS_LEASED_NUMBER_NOT_OWNED",
    "NUMBER_BELONGS_TO_DIFFERENT_PROPERTY", "PERMISSION_EXCEEDS_ACCESS_BOUNDARY", "INVALID_PERMISSIONS",
    "INVALID_PERMISSION_VALUE",
}  # fmt: skip
_CONFLICT = {
    "PROJECT_LIMIT_REACHED", "NUMBER_ALLOCATION_FAILED", "ONLINE_LOGIN_EMAIL_EXISTS", "ADDRESS_CANNOT_BE_DELETED",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error body says. ``status`` is the inner one, where a body carries it."""

    message: str
    code: str | None = None
    details: tuple[str, ...] = ()
    status: int | None = None

    @property
    def kind(self) -> str | None:
        """What the code means: not_found, forbidden, conflict, invalid; None without a code."""
        if self.code is None:
            return None
        if self.code.endswith("_NOT_FOUND") or self.code == "SIP_TRUNK_WAS_DELETED":
            return NOT_FOUND
        if self.code in _FORBIDDEN:
            return FORBIDDEN
        return CONFLICT if self.code in _CONFLICT else INVALID


def read_refusal(body: bytes) -> Refusal:
    """The refusal of an error body, whatever its dialect."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal(body[:200].decode("utf-8", "replace").strip() or "empty answer")
    if not isinstance(found, dict):
        return Refusal(str(found)[:200])
    if isinstance(found.get("ResponseStatus"), dict):
        return _response_status(found["ResponseStatus"])
    status = found.get("status") if isinstance(found.get("status"), int) else None
    inner = found["body"] if isinstance(found.get("body"), dict) else found
    message = str(inner.get("message") or "no message")
    return Refusal(message, details=_details(inner.get("errors"), "field", "message"), status=status)


def _response_status(found: dict[str, Any]) -> Refusal:
    code = str(found.get("ErrorCode") or "").strip() or None
    details = _details(found.get("Errors"), "FieldName", "Message")
    return Refusal(str(found.get("Message") or code or "no message"), code, details)


def _details(errors: Any, field: str, message: str) -> tuple[str, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(
        ": ".join(str(part) for part in (e.get(field), e.get(message)) if part)
        for e in errors
        if isinstance(e, dict)
    )

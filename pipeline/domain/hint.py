"""What a callback of the provider comes down to: that a record exists. Nothing else of it is kept or believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.domain.cursor import CALLS, MESSAGES, instant
from pipeline.domain.numbering import digits

_LONGEST_SID = 120
_LONGEST_NUMBER = 20


@dataclass(frozen=True, slots=True)
class Hint:
    """``resource`` and ``sid`` name the record; numbers and time find a message that has another sid as a record."""

    resource: str
    sid: str
    number_src: str
    number_dst: str
    said_at: datetime | None


def read_hint(said: object) -> Hint | None:
    """The hint in a callback's JSON (``app_mediator`` or ``sms``, in its older and newer words); None in anything else.

    Anybody may have sent it: every part is bounded, and text that people wrote is not looked at.
    """
    if not isinstance(said, Mapping):
        return None
    if sid := _sid(said.get("dr_sid")):
        src, dst = said.get("number_src"), said.get("number_dst")
        return Hint(CALLS.resource, sid, _number(src), _number(dst), _at(said.get("date_stop")))
    if sid := _sid(said.get("message_sid")):
        src, dst = said.get("from_did", said.get("from")), said.get("to_did", said.get("to"))
        return Hint(MESSAGES.resource, sid, _number(src), _number(dst), _at(said.get("date_created")))
    return None


def _sid(value: Any) -> str | None:
    fits = (
        isinstance(value, str) and 0 < len(value) <= _LONGEST_SID and value.isprintable() and value.isascii()
    )
    return value if fits else None


def _number(value: Any) -> str:
    found = digits(value) if isinstance(value, str) and len(value) <= _LONGEST_NUMBER else None
    return found or ""


def _at(value: Any) -> datetime | None:
    try:
        return instant(value)
    except (TypeError, ValueError):
        return None

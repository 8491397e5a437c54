"""List envelopes, decoded: at once where they are sound, else item by item.

A page can be sound JSON as a whole and hold an item that no decoder takes: half of a surrogate pair, a number of five
thousand digits, brackets nested ten thousand deep. So the slow way does not decode: it scans for where items begin and
end, without recursion, and decodes each alone. What is not readable even so is kept as bytes, without the private
fields, and with those of its fields that can be read (its ``dr_sid``, for one).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from pipeline.domain.cursor import PRIVATE, Unreadable

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]', re.DOTALL)
_BOM = b"\xef\xbb\xbf"
_READABLE = 4096
_DIGITS = 38
_json = msgspec.json.Decoder(float_hook=str)
# What a decoder raises about a text that it does not take.
REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(body: bytes) -> Any:
    """JSON as Python values; a number with a fraction is its text.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is none.
    """
    return _json.decode(body)


def decode_by_item(body: bytes) -> dict[str, Any]:
    """The envelope of a page that cannot be decoded at once; ``unreadable`` are its items that cannot be at all.

    Raises:
        ValueError: it is no list of objects, or it is cut short.
    """
    body = body.removeprefix(_BOM)
    envelope: dict[str, Any] = {}
    items: list[Any] = []
    unreadable: list[Unreadable] = []
    last: Mapping[str, Any] = {}
    for key, start, end in _parts(body, b"{"):
        if _key(key) != "items":
            envelope[_key(key)] = _value(body[start:end])
            continue
        for _, first, beyond in _parts(body[start:end], b"["):
            item = _item(body[start + first : start + beyond])
            if isinstance(item, Unreadable):
                unreadable.append(item)
                last = item.known
            else:
                items.append(item)
                last = item if isinstance(item, dict) else {}
    return envelope | {"items": items, "unreadable": tuple(unreadable), "last": last}


def _item(raw: bytes) -> Any:
    with suppress(*REFUSED):
        return decode(raw)
    try:
        raw = _without_private(raw)
        return decode(raw)
    except REFUSED as error:
        known = {_key(key): _value(raw[start:end]) for key, start, end in _members(raw)}
        plain = {key: value for key, value in known.items() if isinstance(value, str | int)}
        return Unreadable(raw, _problem(error), plain)


def _problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "not readable: nested too deep"
    if "range" in str(error):
        return "not readable: a number is too long"
    return "not readable: holds what is no JSON text or value"


def _value(raw: bytes) -> Any:
    """A plain value; None for what cannot be read, or is nested or large."""
    if len(raw) > _READABLE or raw[:1] in (b"{", b"["):
        return None
    try:
        return decode(raw)
    except REFUSED:
        return None


def _without_private(raw: bytes) -> bytes:
    """An object without its private fields, byte for byte the same otherwise."""
    if raw[:1] != b"{":
        return raw
    kept = [key + b":" + raw[start:end] for key, start, end in _members(raw) if _key(key) not in PRIVATE]
    return b"{" + b",".join(kept) + b"}"


def _members(raw: bytes) -> list[tuple[bytes, int, int]]:
    """The members of an object as far as its brackets match; none of anything else."""
    found: list[tuple[bytes, int, int]] = []
    with suppress(ValueError):
        found.extend(_parts(raw, b"{"))
    return found


def _parts(text: bytes, opening: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The values directly inside an object or list: key as quoted (empty in a list), begin and end.

    Raises:
        ValueError: brackets or quotes do not match, or it does not begin with ``opening``.
    """
    depth, key, start = 0, b"", -1
    named = opening == b"{"
    for token in _TOKEN.finditer(text):
        mark = token.group()[:1]
        if depth == 0:
            if mark != opening:
                break
            depth, start = 1, -1 if named else token.end()
        elif mark in b"[{":
            depth += 1
        elif depth == 1 and mark == b'"' and start < 0:
            key = token.group()
        elif depth == 1 and mark == b":" and start < 0:
            start = token.end()
        elif mark in b"]}" and depth > 1:
            depth -= 1
        elif depth == 1 and mark in b",]}":
            yield from _part(text, key, start, token.start())
            if mark != b",":
                return
            start = -1 if named else token.end()
    raise ValueError("brackets do not match")


def _part(text: bytes, key: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    if start < 0:
        return
    inside = text[start:end]
    begin = start + len(inside) - len(inside.lstrip())
    stop = end - (len(inside) - len(inside.rstrip()))
    if stop > begin:
        yield key, begin, stop


def _key(quoted: bytes) -> str:
    try:
        return str(decode(quoted))
    except REFUSED:
        return quoted.decode("utf-8", "backslashreplace")

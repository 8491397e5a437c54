"""A page of records cut into columns where it lies, without decoding it: the fast way of most pages.

Records of one page have the same keys in the same order, and their values are texts, numbers and nulls. So the places
of the keys say where every value is, and those are found for the whole page at once. Each step is a check too: at
each place where a key must be, that key is, right after a comma or at the beginning of an item; the only quotes
besides are those of plain values; any other value is decoded for itself, and so is what stands around the items. Then
the page is sound JSON, and a value cannot be anything but what lies between two keys. A page that is spaced, or has
escapes or objects in it, is decoded first to see whether it is sound, and then taken as it would stand without them.
Whatever fails a check is no error: the page is decoded item by item, as others are.
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from pipeline.domain.cursor import PRIVATE, Cut
from pipeline.pull import envelope

_QUOTE, _COLON, _BACKSLASH, _COMMA, _SPACE = b'":\\, '
_NULL, _EMPTY = (int.from_bytes(word, "little") for word in (b"null", b"{}"))
_OPENING = b'"items":[{'
_LONGEST_BARE = 64
_LONGEST_LIST = 4096
_MOST_KEYS = 256
_HEAD = 4096
_FLAT = re.compile(rb'\{(?:[^"{}\[\]]|"[^"\\]*")*+\}')
_PIECE = 256 * 1024
_ROWS = 500
_WORD = 8


class _Item(msgspec.Struct, gc=False):
    """A detail record; nothing else is asked of it, and other lists are left alone."""

    dr_sid: msgspec.Raw


class _Envelope(msgspec.Struct, gc=False):
    items: list[_Item]
    count: Any = None


class _OtherError(ValueError):
    """A page that is not of the usual form."""


_checked = msgspec.json.Decoder(_Envelope)
_value = msgspec.json.Decoder(msgspec.Raw)


def cut(body: bytes) -> dict[str, Any] | None:
    """The envelope of a page whose ``items`` are a ``Cut``; None where it is not of that form."""
    try:
        body.isascii() or body.decode()
        try:
            whole, count = _at_once(body)
        except _OtherError:
            whole, count = _decoded_first(body)
        return {"items": replace(whole, decode=lambda: envelope.decode(body)["items"]), "count": count}
    except (_OtherError, IndexError, *envelope.REFUSED):
        return None


def _at_once(body: bytes) -> tuple[Cut, Any]:
    """The items of a page without blanks, escapes and objects, and what it says is their number."""
    _require(
        b'": ' not in body[:_HEAD] and b"\\" not in body and np.frombuffer(body, np.uint8).min() >= _SPACE
    )
    first, beyond = _bounds(body)
    around = body[:first] + body[beyond + 1 :]
    found = _checked.decode(around)
    _require(not found.items and around.count(b'"items"') == 1)
    return _cut(body), found.count


def _decoded_first(body: bytes) -> tuple[Cut, Any]:
    """As ``_at_once``, of a page with any of these."""
    found = _checked.decode(body)
    plain = msgspec.json.format(body, indent=-1) if b'": ' in body[:_HEAD] or b"\n" in body else body
    try:
        whole = _cut(plain)
    except _OtherError:
        whole = _cut(_without_objects(plain))
    _require(len(whole) == len(found.items))
    return whole, found.count


def _without_objects(body: bytes) -> bytes:
    """The page with a plain word for each private object; what is in those is nobody's business here."""
    for name in PRIVATE:
        key, parts, done = f'"{name}":'.encode(), [], 0
        while (place := body.find(key + b'{"', done)) >= 0:
            parts += [body[done:place], key]
            found = _FLAT.match(body, place + len(key))
            if found is None:
                raise _OtherError
            parts.append(b"true")
            done = found.end()
        body = b"".join([*parts, body[done:]])
    return body


def _bounds(body: bytes) -> tuple[int, int]:
    """Where the first item begins, and where the last one ends."""
    first, beyond = body.find(_OPENING) + len(_OPENING) - 1, body.rfind(b"}]")
    _require(len(_OPENING) <= first < beyond)
    return first, beyond


def _cut(body: bytes) -> Cut:
    first, beyond = _bounds(body)
    letters = np.frombuffer(body, np.uint8)
    closing, quotes = _ends_of_keys(letters, first, beyond, b"\\" in body)
    names = _names(body, closing[:_MOST_KEYS].tolist())
    _require(closing[0] == first + len(names[0]) + 2 and len(closing) % len(names) == 0)
    closing = closing.reshape(-1, len(names))
    count = len(closing)
    begin, end = np.empty_like(closing), np.empty_like(closing)
    quoted, null = np.empty(closing.shape, np.bool_), np.empty(closing.shape, np.bool_)
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        opening = closing[rows] - np.array([len(name) + 1 for name in names], np.int32)
        _check_keys(body, names, opening - 1)
        begin[rows], end[rows, :-1] = closing[rows] + 2, opening[:, 1:] - 1
        # An item ends right before the next: },{
        end[max(0, start - 1) : start + len(opening) - 1, -1] = opening[0 if start else 1 :, 0] - 3
    end[-1, -1] = beyond
    _require((letters[end[:-1, -1]] == ord("}")).all() and (letters[end[:-1, -1] + 1] == _COMMA).all())
    known = 2 * begin.size
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        quoted[rows], null[rows], inside = _kinds(body, begin[rows], end[rows])
        begin[rows] += quoted[rows]
        end[rows] -= quoted[rows]
        known += inside
    _require(quotes == known)
    texts = tuple(name.decode() for name in names)
    return Cut(texts, body, begin, end, quoted, null, list)


def _require(usual: Any) -> None:
    if not usual:
        raise _OtherError


def _ends_of_keys(letters: np.ndarray, first: int, beyond: int, escapes: bool) -> tuple[np.ndarray, int]:
    """Where quotes stand that a colon follows, and how many quotes there are; a piece at a time, within the cache.

    A quote between two colons begins a text, such as "::1".
    """
    found, quotes = [], int(letters[beyond - 1] == _QUOTE)
    for start in range(first, beyond, _PIECE):
        before = letters[start - 1 : min(start + _PIECE, beyond) - 1] == _QUOTE
        quotes += int(np.count_nonzero(before))
        before &= letters[start : min(start + _PIECE, beyond)] == _COLON
        found.append((np.flatnonzero(before) + (start - 1)).astype(np.int32))
    places = np.concatenate(found)
    places = places[letters[places - 1] != _COLON]
    if escapes:
        escaped = _escaped(letters)
        quotes -= int(np.count_nonzero(letters[escaped[(first <= escaped) & (escaped < beyond)]] == _QUOTE))
        places = places[np.isin(places, escaped, invert=True)]
    return places, quotes


def _escaped(letters: np.ndarray) -> np.ndarray:
    """The places of letters that a backslash stands for; of two backslashes the second is such a letter."""
    slashes = np.flatnonzero(letters == _BACKSLASH)
    order = np.arange(len(slashes))
    begins = np.diff(slashes, prepend=-2) != 1
    within = order - np.maximum.accumulate(np.where(begins, order, 0))
    found: np.ndarray = slashes[within % 2 == 0] + 1
    return found


def _names(body: bytes, closing: list[int]) -> tuple[bytes, ...]:
    """The keys of the first item; with the second its first key comes again."""
    names: list[bytes] = []
    for place in closing:
        name = body[body.rfind(b'"', 0, place) + 1 : place]
        if names and name == names[0]:
            break
        names.append(name)
    _require(b"dr_sid" in names and len(set(names)) == len(names) and b"\\" not in b"".join(names))
    return tuple(names)


def _check_keys(body: bytes, names: tuple[bytes, ...], opening: np.ndarray) -> None:
    """Whether ``,"name":`` begins at each of these places, and ``{"name":`` at those of the first."""
    width, wanted, mask = _patterns(names)
    if opening[-1, -1] + width > len(body):
        body += bytes(width)
    heads = np.ndarray((len(body) - width + 1,), f"V{width}", body, strides=(1,))
    found = heads[opening.reshape(-1)].view("<u8").reshape(len(opening), -1)
    found ^= wanted
    found &= mask
    _require(not found.any())


@lru_cache(16)
def _patterns(names: tuple[bytes, ...]) -> tuple[int, np.ndarray, np.ndarray]:
    """How many bytes to look at, a multiple of a word; what they must be; and which of their bits count."""
    keys = [(b"," if column else b"{") + b'"' + name + b'":' for column, name in enumerate(names)]
    width = -(-max(map(len, keys)) // _WORD) * _WORD
    wanted = b"".join(key.ljust(width, b"\0") for key in keys)
    masks = b"".join((b"\xff" * len(key)).ljust(width, b"\0") for key in keys)
    return width, np.frombuffer(wanted, "<u8"), np.frombuffer(masks, "<u8")


def _kinds(body: bytes, begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Which values are texts, which null, and how many quotes they hold; others are numbers, words, {}, or lists."""
    words = np.ndarray((len(body) - 3,), "<u4", body, strides=(1,))[begin]
    first, last, length = words.astype(np.uint8), np.frombuffer(body, np.uint8)[end - 1], end - begin
    quoted = (first == _QUOTE) & (last == _QUOTE) & (length > 1)
    null = (words == _NULL) & (length == len("null"))
    digit = (first - np.uint8(ord("0")) <= 9) & (length == 1)
    empty = (words.astype(np.uint16) == _EMPTY) & (length == len("{}"))
    inside = 2 * int(np.count_nonzero(quoted))
    other = ~(quoted | null | digit | empty)
    for value in [body[a:b] for a, b in zip(begin[other].tolist(), end[other].tolist(), strict=True)]:
        _require(len(value) <= (_LONGEST_LIST if value[:1] == b"[" else _LONGEST_BARE))
        _value.decode(value)
        inside += value.count(b'"')
    return quoted, null, inside

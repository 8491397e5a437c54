"""Puts the columns of one Parquet file beside those of another, without decoding or encoding either.

A Parquet file is the chunks of its columns and a footer that says where each of them begins. So both bodies are
copied, one behind the other, and a footer that names the chunks of both makes them one file for any reader: that is
what it costs to hand on columns that nobody changed. The row groups of both must be of the same rows.

The footer is a Thrift struct in the compact protocol. It is read and written as what it is, fields by number, so that
what is not understood here (statistics, logical types) passes by unchanged.
"""

from pathlib import Path
from typing import IO, Any

MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
# A struct is {number: (type, value)}, a list (type of its elements, elements).
Struct = dict[int, tuple[int, Any]]
# Numbers of the fields of parquet.thrift.
SCHEMA, ROWS, GROUPS, KEYS, ORDERS = 2, 3, 4, 5, 7
CHUNKS, BYTES, GROUP_ROWS, PACKED = 1, 2, 3, 6
CHILDREN, METADATA = 5, 3
CHUNK_OFFSETS, DATA_OFFSETS = (2, 4, 6), (9, 10, 11, 14)


def splice(left: Path, right: Path, target: Path) -> int:
    """Writes the columns of ``left`` and, beside them, those of ``right``; returns the number of rows."""
    with left.open("rb") as one, right.open("rb") as two, target.open("wb") as out:
        first, body = _footer(one)
        second, more = _footer(two)
        _copy(one, body, out, 0)
        _copy(two, more, out, len(MAGIC))
        footer = bytearray()
        _write(footer, _beside(first, second, body - len(MAGIC)))
        out.write(footer + len(footer).to_bytes(4, "little") + MAGIC)
    return int(first[ROWS][1])


def _footer(file: IO[bytes]) -> tuple[Struct, int]:
    """The footer of a file, and where it begins."""
    file.seek(-8, 2)
    tail = file.read()
    assert tail[4:] == MAGIC, f"{file.name} is no Parquet file"
    begin = file.seek(-8 - int.from_bytes(tail[:4], "little"), 2)
    return _Reader(file.read()).struct(), begin


def _copy(file: IO[bytes], until: int, out: IO[bytes], since: int) -> None:
    file.seek(since)
    left = until - since
    while left:
        piece = file.read(min(left, 1 << 20))
        out.write(piece)
        left -= len(piece)


def _beside(first: Struct, second: Struct, shift: int) -> Struct:
    """One footer for both; the chunks of the second have moved by ``shift``."""
    groups = list(zip(first[GROUPS][1][1], second[GROUPS][1][1], strict=True))
    for one, two in groups:
        assert one[GROUP_ROWS] == two[GROUP_ROWS], "the row groups are not of the same rows"
        for chunk in two[CHUNKS][1][1]:
            _move(chunk, CHUNK_OFFSETS, shift)
            _move(chunk[METADATA][1], DATA_OFFSETS, shift)
        one[CHUNKS][1][1].extend(two[CHUNKS][1][1])
        for number in (BYTES, PACKED):
            if number in one and number in two:
                one[number] = (one[number][0], one[number][1] + two[number][1])
    root, *columns = second[SCHEMA][1][1]
    held = first[SCHEMA][1][1]
    held[0][CHILDREN] = (held[0][CHILDREN][0], held[0][CHILDREN][1] + root[CHILDREN][1])
    held.extend(columns)
    # What a writer noted about its own columns alone (a schema of Arrow's, orders) would be wrong about both.
    return {number: value for number, value in first.items() if number not in (KEYS, ORDERS)}


def _move(struct: Struct, numbers: tuple[int, ...], shift: int) -> None:
    for number in numbers:
        if number in struct:
            kind, at = struct[number]
            struct[number] = (kind, at + shift)


class _Reader:
    """The compact protocol, read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self) -> Struct:
        found: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _unzigzag(self._varint())
            found[number] = (head & 15, self._value(head & 15))
        return found

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return None
        if kind in _INTEGERS:
            return _unzigzag(self._varint())
        if kind == _STRUCT:
            return self.struct()
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind in (_LIST, _SET):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._varint()
            inner = head & 15
            single = inner in (_TRUE, _FALSE, _BYTE)
            return inner, [self._byte() if single else self._value(inner) for _ in range(size)]
        return self._bytes({_BYTE: 1, _DOUBLE: 8}[kind])

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7


def _write(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, (kind, value) in sorted(struct.items()):
        if 0 < number - last < 16:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _write_varint(out, _zigzag(number))
        _write_value(out, kind, value)
        last = number
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _write_varint(out, _zigzag(value))
    elif kind == _STRUCT:
        _write(out, value)
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind in (_LIST, _SET):
        inner, elements = value
        out.append(min(len(elements), 15) << 4 | inner)
        if len(elements) >= 15:
            _write_varint(out, len(elements))
        for element in elements:
            if inner in (_TRUE, _FALSE, _BYTE):
                out.append(element)
            else:
                _write_value(out, inner, element)
    elif kind not in (_TRUE, _FALSE):
        out += value


def _write_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)

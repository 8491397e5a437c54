"""Randomness without state: every draw is a keyed hash of (what, index); any record can be made on its own.

Also the secure ids of records: a keyed, invertible scrambling of the index, so that ``after=<sid>`` finds its
place without a table. Nothing here knows what a call is.
"""

import struct
from hashlib import blake2b

_WORDS = struct.Struct("<32H").unpack
_CLOCK = struct.Struct("<HHII4x").unpack
_MASK58 = (1 << 58) - 1


class Entropy:
    """Draws for one seed. ``what`` is a short name (at most 16 bytes) that keeps the streams apart."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._key = blake2b(f"sandbox:{seed}".encode(), digest_size=16).digest()

    def draw(self, what: str, index: int, size: int = 64) -> bytes:
        """``size`` bytes (at most 64)."""
        return blake2b(
            index.to_bytes(8, "little"), digest_size=size, key=self._key, person=what.encode()
        ).digest()

    def words(self, what: str, index: int) -> tuple[int, ...]:
        """32 integers of 16 bits."""
        return _WORDS(self.draw(what, index))

    def clock(self, what: str, index: int) -> tuple[int, int, int, int]:
        """Two integers of 16 bits and two of 32: what the times of a record need."""
        return _CLOCK(self.draw(what, index, 16))

    def number(self, what: str, index: int) -> int:
        """One integer of 64 bits."""
        return int.from_bytes(self.draw(what, index, 8), "little")

    def below(self, what: str, index: int, bound: int) -> int:
        """One integer in ``[0, bound)``."""
        return self.number(what, index) % bound

    def chance(self, what: str, index: int, fraction: float) -> bool:
        """True for about ``fraction`` of the indexes."""
        return fraction > 0 and self.number(what, index) < fraction * 18446744073709551616


class SidCodec:
    """Record index <-> secure id, for one kind of record.

    A two-round Feistel network over 122 bits: 64 carry the masked index, 58 are a checksum that also is the
    mask's key. The text has the form of a random UUID; a UUID that was not made here decodes to None.
    """

    def __init__(self, seed: int, kind: str) -> None:
        self._check_key = blake2b(f"check:{kind}:{seed}".encode(), digest_size=16).digest()
        self._mask_key = blake2b(f"mask:{kind}:{seed}".encode(), digest_size=16).digest()

    def _check(self, index: int) -> int:
        digest = blake2b(index.to_bytes(8, "little"), digest_size=8, key=self._check_key).digest()
        return int.from_bytes(digest, "little") & _MASK58

    def _mask(self, check: int) -> int:
        digest = blake2b(check.to_bytes(8, "little"), digest_size=8, key=self._mask_key).digest()
        return int.from_bytes(digest, "little")

    def encode(self, index: int) -> str:
        """The secure id of record ``index``."""
        check = self._check(index)
        head = f"{index ^ self._mask(check):016x}"
        tail = f"{check & 0xFFFFFFFFFFFFFF:014x}"
        variant = "89ab"[check >> 56]
        return f"{head[:8]}-{head[8:12]}-4{head[12:15]}-{variant}{head[15]}{tail[:2]}-{tail[2:]}"

    def decode(self, sid: str) -> int | None:
        """The index behind a secure id, or None when it is not one of ours."""
        text = sid.replace("-", "")
        if len(sid) != 36 or len(text) != 32 or text[12] != "4" or text[16] not in "89ab":
            return None
        try:
            head = int(text[:12] + text[13:16] + text[17], 16)
            check = int(text[18:], 16) | "89ab".index(text[16]) << 56
        except ValueError:
            return None
        index = head ^ self._mask(check)
        return index if self._check(index) == check and self.encode(index) == sid else None

"""Spoiled records: which calls carry a planted fault, and what it does to them.

The places are found by trying indexes in a seeded order until enough calls fit, so they are known from the start and
``/sandbox/truth`` can name them: a test can ask whether every planted fault was found, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Raw

from pipeline.provider.entropy import Entropy, SidCodec
from pipeline.provider.faults import Faults
from pipeline.provider.poison import POISON, STRANGE
from pipeline.provider.pricing import PRICE_DECIMALS, decimal_text
from pipeline.provider.traffic import stamp

HOUR = 3_600_000


class Spoilable(Protocol):
    """What planting needs of the calls."""

    count: int
    codec: SidCodec

    def inserted(self, index: int) -> int:
        """When the call is inserted."""
        ...

    def fresh(self, index: int, *, longer_ms: int = 0) -> dict:
        """The call without faults, and talking longer by so much."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one call: ``fault`` names why; the other fields belong to one fault each."""

    fault: str
    at: int = 0
    longer_ms: int = 0
    factor: int = 1
    odd: Mapping[str, Raw] | None = None


@dataclass(frozen=True)
class Planted:
    """The spoiled calls by index."""

    indexes: dict[int, Change] = field(default_factory=dict)

    def spoil(self, calls: Spoilable, index: int, now: int) -> dict:
        """The record of a spoiled call at ``now``."""
        change = self.indexes[index]
        if change.fault == "version_bumps":
            return _changed(calls, index, change) if now >= change.at else calls.fresh(index)
        record = calls.fresh(index)
        if change.fault == "missing_answer":
            record["date_talk"] = None
        elif change.odd:
            record |= change.odd
        else:
            record["price"] = times(record["price"], change.factor)
        return record

    def named(self, calls: Spoilable, fault: str) -> list[dict]:
        """What ``/sandbox/truth`` says about one fault, in the order of the calls."""
        return [
            self._told(calls, index, change)
            for index, change in sorted(self.indexes.items())
            if change.fault == fault
        ]

    def _told(self, calls: Spoilable, index: int, change: Change) -> dict:
        told = {"dr_sid": calls.codec.encode(index)}
        if change.fault == "version_bumps":
            before, after = calls.fresh(index), _changed(calls, index, change)
            return told | {
                "at": stamp(change.at),
                "price_before": before["price"],
                "price_after": after["price"],
            }
        if change.fault == "wrong_charges":
            right = calls.fresh(index)["price"]
            return told | {"price": times(right, change.factor), "price_due": right}
        return told


NOTHING = Planted()
PLANTED = ("version_bumps", "wrong_charges", "missing_answer", "poison", "unknown_values")


def times(price: str, factor: int) -> str:
    """A price text times a whole number, exactly."""
    whole, _, fraction = price.partition(".")
    return decimal_text(int(whole + fraction.ljust(PRICE_DECIMALS, "0")) * factor)


def _changed(calls: Spoilable, index: int, change: Change) -> dict:
    return calls.fresh(index, longer_ms=change.longer_ms) | {"version": 3}


def plant(calls: Spoilable, faults: Faults, entropy: Entropy) -> Planted:
    """Finds the calls to spoil: answered ones that cost something, each for one fault only."""
    found: dict[int, Change] = {}
    _choose(found, calls, entropy, "version_bumps", faults.version_bumps, _bump(calls, entropy))
    _choose(found, calls, entropy, "wrong_charges", faults.wrong_charges, _wrong)
    _choose(
        found,
        calls,
        entropy,
        "missing_answer",
        faults.missing_answer,
        lambda _i, _n: Change("missing_answer"),
    )
    _choose(found, calls, entropy, "poison", faults.poison, _odd("poison", POISON))
    _choose(found, calls, entropy, "unknown_values", faults.unknown_values, _odd("unknown_values", STRANGE))
    return Planted(found)


def _choose(
    found: dict[int, Change],
    calls: Spoilable,
    entropy: Entropy,
    fault: str,
    wanted: int,
    make: Callable[[int, int], Change],
) -> None:
    """Adds ``wanted`` calls; fewer when the world is too small to have them."""
    number = 0
    for attempt in range(40 * wanted + 1000 if wanted else 0):
        if number == wanted:
            return
        index = entropy.below(fault, attempt, calls.count)
        if index not in found and calls.fresh(index)["price"] != "0":
            found[index] = make(index, number)
            number += 1


def _bump(calls: Spoilable, entropy: Entropy) -> Callable[[int, int], Change]:
    def make(index: int, number: int) -> Change:
        later = HOUR + entropy.below("bump at", number, 19 * HOUR)
        longer = 30_000 + entropy.below("bump by", number, 600_000)
        return Change("version_bumps", at=calls.inserted(index) + later, longer_ms=longer)

    return make


def _wrong(_index: int, number: int) -> Change:
    return Change("wrong_charges", factor=(2, 10, 0)[number % 3])


def _odd(fault: str, kinds: Sequence[Mapping[str, Raw]]) -> Callable[[int, int], Change]:
    return lambda _index, number: Change(fault, odd=kinds[number % len(kinds)])

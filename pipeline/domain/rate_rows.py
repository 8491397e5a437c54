"""Many rates behind few sets of terms: how the rows of a whole deck are held.

A deck prices 200,000 prefixes in some hundred or thousand ways. A row is kept as its prefix and the one object that all
rows with its terms share, a ``Rate`` without a prefix. What hangs on the terms alone (a key, a text, a column of a
table) is then worked out once per set, and a row becomes a ``Rate`` of its own only where somebody asks for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter, eq
from typing import TypeVar, overload

from pipeline.domain.rate_plan import Rate

T = TypeVar("T")
_REST = attrgetter(*(name for name in Rate.__slots__ if name not in ("price", "prefix")))


class RateRows(Sequence[Rate]):
    """The rows of a plan in their order; ``terms`` are beside ``prefixes``, one object for as many rows as share it."""

    __slots__ = ("_shared", "prefixes", "terms")

    def __init__(self, prefixes: Sequence[str], terms: Sequence[Rate]) -> None:
        self.prefixes, self.terms = prefixes, terms
        self._shared: tuple[list[Rate], list[int]] | None = None

    @classmethod
    def of(cls, rates: Iterable[Rate]) -> "RateRows":
        """Any rates in this shape."""
        if isinstance(rates, cls):
            return rates
        known: dict[tuple, Rate] = {}
        prefixes, terms = [], []
        for rate in rates:
            prefixes.append(rate.prefix)
            key = (rate.price, _REST(rate))
            terms.append(known.get(key) or known.setdefault(key, behind("", rate)))
        return cls(prefixes, terms)

    def shared(self) -> tuple[list[Rate], list[int]]:
        """The different terms, and which of them each row has."""
        if self._shared is None:
            ids = list(map(id, self.terms))
            found = dict(zip(ids, self.terms, strict=True))
            number = {key: n for n, key in enumerate(found)}
            self._shared = list(found.values()), [number[key] for key in ids]
        return self._shared

    def per_terms(self, made: Callable[[Rate], T]) -> list[T]:
        """What ``made`` gives for the terms of each row, asked once per set of terms."""
        shared, at = self.shared()
        values = [made(terms) for terms in shared]
        return [values[n] for n in at]

    def fitting(self, number: str) -> "RateRows":
        """The rows whose prefix a number begins with."""
        found = [n for n, prefix in enumerate(self.prefixes) if number.startswith(prefix)]
        return RateRows([self.prefixes[n] for n in found], [self.terms[n] for n in found])

    def __len__(self) -> int:
        return len(self.prefixes)

    @overload
    def __getitem__(self, n: int) -> Rate: ...
    @overload
    def __getitem__(self, n: slice) -> "RateRows": ...
    def __getitem__(self, n: int | slice) -> "Rate | RateRows":
        if isinstance(n, slice):
            return RateRows(self.prefixes[n], self.terms[n])
        return behind(self.prefixes[n], self.terms[n])

    def __iter__(self) -> Iterator[Rate]:
        return map(behind, self.prefixes, self.terms)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"RateRows({list(self)!r})"


def behind(prefix: str, terms: Rate) -> Rate:
    """The rate of a prefix under these terms."""
    return Rate(terms.price, prefix, *_REST(terms))

"""Refuses rows that say the same thing twice: duplicates, and dated rows that are in force at once."""

from collections.abc import Callable, Hashable, Iterable
from datetime import date
from itertools import combinations
from typing import TypeVar

from pipeline.domain.did_prices import DidPrice
from pipeline.masters.model import Assignment, TaxRule, TaxShare
from pipeline.masters.reading import Row

_Value = TypeVar("_Value")
_Dated = TypeVar("_Dated", Assignment, TaxRule, TaxShare, DidPrice)


def unique(
    read: Iterable[tuple[Row, _Value]], key: Callable[[_Value], Hashable], what: str
) -> Iterable[_Value]:
    first: dict[Hashable, Row] = {}
    for row, value in read:
        earlier = first.setdefault(key(value), row)
        if earlier is row:
            yield value
        else:
            named = what.format(key=key(value))
            row.problems.add(
                f"{row.file}:{row.line}", f"{named} is already on line {earlier.line}; keep one of them"
            )


def refuse_overlaps(
    read: list[tuple[Row, _Dated]],
    key: Callable[[_Dated], Hashable],
    clash: Callable[[_Dated, _Dated], bool],
    what: str,
) -> None:
    groups: dict[Hashable, list[tuple[Row, _Dated]]] = {}
    for row, value in read:
        groups.setdefault(key(value), []).append((row, value))
    for group in groups.values():
        for (first, a), (row, b) in combinations(group, 2):
            if clash(a, b) and _overlap((a.start, a.end), (b.start, b.end)):
                where = f"{row.file}:{row.line}"
                row.problems.add(
                    where, f"overlaps line {first.line}: {what}; end the earlier one where this starts"
                )


def _overlap(a: tuple[date | None, date | None], b: tuple[date | None, date | None]) -> bool:
    """Whether two half-open intervals share a moment; None is open."""
    return (a[0] is None or b[1] is None or a[0] < b[1]) and (b[0] is None or a[1] is None or b[0] < a[1])

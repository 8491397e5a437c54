"""How a deck file is written: what a person says about it when the file cannot say it itself.

Everything has a default, and nothing here changes what a rate means. Problems are collected here too, because every
step of the reading adds to one list.
"""

from dataclasses import dataclass, field

from pipeline.errors import DeckError

MOST_PROBLEMS = 1000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """``names`` are pairs (their column, our column); ``columns`` are ours, in order, for a file without a header.

    ``ignore`` names columns that are not to be read, and ``*`` all that are unknown. An empty ``delimiter`` is found
    out. ``date_format`` is written like ``DD/MM/YYYY``; ISO dates need none. ``decimal`` is the sign before decimals.
    """

    names: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    delimiter: str = ""
    encoding: str = ""
    decimal: str = "."
    date_format: str = ""
    sheet: str = ""


@dataclass(slots=True)
class Problems:
    """What is wrong with a file: the first thousand are kept, all are counted."""

    found: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, text: str) -> None:
        self.count += 1
        if len(self.found) < MOST_PROBLEMS:
            self.found.append(text)

    def raise_if_any(self, name: str) -> None:
        """Raise DeckError with all of them."""
        if not self.found:
            return
        shown = "; ".join(self.found[:_SHOWN])
        more = f" (and {self.count - _SHOWN:,} more)" if self.count > _SHOWN else ""
        refused, remedy = (
            f"{name} was refused, nothing of it was taken",
            "Correct the file and import it again.",
        )
        headline = f"{refused}. {remedy} {self.count:,} problem{'s' * (self.count != 1)}:"
        raise DeckError(f"{refused}: {shown}{more}. {remedy}", tuple(self.found), headline)

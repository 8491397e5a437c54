"""Charts of a report: where their marks stand, in whole units of the drawing. The templates draw and colour them.

Each is drawn twice, for its panel and for a phone: text in a drawing that shrinks with the screen cannot be read.
Geometry is integers from exact figures, so the same month is the same drawing everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 190, 10, 24, 44, 14
WHOLE, HALF, NARROW = 1100, 540, 340
_LABEL_EVERY = {WHOLE: 2, HALF: 4, NARROW: 7}
_FULL = 100
_STEPS = tuple(map(Decimal, ("1", "1.2", "1.6", "2", "2.4", "3", "4", "5", "6", "8", "10")))
SHADES = 8

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Box:
    """One mark; ``series`` counts from 0."""

    series: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one row: its marks, and the dot of a line."""

    row: Mapping[str, Any]
    x: int
    width: int
    middle: int
    boxes: tuple[Box, ...] = ()
    dot: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line and the value it stands for."""

    y: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart at one width. ``labels`` are the slots whose names fit below them; ``path`` is that of a line."""

    kind: str
    width: int
    rules: tuple[Rule, ...]
    slots: tuple[Slot, ...]
    labels: tuple[Slot, ...]
    path: str = ""
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP
    floor: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a weekday; ``shade`` is 0 for nothing, else 1 to ``SHADES``."""

    weekday: int
    hour: int
    calls: int
    answered: int
    shade: int


def stacked(rows: Rows, columns: Sequence[str], *, whole: bool = False) -> tuple[Drawing, ...]:
    """One column per row, the values on top of one another. ``whole`` fills the page, else half of it."""
    top = _top(sum(_value(row, column) for column in columns) for row in rows)
    return tuple(_columns(rows, columns, top, width, side_by_side=False) for width in _widths(whole))


def grouped(rows: Rows, columns: Sequence[str], *, whole: bool = False) -> tuple[Drawing, ...]:
    """One group of columns per row, the values side by side."""
    top = _top(_value(row, column) for row in rows for column in columns)
    return tuple(_columns(rows, columns, top, width, side_by_side=True) for width in _widths(whole))


def percent_line(rows: Rows, column: str) -> tuple[Drawing, ...]:
    """A line from 0 to 100; rows without a value leave a gap."""
    return tuple(_line(rows, column, width) for width in _widths(whole=False))


def heat(rows: Rows) -> tuple[Cell, ...]:
    """The 168 hours of the week."""
    found = {(row["weekday"], row["hour"]): row for row in rows}
    most = max((row["calls"] for row in rows), default=0)
    cells = []
    for weekday in range(1, 8):
        for hour in range(24):
            row = found.get((weekday, hour), {"calls": 0, "answered": 0})
            shade = -(-row["calls"] * SHADES // most) if most else 0
            cells.append(Cell(weekday, hour, row["calls"], row["answered"], shade))
    return tuple(cells)


def _columns(rows: Rows, columns: Sequence[str], top: Decimal, width: int, *, side_by_side: bool) -> Drawing:
    slots = []
    for slot in _slots(rows, width):
        gap = max(1, slot.width // 5)
        room, boxes, under = slot.width - gap, [], HEIGHT - BOTTOM
        bar = max(1, room // len(columns)) if side_by_side else room
        for n, column in enumerate(columns):
            height = _height(_value(slot.row, column), top)
            x = slot.x + gap // 2 + (n * bar if side_by_side else 0)
            boxes.append(Box(n, x, under - height, bar, height))
            under -= 0 if side_by_side else height
        slots.append(Slot(slot.row, slot.x, slot.width, slot.middle, tuple(boxes)))
    return Drawing("columns", width, _rules(top), tuple(slots), _labelled(slots, width))


def _line(rows: Rows, column: str, width: int) -> Drawing:
    slots, path, pen = [], [], "M"
    for slot in _slots(rows, width):
        if slot.row[column] is None:
            slots.append(slot)
            pen = "M"
            continue
        dot = HEIGHT - BOTTOM - _height(_value(slot.row, column), Decimal(_FULL))
        slots.append(Slot(slot.row, slot.x, slot.width, slot.middle, dot=dot))
        path.append(f"{pen}{slot.middle} {dot}")
        pen = "L"
    drawn = " ".join(path)
    return Drawing("line", width, _rules(Decimal(_FULL)), tuple(slots), _labelled(slots, width), drawn)


def _slots(rows: Rows, width: int) -> list[Slot]:
    pitch = (width - LEFT - RIGHT) * 1000 // max(len(rows), 1)
    starts = [LEFT + n * pitch // 1000 for n in range(len(rows) + 1)]
    return [
        Slot(row, starts[n], starts[n + 1] - starts[n], (starts[n] + starts[n + 1]) // 2)
        for n, row in enumerate(rows)
    ]


def _labelled(slots: Sequence[Slot], width: int) -> tuple[Slot, ...]:
    return tuple(slot for n, slot in enumerate(slots) if n % _LABEL_EVERY[width] == 0)


def _rules(top: Decimal) -> tuple[Rule, ...]:
    shares = (Decimal(0), Decimal("0.5"), Decimal(1))
    return tuple(Rule(HEIGHT - BOTTOM - _height(top * share, top), top * share) for share in shares)


def _widths(whole: bool) -> tuple[int, int]:
    return (WHOLE if whole else HALF, NARROW)


def _top(values: Iterable[Decimal | int]) -> Decimal:
    """The end of an axis: the smallest round figure that is at least every value."""
    most = Decimal(max(values, default=0)) or Decimal(1)
    unit = Decimal(1).scaleb(most.adjusted())
    return next(step * unit for step in _STEPS if step * unit >= most)


def _height(value: Decimal, top: Decimal) -> int:
    return int(value * (HEIGHT - BOTTOM - TOP) // top)


def _value(row: Mapping[str, Any], column: str) -> Decimal:
    """A value as something to draw: nothing is drawn below the axis."""
    return max(Decimal(0), Decimal(str(row[column] or 0)))

"""The month as bars: where they stand, in whole units of the drawing. The template draws them.

Geometry is integers from exact amounts, so the same month is the same drawing everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.render.document import Day

WIDTH, HEIGHT = 720, 124
LEFT, TOP, BOTTOM = 64, 10, 22
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_GAP_PERCENT = 28
_LABEL_ROOM = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    day: Day
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One horizontal line and the amount it stands for."""

    y: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Label:
    """A date under the bars."""

    x: int
    date: date


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of ``WIDTH`` by ``HEIGHT`` units."""

    bars: tuple[Bar, ...]
    rules: tuple[Rule, ...]
    labels: tuple[Label, ...]
    peak: Day
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def chart(days: Sequence[Day]) -> Chart | None:
    """The chart of these days; None where there is nothing to see."""
    if not any(day.amount for day in days):
        return None
    top = _nice(max(day.amount for day in days))
    low = -_nice(-min(day.amount for day in days))
    scale = _Scale(low, top)
    pitch = (WIDTH - LEFT) * 1000 // len(days)
    bars = tuple(_bar(day, LEFT * 1000 + n * pitch, pitch, scale) for n, day in enumerate(days))
    rules = _rules(scale)
    middle = pitch // 2
    labels = tuple(
        Label((LEFT * 1000 + n * pitch + middle) // 1000, day.date)
        for n, day in enumerate(days)
        if n % 7 == 0
    )
    return Chart(bars, rules, labels, max(days, key=lambda day: (day.amount, day.date)))


@dataclass(frozen=True, slots=True)
class _Scale:
    low: Decimal
    top: Decimal

    def y(self, amount: Decimal) -> int:
        room = HEIGHT - TOP - BOTTOM
        return TOP + int((self.top - amount) * room // (self.top - self.low))


def _rules(scale: _Scale) -> tuple[Rule, ...]:
    """The axis and a few lines above and below it, never so close that their labels touch."""
    axis = Rule(scale.y(Decimal(0)), Decimal(0))
    marks = sorted({scale.top, scale.top * Decimal("0.5"), scale.low} - {axis.amount})
    others = (Rule(scale.y(amount), amount) for amount in marks)
    return (axis, *(rule for rule in others if abs(rule.y - axis.y) >= _LABEL_ROOM))


def _bar(day: Day, x: int, pitch: int, scale: _Scale) -> Bar:
    above, below = scale.y(max(day.amount, Decimal(0))), scale.y(min(day.amount, Decimal(0)))
    gap = pitch * _GAP_PERCENT // 100
    return Bar(day, (x + gap // 2) // 1000, above, max(1, (pitch - gap) // 1000), below - above)


def _nice(amount: Decimal) -> Decimal:
    """The smallest round figure that is at least ``amount``; 0 for what is not positive."""
    if amount <= 0:
        return Decimal(0)
    unit = Decimal(1).scaleb(amount.adjusted())
    return next(step * unit for step in _STEPS if step * unit >= amount)

"""Reads two tables of ``policy.toml``: the ``[bounds]`` of an invoice, and the ``[reminder.N]`` of what is overdue.

Reminders are named by their level, 1 upwards without a gap, each later than the one before.
"""

from collections.abc import Mapping
from decimal import Decimal

from pipeline.masters.model import Bounds, ReminderLevel
from pipeline.masters.reading import Row

BOUNDS = ("usual_factor", "usual_of", "usual_least", "most_lines")
REMINDER = ("days_overdue", "subject", "text")
_TABLE = "reminder."


def bounds_of(row: Row) -> Bounds:
    """The table ``[bounds]``."""
    default = Bounds()
    least = row.money("usual_least", default.usual_least)
    if least is None or least < 0:
        row.wrong("usual_least", f"is {least}; valid is an amount of 0 or more")
        least = Decimal(0)
    return Bounds(
        usual_factor=row.integer("usual_factor", 0, 100_000, default.usual_factor),
        usual_of=row.integer("usual_of", 1, 120, default.usual_of),
        usual_least=least,
        most_lines=row.integer("most_lines", 1, 100_000, default.most_lines),
    )


def reminder_levels(rows: Mapping[str, Row]) -> tuple[ReminderLevel, ...]:
    """The tables ``[reminder.1]``, ``[reminder.2]`` and so on, in their order."""
    named = {name.removeprefix(_TABLE): row for name, row in rows.items() if name.startswith(_TABLE)}
    levels: list[ReminderLevel] = []
    for level in range(1, len(named) + 1):
        row = named.get(str(level))
        if row is None:
            wrong = next(iter(sorted(set(named) - {str(n) for n in range(1, len(named) + 1)})))
            named[wrong].wrong(_TABLE + wrong, f"is no level; they are 1 to {len(named)}, without a gap")
            break
        read = _level(level, row)
        if levels and read.days_overdue <= levels[-1].days_overdue:
            row.wrong("days_overdue", f"is {read.days_overdue}, not later than level {level - 1}")
        levels.append(read)
    return tuple(levels)


def _level(level: int, row: Row) -> ReminderLevel:
    return ReminderLevel(
        level,
        row.integer("days_overdue", 0, 3650, 0),
        row.text("subject", required=True),
        row.text("text", required=True),
    )

"""How things look on a terminal: messages, tables, progress, JSON."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.domain.masking import OFF, masked_text
from pipeline.domain.money import plain

_PROBLEMS = 50
# What holds phone numbers in JSON, by key: amounts are texts there too.
_NUMBERS = re.compile(r"number|identity|diversion|orig_id|reasons|extra|what")
# A pipe has no width: tables go there whole, without folding.
out = Console(highlight=False, width=None if sys.stdout and sys.stdout.isatty() else 1000)
err = Console(stderr=True, highlight=False)


_mask: ContextVar[str] = ContextVar("mask", default=OFF)


@contextmanager
def masking(how: str) -> Iterator[None]:
    """Within the block phone numbers are printed masked, in texts, tables and JSON."""
    before = _mask.set(how)
    try:
        yield
    finally:
        _mask.reset(before)


def fail(error: Exception) -> None:
    """An error as one message, its problems below."""
    clear_line()
    problems = getattr(error, "problems", ())
    text = getattr(error, "headline", "") if problems else ""
    err.print(Text.assemble(("error: ", "bold red"), text or str(error)), soft_wrap=True)
    for problem in problems[:_PROBLEMS]:
        err.print(Text(f"  {problem}"), soft_wrap=True)
    if len(problems) > _PROBLEMS:
        err.print(Text(f"  ... and {len(problems) - _PROBLEMS:,} more", style="dim"))


def warn(text: str) -> None:
    """Something to know about an answer, apart from the answer."""
    clear_line()
    err.print(Text(text, style="yellow"), soft_wrap=True)


def say(text: str = "", style: str = "") -> None:
    out.print(Text(masked_text(text, _mask.get()), style=style), soft_wrap=True)


def heading(text: str) -> None:
    out.print()
    out.print(Text(masked_text(text, _mask.get()), style="bold"))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """A table; columns named in ``right`` are aligned right."""
    grid = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell(value)) for value in row))
    out.print(grid)


def cell(value: Any) -> str:
    """A value for people: thousands in groups, decimals as they are, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") + ("Z" if value.tzinfo else "")
    return masked_text(str(value), _mask.get())


def when(at: datetime | None) -> str:
    """An instant at which something begins or ends: the day alone where it is midnight UTC."""
    if at is None:
        return ""
    bare = at.astimezone(UTC)
    return f"{bare:%Y-%m-%d}" if bare.time() == time() else cell(bare)


def money(value: Decimal) -> str:
    """An exact amount with at least two decimals and no needless zeros."""
    return plain(value, decimals=2, grouped=True)


def as_json(value: Any) -> None:
    """Prints JSON; decimals and instants as text, so that nothing is rounded on the way.

    Where the output takes less than Unicode, JSON has escapes of its own for the rest.
    """
    if (how := _mask.get()) != OFF:
        value = _masked(json.loads(json.dumps(value, default=_plain)), "", how)
    bare = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=bare) + "\n")


def _masked(value: Any, key: str, how: str) -> Any:
    if isinstance(value, dict):
        return {name: _masked(part, name, how) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, key, how) for part in value]
    return masked_text(value, how) if isinstance(value, str) and _NUMBERS.search(key) else value


def progress_line() -> Callable[[str], None]:
    """Progress on standard error: one line that renews itself on a terminal, plain lines elsewhere."""
    if not err.is_terminal:
        return lambda _text: None
    return lambda text: err.print(Text(f"\r\x1b[2K  {text}"[: err.width + 5], style="dim"), end="")


def clear_line() -> None:
    """Ends the progress line."""
    if err.is_terminal:
        err.file.write("\r\x1b[2K")
        err.file.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__ if not name.startswith("_")}
    return str(value)

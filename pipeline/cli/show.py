"""How things look on a terminal: messages, tables, progress, JSON."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# A pipe has no width: tables go there whole, without folding.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 1000)
err = Console(stderr=True, highlight=False)


def fail(error: Exception) -> None:
    """An error as one message, its problems below."""
    err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
    for problem in getattr(error, "problems", ())[:50]:
        err.print(Text(f"  {problem}"), soft_wrap=True)


def say(text: str = "", style: str = "") -> None:
    out.print(Text(text, style=style), soft_wrap=True)


def heading(text: str) -> None:
    out.print()
    out.print(Text(text, style="bold"))


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
    return str(value)


def money(value: Decimal) -> str:
    """An exact amount with at least two decimals and no needless zeros."""
    text = f"{value:,f}"
    if "." in text:
        text = text.rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"


def as_json(value: Any) -> None:
    """Prints JSON; decimals and instants as text, so that nothing is rounded on the way."""
    sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=False) + "\n")


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

"""Prints the chapters as pages that a billing clerk can read: what the tests run is what is printed.

Tables are noted down while the tests run on the reference, so no page can say what no test has shown.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.spec import drawing

HERE = Path(__file__).parent


@dataclass
class Paragraph:
    """One test: its name as a sentence, the terms that differ from the usual ones, and the tables it drew."""

    title: str
    tables: list[str] = field(default_factory=list)
    terms: dict[str, Any] = field(default_factory=dict)


@dataclass
class Chapter:
    """One file: its docstring and its paragraphs."""

    title: str
    paragraphs: list[Paragraph] = field(default_factory=list)


@dataclass
class Scribe:
    """A pytest plugin that notes what passes."""

    chapters: dict[str, Chapter] = field(default_factory=dict)
    _now: Paragraph = field(default_factory=lambda: Paragraph(""))

    def drew(self, text: str) -> None:
        if text.strip() and text not in self._now.tables:
            self._now.tables.append(text)

    def planned(self, terms: dict[str, Any]) -> None:
        self._now.terms |= terms

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if "fast" not in item.name.partition("[")[2].strip("]").split("-")]

    def pytest_runtest_setup(self, item: pytest.Function) -> None:
        self._now = Paragraph(sentence(item.originalname))

    def pytest_runtest_makereport(self, item: pytest.Function, call: pytest.CallInfo) -> None:
        if call.when != "call" or call.excinfo is not None or not self._now.tables:
            return
        title = inspect.getdoc(item.module) or item.module.__name__
        self.chapters.setdefault(item.module.__name__, Chapter(title)).paragraphs.append(self._now)


def pages(names: Sequence[str] = ()) -> str:
    """The chapters of that name, or all, as Markdown.

    Raises:
        SystemExit: a test fails, or there is no such chapter.
    """
    scribe = Scribe()
    patch = pytest.MonkeyPatch()
    table, plan = drawing.table, drawing.plan
    patch.setattr(drawing, "table", lambda text: scribe.drew(text) or table(text))
    patch.setattr(
        drawing,
        "plan",
        lambda deck, *windows, **terms: scribe.planned(terms) or plan(deck, *windows, **terms),
    )
    files = [str(HERE / f"test_{name}.py") for name in names] or [str(HERE)]
    with patch.context():
        code = pytest.main(
            ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-n0", *files], plugins=[scribe]
        )
    patch.undo()
    if code:
        raise SystemExit(f"the chapters do not hold: pytest ended with {code}")
    return "\n\n".join(page(chapter) for chapter in scribe.chapters.values())


def page(chapter: Chapter) -> str:
    """One chapter."""
    said = [f"# {chapter.title}"]
    for paragraph in chapter.paragraphs:
        said.append(f"## {paragraph.title}")
        plain = {name: value for name, value in paragraph.terms.items() if name != "windows"}
        said += [f"The plan's {name.replace('_', ' ')}: {value}." for name, value in plain.items()]
        said += [ruled(text) for text in paragraph.tables]
    return "\n\n".join(said)


def ruled(text: str) -> str:
    """A drawn table as a Markdown table; what must come out is printed bold."""
    rows = drawing.table(text)
    first = text.strip().splitlines()[0]
    expected = drawing.expected_columns(text) if "->" in first else []
    names = list(rows[0]) if rows else []
    cells = [
        names,
        *([f"**{row[n]}**" if n in expected and row[n] else row[n] for n in names] for row in rows),
    ]
    widths = [max(len(line[n]) for line in cells) for n in range(len(names))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
    ]
    rule = " | ".join("-" * width for width in widths)
    return "\n".join(f"| {line} |" for line in [lines[0], rule, *lines[1:]])


def sentence(name: str) -> str:
    """``test_a_price_of_zero_is_a_price`` is "A price of zero is a price"."""
    words = name.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:]

"""Prints the chapters as pages that a billing clerk can read: what the tests run is what is printed.

Tables, and the terms that they go by, are noted down while the tests run on the reference, so no page can say what no
test has shown. A paragraph is called by the first line of its test's docstring, else by the test's name.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.allowances import RETROACTIVE, USAGE, Bundle, Scope, Tier, TierStep
from pipeline.domain.money import plain
from tests.spec import drawing

HERE = Path(__file__).parent
PREFACE = """Left of the bold columns stands what happened, **bold** is what must come out; a blank cell is nothing.
Unless a table says otherwise: one customer, `shop`, directly below the house; outbound PSTN calls of 60 seconds on
2026-03-10 at noon UTC; one plan for everybody, priced per 60 seconds, in increments of 1 second without a minimum,
increments counted from the end of the minimum."""
_TABLE = drawing.table
_SILENT = ("windows", "service", "version", "origin")


@dataclass
class Paragraph:
    """A test: its title, and in their order the sentences and tables that it goes by."""

    title: str
    said: list[str] = field(default_factory=list)
    tables: int = 0

    def add(self, text: str, *, table: bool = False) -> None:
        self.said.append(text)
        self.tables += table


@dataclass
class Chapter:
    """One file: its docstring and its paragraphs."""

    title: str
    paragraphs: list[Paragraph] = field(default_factory=list)

    def add(self, paragraph: Paragraph) -> None:
        """Cases of one test stand under one title; a deck that they share is printed once."""
        if self.paragraphs and self.paragraphs[-1].title == paragraph.title:
            known = self.paragraphs[-1].said
            known += [text for text in paragraph.said if text not in known or "**" in text]
        else:
            self.paragraphs.append(paragraph)


@dataclass
class Scribe:
    """A pytest plugin that notes what passes."""

    chapters: dict[str, Chapter] = field(default_factory=dict)
    _now: Paragraph = field(default_factory=lambda: Paragraph(""))

    def drew(self, text: str) -> None:
        if text.strip() and (shown := ruled(text)) not in self._now.said:
            self._now.add(shown, table=True)

    def planned(self, terms: dict[str, Any]) -> None:
        stated = [
            f"{name.replace('_', ' ')} {_value(value)}"
            for name, value in terms.items()
            if name not in (*_SILENT, "plan_sid") and value is not None
        ]
        if stated:
            self._now.add(
                f"Plan {terms.get('plan_sid', terms.get('version', ''))}".strip() + f": {', '.join(stated)}."
            )

    def allowed(self, terms: Any, plan: dict[str, Any]) -> None:
        texts = [*map(_bundle, terms.bundles), *map(_tier, terms.tiers)]
        texts += [f"Price {plan['price']} a minute." if "price" in plan else ""]
        texts += [f"Connect fee {plan['fee']}." if "fee" in plan else ""]
        if "rounding_mode" in plan:
            texts.append(f"Rounded {plan['rounding_mode']} to {plan.get('rounding_decimals', 10)} decimals.")
        for text in texts:
            if text and text not in self._now.said:
                self._now.add(text)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if "fast" not in item.name.partition("[")[2].strip("]").split("-")]

    def pytest_runtest_setup(self, item: pytest.Function) -> None:
        said = inspect.getdoc(item.function)
        self._now = Paragraph(said.splitlines()[0].rstrip(".") if said else sentence(item.originalname))

    def pytest_runtest_makereport(self, item: pytest.Function, call: pytest.CallInfo) -> None:
        if call.when != "call" or call.excinfo is not None or not self._now.tables:
            return
        title = (inspect.getdoc(item.module) or item.module.__name__).replace("\n::\n", "\n")
        self.chapters.setdefault(item.module.__name__, Chapter(title)).add(self._now)


def pages(names: Sequence[str] = ()) -> str:
    """The chapters of that name, or all, as Markdown.

    Raises:
        SystemExit: a test fails, or there is no such chapter.
    """
    scribe = Scribe()
    with pytest.MonkeyPatch.context() as patch:
        _listen(scribe, patch)
        files = [str(HERE / f"test_{name}.py") for name in names] or [str(HERE)]
        code = pytest.main(
            ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-n0", *files], plugins=[scribe]
        )
    if code:
        raise SystemExit(f"the chapters do not hold: pytest ended with {code}")
    return "\n\n".join((PREFACE, *(page(chapter) for chapter in scribe.chapters.values())))


def page(chapter: Chapter) -> str:
    """One chapter."""
    said = [f"# {chapter.title}"]
    for paragraph in chapter.paragraphs:
        said += [f"## {paragraph.title}", *paragraph.said]
    return "\n\n".join(said)


def _listen(scribe: Scribe, patch: pytest.MonkeyPatch) -> None:
    """Has the helpers tell what they draw; the chapters, which import them by name, are not imported yet."""
    table, plan = drawing.table, drawing.plan
    patch.setattr(drawing, "table", lambda text: scribe.drew(text) or table(text))
    patch.setattr(
        drawing,
        "plan",
        lambda deck, *windows, **terms: scribe.planned(terms) or plan(deck, *windows, **terms),
    )
    from tests.spec import allowances

    check = allowances.check
    patch.setattr(
        allowances,
        "check",
        lambda engine, terms, drawn, **more: (
            scribe.allowed(terms, more) or check(engine, terms, drawn, **more)
        ),
    )


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value).replace("_", " ")


def _bundle(b: Bundle) -> str:
    unit = "seconds" if b.scope.service == "call" else "units"
    whose = "" if b.partner_sid == "*" else f" of {b.partner_sid} alone"
    return f"Bundle `{b.key}`{whose}: {plain(b.quantity)} {unit}{_scope(b.scope)}."


def _tier(t: Tier) -> str:
    unit = "" if t.measure != USAGE else " seconds" if t.scope.service == "call" else " units"
    rule = "everything in the step that is reached" if t.rule == RETROACTIVE else "each part in its own step"
    steps = "; ".join(f"from {plain(s.after)}{unit} on {_step(s)}" for s in t.steps)
    return f"Tier `{t.key}`{_scope(t.scope)}: {steps}; {rule}."


def _step(step: TierStep) -> str:
    if step.price is not None:
        return f"a price of {plain(step.price)}"
    percent = step.percent or Decimal(0)
    return f"{plain(abs(percent))} % {'more' if percent > 0 else 'less'}"


def _scope(scope: Scope) -> str:
    stated = (
        *((scope.direction,) if scope.direction else ()),
        *(" or ".join(some) for some in (scope.items, scope.countries) if some),
        *((f"prefix {' or '.join(scope.prefixes)}",) if scope.prefixes else ()),
    )
    each = " for each own number" if scope.per == "number" else ""
    return (f", only {', '.join(stated)}" if stated else "") + each


def ruled(text: str) -> str:
    """A drawn table as a Markdown table; what must come out is printed bold."""
    rows = _TABLE(text)
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

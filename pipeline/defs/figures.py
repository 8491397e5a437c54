"""What a run shows of its work: money and seconds as text, tables, and small charts drawn by hand.

Add here how figures look on Dagster's pages. No queries (they stand beside their asset) and nothing secret: metadata
is stored and shown to everybody who may open the page. See
https://docs.dagster.io/guides/build/assets/metadata-and-tags.
"""

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import dagster as dg

from pipeline.domain.money import plain
from pipeline.lake.tables import BY_NAME

INK, GRID, BLUE, AMBER = "#3b4252", "#d8dee9", "#2f6f9f", "#d08c2f"
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 760, 230, 64, 34, 30

Series = tuple[str, str, Sequence[Decimal | int]]
"""Name, colour, one value per label."""


def about(table: str, more: str) -> str:
    """What the page of a table's asset says first: a row of it, and how it is made."""
    grain = BY_NAME[table].grain
    return f"{grain[:1].upper()}{grain[1:]}. {more}"


def money(amounts: Mapping[str, Decimal]) -> str:
    """Amounts per currency: ``1,204.10 USD, 13.00 EUR``."""
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(amounts.items())) or "none"


def table(rows: Sequence[Mapping[str, Any]], most: int = 25) -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table, at most ``most`` of them."""
    if not rows:
        return dg.MetadataValue.md("none")
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---:" if _counts(rows, name) else "---" for name in names)]
    lines += [" | ".join(_cell(row[name]) for name in names) for row in rows[:most]]
    if len(rows) > most:
        lines.append(f"... and {len(rows) - most} more")
    return dg.MetadataValue.md("\n".join(lines))


def chart(title: str, labels: Sequence[str], series: Sequence[Series]) -> dg.MarkdownMetadataValue:
    """Columns over ``labels``, the series side by side."""
    return _picture(title, columns_svg(title, labels, series))


def revenue_and_cost(title: str, rows: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Columns of ``revenue`` and ``cost`` by ``day``, in the currency that most rows have: currencies do not add up."""
    currency = max({row["currency"] for row in rows}, key=lambda c: sum(r["currency"] == c for r in rows))
    shown = [row for row in rows if row["currency"] == currency]
    series = [
        ("revenue", BLUE, [row["revenue"] for row in shown]),
        ("cost", AMBER, [row["cost"] for row in shown]),
    ]
    return chart(f"{title}, {currency}", [f"{row['day']:%b %d}" for row in shown], series)


def ranking(title: str, rows: Sequence[tuple[str, Decimal]]) -> dg.MarkdownMetadataValue:
    """Names with their amounts, one bar each."""
    return _picture(title, bars_svg(title, rows))


def _picture(title: str, svg: str) -> dg.MarkdownMetadataValue:
    """A picture within the text: the page needs no other file for it."""
    data = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{data})")


def columns_svg(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """The picture of ``chart``."""
    top = max((value for _, _, values in series for value in values), default=0) or 1
    inner, slot = _WIDTH - _LEFT - 10, (_WIDTH - _LEFT - 10) / max(len(labels), 1)
    bar = slot * 0.8 / max(len(series), 1)
    parts = [_text(_LEFT, 16, title, weight="bold"), *_legend(series)]
    for share in (0, Decimal("0.5"), 1):
        y = _y(top * share, top)
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{inner}" stroke="{GRID}"/>')
        parts.append(_text(_LEFT - 6, y + 4, _short(top * share), anchor="end"))
    for s, (_, colour, values) in enumerate(series):
        for i, value in enumerate(values):
            x, y = _LEFT + i * slot + slot * 0.1 + s * bar, _y(value, top)
            parts.append(_column(x, y, bar, colour, f"{labels[i]}: {value:,}"))
    every = max(1, -(-len(labels) // 12))
    parts += [
        _text(_LEFT + i * slot + slot / 2, _HEIGHT - _BOTTOM + 16, label, anchor="middle")
        for i, label in enumerate(labels)
        if i % every == 0
    ]
    return _svg(parts, _HEIGHT)


def bars_svg(title: str, rows: Sequence[tuple[str, Decimal]]) -> str:
    """The picture of ``ranking``."""
    top = max((value for _, value in rows), default=Decimal(0)) or Decimal(1)
    left, line = 260, 20
    parts = [_text(10, 16, title, weight="bold")]
    for i, (name, value) in enumerate(rows):
        y = _TOP + i * line
        width = int(max(Decimal(0), value) / top * 1000) * (_WIDTH - left - 90) / 1000
        parts.append(_text(left - 8, y + 12, name[:42], anchor="end"))
        parts.append(f'<rect x="{left}" y="{y + 2}" width="{width:.1f}" height="{line - 7}" fill="{BLUE}"/>')
        parts.append(_text(left + width + 6, y + 12, f"{value:,.2f}"))
    return _svg(parts, _TOP + len(rows) * line + 10)


def _svg(parts: Sequence[str], height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
    style = f'height="{height}" font-family="sans-serif" font-size="11" fill="{INK}">'
    return head + style + '<rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>"


def _y(value: Decimal | int, top: Decimal | int) -> float:
    share = max(Decimal(0), Decimal(value)) / Decimal(top)
    return _HEIGHT - _BOTTOM - int(share * 1000) * (_HEIGHT - _BOTTOM - _TOP) / 1000


def _column(x: float, y: float, width: float, colour: str, title: str) -> str:
    height = _HEIGHT - _BOTTOM - y
    box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {box} fill="{colour}"><title>{escape(title)}</title></rect>'


def _legend(series: Sequence[Series]) -> list[str]:
    parts, x = [], _WIDTH - 10
    for name, colour, _ in reversed(series):
        x -= 8 * len(name)
        parts.append(_text(x, 16, name))
        x -= 16
        parts.append(f'<rect x="{x}" y="7" width="11" height="11" fill="{colour}"/>')
        x -= 12
    return parts


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {place}>{escape(text)}</text>"


def _short(value: Decimal | int) -> str:
    for limit, suffix in ((1_000_000, "M"), (1_000, "k")):
        if value >= 10 * limit:
            return f"{value / limit:,.0f}{suffix}"
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2f}"


def _counts(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a column holds nothing but numbers: those stand to the right."""
    return all(row[name] is None or isinstance(row[name], int | Decimal) for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value, decimals=2, grouped=True)
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")

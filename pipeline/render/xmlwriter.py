"""XML from nested values: what the two syntaxes of an e-invoice share.

An element is ``(name, content, attributes)``; content is a text or elements, and one without content is left out, as
both syntaxes demand. Element names keep their prefix; the root declares what the prefixes stand for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from pipeline.render.formats import clean

# What no XML may hold, beside the control characters that ``clean`` takes out.
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Element:
    """One element."""

    name: str
    content: "str | tuple[Element, ...]"
    attributes: Mapping[str, str]

    @property
    def empty(self) -> bool:
        return not self.content


def node(
    name: str, *content: "Element | str | Decimal | int | Iterable[Element] | None", **attributes: str
) -> Element:
    """An element of one text or figure, or of elements; None and empty ones among these are dropped."""
    if len(content) == 1 and isinstance(content[0], str | Decimal | int):
        return Element(name, _text(content[0]), attributes)
    inner: list[Element] = []
    for part in content:
        if isinstance(part, Element):
            inner.append(part)
        elif part is not None and not isinstance(part, str | Decimal | int):
            inner.extend(part)
    return Element(name, tuple(child for child in inner if not child.empty), attributes)


def document(root: Element, namespaces: Mapping[str, str]) -> bytes:
    """A whole file, UTF-8."""
    spaces = {f"xmlns:{prefix}" if prefix else "xmlns": uri for prefix, uri in namespaces.items()}
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", *_lines(root, spaces, "")]
    return ("\n".join(lines) + "\n").encode()


def _lines(element: Element, more: Mapping[str, str], indent: str) -> Iterable[str]:
    attributes = "".join(
        f" {name}={quoteattr(value)}" for name, value in {**more, **element.attributes}.items()
    )
    start = f"{indent}<{element.name}{attributes}"
    if isinstance(element.content, str):
        yield f"{start}>{escape(element.content)}</{element.name}>"
    else:
        yield f"{start}>"
        for child in element.content:
            yield from _lines(child, {}, indent + " ")
        yield f"{indent}</{element.name}>"


def _text(value: str | Decimal | int) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _NO_XML.sub("", clean(str(value))).strip()

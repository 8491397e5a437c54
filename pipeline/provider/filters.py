"""The provider's result filter: ``price gt 0.1 and type in (sms, mms) and name ilike "acme%"``.

Only ``and`` joins conditions. A path may reach into nested objects (``addresses.ip``); a list matches when one of its
elements does. Numbers in text are compared as numbers, dates as dates, everything else as text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from pipeline.provider.traffic import to_ms
from pipeline.provider.wire import bad_request

_TOKEN = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([(),])|([^\s(),"']+))""")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T.+)?")
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "like", "ilike", "in", "notin")

Ordered = Decimal | int | str


@dataclass(frozen=True, slots=True)
class Condition:
    """``path operator values``: one value, or several after ``in`` and ``notin``."""

    path: tuple[str, ...]
    operator: str
    values: tuple[str, ...]

    def matches(self, record: dict) -> bool:
        """Whether a record meets the condition."""
        found = _reach(record, self.path)
        if self.operator in ("ne", "notin"):
            return not any(_equal(value, wanted) for value in found for wanted in self.values)
        test = _TESTS[self.operator]
        return any(test(value, wanted) for value in found for wanted in self.values)


def parse_filter(text: str) -> tuple[Condition, ...]:
    """The conditions of a filter text; a ``Refusal`` (400) says what is wrong with it."""
    tokens = _tokens(text)
    conditions: list[Condition] = []
    while tokens:
        if conditions and tokens.pop(0) != (True, "and"):
            raise bad_request("filter: conditions are joined by 'and'")
        conditions.append(_condition(tokens))
    return tuple(conditions)


def _tokens(text: str) -> list[tuple[bool, str]]:
    """``(bare, text)`` pairs: quoted values are not bare, so a quoted ``and`` is only a word."""
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise bad_request(f"filter: cannot read {text[place:]!r}; is a quote missing?")
        double, single, mark, word = match.groups()
        quoted = double if double is not None else single
        found.append((False, quoted) if quoted is not None else (True, mark or word))
        place = match.end()
    return found


def _condition(tokens: list[tuple[bool, str]]) -> Condition:
    if len(tokens) < 3:
        raise bad_request("filter: a condition is 'field operator value'")
    (bare, path), (_, operator) = tokens.pop(0), tokens.pop(0)
    if not bare or not _PATH.fullmatch(path):
        raise bad_request(f"filter: {path!r} is not a field name")
    if operator not in OPERATORS:
        raise bad_request(f"filter: {operator!r} is not an operator; known are {', '.join(OPERATORS)}")
    values = _list(tokens) if operator in ("in", "notin") else (_single(tokens),)
    return Condition(tuple(path.split(".")), operator, values)


def _single(tokens: list[tuple[bool, str]]) -> str:
    token = tokens.pop(0)
    if token in ((True, "("), (True, ")"), (True, ",")):
        raise bad_request("filter: a value in parentheses needs 'in' or 'notin', or quotes")
    return token[1]


def _list(tokens: list[tuple[bool, str]]) -> tuple[str, ...]:
    if tokens.pop(0) != (True, "("):
        raise bad_request("filter: 'in' and 'notin' take a list in parentheses")
    values = []
    while tokens:
        values.append(_single(tokens))
        end = tokens.pop(0) if tokens else None
        if end == (True, ")"):
            return tuple(values)
        if end != (True, ","):
            break
    raise bad_request("filter: a list is written (a, b)")


def _reach(value: object, path: tuple[str, ...]) -> list[object]:
    """Everything at the end of a path; lists are opened on the way."""
    if isinstance(value, list):
        return [found for element in value for found in _reach(element, path)]
    if not path:
        return [value]
    return _reach(value.get(path[0]), path[1:]) if isinstance(value, dict) else [None]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _equal(value: object, wanted: str) -> bool:
    text = _text(value)
    if text == wanted:
        return True
    pair = comparable(text, wanted)
    return pair is not None and not isinstance(pair[0], str) and pair[0] == pair[1]


def as_number(value: object) -> Decimal | None:
    """A number, or the number that a text is; None for everything else."""
    text = _text(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def comparable(left: str, right: str) -> tuple[Ordered, Ordered] | None:
    """Both as numbers, both as instants, or both as text; None when one is a date and the other is not."""
    if _NUMBER.fullmatch(left) and _NUMBER.fullmatch(right):
        return Decimal(left), Decimal(right)
    if _DATE.fullmatch(left):
        first, second = instant(left), instant(right)
        return None if first is None or second is None else (first, second)
    return left, right


def instant(text: str) -> int | None:
    """Milliseconds since 1970 of ``2026-03-15`` or ``2026-03-15T18:00:00Z``; UTC where no zone is given."""
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _ordered(test: Callable[[Ordered, Ordered], bool]) -> Callable[[object, str], bool]:
    def compare(value: object, wanted: str) -> bool:
        pair = None if value is None else comparable(_text(value), wanted)
        return pair is not None and test(*pair)

    return compare


def _like(flags: int) -> Callable[[object, str], bool]:
    def compare(value: object, wanted: str) -> bool:
        pattern = ".*".join(map(re.escape, wanted.split("%")))
        return value is not None and re.fullmatch(pattern, _text(value), flags | re.DOTALL) is not None

    return compare


_TESTS: dict[str, Callable[[object, str], bool]] = {
    "eq": _equal,
    "in": _equal,
    "gt": _ordered(lambda a, b: a > b),  # type: ignore[operator]
    "ge": _ordered(lambda a, b: a >= b),  # type: ignore[operator]
    "lt": _ordered(lambda a, b: a < b),  # type: ignore[operator]
    "le": _ordered(lambda a, b: a <= b),  # type: ignore[operator]
    "like": _like(0),
    "ilike": _like(re.IGNORECASE),
}

"""Turns the lines of a deck into rates.

A deck has 100,000 lines and some hundred different sets of prices and increments, so everything but the prefix is read
once per set and remembered; a line whose prefix is plain digits, as nearly all are, then costs a look-up and no more.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar

from pipeline.domain.rate_plan import DEFAULT_INCREMENT, Rate, RatePlan, unit_of
from pipeline.domain.rate_rows import behind
from pipeline.rate.deck import fields as read
from pipeline.rate.deck.header import Header
from pipeline.rate.deck.layout import Layout, Problems
from pipeline.rate.deck.names import PRICES
from pipeline.rate.deck.prefix import areas_of, north_american, prefixes
from pipeline.rate.deck.sheet import Line
from pipeline.rate.deck.text import RefusedError

PREFIX_COLUMNS = ("prefix", "dial_code", "area_code", "npanxx", "nxx")
_PLAIN = re.compile(r"[1-9][0-9]{0,19}\Z")
_TOTAL = re.compile(r"(grand[ -]?|sub[ -]?)?totals?\b", re.IGNORECASE)
T = TypeVar("T")
D = TypeVar("D")


@dataclass(slots=True)
class Read:
    """Rates as prefixes and terms, with the lines they come from; those that a line says are gone; lines that are no
    rates."""

    lines: list[int] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    terms: list[Rate] = field(default_factory=list)
    gone: list[tuple[int, Rate]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Terms:
    """What the lines with one set of texts have in common: their rates, without a prefix. ``plain`` ones hold as they
    are behind any prefix."""

    wrong: list[str]
    rates: list[Rate]
    gone: bool
    plain: bool


class RowReader:
    """Reads the lines below one header."""

    def __init__(self, header: Header, plan: RatePlan, layout: Layout) -> None:
        self._header, self._plan, self._layout = header, plan, layout
        self._prefix_at = {name: header.at[name] for name in PREFIX_COLUMNS if name in header.at}
        self._one = header.at["prefix"] if list(self._prefix_at) == ["prefix"] else None
        self._others = {n: at for n, at in header.at.items() if n not in self._prefix_at}
        others = list(self._others.values())
        self._pick = itemgetter(*(others if len(others) > 1 else others * 2))  # of one it would make no tuple
        self._known: dict[tuple[str, ...], _Terms] = {}
        self._windows = {w.name: w for w in plan.windows}
        self._country_is_code = False

    def read(self, body: Sequence[Line], problems: Problems, progress: Callable[[str], None]) -> Read:
        """All rates of the lines; what is wrong goes to ``problems``."""
        done = Read()
        self._country_is_code = self._codes(body)
        width, one, pick, known, digits = self._header.width, self._one, self._pick, self._known, _PLAIN.match
        for n, (number, cells) in enumerate(body, 1):
            if len(cells) != width and not self._fitted(number, cells, problems, done):
                continue
            texts = pick(cells)
            terms = known.get(texts)
            if terms is None:
                terms = known[texts] = self._terms(texts)
            if terms.plain and one is not None and digits(cells[one]):
                _put(done, number, cells[one], terms)
            else:
                self._take(number, cells, terms, problems, done)
            if not n % 20_000:
                progress(f"read {n:,} of {len(body):,} lines")
        return done

    def _fitted(self, number: int, cells: list[str], problems: Problems, done: Read) -> bool:
        """Whether a line has as many cells as the header, empty ones at its end apart."""
        width = self._header.width
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            del cells[width:]
            return True
        if self._is_note(cells):
            done.left_out.append(f"line {number}: {' '.join(' '.join(cells).split())}")
        else:
            problems.add(f"line {number}: {len(cells)} fields where the header has {width}")
        return False

    def _take(self, number: int, cells: list[str], terms: _Terms, problems: Problems, done: Read) -> None:
        wrong = terms.wrong
        found: tuple[str, ...] = ()
        try:
            found = self._prefixes(cells)
        except RefusedError as error:
            wrong = [f"{self._prefix_name(cells)} {error}", *wrong]
        if (wrong or "" in found or not found) and (self._is_note(cells) or self._is_header(cells)):
            done.left_out.append(f"line {number}: {' '.join(' '.join(cells).split())}")
            return
        if self._plan.service == "message" and any(found):
            wrong = [*wrong, "prefix is for calls"]
        for text in wrong:
            problems.add(f"line {number}: {text}")
        if wrong:
            return
        for prefix in found:
            if terms.gone:
                done.gone += [(number, behind(prefix, rate)) for rate in terms.rates]
            else:
                _put(done, number, prefix, terms)

    def _prefixes(self, cells: list[str]) -> tuple[str, ...]:
        at = self._prefix_at
        text = {name: cells[n].strip() for name, n in at.items()}
        if text.get("npanxx"):
            return north_american(text["npanxx"], text.get("nxx", ""))
        if text.get("area_code") and not text.get("dial_code") and not text.get("prefix"):
            return prefixes(text["area_code"], as_dialled=self._as_dialled)
        if "area_code" in at and (text.get("dial_code") or text.get("prefix")):
            return areas_of(text.get("dial_code") or text["prefix"], text["area_code"])
        if text.get("dial_code") and not text.get("prefix"):
            return areas_of(text["dial_code"], "")
        found = prefixes(text.get("prefix", ""), as_dialled=self._as_dialled)
        if text.get("dial_code"):
            _check_behind(text["dial_code"], found, self._header.theirs["prefix"])
        return found

    @property
    def _as_dialled(self) -> bool:
        return self._plan.match_field == "number_dst_original"

    def _prefix_name(self, cells: list[str]) -> str:
        filled = sorted((at, name) for name, at in self._prefix_at.items() if cells[at].strip())
        return ", ".join(f"{self._header.theirs[name]} {cells[at].strip()!r}" for at, name in filled)

    def _is_header(self, cells: list[str]) -> bool:
        return all(cells[at].strip() == self._header.theirs[name] for name, at in self._header.at.items())

    def _is_note(self, cells: list[str]) -> bool:
        """Totals, and remarks below or between the rates: one cell of text that is neither prefix nor price."""
        filled = [n for n, cell in enumerate(cells) if cell.strip()]
        if filled and _TOTAL.match(cells[filled[0]].strip()):
            return True
        if len(filled) != 1 or self._header.width < 3:
            return False
        cell = cells[filled[0]].strip()
        priced = {self._header.at[name] for name in PRICES if name in self._header.at}
        return filled[0] not in priced and not re.match(r"[\^+(*0-9]", cell)

    def _codes(self, body: Sequence[Line]) -> bool:
        """Whether a column called country holds codes, and not names."""
        at = self._header.at.get("country")
        if at is None:
            return False
        found = set(map(str.strip, {line.cells[at] for line in body if len(line.cells) > at})) - {""}
        return all(len(text) in (2, 3) and text.isupper() for text in found)

    def _terms(self, texts: tuple[str, ...]) -> _Terms:
        fields = _Fields(dict(zip(self._others, map(str.strip, texts), strict=False)), self._header.theirs)
        plan = self._plan
        minimum, increment = self._increments(fields)
        states = {
            fields.get("status", read.status, read.ACTIVE),
            fields.get("change", read.status, read.ACTIVE),
        }
        mcc, mnc = self._network(fields)
        common = {
            "country_code": self._country(fields),
            "mcc": mcc,
            "mnc": mnc,
            "increment": increment,
            "minimum": minimum,
            "grace": fields.get("grace_seconds", read.seconds, Decimal(0)),
            "unit": self._unit(fields, minimum),
            "connect_fee": fields.get("connect_fee", self._money, Decimal(0)),
            "effective_from": fields.get("effective_date", self._instant, None),
            "effective_to": fields.get("end_date", self._instant, None),
            "origin_prefix": fields.get("origin_prefix", read.digits, ""),
            "window": fields.get("window", partial(read.window, known=self._windows), ""),
            "min_charge": fields.get("min_charge", self._money, None),
            "max_charge": fields.get("max_charge", self._money, None),
            "steps": fields.get("steps", read.steps, ()),
        }
        rates = [
            self._rate(fields, column, common, read.BLOCKED in states)
            for column in PRICES
            if column in fields.texts
        ]
        for rate in rates[:1]:
            _check_rate(rate, plan.service, fields.wrong)
        gone = read.GONE in states
        return _Terms(fields.wrong, rates, gone, not (fields.wrong or gone or plan.service == "message"))

    def _rate(self, fields: "_Fields", column: str, common: dict[str, Any], blocked: bool) -> Rate:
        price = fields.get(column, self._price, None)
        where = PRICES[column] or fields.get("jurisdiction", read.jurisdiction, None)
        return Rate(price=price, blocked=blocked or price is None, jurisdiction=where, **common)

    def _increments(self, fields: "_Fields") -> tuple[Decimal, Decimal]:
        first, increment = fields.get(
            "billing_increment", read.minimum_and_increment, (None, DEFAULT_INCREMENT)
        )
        minimum = fields.get("billing_minimum", read.seconds, None)
        if first is not None and minimum is not None and first != minimum:
            fields.wrong.append(f"the minimum is {minimum} in one column and {first} in another")
        found = first if minimum is None else minimum
        return (Decimal(0) if found is None else found), increment or DEFAULT_INCREMENT

    def _unit(self, fields: "_Fields", minimum: Decimal) -> Decimal:
        if self._plan.service == "message":
            return Decimal(60)
        stated = fields.get("unit_seconds", read.positive_seconds, None)
        if stated is None and self._header.unit:
            stated = Decimal(self._header.unit)
        try:
            return unit_of(self._plan.unit_rule, minimum, stated)
        except ValueError as error:
            fields.wrong.append(str(error))
            return Decimal(60)

    def _network(self, fields: "_Fields") -> tuple[int | None, int | None]:
        both = fields.texts.get("mccmnc", "").replace("-", "")
        if both:
            fields.texts |= {"mcc": both[:3], "mnc": both[3:]}
        return fields.get("mcc", read.network, None), fields.get("mnc", read.network, None)

    def _country(self, fields: "_Fields") -> str | None:
        if self._country_is_code and not fields.texts.get("country_code"):
            return fields.get("country", read.country, None)
        return fields.get("country_code", read.country, None)

    def _price(self, text: str) -> Decimal | None:
        return read.price(text, self._plan.currency, self._layout.decimal)

    def _money(self, text: str) -> Decimal:
        return read.money(text, self._plan.currency, self._layout.decimal)

    def _instant(self, text: str) -> Any:
        return read.instant(text, self._layout.date_format)


@dataclass(slots=True)
class _Fields:
    """The texts of one row by our names, and what is wrong with them."""

    texts: dict[str, str]
    theirs: dict[str, str]
    wrong: list[str] = field(default_factory=list)

    def get(self, name: str, reading: Callable[[str], T], default: D) -> T | D:
        """A field as ``reading`` gives it; ``default`` where it is empty, absent or wrong."""
        text = self.texts.get(name, "")
        if not text:
            return default
        try:
            return reading(text)
        except RefusedError as error:
            self.wrong.append(f"{self.theirs.get(name, name)} {text!r} {error}")
            return default


def _put(done: Read, number: int, prefix: str, terms: _Terms) -> None:
    for rate in terms.rates:
        done.lines.append(number)
        done.prefixes.append(prefix)
        done.terms.append(rate)


def _check_behind(dial: str, found: tuple[str, ...], theirs: str) -> None:
    (code,) = areas_of(dial, "")
    if any(not prefix.startswith(code) for prefix in found):
        msg = (
            f"does not begin with country code {code}: if it is an area code, say --map '{theirs}=area_code'"
        )
        raise RefusedError(msg)


def _check_rate(rate: Rate, service: str, wrong: list[str]) -> None:
    if rate.effective_from and rate.effective_to and rate.effective_to <= rate.effective_from:
        wrong.append("end_date is not after effective_date")
    special = (rate.origin_prefix, rate.jurisdiction, rate.window, rate.steps, rate.connect_fee)
    if service == "message" and any((*special, rate.min_charge, rate.max_charge)):
        wrong.append(
            "connect_fee, origin_prefix, jurisdiction, window, steps, min_charge and max_charge are for calls"
        )
    if rate.mnc is not None and rate.mcc is None:
        wrong.append("mnc without mcc")
    if rate.min_charge is not None and rate.max_charge is not None and rate.max_charge < rate.min_charge:
        wrong.append("max_charge is below min_charge")

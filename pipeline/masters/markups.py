"""``markups.csv``: retail plans that are the provider's prices and something on top.

One row is one rule; the rows of a ``plan_sid`` make one plan, and follow one plan of the provider, named by service,
direction and family. A row with a ``prefix`` or a ``country_code`` is for those alone and says the whole rule, not a
change to the general one. What no row covers is not sold: its traffic is unrated, never sold at cost.
"""

from decimal import Decimal
from pathlib import Path

from pipeline.domain.markup import PRICE_DECIMALS, Markup, MarkupRule
from pipeline.masters.overlaps import unique
from pipeline.masters.reading import Problems, Row, csv_rows
from pipeline.masters.vocabulary import COUNTRIES, DIRECTIONS, ROUNDING_MODES, SERVICES

MARKUP_COLUMNS = (
    *("plan_sid", "name", "service", "direction", "family", "prefix", "country_code"),
    *("percent", "add", "floor", "cap", "decimals", "rounding"),
)
_PLAN_SID = r"[A-Za-z0-9._-]{1,80}"
_LOSS = Decimal(-100)


def read_markups(folder: Path, problems: Problems) -> tuple[Markup, ...]:
    """The markup plans, in the order of their first rows."""
    rows = csv_rows(folder / "markups.csv", MARKUP_COLUMNS, ("plan_sid", "direction"), problems)
    read = [(row, (row, _follows(row), _rule(row))) for row in rows]
    plans: dict[str, list[MarkupRule]] = {}
    followed: dict[str, tuple[str, str, str]] = {}
    names: dict[str, str] = {}
    for row, whose, rule in unique(
        read, _key, "the rule for {key[0]}, prefix {key[1]!r}, country {key[2]!r}"
    ):
        sid, service, direction, family = whose
        scope = (service, direction, family)
        if followed.setdefault(sid, scope) != scope:
            what = f"is for {' '.join(scope)}, and the plan's first row for {' '.join(followed[sid])}"
            row.wrong("plan_sid", f"{sid!r} {what}; a plan follows one plan of the provider")
        names[sid] = names.get(sid) or row.text("name")
        plans.setdefault(sid, []).append(rule)
    return tuple(
        Markup(sid, *followed[sid], rules=tuple(rules), name=names[sid] or sid)
        for sid, rules in plans.items()
    )


def _follows(row: Row) -> tuple[str, str, str, str]:
    return (
        row.matching("plan_sid", _PLAN_SID, "letters, digits and . _ -", required=True),
        row.choice("service", SERVICES, "call"),
        row.choice("direction", DIRECTIONS, required=True),
        row.matching("family", r"[a-z0-9][a-z0-9_-]{0,59}", "a family like pstn or toll", "pstn"),
    )


def _key(value: tuple[Row, tuple[str, str, str, str], MarkupRule]) -> tuple[str, str, str]:
    _, whose, rule = value
    return whose[0], rule.prefix, rule.country_code


def _rule(row: Row) -> MarkupRule:
    percent, add = row.money("percent") or Decimal(0), row.money("add") or Decimal(0)
    floor, cap = row.money("floor"), row.money("cap")
    if percent <= _LOSS:
        row.wrong(
            "percent", f"is {percent}: nothing would be left; valid is more than -100, like 20 for 20 %"
        )
    for column, value in (("floor", floor), ("cap", cap)):
        if value is not None and value < 0:
            row.wrong(column, f"is {value}; a price is not negative")
    if floor is not None and cap is not None and floor > cap:
        row.wrong("cap", f"is {cap}, below the floor {floor}")
    return MarkupRule(
        percent,
        add,
        floor,
        cap,
        row.integer("decimals", 0, PRICE_DECIMALS, PRICE_DECIMALS),
        row.choice("rounding", ROUNDING_MODES, "half_up"),
        row.matching("prefix", r"\d{1,15}", "digits"),
        row.choice("country_code", COUNTRIES),
    )

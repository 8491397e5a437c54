"""How a tax of an invoice was found, in sentences: on which lines, on what share of them, its rate, what bounds it, the
one rounding, the rule and where that is from; and how much of it a credit note takes back.

The figures are those that were billed. The rule's row is named where taxes.csv still has it as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.domain.invoice import TaxItem
from pipeline.domain.money import add, multiply, plain
from pipeline.domain.period import in_force
from pipeline.domain.tax import MAXIMUM, MINIMUM, REVERSE, of_rule
from pipeline.domain.taxtables import DatedRule

Row = Mapping[str, Any]
_BOUNDS = {MINIMUM: "the least that is due", MAXIMUM: "the most that is due"}


def tax_in_short(tax: TaxItem, lines: Sequence[Row] = ()) -> str:
    """One sentence: ``37.6 % of 22.04 (64.7 % of 34.06) = 8.29``."""
    if tax.method == "credit_note":
        return f"{_money(-tax.amount)} goes back, of what was taken on {_money(-tax.base)}"
    counted = f"{plain(tax.base)} x {_money(tax.rate)} per {tax.per}"
    how = counted if tax.per else f"{_percent(tax.rate)} of {_money(tax.base)}{_share(tax, lines)}"
    bound = _BOUNDS.get(tax.method)
    if bound:
        return f"{_money(tax.amount)}, {bound}; {how} = {_money(_product(tax))}"
    owed = ", the recipient owes it" if tax.method == REVERSE else ""
    return f"{how} = {_money(tax.amount)}{owed}"


def tax_reasons(
    tax: TaxItem, taxes: Sequence[TaxItem], items: Mapping[int, Row], rules: Iterable[DatedRule], day: date
) -> tuple[str, ...]:
    """The steps; ``items`` are the invoice's lines by number, ``taxes`` all its taxes, ``day`` its tax point."""
    amounts = [items[n]["amount"] for n in tax.lines if n in items]
    said = [*_base(tax, taxes, amounts), *_counted(tax)]
    rule = next((r for r in rules if _is_of(r, tax, day)), None)
    if rule is None:
        said.append(
            f"Rule {tax.rule}, {tax.jurisdiction}, {tax.type}, on {day}, the tax point. taxes.csv has no such row "
            "(changed since, or another tax engine answered): these figures are the invoice's own."
        )
    else:
        bounds = [
            f", {word} {_money(bound)} an invoice"
            for word, bound in (("at least", rule.minimum), ("at most", rule.maximum))
            if bound is not None
        ]
        point = f"The tax point is {day}, the period's last day."
        if rule.rule != tax.rule:
            point = "Its lines are of earlier periods: the tax point of each is the last day of its own."
        said.append(
            f"Rule {rule.rule} of taxes.csv, {tax.jurisdiction}, {tax.type}, in force {_dates(rule.start, rule.end)}: "
            f"{_rate(rule.rate, tax.per)}{''.join(bounds)}. {point}"
        )
    return (*said, f"Source: {tax.legal_source}")


def credited_tax_reasons(
    tax: TaxItem,
    amount: Decimal,
    invoice: str,
    stood: Mapping[str, Decimal],
    remains: Mapping[str, Decimal],
    before: Mapping[int, Decimal],
    after: Mapping[int, Decimal],
) -> tuple[str, ...]:
    """What a credit note takes back of a tax of ``invoice``: what ``stood`` before it less what ``remains``, by rule.

    ``before`` and ``after`` are what is left of the invoice's lines.
    """
    was, left = stood[tax.rule], remains[tax.rule]
    said = [f"{invoice} has it on {lines_in_words(tax.lines)}: {tax_in_short(tax)}."]
    had, has = (add(lines[n] for n in tax.lines) for lines in (before, after))
    said.append(f"Before this note {_money(had)} of those lines stood, and {_money(was)} of the tax.")
    below = [remains[name] for name in tax.on if name in remains]
    if not has and not any(below):
        said.append("Nothing of them remains, so all of the tax goes back.")
    elif tax.method in ("percent", REVERSE):
        base = add((multiply(tax.share, has), *below))
        share = f" ({_percent(tax.share)} of {_money(has)})" if tax.share != 1 else ""
        share += "".join(f" + {_money(remains[name])} of {name}" for name in tax.on if name in remains)
        how = f"{_percent(tax.rate)} of {_money(base)}{share} = {_rounded(multiply(tax.rate, base), left)}"
        said.append(f"What remains is taxed as a whole: {how}.")
    else:
        said.append("It is a fixed amount or was held at a bound: it goes back with the last of those lines.")
    return (
        *said,
        f"So {_money(was)} - {_money(left)} = {_money(-amount)} goes back.",
        f"Source: {tax.legal_source}",
    )


def lines_in_words(numbers: Sequence[int]) -> str:
    """``line 2``, ``lines 2, 4 to 9``."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    told = [f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(told)}"


def _base(tax: TaxItem, taxes: Sequence[TaxItem], amounts: Sequence[Decimal]) -> list[str]:
    """What it is taken of."""
    if not tax.lines:
        return []
    lines = lines_in_words(tax.lines)
    if tax.per:
        return [
            f"It is due per {tax.per}; {lines} {'count' if len(tax.lines) > 1 else 'counts'} as {plain(tax.base)}."
        ]
    total = add(amounts)
    verb = "sum to" if len(amounts) > 1 else "is"
    said = [f"It is on {lines}, which {verb} {_money(total)}."]
    if tax.share != 1:
        part = multiply(tax.share, total)
        said.append(
            f"Only a share of that is taxed: {_percent(tax.share)} of {_money(total)} = {_money(part)}."
        )
    below = {t.rule: t.amount for t in taxes if t.rule in tax.on}
    if below:
        named = " and ".join(f"{_money(amount)} ({rule})" for rule, amount in below.items())
        said.append(f"It also taxes other taxes: {named}. Together {_money(tax.base)}.")
    return said


def _counted(tax: TaxItem) -> list[str]:
    """Rate, bound and rounding."""
    if tax.method == REVERSE:
        return ["The recipient owes the tax where they are (reverse charge), so nothing is charged here."]
    product, bound = _product(tax), _BOUNDS.get(tax.method)
    how = (
        f"{plain(tax.base)} x {_money(tax.rate)}"
        if tax.per
        else f"{_percent(tax.rate)} of {_money(tax.base)}"
    )
    if bound:
        return [f"{how} = {_money(product)}; {_money(tax.amount)} is {bound}."]
    return [f"{how} = {_rounded(product, tax.amount)}."]


def _rounded(exact: Decimal, amount: Decimal) -> str:
    if exact == amount:
        return _money(amount)
    return f"{_money(exact)}, rounded half-up once to {_money(amount)}"


def _product(tax: TaxItem) -> Decimal:
    return multiply(tax.rate, tax.base)


def _share(tax: TaxItem, lines: Sequence[Row]) -> str:
    if tax.share == 1:
        return ""
    return f" ({_percent(tax.share)} of {_money(add(line['amount'] for line in lines))})" if lines else ""


def _rate(rate: Decimal, per: str) -> str:
    return f"{_money(rate)} per {per}" if per else _percent(rate)


def _is_of(rule: DatedRule, tax: TaxItem, day: date) -> bool:
    """Whether a row still says what the tax was found by."""
    name, held = of_rule(tax.rule, day)
    same = rule.rule == name and (tax.method == REVERSE or rule.rate == tax.rate)
    return same and in_force(rule.start, rule.end, held) and tax.legal_source.startswith(rule.legal_source)


def _dates(start: date | None, end: date | None) -> str:
    said = [f"from {start}"] if start else []
    said += [f"up to and without {end}"] if end else []
    return " ".join(said) or "always"


def _percent(fraction: Decimal) -> str:
    return f"{plain(fraction * 100)} %"


def _money(amount: Decimal) -> str:
    return plain(amount, decimals=2, grouped=True)

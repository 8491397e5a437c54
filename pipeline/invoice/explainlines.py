"""How a line of an invoice comes about, in sentences: which rule asked for it, what it adds up, and the one rounding.

A line stands on records that were rated, on the differences of records that changed, on a decision of a person, or on
parts: numbers, charges, discounted lines, uses. What a credit note takes back stands on another invoice's line.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from pipeline.domain.money import add, multiply, plain, to_minor
from pipeline.domain.rate_plan import EVERYONE
from pipeline.domain.rounding import EXACT
from pipeline.masters.model import Masters

Row = Mapping[str, Any]
Days = tuple[date, date]
RECORDS, CORRECTED, ADJUSTED, CREDITED, NOTHING = "records", "corrected", "adjusted", "credited", "nothing"
NUMBERS, RECURRING, ONE_OFF, DISCOUNT, COMMITMENT, USES = (
    *("numbers", "recurring", "one_off", "discount", "commitment", "uses"),
)
_KINDS = {
    "number": NUMBERS,
    RECURRING: RECURRING,
    ONE_OFF: ONE_OFF,
    DISCOUNT: DISCOUNT,
    **dict.fromkeys(("committed", "counted", "above"), COMMITMENT),
}
# A record's amount has ten decimals where its plan does not say otherwise; within one step of them is rounding.
_STEP = Decimal("0.0000000001")


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a line beside what it is made of.

    ``own`` are the first and last day of the invoice's period, ``days`` those of the line's. ``decided`` is a person's
    decision behind it, ``corrects`` the invoice or line that this corrects. A credit takes back ``credited``, a line
    of ``credited_of``; ``notes`` are the lines of all notes on it so far, this one last.
    """

    item: Row
    currency: str
    customer: Row
    own: Days
    days: Days
    late: bool
    masters: Masters
    decided: str = ""
    corrects: str | None = None
    credited: Row | None = None
    credited_of: str = ""
    notes: tuple[tuple[str, Row], ...] = ()


class Dated(Protocol):
    """A row of a master file, in force from a day up to and without another."""

    @property
    def key(self) -> str: ...
    @property
    def start(self) -> date | None: ...
    @property
    def end(self) -> date | None: ...


def kind_of_part(kind: str) -> str:
    """What a line is whose parts are of this kind."""
    return _KINDS.get(kind, USES)


def line_reasons(kind: str, said: Said, found: Sequence[Row]) -> tuple[str, ...]:
    """The steps; ``found`` are the records or parts behind the line."""
    steps = _STEPS[kind](said, found)
    late = () if kind in (CREDITED, COMMITMENT) else _late(said)
    return (*late, *steps, *(() if kind in (CREDITED, NOTHING) else (_sum(said, found),)))


def _late(said: Said) -> Iterable[str]:
    if said.days != said.own:
        when = "which is over" if said.late else "not the invoice's own period"
        yield f"It is for {_span(said.days)}, {when}."


def _sum(said: Said, found: Sequence[Row]) -> str:
    """The last step of every line that is made of amounts."""
    item = said.item
    exact, amount, total = item["amount_exact"], item["amount"], add(row["amount"] for row in found)
    if found and total != exact:
        return (
            f"They come to {_money(total)}, the line says {_money(exact)}: something is missing here. "
            "`tollbook verify` says what."
        )
    n = len(found)
    what = f"The {n:,} amounts sum to {_money(exact)}" if n > 1 else f"That is {_money(exact)}"
    if exact == amount:
        return f"{what} {said.currency}."
    return f"{what}, rounded half-up once: {_money(amount)} {said.currency}."


def _records(said: Said, found: Sequence[Row]) -> Iterable[str]:
    good = [row for row in found if not row["changed"]]
    plans = sorted(
        {(r["plan_sid"], r["plan_version"], r["unit_seconds"], r["service"]) for r in good}, key=str
    )
    for plan, version, unit, service in plans:
        mine = [
            r for r in good if (r["plan_sid"], r["plan_version"], r["unit_seconds"]) == (plan, version, unit)
        ]
        fee = "connect fee + " if any(r["connect_fee"] for r in mine) else ""
        call = f"{fee}price x billed / {plain(unit or Decimal(1))} s; prefix is the row that matched"
        yield f"Plan {plan} version {version}: {call if service == 'call' else 'price x segments x recipients'}."
    if drawn := [row for row in found if row["drawn_from"]]:
        names = "; ".join(sorted({row["drawn_from"] for row in drawn}))
        added = add(row["drawn"] or Decimal(0) for row in drawn)
        free = said.item["detail"].get("included")
        included = f"; {plain(Decimal(free), grouped=True)} of what is billed are included" if free else ""
        yield f"Drawn is what {names} changed, {_money(added)} in all{included}. Amount is after that."
    if other := [row for row in good if not _by_price(row)]:
        yield (
            f"{_records_of(other)} to another amount than price x billed: windows, steps, a least or most charge, or "
            "its plan's rounding. `tollbook explain RECORD` tells each step."
        )
    if again := [row for row in found if row["changed"]]:
        yield (
            f"{len(again):,} changed or rated anew since: the price that was billed is not shown. "
            "`tollbook explain RECORD` tells what it costs by now."
        )


def _records_of(rows: Sequence[Row]) -> str:
    return "1 record comes" if len(rows) == 1 else f"{len(rows):,} records come"


def _by_price(row: Row) -> bool:
    """Whether a record's amount is its price times what was billed, to the last decimal that is kept."""
    unit = row["unit_seconds"] or Decimal(1)
    counted = EXACT.divide(multiply(row["price"] or Decimal(0), row["usage"]), unit)
    counted = add((counted, row["connect_fee"] or Decimal(0), row["drawn"] or Decimal(0)))
    amount: Decimal = row["amount"]
    return bool(abs(counted - amount) < _STEP)


def _corrected(_said: Said, found: Sequence[Row]) -> Iterable[str]:
    anew = sum(1 for row in found if not row["before"])
    if anew < len(found):
        yield (
            "The provider changed these records after they had been billed. Each is billed by the difference: before "
            "is what had been billed for it, now is what it costs as changed, amount is now - before. "
            "`tollbook explain RECORD` tells how it comes to now."
        )
    if anew:
        yield (
            f"Of {anew:,} nothing stood billed any more: a credit note had given them back, or they had cost nothing. "
            "They are billed whole, as they are rated by now."
        )


def _adjusted(said: Said, found: Sequence[Row]) -> Iterable[str]:
    yield said.decided
    if said.corrects:
        yield f"It corrects {said.corrects}."
    taxed = said.item["detail"].get("taxed_as")
    yield f"It bears the taxes of {taxed or 'an adjustment'}."
    if found:
        plans = sorted(
            {f"{row['plan_sid']} version {row['plan_version']}" for row in found if row["plan_sid"]}
        )
        drawn = (
            ", drawn the part of it that bundles and tiers make" if any(row["drawn"] for row in found) else ""
        )
        yield (
            f"Each record was rated anew{' on ' + ', '.join(plans) if plans else ''}; amount is now - before, which is "
            f"all that had been billed for it{drawn}."
        )


def _credited(said: Said, _found: Sequence[Row]) -> Iterable[str]:
    line, currency = said.credited, said.currency
    if line is None:
        return
    yield f"It credits {said.credited_of}/{line['line_no']}, {line['description']}, which was {_money(line['amount'])}."
    yield said.decided
    *earlier, (_, own) = said.notes
    for name, note in earlier:
        yield f"{name} had taken back {_money(-note['amount'])} before."
    taken = [line["amount"], *(note["amount"] for _, note in said.notes)]
    terms = " - ".join(_money(amount if n == 0 else -amount) for n, amount in enumerate(taken))
    left = to_minor(add(taken), currency)
    yield f"This note takes back {_money(-own['amount'])}: {terms} = {_money(left)} {currency} remains of the line."
    if own["records"]:
        yield "Its records are given back: the next invoice takes them anew, as they are rated by then."
    else:
        yield "It is money alone: what was used stays billed, and is not billed again."


def _numbers(said: Said, found: Sequence[Row]) -> Iterable[str]:
    own, price = said.customer["partner_sid"], found[0]["price"]
    listed = [p for p in said.masters.did_prices if any(price == step for _, step in p.steps)]
    if any(p.partner_sid in (own, EVERYONE) for p in listed):
        source = "a row of did_prices.csv has it"
    elif said.customer.get("did_price") is not None and Decimal(said.customer["did_price"]) == price:
        source = "the customer's did_price in customers.csv"
    else:
        source = "the provider's own price for them"
    new = said.item["detail"].get("rent") == "new"
    why = (
        "for the days since they were first seen"
        if new
        else "in advance, for what is held when the period ends"
    )
    yield f"Rent is due {why}. One costs {_money(price)} for a whole period: {source}."
    yield "Amount is price x days / days of the whole period."


def _recurring(said: Said, found: Sequence[Row]) -> Iterable[str]:
    yield _named(said.item, "charges.csv", said.masters.charges)
    for part in found:
        share = (
            "" if part["days"] in (None, part["of_days"]) else f" x {part['days']} / {part['of_days']} days"
        )
        yield f"{plain(part['quantity'])} x {_money(part['price'])}{share} = {_money(part['amount'])}."


def _discount(said: Said, found: Sequence[Row]) -> Iterable[str]:
    key = said.item["detail"].get("key")
    row = next((d for d in said.masters.discounts if d.key == key), None)
    yield _named(said.item, "discounts.csv", said.masters.discounts)
    if row is not None and row.percent is not None:
        alone = all(
            multiply(p["line_amount"], row.percent) == -100 * p["amount"] for p in found if p["of_line_no"]
        )
        after = "" if alone else ", after the discounts before it"
        yield f"Off is {plain(row.percent)} % of the line's amount{after}."
    elif row is not None:
        yield f"{_money(row.amount or Decimal(0))} an invoice, shared among the lines by their amounts."


def _commitment(said: Said, found: Sequence[Row]) -> Iterable[str]:
    yield _named(said.item, "commitments.csv", said.masters.commitments)
    sums = {
        kind: add(p["amount"] for p in found if p["kind"] == kind)
        for kind in ("committed", "counted", "above")
    }
    if sums["committed"]:
        yield f"For {_span(said.days)} at least {_money(sums['committed'])} is due."
    yield f"The lines that count towards it come to {_money(-sums['counted'])}."
    if sums["above"]:
        yield f"{_money(sums['above'])} of that is beyond the least, or was settled by earlier invoices."


def _uses(said: Said, _found: Sequence[Row]) -> Iterable[str]:
    key = said.item["detail"].get("per_use")
    yield _rule(str(key), "per_use.csv", said.masters.per_use)
    yield "Each use costs quantity x price."


def _nothing(said: Said, _found: Sequence[Row]) -> Iterable[str]:
    yield f"Neither records nor parts of it are kept; the ledger has {_money(said.item['amount_exact'])}."


_STEPS: Mapping[str, Callable[[Said, Sequence[Row]], Iterable[str]]] = {
    RECORDS: _records,
    CORRECTED: _corrected,
    ADJUSTED: _adjusted,
    CREDITED: _credited,
    NUMBERS: _numbers,
    RECURRING: _recurring,
    ONE_OFF: _recurring,
    DISCOUNT: _discount,
    COMMITMENT: _commitment,
    USES: _uses,
    NOTHING: _nothing,
}


def _named(item: Row, file: str, rows: Iterable[Dated]) -> str:
    return _rule(str(item["detail"].get("key")), file, rows)


def _rule(key: str, file: str, rows: Iterable[Dated]) -> str:
    """The row of a master file that asked for a line."""
    row = next((row for row in rows if row.key == key), None)
    if row is None:
        return f"Rule {key}; {file} has no such row any more."
    dates = [f"from {row.start}"] if row.start else []
    dates += [f"up to and without {row.end}"] if row.end else []
    return f"Rule {key} of {file}, in force {' '.join(dates) or 'always'}."


def _span(days: Days) -> str:
    return f"{days[0]} to {days[1]}"


def _money(amount: Decimal) -> str:
    return plain(amount, decimals=2, grouped=True)

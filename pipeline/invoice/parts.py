"""Lines that no claimed record stands behind, and the parts that each of them is made of.

A part is a number that is rented, a span of days of a recurring charge, a line that a discount is on, a use of a
feature. The parts of a line sum to its exact amount, as claims do; they lie beside the claims in the lake, committed
with their invoice. Charges and commitments are remembered in them: what earlier invoices billed is their history.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal

import pyarrow as pa

from pipeline.domain.invoice import Item
from pipeline.domain.period import Period
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Due
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.tables import BY_NAME

TABLE = "invoice/parts"
NUMBER, DISCOUNT = "number", "discount"
COMMITTED, COUNTED, ABOVE = "committed", "counted", "above"
Key = tuple[str, str]
_REMEMBERED = """
select
    payer_sid, payee_sid, kind, key, what, amount, date_billing_period_start, date_billing_period_end,
    first_day, last_day, quantity, price, days, of_days, of_line_no
from invoice.parts
where kind in ('recurring', 'one_off', 'committed', 'counted', 'above')
order by invoiced_to, invoice_sid, part_no
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a line charges for. ``price`` is for one and a whole period, ``days`` the share of it."""

    kind: str
    key: str
    what: str
    amount: Decimal
    period: Period
    first: date
    last: date
    quantity: Decimal = Decimal(1)
    price: Decimal | None = None
    days: int | None = None
    of_days: int | None = None
    of_line_no: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its parts; without an item the parts are only noted."""

    item: Item | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What earlier invoices billed, by account; the invoices of this run are added as they are made."""

    _parts: dict[Key, list[Part]] = field(default_factory=lambda: defaultdict(list))

    def of(self, account: Key) -> list[Part]:
        return self._parts[account]

    def add(self, account: Key, parts: Iterable[Part]) -> None:
        self._parts[account] += parts


def remembered(con: Duck) -> History:
    """The parts that later invoices depend on."""
    history = History()
    for payer, payee, kind, key, what, amount, start, end, *rest in con.execute(_REMEMBERED).fetchall():
        period = Period(start.astimezone(UTC), end.astimezone(UTC))
        history.add((payer, payee), [Part(kind, key, what, amount, period, *rest)])
    return history


def stage_parts(lake: Lake, due: Due, parts: Iterable[tuple[int, Part]]) -> Staged:
    """Writes the parts of one invoice, each with the number of its line."""
    rows = [_row(due, n, line, p) for n, (line, p) in enumerate(parts, start=1)]
    return lake.stage(TABLE, due.invoice_sid, pa.Table.from_pylist(rows, schema=BY_NAME[TABLE].schema))


def _row(due: Due, part_no: int, line_no: int, p: Part) -> dict[str, object]:
    payer_sid, payee_sid = due.account.key
    return {
        "invoice_sid": due.invoice_sid,
        "part_no": part_no,
        "line_no": line_no,
        "payer_sid": payer_sid,
        "payee_sid": payee_sid,
        "kind": p.kind,
        "key": p.key,
        "what": p.what,
        "of_line_no": p.of_line_no,
        "first_day": p.first,
        "last_day": p.last,
        "quantity": p.quantity,
        "price": p.price,
        "days": p.days,
        "of_days": p.of_days,
        "amount": p.amount,
        "date_billing_period_start": p.period.start,
        "date_billing_period_end": p.period.end,
        "invoiced_to": due.period.end,
    }

"""A customer's statement of account, as one page for the customer: what was booked, what is open, what was used since.

Everything is as of one instant. Usage is that of the customer's own billing period, at the price of its plans: what
discounts, bundles, rent and taxes make of it is the invoice's to say.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.domain.money import add
from pipeline.domain.period import Period, days_of, local_day, period_after, whole_period
from pipeline.errors import SettingsError
from pipeline.lake.disk import write_private
from pipeline.lake.lake import Lake
from pipeline.lake.views import sql_text
from pipeline.masters.model import Customer, Masters
from pipeline.render.chart import chart
from pipeline.render.document import Day, Party, party_of
from pipeline.render.html import Voice, fill, title_of
from pipeline.render.pdf import make_pdf

BOOKINGS = {
    "opening": "Opening balance",
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "payment": "Payment",
    "refund": "Refund",
    "charge_back": "Charge-back",
    "write_off": "Write-off",
}
AGES = (
    (0, "not due yet"),
    (30, "1 to 30 days"),
    (60, "31 to 60 days"),
    (90, "61 to 90 days"),
    (None, "over 90 days"),
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of one kind."""

    kind: str
    title: str
    records: int
    usage: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """An account as of an instant. ``balance`` is positive where the customer owes."""

    customer: Customer
    seller: Party
    as_of: datetime
    balance: Decimal
    bookings: tuple[Row, ...]
    owed: tuple[Row, ...]
    disputes: tuple[Row, ...]
    period: Period
    used: tuple[Used, ...]
    days: tuple[Day, ...]

    def days_late(self, debt: Row) -> int:
        """How many of the customer's days a debt has been due; 0 or less before that."""
        return (
            local_day(self.as_of, self.customer.time_zone)
            - local_day(debt["date_due"], self.customer.time_zone)
        ).days

    @property
    def ages(self) -> list[tuple[str, Decimal]]:
        """What is open by how long it has been due."""
        sums = {name: Decimal(0) for _, name in AGES}
        for debt in self.owed:
            late = self.days_late(debt)
            sums[next(name for most, name in AGES if most is None or late <= most)] += debt["open_amount"]
        return list(sums.items())

    @property
    def overdue(self) -> Decimal:
        return add(debt["open_amount"] for debt in self.owed if self.days_late(debt) > 0)

    @property
    def contested(self) -> Decimal:
        return add(debt["contested"] for debt in self.owed)


def customer_of(masters: Masters, which: str) -> Customer:
    """The customer of a partner_sid or of a name.

    Raises:
        SettingsError: there is none, or several have the name.
    """
    found = [c for c in masters.customers.values() if which in (c.partner_sid, c.name)]
    if len(found) != 1:
        msg = f"{which!r} is {'no customer' if not found else 'the name of several customers'}. "
        raise SettingsError(msg + "Give a partner_sid; `tollbook customers list` shows them.")
    return found[0]


def read_statement(lake: Lake, masters: Masters, customer: Customer, logos: Path, now: datetime) -> Statement:
    """The account of a customer with its seller.

    Raises:
        RenderError: the seller's logo cannot be taken.
    """
    zone = customer.time_zone
    period = whole_period(
        period_after(Period(now, now), zone, customer.anchor_day), zone, customer.anchor_day
    )
    account = {"customer": customer.partner_sid, "seller": customer.seller, "currency": customer.currency}
    dated = account | {"as_of": now}
    spent = {"customer": customer.partner_sid, "currency": customer.currency, "zone": zone}
    with lake.duck() as con:
        bookings, owed, disputes = (_ask(con, name, dated) for name in ("bookings", "owed", "disputes"))
        usage = _ask(con, "usage", spent | {"start": period.start, "end": min(now, period.end)})
    return Statement(
        customer=customer,
        seller=party_of(asdict(masters.sellers[customer.seller]), logos),
        as_of=now,
        balance=bookings[-1]["balance"] if bookings else Decimal(0),
        bookings=bookings,
        owed=owed,
        disputes=disputes,
        period=period,
        used=_by_kind(usage),
        days=_by_day(usage, [day for day in days_of(period, zone) if day <= local_day(now, zone)]),
    )


def render_statement(statement: Statement, templates: Path | None = None) -> str:
    """The page: one self-contained HTML file.

    Raises:
        RenderError: a template is wrong; the message names it.
    """
    customer = statement.customer
    voice = Voice.of(customer.language, customer.time_zone, customer.currency, templates)
    values = {"statement": statement, "bookings": BOOKINGS, "chart": chart(statement.days)}
    return fill("account/account.html.j2", voice, templates, values)


def write_statement(statement: Statement, path: Path, templates: Path | None = None) -> Path:
    """Writes the page to a file, as PDF where its name ends so; readable by its owner only.

    Raises:
        RenderError: a template is wrong, or PDFs cannot be made here.
    """
    html = render_statement(statement, templates)
    content = html.encode()
    if path.suffix.lower() == ".pdf":
        content = make_pdf(html, hashlib.sha256(content).hexdigest()[:32], at=statement.as_of)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return write_private(path, content)


def _ask(con: Any, name: str, values: Mapping[str, Any]) -> tuple[Row, ...]:
    done = con.execute(sql_text(f"render/account/{name}"), dict(values))
    names = [column[0] for column in done.description]
    return tuple(dict(zip(names, row, strict=True)) for row in done.fetchall())


def _by_kind(usage: Sequence[Row]) -> tuple[Used, ...]:
    kinds = dict.fromkeys(row["item_type"] for row in usage)
    return tuple(_used(kind, [row for row in usage if row["item_type"] == kind]) for kind in kinds)


def _used(kind: str, rows: Sequence[Row]) -> Used:
    records, units = (sum(row[name] for row in rows) for name in ("records", "usage"))
    return Used(kind, title_of(kind), records, units, add(row["amount"] for row in rows))


def _by_day(usage: Sequence[Row], days: Sequence[date]) -> tuple[Day, ...]:
    return tuple(Day(day, add(row["amount"] for row in usage if row["day"] == day), 0, 0) for day in days)

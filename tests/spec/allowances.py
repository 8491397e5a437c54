"""Runs rounds of invoices on both engines of bundles and tiers, and reads what they drew.

A case is drawn as a table of records; ``invoice`` says which invoice takes a record (1 where it is absent), and a
record that appears again is a newer revision of it. Both engines answer with the same rows: what was drawn, invoice
by invoice.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.domain.allowances import Bundle, Charge, Draw, Scope, Tier, TierStep, held_by
from pipeline.domain.draws import draw
from pipeline.domain.period import Period
from pipeline.invoice.claims import register_due, take
from pipeline.invoice.due import Account, Calendar, Due
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.masters.model import Customer, Masters, Place, Seller
from tests.spec.drawing import expected_columns, table

SHOP, ROOT = "shop", "root"
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NOTHING = Decimal(0)
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Drawn:
    """What one invoice drew for one record from one bundle or tier."""

    dr_sid: str
    at: datetime
    kind: str
    key: str
    own_number: str
    quantity: Decimal
    position: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Terms:
    """What a customer has; records of ``shop`` are paid to ``root``, in March 2026."""

    bundles: Sequence[Bundle] = ()
    tiers: Sequence[Tier] = ()


@dataclass
class Month:
    """One period: what its invoices have drawn so far."""

    drawn: list[Drawn] = field(default_factory=list)

    def held(self, sid: str) -> tuple[Draw, ...]:
        found: dict[Key, Drawn] = {}
        for d in self.drawn:
            if d.dr_sid == sid:
                key = (d.dr_sid, d.kind, d.key, d.own_number)
                before = found.get(key, replace(d, quantity=NOTHING, amount=NOTHING))
                found[key] = replace(
                    d, quantity=before.quantity + d.quantity, amount=before.amount + d.amount
                )
        return tuple(
            Draw(d.kind, d.key, d.own_number, d.quantity, d.amount, d.position)
            for d in found.values()
            if d.quantity or d.amount
        )

    def used(self) -> dict[tuple[str, str, str], Decimal]:
        found: dict[tuple[str, str, str], Decimal] = {}
        for d in self.drawn:
            pool = (d.kind, d.key, d.own_number)
            found[pool] = found.get(pool, NOTHING) + d.quantity
        return found


Engine = Callable[[Terms, Sequence[Charge], Month], list[Drawn]]


def reference(terms: Terms, charges: Sequence[Charge], period: Month) -> list[Drawn]:
    """The domain's answer."""
    bundles, tiers = held_by(SHOP, terms.bundles), held_by(SHOP, terms.tiers)
    taken = [replace(c, held=period.held(c.dr_sid)) for c in charges]
    found = []
    for charge, draws in draw(taken, bundles, tiers, period.used()):
        now = {d.pool: d for d in draws}
        before = {d.pool: d for d in charge.held}
        for pool in sorted(now | before):
            a, b = now.get(pool), before.get(pool)
            quantity = (a.quantity if a else NOTHING) - (b.quantity if b else NOTHING)
            amount = (a.amount if a else NOTHING) - (b.amount if b else NOTHING)
            position = (a or b).position
            if quantity or amount:
                found.append(Drawn(charge.dr_sid, charge.at, *pool, quantity, position, amount))
    return _sorted(found)


def fast(terms: Terms, charges: Sequence[Charge], period: Month, lake: Lake, con: Any) -> list[Drawn]:
    """The SQL's answer, on the way that an invoice run takes."""
    if not (terms.bundles or terms.tiers):
        return []
    _put(con, "invoice.unclaimed", _UNCLAIMED, [_unclaimed(c) for c in charges])
    _put(
        con,
        "invoice.draws",
        BY_NAME["invoice/draws"].schema,
        [_stored(d, n) for n, d in enumerate(period.drawn)],
    )
    _put(
        con,
        "rate.plans",
        BY_NAME["rate/plans"].schema,
        [_plan(p) for p in sorted({_terms(c) for c in charges})],
    )
    _put(con, "land.calls", _NUMBERS, [_number(c) for c in charges if c.service == "call"])
    _put(con, "land.messages", _NUMBERS, [_number(c) for c in charges if c.service == "message"])
    customer = Customer(SHOP, "Shop", "house", "UTC", "USD", Place("USA"))
    account = Account(customer, Seller("house", "House"), ROOT)
    due = Due(account, Period(START, END), START, "invoice")
    register_due(con, [Calendar(account, START, (due.period,), (due,))])
    take(lake, con, [due], Masters(bundles=tuple(terms.bundles), tiers=tuple(terms.tiers)))
    columns = "dr_sid, date_stop, kind, key, own_number, quantity, position, amount"
    rows = con.execute(f"select {columns} from draws").fetchall()
    assert con.execute("select sum(amount) from taken").fetchall()[0][0] == _added(charges, rows)
    return _sorted([Drawn(sid, at.astimezone(UTC), *row) for sid, at, *row in rows])


@contextmanager
def connection(home: Path):
    """A lake and a DuckDB connection over it, as an invoice run gets them."""
    ledger = Ledger.open(sqlite_url(home / "ledger.db"))
    lake = Lake(home, ledger)
    with lake.duck() as con:
        yield lake, con
    ledger.close()


def bundle(key: str, quantity: str, *, service: str = "call", order: int = 0, **scope: Any) -> Bundle:
    return Bundle(
        key, key.title(), scope.pop("partner", "*"), Scope(service, **scope), Decimal(quantity), order
    )


def tier(key: str, steps: str, **more: Any) -> Tier:
    """``steps`` as tiers.csv writes them: ``60:-5%;120:-10%`` or ``60:0.05``."""
    known = {name: more.pop(name) for name in ("measure", "rule", "unit", "order") if name in more}
    service = more.pop("service", "call")
    return Tier(
        key,
        key.title(),
        more.pop("partner", "*"),
        Scope(service, **more),
        tuple(map(_step, steps.split(";"))),
        **known,
    )


def check(engine: Engine, terms: Terms, drawn: str, **plan: Any) -> None:
    """Every record comes out as drawn, after the invoice that took it.

    Expected are ``included`` (what bundles cover of it), ``to pay`` and ``counts`` (its volume in a tier).
    """
    names = expected_columns(drawn)
    period, last = Month(), {}
    rows = table(drawn)
    rounds = sorted({row.get("invoice", "1") for row in rows})
    actual = []
    for n in rounds:
        mine = [row for row in rows if row.get("invoice", "1") == n]
        charges = [charge(row, **plan) for row in mine]
        period.drawn += engine(terms, charges, period)
        last |= {c.dr_sid: c for c in charges}
        actual += [_shown(c, period, names) for c in charges]
    in_order = [row for n in rounds for row in rows if row.get("invoice", "1") == n]
    assert actual == [{name: row[name] for name in names} for row in in_order]


def charge(row: dict[str, str], price: str = "0.06", fee: str = "0", unit: str = "60", **more: Any) -> Charge:
    """A charge drawn as a row: ``sid``, ``day`` of March, ``seconds`` or ``units``; the others have defaults."""
    message = "units" in row
    usage = Decimal(row["units"] if message else row["seconds"])
    unit = "1" if message else unit
    day, _, clock = row.get("day", "10").partition(" ")
    hours, minutes = (clock or "12:00").split(":")
    at = START + timedelta(days=int(day) - 1, hours=int(hours), minutes=int(minutes))
    amount = (
        Decimal(row["amount"]) if row.get("amount") else Decimal(fee) + Decimal(price) * usage / Decimal(unit)
    )
    return Charge(
        source="carrierx",
        dr_sid=row["sid"],
        at=at,
        service="message" if message else "call",
        direction=row.get("direction", "outbound"),
        item_type=row.get("item", "sms" if message else "toll"),
        country_code=row.get("country", "DEU"),
        number=row.get("number", "4930901820"),
        own_number=row.get("own", "12125550100"),
        usage=usage,
        amount=amount.quantize(Decimal("1E-10")),
        price=Decimal(price),
        unit=Decimal(unit),
        fee=Decimal(fee),
        **more,
    )


def _shown(c: Charge, period: Month, names: list[str]) -> dict[str, str]:
    held = period.held(c.dr_sid)
    values = {
        "included": sum((d.quantity for d in held if d.kind == "bundle"), NOTHING),
        "counts": sum((d.quantity for d in held if d.kind == "tier"), NOTHING),
        "to pay": c.amount + sum((d.amount for d in held), NOTHING),
        "from": " ".join(f"{d.key}:{_plain(d.quantity)}" for d in sorted(held, key=lambda d: d.key)),
    }
    return {name: v if isinstance(v := values[name], str) else _plain(v) for name in names}


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"


def _step(text: str) -> TierStep:
    after, value = text.split(":")
    if value.endswith("%"):
        return TierStep(Decimal(after), percent=Decimal(value[:-1]))
    return TierStep(Decimal(after), price=Decimal(value))


def _sorted(found: list[Drawn]) -> list[Drawn]:
    return sorted(found, key=lambda d: (d.dr_sid, d.kind, d.key, d.own_number))


def _added(charges: Sequence[Charge], rows: list[tuple]) -> Decimal:
    return sum((c.amount for c in charges), NOTHING) + sum((row[-1] for row in rows), NOTHING)


_money = pa.decimal128(20, 10)
_UNCLAIMED = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("service", "source", "dr_sid", "payer_sid", "payee_sid", "direction")
        ),
        *(
            (name, pa.string())
            for name in ("item_type", "country_code", "plan_sid", "plan_version", "matched_number")
        ),
        ("revision", pa.int32()),
        ("date_stop", pa.timestamp("ms", "UTC")),
        ("rate_price", pa.decimal128(24, 12)),
        ("connect_fee", pa.decimal128(24, 12)),
        ("unit_seconds", pa.decimal128(18, 3)),
        ("correction", pa.bool_()),
        *((name, _money) for name in ("amount", "full_amount")),
        *((name, pa.decimal128(18, 3)) for name in ("usage", "full_usage")),
    ]
)
_NUMBERS = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "dr_sid", "number_billing")),
        *((name, pa.timestamp("ms", "UTC")) for name in ("date_stop", "date_insert")),
    ]
)


def _put(con: Any, name: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
    full = [{field.name: row.get(field.name) for field in schema} for row in rows]
    copy = name.replace(".", "_")
    con.register(f"{copy}_given", pa.Table.from_pylist(full, schema=schema))
    con.execute(f"create or replace temp table {copy} as select * from {copy}_given")
    con.execute(f"create or replace view {name} as select * from temp.{copy}")


def _unclaimed(c: Charge) -> dict[str, Any]:
    mode, decimals = _terms(c)
    return {
        "service": c.service,
        "source": c.source,
        "dr_sid": c.dr_sid,
        "payer_sid": SHOP,
        "payee_sid": ROOT,
        "direction": c.direction,
        "item_type": c.item_type,
        "country_code": c.country_code,
        "plan_sid": mode,
        "plan_version": str(decimals),
        "matched_number": c.number,
        "revision": 1,
        "date_stop": c.at,
        "rate_price": c.price,
        "connect_fee": c.fee,
        "unit_seconds": c.unit,
        "correction": False,
        "amount": c.amount,
        "full_amount": c.amount,
        "usage": c.usage,
        "full_usage": c.usage,
    }


def _terms(c: Charge) -> tuple[str, int]:
    return c.rounding_mode, c.rounding_decimals


def _plan(terms: tuple[str, int]) -> dict[str, Any]:
    mode, decimals = terms
    return {
        "plan_sid": mode,
        "plan_version": str(decimals),
        "rounding_mode": mode,
        "rounding_decimals": decimals,
    }


def _number(c: Charge) -> dict[str, Any]:
    return {
        "source": c.source,
        "dr_sid": c.dr_sid,
        "number_billing": f"+{c.own_number}",
        "date_stop": c.at,
        "date_insert": c.at,
    }


def _stored(d: Drawn, n: int) -> dict[str, Any]:
    money = d.kind == "tier" and d.key.startswith("money")
    return {
        "invoice_sid": f"earlier-{n:04}",
        "service": "call",
        "source": "carrierx",
        "dr_sid": d.dr_sid,
        "revision": n + 1,
        "side": "charge",
        "payer_sid": SHOP,
        "payee_sid": ROOT,
        "date_stop": d.at,
        "kind": d.kind,
        "key": d.key,
        "name": d.key,
        "own_number": d.own_number,
        "measure": "money" if money else "seconds",
        "quantity": d.quantity,
        "position": d.position,
        "amount": d.amount,
    }

"""Every balance can be recomputed from the entries, and a ledger in which one cannot is found out."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.errors import GateError
from pipeline.invoice.books import RECEIVABLE
from pipeline.invoice.credit import credit
from pipeline.invoice.export import export
from pipeline.invoice.payments import pay
from pipeline.ledger.schema import entries, invoice_items, invoice_taxes, invoices
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, NOW, SALES_TAX, Desk, masters

CHECKS = ("balances_recomputable", "numbers_gapless", "items_sum_to_invoice")
MAY = datetime(2026, 5, 3, 6, tzinfo=UTC)
APRIL = datetime(2026, 4, 15, 12, tzinfo=UTC)
NUMBER = "HCS-2026-000001"
LIFE = (("payment", "4"), ("refund", "1"), ("charge_back", "0.50"), ("write_off", "2"), ("payment", "100"))


def broken(desk: Desk, check: str = "balances_recomputable") -> list[dict]:
    return desk.lake.query(shipped("sql", "check", f"{check}.sql").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Two months with everything that can happen to an account."""
    taxed = masters(replace(ACME, opening_balance=Decimal("7.25")), taxes=(SALES_TAX,))
    desk = Desk(tmp_path_factory.mktemp("billed"), taxed).call("a", "10").call("b", "5", stop=APRIL).commit()
    desk.bill()
    for kind, amount in LIFE:
        pay(desk.lake, desk.ledger, NUMBER, Decimal(amount), by="ann", now=NOW, kind=kind)
    credit(desk.lake, desk.ledger, NUMBER, {1: Decimal(3)}, by="ann", reason="wrong", now=NOW)
    desk.bill(MAY)
    return desk


@pytest.fixture
def desk(billed: Desk, tmp_path: Path) -> Desk:
    return billed.copied(tmp_path)


def test_a_whole_life_can_be_recomputed(desk: Desk) -> None:
    assert [broken(desk, check) for check in CHECKS] == [[], [], []]


# what somebody does to the ledger past tollbook -> what the check finds
def _change(table, where, **values) -> Callable[[Desk], None]:
    def tamper(desk: Desk) -> None:
        with desk.ledger.transaction() as tx:
            assert tx.execute(table.update().where(where).values(**values)).rowcount
        export(desk.lake, desk.ledger, at=MAY)

    return tamper


def _without(desk: Desk) -> None:
    with desk.ledger.transaction() as tx:
        tx.execute(entries.delete().where(entries.c.kind == "invoice"))
    export(desk.lake, desk.ledger, at=MAY)


PAYMENT = (entries.c.kind == "payment") & (entries.c.account == RECEIVABLE)
TAMPERED = {
    "one side of a payment": (_change(entries, PAYMENT, amount=Decimal("-5.00")), {"transaction", "invoice"}),
    "a payment, both sides": (
        lambda desk: [
            _change(entries, (entries.c.kind == "payment") & (entries.c.account == account), amount=amount)(
                desk
            )
            for account, amount in ((RECEIVABLE, Decimal("-5.00")), ("cash", Decimal("5.00")))
        ],
        {"invoice"},
    ),
    "the balance of an invoice": (
        _change(invoices, invoices.c.number == NUMBER, balance_forward=Decimal("1.00")),
        {"invoice"},
    ),
    "the amount of an invoice": (
        _change(invoices, invoices.c.number == NUMBER, amount=Decimal("11.00")),
        {"document"},
    ),
    "no entries of an invoice": (_without, {"document"}),
}


@pytest.mark.parametrize(("tamper", "found"), TAMPERED.values(), ids=TAMPERED)
def test_what_cannot_be_recomputed_is_found(
    desk: Desk, tamper: Callable[[Desk], None], found: set[str]
) -> None:
    tamper(desk)
    assert {row["what"] for row in broken(desk)} == found


cents = st.integers(1, 900).map(lambda n: Decimal(n) / 100)
steps = st.lists(
    st.tuples(st.sampled_from(["payment", "refund", "charge_back", "credit", "bill"]), cents), max_size=7
)


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(calls=st.lists(st.integers(1, 3000), min_size=1, max_size=4), moves=steps)
def test_laws_of_the_books(tmp_path_factory: pytest.TempPathFactory, calls: list[int], moves: list) -> None:
    """Entries sum to zero, balances are sums of entries, numbers have no gap, and credit notes with what remains
    are the invoice."""
    desk = Desk(tmp_path_factory.mktemp("desk"), masters(ACME, taxes=(SALES_TAX,)))
    for n, price in enumerate(calls):
        country = ("DEU", "FRA")[n % 2]
        desk.call(f"c{n}", str(Decimal(price) / 100), country_code=country)
    at = NOW
    desk.commit().bill()
    for n, (kind, amount) in enumerate(moves):
        at += timedelta(days=31 if kind == "bill" else 1)
        if kind == "bill":
            desk.call(f"m{n}", str(amount), stop=at - timedelta(days=20)).commit().bill(at)
        elif kind == "credit":
            _credit(desk, {1: amount}, at)
        else:
            pay(desk.lake, desk.ledger, NUMBER, amount, by="ann", now=at, kind=kind)
    assert [broken(desk, check) for check in CHECKS] == [[], [], []]
    _check_remainder(desk, at)


def _credit(desk: Desk, lines: dict[int, Decimal] | None, at: datetime) -> None:
    with suppress(GateError):  # there is no more to give back
        credit(desk.lake, desk.ledger, NUMBER, lines, by="ann", reason="wrong", now=at)


def _check_remainder(desk: Desk, at: datetime) -> None:
    """Taking all that remains back leaves exactly the invoice, negative, on its credit notes."""
    _credit(desk, None, at)
    (whole,) = [row for row in desk.ledger_rows(invoices) if row.number == NUMBER]
    notes = [row for row in desk.ledger_rows(invoices) if row.kind == "credit_note"]
    assert sum(n.amount for n in notes) == -whole.amount
    assert sum(n.amount_tax for n in notes) == -whole.amount_tax
    for table in (invoice_items, invoice_taxes):
        mine = [row.amount for row in desk.ledger_rows(table) if row.invoice_sid == whole.invoice_sid]
        sids = {n.invoice_sid for n in notes}
        back = [row.amount for row in desk.ledger_rows(table) if row.invoice_sid in sids]
        assert sum(back, Decimal(0)) == -sum(mine, Decimal(0))

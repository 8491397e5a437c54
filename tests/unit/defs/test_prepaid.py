"""Prepaid credit that runs out is told once when it is low, and once when nothing is left."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.defs.prepaid import CreditTold, on_low_credit, tell_low_credit
from pipeline.desk import Desk
from pipeline.homes import make_home
from pipeline.lake.tables import BY_NAME
from pipeline.settings import load

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)


def credit(desk: Desk, amount: str) -> None:
    """Acme has this credit; the provider would charge it at 20."""
    tables = {
        "land/partners": {"partner_sid": "acme", "company_name": "Acme", "payment_type": "prepay"}
        | {"charge_at": Decimal(20), "prepay_amount": Decimal(100), "valid_from": NOW},
        "invoice/accounts": {"partner_sid": "acme", "payee_sid": "root", "seller": "house", "name": "Acme"}
        | {"currency": "USD", "bill_from": NOW},
        "invoice/entries": {
            "entry_id": 1,
            "txn_id": "p",
            "at": NOW,
            "account": "receivable",
            "kind": "payment",
        }
        | {"partner_sid": "acme", "seller": "house", "currency": "USD", "amount": -Decimal(amount)},
    }
    with desk.ledger.transaction() as tx:
        staged = []
        for name, row in tables.items():
            schema = BY_NAME[name].schema
            filled = [dict.fromkeys(schema.names) | row]
            staged.append(desk.lake.stage(name, "all", pa.Table.from_pylist(filled, schema=schema)))
        desk.lake.commit(tx, staged, at=NOW, stage="invoice")


def test_each_change_for_the_worse_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    make_home(home)
    monkeypatch.setenv("TOLLBOOK_HOME", str(home))
    desk = Desk.open(load(home), now=NOW)
    told = []
    for amount in ("50", "20", "19", "0", "100", "10"):
        credit(desk, amount)
        told.append(on_low_credit().skip_message.startswith("told by"))
    desk.ledger.close()
    assert told == [False, True, False, True, False, True]
    (first, *_) = sorted((home / "alerts").glob("*.txt"))
    assert "Acme (acme): " in first.read_text(encoding="utf-8")


def test_what_a_journey_told_the_sensor_does_not_tell_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    make_home(home)
    monkeypatch.setenv("TOLLBOOK_HOME", str(home))
    desk = Desk.open(load(home), now=NOW)
    credit(desk, "19")
    first, second = tell_low_credit(desk), tell_low_credit(desk)
    assert first.problems == ("Acme (acme): prepaid credit is low; 19 USD left, top up by 100",)
    assert second == CreditTold()
    assert on_low_credit().skip_message == "nothing has become worse"
    desk.ledger.close()

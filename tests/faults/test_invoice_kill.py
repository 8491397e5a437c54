"""An invoice run that is broken off anywhere, by an error or by a kill, bills everything exactly once in the end."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from pipeline.invoice import billing, issue, record
from pipeline.lake.lake import Lake
from pipeline.ledger.schema import entries, invoices
from pipeline.measure.statement import make_statement
from tests.fixtures.billing import ACME, Desk, masters

NAMES = ("acme", "boreal", "cedar", "delta")
CUSTOMERS = tuple(replace(ACME, partner_sid=name, name=name.title()) for name in NAMES)


class BrokenOff(Exception):
    """What a test throws into a run."""


def make_desk(home: Path) -> Desk:
    desk = Desk(home, masters(*CUSTOMERS), dict.fromkeys(NAMES, "root"))
    for name in NAMES:
        for n in range(3):
            desk.call(f"{name}-{n}", "1.25", payer_sid=name, partner_sid=name)
    return desk.commit()


def assert_billed_once(desk: Desk) -> None:
    found = sorted(desk.ledger_rows(invoices), key=lambda i: i.number)
    assert [(i.number, i.partner_sid, i.amount) for i in found] == [
        (f"HCS-2026-{n:06d}", name, Decimal("3.75")) for n, name in enumerate(NAMES, start=1)
    ]
    assert desk.rows("select count(*), count(distinct dr_sid), sum(amount) from invoice.claims") == [
        (12, 12, Decimal("15.00"))
    ]
    receivable = [e.amount for e in desk.ledger_rows(entries) if e.account == "receivable"]
    assert receivable == [Decimal("3.75")] * 4
    assert make_statement(desk.lake, desk.ledger).differences == ()


POINTS: list[tuple[Any, str]] = [
    (billing, "stage_claims"),
    (billing, "insert_draft"),
    (Lake, "commit"),
    (billing, "issue"),
    (issue, "book_invoice"),
    (issue, "settle"),
    (billing, "park"),
    (billing, "export"),
    (record, "balances"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), POINTS, ids=[name for _, name in POINTS])
def test_an_error_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: bool
) -> None:
    desk = make_desk(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, _breaking(getattr(owner, name), on=2 if name not in ("park", "export") else 1, after=after))
        with pytest.raises(BrokenOff):
            desk.bill()
    desk.bill()
    assert_billed_once(desk)


def _breaking(real: Callable, *, on: int, after: bool) -> Callable:
    calls = 0

    def broken(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == on and not after:
            raise BrokenOff
        answer = real(*args, **kwargs)
        if calls == on:
            raise BrokenOff
        return answer

    return broken


def _bill_when_told(home: str, ready: Any) -> None:
    desk = Desk(Path(home), masters(*CUSTOMERS))
    ready.wait()
    desk.bill()


def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Each child is killed a little later into its run; what is left is done by the last run."""
    desk = make_desk(tmp_path)
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.fixtures.billing"])
    for n in range(20):
        ready = context.Barrier(2)
        child = context.Process(target=_bill_when_told, args=(str(tmp_path), ready))
        child.start()
        ready.wait()
        child.join(0.04 + n * 0.03)
        child.kill()
        child.join(); print(n, len(desk.ledger_rows(invoices)))
    desk.bill()
    assert_billed_once(desk)

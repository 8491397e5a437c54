"""An invoice run that is broken off anywhere, by an error or by a kill, bills everything exactly once in the end."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.charges import Charge, Discount
from pipeline.invoice import billing, issue, record
from pipeline.lake.lake import Lake
from pipeline.ledger.schema import entries, invoices
from pipeline.measure.statement import make_statement
from pipeline.shipped import shipped
from tests.fixtures.billing import ACME, Desk, masters

NAMES = ("acme", "boreal", "cedar", "delta")
CUSTOMERS = tuple(replace(ACME, partner_sid=name, name=name.title()) for name in NAMES)
# In advance: what an invoice charges depends on what those before it have charged.
SEAT = Charge("seat", "Seat", "*", Decimal(10), "USD", start=date(2026, 3, 1))
OFF = Discount("off", "Off", "*", "USD", Decimal(20), items=("toll",))
MASTERS = masters(*CUSTOMERS, charges=(SEAT,), discounts=(OFF,))


class BrokenOffError(Exception):
    """What a test throws into a run."""


def make_desk(home: Path) -> Desk:
    desk = Desk(home, MASTERS, dict.fromkeys(NAMES, "root"))
    for name in NAMES:
        for n in range(3):
            desk.call(f"{name}-{n}", "1.25", payer_sid=name, partner_sid=name)
    return desk.commit()


def assert_billed_once(desk: Desk) -> None:
    found = sorted(desk.ledger_rows(invoices), key=lambda i: i.number)
    assert [(i.number, i.partner_sid, i.amount) for i in found] == [
        (f"HCS-2026-{n:06d}", name, Decimal("23.00")) for n, name in enumerate(NAMES, start=1)
    ]
    assert desk.rows("select count(*), count(distinct dr_sid), sum(amount) from invoice.claims") == [
        (12, 12, Decimal("15.00"))
    ]
    receivable = [e.amount for e in desk.ledger_rows(entries) if e.account == "receivable"]
    assert receivable == [Decimal("23.00")] * 4
    assert_charged_once(desk, 2)
    assert make_statement(desk.lake, desk.ledger).differences == ()


def assert_charged_once(desk: Desk, months: int) -> None:
    assert desk.rows(
        "select count(*), count(distinct (payer_sid, first_day)) from invoice.parts where key = 'seat'"
    ) == [(4 * months, 4 * months)]
    assert desk.rows(shipped("sql", "check", "parts_sum_to_items.sql").read_text()) == []


POINTS: list[tuple[Any, str]] = [
    (billing, "stage_claims"),
    (billing, "stage_parts"),
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
    on = 1 if name in ("park", "export") else 2
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, _breaking(getattr(owner, name), on=on, after=after))
        with pytest.raises(BrokenOffError):
            desk.bill()
    desk.bill()
    assert_billed_once(desk)


def _breaking(real: Callable, *, on: int, after: bool) -> Callable:
    calls = 0

    def broken(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == on and not after:
            raise BrokenOffError
        answer = real(*args, **kwargs)
        if calls == on:
            raise BrokenOffError
        return answer

    return broken


KILLS = 2 * len(POINTS)


def _bill_until_killed(home: str, month: int) -> None:
    """Bills, and is gone before or after the step whose turn it is: nothing in it can notice."""
    owner, name = POINTS[month // 2]
    setattr(owner, name, _killing(getattr(owner, name), after=bool(month % 2)))
    Desk(Path(home), MASTERS).bill(_closed(month))


def _killing(real: Callable, *, after: bool) -> Callable:
    def killed(*args: Any, **kwargs: Any) -> Any:
        if after:
            real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return killed


def _closed(month: int) -> datetime:
    return datetime(2026 + (month + 3) // 12, (month + 3) % 12 + 1, 3, tzinfo=UTC)


def test_a_kill_at_every_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """A month goes by after each kill, and the next run does its work and what the killed ones left."""
    desk = Desk(tmp_path, MASTERS, dict.fromkeys(NAMES, "root"))
    for month, name in product(range(KILLS), NAMES):
        stop = _closed(month) - timedelta(days=15)
        desk.call(f"{name}-{month}", "1.25", stop, payer_sid=name, partner_sid=name)
    desk.commit()
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.fixtures.billing", __name__])
    ended = []
    for month in range(KILLS):
        child = context.Process(target=_bill_until_killed, args=(str(tmp_path), month))
        child.start()
        child.join()
        ended.append(child.exitcode)
    desk.bill(_closed(KILLS - 1))
    assert ended == [-signal.SIGKILL] * KILLS
    assert_all_months_billed_once(desk)


def assert_all_months_billed_once(desk: Desk) -> None:
    found = sorted(desk.ledger_rows(invoices), key=lambda i: (i.date_issued.year, i.number))
    assert [i.partner_sid for i in found] == [*NAMES] * KILLS
    assert [i.amount for i in found] == [Decimal("21.00")] * 4 + [Decimal("11.00")] * 4 * (KILLS - 1)
    assert_charged_once(desk, KILLS + 1)
    numbers = [(int(i.number.split("-")[1]), int(i.number.split("-")[2])) for i in found]
    years = sorted({year for year, _ in numbers})
    per_year = [[n for y, n in numbers if y == year] for year in years]
    assert per_year == [list(range(1, len(series) + 1)) for series in per_year]
    assert desk.rows("select count(*), count(distinct dr_sid), sum(amount) from invoice.claims") == [
        (4 * KILLS, 4 * KILLS, Decimal("1.25") * 4 * KILLS)
    ]
    assert make_statement(desk.lake, desk.ledger).differences == ()

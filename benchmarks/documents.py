"""What documents cost: ``python benchmarks/documents.py [--invoices 1000] [--calls 200000] [--turns 3]``.

A home of made-up invoices (a chart, items, taxes, two pages each) is rendered whole: page, e-mail, e-invoice, call
detail and PDF. Beside it stands what bare WeasyPrint needs to make plain PDFs of the same pages, in as many processes
as there are processors; the goal is at most 1.2 times that, in time on the wall and of the processors. While that run
goes on, the memory of the desk and of its largest worker is read (on Linux), which shall not grow with the number of
invoices. Then one invoice of many calls beside one of 1,000, by turns, all with 1,000 on the page: it shall take no
longer. Run it on a quiet machine.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from apart import child

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
GOAL = 1.2
MARKS = (50, 100, 200, 300, 500, 1_000, 2_000, 3_000, 5_000, 10_000)
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
ISSUED = datetime(2026, 4, 3, 6, tzinfo=UTC)
FEW_CALLS = 6
LENGTH = timedelta(seconds=75)
CUSTOMER = {
    "name": "Prairie Wind Dental Group",
    "time_zone": "UTC",
    "place": {"country": "GBR", "city": "Leeds", "zip": "LS1 4AP"},
    "tax_exempt": "",
    "tax_id": "GB123456789",
    "language": "en_GB",
    "purchase_order": "PO 4471",
}
SELLER = {
    "name": "Harbor Carrier Services",
    "address": ["1 Quay Street", "Bristol BS1 1AA"],
    "country": "GBR",
    "tax_ids": ["VAT GB987654321"],
    "email": "billing@harbor.example",
    "phone": "+44 117 496 0100",
    "website": "harbor.example",
    "logo": "",
    "remit_to": ["Harbor Carrier Services", "IBAN GB29 NWBK 6016 1331 9268 19"],
    "accent": "#1f5f8b",
}
COUNTRIES = ("GBR", "DEU", "FRA", "ESP", "IRL", "ITA", "NLD", "POL")


def make_home(home: Path, invoices: int, calls: int) -> None:
    """A home with so many issued invoices of so many calls each, all of them unrendered."""
    from pipeline.lake.lake import Lake
    from pipeline.ledger import schema
    from pipeline.ledger.ledger import Ledger, sqlite_url

    lake = Lake(home, Ledger.open(sqlite_url(home / "ledger.db")))
    sids = [f"inv-{n:06d}" for n in range(invoices)]
    staged = [lake.stage("land/calls", "date=2026-03-02", _calls(sids, calls))]
    staged += [
        lake.stage("invoice/claims", sid, _claims(sid, n * calls, calls)) for n, sid in enumerate(sids)
    ]
    with lake.ledger.transaction() as tx:
        lake.commit(tx, staged, at=ISSUED, stage="invoice")
        for table, rows in (
            (schema.invoices, [_invoice(sid, n) for n, sid in enumerate(sids, start=1)]),
            (schema.invoice_items, [row for sid in sids for row in _items(sid)]),
            (schema.invoice_taxes, [row for sid in sids for row in _taxes(sid)]),
        ):
            tx.execute(table.insert(), rows)


def _calls(sids: list[str], calls: int) -> Any:
    import polars as pl

    from pipeline.lake.tables import BY_NAME

    known = {
        "source": "carrierx", "revision": 1, "direction": "outbound", "partner_sid": "p-1",
        "number_src": "441174960100", "number_dst": "+4930901820",
    }  # fmt: skip
    names = pl.DataFrame({"dr_sid": [f"{sid}-{n:06d}" for sid in sids for n in range(calls)]})
    start = _starts(0)
    rows = names.with_columns(
        date_start=start, date_stop=start + LENGTH, **{k: pl.lit(v) for k, v in known.items()}
    ).to_arrow()
    return _typed(rows, BY_NAME["land/calls"].schema)


def _starts(first: int) -> Any:
    """When the calls of a column begin, of which the first is the ``first`` of all: within one day."""
    import polars as pl

    second = (pl.int_range(pl.len()) + first) % 80_000
    return pl.lit(datetime(2026, 3, 2, 1, tzinfo=UTC)) + pl.duration(seconds=second)


def _claims(sid: str, first: int, calls: int) -> Any:
    import polars as pl

    from pipeline.lake.tables import BY_NAME

    known = {
        "invoice_sid": sid, "line_no": 1, "service": "call", "source": "carrierx", "revision": 1,
        "side": "charge", "payer_sid": "p-1", "amount": Decimal("0.0123456789"), "usage": Decimal("60.000"),
    }  # fmt: skip
    rows = pl.DataFrame({"dr_sid": [f"{sid}-{n:06d}" for n in range(calls)]}).with_columns(
        date_stop=_starts(first) + LENGTH, **{k: pl.lit(v) for k, v in known.items()}
    )
    return _typed(rows.to_arrow(), BY_NAME["invoice/claims"].schema)


def _typed(rows: Any, schema: Any) -> Any:
    import pyarrow as pa

    columns = [
        rows.column(field.name).cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _invoice(sid: str, n: int) -> dict[str, Any]:
    days = [
        {"date": (date(2026, 3, 1) + timedelta(days=d)).isoformat(), "amount": f"{(d * 37 + n) % 23}.50",
         "seconds": str(60 * d), "messages": d}
        for d in range(31)
    ]  # fmt: skip
    plan = {"plan_sid": "r", "plan_version": "2026-01-01", "name": "Retail outbound 2026", "unit": "per 60 seconds",
            "increments": "the minimum, then increments after it", "records": 134}  # fmt: skip
    said = {
        "customer": CUSTOMER,
        "seller": SELLER,
        "bill_to": [CUSTOMER["name"], "100 Park Row", "Leeds LS1 4AP", "United Kingdom"],
        "recipients": ["billing@prairiewind.example"],
        "days": days,
        "plans": [plan],
        "notes": ["Calls are billed from answer to hang-up; unanswered calls are free."],
        "not_billed": [{"reason": "not_answered", "records": 41}],
    }
    return {
        "invoice_sid": sid, "seller": "harbor", "partner_sid": sid, "kind": "usage", "number": f"HCS-2026-{n:06d}",
        "status": "open", "currency": "GBP", "period_start": START, "period_end": END, "amount": Decimal("120.00"),
        "amount_tax": Decimal("24.00"), "balance_previous": Decimal(0), "payments": Decimal(0),
        "amount_due": Decimal("144.00"), "balance_forward": Decimal("144.00"), "date_created": ISSUED,
        "date_issued": ISSUED, "date_due": ISSUED + timedelta(days=14), "approved_by": None,
        "snapshot": json.dumps(said), "document_hash": None,
    }  # fmt: skip


def _items(sid: str) -> Iterator[dict[str, Any]]:
    kinds = [("toll", country) for country in COUNTRIES] + [("sms", country) for country in COUNTRIES[:4]]
    for line_no, (kind, country) in enumerate(kinds, start=1):
        yield {
            "invoice_sid": sid, "line_no": line_no, "type": kind, "direction": "outbound", "country_code": country,
            "description": f"Outbound calls to {country}", "usage": 8880, "records": 120,
            "amount_exact": Decimal("10.0000000000"), "amount": Decimal("10.00"), "period_start": START,
            "period_end": END, "detail": "{}",
        }  # fmt: skip


def _taxes(sid: str) -> Iterator[dict[str, Any]]:
    yield {
        "invoice_sid": sid, "line_no": 1, "rule": "gb-vat", "name": "VAT 20%", "jurisdiction": "federal",
        "type": "service_tax", "base": Decimal("120.00"), "rate": Decimal("0.2"), "amount": Decimal("24.00"),
        "legal_source": "Value Added Tax Act 1994, s 2", "method": "percent",
        "detail": json.dumps({"lines": list(range(1, 13))}),
    }  # fmt: skip


def ours(home: Path, detail_rows: int) -> dict[str, Any]:
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger, sqlite_url
    from pipeline.render.documents import render_invoices

    lake, seen = Lake(home, Ledger.open(sqlite_url(home / "ledger.db"))), Memory()
    report = render_invoices(lake, lake.ledger, now=ISSUED, detail_rows=detail_rows, progress=seen.look)
    assert not report.problems, report.problems
    return {"memory": seen.marked}


class Memory:
    """What a run of documents holds, as read after each of them: ``(documents, MB of the desk, of a worker)``."""

    def __init__(self) -> None:
        self.marked: list[tuple[int, float, float]] = []
        self._done = 0
        self._most = (0.0, 0.0)

    def look(self, _text: str) -> None:
        """One more document is done: the peaks so far, kept at the marks."""
        workers = [process.pid for process in multiprocessing.active_children()]
        now = resident("self"), max(map(resident, workers), default=0.0)
        self._most = max(self._most[0], now[0]), max(self._most[1], now[1])
        self._done += 1
        if self._done in MARKS:
            self.marked.append((self._done, *self._most))


def resident(pid: int | str | None) -> float:
    """The memory of a process in MB; 0 where it cannot be read."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def bare(home: Path) -> None:
    pages = sorted((home / "documents").glob("*/invoice.html"))
    with multiprocessing.Pool(len(os.sched_getaffinity(0))) as pool:
        for _ in pool.imap_unordered(_bare, pages):
            pass


def _bare(page: Path) -> None:
    import weasyprint

    weasyprint.HTML(filename=page).write_pdf(page.with_name("bare.pdf"))


def measured(work: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    """Seconds, processor seconds with those of all processes begun, the peak of memory in MB, and what it says."""
    began = time.monotonic()
    said = work() or {}
    seconds = time.monotonic() - began
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return {"seconds": seconds, "cpu": cpu, "desk_mb": own.ru_maxrss / 1024, **said}


def many(count: int) -> None:
    """So many invoices of two pages, beside bare WeasyPrint, and their memory."""
    with tempfile.TemporaryDirectory() as folder:
        child(__file__, "make", folder, count, FEW_CALLS)
        found, least = child(__file__, "ours", folder, 50), child(__file__, "bare", folder)
    print(" invoices  seconds    CPU s  ms each   bare: sec    CPU s   wall ratio  CPU ratio")
    wall, cpu = (found[name] / least[name] for name in ("seconds", "cpu"))
    line = f"{count:>9,} {found['seconds']:>8.1f} {found['cpu']:>8.1f} {found['cpu'] * 1000 / count:>8.0f}"
    line += f" {least['seconds']:>11.1f} {least['cpu']:>8.1f} {wall:>12.2f} {cpu:>10.2f}"
    print(line + ("" if max(wall, cpu) <= GOAL else f"   above {GOAL}"))
    print("\nmade so far   most MB of the desk   of a worker   (in that run)")
    for made, desk, worker in found["memory"]:
        print(f"{made:>11,} {desk:>21.0f} {worker:>13.0f}")


def one(sizes: list[int], turns: int) -> None:
    """An invoice of so many calls each, 1,000 of them on the page, by turns."""
    found: dict[int, list[dict[str, Any]]] = {calls: [] for calls in sizes}
    with tempfile.TemporaryDirectory() as folder:
        for calls in sizes:
            Path(folder, str(calls)).mkdir()
            child(__file__, "make", Path(folder, str(calls)), 1, calls)
        for turn in range(turns):
            for calls in sizes:
                home = Path(folder, f"{calls}.{turn}")
                shutil.copytree(Path(folder, str(calls)), home)
                found[calls].append(child(__file__, "ours", home, 1000))
    print("\n    calls   seconds: each turn and the least   CPU s: each turn and the least   desk MB")
    for calls, turned in found.items():
        print(
            f"{calls:>9,} {_told(turned, 'seconds'):>34} {_told(turned, 'cpu'):>32} {turned[0]['desk_mb']:>9.0f}"
        )


def _told(turned: list[dict[str, Any]], name: str) -> str:
    values = [turn[name] for turn in turned]
    return "  ".join(f"{value:.1f}" for value in values) + f"   {min(values):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--invoices", type=int, default=500, help="how many beside bare WeasyPrint; 0 for none"
    )
    parser.add_argument(
        "--calls", type=int, default=200_000, help="calls of the one large invoice; 0 for none"
    )
    parser.add_argument("--turns", type=int, default=3, help="how often each size of an invoice")
    asked = parser.parse_args()
    if asked.invoices:
        many(asked.invoices)
    if asked.calls:
        one([1_000, 20_000, asked.calls], asked.turns)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", home, invoices, calls]:
            print(json.dumps(measured(lambda: make_home(Path(home), int(invoices), int(calls)))))
        case ["ours", home, rows]:
            print(json.dumps(measured(lambda: ours(Path(home), int(rows)))))
        case ["bare", home]:
            print(json.dumps(measured(lambda: bare(Path(home)))))
        case _:
            main()

"""Call detail: what stands behind an invoice's lines, on the page (its first rows) and beside it (all rows).

The rows beside it are a CSV file for people and a Parquet file, typed and small, for programs. Amounts are the exact
ones that were claimed, so each adds up to the lines before their one rounding. One query serves all invoices of a
run; each then reads its own rows from the result. Numbers are masked here, on page and file alike, where the home
says so.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.domain.masking import OFF, masked
from pipeline.lake.export import write_csv
from pipeline.lake.lake import Lake
from pipeline.lake.views import sql_text

_ORDER = "order by service, date_start, dr_sid, revision, source"
_FETCH = 10_000
_COLUMNS = {
    "call": ("line", "started", "started_utc", "direction", "from", "to", "billed_seconds"),
    "message": ("line", "sent", "sent_utc", "direction", "from", "to", "billed_units"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One call or message. ``usage`` is billed seconds or units; a correction's may be negative."""

    line_no: int
    at: datetime
    direction: str
    number_src: str
    number_dst: str
    usage: Decimal
    amount: Decimal
    dr_sid: str
    revision: int


@dataclass(frozen=True, slots=True)
class Detail:
    """The first rows by time, and how many there are in all."""

    rows: tuple[Row, ...] = ()
    total: int = 0


@dataclass(slots=True)
class DetailReader:
    """Reads the detail of the invoices it was opened for."""

    _con: Any
    _mask: str = OFF

    def first(self, invoice_sid: str, service: str, limit: int) -> Detail:
        """The first ``limit`` rows of an invoice's ``call`` or ``message`` detail."""
        where = "from detail where invoice_sid = ? and service = ?"
        total = self._con.execute(f"select count(*) {where}", [invoice_sid, service]).fetchone()[0]
        if not total:
            return Detail()
        found = self._con.execute(f"{_SELECT} {where} {_ORDER} limit ?", [invoice_sid, service, limit])
        return Detail(tuple(self._row(row) for row in found.fetchall()), total)

    def write(self, path: Path, invoice_sid: str, service: str, zone: str, currency: str) -> tuple[int, str]:
        """Writes all rows as CSV, durably; returns size in bytes and SHA-256."""
        with path.open("w", encoding="utf-8", newline="") as stream:
            columns = (*_COLUMNS[service], "amount", "currency", "record", "revision")
            write_csv(stream, columns, self._cells(invoice_sid, service, ZoneInfo(zone), currency))
        return _settled(path)

    def write_parquet(
        self, path: Path, invoice_sid: str, service: str, zone: str, currency: str
    ) -> tuple[int, str]:
        """As ``write``, as Parquet; times of the customer's clock stand without a zone."""
        schema = _schema(service)
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in self._batches(invoice_sid, service):
                columns = zip(*(_typed(row, ZoneInfo(zone), currency) for row in batch), strict=True)
                arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        return _settled(path)

    def _batches(self, invoice_sid: str, service: str) -> Iterator[list[Row]]:
        found = self._con.execute(
            f"{_SELECT} from detail where invoice_sid = ? and service = ? {_ORDER}", [invoice_sid, service]
        )
        while batch := found.fetchmany(_FETCH):
            yield [self._row(row) for row in batch]

    def _cells(
        self, invoice_sid: str, service: str, zone: ZoneInfo, currency: str
    ) -> Iterator[Sequence[Any]]:
        for batch in self._batches(invoice_sid, service):
            for row in batch:
                yield (
                    row.line_no,
                    row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                    row.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{row.at.microsecond // 1000:03d}Z",
                    row.direction,
                    row.number_src,
                    row.number_dst,
                    _trimmed(row.usage),
                    format(row.amount, "f"),
                    currency,
                    row.dr_sid,
                    row.revision,
                )

    def _row(self, row: Sequence[Any]) -> Row:
        line_no, at, direction, *numbers, usage, amount, dr_sid, revision = row
        src, dst = (masked(number or "", self._mask) for number in numbers)
        return Row(line_no, at.astimezone(UTC), direction or "", src, dst, usage, amount, dr_sid, revision)


@contextmanager
def reading(lake: Lake, invoice_sids: Sequence[str], mask: str = OFF) -> Iterator[DetailReader]:
    """A reader of the detail of these invoices, its numbers masked."""
    with lake.duck() as con:
        con.execute(
            f"create temp table detail as select * from ({sql_text('render/detail')}) order by invoice_sid",
            {"invoice_sids": list(invoice_sids)},
        )
        yield DetailReader(con, mask)


_SELECT = "select line_no, date_start, direction, number_src, number_dst, usage, amount, dr_sid, revision"


def _schema(service: str) -> pa.Schema:
    line, local, utc, *texts, usage = _COLUMNS[service]
    return pa.schema(
        [
            (line, pa.int32()),
            (local, pa.timestamp("s")),
            (utc, pa.timestamp("ms", tz="UTC")),
            *((name, pa.string()) for name in texts),
            (usage, pa.decimal128(38, 3)),
            ("amount", pa.decimal128(38, 10)),
            ("currency", pa.string()),
            ("record", pa.string()),
            ("revision", pa.int64()),
        ]
    )


def _typed(row: Row, zone: ZoneInfo, currency: str) -> tuple[Any, ...]:
    local = row.at.astimezone(zone).replace(tzinfo=None, microsecond=0)
    at = row.at.replace(microsecond=row.at.microsecond // 1000 * 1000)
    whom = (row.direction, row.number_src, row.number_dst)
    return (row.line_no, local, at, *whom, row.usage, row.amount, currency, row.dr_sid, row.revision)


def _settled(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that is on the disk for good."""
    with path.open("rb+") as content:
        os.fsync(content.fileno())
        return path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()


def _trimmed(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

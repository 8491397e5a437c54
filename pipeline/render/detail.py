"""Call detail: what stands behind an invoice's lines, on the page (its first rows) and beside it (all rows).

The rows beside it are a CSV file for people and a Parquet file, typed and small, for programs. Amounts are the exact
ones that were claimed, so each adds up to the lines before their one rounding. One query serves the invoices of a
batch; each then reads its own rows from the result, column by column, so that an invoice of many calls costs little
more than one of few. Numbers are written as E.164 where they are such numbers, and masked here, on page and file
alike, where the home says so. In CSV a whole number keeps its ``+``, which a spreadsheet takes for the sign of a
number; a masked one goes without, for there it would begin a formula.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.domain.masking import OFF, masked
from pipeline.lake.export import safe_columns
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.lake.views import over, sql_text

_ORDER = "order by invoice_sid, service, date_start, dr_sid, revision, source"
# What may say the same in many rows; of the rest, each value is a row's own.
_REPEATED = ["line", "direction", "from", "to", "billed_seconds", "billed_units", "amount", "currency"]
_AT_ONCE = 100_000
_COLUMNS = {
    "call": ("line", "started", "started_utc", "direction", "from", "to", "billed_seconds"),
    "message": ("line", "sent", "sent_utc", "direction", "from", "to", "billed_units"),
}
Size = tuple[int, str]


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

    @property
    def places(self) -> int:
        """How many decimals show each of their amounts exactly: what the column is aligned by."""
        return max((-int(row.amount.normalize().as_tuple().exponent) for row in self.rows), default=0)


@dataclass(slots=True)
class DetailReader:
    """Reads the detail of the invoices it was opened for."""

    _con: Any
    _totals: Mapping[tuple[str, str], int]
    _mask: str = OFF

    def first(self, invoice_sid: str, service: str, limit: int) -> Detail:
        """The first ``limit`` rows of an invoice's ``call`` or ``message`` detail."""
        total = self._totals.get((invoice_sid, service))
        if not total:
            return Detail()
        where = "from detail where invoice_sid = ? and service = ?"
        found = self._con.execute(f"{_SELECT} {where} limit ?", [invoice_sid, service, limit])
        return Detail(tuple(self._row(row) for row in found.fetchall()), total)

    def write(
        self, csv: Path, parquet: Path, invoice_sid: str, service: str, zone: str, currency: str
    ) -> tuple[Size, Size]:
        """Writes all rows as CSV and as Parquet, durably; returns the size in bytes and SHA-256 of each.

        In the Parquet file times of the customer's clock stand without a zone.
        """
        schema, header = _schema(service), True
        typed = pq.ParquetWriter(parquet, schema, compression="zstd", use_dictionary=_REPEATED)
        with csv.open("wb") as stream, typed as writer:
            for batch in self._batches(invoice_sid, service):
                rows = self._typed(batch, service, zone, currency)
                writer.write_table(rows.to_arrow().cast(schema))
                self._texts(rows, service).write_csv(stream, include_header=header)
                header = False
        return _settled(csv), _settled(parquet)

    def _batches(self, invoice_sid: str, service: str) -> Iterator[pa.RecordBatch]:
        where = "invoice_sid = $sid and service = $service"
        rows = self._con.sql(
            f"{_SELECT} from detail where {where}", params={"sid": invoice_sid, "service": service}
        )
        batches: Iterator[pa.RecordBatch] = rows.to_arrow_reader(_AT_ONCE)
        return batches

    def _typed(self, batch: pa.RecordBatch, service: str, zone: str, currency: str) -> pl.DataFrame:
        """The columns of the files, with their types."""
        rows = pl.DataFrame(pa.Table.from_batches([batch]))
        line, local, utc, direction, src, dst, usage = _COLUMNS[service]
        at = pl.col("date_start").dt.convert_time_zone("UTC")
        named = rows.select(
            pl.col("line_no").alias(line),
            at.dt.convert_time_zone(zone).dt.replace_time_zone(None).dt.truncate("1s").alias(local),
            at.dt.truncate("1ms").alias(utc),
            pl.col("direction").fill_null("").alias(direction),
            pl.col("number_src").fill_null("").alias(src),
            pl.col("number_dst").fill_null("").alias(dst),
            pl.col("usage").alias(usage),
            "amount",
            pl.lit(currency).alias("currency"),
            pl.col("dr_sid").alias("record"),
            "revision",
        )
        if self._mask == OFF:
            return named
        hidden = partial(masked, how=self._mask)
        return named.with_columns(_each(named[name], hidden) for name in (src, dst))

    def _texts(self, rows: pl.DataFrame, service: str) -> pl.DataFrame:
        """The cells of the CSV file: figures as they are, texts that no spreadsheet takes for a formula."""
        _, local, utc, direction, src, dst, usage = _COLUMNS[service]
        plain = rows.with_columns(
            pl.col(local).dt.strftime("%Y-%m-%d %H:%M:%S"),
            pl.col(utc).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
            pl.col(usage).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end("."),
            pl.col("amount").cast(pl.String),
        )
        if self._mask != OFF:
            plain = plain.with_columns(pl.col(src, dst).str.strip_prefix("+"))
        return safe_columns(plain, (direction, src, dst, "currency", "record"))

    def _row(self, row: Sequence[Any]) -> Row:
        line_no, at, direction, *numbers, usage, amount, dr_sid, revision = row
        src, dst = (masked(number or "", self._mask) for number in numbers)
        return Row(line_no, at.astimezone(UTC), direction or "", src, dst, usage, amount, dr_sid, revision)


@contextmanager
def reading(lake: Lake, invoice_sids: Sequence[str], mask: str = OFF) -> Iterator[DetailReader]:
    """A reader of the detail of these invoices, its numbers masked."""
    claims = [lake.verify(file).path for file in lake.files("invoice/claims", invoice_sids)]
    with lake.duck() as con:
        con.execute(sql_text("macros/e164"))
        con.execute(f"create temp view claimed as {over(BY_NAME['invoice/claims'], claims)}")
        # A table is read in the order in which it was written.
        con.execute(f"create temp table detail as select * from ({sql_text('render/detail')}) {_ORDER}")
        found = con.execute("select invoice_sid, service, count(*) from detail group by all").fetchall()
        totals = {(invoice_sid, service): count for invoice_sid, service, count in found}
        yield DetailReader(con, totals, mask)


_SELECT = (
    "select line_no, date_start, direction, number_src, number_dst, usage::decimal(38, 3) as usage, "
    "amount::decimal(38, 10) as amount, dr_sid, revision"
)


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


def _each(column: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """A column of texts, changed; each different text is looked at once."""
    texts = column.unique()
    return column.replace_strict(texts, [change(text) for text in texts], return_dtype=pl.String)


def _settled(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that is on the disk for good."""
    with path.open("rb+") as content:
        os.fsync(content.fileno())
        return path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()

"""The rated rows that are asked about one by one, set apart: few of all, so that nobody reads through the rest.

They are charges that have no price, what the same records cost, and costs that the provider charged otherwise than its
plans say. What is to be made of them say ``sql/rate/suspense.sql`` and ``charge_differences.sql``. Each day is a file;
read whole are only the rows that it takes, and of the others the columns that decide.
"""

import hashlib
from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from pipeline.lake.batches import by_day
from pipeline.lake.lake import DataFile, Lake, Staged
from pipeline.lake.layout import day_label
from pipeline.lake.tables import BY_NAME

# Raise it when others are exceptions.
VERSION = "1"
EXCEPTIONS = "measure/exceptions"
_RATED = ("rate/calls", "rate/messages")
_UNPRICED = (pl.col("side") == "charge") & (pl.col("rating_status") == "unrated")
_CHARGED_OTHERWISE = (
    (pl.col("side") == "cost")
    & (pl.col("provider_price").fill_null(-1) != pl.col("amount").cast(pl.Decimal(24, 12)).fill_null(0))
    & ((pl.col("rating_status") == "rated") | (pl.col("provider_price").fill_null(0) != 0))
)


def set_apart(lake: Lake) -> tuple[list[Staged], list[tuple[str, str]]]:
    """The exceptions of the days whose rated rows have changed, and the days that are gone."""
    files = {
        day_label(day): found
        for day, found in by_day(file for table in _RATED for file in lake.files(table)).items()
    }
    wanted = {label: _inputs(found) for label, found in files.items()}
    made = {file.label: file.inputs for file in lake.files(EXCEPTIONS)}
    staged = [
        lake.stage_pieces(EXCEPTIONS, label, (_among(lake, file) for file in files[label]), inputs)
        for label, inputs in sorted(wanted.items())
        if made.get(label) != inputs
    ]
    return staged, [(EXCEPTIONS, label) for label in made.keys() - wanted.keys()]


def _among(lake: Lake, file: DataFile) -> pa.Table:
    """A cost ends when its charges do: by their instants the costs of unpriced charges are found."""
    rows, odd = lake.scan_files(file.table, [file]), _UNPRICED | _CHARGED_OTHERWISE
    unpriced = rows.filter(_UNPRICED).select("source", "dr_sid", "date_stop").collect()
    near = (pl.col("side") == "cost") & pl.col("date_stop").is_in(unpriced["date_stop"].unique().implode())
    found = rows.filter(odd | near).collect()
    costs = found.filter(~odd).join(unpriced, on=["source", "dr_sid"], how="semi")
    schema = BY_NAME[EXCEPTIONS].schema
    empty = pl.DataFrame(schema.empty_table())
    return pl.concat([empty, found.filter(odd), costs], how="diagonal").to_arrow().select(schema.names)


def _inputs(files: Sequence[DataFile]) -> str:
    return hashlib.sha256(repr((VERSION, [file.sha256 for file in files])).encode()).hexdigest()[:32]

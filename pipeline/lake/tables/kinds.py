"""What a table of the lake is, and the types that its columns have.

``ts`` is UTC with milliseconds; ``rate`` is DECIMAL(24,12), as precise as any deck; ``amount`` is DECIMAL(20,10), the
scale at which record amounts are rounded; ``cents`` is DECIMAL(18,2); seconds are DECIMAL(18,3), because the provider's
clocks count milliseconds.
"""

from dataclasses import dataclass
from functools import cache

import pyarrow as pa

text = pa.string()
int32 = pa.int32()
int64 = pa.int64()
flag = pa.bool_()
day = pa.date32()
ts = pa.timestamp("ms", "UTC")
rate = pa.decimal128(24, 12)
amount = pa.decimal128(20, 10)
seconds = pa.decimal128(18, 3)
cents = pa.decimal128(18, 2)

Column = tuple[str, pa.DataType, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    ``name`` is ``<stage>/<table>``. ``by_day`` tables hold one file per UTC day, the others any number of
    labelled files. ``key`` is the grain: no two rows agree on all of it. ``current`` names the condition that
    picks the rows of today from a table that keeps history; the view shows those, ``<table>_history`` all. Files of a
    ``private`` table can be read by their owner alone.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    by_day: bool = False
    current: str | None = None
    private: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, each field carrying its comment."""
        return _schema(self.columns)

    @property
    def stage(self) -> str:
        return self.name.split("/")[0]

    @property
    def short(self) -> str:
        return self.name.split("/")[1]


@cache
def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, metadata={"comment": said}) for name, kind, said in columns])

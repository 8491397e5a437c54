"""Every table of the lake, described once: grain, columns, types and what they mean.

Add a table to the module of its stage first; its folder, its DuckDB view, its asset and its documentation follow from
the name ``<stage>/<table>``. Columns keep the provider's words. Do not put paths or I/O here.
"""

from pipeline.lake.tables.deliver import DELIVERED
from pipeline.lake.tables.features import FEATURES
from pipeline.lake.tables.invoice import INVOICED
from pipeline.lake.tables.kinds import Column, Table
from pipeline.lake.tables.land import LANDED
from pipeline.lake.tables.lists import LISTS
from pipeline.lake.tables.measure import MEASURED
from pipeline.lake.tables.rate import RATED

TABLES: tuple[Table, ...] = (*LANDED, *LISTS, *FEATURES, *RATED, *INVOICED, *MEASURED, *DELIVERED)
BY_NAME: dict[str, Table] = {t.name: t for t in TABLES}
STAGES: tuple[str, ...] = ("land", "rate", "invoice", "deliver", "measure")

__all__ = ["BY_NAME", "STAGES", "TABLES", "Column", "Table"]

"""The asset of the stage render: the documents of every invoice.

How they look is in ``templates`` and ``pipeline.render``. See https://docs.dagster.io/guides/build/assets.
"""

import dagster as dg

from pipeline.defs.assets.land import OWNERS
from pipeline.defs.assets.reports import metadata_of
from pipeline.defs.resources import Shift


@dg.asset(
    key=["render", "documents"],
    deps=[dg.AssetKey(["invoice", "invoices"])],
    group_name="render",
    description="One folder per invoice: HTML, PDF and call detail. An issued document is made once and kept.",
    kinds={"jinja", "pdf"},
    owners=OWNERS,
)
def documents(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """The documents."""
    with shift.step("render/documents") as desk:
        report = shift.reports["render/documents"] = desk.render()
        return dg.MaterializeResult(metadata=metadata_of(report))


ALL = [documents]

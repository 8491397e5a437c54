"""The asset of the stage deliver: one e-mail per issued invoice, sent at most once.

Reminders come along where ``policy.toml`` says ``remind_daily``. Bounces are read first where the settings name the
folder that they come to. A mail server that takes nothing at all is a failure, so that a person is told: invoices that
nobody gets are not paid.

How a message is made and handed over is in ``pipeline.deliver``. See https://docs.dagster.io/guides/build/assets.
"""

import dagster as dg

from pipeline.defs import figures
from pipeline.defs.assets.land import OWNERS
from pipeline.defs.assets.reports import metadata_of
from pipeline.defs.resources import Shift
from pipeline.errors import DeliveryError


@dg.asset(
    key=["deliver", "emails"],
    deps=[dg.AssetKey(["render", "documents"])],
    group_name="deliver",
    description=figures.about("deliver/emails", "Without an SMTP server they are written to outbox/."),
    kinds={"email"},
    owners=OWNERS,
)
def emails(shift: dg.ResourceParam[Shift]) -> dg.MaterializeResult:
    """The e-mails."""
    with shift.step("deliver/emails") as desk:
        if desk.masters.policy.remind_daily:
            desk.remind()
        report = shift.reports["deliver/emails"] = desk.deliver()
        if report.no_server:
            raise DeliveryError(report.no_server)
        statuses = desk.lake.query(
            "select status, count(*) as emails from deliver.emails group by all order by all"
        )
        counts = {f"emails {row['status']}": row["emails"] for row in statuses}
        return dg.MaterializeResult(metadata=metadata_of(report) | counts)


ALL = [emails]

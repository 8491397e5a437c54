"""The five jobs, each one ordered unit of work in one process.

Add a job here as a selection of assets with one sentence. Days, months and no partitions cannot share a run, so the
journey is three jobs in a row: land, rate, bill; ``sensors`` and ``journey`` say what follows what. See
https://docs.dagster.io/guides/build/jobs/asset-jobs.
"""

import dagster as dg

from pipeline.defs.assets.fraud import SIGNALS
from pipeline.defs.assets.land import AROUND
from pipeline.defs.assets.measure import ROLLED
from pipeline.defs.checks import BOOKMARKS

_AROUND = dg.AssetSelection.assets(*AROUND)
_FEEDS = dg.AssetSelection.assets(["land", "calls"], ["land", "messages"])

poll = dg.define_asset_job(
    "poll",
    selection=_FEEDS.without_checks() | dg.AssetSelection.checks(*BOOKMARKS),
    description="New call and message records, every hour. Checks that read everything wait for the daily land.",
)
land = dg.define_asset_job(
    "land",
    selection=dg.AssetSelection.groups("land") - _AROUND,
    description="Everything that is billed by: records with the daily sweep, lists, rate plans.",
)
around = dg.define_asset_job(
    "around",
    selection=_AROUND,
    description="What explains records and bills none: trunks, access rules, the Mediator, batches. One that may not "
    "be read fails alone and names the scope.",
)
rate = dg.define_asset_job(
    "rate",
    selection=dg.AssetSelection.groups("rate") | dg.AssetSelection.assets(*ROLLED, SIGNALS),
    description="Any range of days in one run, their roll-ups and signals of fraud; what is up to date stays as it is.",
)
bill = dg.define_asset_job(
    "bill",
    # Roll-ups and signals once more: a run that was killed after the last day was rated leaves them behind, and no day
    # that is due for rating would bring them back.
    selection=dg.AssetSelection.groups("invoice", "render", "deliver", "measure"),
    description="Invoices that are due, their documents and e-mails, and the statement. Nothing is billed twice.",
)

ALL = [poll, land, around, rate, bill]

"""The table of contents: every asset, check, job, schedule, sensor and resource, named one by one.

Add a new definition to its own file and to the lists there; this module only puts the lists together. No asset, no
configuration and no logic here. See https://docs.dagster.io/api/dagster/definitions.
"""

import dagster as dg

from pipeline.defs import assets, checks, jobs, schedules, sensors
from pipeline.defs.alerts import on_failure, on_silence
from pipeline.defs.prepaid import on_low_credit
from pipeline.defs.resources import DeskResource, Shift


def build_definitions(shift: Shift | None = None) -> dg.Definitions:
    """All definitions; a ``shift`` with an open desk stands in for the resource that opens one."""
    return dg.Definitions(
        assets=assets.ALL,
        asset_checks=checks.ALL,
        jobs=jobs.ALL,
        schedules=schedules.ALL,
        sensors=[*sensors.ALL, on_failure, on_silence, on_low_credit],
        resources={"shift": shift or DeskResource()},
        # A process per step costs seconds where the step takes milliseconds; engines use threads of their own.
        executor=dg.in_process_executor,
    )

"""The clock: records hourly, everything daily. What follows a landing is in ``sensors``.

All are off until somebody switches them on: a clone that is only looked at pulls and bills nothing. See
https://docs.dagster.io/guides/automate/schedules.
"""

import dagster as dg

from pipeline.defs.jobs import around, land, poll

# At odd minutes: whole hours are when everybody else asks the provider.
hourly = dg.ScheduleDefinition(
    name="hourly",
    job=poll,
    cron_schedule="13 * * * *",
    execution_timezone="UTC",
    description="New records; the days that they touch are rated next.",
)
daily = dg.ScheduleDefinition(
    name="daily",
    job=land,
    cron_schedule="37 2 * * *",
    execution_timezone="UTC",
    description="Everything; what changed is rated next, and then what is due is billed.",
)

surroundings = dg.ScheduleDefinition(
    name="surroundings",
    job=around,
    cron_schedule="7 4 * * *",
    execution_timezone="UTC",
    description="What surrounds the records, once a day; switch it on where the token has those scopes.",
)

ALL = [hourly, daily, surroundings]

"""Tells a person about prepaid customers whose credit runs out, at the end of a journey and by a sensor in between.

It is as of the last landing and rating. Nobody is charged or cut off here. See
https://docs.dagster.io/guides/automate/sensors.
"""

from dataclasses import dataclass

import dagster as dg

from pipeline.defs.alerts import tell
from pipeline.defs.resources import DeskResource
from pipeline.desk import Desk
from pipeline.errors import TollbookError
from pipeline.measure.credit import mark_told, short_of_credit, worse_than_told

_LISTED = 3


@dataclass(frozen=True, slots=True)
class CreditTold:
    """``problems`` are the gravest of what somebody was told, ``how`` by which doors."""

    problems: tuple[str, ...] = ()
    how: tuple[str, ...] = ()


def tell_low_credit(desk: Desk) -> CreditTold:
    """Tells of each change for the worse, all in one message.

    Raises:
        BusyError: another run holds the home.
    """
    with desk.locked():
        short = short_of_credit(desk.lake)
        news = [str(each) for each in worse_than_told(desk.ledger, short)]
        how: list[str] = []
        if news:
            how = tell(
                desk.settings, "prepaid credit is running out", "\n".join(news), desk.now, run="credit"
            )
        mark_told(desk.ledger, short, at=desk.now)
    more = (f"... and {len(news) - _LISTED} more: `tollbook prepaid`",) if len(news) > _LISTED else ()
    return CreditTold((*news[:_LISTED], *more), tuple(how))


@dg.sensor(
    name="on_low_credit",
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Tells a person once when a prepaid customer's credit is low, and once when nothing is left.",
)
def on_low_credit() -> dg.SkipReason:
    """One message per change for the worse; switch it on together with the schedules."""
    try:
        desk = DeskResource().open()
        told = tell_low_credit(desk)
        desk.ledger.close()
    except TollbookError as error:
        return dg.SkipReason(str(error))
    return dg.SkipReason(f"told by {', '.join(told.how)}" if told.how else "nothing has become worse")

"""Which days are out of date, before anything is rated: what the schedule asks to know what to run."""

from collections.abc import Sequence
from datetime import date

from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.masters.model import Masters
from pipeline.rate.engine import _SERVICES, SERVICES, _due
from pipeline.rate.report import RateReport
from pipeline.rate.world import read_world


def due_days(
    lake: Lake, masters: Masters, *, root_sid: str, services: Sequence[str] = SERVICES
) -> dict[date, str]:
    """The days that ``rate_days`` would write or remove, each with a fingerprint of what it would be made from.

    The provider's plans must have been built before, see ``plans``.

    Raises:
        LakeError: a landed file is damaged.
    """
    world = read_world(lake, masters, root_sid)
    found: dict[date, str] = {}
    for service in map(_SERVICES.__getitem__, services):
        for due in _due(lake, service, world, None, RateReport()):
            day = label_day(due.file.label)
            found[day] = found.get(day, "") + due.inputs
        landed = {f.label for f in lake.files(service.landed) if f.rows}
        gone = {f.label for f in lake.files(service.rated)} - landed
        found |= {label_day(label): "gone" for label in gone if label_day(label) not in found}
    return dict(sorted(found.items()))

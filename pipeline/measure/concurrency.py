"""How many calls there were at once: by trunk group and hour, and in all.

Calls are counted on every full second: one counts on those at or after its start and before its end, ringing
included, for a trunk is held by it all the while. The peak is the largest count of the hour. The counts of an hour's
seconds added up are its call seconds, and these divided by 3600 its traffic in Erlang (ITU-T E.600: the mean number
of resources that are busy at once). Calls that end on the next day are counted on this one as long as they last on it.

A second is a place in an array: that is ten times as fast as sorting the starts and ends of all calls in SQL.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time

import numpy as np
import pyarrow as pa

from pipeline.measure.records import Key, Records, constant

HOUR, DAY, HOURS = 3_600, 86_400, 24
_SIDES = {"in": "trunk_group_sid_src", "out": "trunk_group_sid_dst", "all": None}
# So many trunk groups at a time: each has a place for every second of the day.
_TOGETHER = 4
_NOBODY = Key(np.zeros(0, np.int32), 1, True, pa.array([], pa.string()))


def holding(calls: Records) -> pa.Table:
    """Of calls that hold a trunk: its groups, and the first full second on which they do and do not any more."""
    held = np.flatnonzero(calls.elapsed("date_start", "date_stop") > 0)
    first, after = (-(-calls.whole(name)[held] // 1000) for name in ("date_start", "date_stop"))
    keys = calls.keys(*(column for column in _SIDES.values() if column))
    groups = {name: key.decoded(key.codes[held]) for name, key in keys.items()}
    return pa.table({"first": first, "after": after} | groups)


def trunk_hours(calls: pa.Table, days: Sequence[date]) -> pa.Table:
    """The rows of these days, in which hours are counted from the epoch."""
    found = Records(calls)
    first, after = found.whole("first"), found.whole("after")
    made = []
    for day in days:
        begin = int(datetime.combine(day, time(), UTC).timestamp())
        starts, ends = np.clip(first - begin, 0, DAY), np.clip(after - begin, 0, DAY)
        here = np.flatnonzero(starts < ends)
        starts, ends = starts[here], ends[here]
        for side, column in _SIDES.items():
            key = found.keys(column)[column] if column else _NOBODY
            codes = key.codes[here] if column else np.zeros(len(here), np.int32)
            # Calls without a trunk group are no group's; of all calls together, there is no group.
            groups_of = key.size - (key.null and bool(column))
            for groups, counts in _counted(codes, groups_of, starts, ends):
                made.append(constant(_rows(key, groups, counts, begin), "side", side))
    return pa.concat_tables(made)


def _counted(
    codes: np.ndarray, size: int, first: np.ndarray, after: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The codes of some trunk groups, and how many calls each had on every second: by group, hour and second."""
    calls = np.bincount(codes, minlength=size)
    # As narrow as can be: integers of up to 16 bits are sorted by place.
    order = np.argsort(codes.astype(np.min_scalar_type(size)), kind="stable")
    ends = np.cumsum(calls)
    present = np.flatnonzero(calls[:size])
    for begin in range(0, len(present), _TOGETHER):
        groups = present[begin : begin + _TOGETHER]
        rows = order[ends[groups[0]] - calls[groups[0]] : ends[groups[-1]]]
        row = np.repeat(np.arange(len(groups)) * (DAY + 1), calls[groups])
        places = len(groups) * (DAY + 1)
        changes = np.bincount(row + first[rows], minlength=places)
        changes -= np.bincount(row + after[rows], minlength=places)
        counts = np.cumsum(changes.reshape(-1, DAY + 1)[:, :DAY], axis=1, dtype=np.int32)
        yield groups, counts.reshape(-1, HOURS, HOUR)


def _rows(key: Key, groups: np.ndarray, counts: np.ndarray, begin: int) -> pa.Table:
    """Of each hour with calls its peak, the first second that has as many, and its call seconds."""
    peaks, seconds = counts.max(axis=2), counts.argmax(axis=2)
    place, hour = np.nonzero(peaks)
    columns = {
        "hour": begin // HOUR + hour,
        "trunk_group_sid": key.decoded(groups[place]),
        "peak_calls": peaks[place, hour],
        "peak_at": (begin + hour * HOUR + seconds[place, hour]) * 1000,
        "call_seconds": counts.sum(axis=2)[place, hour],
    }
    return pa.table(columns)

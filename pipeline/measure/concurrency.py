"""How many calls there were at once: by trunk group and hour, and in all.

Calls are counted on every full second: one counts on those at or after its start and before its end, ringing
included, for a trunk is held by it all the while. The peak is the largest count of the hour. The counts of an hour's
seconds added up are its call seconds, and these divided by 3600 its traffic in Erlang (ITU-T E.600: the mean number
of resources that are busy at once). Calls that end on the next day are counted on this one as long as they last on it.

A second is a place in an array: that is ten times as fast as sorting the starts and ends of all calls in SQL.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

HOUR, DAY = 3_600, 86_400
_SIDES = {"in": "trunk_group_sid_src", "out": "trunk_group_sid_dst", "all": None}


def trunk_hours(calls: pa.Table, days: Sequence[date]) -> list[dict[str, object]]:
    """The rows of these days. ``calls`` holds both trunk groups, and start and end in milliseconds since the epoch."""
    midnight = datetime.combine(min(days), time(), UTC)
    begin, span = int(midnight.timestamp()), ((max(days) - min(days)).days + 1) * DAY
    first, after = (_seconds(calls[name], begin, span) for name in ("start_ms", "stop_ms"))
    wanted = set(days)
    rows: list[dict[str, object]] = []
    for side, column in _SIDES.items():
        for sid, here in _groups(calls, column):
            for hour, (peak, second, seconds) in enumerate(_hours(first[here], after[here], span)):
                at = midnight + timedelta(hours=hour)
                if not peak or at.date() not in wanted:
                    continue
                found = {"day": at.date(), "hour": at, "side": side, "trunk_group_sid": sid}
                counted = {
                    "peak_calls": peak,
                    "peak_at": at + timedelta(seconds=second),
                    "call_seconds": seconds,
                }
                rows.append(found | counted)
    return sorted(rows, key=lambda row: (row["hour"], row["side"], row["trunk_group_sid"]))


def _seconds(milliseconds: pa.ChunkedArray, begin: int, span: int) -> np.ndarray:
    """The first full second at or after each instant, as a place in the span; what is outside stands at its ends."""
    values = milliseconds.to_numpy()
    places: np.ndarray = np.clip(-(-values // 1000) - begin, 0, span).astype(np.int32)
    return places


def _groups(calls: pa.Table, column: str | None) -> Iterator[tuple[str | None, np.ndarray | slice]]:
    """The trunk groups of one side, and where their calls are; all calls, where no side is asked for."""
    if column is None:
        yield None, slice(None)
        return
    coded = calls[column].combine_chunks().dictionary_encode()
    sids = coded.dictionary.to_pylist()
    # As narrow as can be: integers of up to 16 bits are sorted by place.
    codes = coded.indices.fill_null(len(sids)).to_numpy().astype(np.min_scalar_type(len(sids)))
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(sids) + 1))
    for code, sid in enumerate(sids):
        yield sid, order[bounds[code] : bounds[code + 1]]


def _hours(first: np.ndarray, after: np.ndarray, span: int) -> Iterator[tuple[int, int, int]]:
    """The peak of each hour, the first second of it that has as many, and the hour's call seconds."""
    changes = np.bincount(first, minlength=span + 1) - np.bincount(after, minlength=span + 1)
    for counts in np.cumsum(changes[:span]).reshape(-1, HOUR):
        second = int(counts.argmax())
        yield int(counts[second]), second, int(counts.sum())

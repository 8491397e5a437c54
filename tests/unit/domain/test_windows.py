"""Windows of the day: which one holds, and where time is cut."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.windows import Window, spans, window_at, windows_of, windows_text, zone_of

# The clocks of these change by an hour, by half an hour, by 45 minutes from Greenwich, or never.
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham", "UTC")
DAYS = (date(2026, 3, 8), date(2026, 11, 1), date(2026, 3, 29), date(2026, 4, 5), date(2026, 6, 1))
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
WINDOWS = st.builds(
    Window,
    st.sampled_from(("day", "night")),
    st.lists(st.integers(1, 7), max_size=3, unique=True).map(tuple),
    CLOCKS,
    CLOCKS,
    st.lists(st.sampled_from(DAYS), max_size=1).map(tuple),
)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(WINDOWS, max_size=3), st.sampled_from(ZONES), st.sampled_from(DAYS))
def test_spans_say_at_every_quarter_of_an_hour_what_the_clock_says(windows, zone, day):
    place = ZoneInfo(zone)
    begin = datetime.combine(day, time(), UTC) - timedelta(hours=12)
    end = begin + timedelta(hours=48)
    cut = spans(windows, place, begin, end)
    quarters = [begin + timedelta(minutes=15 * n) for n in range(4 * 48)]
    # A millisecond before the quarter, too: an edge must lie on it exactly.
    instants = [at for q in quarters for at in (q - timedelta(milliseconds=1), q) if at >= begin]

    assert [n for at in instants for a, b, n in cut if a <= at < b] == [
        window_at(windows, place, at) for at in instants
    ]
    assert [a for a, _, _ in cut[1:]] == [b for _, b, _ in cut[:-1]]
    assert (cut[0][0], cut[-1][1]) == (begin, end)


def test_a_window_from_midnight_to_midnight_is_the_whole_day():
    whole, utc = (Window("all", weekdays=(3,)),), ZoneInfo("UTC")
    instants = [
        datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((10, 23), (11, 0), (11, 23), (12, 0))
    ]

    assert [window_at(whole, utc, at) for at in instants] == ["", "all", "all", ""]


def test_windows_come_back_from_their_text():
    windows = (
        Window("peak", (1, 2, 3), time(8), time(18, 30)),
        Window("feast", holidays=(date(2026, 12, 25), date(2027, 1, 1))),
    )

    assert windows_of(windows_text(windows)) == windows
    assert (windows_text(()), windows_of(None), windows_of("")) == (None, (), ())


def test_a_zone_that_nobody_knows_is_none():
    assert [zone_of(name) for name in ("Mars/Olympus", "", "../etc/passwd")] == [None, None, None]
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")

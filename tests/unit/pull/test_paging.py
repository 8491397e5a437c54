"""Pages that contradict themselves: each walk ends, with everything or with an error that names its cursor."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from pipeline.domain.cursor import CALLS, Bookmark
from pipeline.errors import NotFoundError, TerminalError
from pipeline.pull import walk
from tests.fixtures.records import calls, stamp

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
RECORDS = calls(95)
SIDS = [record["dr_sid"] for record in RECORDS]
Envelope = dict[str, Any]


class Server:
    """95 records in pages of ten; ``spoil`` changes each answer, knowing its number and its cursor."""

    def __init__(self, *spoil: Callable[["Server", Envelope, str], Envelope]) -> None:
        self.spoil, self.requests, self.most = spoil, 0, 10
        self.records = RECORDS

    def get_page(self, path: str, params: dict) -> Envelope:
        self.requests += 1
        cursor = params.get("after", "")
        rows = self.records
        if "filter" in params:
            rows = [row for row in rows if row["date_stop"] >= params["filter"].split(" ge ")[1]]
        elif cursor not in SIDS:
            raise NotFoundError("gone")
        else:
            rows = rows[[row["dr_sid"] for row in rows].index(cursor) + 1 :]
        items = rows[: self.most]
        page = {
            "count": len(items),
            "has_more": len(rows) > len(items),
            "items": items,
            "limit": 1000,
            "total": None,
        }
        for spoil in self.spoil:
            page = spoil(self, page, cursor)
        return page


def always_more(server: Server, page: Envelope, cursor: str) -> Envelope:
    return page | {"has_more": True}


def never_more(server: Server, page: Envelope, cursor: str) -> Envelope:
    return page | {"has_more": False}


def miscounted(server: Server, page: Envelope, cursor: str) -> Envelope:
    return page | {"count": 7}


def empty_once(server: Server, page: Envelope, cursor: str) -> Envelope:
    """An empty page in the middle, which says that there is more."""
    return page | {"items": [], "has_more": True} if server.requests == 4 else page


def short_once(server: Server, page: Envelope, cursor: str) -> Envelope:
    """A page that lost its first items, but not their count."""
    return page | {"items": page["items"][5:]} if server.requests == 3 else page


def lower_limit(server: Server, page: Envelope, cursor: str) -> Envelope:
    server.most = 3
    return page


def no_links(server: Server, page: Envelope, cursor: str) -> Envelope:
    return {"items": page["items"]}


def nothing_but_items(server: Server, page: Envelope, cursor: str) -> Envelope:
    return page | {"pagination": None, "total": None, "limit": None, "offset": "0", "count": None}


def unsorted(server: Server, page: Envelope, cursor: str) -> Envelope:
    """Values that go backwards, but for the last, which the next page follows."""
    return page | {"items": page["items"][:-1][::-1] + page["items"][-1:]}


COMPLETE = [
    always_more, never_more, miscounted, empty_once, short_once, lower_limit, no_links, nothing_but_items, unsorted,
]  # fmt: skip
# A page that lost items and says nothing of their number looks like any other: only a sweep finds those.
UNKNOWABLE = [{short_once, no_links}, {short_once, nothing_but_items}]
PAIRS = [(one,) for one in COMPLETE] + [p for p in combinations(COMPLETE, 2) if set(p) not in UNKNOWABLE]


def sids(walked: list[walk.Walked]) -> list[str]:
    return [item["dr_sid"] for w in walked for item in w.page.items]


@pytest.mark.parametrize("spoil", PAIRS, ids=["+".join(f.__name__ for f in pair) for pair in PAIRS])
def test_inconsistent_pages_lose_and_repeat_nothing(spoil: tuple) -> None:
    """Each fault alone and each pair: everything once, in at most twice the requests and ten."""
    server = Server(*spoil)
    found = list(walk.poll(server, CALLS, Bookmark(), SINCE, timedelta(minutes=15)))
    assert sorted(sids(found)) == SIDS
    assert server.requests <= 2 * (95 // server.most + 1) + 10
    assert found[-1].last_value == walk.instant(RECORDS[-1]["date_stop"])


def same_page(server: Server, page: Envelope, cursor: str) -> Envelope:
    return page | {"items": RECORDS[20:30]}


def same_cursor(server: Server, page: Envelope, cursor: str) -> Envelope:
    """Ends with the cursor that was asked for."""
    own = [row for row in RECORDS if row["dr_sid"] == cursor]
    return page | {"items": page["items"][:3] + own}


def in_a_circle(server: Server, page: Envelope, cursor: str) -> Envelope:
    """Five pages over and over: no page repeats its neighbour."""
    start = server.requests % 5 * 10
    return page | {"items": RECORDS[start : start + 10]}


def backwards(server: Server, page: Envelope, cursor: str) -> Envelope:
    """Ascending was asked for, and ``after`` goes down."""
    place = SIDS.index(cursor) if cursor else 94
    return page | {"items": RECORDS[max(0, place - 10) : place][::-1] or RECORDS[:10]}


@pytest.mark.parametrize("spoil", [same_page, same_cursor, in_a_circle, backwards])
def test_page_that_does_not_move_on_is_an_error_that_names_its_cursor(spoil: Callable) -> None:
    """Never an endless loop, never a silent stop."""
    server = Server(spoil)
    with pytest.raises(TerminalError, match="the page after call-00"):
        list(walk.poll(server, CALLS, Bookmark(), SINCE, timedelta(minutes=15)))
    assert server.requests <= 30


def test_every_cursor_expired_is_an_error_that_names_it() -> None:
    """A provider that forgets faster than we follow is not followed for ever."""

    def forgetful(server: Server, page: Envelope, cursor: str) -> Envelope:
        if cursor:
            raise NotFoundError("gone")
        return page

    server = Server(forgetful)
    with pytest.raises(TerminalError, match="the page after call-00"):
        list(walk.poll(server, CALLS, Bookmark(), SINCE, timedelta(minutes=1)))
    assert server.requests < 30


@pytest.mark.parametrize("expired", [1, 2, 5, 9])
def test_cursor_that_expires_in_the_middle_costs_an_overlap(expired: int) -> None:
    """The walk goes on by filter; what it meets twice is the same."""

    def forgets(server: Server, page: Envelope, cursor: str) -> Envelope:
        if cursor == SIDS[10 * expired - 1]:
            raise NotFoundError("gone")
        return page

    found = sids(list(walk.poll(Server(forgets), CALLS, Bookmark(), SINCE, timedelta(minutes=1))))
    assert (sorted(set(found)), len(found) <= 95 + 5) == (SIDS, True)


def test_record_that_moves_forward_during_the_walk_comes_again() -> None:
    """A new version with a later end is no repetition."""
    server = Server()
    pages = walk.poll(server, CALLS, Bookmark(), SINCE, timedelta(minutes=1))
    first = next(pages)
    moved = RECORDS[9] | {"date_stop": stamp(walk.instant(RECORDS[14]["date_stop"]) + timedelta(seconds=1))}
    server.records = [*RECORDS[:9], RECORDS[9], *RECORDS[10:15], moved, *RECORDS[15:]]
    assert len(sids([first, *pages])) == 96


def test_history_goes_on_when_its_oldest_record_has_expired() -> None:
    """The oldest record held is the first that the provider forgets."""
    asked: list[dict] = []

    class Old(Server):
        def get_page(self, path: str, params: dict) -> Envelope:
            asked.append(params)
            if "before" in params or "after" in params:
                raise NotFoundError("gone")
            value = params["filter"].split(" lt ")[1]
            items = [row for row in RECORDS[::-1] if row["date_stop"] < value][:10]
            return {"items": items, "count": len(items)}

    mark = Bookmark(oldest_sid=SIDS[50], oldest_value=walk.instant(RECORDS[50]["date_stop"]))
    found = sids(list(walk.history(Old(), CALLS, mark, SINCE)))
    assert sorted(found) == SIDS[:50]


BY_SECOND = [
    row | {"date_insert": stamp(SINCE + timedelta(seconds=n // 25))} for n, row in enumerate(RECORDS)
]


class Inserting:
    """Lists by insertion, in pages of ten, with 25 records in each second."""

    def get_page(self, path: str, params: dict) -> Envelope:
        assert params["order"] == "date_insert asc"
        value = params["filter"].split(" ge ")[1]
        rows = [row for row in BY_SECOND if row["date_insert"] >= value]
        items = rows[params.get("offset", 0) :][:10]
        return {"items": items, "count": len(items), "has_more": True}


def test_walk_by_insertion_gets_past_a_busy_second() -> None:
    """Where a page holds one second only, it goes on within the second."""
    found = walk.inserted(Inserting(), CALLS, SINCE)
    assert found is not None
    assert sorted(set(sids(list(found)))) == SIDS


def test_provider_that_cannot_list_by_insertion_says_so() -> None:
    class Refusing:
        def get_page(self, path: str, params: dict) -> Envelope:
            raise TerminalError("order", status=400)

    assert walk.inserted(Refusing(), CALLS, SINCE) is None

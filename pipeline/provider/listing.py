"""Lists: what the client asked for, and the envelope that answers it.

Two kinds. Tables (partners, numbers, rates ...) are counted and paged by offset. Feeds (calls, messages) are not
counted and are also paged by cursor. ``has_more`` means, as in the provider's samples, that there are records on
either side of the page; it is no sign of the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from typing import Any
from unicodedata import normalize
from urllib.parse import urlencode

from pipeline.provider.filters import Condition, as_number, instant, parse_filter
from pipeline.provider.records import Feed, Window
from pipeline.provider.traffic import first_at_or_after
from pipeline.provider.wire import bad_request, not_found

DEFAULT_LIMIT = 10
MOST = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """A list request. ``order`` is (field, descending); ``link`` makes the address of another page."""

    limit: int
    offset: int
    order: tuple[str, bool] | None
    conditions: tuple[Condition, ...]
    include: frozenset[str]
    exclude: frozenset[str]
    after: str | None
    before: str | None
    address: str
    sent: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, params: Mapping[str, str], address: str) -> "Query":
        """Reads the parameters; whatever is wrong with them is a ``Refusal`` with 400."""
        query = cls(
            limit=_whole(params, "limit", DEFAULT_LIMIT, 1, MOST),
            offset=_whole(params, "offset", 0, 0, 2**53),
            order=_order(params.get("order")),
            conditions=parse_filter(params.get("filter", "")),
            include=_names(params.get("include_fields")),
            exclude=_names(params.get("exclude_fields")),
            after=params.get("after"),
            before=params.get("before"),
            address=address,
            sent=tuple(params.items()),
        )
        if query.after and query.before:
            raise bad_request("after and before cannot be combined")
        if (query.after or query.before) and query.conditions:
            raise bad_request("filter cannot be combined with after or before")
        return query

    def shown(self, record: dict) -> dict:
        """The fields that were asked for."""
        if self.include:
            record = {name: value for name, value in record.items() if name in self.include}
        if self.exclude:
            record = {name: value for name, value in record.items() if name not in self.exclude}
        return record

    def link(self, **changes: str | int) -> str:
        """The address of another page: what was sent, with the page's own parameters last."""
        paging = ("limit", "offset", "after", "before")
        kept = [(name, value) for name, value in self.sent if name not in paging]
        limit = [("limit", str(self.limit))]
        first = [(n, str(v)) for n, v in changes.items() if n != "offset"]
        last = [(n, str(v)) for n, v in changes.items() if n == "offset"]
        return f"{self.address}?{urlencode([*first, *limit, *kept, *last])}"

    def pages(self, more: bool) -> dict[str, str]:
        """Links of an offset page."""
        links = {}
        if more:
            links["next"] = self.link(offset=self.offset + self.limit)
        if self.offset:
            links["previous"] = self.link(offset=max(0, self.offset - self.limit))
        return links


def _whole(params: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise bad_request(f"{name} must be an integer from {least} to {most}")
    return int(text)


def _order(text: str | None) -> tuple[str, bool] | None:
    if not text:
        return None
    name, _, way = text.partition(" ")
    if name == "shuffle" or way not in ("", "asc", "desc"):
        raise bad_request("order must be '<field> asc' or '<field> desc'")
    return name, way == "desc"


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",")) if text else frozenset()


def envelope(
    query: Query, items: list, has_more: bool, pages: dict | None, total: int | None
) -> dict[str, Any]:
    """The list envelope, exactly the provider's keys."""
    return {
        "count": len(items),
        "has_more": has_more,
        "items": items,
        "limit": query.limit,
        "offset": query.offset,
        "pagination": pages,
        "total": total,
    }


def list_table(
    rows: Sequence[Any], query: Query, as_dict: Callable[[Any], dict] = lambda row: row
) -> dict[str, Any]:
    """A page of a table. ``as_dict`` turns a row into its JSON object, for the rows that are looked at."""
    if query.after or query.before:
        raise bad_request("after and before are supported for call and message detail records only")
    if query.conditions:
        _known(rows, query, as_dict)
        rows = [row for row in rows if all(c.matches(as_dict(row)) for c in query.conditions)]
    if query.order:
        name, descending = query.order
        if rows and name.split(".")[0] not in as_dict(rows[0]):
            raise bad_request(f"order: there is no field {name!r}")
        rows = sorted(rows, key=lambda row: _sort_key(as_dict(row).get(name)), reverse=descending)
    page = rows[query.offset : query.offset + query.limit]
    more = query.offset + len(page) < len(rows)
    items = [query.shown(as_dict(row)) for row in page]
    return envelope(query, items, more or (query.offset > 0 and bool(rows)), query.pages(more), len(rows))


def _known(rows: Sequence[Any], query: Query, as_dict: Callable[[Any], dict]) -> None:
    for condition in query.conditions:
        if rows and condition.path[0] not in as_dict(rows[0]):
            raise bad_request(f"filter: there is no field {condition.path[0]!r}")


def _sort_key(value: object) -> tuple:
    if value is None:
        return (0, "")
    number = as_number(value)
    return (1, number) if number is not None else (2, normalize("NFD", str(value)).casefold())


def list_feed(feed: Feed, now: int, query: Query, *, by_insertion: bool = False) -> dict[str, Any]:
    """A page of calls or messages; ``by_insertion`` lets them be sorted by ``date_insert`` too."""
    if by_insertion and query.order == ("date_insert", False) and not (query.after or query.before):
        return _inserted_page(Window(feed, now), query)
    if query.order and query.order[0] != feed.sort_key:
        raise bad_request(f"order: these records are sorted by {feed.sort_key} only")
    window = Window(feed, now)
    if query.after or query.before:
        return _cursor_page(window, query)
    return _offset_page(_within(window, query.conditions), query)


def _cursor_page(window: Window, query: Query) -> dict[str, Any]:
    """The records next to the cursor on the asked side, in the asked order. The offset is ignored."""
    sid = query.after or query.before or ""
    index = window.feed.codec.decode(sid)
    if index is None or not window.has(index):
        raise not_found("item")
    upwards = bool(query.after) != _descending(query)
    side = window.narrowed(index + 1, window.high) if upwards else window.narrowed(window.low, index)
    found = list(islice(side.ascending() if upwards else side.descending(), query.limit))
    if query.before:
        found.reverse()
    items = [query.shown(window.feed.record(i, window.now)) for i in found]
    links = {"previous": query.link(before=window.feed.codec.encode(found[0]), offset=0)} if found else {}
    # The cursor itself lies outside of the page: there is always more on one side.
    return envelope(query, items, True, links, None)


def _inserted_page(window: Window, query: Query) -> dict[str, Any]:
    """The records in the order of their insertion."""
    feed = window.feed
    begins = [instant(c.values[0]) or 0 for c in query.conditions if c.operator in ("ge", "gt")]
    # A condition on whole seconds may be met by what was inserted earlier within them.
    begin = max(begins, default=0) - 1000
    first = _edge(feed, begin - feed.longest_lag) if begins else 0
    indexes = (index for at, index in _inserted(window.narrowed(first, window.high)) if at >= begin)
    records = (feed.record(index, window.now) for index in indexes)
    matching = (record for record in records if all(c.matches(record) for c in query.conditions))
    found = list(islice(matching, query.offset, query.offset + query.limit + 1))
    more = len(found) > query.limit
    items = [query.shown(record) for record in found[: query.limit]]
    return envelope(query, items, more or query.offset > 0, query.pages(more), None)


def _inserted(window: Window) -> Iterator[tuple[int, int]]:
    """``(inserted, index)`` in this order. What waits is what came late: nothing is inserted before its sort date."""
    waiting: list[tuple[int, int]] = []
    for index in window.ascending():
        reached = window.feed.time(index)
        while waiting and waiting[0][0] <= reached:
            yield heappop(waiting)
        heappush(waiting, (window.feed.inserted(index), index))
    yield from sorted(waiting)


def _descending(query: Query) -> bool:
    return query.order is not None and query.order[1]


def _offset_page(window: Window, query: Query) -> dict[str, Any]:
    rest = [c for c in query.conditions if not _on_time(window.feed, c)]
    if rest:
        if window.feed.count:
            _known([0], query, lambda _row: window.feed.record(0, window.now))
        found = islice(_matching(window, query, rest), query.offset, query.offset + query.limit + 1)
        records = list(found)
    else:
        records = [window.feed.record(i, window.now) for i in islice(_walk(window, query), query.limit + 1)]
    more = len(records) > query.limit
    items = [query.shown(record) for record in records[: query.limit]]
    return envelope(query, items, more or query.offset > 0, query.pages(more), None)


def _walk(window: Window, query: Query) -> Iterator[int]:
    return window.descending(query.offset) if _descending(query) else window.ascending(query.offset)


def _matching(window: Window, query: Query, conditions: list[Condition]) -> Iterator[dict]:
    indexes = window.descending() if _descending(query) else window.ascending()
    for index in indexes:
        record = window.feed.record(index, window.now)
        if all(condition.matches(record) for condition in conditions):
            yield record


def _on_time(feed: Feed, condition: Condition) -> bool:
    return (
        condition.path == (feed.sort_key,)
        and condition.operator in ("eq", "gt", "ge", "lt", "le")
        and instant(condition.values[0]) is not None
    )


def _within(window: Window, conditions: Sequence[Condition]) -> Window:
    """Narrows a window by the conditions on the sort date, without looking at a record."""
    low, high = window.low, window.high
    for condition in conditions:
        if _on_time(window.feed, condition):
            ms = instant(condition.values[0]) or 0
            low = max(low, _edge(window.feed, ms + (condition.operator == "gt")) if _from(condition) else low)
            high = min(
                high, _edge(window.feed, ms + (condition.operator != "lt")) if _until(condition) else high
            )
    return window.narrowed(low, high)


def _from(condition: Condition) -> bool:
    return condition.operator in ("eq", "ge", "gt")


def _until(condition: Condition) -> bool:
    return condition.operator in ("eq", "le", "lt")


def _edge(feed: Feed, ms: int) -> int:
    return first_at_or_after(feed.time, feed.count, ms)

"""What pulling hands to landing: pages of items, and the bookmark that says where to go on."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Feed:
    """One kind of detail record that is walked by cursor.

    ``resource`` names the table it lands in, ``sort_key`` the field that orders it and that bookmarks count by.
    """

    resource: str
    path: str
    sort_key: str


CALLS = Feed("calls", "/calls/call_drs", "date_stop")
MESSAGES = Feed("messages", "/sms/message_drs", "date_insert")
FEEDS = (CALLS, MESSAGES)


@dataclass(frozen=True, slots=True)
class Page:
    """Items as decoded, floats as Decimal; ``unreadable`` holds the bytes of items that are no JSON, and why."""

    items: list[dict[str, Any]]
    unreadable: tuple[tuple[bytes, str], ...] = ()

    @property
    def fetched(self) -> int:
        return len(self.items) + len(self.unreadable)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a feed stands.

    ``newest_value`` is the greatest sort value landed. ``cursor_sid`` is the record from which the next poll goes
    on; it lies an overlap before the newest, so that records inserted a little late are seen. ``oldest_sid`` and
    ``oldest_value`` are where history ends so far, ``swept_to`` the last instant that a sweep has re-read.
    """

    cursor_sid: str | None = None
    cursor_value: datetime | None = None
    newest_value: datetime | None = None
    oldest_sid: str | None = None
    oldest_value: datetime | None = None
    swept_to: datetime | None = None

    def with_(self, **changes: Any) -> "Bookmark":
        return replace(self, **changes)

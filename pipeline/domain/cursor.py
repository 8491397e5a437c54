"""What pulling hands to landing: pages of items, and the bookmark that says where to go on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

# The provider that a home belongs to: its plans are the cost of its own records, and of nobody else's.
HOME_SOURCE = "carrierx"
# Fields of records that nobody needs for a bill: text of messages, links to pictures, what users attached.
PRIVATE = ("message", "media_urls", "user_data")


# A record of another year is a mistake; a bookmark that followed it would skip a century or never end.
_YEARS = range(1990, 2100)


def instant(text: str) -> datetime:
    """A timestamp of the provider as an aware datetime.

    Raises:
        ValueError: it is none, or of a year in which nobody had a telephone bill from here.
    """
    found = datetime.fromisoformat(text)
    if found.year not in _YEARS:
        msg = f"{text} is out of range"
        raise ValueError(msg)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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


class Unreadable(NamedTuple):
    """An item that no decoder takes: its bytes without private fields, why, and the fields that can be read."""

    raw: bytes
    reason: str
    known: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Cut(Sequence[dict[str, Any]]):
    """The items of a page that all have the same keys, as one text and where in it each value lies.

    ``begin``, ``end``, ``quoted`` and ``null`` are arrays of items by keys: from where to where a value goes, whether
    it stands in quotes, which are left out, and whether it is none. As a sequence it is the items, decoded when asked.
    """

    names: tuple[str, ...]
    text: bytes
    begin: Any
    end: Any
    quoted: Any
    null: Any
    decode: Callable[[], list[dict[str, Any]]]

    def texts(self, name: str) -> list[str]:
        """The values of a key.

        Raises:
            ValueError: there is no such key, or a value is no plain text.
        """
        column = self.names.index(name)
        if not self.quoted[:, column].all():
            raise ValueError(name)
        places = zip(self.begin[:, column].tolist(), self.end[:, column].tolist(), strict=True)
        found = [self.text[begin:end] for begin, end in places]
        if b"\\" in self.text and any(b"\\" in value for value in found):
            raise ValueError(name)
        return [value.decode() for value in found]

    def __len__(self) -> int:
        return len(self.begin)

    def __getitem__(self, place: Any) -> Any:
        return self.decode()[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.decode())


@dataclass(frozen=True, slots=True)
class Page:
    """Items as decoded, numbers with a fraction as their text, and those that cannot be decoded.

    ``last`` is what can be read of the last of them all, whichever it is: it says where the next page begins.
    """

    items: Sequence[dict[str, Any]]
    unreadable: tuple[Unreadable, ...] = ()
    last: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fetched(self) -> int:
        return len(self.items) + len(self.unreadable)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a feed stands.

    ``newest_value`` is the greatest sort value landed. ``cursor_sid`` is the record from which the next poll goes
    on; it lies an overlap before the newest, so that records inserted a little late are seen. ``oldest_sid`` and
    ``oldest_value`` are where history ends so far. ``swept_to`` is the last instant that a sweep has re-read, by the
    provider's clock as its records show it; ``swept_at`` is when that was, by ours.
    """

    cursor_sid: str | None = None
    cursor_value: datetime | None = None
    newest_value: datetime | None = None
    oldest_sid: str | None = None
    oldest_value: datetime | None = None
    swept_to: datetime | None = None
    swept_at: datetime | None = None

    def with_(self, **changes: Any) -> "Bookmark":
        return replace(self, **changes)

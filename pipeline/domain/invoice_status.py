"""The nine statuses of an invoice, in the provider's words, and how one may follow another.

tollbook itself uses ``reviewing`` (a draft that waits for a person), ``open`` (issued and owed), ``complete`` (issued
and settled) and ``uncollectable`` (written off). ``charging``, ``pending``, ``declined`` and ``error`` belong to who
charges a card; they are known here so that such an answer has a place to go.
"""

CREATED, REVIEWING, OPEN, COMPLETE = "created", "reviewing", "open", "complete"
CHARGING, PENDING, DECLINED, ERROR, UNCOLLECTABLE = (
    "charging",
    "pending",
    "declined",
    "error",
    "uncollectable",
)

MOVES: dict[str, frozenset[str]] = {
    CREATED: frozenset({REVIEWING, OPEN, COMPLETE}),
    REVIEWING: frozenset({OPEN, COMPLETE}),
    OPEN: frozenset({CHARGING, PENDING, COMPLETE, UNCOLLECTABLE}),
    CHARGING: frozenset({PENDING, DECLINED, ERROR, COMPLETE}),
    PENDING: frozenset({DECLINED, ERROR, COMPLETE}),
    DECLINED: frozenset({OPEN, CHARGING, PENDING, COMPLETE, UNCOLLECTABLE}),
    ERROR: frozenset({OPEN, CHARGING, PENDING, COMPLETE, UNCOLLECTABLE}),
    # What had been paid was charged back.
    COMPLETE: frozenset({OPEN}),
    # It was paid after all.
    UNCOLLECTABLE: frozenset({OPEN, COMPLETE}),
}


def may_move(status: str, to: str) -> bool:
    """Whether an invoice may go from one status to another; staying is no move, and always allowed."""
    return status == to or to in MOVES.get(status, ())

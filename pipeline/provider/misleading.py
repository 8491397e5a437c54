"""Pages of records that mislead whoever walks: empty, repeated, out of order, too short, with signs that lie.

Each is a list that the sandbox gave correctly, and then spoiled; what is there is told by ``/sandbox/truth`` alone.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipeline.provider.disturbance import Disturbance
from pipeline.provider.listing import Query

_ELSEWHERE = "https://elsewhere.example/core/v2"


def misled(
    query: Query, disturbance: Disturbance, lister: Callable[[Query], dict[str, Any]]
) -> dict[str, Any]:
    """The page that answers a query, as the faults have it."""
    faults = disturbance.faults
    if faults.most_per_page:
        query = replace(query, limit=min(query.limit, faults.most_per_page))
    if query.before and faults.far_before:
        query = replace(query, before=None)
    if query.after and disturbance.strikes("repeated_pages"):
        query = replace(query, after=None, before=query.after)
    page = lister(query)
    if page["items"]:
        page |= _spoiled(page, query, disturbance)
    if faults.lying_links:
        links = {"next": _ELSEWHERE, "previous": _ELSEWHERE}
        page |= {"has_more": not page["has_more"], "pagination": links}
    return page


def _spoiled(page: dict[str, Any], query: Query, disturbance: Disturbance) -> dict[str, Any]:
    items = page["items"]
    if disturbance.strikes("unsorted_pages"):
        items = items[1::2] + items[::2]
    if disturbance.strikes("wrong_count") and len(items) > 1:
        return {"items": items[: len(items) // 2]}
    if disturbance.strikes("empty_pages") and disturbance.first_time(query.sent):
        return {"items": [], "count": 0}
    return {"items": items}

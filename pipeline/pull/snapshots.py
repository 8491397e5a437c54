"""Whole lists that are taken as they stand: partners, DIDs, endpoints, countries, invoices, rate plans.

Lists are paged by offset against ``total`` where there is one. A plan of over ten thousand rates comes as one CSV,
with its envelope read before and after: when the plan changed in between, it is read again.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import NotFoundError, TerminalError, TransientError
from pipeline.pull.client import Client

LIMIT = 1000
_CSV_ABOVE = 5_000
VOIP = ("conference", "conference_playback", "flexml", "mediator", "third_party", "voicemail")
_SECRETS = {"/endpoints": "properties,out_sip_username,out_sip_password,voip_token"}
SMS = ("short_code", "toll", "toll_free")


@dataclass(frozen=True, slots=True)
class PlanSnapshot:
    """One of the provider's plans as it stands: its key, its envelope and all of its rates."""

    service: str
    direction: str
    family: str
    effective_date: str
    rates_plan_sid: str | None
    rates_plan_name: str | None
    items: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PlanKey:
    """Which plan, and where it is served."""

    service: str
    direction: str
    family: str
    path: str


def plan_keys() -> tuple[PlanKey, ...]:
    """The 14 call plans and the three for outbound messages."""
    keys = []
    for direction in ("inbound", "outbound"):
        keys.append(PlanKey("call", direction, "pstn", f"/calls/rates/{direction}/pstn"))
        keys += [PlanKey("call", direction, v, f"/calls/rates/{direction}/voip/{v}") for v in VOIP]
    keys += [PlanKey("message", "outbound", s, f"/sms/rates/outbound/{s}") for s in SMS]
    return tuple(keys)


def whoami(client: Client) -> dict[str, Any]:
    """The partner whose token this is."""
    me: dict[str, Any] = client.get("/oauth/whoami")
    return me


def snapshot(client: Client, path: str, order: str) -> list[dict[str, Any]]:
    """A list that is landed as it stands, without the credentials in it: they are not asked for.

    Where the provider refuses to leave fields out, the whole list is read; landing takes none of them either way.
    """
    if (secrets := _SECRETS.get(path)) is not None:
        try:
            return listing(client, path, order, {"exclude_fields": secrets})
        except TerminalError as error:
            if error.status not in (400, 422):
                raise
    return listing(client, path, order)


def listing(
    client: Client, path: str, order: str, asked: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """All items of a countable list; ``asked`` are further parameters, such as ``filter``.

    Raises:
        TransientError: the list changed while it was read; another try may find it still.
        TerminalError: the answer is no list, or its pages do not move on.
    """
    for _ in range(3):
        items, total = _offset_pages(client, path, order, asked)
        if total is None or len(items) == total:
            return items
    msg = f"GET {path}: {len(items)} items came where the provider counts {total}. Run again."
    raise TransientError(msg)


def plan(client: Client, key: PlanKey) -> PlanSnapshot | None:
    """One plan with all of its rates; None where the account has none (404)."""
    for _ in range(3):
        try:
            before = client.get(key.path, {"limit": 1})
        except NotFoundError:
            return None
        items = _rates(client, key, before)
        after = client.get(key.path, {"limit": 1})
        if _identity(before) == _identity(after) and len(items) == (after.get("total") or len(items)):
            named = before.get("rates_plan") or {}
            effective = before.get("effective_date") or "1970-01-01T00:00:00.000Z"
            sid, name = named.get("rates_plan_sid"), named.get("name")
            return PlanSnapshot(key.service, key.direction, key.family, effective, sid, name, items)
    msg = f"GET {key.path}: the plan keeps changing while it is read, or its rows are not {before.get('total')}."
    raise TransientError(msg)


def _rates(client: Client, key: PlanKey, envelope: dict[str, Any]) -> list[dict[str, Any]]:
    if (envelope.get("total") or 0) > _CSV_ABOVE and key.service == "call":
        return list(_from_csv(client.get_bytes(f"{key.path}/csv"), key.path))
    return _offset_pages(client, key.path, None)[0]


def _offset_pages(
    client: Client, path: str, order: str | None, asked: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], int | None]:
    items: list[dict[str, Any]] = []
    total: int | None = None
    page: list[dict[str, Any]] = []
    while True:
        params: dict[str, Any] = {"limit": LIMIT, "offset": len(items)} | dict(asked or {})
        envelope = client.get(path, params | ({"order": f"{order} asc"} if order else {}))
        if not isinstance(envelope, dict) or not isinstance(envelope.get("items"), list):
            raise TerminalError(f"GET {path}: the answer is no list.")
        total, last, page = envelope.get("total"), page, envelope["items"]
        if page and page == last:
            raise TerminalError(f"GET {path}: the page at offset {len(items)} repeats; the walk was stopped.")
        items += page
        if not page or (total is not None and len(items) >= total):
            return items, total


def _from_csv(body: bytes, path: str) -> Iterator[dict[str, Any]]:
    """Rates from the CSV twin, matched by header name: its header is not documented."""
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    missing = {"prefix", "price", "billing_increment", "billing_minimum"} - set(rows.fieldnames)
    if missing:
        msg = f"GET {path}/csv: the file has no column {', '.join(sorted(missing))}; the plan was not taken."
        raise TerminalError(msg)
    for row in rows:
        yield {name: (value if value != "" else None) for name, value in row.items() if name}


def _identity(envelope: dict[str, Any]) -> tuple[object, ...]:
    return (envelope.get("rates_plan"), envelope.get("effective_date"), envelope.get("total"))

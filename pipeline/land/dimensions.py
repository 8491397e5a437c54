"""Lands what surrounds the records: routes, ways to pay, redirections, access control, transformations, batch tasks.

History is kept by content, as of every list. Only the columns of the table are taken from an item, before anything
else looks at it: cards, logins, header values and payloads do not come as far as the quarantine either.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.land.snapshots import Snapshot, SnapshotLanded, land_snapshot

Row = dict[str, Any]

SIPCAUSE = {
    "forbidden": 403, "rejected": 403, "not-found": 404, "busy-here": 486, "bad-gateway": 502, "unavailable": 503,
    "busy": 600, "decline": 603, "does-not-exist": 604, "unwanted": 607, "intermediary-rejected": 608,
}  # fmt: skip
# The first operand of these is a name, what follows it a value that is nobody's business here.
_NAME_ONLY = re.compile(r"set_user_data|(set|rewrite)_header\w*|rewrite_(from|to)_header_param")
_IF_MATCH = "if_match"


def land_dimension(
    lake: Lake, resource: str, items: Iterable[Any], *, source: str, now: datetime
) -> SnapshotLanded:
    """Lands one resource, by the name of its table, as it stands at ``now``."""
    rows = [
        _plain(row) for item in items for row in _shaped(resource, item if isinstance(item, dict) else {})
    ]
    return land_snapshot(lake, Snapshot(resource, "", ""), rows, source=source, now=now)


def _shaped(resource: str, item: Row) -> Iterable[Row]:
    return _SHAPES[resource](item) if resource in _SHAPES else [_own_columns(resource, item)]


def _plain(row: Row) -> Row:
    """Without what is nested: it fits no column, and is set aside without what it holds."""
    return {name: _emptied(value) for name, value in row.items()}


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {}
    return [] if isinstance(value, list) else value


def _own_columns(resource: str, item: Row) -> Row:
    return {name: item.get(name) for name, _, _ in BY_NAME[f"land/{resource}"].columns}


def _billing_method(item: Row) -> list[Row]:
    """Type, last four digits and expiry, whatever else is there; of a number too long, its end."""
    card, expiry = re.sub(r"[ -]", "", _text(item.get("cc_number"))), _text(item.get("cc_expiration"))
    last = re.search(r"\d{4}\Z", card)
    return [
        {
            "partner_sid": item.get("partner_sid"),
            "type": item.get("type"),
            "last_four": last.group() if last else None,
            "expiration": expiry if re.fullmatch(r"\d{6}", expiry) else None,
        }
    ]


def _batch_task(item: Row) -> list[Row]:
    data = item.get("data")
    objects = [part for part in (data if isinstance(data, list) else [data]) if isinstance(part, dict)]
    changed = sorted({name for part in objects for name in part})
    shaped = {"entries_json": _json(_texts(item.get("entries"))), "changed_json": _json(changed)}
    return [_own_columns("batch_tasks", item) | shaped]


def _access_rule(item: Row) -> list[Row]:
    return [_own_columns("access_rules", item) | {"entries_json": _json(_texts(item.get("entries")))}]


def _effective_acl(item: Row) -> Iterator[Row]:
    kind = "voice" if item.get("service") == "call" else "sms"
    owner = {name: item.get(name) for name in ("owner_type", "owner_sid", "service")}
    for layer in _objects(item.get("layers")):
        for position, acl in enumerate(_objects(layer.get("effective_acls")), start=1):
            yield owner | {
                "layer": layer.get("layer"),
                "position": position,
                "direction": acl.get("direction"),
                "rules_json": _json(_texts(acl.get("access_control_rules"))),
                "action_true": acl.get(f"{kind}_action_true"),
                "action_false": acl.get(f"{kind}_action_false"),
            }


def _transformation(item: Row) -> Iterator[Row]:
    for position, made in enumerate(_objects(item.get("transformations")), start=1):
        action, operands = _text(made.get("action")), _texts(made.get("operands"))
        inner, arguments = (
            (operands[2], operands[3:]) if action == _IF_MATCH and len(operands) > 2 else (action, operands)
        )
        shown = arguments[:1] if _NAME_ONLY.fullmatch(inner) else arguments
        yield {
            "owner_type": item.get("owner_type"),
            "owner_sid": item.get("owner_sid"),
            "position": position,
            "direction": made.get("direction"),
            "action": action,
            "effect": inner,
            "sipcause": SIPCAUSE.get(arguments[0]) if inner == "reject" and arguments else None,
            "operands_json": _json([*operands[: len(operands) - len(arguments)], *shown]),
        }


_SHAPES: dict[str, Callable[[Row], Iterable[Row]]] = {
    "billing_methods": _billing_method,
    "batch_tasks": _batch_task,
    "access_rules": _access_rule,
    "effective_acls": _effective_acl,
    "transformations": _transformation,
}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [part for part in value if isinstance(part, str)] if isinstance(value, list) else []


def _objects(value: Any) -> list[Row]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _json(value: list[str]) -> str:
    return msgspec.json.encode(value).decode()

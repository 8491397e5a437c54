"""What explains why a call was refused and why numbers changed hands: access control and batch tasks."""

from datetime import UTC, datetime, timedelta
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider import documents
from pipeline.provider.inventory import TRUNKS, sid
from pipeline.provider.partners import Partner
from pipeline.provider.resources import found, query_of, table, world_of
from pipeline.provider.traffic import stamp, to_ms
from pipeline.provider.wire import as_json, bad_request, not_found
from pipeline.provider.world import World

_RULES = (
    ("premium rate", "to", "prefix", "any", ["1900", "1976"]),
    ("satellite", "to", "prefix", "any", ["870", "8816", "8817"]),
    ("known spam", "from", "exact", "any", ["12125550911", "13125550911"]),
    ("own numbers only", "from", "regexp", "none", ["^1[2-9]\\d{9}$"]),
    ("short codes", "to", "regexp", "any", ["^\\d{5,6}$"]),
)
_DIRECTIONS = ("any", "inbound", "outbound", "undirected")
_STATUSES = ("completed", "completed", "pending_review", "cancelled", "running")


def control_routes() -> list[BaseRoute]:
    """``/accesscontrol/...`` and ``/batch/tasks``."""
    return [
        *table("/accesscontrol/rules", "rule_sid", lambda _request: rules(), "access control rule"),
        Route("/accesscontrol/effective_acl/calls", _acl_calls),
        Route("/accesscontrol/effective_acl/sms", _acl_messages),
        *table("/batch/tasks", "task_sid", lambda request: tasks(world_of(request)), "task"),
        Route("/batch/tasks/{sid}/review_items", _review),
        Route("/batch/tasks/{sid}/review_items.csv", _review_csv),
    ]


# --- access control --------------------------------------------------------------------------------------------


@cache
def rules() -> tuple[dict, ...]:
    """The access control rules."""
    return tuple(
        {
            "entries": entries,
            "field": field,
            "name": name,
            "operation": operation,
            "quantifier": quantifier,
            "read_only": place == 0,
            "rule_sid": sid("rule", place),
        }
        for place, (name, field, operation, quantifier, entries) in enumerate(_RULES)
    )


async def _acl_calls(request: Request) -> Response:
    return _acl(request, "voice", request.query_params.get("trunk_group_sid"))


async def _acl_messages(request: Request) -> Response:
    return _acl(request, "sms", None)


def _acl(request: Request, kind: str, group: str | None) -> Response:
    """The layers that apply, the topmost first; the query narrows them to an owner and a direction."""
    wanted = request.query_params.get("direction")
    if wanted not in (None, *_DIRECTIONS):
        raise bad_request(f"direction must be one of {', '.join(_DIRECTIONS)}")
    layers = [
        {"effective_acls": [acl for acl in acls if wanted in (None, acl["direction"])], "layer": layer}
        for layer, acls in enumerate(_layers(request, kind, group), start=1)
    ]
    shown = [query_of(request).shown(layer) for layer in layers if layer["effective_acls"]]
    envelope = {"count": len(shown), "has_more": False, "items": shown, "limit": len(shown), "offset": 0}
    return as_json(envelope | {"pagination": {}, "total": len(shown)})


def _layers(request: Request, kind: str, group: str | None) -> list[list[dict]]:
    by_sid = {partner.sid: partner for partner in world_of(request).partners}
    partner = by_sid.get(request.query_params.get("partner_sid", world_of(request).root_sid))
    if partner is None:
        raise not_found("partner")
    if group is not None and group not in dict(TRUNKS):
        raise not_found("trunk group")
    layers = [_of_partner(above, kind) for above in _path(partner, by_sid)]
    return (
        [*layers, [_list([3], "outbound", kind, "accept", "reject403")]] if group == TRUNKS[2][0] else layers
    )


def _path(partner: Partner, by_sid: dict[str, Partner]) -> list[Partner]:
    above = by_sid.get(partner.record["parent_sid"])
    return [*(_path(above, by_sid) if above else []), partner]


def _of_partner(partner: Partner, kind: str) -> list[dict]:
    if partner.index == 0:
        return [_list([0, 1] if kind == "voice" else [4], "outbound", kind, "reject503", None)]
    return [_list([2], "inbound", kind, "reject403", None)] if partner.index % 5 == 2 else []


def _list(numbers: list[int], direction: str, kind: str, if_true: str, if_false: str | None) -> dict:
    if kind == "sms" and if_true != "accept":
        if_true = "reject"
    empty = dict.fromkeys(
        ("sms_action_false", "sms_action_true", "voice_action_false", "voice_action_true"), None
    )
    return {
        "access_control_rules": [sid("rule", number) for number in numbers],
        "direction": direction,
        **empty,
        f"{kind}_action_true": if_true,
        f"{kind}_action_false": if_false,
    }


# --- batch tasks -----------------------------------------------------------------------------------------------


def tasks(world: World) -> list[dict]:
    """The batch tasks that had been made by the world's time."""
    start = datetime(world.config.start.year, world.config.start.month, world.config.start.day, tzinfo=UTC)
    made = [_task(world, number, start + timedelta(days=4 * number, hours=15)) for number in range(5)]
    return [task for task in made if task["date_created"] <= stamp(world.now_ms)]


def _task(world: World, number: int, at: datetime) -> dict:
    status, numbers = (
        _STATUSES[number],
        [did["phonenumber"] for did in world.dids[number * 3 : number * 3 + 3]],
    )
    done = len(numbers) if status == "completed" else 0
    return {
        "data": {"trunk_group_sid": TRUNKS[number][0], "callback_url": "https://hooks.example.com/?key=hush"},
        "date_created": stamp(to_ms(at)),
        "date_modified": stamp(to_ms(at + timedelta(seconds=6))),
        "entries": numbers,
        "error_details": [],
        "failure": 0 if done else None,
        "field": "phonenumber",
        "method": "PATCH",
        "partner_sid": world.root_sid,
        "processed": done or None,
        "review": status == "pending_review",
        "status": status,
        "success": done or None,
        "task_sid": sid("task", number),
        "total": len(numbers),
        "type": "phonenumber",
    }


def _items(request: Request) -> tuple[dict, list[dict]]:
    world = world_of(request)
    task = found(tasks(world), "task_sid", request.path_params["sid"], "task")
    owned = {did["phonenumber"]: did for did in world.dids}
    return task, [
        {
            "description": number,
            "fields": {
                "trunk_group_sid": [owned[number]["trunk_group_sid"], task["data"]["trunk_group_sid"]]
            },
            "sid": owned[number]["did_sid"],
            "version": 1,
        }
        for number in task["entries"]
    ]


async def _review(request: Request) -> Response:
    task, items = _items(request)
    return as_json({"method": task["method"], "review_items": items, "type": task["type"]})


async def _review_csv(request: Request) -> Response:
    rows = [
        {"sid": item["sid"], "description": item["description"], "version": item["version"]}
        for item in _items(request)[1]
    ]
    return Response(documents.csv_text(rows, ["sid", "description", "version"]), media_type="text/csv")

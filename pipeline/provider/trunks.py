"""Trunk groups and their trunks: the routes that records name, and what is rewritten or refused on them."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider.inventory import ENDPOINT_SIDS, GATEWAY, TRUNKS
from pipeline.provider.listing import list_table
from pipeline.provider.resources import found, query_of, world_of
from pipeline.provider.wire import as_json

_NAMES = ("east", "west", "toll free", "overflow")
# By the number of the group; a header's value is the kind of thing that must not be kept.
_OF_GROUPS = {
    0: [{"action": "rewrite_to", "direction": "outbound", "operands": ["^([2-9]\\d{9})$", "1\\1"]}],
    2: [
        {
            "action": "if_match",
            "direction": "inbound",
            "operands": ["{{stir_verstat}}", "TN-Validation-Failed", "reject", "forbidden"],
        },
        {
            "action": "set_header",
            "direction": "any",
            "operands": ["X-Sandbox-Route", "sandbox-header-secret"],
        },
    ],
}
_OF_TRUNKS = {5: [{"action": "rewrite_from", "direction": "any", "operands": ["^\\+", ""]}]}


@cache
def trunk_groups(owner: str) -> tuple[dict, ...]:
    """The trunk groups of the root partner, each with its ``trunks``."""
    sids = list(dict.fromkeys(group for group, _ in TRUNKS))
    return tuple(_group(place, sid, owner) for place, sid in enumerate(sids))


def trunk_routes() -> list[BaseRoute]:
    """``/trunk_groups``, one of them, and the trunks of one."""
    return [
        Route("/trunk_groups", _groups),
        Route("/trunk_groups/{sid}", _one_group),
        Route("/trunk_groups/{sid}/trunks", _trunks),
        Route("/trunk_groups/{sid}/trunks/{trunk_sid}", _one_trunk),
    ]


def _group(place: int, sid: str, owner: str) -> dict:
    return {
        "acls": [],
        "hard_failure_codes": "408;",
        "hard_failure_cooldown": 120,
        "hard_failure_interval": 60,
        "hard_failure_last_resort": "first",
        "hard_failure_threshold": 3,
        "name": f"sandbox {_NAMES[place]}",
        "partner_sid": owner,
        "routing_data": None,
        "routing_type": "failover",
        "sip_options_locations": [],
        "sip_options_threshold": 3,
        "soft_failure_codes": "408;",
        "transformations": _OF_GROUPS.get(place, []),
        "trunk_group_sid": sid,
        "trunks": [_trunk(n, trunk) for n, (group, trunk) in enumerate(TRUNKS) if group == sid],
    }


def _trunk(number: int, sid: str) -> dict:
    return {
        "acls": [],
        "allow_forward": "disabled",
        "allow_transfer": False,
        "asn_mode": "disable",
        "call_type": "regular",
        "codec": None,
        "endpoint_sid": ENDPOINT_SIDS[GATEWAY] if number % 2 == 0 else None,
        "in_capacity": 0,
        "in_identity_format": "passthrough",
        "in_identity_mode": "passthrough",
        "in_rfc_4694_mode": "cut_all",
        "location_sid": None,
        "name": f"trunk{number:02d}",
        "out_capacity": 100 * (number % 3),
        "out_identity_mode": "passthrough",
        "out_rfc_4694_mode": "cut_all",
        "priority": number % 2,
        "relay_sip_headers": [],
        "transformations": _OF_TRUNKS.get(number, []),
        "trunk_sid": sid,
        "weight": 0,
    }


def _rows(request: Request) -> tuple[dict, ...]:
    return trunk_groups(world_of(request).root_sid)


def _shown(request: Request) -> list[dict]:
    if request.query_params.get("with_trunks") == "true":
        return list(_rows(request))
    return [{name: value for name, value in row.items() if name != "trunks"} for row in _rows(request)]


async def _groups(request: Request) -> Response:
    return as_json(list_table(_shown(request), query_of(request)))


async def _one_group(request: Request) -> Response:
    group = found(_shown(request), "trunk_group_sid", request.path_params["sid"], "trunk group")
    return as_json(query_of(request).shown(group))


async def _trunks(request: Request) -> Response:
    group = found(_rows(request), "trunk_group_sid", request.path_params["sid"], "trunk group")
    return as_json(list_table(group["trunks"], query_of(request)))


async def _one_trunk(request: Request) -> Response:
    group = found(_rows(request), "trunk_group_sid", request.path_params["sid"], "trunk group")
    trunk = found(group["trunks"], "trunk_sid", request.path_params["trunk_sid"], "trunk")
    return as_json(query_of(request).shown(trunk))

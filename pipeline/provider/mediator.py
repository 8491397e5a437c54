"""The Mediator's interface (``/mediator/v1``): who is connected to whom by a redirecting number.

It has a login of its own, that of the mediator endpoint, and wraps every success. Bindings vanish when their time is
over, dialouts when they are connected, both by the world's clock.
"""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider.inventory import ENDPOINT_SIDS, sid
from pipeline.provider.listing import list_table
from pipeline.provider.resources import Rows, found, query_of, table, world_of, wrapped
from pipeline.provider.traffic import stamp, to_ms
from pipeline.provider.world import World

_BINDINGS = 12
_DIALOUTS = 4
_FOREVER = -1


def basic_credentials(world: World) -> bytes:
    """The ``Authorization`` header that the Mediator accepts."""
    kept = _properties(world)
    return b"Basic " + b64encode(f"{kept['login']}:{kept['password']}".encode())


def mediator_routes() -> list[BaseRoute]:
    """Accounts, bindings, dialouts and numbers."""
    return [
        *_resource("/accounts", "account_sid", lambda request: accounts(world_of(request)), "account"),
        *_resource("/bindings", "binding_sid", lambda request: bindings(world_of(request)), "binding"),
        *_dialout_routes(),
        *_resource("/dids", "did_sid", lambda request: mediator_dids(world_of(request)), "phonenumber"),
    ]


def _resource(path: str, key: str, rows: Rows, what: str) -> list[BaseRoute]:
    return table(path, key, rows, what, shown=wrapped)


def _dialout_routes() -> list[BaseRoute]:
    """As in the provider's samples, one dialout comes in a list envelope."""

    async def one(request: Request) -> Response:
        row = found(dialouts(world_of(request)), "dialout_sid", request.path_params["sid"], "dialout")
        return wrapped(list_table([row], query_of(request)))

    many = _resource("/dialouts", "dialout_sid", lambda request: dialouts(world_of(request)), "dialout")[0]
    return [many, Route("/dialouts/{sid}", one)]


def accounts(world: World) -> list[dict]:
    """The one account."""
    kept = _properties(world)
    created = stamp(to_ms(_start(world) - timedelta(days=300)))
    account = {"account_sid": kept["account_sid"], "date_created": created}
    return [account | {"login": kept["login"], "name": world.partners[0].record["company_name"]}]


def mediator_dids(world: World) -> list[dict]:
    """The numbers that redirect: the last of the root partner's."""
    keys = ("country_code", "did_sid", "in_country_format", "international_format", "phonenumber")
    owned = [did for did in world.dids if did["partner_sid"] == world.root_sid][-_BINDINGS:]
    return [{"account_sid": _account(world)} | {key: did[key] for key in keys} for did in owned]


def bindings(world: World) -> list[dict]:
    """The bindings in force at the world's time."""
    pool = mediator_dids(world)
    made = [_binding(world, number, pool[number % len(pool)]) for number in range(_BINDINGS)]
    now = stamp(world.now_ms)
    return [row for row, ends in made if row["date_created"] <= now and (ends is None or now < ends)]


def _binding(world: World, number: int, redirect: dict) -> tuple[dict, str | None]:
    lasting = (_FOREVER, 3600, 604_800)[number % 3]
    at = _start(world) + timedelta(days=number, hours=16)
    info = {"e164_format": "+" + redirect["phonenumber"]}
    info |= {key: value for key, value in redirect.items() if key not in ("account_sid", "did_sid")}
    row = {
        "account_sid": redirect["account_sid"],
        "attributes": {"ringback": "moh"} if number % 2 else {},
        "binding_sid": sid("binding", number),
        "date_created": stamp(to_ms(at)),
        "destination_did": f"1212555{2000 + number}",
        "dtmf": ",,,,1357" if number % 5 == 4 else None,
        "maximum_ttl": lasting,
        "name": f"campaign {number}" if number % 4 == 0 else "N/A",
        "origination_did": None if number % 3 else f"1646555{3000 + number}",
        "redirect_did": redirect["phonenumber"],
        "redirect_did_info": info,
        "wait_origination_did_ttl": 300 if number % 3 else _FOREVER,
    }
    return row, None if lasting == _FOREVER else stamp(to_ms(at + timedelta(seconds=lasting)))


def dialouts(world: World) -> list[dict]:
    """The dialouts still to come at the world's time."""
    pool, now = mediator_dids(world), stamp(world.now_ms)
    made = [_dialout(world, number, pool[number % len(pool)]) for number in range(_DIALOUTS)]
    return [row for row, due in made if row["date_created"] <= now < due]


def _dialout(world: World, number: int, redirect: dict) -> tuple[dict, str]:
    end = _start(world) + timedelta(days=world.config.days)
    at, delay = end - timedelta(days=number), (number + 1) * 90_000
    row = {
        "account_sid": redirect["account_sid"],
        "attributes": {"hide_origination_did": "true"},
        "date_created": stamp(to_ms(at)),
        "delay": delay,
        "dialout_sid": sid("dialout", number),
        "redirect_did": redirect["phonenumber"],
        "stage_one_destination_did": f"1212555{2100 + number}",
        "stage_two_destination_did": f"1212555{2200 + number}",
    }
    return row, stamp(to_ms(at + timedelta(seconds=delay)))


def _start(world: World) -> datetime:
    start = world.config.start
    return datetime(start.year, start.month, start.day, tzinfo=UTC)


def _properties(world: World) -> dict[str, str]:
    row = found(world.endpoints, "endpoint_sid", ENDPOINT_SIDS["mediator"], "endpoint")
    kept: dict[str, str] = row["properties"]
    return kept


def _account(world: World) -> str:
    return _properties(world)["account_sid"]

"""The HTTP interface of the sandbox: the Core under ``/core/v2``, the Mediator, a second provider, ``/sandbox``."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from pipeline.errors import TollbookError
from pipeline.provider import documents
from pipeline.provider.control import control_routes
from pipeline.provider.deck import MESSAGE_TYPES, VOIP_TYPES, Plan, RateRow, call_plan, message_rows, plan_sid
from pipeline.provider.disturbance import Disturbance
from pipeline.provider.faults import Faults
from pipeline.provider.fone import fone_routes
from pipeline.provider.gate import CORE, FONE, MEDIATOR, Gate
from pipeline.provider.listing import list_feed, list_table
from pipeline.provider.lookup import lookup_routes, open_invoice
from pipeline.provider.mediator import basic_credentials, mediator_routes
from pipeline.provider.misleading import misled
from pipeline.provider.oauth import Tokens, oauth_routes
from pipeline.provider.partners import billing_method
from pipeline.provider.records import Feed, Window
from pipeline.provider.resources import found, query_of, table, world_of
from pipeline.provider.traffic import stamp
from pipeline.provider.trunks import trunk_routes
from pipeline.provider.wire import Refusal, as_json, bad_request, not_found
from pipeline.provider.world import World

Handler = Callable[[Request], Any]
DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - it opens nothing but the sandbox


def create_app(world: World, token: str = DEFAULT_TOKEN) -> Starlette:
    """The application over a world. ``app.state`` has the world, the request log and the faults in force."""
    log: Counter = Counter()
    disturbance = [Disturbance(world.faults, world.config.seed)]
    tokens = Tokens(token)
    app = Starlette(
        routes=[
            Mount(CORE, routes=_core_routes()),
            Mount(MEDIATOR, routes=mediator_routes()),
            Mount(FONE, routes=fone_routes(world)),
            Mount("/sandbox", routes=_sandbox_routes()),
        ],
        middleware=[
            Middleware(Gate, tokens=tokens, basic=basic_credentials(world), disturbance=disturbance, log=log)
        ],
        exception_handlers={Refusal: _refused, HTTPException: _http_error, TollbookError: _impossible},
    )
    app.state.world, app.state.log, app.state.disturbance, app.state.emails = world, log, disturbance, []
    app.state.tokens = tokens
    return app


async def _refused(_request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return refusal.response()


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return Refusal(404, "no item error", "Not Found", None).response()
    return Refusal(error.status_code, error.detail.lower()).response()


async def _impossible(_request: Request, error: Exception) -> Response:
    return bad_request(str(error)).response()


def _feed(path: str, feed: Callable[[World], Feed]) -> list[BaseRoute]:
    """An uncounted resource: its list and one of it."""

    async def many(request: Request) -> Response:
        world, query = world_of(request), query_of(request)
        disturbance: Disturbance = request.app.state.disturbance[-1]
        disturbance.cursors.check(query.after or query.before)
        by_insertion = bool(world.faults.insert_order)
        page = misled(
            query, disturbance, lambda q: list_feed(feed(world), world.now_ms, q, by_insertion=by_insertion)
        )
        disturbance.cursors.answered(query.after or query.before, page["items"])
        return as_json(page)

    async def one(request: Request) -> Response:
        world = world_of(request)
        source = feed(world)
        index = source.codec.decode(request.path_params["sid"])
        if index is None or not Window(source, world.now_ms).has(index):
            raise not_found("item")
        return as_json(query_of(request).shown(source.record(index, world.now_ms)))

    return [Route(path, many), Route(path + "/{sid}", one)]


def _partner_rows(request: Request) -> Sequence[dict]:
    return [partner.record for partner in world_of(request).partners]


def _core_routes() -> list[BaseRoute]:
    return [
        Route("/oauth/whoami", _whoami),
        *oauth_routes(),
        Route("/partners/{sid}/billing_method", _billing_method),
        *table("/partners", "partner_sid", _partner_rows, "partner"),
        *_feed("/calls/call_drs", lambda world: world.call_feed),
        *_feed("/sms/message_drs", lambda world: world.message_feed),
        *_rate_routes(),
        Route("/phonenumber/dids", _dids),
        *table("/phonenumber/dids", "did_sid", lambda request: world_of(request).dids, "phonenumber"),
        *table("/endpoints", "endpoint_sid", lambda request: world_of(request).endpoints, "endpoint"),
        *table("/countries", "iso_3166_alpha_3", lambda request: world_of(request).countries, "country"),
        *_invoice_routes("/invoices"),
        *_invoice_routes("/billing/invoices"),
        *trunk_routes(),
        *control_routes(),
        *lookup_routes(),
    ]


async def _whoami(request: Request) -> Response:
    return as_json(query_of(request).shown(world_of(request).partners[0].record))


async def _billing_method(request: Request) -> Response:
    for partner in world_of(request).partners:
        method = billing_method(partner) if partner.sid == request.path_params["sid"] else None
        if method is not None:
            return as_json(query_of(request).shown(method))
    raise not_found("billing method")


async def _dids(request: Request) -> Response:
    rows: Sequence[dict] = world_of(request).dids
    group = request.query_params.get("trunk_group_sid")
    if group is not None:
        rows = [row for row in rows if row["trunk_group_sid"] == group]
    return as_json(list_table(rows, query_of(request)))


# --- rates -----------------------------------------------------------------------------------------------------


def _rate_routes() -> list[BaseRoute]:
    return [
        Route("/calls/rates/{direction}/pstn", _call_rates),
        Route("/calls/rates/{direction}/pstn/csv", _call_rates_csv),
        Route("/calls/rates/{direction}/voip/{family}", _call_rates),
        Route("/calls/rates/{direction}/voip/{family}/csv", _call_rates_csv),
        Route("/sms/rates/outbound/{sub_type}", _message_rates),
    ]


def _plan(request: Request) -> Plan:
    direction, family = request.path_params["direction"], request.path_params.get("family", "pstn")
    if direction not in ("inbound", "outbound") or family not in ("pstn", *VOIP_TYPES):
        raise not_found("rates")
    return call_plan(direction, family, world_of(request).config.rates)


def _rates_envelope(listed: dict, world: World, name: str, effective_date: str) -> dict:
    return listed | {
        "active": "yes",
        "effective_date": effective_date,
        "partner_sid": world.root_sid,
        "rates_plan": {"name": name, "rates_plan_sid": plan_sid(name)},
    }


async def _call_rates(request: Request) -> Response:
    plan = _plan(request)
    listed = list_table(plan.rows, query_of(request), msgspec.structs.asdict)
    listed["pagination"] = None
    return as_json(_rates_envelope(listed, world_of(request), plan.name, plan.effective_date))


async def _call_rates_csv(request: Request) -> Response:
    plan, query = _plan(request), query_of(request)
    header = dict.fromkeys(("prefix", "country_code", "country_name", *RateRow.__struct_fields__))
    text = documents.csv_text(map(msgspec.structs.asdict, plan.rows), list(query.shown(header)))
    name = {"content-disposition": f'attachment; filename="{plan.name}.csv"'}
    return Response(text, media_type="text/csv", headers=name)


async def _message_rates(request: Request) -> Response:
    sub_type = request.path_params["sub_type"]
    if sub_type not in MESSAGE_TYPES:
        raise not_found("rates")
    listed = list_table(message_rows(sub_type), query_of(request), msgspec.structs.asdict)
    name = f"retail_sms_{sub_type}_out-2026-01"
    return as_json(
        _rates_envelope(listed, world_of(request), name, call_plan("inbound", "pstn").effective_date)
    )


# --- invoices --------------------------------------------------------------------------------------------------


def _invoice_routes(path: str) -> list[BaseRoute]:
    return [
        Route(path + "/{sid}.html", _invoice_html),
        Route(path + "/{sid}.pdf", _invoice_pdf),
        Route(path + "/{sid}.html/emails", _invoice_emails, methods=["POST"]),
        Route(path + "/{sid}.pdf/emails", _invoice_emails, methods=["POST"]),
        *table(path, "invoice_sid", _invoice_rows, "invoice"),
    ]


def _invoice_rows(request: Request) -> Sequence[dict]:
    world = world_of(request)
    return [*world.invoices, *open_invoice(world)]


def _invoice(request: Request) -> dict:
    return found(_invoice_rows(request), "invoice_sid", request.path_params["sid"], "invoice")


async def _invoice_html(request: Request) -> Response:
    return Response(documents.invoice_html(_invoice(request)), media_type="text/html")


async def _invoice_pdf(request: Request) -> Response:
    return Response(documents.invoice_pdf(_invoice(request)), media_type="application/pdf")


async def _invoice_emails(request: Request) -> Response:
    """Sends nothing: ``/sandbox/requests`` shows what would have been sent."""
    invoice = _invoice(request)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refusal(415, "unsupported media type")
    form = parse_qs((await request.body()).decode())
    if not form.get("emails"):
        raise bad_request("emails is missing")
    request.app.state.emails.append({"invoice_sid": invoice["invoice_sid"], "emails": form["emails"][0]})
    return Response(status_code=204)


# --- the sandbox's own switches --------------------------------------------------------------------------------


def _sandbox_routes() -> list[BaseRoute]:
    return [
        Route("/truth", _truth),
        Route("/clock", _clock, methods=["GET", "PUT"]),
        Route("/faults", _faults, methods=["GET", "PUT"]),
        Route("/requests", _requests),
    ]


async def _body(request: Request) -> dict:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(415, "unsupported media type")
    try:
        body = msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise bad_request("cannot parse json. Check json for validity") from error
    if not isinstance(body, dict):
        raise bad_request("a JSON object is expected")
    return body


async def _truth(request: Request) -> Response:
    world = world_of(request)
    return as_json({"now": stamp(world.now_ms), "faults": str(world.faults), **world.truth()})


async def _clock(request: Request) -> Response:
    world = world_of(request)
    if request.method == "PUT":
        body = await _body(request)
        try:
            now, speed = datetime.fromisoformat(body["now"]), float(body.get("speed", 0))
        except (KeyError, TypeError, ValueError) as error:
            raise bad_request('the clock takes {"now": "2026-04-03T00:00:00Z", "speed": 0}') from error
        world.clock.set(now, speed)
    return as_json({"now": stamp(world.now_ms), "speed": world.clock.speed})


async def _faults(request: Request) -> Response:
    state = request.app.state
    if request.method == "PUT":
        text = (await _body(request)).get("faults", "")
        state.world.spoil(Faults.parse(str(text)))
        state.disturbance.append(Disturbance(state.world.faults, state.world.config.seed))
    return as_json({"faults": str(state.world.faults), "known": Faults.known()})


async def _requests(request: Request) -> Response:
    state = request.app.state
    counted = [
        {"method": method, "path": path, "status": status, "count": count}
        for (method, path, status), count in sorted(state.log.items())
    ]
    return as_json({"requests": counted, "emails": state.emails, "lookups": state.world.lookups})

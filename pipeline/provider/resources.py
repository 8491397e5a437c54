"""How rows of the world are served: a list with its envelope, one of it by secure id, and the two kinds of body.

The Core answers with the object itself, the Mediator with ``{"body": ..., "status": 200}``; ``wrapped`` is the latter.
"""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider.listing import Query, list_table
from pipeline.provider.wire import as_json, not_found
from pipeline.provider.world import World

Rows = Callable[[Request], Sequence[dict]]


def world_of(request: Request) -> World:
    """The world that the application serves."""
    world: World = request.app.state.world
    return world


def query_of(request: Request) -> Query:
    """What the client asked for."""
    return Query.parse(request.query_params, str(request.url.replace(query="")))


def wrapped(content: object) -> Response:
    """A success of the Mediator."""
    return as_json({"body": content, "status": 200})


def found(rows: Sequence[dict], key: str, sid: str, what: str) -> dict:
    """The row with this secure id; a ``Refusal`` (404) where there is none."""
    for row in rows:
        if row[key] == sid:
            return row
    raise not_found(what)


def table(
    path: str, key: str, rows: Rows, what: str, shown: Callable[[object], Response] = as_json
) -> list[BaseRoute]:
    """A counted resource: its list and one of it."""

    async def many(request: Request) -> Response:
        return shown(list_table(rows(request), query_of(request)))

    async def one(request: Request) -> Response:
        return shown(query_of(request).shown(found(rows(request), key, request.path_params["sid"], what)))

    return [Route(path, many), Route(path + "/{sid}", one)]

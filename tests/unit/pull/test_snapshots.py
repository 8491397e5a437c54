"""Lists that are taken whole: what is not asked for."""

import json
from typing import Any

import httpx
import pytest

from pipeline.errors import ForbiddenError, TerminalError
from pipeline.provider.app import create_app
from pipeline.provider.world import World, WorldConfig
from pipeline.pull.client import Client
from pipeline.pull.snapshots import snapshot
from tests.contract.sandbox_api import client

URL = "https://api.example.com/core/v2"


def served(*statuses: int) -> tuple[Client, list[dict[str, str]]]:
    """A client whose requests are answered with these statuses, then with an empty list; and what was asked."""
    asked: list[dict[str, str]] = []
    left = list(statuses)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        body: dict[str, Any] = {"items": [], "total": 0}
        return httpx.Response(
            left.pop(0) if left else 200, stream=httpx.ByteStream(json.dumps(body).encode())
        )

    return Client(URL, "t", transport=httpx.MockTransport(handle)), asked


def test_credentials_of_endpoints_are_not_asked_for() -> None:
    app = create_app(World(WorldConfig(calls=0, messages=0)))
    with Client("http://127.0.0.1/core/v2", "sandbox-token", transport=client(app)._transport) as api:
        endpoints = snapshot(api, "/endpoints", "endpoint_sid")

    assert len(endpoints) > 3
    assert not any("properties" in endpoint or "voip_token" in endpoint for endpoint in endpoints)


def test_other_lists_are_asked_for_whole() -> None:
    api, asked = served()
    snapshot(api, "/partners", "partner_sid")

    assert ["exclude_fields" in params for params in asked] == [False]


@pytest.mark.parametrize("status", [400, 422])
def test_where_fields_cannot_be_left_out_the_list_is_read_all_the_same(status: int) -> None:
    api, asked = served(status)

    assert snapshot(api, "/endpoints", "endpoint_sid") == []
    assert ["exclude_fields" in params for params in asked] == [True, False]


@pytest.mark.parametrize(("status", "error"), [(403, ForbiddenError), (415, TerminalError)])
def test_another_refusal_is_one(status: int, error: type[Exception]) -> None:
    api, asked = served(status)

    with pytest.raises(error):
        snapshot(api, "/endpoints", "endpoint_sid")
    assert len(asked) == 1

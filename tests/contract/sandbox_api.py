"""A client of the sandbox without a network, each request straight into the application; and how to judge a shape."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette


class _Direct(httpx.BaseTransport):
    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self._inner.handle_async_request(request)
            await answer.aread()
            return answer

        answer = asyncio.run(ask())
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content)
        )


def client(app: Starlette, headers: dict[str, str] | None = None) -> httpx.Client:
    """A client with the sandbox's usual token, or with ``headers`` instead."""
    usual = {"Authorization": "Bearer sandbox-token"}
    return httpx.Client(
        transport=_Direct(app), base_url="http://testserver", headers=usual if headers is None else headers
    )


def wrong(record: dict[str, Any], shape: dict[str, Any]) -> list[str]:
    """What of a record is not of the shape; no surprise keys either."""
    other = [key for key in record if key not in shape] + [key for key in shape if key not in record]
    return other + [
        f"{key}={record[key]!r}"
        for key, kinds in shape.items()
        if key in record and type(record[key]) not in (kinds if isinstance(kinds, tuple) else (kinds,))
    ]

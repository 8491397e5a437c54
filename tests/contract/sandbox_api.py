"""A client of the sandbox without a network: each request goes straight into the application."""

import asyncio

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
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def client(app: Starlette, headers: dict[str, str] | None = None) -> httpx.Client:
    """A client with the sandbox's usual token, or with ``headers`` instead."""
    usual = {"Authorization": "Bearer sandbox-token"}
    return httpx.Client(
        transport=_Direct(app), base_url="http://testserver", headers=usual if headers is None else headers
    )

"""Runs the sandbox: blocking, in a thread, or in a process of its own that ends when its parent does."""

import json
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from types import TracebackType
from typing import IO, Self

import uvicorn

from pipeline.errors import TollbookError
from pipeline.provider.app import DEFAULT_TOKEN, create_app
from pipeline.provider.gate import CORE
from pipeline.provider.world import World, WorldConfig

START_SECONDS = 60
STOP_SECONDS = 5


class SandboxError(TollbookError):
    """The sandbox provider could not be started."""


def serve(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str = DEFAULT_TOKEN,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serves until interrupted. Port 0 takes a free one; ``on_ready`` is told the API's URL once it answers."""
    # The server takes Ctrl-C for itself first, and closes what is open; then it hands it on.
    with _listening(host, port) as listener, suppress(KeyboardInterrupt):
        _Server(world, token, lambda: on_ready and on_ready(_url(listener))).run([listener])


def _listening(host: str, port: int) -> socket:
    listener = socket(AF_INET, SOCK_STREAM)
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SandboxError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another port, or 0"
        ) from error
    return listener


def _url(listener: socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}{CORE}"


class _Server(uvicorn.Server):
    """A quiet server that says when it is ready."""

    def __init__(self, world: World, token: str, ready: Callable[[], object]) -> None:
        # Faults make the server complain about itself; nobody is interested.
        super().__init__(
            uvicorn.Config(
                create_app(world, token),
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Starts, then tells."""
        await super().startup(sockets)
        self._ready()


@dataclass
class Background(AbstractContextManager["Background"]):
    """A running sandbox. ``url`` is the API's base, ``admin_url`` that of the sandbox's own switches."""

    url: str
    _stop: Callable[[], None]

    @property
    def admin_url(self) -> str:
        """Base of ``/truth``, ``/clock``, ``/faults`` and ``/requests``."""
        return self.url.removesuffix(CORE) + "/sandbox"

    def stop(self) -> None:
        """Ends it; more than once does no harm."""
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_background(
    world: World | WorldConfig, token: str = DEFAULT_TOKEN, port: int = 0, process: bool = True
) -> Background:
    """Starts the sandbox on loopback and returns once it answers.

    ``process`` True gives it a process of its own, made from the configuration alone; False a thread, which serves
    the very ``World`` that was given.
    """
    if process:
        return _in_process(world.config if isinstance(world, World) else world, token, port)
    return _in_thread(world if isinstance(world, World) else World(world), token, port)


def _in_thread(world: World, token: str, port: int) -> Background:
    listener = _listening("127.0.0.1", port)
    ready = threading.Event()
    server = _Server(world, token, ready.set)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    if not ready.wait(START_SECONDS):
        raise SandboxError(f"the sandbox did not start within {START_SECONDS} seconds")
    url = _url(listener)

    def stop() -> None:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        listener.close()

    return Background(url, stop)


def _in_process(config: WorldConfig, token: str, port: int) -> Background:
    root = str(Path(__file__).resolve().parents[2])
    program = [sys.executable, "-m", "pipeline.provider", "--port", str(port), "--child", *config.flags()]
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, text=True)  # noqa: S603
    assert child.stdin is not None
    assert child.stdout is not None
    # The token goes through the pipe: a command line can be read by everybody. The open pipe is also how the child
    # knows that we live.
    child.stdin.write(token + "\n")
    child.stdin.flush()
    url = _first_line(child, child.stdout)

    def stop() -> None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()

    return Background(url, stop)


def _first_line(child: subprocess.Popen, out: IO[str]) -> str:
    """The URL that the child announces."""
    ready, _, _ = select.select([out], [], [], START_SECONDS)
    line = out.readline() if ready else ""
    if not line:
        child.kill()
        child.wait()
        raise SandboxError("the sandbox process did not start; run `python -m pipeline.provider` to see why")
    return str(json.loads(line)["url"])

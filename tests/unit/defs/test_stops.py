"""Whether somebody said stop, whoever caught the signal."""

import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from pipeline.defs.stops import noticed


@pytest.fixture(autouse=True)
def swallowed() -> Iterator[None]:
    """As Dagster and DuckDB have it: a handler that keeps the signal to itself."""

    def nothing(_number: int, _frame: FrameType | None) -> None:
        pass

    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.signal(number, nothing) for number in caught}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        pytest.param([signal.SIGINT], True, id="Ctrl-C"),
        pytest.param([signal.SIGTERM], True, id="the system"),
        pytest.param([signal.SIGUSR1, signal.SIGINT], True, id="after something else"),
        pytest.param([signal.SIGUSR1], False, id="something else"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_a_stop_is_noticed_though_its_handler_keeps_silent(sent: list[signal.Signals], heard: bool) -> None:
    with noticed() as stopped:
        for number in sent:
            os.kill(os.getpid(), number)

        assert (stopped(), stopped()) == (heard, heard)


def test_what_listened_before_listens_again() -> None:
    with noticed() as outer:
        with noticed():
            pass
        os.kill(os.getpid(), signal.SIGINT)

        assert outer()


def test_a_thread_hears_of_no_stop() -> None:
    heard: list[bool] = []

    def listen() -> None:
        with noticed() as stopped:
            heard.append(stopped())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()

    assert heard == [False]

"""One clock for all requests of a client: it cuts the one that is late, however many were in time before."""

import threading
import time
from collections.abc import Callable
from typing import Any

from pipeline.pull.wire import Line


def clocks(line: Line) -> int:
    """How many threads watch over it."""
    targets = [getattr(thread, "_target", None) for thread in threading.enumerate()]
    return sum(getattr(target, "__self__", None) is line for target in targets)


def comes(what: Callable[[], bool]) -> bool:
    """Whether something becomes true; far later than it should, it is taken to be false."""
    return any(what() or time.sleep(0.01) for _ in range(1000))


class Stream:
    """A connection that counts how often it is cut."""

    def __init__(self, line: Line) -> None:
        self.cuts = 0
        line.trace("connection.connect_tcp.complete", {"return_value": self})

    def get_extra_info(self, _what: str) -> Any:
        self.cuts += 1
        raise OSError("closed already")


def test_many_requests_have_one_clock() -> None:
    line = Line()
    for _ in range(50):
        with line.limited(60) as late:
            assert not late.is_set()
    assert clocks(line) == 1
    line.close()


def test_the_one_that_is_late_is_told_so() -> None:
    line = Line()
    for _ in range(5):
        with line.limited(0.05):
            pass
    with line.limited(0.05) as late:
        assert late.wait(60)
    with line.limited(60) as next_one:
        assert not next_one.is_set()
    line.close()


def test_a_shorter_limit_is_not_overslept() -> None:
    line = Line()
    with line.limited(3600):
        pass
    with line.limited(0.05) as late:
        assert late.wait(60)
    line.close()


def test_a_request_that_is_late_after_one_that_was_not() -> None:
    line = Line()
    with line.limited(0.01):
        pass
    with line.limited(0.1) as late:
        assert late.wait(60)
    line.close()


def test_a_request_that_ended_in_time_is_never_late() -> None:
    line = Line()
    stream = Stream(line)
    with line.limited(0.05) as late:
        pass
    assert comes(lambda: clocks(line) == 0)
    assert (late.is_set(), stream.cuts) == (False, 0)


def test_a_late_request_is_cut_once() -> None:
    line = Line()
    stream = Stream(line)
    with line.limited(0.05) as late:
        assert late.wait(60)
        assert comes(lambda: clocks(line) == 0)
    assert stream.cuts == 1


def test_a_connection_that_opens_too_late_is_cut() -> None:
    line = Line()
    with line.limited(0.05) as late:
        early = Stream(line)
        assert early.cuts == 0
        assert late.wait(60)
        assert Stream(line).cuts == 1
    line.close()


def test_a_clock_that_another_has_overtaken_ends() -> None:
    """Of a long limit, a shorter one and a very long one; the last has one clock."""
    line = Line()
    for seconds in (0.4, 0.1):
        with line.limited(seconds):
            pass
    with line.limited(3600):
        assert clocks(line) == 2
        assert comes(lambda: clocks(line) == 1)
    line.close()


def test_a_line_that_is_closed_has_no_clock() -> None:
    line = Line()
    with line.limited(3600):
        assert clocks(line) == 1
        line.close()
        assert comes(lambda: clocks(line) == 0)

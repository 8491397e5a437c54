"""One clock for all requests of a client: it cuts the one that is late, however many were in time before."""

import threading

from pipeline.pull.wire import Line


def clocks() -> int:
    return sum(thread.name.endswith("(_watch)") for thread in threading.enumerate())


def test_many_requests_have_one_clock() -> None:
    line, before = Line(), clocks()
    for _ in range(50):
        with line.limited(60) as late:
            assert not late.is_set()
    assert clocks() == before + 1
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

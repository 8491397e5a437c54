"""Whether somebody said stop, with Ctrl-C or as the system does, whoever caught the signal.

Dagster takes a signal for the failure of the step that it meets, and the library below a step may make an error of its
own of it: either would let the next job begin, and bill what was landed by half. Python itself writes each signal into
a pipe, before any handler is asked. Nothing of Dagster is imported here, for the command line asks as well.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Stopped = Callable[[], bool]
_STOPS = {signal.SIGINT, signal.SIGTERM}
_MANY = 4096


def never() -> bool:
    """Nobody can say stop here."""
    return False


@contextmanager
def noticed() -> Iterator[Stopped]:
    """Within the block, says whether somebody has said stop since it began. Only the main thread hears of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield never
        return
    heard: set[int] = set()
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    os.set_blocking(sender, False)

    def stopped() -> bool:
        with suppress(BlockingIOError):
            heard.update(os.read(receiver, _MANY))
        return not heard.isdisjoint(_STOPS)

    before = signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    try:
        yield stopped
    finally:
        signal.set_wakeup_fd(before)
        os.close(receiver)
        os.close(sender)

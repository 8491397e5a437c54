"""The command line, thin: it parses, presses a button of the desk, and shows what came of it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped with Ctrl-C. Errors that tollbook raises on purpose print as
one message without a traceback. Nothing heavy is imported before a command needs it: ``--help`` answers at once.
"""

import errno
import os
import sys
from io import TextIOWrapper
from typing import NoReturn

from pipeline.cli.app import app
from pipeline.defs.stops import noticed
from pipeline.errors import TollbookError

# Each module registers its commands on the app.
from pipeline.cli import journey, home, desk, money  # noqa: F401  isort: skip
from pipeline.cli import plans, plansimport, plansassign, plansexport  # noqa: F401  isort: skip
from pipeline.cli import quote, explain, whatif, suspense, lookup, listen, ask, report, account  # noqa: F401  isort: skip
from pipeline.cli import fraud  # noqa: F401  isort: skip


_STOPPED = 130
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_ELSEWHERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS}


def main() -> None:
    """Entry point of ``tollbook``."""
    _fit_streams()
    with noticed() as stopped:
        try:
            app()
        except TollbookError as error:
            _fail(error, error.exit_code)
        except BrokenPipeError:
            sys.exit(0)
        except SystemExit as end:
            if end.code == _STOPPED:
                _say_stopped()
            raise
        except Exception as error:
            # A query that Ctrl-C ends is an error of its library.
            if stopped():
                _say_stopped()
                sys.exit(_STOPPED)
            if isinstance(error, OSError) and error.errno in _FULL | _ELSEWHERE:
                _fail(_refused(error), 1)
            raise


def _fit_streams() -> None:
    """A stream that was closed leads nowhere; what an encoding cannot hold is printed as escapes."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  as long as the process
        elif isinstance(stream, TextIOWrapper) and mode == "w" and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _say_stopped() -> None:
    sys.stderr.write("stopped; what was committed stays, the next run goes on from there\n")


def _refused(error: OSError) -> TollbookError:
    """What the file system refused, be it a file of ours or where the output goes."""
    where = error.filename or "here, or where the output goes"
    remedy = "Make room and try again" if error.errno in _FULL else "Name another place, or mend that one"
    return TollbookError(f"cannot work on {where}: {error.strerror}. {remedy}; what was committed stays.")


def _fail(error: Exception, code: int) -> NoReturn:
    from pipeline.cli.show import fail

    fail(error)
    sys.exit(code)

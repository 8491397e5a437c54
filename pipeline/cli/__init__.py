"""The command line, thin: it parses, presses a button of the desk, and shows what came of it.

Exit codes: 0 done, 1 failed, 2 wrong usage. Errors that tollbook raises on purpose print as one message without a
traceback. Nothing heavy is imported before a command needs it, so that ``--help`` answers at once.
"""

import sys

from pipeline.cli.app import app
from pipeline.errors import TollbookError

# Each module registers its commands on the app.
from pipeline.cli import journey, home, desk, money  # noqa: F401  isort: skip
from pipeline.cli import plans, plansimport, plansassign, plansexport  # noqa: F401  isort: skip
from pipeline.cli import quote, explain, whatif, suspense, lookup, listen, ask, report, account  # noqa: F401  isort: skip
from pipeline.cli import fraud  # noqa: F401  isort: skip


def main() -> None:
    """Entry point of ``tollbook``."""
    try:
        app()
    except TollbookError as error:
        from pipeline.cli.show import fail

        fail(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; what was committed stays, the next run goes on from there\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)

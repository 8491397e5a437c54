"""``python -m tests.spec [CHAPTER ...]`` prints how records are rated, by chapter: prefix, steps, windows ..."""

import sys
from contextlib import redirect_stdout

from tests.spec.pages import pages

if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        text = pages(sys.argv[1:])
    sys.stdout.write(text + "\n")

"""``python -m tests.spec [CHAPTER ...]`` prints how records are rated, by chapter: prefix, steps, windows ..."""

import argparse
import sys
from contextlib import redirect_stdout

from tests.spec.pages import HERE, pages

if __name__ == "__main__":
    known = sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py"))
    parser = argparse.ArgumentParser(prog="python -m tests.spec", description="Prints how records are rated.")
    parser.add_argument("chapter", nargs="*", help=f"some of {', '.join(known)}; default: all")
    asked = parser.parse_args()
    if unknown := set(asked.chapter) - set(known):
        parser.error(f"there is no chapter {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with redirect_stdout(sys.stderr):
        text = pages(asked.chapter)
    sys.stdout.write(text + "\n")

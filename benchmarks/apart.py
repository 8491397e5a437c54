"""What the benchmarks share: what is measured runs in a process of its own, so that nothing before it counts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def child(script: str, *arguments: object) -> Any:
    """What a script prints as JSON when it is run with these arguments; what it says beside that is shown."""
    command = [sys.executable, script, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout or "{}")


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that is gone afterwards."""
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)

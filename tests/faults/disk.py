"""A home on a disk that fills up, or takes nothing more, or fails in the middle of the work.

``python -m tests.faults.disk full read-only broken failing``, or some of these, prints what each run said, and in the
end compares each home with the provider. A run that ends other than well or with an error of ours is a failure. The
first two mount a disk of their own, so they need ``unshare --mount --map-root-user`` before them. The third needs root
itself: its disk is a file that the kernel is told to find an error on while a pull is at work, and from then on it
takes nothing more. In the last every call that writes fails once.
"""

import errno
import gc
import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import TollbookError
from pipeline.provider.server import start_background
from pipeline.shipped import shipped
from tests.faults import pull_kill
from tests.faults.pull_kill import DAY_3, WORLD
from tests.fixtures.forks import make_ready
from tests.journey.house import TOKEN, Provider

_KB = 1024
_ENOUGH, _STEP = 64 * _KB, 160
ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES)
# Every way by which this program writes; the nth call fails, and each one after it, until the process ends.
SITES = (
    "os:open", "os:replace", "os:rename", "os:link", "os:fsync", "os:mkdir", "os:unlink", "io:open",
    "pyarrow.parquet:write_table",
)  # fmt: skip
_NTH = (1, 4, 12)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)


def attempt(work: Callable[[], None], said: Path) -> tuple[int, str]:
    """Runs work in a process of its own: 0 is well, 1 an error of ours, 70 anything else; and what it said."""
    with said.open("w+") as told:
        pid = os.fork()
        if not pid:
            os._exit(_code(work, told))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told.seek(0)
        return code, told.read()


def _code(work: Callable[[], None], told: TextIO) -> int:
    try:
        work()
    except TollbookError as error:
        told.write(str(error))
        return 1
    except BaseException:  # noqa: BLE001 - a forked worker must say why it ends, whatever it is
        told.write(traceback.format_exc())
        return 70
    finally:
        told.flush()
    return 0


def run(home: Path, url: str) -> None:
    """A pull, and what shows it."""
    pull_kill.pull(home, url, DAY_3)
    pull_kill.publish(home, url, DAY_3)


def fill(home: Path, url: str, said: Path) -> list[str]:
    """Runs until one comes through, on a disk that is a little larger each time."""
    told: list[str] = []
    room = os.statvfs(home)
    size = (room.f_blocks - room.f_bfree) * room.f_frsize // _KB
    while size < _ENOUGH:
        size += max(_STEP, size // 8)
        mount("-o", f"remount,size={size}k", home)
        code, text = attempt(partial(run, home, url), said)
        assert code in (0, 1), text
        if code == 0:
            break
        told.append(text)
    return told


def freeze(home: Path, url: str, said: Path) -> list[str]:
    """Half of the work, then a disk that takes nothing more, then the rest."""
    code, text = attempt(partial(pull_kill.pull, home, url, pull_kill.DAY_2), said)
    assert code == 0, text
    mount("-o", "remount,ro", home)
    code, text = attempt(partial(run, home, url), said)
    assert code == 1, text
    mount("-o", "remount,rw", home)
    again = attempt(partial(run, home, url), said)
    assert again == (0, ""), again
    return [text]


def broken(home: Path, url: str, said: Path) -> list[str]:
    """A disk that takes nothing more from the nth file on that a pull makes durable; then it is whole again."""
    told = []
    for nth in (2, 30):
        code, text = attempt(partial(_breaking, nth, home, partial(run, home, url)), said)
        assert code == 1, text
        told.append(text)
        umount(home)
        subprocess.run(["e2fsck", "-fy", _image(home)], check=False, capture_output=True)
        mount("-o", "loop,errors=remount-ro", _image(home), home)
    again = attempt(partial(run, home, url), said)
    assert again == (0, ""), again
    return told


def _breaking(nth: int, home: Path, work: Callable[[], None]) -> None:
    """Work in the middle of which the kernel finds an error on the disk."""
    fsync, calls = os.fsync, itertools.count(1)
    device = subprocess.run(["findmnt", "-no", "SOURCE", home], check=True, capture_output=True, text=True)
    trigger = Path("/sys/fs/ext4", Path(device.stdout.strip()).name, "trigger_fs_error")

    def then_break(descriptor: int) -> None:
        fsync(descriptor)
        if next(calls) == nth:
            trigger.write_text("1")

    os.fsync = then_break
    work()


def _image(home: Path) -> Path:
    return home.with_name("image")


def own_disk(home: Path, mode: str) -> None:
    """An empty disk at ``home``: memory, or a file with a file system that becomes read-only where it has an error."""
    if mode != "broken":
        mount("-t", "tmpfs", "-o", f"size={_ENOUGH}k", "tmpfs", home)
        return
    with _image(home).open("wb") as image:
        image.truncate(_ENOUGH * _KB)
    subprocess.run(["mkfs.ext4", "-q", _image(home)], check=True, capture_output=True)
    mount("-o", "loop,errors=remount-ro", _image(home), home)


def umount(home: Path) -> None:
    subprocess.run(["umount", str(home)], check=True)


def failing(home: Path, url: str, said: Path) -> list[str]:
    """Each way of writing fails, sooner and later; a home that came through begins anew."""
    told = []
    for number, (site, nth) in enumerate((site, nth) for site in SITES for nth in _NTH):
        error = ERRORS[number % len(ERRORS)]
        code, text = attempt(partial(_failing, site, nth, error, partial(run, home, url)), said)
        assert code in (0, 1), text
        if code:
            told.append(f"{site} {text}")
        else:
            for name in ("files", "lake", "ledger.db", "tollbook.duckdb"):
                path = home / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    again = attempt(partial(run, home, url), said)
    assert again == (0, ""), again
    return told


def _failing(site: str, nth: int, error: int, work: Callable[[], None]) -> None:
    """Work in which the nth call of a function, and each one after it, fails."""
    module, _, name = site.partition(":")
    owner = importlib.import_module(module)
    function, calls = getattr(owner, name), itertools.count(1)

    def failing(*args: Any, **kwargs: Any) -> Any:
        if _writes(name, args, kwargs) and next(calls) >= nth:
            raise OSError(error, os.strerror(error), str(args[0]))
        return function(*args, **kwargs)

    setattr(owner, name, failing)
    work()


def _writes(name: str, args: tuple, kwargs: dict) -> bool:
    if name != "open":
        return True
    how = args[1] if len(args) > 1 else kwargs.get("mode", "r")
    return bool(how & _WRITING) if isinstance(how, int) else any(letter in how for letter in "wax+")


MODES = {"full": fill, "read-only": freeze, "broken": broken, "failing": failing}


def main() -> None:
    """The modes that are asked for, one after the other."""
    make_ready(pull_kill._LOADED)
    with start_background(WORLD, TOKEN) as background:
        provider = Provider(background)
        provider.set_clock(DAY_3.isoformat())
        told = {mode: suffer(mode, provider) for mode in sys.argv[1:]}
    gc.unfreeze()
    sys.stdout.write(json.dumps(told) + "\n")


def suffer(mode: str, provider: Provider) -> list[str]:
    """What the runs said on a disk of this kind; in the end the home holds what the provider lists."""
    work = MODES[mode]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home, said = folder / "home", folder / "said"
        home.mkdir()
        if work is not failing:
            own_disk(home, mode)
        try:
            shutil.copytree(shipped("data", "masters"), home / "masters")
            told = work(home, provider.url, said)
            held = folder / "held.json"
            code, text = attempt(partial(pull_kill._tell, home, held), said)
            assert code == 0, text
            pull_kill.check(json.loads(held.read_text()), provider)
        finally:
            if work is not failing:
                umount(home)
    return told


if __name__ == "__main__":
    began = time.monotonic()
    main()
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")

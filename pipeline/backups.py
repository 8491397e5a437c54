"""A home in one file, and back: the ledger as it stands, the data files it names, masters, documents and settings.

The backup is taken under the home's lock, so ledger and files belong together; it is written beside its name and
renamed when it is whole. Everything in it is listed with its SHA-256, and a restored home is checked against that list
before it gets its name: half a home never looks like one. Files and folders come back with their permissions, which
keep bills and mails private. ``.env`` stays out: secrets are not for archives. What can be made again
(``tollbook.duckdb``, logs, files that were replaced) is left out too.
"""

import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pipeline.desk import Desk
from pipeline.errors import HomeError
from pipeline.lake.disk import sha256_of, whole
from pipeline.lake.tables import TABLES
from pipeline.ledger.snapshot import snapshot
from pipeline.settings import MARKER

_MANIFEST = "backup.json"
_LEDGER = "ledger.db"
_FOLDERS = ("masters", "templates", "documents", "outbox", "rate_sheets", "lake")


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup holds."""

    path: Path
    files: int
    bytes: int
    with_ledger: bool


def back_up(desk: Desk, target: Path) -> Saved:
    """Writes the home into the tar file ``target``.

    Raises:
        HomeError: the file exists, or cannot be written.
    """
    if target.exists():
        msg = f"{target} exists; name a new file."
        raise HomeError(msg)
    with desk.locked():
        try:
            with whole(target) as part:
                entries = _write(desk, part)
        except OSError as error:
            msg = (
                f"{error.filename}: {error.strerror}. The backup {target} was not made; name a file in a folder "
                "that is there and has room for the home."
            )
            raise HomeError(msg) from None
    size = sum(entry["bytes"] for entry in entries.values())
    return Saved(target, len(entries), size, _LEDGER in entries)


def restore(source: Path, folder: Path) -> Saved:
    """Makes the home ``folder`` from a backup, after checking every byte of it.

    Raises:
        HomeError: the folder is not empty, or the backup is damaged; nothing is left behind then.
    """
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        msg = f"{folder} is not empty. Name a new folder: a restored home never mixes with another."
        raise HomeError(msg)
    part = folder.with_name(folder.name + ".restoring")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(mode=0o700, parents=True)
        with tarfile.open(source) as archive:
            archive.extractall(part, filter=_as_it_was)  # noqa: S202  harmless: see there
        entries = _checked(source, part)
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except (OSError, tarfile.TarError) as error:
        shutil.rmtree(part, ignore_errors=True)
        msg = f"{source} cannot be restored ({error}). Take another backup; {folder} was not made."
        raise HomeError(msg) from None
    except HomeError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return Saved(folder, len(entries), sum(entry["bytes"] for entry in entries.values()), _LEDGER in entries)


def _as_it_was(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """What is harmless to unpack, with the permissions that it had."""
    return tarfile.data_filter(member, folder).replace(mode=member.mode & 0o777, deep=False)


def _write(desk: Desk, part: Path) -> dict[str, dict]:
    home = desk.settings.home
    entries: dict[str, dict] = {}
    part.chmod(0o600)
    with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
        paths = list(_contents(desk))
        for folder in _folders(home, paths):
            archive.add(folder, folder.relative_to(home).as_posix(), recursive=False)
        for path in paths:
            name = path.relative_to(home).as_posix()
            entries[name] = _described(path)
            archive.add(path, name, recursive=False)
        copy = part.with_name(f"{part.name}.ledger")
        try:
            if snapshot(desk.ledger, copy):
                entries[_LEDGER] = _described(copy)
                archive.add(copy, _LEDGER)
        finally:
            copy.unlink(missing_ok=True)
        manifest = {"made_at": desk.now.isoformat(), "files": entries}
        text = json.dumps(manifest, indent=1, sort_keys=True).encode()
        info = tarfile.TarInfo(_MANIFEST)
        info.size, info.mode, info.mtime = len(text), 0o600, int(desk.now.timestamp())
        archive.addfile(info, BytesIO(text))
    return entries


def _contents(desk: Desk) -> Iterator[Path]:
    home = desk.settings.home
    yield from (home / name for name in (MARKER, ".gitignore") if (home / name).is_file())
    yield from sorted(file.path for table in TABLES for file in desk.lake.files(table.name))
    for name in _FOLDERS:
        yield from sorted(
            path for path in (home / name).rglob("*") if path.is_file() and not path.is_symlink()
        )


def _folders(home: Path, paths: Iterable[Path]) -> list[Path]:
    """The home and every folder of it that is saved, be it empty."""
    named = [home / name for name in _FOLDERS if (home / name).is_dir()]
    held = {parent for path in paths for parent in path.parents if parent.is_relative_to(home)}
    return sorted({home, *named, *held})


def _checked(source: Path, part: Path) -> dict[str, dict]:
    try:
        entries: dict[str, dict] = json.loads((part / _MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        msg = f"{source} is no backup of a home, or it was cut short. Take another."
        raise HomeError(msg) from None
    (part / _MANIFEST).unlink()
    wrong = [
        name
        for name, entry in entries.items()
        if not (part / name).is_file() or _described(part / name) != entry
    ]
    if wrong:
        msg = f"{source} is damaged: {wrong[0]} is not what was saved ({len(wrong)} in all). Take another backup."
        raise HomeError(msg)
    return entries


def _described(path: Path) -> dict:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}

"""Files on disk: durable, hashed, under two names."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Makes a file or the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def quoted(text: Path | str) -> str:
    """A path, or any text, inside a SQL literal."""
    return str(text).replace("'", "''")


def parquets(folder: Path) -> list[Path]:
    """Every Parquet file below a folder."""
    return sorted(folder.rglob("*.parquet")) if folder.is_dir() else []


def prune(folder: Path, root: Path) -> None:
    """Removes folders that have become empty, up to ``root``."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def link(path: Path, name: Path) -> None:
    """A second name for a file."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, name)
    except OSError:
        # A file system without hard links: the second name is a copy.
        temporary = name.with_suffix(".tmp")
        shutil.copy2(path, temporary)
        temporary.replace(name)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which gets its name when the block ends and is gone where it fails.

    What is there already stays until then, and its permissions remain. A pipe or a device is written to as it is.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = path.resolve()
    making = target.with_name(f".{target.name}.making")
    try:
        making.touch()
        if target.exists():
            shutil.copymode(target, making)
        yield making
        making.replace(target)
    except OSError as error:
        if error.filename in (None, str(making)):
            error.filename = str(path)
        raise
    finally:
        making.unlink(missing_ok=True)


def write_private(path: Path, content: bytes) -> Path:
    """Writes a file whole or not at all, which only its owner may read."""
    with whole(path) as making:
        making.chmod(0o600)
        making.write_bytes(content)
    return path


def replace_text(target: Path, text: str) -> None:
    """Puts a text in place at once."""
    with whole(target) as making:
        making.write_text(text, encoding="utf-8")

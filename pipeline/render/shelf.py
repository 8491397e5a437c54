"""The folder of one invoice: ``<home>/documents/<invoice_sid>/``.

Files appear whole or not at all (temporary name, fsync, rename). ``manifest.json`` is written last and says what is
there: who made it (draft or issued), from what, and each file's size and SHA-256. A folder without one is unfinished.
Names come from our own ids only.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RenderError

HTML, PDF, CALLS, MESSAGES, EMAIL = "invoice.html", "invoice.pdf", "calls.csv", "messages.csv", "email.json"
CALLS_PARQUET, MESSAGES_PARQUET, CHARGES = "calls.parquet", "messages.parquet", "charges.csv"
MANIFEST = "manifest.json"
_OUR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a shelf."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a shelf holds. ``inputs`` is the fingerprint of the rows and templates that a draft was made from.

    ``no_einvoice`` says why there is no e-invoice among the files.
    """

    draft: bool
    inputs: str
    made_at: str
    files: Mapping[str, Kept]
    no_einvoice: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents of one invoice."""

    folder: Path

    @classmethod
    def of(cls, home: Path, invoice_sid: str) -> "Shelf":
        """Raises RenderError where the sid could not be a folder's name."""
        if not _OUR_ID.match(invoice_sid):
            msg = f"invoice_sid {invoice_sid!r} is not one of ours; nothing was written. Check the ledger."
            raise RenderError(msg)
        return cls(home / "documents" / invoice_sid)

    def manifest(self) -> Manifest | None:
        """What is there; None where nothing was finished."""
        try:
            read = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            files = {name: Kept(kept["bytes"], kept["sha256"]) for name, kept in read["files"].items()}
            return Manifest(
                read["draft"], read["inputs"], read["made_at"], files, read.get("no_einvoice", "")
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def lacks(self, manifest: Manifest) -> set[str]:
        """Files that the manifest names and that are missing or of another size."""
        return {name for name, kept in manifest.files.items() if self._size(name) != kept.bytes}

    def keep(self, name: str, content: bytes) -> Kept:
        """Writes a file whole."""
        temporary = self.temporary(name)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        return self.put(temporary, name, Kept(len(content), hashlib.sha256(content).hexdigest()))

    def put(self, temporary: Path, name: str, kept: Kept) -> Kept:
        """Gives a written and synced temporary file its name."""
        temporary.chmod(_PRIVATE_FILE)
        temporary.replace(self.folder / name)
        return kept

    def temporary(self, name: str) -> Path:
        """Where a file is written before it gets its name."""
        self.folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        return self.folder / f".{name}.tmp"

    def finish(self, manifest: Manifest) -> None:
        """Writes the manifest and removes what it does not name."""
        files = {name: {"bytes": kept.bytes, "sha256": kept.sha256} for name, kept in manifest.files.items()}
        content = {
            "draft": manifest.draft,
            "files": files,
            "inputs": manifest.inputs,
            "made_at": manifest.made_at,
            "no_einvoice": manifest.no_einvoice,
        }
        self.keep(MANIFEST, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
        # A name that is lost with the power all the same is missed by ``lacks``, and its file made again.
        _sync(self.folder)
        for path in self.folder.iterdir():
            if path.name not in files and path.name != MANIFEST and path.is_file():
                path.unlink()

    def _size(self, name: str) -> int:
        try:
            return (self.folder / name).stat().st_size
        except OSError:
            return -1


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

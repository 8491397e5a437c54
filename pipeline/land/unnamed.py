"""What a process lays aside on disk for itself: a temporary file that has no name and goes with the process.

It lies where temporary files lie (``TMPDIR``) and nobody else can open it. It is read, never mapped: mapped pages are
memory of the process too.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.errors import LakeError


@dataclass(slots=True)
class Unnamed:
    """Bytes, one after another; there is no file before the first of them."""

    size: int = 0
    _disk: int | None = field(default=None, repr=False)

    def append(self, data: memoryview) -> tuple[int, int]:
        """Adds bytes; from where on they lie, and how many they are.

        Raises:
            LakeError: there is no room for them; then none of them is there.
        """
        begin = self.size
        try:
            if self._disk is None:
                with tempfile.TemporaryFile() as unnamed:
                    self._disk = os.dup(unnamed.fileno())
            while data:
                written = os.pwrite(self._disk, data, self.size)
                self.size, data = self.size + written, data[written:]
        except OSError as error:
            self.size = begin
            msg = (
                f"cannot write to {tempfile.gettempdir()}: {error.strerror}. Nothing was committed; make room or give "
                "permission there, or name another folder in TMPDIR, and run again."
            )
            raise LakeError(msg) from error
        return begin, self.size - begin

    def read(self, begin: int, size: int) -> bytes:
        """So many bytes from there on."""
        assert self._disk is not None
        return os.pread(self._disk, size, begin)

    def clear(self) -> None:
        """Drops what there is, and gives its room back."""
        disk, self._disk, self.size = self._disk, None, 0
        if disk is not None:
            with suppress(OSError):
                os.close(disk)

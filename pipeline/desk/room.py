"""An open home: its settings, its stores, its lock, and the provider it belongs to."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pipeline.domain.cursor import FEEDS
from pipeline.errors import BusyError, HomeError, SettingsError
from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.ledger.ledger import Ledger
from pipeline.masters.files import read_masters
from pipeline.masters.model import Masters
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.pull.client import Client
    from pipeline.pull.oauth import Grant

Progress = Callable[[str], None]
_REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


def quiet(_text: str) -> None:
    """Progress that nobody watches."""


@dataclass(slots=True)
class Room:
    """An open home. ``now`` is the one instant that everything in this run is dated by."""

    settings: Settings
    ledger: Ledger
    lake: Lake
    masters: Masters
    now: datetime
    progress: Progress = quiet
    root_sid: str | None = None
    _locks: int = field(default=0, repr=False)

    @classmethod
    def open(cls, settings: Settings, *, now: datetime, progress: Progress = quiet) -> Self:
        """Opens the home of these settings.

        Raises:
            HomeError: it cannot be written to.
            MasterError: its master files are wrong.
        """
        _writable(settings)
        ledger = Ledger.open(settings.ledger_url)
        masters = read_masters(settings.masters)
        room = cls(settings, ledger, Lake(settings.home, ledger), masters, now, progress)
        room.root_sid = ledger.get("partner_sid")
        return room

    @contextmanager
    def locked(self) -> Iterator[Self]:
        """Holds the home: one run works, another says so and leaves. The kernel frees it when a process dies.

        Raises:
            BusyError: another process holds it.
            HomeError: the disk is full, or takes nothing more.
        """
        if self._locks:
            yield self
            return
        path = self.settings.home / ".lock"
        with _told(self.settings.home), path.open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.seek(0)
                who = handle.read().strip() or "unknown"
                msg = f"another run works on {self.settings.home} (process {who}). Try again when it is done."
                raise BusyError(msg) from None
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            self._locks += 1
            try:
                self.lake.sweep(self.now)
                yield self
            finally:
                self._locks -= 1

    @contextmanager
    def provider(self) -> Iterator["Client"]:
        """A client of the provider, checked to be the one that this home belongs to."""
        from pipeline.pull.client import Client
        from pipeline.pull.snapshots import whoami

        with Client(self.settings.api_url, provider_token(self.settings), on_retry=self.progress) as client:
            if self.root_sid is None:
                partner = str(whoami(client)["partner_sid"])
                self.ledger.belongs_to(_identity(client.base_url), partner)
                self.root_sid = partner
            else:
                self.ledger.belongs_to(_identity(client.base_url), self.root_sid)
            yield client

    def root(self) -> str:
        """Our own partner_sid.

        Raises:
            HomeError: nothing has been pulled yet.
        """
        if self.root_sid is None:
            msg = "this home has not pulled anything yet. Run `tollbook pull` (or `tollbook run`) first."
            raise HomeError(msg)
        return self.root_sid

    def landed_days(self) -> list[date]:
        """Every UTC day that has landed records."""
        files = [f for feed in FEEDS for f in self.lake.files(f"land/{feed.resource}")]
        return sorted({label_day(f.label) for f in files})

    def publish(self) -> None:
        """Shows the last commit to everybody who asks in SQL."""
        from pipeline.invoice.suspense import export_rulings
        from pipeline.measure.exchange import export_exchange_rates
        from pipeline.measure.hints import export_hints
        from pipeline.measure.statement import export_landings

        with self.locked():
            export_landings(self.lake, self.ledger, at=self.now)
            export_rulings(self.lake, self.ledger, self.masters.policy.accepted_unrated, at=self.now)
            export_hints(self.lake, self.ledger, at=self.now)
            export_exchange_rates(self.lake, self.ledger, self.masters.exchange_rates, at=self.now)
            self.lake.publish(self.now)


def provider_token(settings: Settings) -> "str | Grant":
    """The static token, or a grant that fetches and renews one; neither is ever written anywhere.

    Raises:
        SettingsError: the settings have neither.
    """
    from pipeline.pull.oauth import Credentials, Grant

    s = settings
    if s.api_token:
        return s.api_token
    if s.oauth_client_id:
        named = Credentials(s.oauth_client_id, s.oauth_client_secret, s.oauth_username, s.oauth_password)
        return Grant(s.api_url, named)
    msg = (
        "there is no API token. Set TOLLBOOK_API_TOKEN, or api_token in the home's .env file, "
        "or the four TOLLBOOK_OAUTH_* settings."
    )
    raise SettingsError(msg)


def _identity(base_url: str) -> str:
    """The provider's URL as the ledger knows it; a server on this machine is known without its port."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.scheme == "http" else base_url


@contextmanager
def _told(home: Path) -> Iterator[None]:
    """What the file system refuses, said with what to do about it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        msg = (
            f"cannot write to {home}: {error.strerror}. What was committed stays; "
            "make room or give permission, and run again."
        )
        raise HomeError(msg) from error


def _writable(settings: Settings) -> None:
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        msg = (
            f"the home {home} cannot be written to ({error.strerror}). "
            "Make room or give this user write permission, or choose another with TOLLBOOK_HOME."
        )
        raise HomeError(msg) from None

"""The settings of a run, and the only code that reads the environment.

``TOLLBOOK_*`` variables win over ``<home>/.env``, which wins over ``<home>/tollbook.toml``. A home is a folder with a
``tollbook.toml``, found from the working directory upwards or named by ``TOLLBOOK_HOME``: a wrong working directory
must not make a second ledger that sends every invoice again.
"""

import os
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.domain.cursor import HOME_SOURCE
from pipeline.domain.masking import MASKS, OFF
from pipeline.errors import HomeError, SettingsError

PREFIX = "TOLLBOOK_"
MARKER = "tollbook.toml"
_DAGSTER = "DAGSTER_HOME"
_DEFAULT_URL = "https://api.carrierx.com/core/v2"
_DETAIL_ROWS, _ATTACHED_BYTES = 1_000, 2_000_000
_FONE_URL = "https://api.fonedynamics.com/v2"


@dataclass(frozen=True, slots=True)
class Fone:
    """The account of a second provider of messages; ``properties`` are pairs of a property and its partner_sid."""

    url: str
    account_sid: str
    token: str = field(repr=False)
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run needs to know. Secrets are left out of ``repr``.

    ``since`` is where pulled history starts, ``bill_from`` the local date before which nothing is invoiced,
    ``lookback`` what the daily and the closing sweep re-read, ``overlap`` what each poll re-reads.
    ``retain_days`` is how long usage is kept, None for ever; ``store_private`` keeps what people wrote to one another.
    ``detail_rows`` is how many calls and messages a page shows, ``attached_bytes`` how much of them a PDF carries.
    """

    home: Path
    api_url: str = _DEFAULT_URL
    api_token: str = field(default="", repr=False)
    oauth_client_id: str = ""
    oauth_client_secret: str = field(default="", repr=False)
    oauth_username: str = ""
    oauth_password: str = field(default="", repr=False)
    since: datetime | None = None
    bill_from: date | None = None
    lookback: timedelta = timedelta(hours=25)
    overlap: timedelta = timedelta(minutes=15)
    store_private: bool = False
    mask_numbers: str = OFF
    mask_invoices: str = OFF
    detail_rows: int = _DETAIL_ROWS
    attached_bytes: int = _ATTACHED_BYTES
    retain_days: int | None = None
    database_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    from_email: str = ""
    bounces: Path | None = None
    tax_engine: str = ""
    alert_email: str = ""
    alert_webhook: str = field(default="", repr=False)
    callback_secret: str = field(default="", repr=False)
    fone: Fone | None = None
    source: str = HOME_SOURCE

    @property
    def masters(self) -> Path:
        return self.home / "masters"

    @property
    def dagster_home(self) -> Path:
        return self.home / ".dagster"

    @property
    def ledger_url(self) -> str:
        """The ledger's URL: as set, else SQLite in the home."""
        return self.database_url or f"sqlite:///{(self.home / 'ledger.db').resolve()}"


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    help: str
    secret: bool = False


KEYS = (
    _Key("api_url", "Core API base, https://api.carrierx.com/core/v2"),
    _Key("api_token", "a read-only bearer token", secret=True),
    _Key("oauth_client_id", "instead of a token: the OAuth client that asks for one"),
    _Key("oauth_client_secret", "the client's secret", secret=True),
    _Key("oauth_username", "the partner's login"),
    _Key("oauth_password", "the login's password", secret=True),
    _Key("fone_url", "a second provider of messages, Fone Dynamics: https://api.fonedynamics.com/v2"),
    _Key("fone_account_sid", "its account; absent: nothing is pulled from it"),
    _Key("fone_token", "the token of the Fone Dynamics account", secret=True),
    _Key("fone_properties", "whose traffic its properties are: PROPERTY=partner_sid, with commas"),
    _Key("since", "where pulled history starts, for example 2026-01-01"),
    _Key("bill_from", "local date, like 2026-03-01; nothing that ended before it is invoiced"),
    _Key("lookback_hours", "how many hours the daily and the closing sweep re-read; 25"),
    _Key("store_private", "true keeps message text, media links and user data; false"),
    _Key("mask_numbers", "hide_last4 or keep_last4 masks phone numbers that commands print; off"),
    _Key("mask_invoices", "the same for the call detail of invoices; off: a customer sees its own numbers"),
    _Key("detail_rows", "how many calls, and how many messages, an invoice's page shows; 1000"),
    _Key("attached_bytes", "call detail of up to so many bytes lies inside the PDF too; 2000000"),
    _Key("retain_days", "usage older than this many days is deleted once no invoice needs it; absent: never"),
    _Key("callback_secret", "the word in the path of callbacks that `tollbook listen` takes", secret=True),
    _Key("database_url", "PostgreSQL URL; default SQLite in the home", secret=True),
    _Key("smtp_url", "smtp+starttls://user:password@host:587; absent: .eml files in outbox/", secret=True),
    _Key("from_email", "sender of invoices"),
    _Key("bounces", "folder of mails, or a maildir, that bounces come to; read before anything is sent"),
    _Key("tax_engine", "module:function that taxes in the place of masters/taxes.csv; absent: the table"),
    _Key("alert_email", "who is told when a run fails"),
    _Key("alert_webhook", "URL that is told when a run fails", secret=True),
)
_NAMES = {key.name for key in KEYS}
# With one of these in the environment an empty folder is a home too.
_OPENERS = ("API_TOKEN", "OAUTH_PASSWORD")


def find_home(start: Path | None = None) -> Path:
    """The home: ``TOLLBOOK_HOME``, else the nearest folder upwards with a ``tollbook.toml``.

    Raises:
        HomeError: there is none.
    """
    named = os.environ.get(PREFIX + "HOME")
    if named:
        home = Path(named).expanduser()
        if _is_home(home) or any(os.environ.get(PREFIX + name) for name in _OPENERS):
            return home.resolve()
        msg = f"TOLLBOOK_HOME is {home}, but there is no {MARKER}. Run `tollbook init {home}` first."
        raise HomeError(msg)
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if _is_home(folder):
            return folder
    msg = (
        f"no home here: neither {start} nor a folder above it has a {MARKER}. "
        "Change into your home, set TOLLBOOK_HOME, or make one with `tollbook init FOLDER`."
    )
    raise HomeError(msg)


def _is_home(folder: Path) -> bool:
    try:
        return (folder / MARKER).is_file()
    except OSError as error:
        msg = (
            f"the home {folder} cannot be read ({error.strerror}). "
            "Give this user permission, or choose another with TOLLBOOK_HOME."
        )
        raise HomeError(msg) from None


def load(home: Path) -> Settings:
    """The settings of a home.

    Raises:
        SettingsError: one of them cannot be read; the message names it and where it is from.
    """
    values: dict[str, tuple[Any, str]] = {}
    values |= {k: (v, str(home / MARKER)) for k, v in _toml(home / MARKER).items()}
    values |= {k: (v, str(home / ".env")) for k, v in _dotenv(home / ".env").items()}
    environment = {k.removeprefix(PREFIX).lower(): v for k, v in os.environ.items() if k.startswith(PREFIX)}
    values |= {k: (v, f"{PREFIX}{k.upper()}") for k, v in environment.items() if k in _NAMES}
    return _settings(home, {k: v for k, v in values.items() if v[0] not in ("", None)})


def use_home(folder: Path) -> None:
    """Names the home for this process and its children."""
    os.environ[PREFIX + "HOME"] = str(folder.resolve())


def use_dagster_home(folder: Path) -> None:
    """Points Dagster at its own folder in the home, unless the user chose another."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault(_DAGSTER, str(folder))


def who() -> str:
    """The person at the keyboard, for what goes on record."""
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "unknown"


def _settings(home: Path, values: dict[str, tuple[Any, str]]) -> Settings:
    def value(name: str, default: Any = "") -> Any:
        return values[name][0] if name in values else default

    lookback = _read(values, "lookback_hours", _hours)
    attached = _read(values, "attached_bytes", _count)
    return Settings(
        home=home,
        api_url=str(value("api_url", _DEFAULT_URL)),
        api_token=str(value("api_token")),
        oauth_client_id=str(value("oauth_client_id")),
        oauth_client_secret=str(value("oauth_client_secret")),
        oauth_username=str(value("oauth_username")),
        oauth_password=str(value("oauth_password")),
        since=_read(values, "since", _instant),
        bill_from=_read(values, "bill_from", lambda text: date.fromisoformat(str(text))),
        lookback=timedelta(hours=25) if lookback is None else lookback,
        store_private=bool(_read(values, "store_private", _flag)),
        mask_numbers=_read(values, "mask_numbers", _mask) or OFF,
        mask_invoices=_read(values, "mask_invoices", _mask) or OFF,
        detail_rows=_read(values, "detail_rows", _at_least_one) or _DETAIL_ROWS,
        attached_bytes=_ATTACHED_BYTES if attached is None else attached,
        retain_days=_read(values, "retain_days", _at_least_one),
        database_url=str(value("database_url")),
        smtp_url=str(value("smtp_url")),
        from_email=str(value("from_email")),
        bounces=_read(values, "bounces", lambda path: home / Path(path).expanduser()),
        tax_engine=str(value("tax_engine")),
        alert_email=str(value("alert_email")),
        alert_webhook=str(value("alert_webhook")),
        callback_secret=str(value("callback_secret")),
        fone=_fone(values) if "fone_account_sid" in values else None,
    )


def _fone(values: dict[str, tuple[Any, str]]) -> Fone:
    missing = [name for name in ("fone_token", "fone_properties") if name not in values]
    if missing:
        msg = (
            f"fone_account_sid is set and {missing[0]} is not. Set TOLLBOOK_{missing[0].upper()}, or neither."
        )
        raise SettingsError(msg)
    url, account, token = (
        str(values.get(name, (_FONE_URL, ""))[0]) for name in ("fone_url", "fone_account_sid", "fone_token")
    )
    return Fone(url, account, token, _read(values, "fone_properties", _pairs))


def _read(values: dict[str, tuple[Any, str]], name: str, parse: Any) -> Any:
    if name not in values:
        return None
    raw, where = values[name]
    try:
        return parse(raw)
    except (ValueError, TypeError):
        meaning = next(key.help for key in KEYS if key.name == name)
        msg = f"{name} is {raw!r} in {where}: not a value it can have. {name}: {meaning}."
        raise SettingsError(msg) from None


def _hours(value: Any) -> timedelta:
    hours = int(value)
    if hours < 1:
        raise ValueError(value)
    return timedelta(hours=hours)


def _at_least_one(value: Any) -> int:
    if (count := int(value)) < 1:
        raise ValueError(value)
    return count


def _count(value: Any) -> int:
    if (count := int(value)) < 0:
        raise ValueError(value)
    return count


def _mask(value: Any) -> str:
    if value not in MASKS:
        raise ValueError(value)
    return str(value)


def _flag(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if (text := str(value).lower()) not in words:
        raise ValueError(value)
    return words[text]


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    split = [pair.partition("=") for pair in str(value).split(",")]
    pairs = tuple((sid.strip(), partner.strip()) for sid, _, partner in split)
    if not all(sid and partner for sid, partner in pairs) or len(dict(pairs)) < len(pairs):
        raise ValueError(value)
    return pairs


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: {error}. Mend the line it names."
        raise SettingsError(msg) from None
    unknown = sorted(set(found) - _NAMES)
    if unknown:
        msg = f"{path}: unknown setting {', '.join(unknown)}. Known are {', '.join(sorted(_NAMES))}."
        raise SettingsError(msg)
    return found


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        key = name.strip().removeprefix(PREFIX).lower()
        if equals and not name.startswith("#") and key in _NAMES:
            found[key] = value.strip().strip("'\"")
    return found

"""Makes homes: an empty one to go live with, and the demo's.

A new home is never made by accident: only ``init`` and ``demo`` make one, and neither touches what is there.
"""

import shutil
from pathlib import Path

from pipeline.errors import HomeError
from pipeline.settings import KEYS, MARKER
from pipeline.shipped import checkout, shipped

DEMO_SINCE = "2026-03-01"
DEMO_NOW = "2026-04-03T06:00:00+00:00"
DEMO_TOKEN = "sandbox-token"
_DEMO_MARK = "# The demo's home."


def make_home(folder: Path) -> list[Path]:
    """Makes an empty home with commented settings and example masters.

    Raises:
        HomeError: there is a home already, or the folder cannot be written.
    """
    folder = folder.resolve()
    if (folder / MARKER).exists():
        msg = f"{folder} is a home already; `tollbook doctor` says how it is."
        raise HomeError(msg)
    texts = {
        MARKER: _settings_text(),
        ".env": _env_text(),
        ".gitignore": "*\n!masters/\n!masters/**\n!tollbook.toml\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = [_write(folder / name, text) for name, text in texts.items()]
        (folder / ".env").chmod(0o600)
        return made + _empty_masters(folder / "masters")
    except OSError as error:
        msg = f"cannot make a home in {folder}: {error.strerror}. Choose a folder that this user may write."
        raise HomeError(msg) from None


def demo_home() -> Path:
    """Where the demo lives: ``data/demo`` in a clone, else ``tollbook-demo`` in the working directory."""
    clone = checkout()
    return (clone / "data" / "demo") if clone else Path.cwd() / "tollbook-demo"


def make_demo_home(folder: Path, api_url: str, *, fresh: bool) -> None:
    """Makes the demo's home, or brings an existing one up to date with the sandbox's address.

    Raises:
        HomeError: the folder holds something else than a demo.
    """
    marker = folder / MARKER
    ours = marker.is_file() and marker.read_text().startswith(_DEMO_MARK)
    if folder.exists() and not ours and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is not a demo's home. Name another folder with --home."
        raise HomeError(msg)
    try:
        if fresh and ours:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        text = (
            f"{_DEMO_MARK} Made by `tollbook demo`; safe to delete.\n"
            f'api_url = "{api_url}"\napi_token = "{DEMO_TOKEN}"\n'
            f'since = "{DEMO_SINCE}"\nbill_from = "{DEMO_SINCE}"\nfrom_email = "billing@harborcarrier.example.com"\n'
            "# Calls on an invoice's page: not the usual 1,000, so that the demo is quick.\ndetail_rows = 50\n"
        )
        _write(marker, text)
        if not (folder / "masters").exists():
            _copy_masters(shipped("data", "masters"), folder / "masters")
    except OSError as error:
        msg = (
            f"cannot make the demo's home in {folder}: {error.strerror}. Name a writable folder with --home."
        )
        raise HomeError(msg) from None


def _settings_text() -> str:
    lines = ["# Settings of this home. TOLLBOOK_<NAME> in the environment and .env win over this file.", ""]
    for key in KEYS:
        if not key.secret:
            lines += [f"# {key.help}", f'# {key.name} = ""', ""]
    return "\n".join(lines)


def _env_text() -> str:
    lines = ["# Secrets of this home; keep this file to yourself."]
    for key in KEYS:
        if key.secret:
            lines += [f"# {key.help}", f"# TOLLBOOK_{key.name.upper()}="]
    return "\n".join(lines) + "\n"


def _copy_masters(source: Path, target: Path) -> list[Path]:
    shutil.copytree(source, target, dirs_exist_ok=True)
    return sorted(p for p in target.rglob("*") if p.is_file())


def _empty_masters(target: Path) -> list[Path]:
    """Master files to fill in: the tables of facts as shipped, the others with their headers alone."""
    source = shipped("data", "masters")
    (target / "decks").mkdir(parents=True, exist_ok=True)
    made = []
    for name in ("taxes.csv", "policy.toml"):
        text = (source / name).read_text(encoding="utf-8")
        made.append(_write(target / name, text.replace("; the demo's decisions.", ".")))
    for name in _HEADERS:
        header = (source / name).read_text(encoding="utf-8").splitlines()[0]
        made.append(_write(target / name, header + "\n"))
    made.append(_write(target / "sellers.toml", _SELLERS))
    return made


_HEADERS = (
    *("customers.csv", "assignments.csv", "tax_places.csv", "bundles.csv", "tiers.csv", "charges.csv"),
    *("discounts.csv", "commitments.csv", "per_use.csv", "did_prices.csv"),
)
_SELLERS = """\
# Who issues the invoices. One table per seller; customers.csv names it.
# [seller.house]
# name = "Your Company, Inc."
# address = ["1 Main Street", "Springfield, IL 62701", "USA"]
# country = "USA"
# tax_ids = ["EIN 00-0000000"]
# email = "billing@example.com"
# series = "INV"
# remit_to = ["Bank ...", "Account ..."]
# logo = "logo.svg"                 # a file beside this one
"""


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path

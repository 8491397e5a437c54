"""Finds the files that travel with the code: ``sql/``, ``templates/`` and ``data/masters/``.

In a checkout they are top-level folders; a wheel carries them inside the package as ``_shipped``.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """The path of a shipped file or folder, for example ``shipped("sql", "rate", "calls.sql")``."""
    packaged = _PACKAGE / "_shipped"
    root = packaged if packaged.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)


def checkout() -> Path | None:
    """The clone this code runs from, or None when it is installed."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "sql").is_dir() else None

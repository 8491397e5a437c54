"""Turns the report of a stage into metadata, for stages whose report is all there is to show.

Add nothing about one stage here. See https://docs.dagster.io/guides/build/assets/metadata-and-tags.
"""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from pipeline.defs import figures

_MOST = 50


def metadata_of(report: Any) -> dict[str, Any]:
    """Every field that holds something: counts as they are, lists as a count and a table."""
    found: dict[str, Any] = {}
    for field in fields(report):
        value, name = getattr(report, field.name), field.name.replace("_", " ")
        if isinstance(value, bool | int | str) and value != "":
            found[name] = value
        elif isinstance(value, Decimal):
            found[name] = str(value)
        elif isinstance(value, list | tuple | dict) and value:
            items = (
                [f"{k}: {v}" for k, v in value.items()] if isinstance(value, dict) else list(map(str, value))
            )
            found[name] = figures.table([{name: item} for item in items], _MOST)
    return found

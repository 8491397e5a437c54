"""The toll-free codes in the engine's queries are those of the public numbering data."""

import re
from pathlib import Path

import pytest

from pipeline.domain.numbering import is_toll_free_nanp

SQL = Path(__file__).resolve().parents[2] / "sql"
KNOWN = {f"18{n:02d}" for n in range(100) if is_toll_free_nanp(f"18{n:02d}2345678")}


@pytest.mark.parametrize(
    ("query", "prefix"), [("rate/calls", ""), ("rate/steps/special", ""), ("rate/messages", "18")]
)
def test_codes_are_those_of_the_numbering_data(query: str, prefix: str) -> None:
    """The domain asks the numbering data; a query holds a list, and must not fall behind."""
    text = (SQL / f"{query}.sql").read_text(encoding="utf-8")
    (listed,) = re.findall(r" in \(((?:'\d+', )+'\d+')\)\s*then 'toll_free'", text)
    assert {prefix + code for code in re.findall(r"\d+", listed)} == KNOWN

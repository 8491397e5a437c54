"""The toll-free codes in the engine's queries are those of the public numbering data."""

import re
from pathlib import Path

import pytest

from pipeline.domain.numbering import is_toll_free_nanp

SQL = Path(__file__).resolve().parents[2] / "sql"
KNOWN = {f"18{n:02d}" for n in range(100) if is_toll_free_nanp(f"18{n:02d}2345678")}


# The calls' list lies in the macros; that of messages is of the two digits after 18.
LISTS = {"rate/steps/macros": ("", 4), "rate/messages": ("18", 2)}


@pytest.mark.parametrize("query", LISTS)
def test_codes_are_those_of_the_numbering_data(query: str) -> None:
    """The domain asks the numbering data; a query holds a list, and must not fall behind."""
    prefix, width = LISTS[query]
    text = (SQL / f"{query}.sql").read_text(encoding="utf-8")
    (listed,) = re.findall(r" in \(((?:'\d+', )+'\d+')\)\s*then 'toll_free'", text)
    codes = re.findall(r"\d+", listed)
    assert {len(code) for code in codes} == {width}
    assert {prefix + code for code in codes} == KNOWN

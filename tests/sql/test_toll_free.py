"""The toll-free codes in the engine's query are those of the public numbering data."""

import re

from pipeline.domain.numbering import is_toll_free_nanp
from pipeline.lake.views import sql_text


def test_codes_are_those_of_the_numbering_data() -> None:
    """The domain asks the numbering data; the query holds a list, and must not fall behind."""
    (listed,) = re.findall(r"substr\(number, 3, 2\) in \(([^)]*)\)", sql_text("rate/calls"))
    codes = set(re.findall(r"\d\d", listed))
    known = {f"{n:02d}" for n in range(100) if is_toll_free_nanp(f"18{n:02d}2345678")}
    assert codes == known

"""The numbers of each country as prefixes: what ``sql/macros/country_of.sql`` holds.

``python -m tests.sql.countries`` writes that file anew, after the numbering data have changed. Where countries share a
calling code, numbers made up at random tell how many digits decide; what is in no country's plan is in the main
country of its code.
"""

import random
from collections import Counter
from pathlib import Path
from textwrap import fill

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, region_code_for_number

from pipeline.domain.countries import ALPHA_3
from pipeline.domain.numbering import main_country, nanp_country

FILE = Path(__file__).parents[2] / "sql" / "macros" / "country_of.sql"
_DEPTH, _FIRST, _SAMPLES = 7, 4, 24


def prefixes() -> dict[str, str]:
    """Prefix -> alpha-3 country; the longest that fits decides."""
    found: dict[str, str] = {}
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        main = main_country(f"{code}2345678")
        if main is None:
            continue
        found[str(code)] = main
        if code == 1:
            areas = [f"{area}" for area in range(200, 1000)]
            found |= {f"1{area}": c for area in areas if (c := nanp_country(area)) and c != main}
        elif len(regions) > 1:
            found |= _others(str(code), main, _lengths(regions))
    return found


def _lengths(regions: tuple[str, ...]) -> list[int]:
    known = [PhoneMetadata.metadata_for_region(region) for region in regions]
    return sorted({n for data in known if data for n in data.general_desc.possible_length})


def _others(code: str, main: str, lengths: list[int]) -> dict[str, str]:
    """Below a shared code, the prefixes of other countries than the main one."""
    chance = random.Random(code)
    found: dict[str, str] = {}
    todo = [f"{n:0{_FIRST}}" for n in range(10**_FIRST)]
    while todo:
        start = todo.pop()
        seen = Counter(_valid_in(code, start, length, chance) for length in lengths for _ in range(_SAMPLES))
        countries = [country for country in seen if country]
        if countries in ([], [main]):
            continue
        if len(countries) == 1 or len(start) == _DEPTH:
            found[code + start] = max(countries, key=seen.__getitem__)
        else:
            todo += [f"{start}{n}" for n in range(10)]
    return _joined({prefix: country for prefix, country in found.items() if country != main})


def _valid_in(code: str, start: str, length: int, chance: random.Random) -> str | None:
    """The country in whose plan a number is that begins so; None for nobody's."""
    if length < len(start):
        return None
    national = start + "".join(chance.choices("0123456789", k=length - len(start)))
    zero = True if national.startswith("0") else None
    number = PhoneNumber(country_code=int(code), national_number=int(national), italian_leading_zero=zero)
    return ALPHA_3.get(region_code_for_number(number) or "")


def _joined(found: dict[str, str]) -> dict[str, str]:
    """Ten siblings of one country as their common beginning."""
    while True:
        groups: dict[str, list[str]] = {}
        for prefix in found:
            groups.setdefault(prefix[:-1], []).append(prefix)
        whole = {
            start: found[group[0]]
            for start, group in groups.items()
            if len(group) == 10 and len({found[p] for p in group}) == 1
        }
        if not whole:
            return found
        found = {p: c for p, c in found.items() if p[:-1] not in whole} | whole


def text() -> str:
    """The file."""
    of: dict[str, list[str]] = {}
    for prefix, country in sorted(prefixes().items()):
        of.setdefault(country, []).append(prefix)
    rows = [_wrapped(f"('{country}', '{' '.join(known)}')") for country, known in sorted(of.items())]
    return HEAD + ",\n".join(rows) + TAIL


def _wrapped(row: str) -> str:
    return fill(row, 116, initial_indent=" " * 8, subsequent_indent=" " * 12)


HEAD = """\
-- purpose: country_of(number): the alpha-3 country of a number that begins with its country code
-- grain:   one value per call; null for short codes, satellites and other numbers of no country
-- reads:   what it is given
-- Made by `python -m tests.sql.countries` from the public numbering data. Of the prefixes that a number begins with,
-- the longest decides. pipeline/domain/numbering.py is what rating uses; a test holds the two together.
create or replace macro country_of(number) as (
    with prefixes as (
        select country_code, unnest(string_split_regex(begins, '\\s+')) as prefix
        from (values
"""
TAIL = """
        ) as known (country_code, begins)
    )

    select arg_max(country_code, strlen(prefix))
    from prefixes
    where regexp_full_match(number, '[0-9+ ().-]*')
        and strlen(regexp_replace(number, '[^0-9]', '', 'g')) > 6
        and starts_with(regexp_replace(number, '[^0-9]', '', 'g'), prefix)
);
"""

if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

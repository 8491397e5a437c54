"""Whether a call is interstate, intrastate, local or international, as decks and fees in the United States count it.

Both numbers decide, by public numbering data: the calling code names the country, in North America the area code the
country or the state, and area code and exchange together the place. A number that was ported is where its routing
number is. What has no place (toll-free, premium and personal numbers, short codes, global networks, callers who
withhold theirs) makes a call indeterminate: nobody can tell, so nothing is guessed.

Local is only a call within one named place of one state. Companies draw wider local areas, which no public data gives:
those calls are intrastate here. Puerto Rico, the Virgin Islands, Guam, American Samoa and the Northern Marianas count
as states, as the federal rules have it; Canada and the Caribbean are abroad. A call inside another country has no
jurisdiction that these words could name. Countries that share a calling code outside North America are not told apart.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from pipeline.domain.numbering import digits, is_short_code, main_country, nanp_country

JURISDICTIONS = ("interstate", "intrastate", "local", "international", "indeterminate")
INDETERMINATE = "indeterminate"
HEAD_DIGITS = 7
PLACES = Path(__file__).with_name("places.txt")
_NANP_LENGTH = 11
_TERRITORIES = {"PRI": "US-PR", "VIR": "US-VI", "GUM": "US-GU", "ASM": "US-AS", "MNP": "US-MP"}


class Place(NamedTuple):
    """Where a number is: ``US-NJ`` or an alpha-3 country, and the name of its place where the data has one."""

    region: str
    exchange: str | None = None


def jurisdiction(src: str | None, dst: str | None) -> str:
    """The jurisdiction of a call between two numbers as given, or as routed where they were ported."""
    return between(place_of(number_head(src)), place_of(number_head(dst)))


def between(a: Place | None, b: Place | None) -> str:
    """The jurisdiction of a call between two places."""
    if a is None or b is None:
        return INDETERMINATE
    if a.region == b.region:
        if not a.region.startswith("US-"):
            return INDETERMINATE
        return "local" if a.exchange and a.exchange == b.exchange else "intrastate"
    return "interstate" if a.region.startswith("US-") and b.region.startswith("US-") else "international"


def number_head(text: str | None) -> str | None:
    """The digits that say where a number is; None when it is no subscriber's number."""
    number = digits(text)
    if number is None or is_short_code(number) or (number[0] == "1" and len(number) != _NANP_LENGTH):
        return None
    return number[:HEAD_DIGITS]


@lru_cache(maxsize=200_000)
def place_of(head: str | None) -> Place | None:
    """The place that the first seven digits of an international number name."""
    if head is None:
        return None
    if head[0] == "1":
        return _american(head)
    country = main_country(head)
    return Place(country) if country else None


def _american(head: str) -> Place | None:
    area = head[:4]
    country = nanp_country(area[1:])
    if country in _TERRITORIES:
        return Place(_TERRITORIES[country])
    if country != "USA":
        return Place(country) if country else None
    return next((found for length in (7, 6, 5, 4) if (found := _places().get(head[:length]))), None)


@cache
def _places() -> dict[str, Place]:
    """The places of the United States by number prefix."""
    found = {}
    for line in PLACES.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            state, city, prefixes = line.split("|")
            place = Place(f"US-{state}", city or None)
            found.update({f"1{prefix}": place for prefix in prefixes.split()})
    return found

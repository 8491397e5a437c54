"""Phone numbers as billing needs them: digits, country, toll-free.

The only place that knows the phonenumbers package. Numbers on records come with and without ``+``, and some are no
numbers at all (``anonymous``, SIP addresses, alphanumeric senders); those give None rather than a guess.
"""

from functools import cache, lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, region_code_for_number

from pipeline.domain.countries import ALPHA_3

PUNCTUATION = "+ ().-"
TOLL_FREE_CODES = ("1800", "1833", "1844", "1855", "1866", "1877", "1888")
SHORT_CODE_DIGITS = 6
_NANP_LENGTH = 11
_DROP = str.maketrans("", "", PUNCTUATION)


def digits(text: str | None) -> str | None:
    """The digits of a number as given, or None when it holds anything but digits and ``+ ( ) . -`` and blanks."""
    bare = (text or "").translate(_DROP)
    return bare if bare.isascii() and bare.isdigit() else None


def is_toll_free_nanp(number: str | None) -> bool:
    """Whether digits are a North American toll-free number, country code included."""
    return number is not None and len(number) == _NANP_LENGTH and number.startswith(TOLL_FREE_CODES)


def is_short_code(number: str | None) -> bool:
    """Whether digits are a short code rather than a subscriber's number."""
    return number is not None and len(number) <= SHORT_CODE_DIGITS


def country_of(number: str | None) -> str | None:
    """The alpha-3 country of international digits; None for short codes, satellites and other global networks.

    Countries that share a calling code are told apart by the numbering plan where it can be done, else the code's
    main country is taken: an oddly long number in Britain is still in Britain.
    """
    if number is None or is_short_code(number):
        return None
    if number[0] == "1":
        return nanp_country(number[1:4])
    regions, length = _calling_code(number)
    return _within(regions, number, length) if regions else None


def main_country(number: str) -> str | None:
    """The alpha-3 country of a calling code, the main one where several share it; None for global networks."""
    regions, _ = _calling_code(number)
    return ALPHA_3.get(regions[0]) if regions else None


def _calling_code(number: str) -> tuple[tuple[str, ...], int]:
    if not number.startswith("0"):
        for length in (1, 2, 3):
            regions = COUNTRY_CODE_TO_REGION_CODE.get(int(number[:length]))
            if regions:
                return regions, length
    return (), 0


def _within(regions: tuple[str, ...], number: str, length: int) -> str | None:
    if len(regions) == 1:
        return ALPHA_3.get(regions[0])
    return _shared(number, length) or ALPHA_3.get(regions[0])


@lru_cache(maxsize=200_000)
def _shared(number: str, length: int) -> str | None:
    code, national = int(number[:length]), number[length:]
    zero = True if national.startswith("0") else None
    parsed = PhoneNumber(country_code=code, national_number=int(national or 0), italian_leading_zero=zero)
    return ALPHA_3.get(region_code_for_number(parsed) or "")


@cache
def nanp_country(area: str) -> str | None:
    """The alpha-3 country of a North American area code; that of the main country where nobody has it."""
    # In North America the area code alone names the country; any valid subscriber number will do to ask.
    region = region_code_for_number(
        PhoneNumber(country_code=1, national_number=int(f"{area:0<3}2345678"[:10]))
    )
    return ALPHA_3.get(region or "US")

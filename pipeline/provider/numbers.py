"""The telephone numbers of the sandbox: valid by public numbering data, and drawn at random.

A number is a stem and a few free digits behind it. Stems are checked once, when a pool is built; the free
digits are drawn per record. The pools do not depend on the seed.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from pipeline.provider.entropy import Entropy

TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")
# Dialled now and then, and in no rate plan: the provider rejects these calls.
UNROUTED = ("850", "882", "883", "888", "979", "808", "878")

_POOL = 4096
_SEEDLESS = Entropy(0)
_GEOGRAPHIC = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
# 792 exchanges; the steps below have no factor in common with that.
_EXCHANGES = tuple(f"{n}" for n in range(200, 1000) if n % 100 != 11)
_ABROAD = {
    "MX": 14, "GB": 12, "IN": 10, "PH": 8, "DE": 6, "FR": 5, "BR": 4, "CO": 4, "DO": 4, "GT": 3, "CN": 3,
    "JP": 3, "AU": 3, "ES": 3, "IT": 3, "NL": 2, "PL": 2, "IE": 2, "IL": 2, "NG": 2, "ZA": 2, "AE": 2,
    "TR": 2, "VN": 2, "PK": 2, "KR": 2, "AR": 2, "PE": 2, "PR": 2, "JM": 2, "UA": 2, "KE": 1, "EG": 1,
    "SA": 1, "TH": 1, "BD": 1, "HK": 1, "SG": 1, "NZ": 1, "SE": 1, "CH": 1, "AT": 1, "CL": 1, "BS": 1,
    "CU": 1, "HT": 1, "KZ": 1,
}  # fmt: skip


class Stem(NamedTuple):
    """The fixed digits of a number, E.164 without plus, and how many free digits follow them."""

    digits: str
    free: int

    def number(self, chance: int) -> str:
        """The number that ``chance`` (16 bits) picks."""
        return f"{self.digits}{chance % 10**self.free:0{self.free}d}" if self.free else self.digits


@cache
def area_codes() -> dict[str, str]:
    """Geographic North American area codes and the two-letter code of their country."""
    found: dict[str, str] = {}
    for code, rest in product(range(200, 1000), (2_345_678, 3_456_789)):
        number = PhoneNumber(country_code=1, national_number=code * 10_000_000 + rest)
        if phonenumbers.number_type(number) in _GEOGRAPHIC:
            found[str(code)] = phonenumbers.region_code_for_number(number) or "US"
    return found


def exchanges(area_code: str, count: int) -> list[str]:
    """The first ``count`` exchanges of an area code, in an order of its own; no exchange twice."""
    start, step = _SEEDLESS.below("exchange", int(area_code), 792), (5, 7, 13)[int(area_code) % 3]
    return [_EXCHANGES[(start + n * step) % len(_EXCHANGES)] for n in range(count)]


def is_valid(digits: str) -> bool:
    """Whether digits (E.164 without plus) are a valid number."""
    return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits, None))


@cache
def north_american(country: str) -> tuple[Stem, ...]:
    """Stems down to the exchange for ``US`` or ``CA``."""
    codes = [code for code, region in area_codes().items() if region == country]
    return tuple(Stem(f"1{code}{exchange}", 4) for code in codes for exchange in exchanges(code, 12))


@cache
def stems(region: str) -> tuple[Stem, ...]:
    """Fixed and mobile stems of a country, derived from its example numbers."""
    found = []
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            digits = f"{example.country_code}{phonenumbers.national_significant_number(example)}"
            found.extend(_variants(digits))
    return tuple(dict.fromkeys(found))


def _variants(digits: str) -> list[Stem]:
    head, free = digits[:-6], 3
    middles = [digits[-6:-3]] + [f"{_SEEDLESS.below(digits[:16], n, 1000):03d}" for n in range(6)]
    good = [Stem(head + middle, free) for middle in middles if _all_valid(head + middle)]
    return good or [Stem(digits, 0)]


def _all_valid(stem: str) -> bool:
    return all(is_valid(stem + tail) for tail in ("000", "123", "371", "500", "842", "999"))


@cache
def toll_free() -> tuple[Stem, ...]:
    """North American toll-free stems."""
    return tuple(Stem(f"1{code}{exchange}", 4) for code in TOLL_FREE for exchange in exchanges(code, 20))


def _premium() -> list[Stem]:
    local = [Stem(f"1900{exchange}", 4) for exchange in exchanges("900", 12)]
    return [*local, Stem("870773111", 3), Stem("881612345", 3)]


def _unrouted() -> list[Stem]:
    return [*stems("KP"), Stem("882342", 6), Stem("883510012345", 0), Stem("979123456", 3)]


def _domestic(home: str) -> tuple[Stem, ...]:
    return north_american(home) if home in ("US", "CA") else stems(home)


def _abroad(home: str) -> list[Stem]:
    weights = {**_ABROAD, ("CA" if home == "US" else "US"): 40}
    weights.pop(home, None)
    return [stem for region, weight in weights.items() for stem in _share(_domestic(region), weight * 2)]


def _share(pool: Sequence[Stem], count: int) -> list[Stem]:
    step = max(1, len(pool) // count)
    return [pool[n * step % len(pool)] for n in range(count)]


def _mix(parts: list[tuple[int, Sequence[Stem]]]) -> tuple[Stem, ...]:
    pool = [stem for count, stems_ in parts for stem in _share(stems_, count)]
    if len(pool) != _POOL:
        raise AssertionError(f"a pool has {len(pool)} stems, not {_POOL}")
    return tuple(pool)


@cache
def dialled(home: str) -> tuple[Stem, ...]:
    """4096 stems as partners at home in ``home`` (two letters) dial them: 12 % abroad, a few rejected."""
    special: list[tuple[int, Sequence[Stem]]] = [(110, toll_free()), (24, _premium()), (40, _unrouted())]
    return _mix([(3432, _domestic(home)), (490, _abroad(home)), *special])


@cache
def callers(home: str) -> tuple[Stem, ...]:
    """4096 stems as they call partners at home in ``home``."""
    return _mix([(3812, _domestic(home)), (284, _abroad(home))])

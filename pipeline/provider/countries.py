"""The countries resource: a static table beside this file, completed from public numbering data.

``countries.psv`` holds what numbering data does not know (names, capitals, regions, mobile country codes).
"""

import csv
from functools import cache
from importlib.resources import files

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

_REGIONS = {
    "Africa": ("Eastern Africa", "Middle Africa", "Northern Africa", "Southern Africa", "Western Africa"),
    "Americas": ("Caribbean", "Central America", "Northern America", "South America"),
    "Asia": ("Central Asia", "Eastern Asia", "South-Eastern Asia", "Southern Asia", "Western Asia"),
    "Europe": ("Eastern Europe", "Northern Europe", "Southern Europe", "Western Europe"),
    "Oceania": ("Australia and New Zealand", "Melanesia", "Micronesia", "Polynesia"),
}
_REGION_OF = {subregion: region for region, parts in _REGIONS.items() for subregion in parts}


@cache
def countries() -> tuple[dict, ...]:
    """Every country, in the provider's shape; ``dialing_prefix`` and ``mcc`` are null where there is none."""
    prefixes = {region: str(code) for code, all_ in COUNTRY_CODE_TO_REGION_CODE.items() for region in all_}
    text = files(__package__).joinpath("countries.psv").read_text(encoding="utf-8")
    return tuple(_country(row, prefixes) for row in csv.DictReader(text.splitlines(), delimiter="|"))


def _country(row: dict[str, str], prefixes: dict[str, str]) -> dict:
    return {
        "capital": row["capital"] or None,
        "common_name": row["common_name"],
        "dialing_prefix": prefixes.get(row["alpha_2"]),
        "domain": row["alpha_2"].lower(),
        "iso_3166_alpha_2": row["alpha_2"],
        "iso_3166_alpha_3": row["alpha_3"],
        "iso_3166_numeric": int(row["numeric"]),
        "mcc": row["mcc"] or None,
        "official_name": row["official_name"] or row["common_name"],
        "region": _REGION_OF.get(row["subregion"], "Antarctic"),
        "subregion": row["subregion"] or None,
    }


@cache
def by_alpha2() -> dict[str, dict]:
    """Countries by two-letter code, which is what numbering data speaks."""
    return {country["iso_3166_alpha_2"]: country for country in countries()}


@cache
def by_alpha3() -> dict[str, dict]:
    """Countries by three-letter code, which is what rates, numbers, invoices and partners speak."""
    return {country["iso_3166_alpha_3"]: country for country in countries()}

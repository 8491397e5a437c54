"""Numbers that people print in their own way and programs want alone: VAT numbers and bank accounts."""

import re
from collections.abc import Iterable

from pipeline.render.formats import alpha2

VAT_COUNTRIES = frozenset(
    "AUT BEL BGR CHE CYP CZE DEU DNK ESP EST FIN FRA GBR GRC HRV HUN IRL ISL ITA LIE LTU LUX LVA MLT NLD NOR POL PRT "
    "ROU SVK SVN SWE".split()
)
_VAT_ID = re.compile(r"([A-Z]{2})(?=(?:\D*\d){5})[0-9A-Z+*]{7,14}\Z")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?\b")


def vat_number(text: str) -> str:
    """The VAT number at the end of a text (``USt-IdNr. DE 123456789``), or an empty text."""
    words = re.sub(r"[.-]", "", text).split()
    prefixes = {"EL", "XI"} | {alpha2(country) for country in VAT_COUNTRIES}
    for first in range(len(words)):
        found = _VAT_ID.match("".join(words[first:]))
        if found and found[1] in prefixes:
            return str(found[0])
    return ""


def find_iban(texts: Iterable[str]) -> str:
    """The first international bank account number among ``texts`` whose check digits are right, or an empty text."""
    for text in texts:
        for found in _IBAN.findall(text):
            iban = str(found).replace(" ", "")
            digits = "".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])
            if int(digits) % 97 == 1:
                return iban
    return ""

"""The refusal of one field, and what a spreadsheet does to texts that look like numbers."""

import re

_SCIENTIFIC = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?[eE][-+]?[0-9]+\Z")


class RefusedError(ValueError):
    """A field is not what it should be; the message follows the field's name and text."""


def hint(text: str, otherwise: str) -> str:
    """What to do about a text that was refused."""
    if _SCIENTIFIC.match(text):
        return "was rewritten by a spreadsheet: format the column as text and export it again"
    return otherwise

"""Phone numbers, partly hidden where people read them. What is stored and rated is always the whole number."""

import re

OFF, HIDE_LAST4, KEEP_LAST4 = "off", "hide_last4", "keep_last4"
MASKS = (OFF, HIDE_LAST4, KEEP_LAST4)
_LAST = 4
_HIDDEN = "x"
# A number within a text: as long as one that reaches a person, and no part of a word, an id or an address.
_IN_TEXT = re.compile(r"(?<![\w.-])\+?\d{7,15}(?![\w-])(?!\.\d)")


def masked(number: str, how: str) -> str:
    """The number with its last four digits hidden, or all but them; marks between the digits stay.

    Of one with four digits or fewer nothing is left. What holds letters is a name or an address: numbers in it are.
    """
    if how == OFF:
        return number
    if any(mark.isalpha() for mark in number):
        return masked_text(number, how)
    places = [place for place, mark in enumerate(number) if mark.isdigit()]
    few = len(places) <= _LAST
    hidden = set(places if few else places[-_LAST:] if how == HIDE_LAST4 else places[:-_LAST])
    return "".join(_HIDDEN if place in hidden else mark for place, mark in enumerate(number))


def masked_text(text: str, how: str) -> str:
    """A text with every phone number in it masked."""
    return _IN_TEXT.sub(lambda found: masked(found.group(), how), text) if how != OFF else text

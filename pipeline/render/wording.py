"""The words of a page in the customer's language.

English is what the templates are written in and what stands where a language has no catalogue; a catalogue,
``templates/locale/<language>.json``, maps English texts to their translation. Its ``page`` texts are those of the
templates. Its ``sentences`` are those that earlier stages wrote into an invoice (descriptions, notes): their
placeholders take up whatever stands there; ``{number}`` and ``{day}`` are written in the customer's way, ``{place}`` is
a country by its code, and ``{sentence}`` is translated in turn. A sentence that nobody has translated stays English; an
issued invoice keeps its English lines in the ledger, whatever its page says. A home's ``templates/locale`` comes first.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import RenderError
from pipeline.shipped import shipped

ENGLISH = "en"
_PLACEHOLDER = re.compile(r"\{(\w+?)(\d?)\}")


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one language. ``sentences`` are tried in their order."""

    language: str = ENGLISH
    page: Mapping[str, str] = field(default_factory=dict)
    exact: Mapping[str, str] = field(default_factory=dict)
    sentences: tuple[tuple[re.Pattern[str], str], ...] = ()

    def text(self, english: str) -> str:
        """A text of the templates."""
        return self.page.get(english, english)

    def told(self, sentence: str, write: Mapping[str, Callable[[str], str]]) -> str:
        """A sentence of an earlier stage; ``write`` says how what stands in a placeholder of a name is written."""
        if sentence in self.exact:
            return self.exact[sentence]
        for pattern, translation in self.sentences:
            found = pattern.fullmatch(sentence)
            if found:
                values = {name: self._value(name, value, write) for name, value in found.groupdict().items()}
                return str(filled(translation, values))
        return sentence

    def _value(self, name: str, value: str, write: Mapping[str, Callable[[str], str]]) -> str:
        kind = name.rstrip("0123456789")
        if kind == "sentence":
            told = self.told(value, write)
            capital = value[:1].upper() + value[1:]
            again = self.told(capital, write)
            return again if told == value and again != capital else told
        return write[kind](value) if kind in write else value


def filled(text: str, values: Mapping[str, Any], join: Callable[[str], Any] = str) -> Any:
    """``text`` with its placeholders filled in; ``join`` is applied to what stands between them.

    Only plain names are placeholders, so that a catalogue can reach nothing but these values.
    """
    made, last = join(""), 0
    for found in _PLACEHOLDER.finditer(text):
        made += join(text[last : found.start()]) + values[found[1] + found[2]]
        last = found.end()
    return made + join(text[last:])


@lru_cache(maxsize=32)
def wording(language: str, templates: Path | None = None) -> Wording:
    """The wording of a language; English where it has no catalogue.

    Raises:
        RenderError: the catalogue cannot be read.
    """
    for folder in ([] if templates is None else [templates]) + [shipped("templates")]:
        path = folder / "locale" / f"{language}.json"
        if language != ENGLISH and language.isalpha() and path.is_file():
            return _read(path, language)
    return Wording()


def _read(path: Path, language: str) -> Wording:
    try:
        catalogue = json.loads(path.read_text(encoding="utf-8"))
        page, sentences = dict(catalogue["page"]), dict(catalogue["sentences"])
        wrong = [key for key, text in (page | sentences).items() if _names(key) != _names(text)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} is not a catalogue of texts ({type(error).__name__}: {error}). Correct it, or remove your copy."
        raise RenderError(msg) from None
    if wrong:
        msg = f"{path}: the placeholders of {wrong[0]!r} are not those of its translation. Correct it."
        raise RenderError(msg)
    # What wraps another sentence comes first, for a name in a sentence takes up anything.
    patterns = [(_pattern(key), text) for key, text in sentences.items() if _names(key)]
    patterns.sort(key=lambda pattern: "(?P<sentence>" not in pattern[0].pattern)
    exact = {key: text for key, text in sentences.items() if not _names(key)}
    return Wording(language, page, exact, tuple(patterns))


def _names(text: str) -> list[str]:
    return sorted(found[0] for found in _PLACEHOLDER.finditer(text))


def _pattern(text: str) -> re.Pattern[str]:
    parts, last = [], 0
    for found in _PLACEHOLDER.finditer(text):
        kind = r"[\d,.]+" if found[1] == "number" else ".+?"
        parts += [re.escape(text[last : found.start()]), f"(?P<{found[1]}{found[2]}>{kind})"]
        last = found.end()
    return re.compile("".join(parts) + re.escape(text[last:]), re.DOTALL)

"""The only place that runs templates: the invoice's HTML and its e-mail.

Data is never a template. Everything is escaped except in ``.txt.j2`` templates, which make plain text. A name that a
template misspells is an error, not an empty space. Templates may be replaced one by one from a home's ``templates``
folder; they run in a sandbox, because whoever edits a page need not be who runs the desk. What a template says itself
goes through ``say``, in the customer's language; what an earlier stage wrote, through ``told`` and ``described``.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from pipeline.domain.invoice import Item
from pipeline.domain.money import add
from pipeline.errors import RenderError
from pipeline.render.chart import chart
from pipeline.render.document import Document
from pipeline.render.formats import TIMED, Formats, clean
from pipeline.render.wording import ENGLISH, Wording, filled, wording
from pipeline.shipped import shipped

_SECTIONS = {
    "toll": "Calls",
    "toll_free": "Toll-free calls",
    "bridge": "Conference and application calls",
    "sms": "Text messages",
    "mms": "Picture messages",
    "did": "Phone numbers",
    "recurring": "Recurring charges",
    "one_off": "One-off charges",
    "lookups": "Number lookups",
    "transcription": "Transcription",
    "tts": "Text to speech",
    "adjustment": "Adjustments",
    "discount": "Discounts",
    "shortfall": "Minimum commitment",
}
_NOT_CHARGED = {
    "not_answered": "not answered",
    "grace": "too short to be billed",
    "status": "with a status that is not billed",
    "own_use": "of our own",
}
_FORMATTERS = tuple(
    "money amount exact count compact percent ratio seconds minutes usage "
    "long_date short_date day_month month moment period".split()
)
# How English dates and figures look to a customer whose own language has no catalogue.
_ENGLISH_ABROAD = "en_150"


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of one service."""

    title: str
    timed: bool
    items: tuple[Item, ...]
    usage: int
    records: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Mail:
    """The e-mail that carries an invoice, without addresses."""

    subject: str
    text: str
    html: str

    def to_json(self) -> str:
        return json.dumps(
            {"subject": self.subject, "text": self.text, "html": self.html}, indent=1, sort_keys=True
        )


def render_html(document: Document, templates: Path | None = None) -> str:
    """The page: one self-contained HTML file.

    Raises:
        RenderError: a template is wrong; the message names it.
    """
    return _render("invoice/invoice.html.j2", document, templates)


def render_mail(document: Document, templates: Path | None = None) -> Mail:
    """The e-mail's subject and bodies.

    Raises:
        RenderError: a template is wrong; the message names it.
    """
    subject = _render("email/subject.txt.j2", document, templates)
    return Mail(
        subject=" ".join(subject.split()),
        text=_render("email/body.txt.j2", document, templates),
        html=_render("email/body.html.j2", document, templates),
    )


@dataclass(frozen=True, slots=True)
class Voice:
    """How what one customer reads speaks: its words and its figures."""

    words: Wording
    formats: Formats

    @classmethod
    def of(cls, language: str, zone: str, currency: str, templates: Path | None) -> "Voice":
        """Raises RenderError where the customer's language or zone is unknown."""
        formats = Formats.of(language, zone, currency)
        words = wording(formats.locale.language, templates)
        if words.language != formats.locale.language:
            formats = Formats.of(_ENGLISH_ABROAD, zone, currency)
        return cls(words, formats)

    @property
    def direction(self) -> str:
        """Which way its lines run: ``ltr`` or ``rtl``."""
        return str(self.formats.locale.text_direction)

    def told(self, sentence: str) -> str:
        return self.words.told(sentence, self._writers())

    def described(self, item: Item) -> str:
        """The description of a line, its country by name."""
        return self.words.told(item.description, self._writers(item.country_code))

    def address(self, lines: Sequence[str]) -> list[str]:
        """An address; the country that it ends with is named in the customer's language."""
        if self.words.language == ENGLISH or len(lines) < 2:
            return list(lines)
        return [*lines[:-1], self.formats.country_named(lines[-1])]

    def title(self, document: Document) -> str:
        return f"{self.words.text(document.kind)} {document.number}".rstrip()

    def _writers(self, country: str | None = None) -> Mapping[str, Callable[[str], str]]:
        def place(name: str) -> str:
            known = self.formats.country(country or "") or self.formats.country_named(name)
            return self.words.exact.get(name, known)

        return {"place": place, "number": self.formats.rewritten, "day": self.formats.rewritten_day}


def sections(items: Iterable[Item]) -> tuple[Section, ...]:
    """Lines by service, in the order in which the services first appear."""
    order: dict[str, int] = {}
    lines = list(items)
    for item in lines:
        order.setdefault(_service(item), len(order))
    lines.sort(key=lambda item: order[_service(item)])
    return tuple(_section(kind, tuple(group)) for kind, group in groupby(lines, key=_service))


def _service(item: Item) -> str:
    """What a line is grouped under: the kind of charge, else its item type or what several of them belong to."""
    if item.type.startswith("did_lookup_"):
        return "lookups"
    kind = item.type.split("_")[0]
    return kind if kind == "transcription" else str(item.detail.get("charge") or item.type)


def title_of(kind: str) -> str:
    """What lines of a type are called."""
    return _SECTIONS.get(kind, kind.replace("_", " ").capitalize())


def _section(kind: str, items: tuple[Item, ...]) -> Section:
    return Section(
        title=title_of(kind),
        timed=kind in TIMED,
        items=items,
        usage=sum(item.usage for item in items),
        records=sum(item.records for item in items),
        amount=add(item.amount for item in items),
    )


def _render(name: str, document: Document, templates: Path | None) -> str:
    voice = Voice.of(document.language, document.zone, document.currency, templates)
    values = {
        "invoice": document,
        "title": voice.title(document),
        "bill_to": voice.address(document.bill_to),
        "sections": sections(document.items),
        "not_charged": _NOT_CHARGED,
        "chart": chart(document.days),
        "total": add((document.totals.amount, document.totals.amount_tax)),
    }
    return fill(name, voice, templates, values)


def fill(name: str, voice: Voice, templates: Path | None, values: Mapping[str, Any]) -> str:
    """A template, filled in.

    Raises:
        RenderError: it is wrong; the message names it.
    """
    speaking = {"voice": voice, "formats": voice.formats, "language": voice.words.language}
    try:
        return environment(templates).get_template(name).render(speaking, **values)
    except (TemplateError, SecurityError, TypeError, AttributeError, ArithmeticError) as error:
        where = getattr(error, "name", None) or name
        reason = f"{type(error).__name__}: {error}"
        msg = f"template {where} cannot be rendered ({reason}). Correct it, or remove your copy of it."
        raise RenderError(msg) from error


@lru_cache(maxsize=4)
def environment(templates: Path | None) -> ImmutableSandboxedEnvironment:
    """Where templates run: those of ``templates`` first, then ours. A page gives its ``formats``."""
    folders = ([] if templates is None else [templates]) + [shipped("templates")]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=lambda name: not (name or "").endswith(".txt.j2"),
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters.update({name: _formatter(name) for name in _FORMATTERS})
    environment.filters.update(told=_told, described=_described)
    environment.globals["say"] = _say
    return environment


@pass_context
def _say(context: Context, english: str, **values: Any) -> str:
    """A text in the customer's language, its values filled in; in a page both are escaped."""
    text = context["voice"].words.text(str(english))
    printable = {name: _printable(value) for name, value in values.items()}
    if not context.eval_ctx.autoescape:
        return str(filled(text, {name: str(value) for name, value in printable.items()}))
    made: str = filled(text, {name: escape(value) for name, value in printable.items()}, _quoted)
    return made


@pass_context
def _told(context: Context, sentence: str) -> str:
    return str(context["voice"].told(sentence))


@pass_context
def _described(context: Context, item: Item) -> str:
    return str(context["voice"].described(item))


def _quoted(text: str) -> Markup:
    """As ``escape``, but an apostrophe stays one: texts stand between tags, or in double quotes."""
    return Markup(str(escape(clean(text))).replace("&#39;", "'"))  # noqa: S704  it is escaped


def _printable(value: Any) -> Any:
    return clean(value) if type(value) is str else value


def _formatter(name: str) -> Callable[..., str]:
    @pass_context
    def apply(context: Context, value: Any, *arguments: Any) -> str:
        return str(getattr(context["formats"], name)(value, *arguments))

    return apply


def templates_fingerprint(templates: Path | None) -> str:
    """The SHA-256 over every template that a page may be made from."""
    folders = [shipped("templates")] + ([] if templates is None else [templates])
    found = [
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()

"""The options that say how a deck file is to be read: defined once, and the same for every command that reads one."""

import gc
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.domain.windows import Window
    from pipeline.rate.deck.terms import DeckOptions

_TERMS, _LAYOUT = "What the prices are for, and mean", "How the file is written"


def _term(text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=_TERMS)


def _layout(text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=_LAYOUT)


# Of a deck, and of a bank's list.
Delimiter = Annotated[str, _layout("What separates columns; default: found out. tab is a word for it.")]
Encoding = Annotated[str, _layout("How text is written, e.g. cp1252; default UTF-8 or as marked.")]
DecimalSign = Annotated[str, _layout("The sign before decimals: '.' or ','.")]
DateFormat = Annotated[str, _layout("How dates are written, e.g. DD/MM/YYYY; ISO needs none.")]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was said on the command line about a deck file; each field is an option."""

    service: Annotated[str, _term("call or message; default: the file's own column, else call.")] = ""
    direction: Annotated[str, _term("inbound or outbound; empty covers both.")] = ""
    family: Annotated[str, _term("pstn or a VoIP sub_type; empty covers all.")] = ""
    currency: Annotated[str, _term("Default: the file's own column, else USD.")] = ""
    unit: Annotated[str, _term("What a price is per: fixed:60 (seconds) or minimum.")] = "fixed:60"
    increments: Annotated[str, _term("after_minimum (30/6 as the industry reads it) or total.")] = ""
    statuses: Annotated[str, _term("Messages: the statuses that are billed, with commas.")] = ""
    time_zone: Annotated[str, _term("The zone of the windows, such as Europe/Berlin; default UTC.")] = ""
    windows: Annotated[
        list[str] | None,
        _term("A time window, e.g. 'peak mon-fri 08:00-20:00'; repeat for more.", "--window"),
    ] = None
    base_rounding: Annotated[str, _term("Seconds before minimum and increment: exact, floor or round.")] = ""
    names: Annotated[
        list[str] | None,
        _layout("Their column and ours, e.g. 'Rate/min=price'; repeat for more.", "--map"),
    ] = None
    columns: Annotated[str, _layout("No header: our names of its columns in order, with commas.")] = ""
    ignore: Annotated[
        list[str] | None, _layout("A column that is not to be read; '*' for all unknown ones.")
    ] = None
    delimiter: Delimiter = ""
    encoding: Encoding = ""
    decimal: DecimalSign = "."
    date_format: DateFormat = ""
    sheet: Annotated[str, _layout("XLSX: the sheet's name; default the one with rates.")] = ""

    @property
    def of_file(self) -> list[str]:
        """The options given that only a file can be read by, as they are typed."""
        shared = ("service", "direction", "family")
        said = [f for f in fields(self) if f.name not in shared and getattr(self, f.name) != f.default]
        return [_typed(f.name) for f in said]

    def options(self, plan_sid: str, effective_from: datetime) -> "DeckOptions":
        """What the importer is told, for one version of one plan.

        Raises:
            TollbookError: an option cannot be understood.
        """
        from pipeline.rate.deck.store import layout_of
        from pipeline.rate.deck.terms import DeckOptions

        check_decimal(self.decimal)
        layout = layout_of(
            self.names or (),
            _words(self.columns),
            self.ignore or (),
            date_format=dates_said(self.date_format),
            delimiter=self.delimiter,
            encoding=self.encoding,
            decimal=self.decimal,
            sheet=self.sheet,
        )
        return DeckOptions(
            plan_sid=plan_sid,
            effective_from=effective_from,
            service=self.service,
            direction=self.direction,
            family=self.family,
            currency=self.currency,
            unit_rule=self.unit,
            increment_rule=self.increments,
            billable_statuses=_words(self.statuses),
            time_zone=self.time_zone,
            windows=_windows(self.windows),
            base_rounding=self.base_rounding,
            layout=layout,
        )


def reads_deck(command: Callable[..., None]) -> Callable[..., None]:
    """A command with every option of ``Reading`` behind its own; it gets them as one ``reading``."""
    own = inspect.signature(command)
    shared = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
        for f in fields(Reading)
    ]

    @wraps(command)
    def told(**given: Any) -> None:
        reading = Reading(**{f.name: given.pop(f.name) for f in fields(Reading)})
        command(**given, reading=reading)

    kept = [p for p in own.parameters.values() if p.name != "reading"]
    told.__signature__ = own.replace(parameters=[*kept, *shared])  # type: ignore[attr-defined]
    return told


def read_at_once() -> None:
    """For the rest of a command that reads a deck: it makes some million values without a cycle among them, and looking
    for one takes as long as reading them."""
    gc.disable()


def check_decimal(sign: str) -> None:
    """Refuse a ``--decimal`` that is no sign before decimals."""
    if sign not in (".", ","):
        raise typer.BadParameter(f"--decimal is {sign!r}; it is '.' or ','")


def dates_said(date_format: str) -> str:
    """A ``--date-format`` that dates can be read by.

    Raises:
        SettingsError: it has no day, month or year.
    """
    from pipeline.domain.written import strptime_of

    try:
        return date_format and strptime_of(date_format) and date_format
    except ValueError as error:
        raise SettingsError(f"{error}.") from None


def _typed(name: str) -> str:
    named = {"names": "--map", "windows": "--window"}
    return named.get(name, f"--{name.replace('_', '-')}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _windows(texts: list[str] | None) -> "tuple[Window, ...]":
    from pipeline.rate.deck.windows import windows_said

    try:
        return windows_said(";".join(texts or ()))
    except ValueError as error:
        msg = f"--window cannot be read: {error}. Write it like 'peak mon-fri 08:00-20:00'."
        raise SettingsError(msg) from None

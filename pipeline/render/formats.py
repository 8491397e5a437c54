"""How figures look to one customer: their language's separators and months, their time zone.

Rounding is ours and comes first (Babel rounds half to even); Babel only writes what is already exact.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_datetime, format_skeleton, get_timezone
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_name,
    get_decimal_symbol,
    get_minus_sign_symbol,
)

from pipeline.domain.money import minor_unit, to_minor
from pipeline.domain.period import Period
from pipeline.errors import RenderError

# Control characters, and those that turn the direction of text around or hide it, have no place on a page.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_SECONDS_A_MINUTE = 60
TIMED = frozenset({"toll", "toll_free", "bridge"})


def clean(text: str) -> str:
    """``text`` without characters that print nothing or disturb what is around them."""
    return _UNPRINTABLE.sub("", text)


def alpha2(country: str) -> str:
    """The two-letter code of a country's three-letter one; empty where there is none."""
    found = get_global("territory_aliases").get(country, ())
    return found[0] if len(found) == 1 and len(country) == 3 else ""


@cache
def _english_countries() -> dict[str, str]:
    named = Locale("en").territories.items()
    return {name: code for code, name in named if len(code) == 2}


@dataclass(frozen=True, slots=True)
class Formats:
    """The customer's way of writing figures."""

    locale: Locale
    zone: str
    currency: str

    @classmethod
    def of(cls, language: str, zone: str, currency: str) -> "Formats":
        """Raises RenderError where the language or the zone is unknown."""
        try:
            get_timezone(zone)
            return cls(Locale.parse(language.replace("-", "_")), zone, currency)
        except (ValueError, LookupError, UnknownLocaleError):
            msg = f"language {language!r} or time zone {zone!r} is unknown. Correct them in customers.csv."
            raise RenderError(msg) from None

    def money(self, amount: Decimal) -> str:
        """Whole minor units with the currency's sign."""
        return self.amount(amount, self.currency)

    def amount(self, amount: Decimal, currency: str | None) -> str:
        """As ``money``, where a page has several currencies."""
        currency = currency or self.currency
        return format_currency(to_minor(amount, currency), currency, locale=self.locale)

    def exact(self, amount: Decimal, places: int = 0) -> str:
        """An exact amount without a currency sign: at least minor units, or ``places``, and no needless zeros after."""
        least = "0" * max(places, minor_unit(self.currency))
        pattern = f"#,##0.{least}{'#' * (12 - len(least))}"
        return format_decimal(amount, format=pattern, locale=self.locale, decimal_quantization=False)

    def count(self, number: int) -> str:
        return format_decimal(number, locale=self.locale)

    def compact(self, number: int | Decimal) -> str:
        """A round number for the axis of a chart: 1.5K."""
        return format_compact_decimal(Decimal(number), locale=self.locale, fraction_digits=2)

    def percent(self, fraction: Decimal) -> str:
        """A fraction as a percentage, with every decimal it has."""
        pattern = self.locale.percent_formats[None].pattern.replace("#,##0", "#,##0.##########")
        return format_percent(fraction, format=pattern, locale=self.locale, decimal_quantization=False)

    def ratio(self, percent: float) -> str:
        """A percentage that a query has rounded already."""
        return format_percent(percent / 100, format="#,##0.0%", locale=self.locale)

    def minutes(self, seconds: int | Decimal) -> str:
        """Whole minutes, half up."""
        return self.count((int(seconds) + _SECONDS_A_MINUTE // 2) // _SECONDS_A_MINUTE)

    def seconds(self, seconds: int | Decimal) -> str:
        """``h:mm:ss``; a part of a second is shown only where there is one."""
        whole, part = divmod(abs(Decimal(seconds)), 1)
        minutes, rest = divmod(int(whole), _SECONDS_A_MINUTE)
        hours, minutes = divmod(minutes, _SECONDS_A_MINUTE)
        fraction = get_decimal_symbol(self.locale) + format(part.normalize(), "f")[2:] if part else ""
        sign = get_minus_sign_symbol(self.locale) if seconds < 0 else ""
        return f"{sign}{hours}:{minutes:02d}:{rest:02d}{fraction}"

    def usage(self, usage: int | Decimal, item_type: str) -> str:
        """Usage of an item: time for calls, else a count."""
        return self.seconds(usage) if item_type in TIMED else self.count(int(usage))

    def long_date(self, at: datetime | date) -> str:
        """A date in words, in the customer's zone."""
        return self._first(format_date(self._local(at), format="long", locale=self.locale))

    def short_date(self, at: datetime | date) -> str:
        return self._first(format_date(self._local(at), format="medium", locale=self.locale))

    def day_month(self, at: datetime | date) -> str:
        """As short as a date can be."""
        return format_skeleton("MMMd", self._local(at), locale=self.locale)

    def month(self, at: date) -> str:
        """Month and year in words."""
        return format_skeleton("yMMMM", at, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """Day and time to the second, in the customer's zone."""
        zone = get_timezone(self.zone)
        return format_datetime(at, "yyyy-MM-dd HH:mm:ss", tzinfo=zone, locale=self.locale)

    def period(self, period: Period) -> str:
        """First to last day, both inclusive."""
        last = period.end - timedelta(microseconds=1)
        return f"{self.short_date(period.start)} \N{EN DASH} {self.short_date(last)}"

    def country(self, alpha3: str) -> str:
        """A country's name; empty where the code is unknown."""
        code = alpha2(alpha3)
        return str(self.locale.territories.get(code, "")) if code else ""

    def country_named(self, english: str) -> str:
        """A country, by the name that English has for it; other texts stay as they are."""
        return str(self.locale.territories.get(_english_countries().get(english, ""), english))

    def rewritten(self, english: str) -> str:
        """A number as English writes it, in the customer's way."""
        try:
            number = Decimal(english.replace(",", ""))
        except ArithmeticError:
            return english
        pattern = "#,##0." + "0" * max(0, -int(number.as_tuple().exponent))
        return format_decimal(
            number, format=pattern.rstrip("."), locale=self.locale, decimal_quantization=False
        )

    def rewritten_day(self, iso: str) -> str:
        """A day as ISO 8601 writes it, in words."""
        try:
            return self.long_date(date.fromisoformat(iso))
        except ValueError:
            return iso

    def currency_name(self) -> str:
        return get_currency_name(self.currency, count=2, locale=self.locale)

    def _first(self, day: str) -> str:
        """French says ``1er mars``, which CLDR's patterns do not."""
        return f"1er{day[1:]}" if self.locale.language == "fr" and day.startswith("1 ") else day

    def _local(self, at: datetime | date) -> date:
        if isinstance(at, datetime):
            return at.astimezone(UTC).astimezone(get_timezone(self.zone)).date()
        return at

"""Reads the table ``[signals]`` of ``policy.toml``: from where on traffic is told to somebody as a possible fraud.

The defaults are quiet: ordinary traffic raises nothing with them. What each of them is compared with is said in the
query of the same name under ``sql/measure/signals/``.
"""

from dataclasses import dataclass
from decimal import Decimal

from pipeline.masters.reading import Row

KINDS = (
    *("premium", "spend", "wangiri", "sequential", "night"),
    *("parallel", "destination", "spoofing", "far_apart", "pumping"),
)
SEVERITIES = ("low", "medium", "high")
_LEAST = {
    "history_days": (7, 90),
    "history_least": (1, 60),
    "factor": (1, 1000),
    "premium_calls": (1, 100_000),
    "premium_minutes": (0, 100_000),
    "short_seconds": (0, 60),
    "wangiri_calls": (2, 100_000),
    "sequential_calls": (5, 100_000),
    "night_from": (0, 23),
    "night_to": (0, 23),
    "night_calls": (0, 100_000),
    "parallel_calls": (1, 100_000),
    "destination_calls": (1, 100_000),
    "spoofed_calls": (1, 100_000),
    "far_apart_calls": (1, 100_000),
    "pumped_messages": (2, 100_000),
}
SIGNALS = (*_LEAST, "spend_least", "off", "quiet", "risky_ranges", "safe_ranges", "tell_from")


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """When a signal is raised, and to whom it is told.

    ``factor`` is how many times its own history, of ``history_days`` before, a customer must exceed; without traffic on
    ``history_least`` of them nothing is compared with history. ``spend_least`` is of the currency of the provider's
    prices. The night is ``night_from`` to ``night_to`` o'clock where the customer is. Kinds that are ``off`` are not
    looked for; ``quiet`` names partners that raise nothing, or ``partner/kind``. ``risky_ranges`` are prefixes beside
    ``measure.risky_ranges``, ``safe_ranges`` such as raise nothing. What is below ``tell_from`` is listed, not told.
    """

    history_days: int = 28
    history_least: int = 7
    factor: int = 5
    premium_calls: int = 5
    premium_minutes: int = 30
    spend_least: Decimal = Decimal(25)
    short_seconds: int = 6
    wangiri_calls: int = 50
    sequential_calls: int = 25
    night_from: int = 22
    night_to: int = 6
    night_calls: int = 40
    parallel_calls: int = 20
    destination_calls: int = 20
    spoofed_calls: int = 10
    far_apart_calls: int = 3
    pumped_messages: int = 50
    off: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    risky_ranges: tuple[str, ...] = ()
    safe_ranges: tuple[str, ...] = ()
    tell_from: str = "low"


def signals_of(row: Row) -> SignalPolicy:
    """The table ``[signals]``."""
    default = SignalPolicy()
    whole = {name: row.integer(name, *bounds, getattr(default, name)) for name, bounds in _LEAST.items()}
    least = row.money("spend_least", default.spend_least)
    if least is None or least < 0:
        row.wrong("spend_least", f"is {least}; valid is an amount of 0 or more")
        least = default.spend_least
    return SignalPolicy(
        **whole,
        spend_least=least,
        off=row.words("off", KINDS),
        quiet=row.words("quiet"),
        risky_ranges=_prefixes(row, "risky_ranges"),
        safe_ranges=_prefixes(row, "safe_ranges"),
        tell_from=row.choice("tell_from", SEVERITIES, default.tell_from),
    )


def _prefixes(row: Row, column: str) -> tuple[str, ...]:
    found = row.words(column)
    for prefix in found:
        # An area is the first six digits of a number: see sql/measure/signals/steps/areas.sql.
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 6):
            row.wrong(
                column,
                f'holds {prefix!r}; valid are one to six first digits of international numbers like "882"',
            )
    return found

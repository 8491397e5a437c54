"""Price steps inside a call: from a billed second on, another price, as in ``60:0.005;300:0.003``.

The row's own price holds from the first second to the first step. A step's price is per the row's unit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pipeline.domain.money import plain


@dataclass(frozen=True, slots=True)
class Step:
    """``price`` holds from ``after_seconds`` of the call's billed time on."""

    after_seconds: Decimal
    price: Decimal


def steps_of(text: str | None) -> tuple[Step, ...]:
    """Steps from their text.

    Raises:
        ValueError: it is not ``SECONDS:PRICE;SECONDS:PRICE...`` with rising seconds above 0, to the millisecond.
    """
    steps = tuple(_step(part) for part in (text or "").split(";") if part.strip())
    seconds = [s.after_seconds for s in steps]
    if seconds != sorted(set(seconds)) or any(s <= 0 or s % Decimal("0.001") for s in seconds):
        msg = f"steps {text!r}: seconds must be above 0, rise from step to step, and have three decimals at most"
        raise ValueError(msg)
    return steps


def steps_text(steps: Iterable[Step]) -> str:
    """The text of steps, as ``rate.rates`` keeps it; empty where there are none."""
    return ";".join(f"{plain(s.after_seconds)}:{plain(s.price)}" for s in steps)


def _step(part: str) -> Step:
    seconds, _, price = part.partition(":")
    try:
        step = Step(Decimal(seconds.strip()), Decimal(price.strip()))
    except InvalidOperation:
        step = None
    if step is None or not (step.after_seconds.is_finite() and step.price.is_finite()):
        msg = f"step {part.strip()!r} is not SECONDS:PRICE, as in 60:0.005"
        raise ValueError(msg)
    return step

"""The one way a Decimal is rounded.

``decimal``'s own ``quantize`` fails beyond the context's 28 digits; money here must neither fail nor be rounded
twice, so it runs in a context wide enough for any amount that the tables can hold.
"""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal

MODES: dict[str, str] = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
}
EXACT = Context(prec=80)


def quantize(value: Decimal, decimals: int, mode: str) -> Decimal:
    """``value`` with ``decimals`` places; ``up`` is away from zero, ``down`` towards it, ties mirror at zero.

    Raises:
        ValueError: ``mode`` is not one of ``MODES``.
    """
    if mode not in MODES:
        msg = f"no rounding mode {mode!r}; there are {', '.join(MODES)}"
        raise ValueError(msg)
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=MODES[mode], context=EXACT)

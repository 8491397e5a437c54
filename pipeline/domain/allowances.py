"""Included usage and volume tiers, as values: who has which, for which records.

A bundle gives seconds or units away, a tier changes what usage costs once there is enough of it. ``draws`` says what
records draw on them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from pipeline.domain.period import in_force
from pipeline.domain.rate_plan import EVERYONE

BUNDLE, TIER = "bundle", "tier"
CUSTOMER, NUMBER = "customer", "number"
USAGE, AMOUNT = "usage", "amount"
MARGINAL, RETROACTIVE = "marginal", "retroactive"
NOTHING = Decimal(0)
Pool = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Charge:
    """A rated record of one payer, and what is needed to price a part of it.

    ``usage`` is billed seconds or units, ``price`` is per ``unit`` of them; ``number`` is the far number as matched,
    ``own_number`` the payer's own. ``held`` is what earlier invoices have drawn for it in this period.
    """

    source: str
    dr_sid: str
    at: datetime
    service: str
    direction: str
    item_type: str
    country_code: str | None
    number: str
    own_number: str
    usage: Decimal
    amount: Decimal
    price: Decimal
    unit: Decimal = Decimal(60)
    fee: Decimal = NOTHING
    rounding_mode: str = "half_up"
    rounding_decimals: int = 10
    held: tuple["Draw", ...] = ()

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Its place in the period."""
        return self.at, self.source, self.dr_sid


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records may draw; empty fields match any. ``per`` is ``customer`` (shared) or ``number``."""

    service: str
    direction: str = ""
    items: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    per: str = CUSTOMER
    start: datetime | None = None
    end: datetime | None = None

    def takes(self, charge: Charge) -> bool:
        """Whether a record is meant. Dates are compared with the instant at which it ended."""
        return (
            charge.service == self.service
            and self.direction in ("", charge.direction)
            and (not self.items or charge.item_type in self.items)
            and (not self.countries or charge.country_code in self.countries)
            and (not self.prefixes or charge.number.startswith(self.prefixes))
            and in_force(self.start, self.end, charge.at)
        )


@dataclass(frozen=True, slots=True)
class Bundle:
    """Seconds or units that a customer need not pay in each period. Of several, the lowest ``order`` is drawn first."""

    key: str
    name: str
    partner_sid: str
    scope: Scope
    quantity: Decimal
    order: int = 0


@dataclass(frozen=True, slots=True)
class TierStep:
    """From this volume on: a price per unit in place of the plan's, or a percentage on the amount (-10: 10 % less)."""

    after: Decimal
    price: Decimal | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """What usage costs by the volume of the period.

    The volume is usage left after bundles, or money. ``marginal`` prices each part in the step in which it lies,
    ``retroactive`` everything in the step that is reached. A record belongs to the first tier that takes it; where it
    has nothing to count, it costs what it did.
    """

    key: str
    name: str
    partner_sid: str
    scope: Scope
    steps: tuple[TierStep, ...]
    measure: str = USAGE
    rule: str = MARGINAL
    unit: Decimal = Decimal(60)
    order: int = 0

    def at(self, volume: Decimal) -> TierStep | None:
        """The step in which a volume lies; None below the first."""
        return next((step for step in reversed(self.steps) if step.after <= volume), None)


@dataclass(frozen=True, slots=True)
class Draw:
    """What one record draws from one bundle, or counts in one tier, and what that adds to its amount.

    ``quantity`` is seconds or units, or the money that a tier counts. ``position`` is where in the period's volume a
    tier has priced it; bundles have none.
    """

    kind: str
    key: str
    own_number: str
    quantity: Decimal
    amount: Decimal
    position: Decimal = NOTHING

    @property
    def pool(self) -> Pool:
        """What it draws on, of one payer and period."""
        return self.kind, self.key, self.own_number


class Held(Protocol):
    """What one customer has, or everyone."""

    @property
    def key(self) -> str: ...
    @property
    def partner_sid(self) -> str: ...
    @property
    def order(self) -> int: ...


A = TypeVar("A", bound=Held)


def held_by(partner_sid: str, known: Iterable[A]) -> tuple[A, ...]:
    """What a customer has, in its order; its own take the place of everyone's by the same key."""
    mine = {a.key: a for a in known if a.partner_sid == EVERYONE}
    mine |= {a.key: a for a in known if a.partner_sid == partner_sid}
    return tuple(sorted(mine.values(), key=lambda a: (a.order, a.key)))

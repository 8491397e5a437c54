"""One seeded provider: everything it knows, and its clock.

Two worlds with the same configuration are the same to the byte. The clock decides which records have been inserted;
it stands still unless it is told to run.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from pipeline.errors import TollbookError
from pipeline.provider import fraud, inventory
from pipeline.provider.calls import Calls, subscribers
from pipeline.provider.countries import countries
from pipeline.provider.deck import FEWEST_ROWS, OUTBOUND_ROWS
from pipeline.provider.entropy import Entropy
from pipeline.provider.faults import Faults
from pipeline.provider.joining import Joined
from pipeline.provider.messages import Messages
from pipeline.provider.partners import partners
from pipeline.provider.planting import PLANTED, plant
from pipeline.provider.records import Feed, Window
from pipeline.provider.traffic import Curve, to_ms

MOST_PARTNERS = 400


class WorldError(TollbookError):
    """A world cannot be made as asked."""


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What a world is made from.

    ``price_unit`` None: prices are per billing_minimum, as documented; 60: per minute, against the documents.
    ``now`` None: a day after the last day of traffic. ``newer_keys`` adds the keys of the newer documents. ``fraud``
    names what is planted among the ordinary records, with commas, or all. ``rates`` is how many rows the largest plan
    has.
    """

    seed: int = 1
    calls: int = 100_000
    messages: int = 20_000
    partners: int = 25
    start: date = date(2026, 3, 1)
    days: int = 32
    price_unit: int | None = None
    now: datetime | None = None
    faults: Faults = field(default_factory=Faults)
    newer_keys: bool = False
    fraud: str = ""
    rates: int = OUTBOUND_ROWS

    def __post_init__(self) -> None:
        if not 1 <= self.partners <= MOST_PARTNERS:
            raise WorldError(f"a world has 1 to {MOST_PARTNERS} partners, not {self.partners}")
        if min(self.calls, self.messages, self.days - 1) < 0:
            raise WorldError("a world has at least one day, and no less than zero calls and messages")
        if not FEWEST_ROWS <= self.rates <= OUTBOUND_ROWS:
            raise WorldError(f"a world has {FEWEST_ROWS} to {OUTBOUND_ROWS} rates, not {self.rates}")
        fraud.kinds(self.fraud)

    def flags(self) -> list[str]:
        """The command line flags of ``python -m pipeline.provider`` that make this world."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        pairs = [(name, value) for name, value in values.items() if value is not None and value is not False]
        texts: dict[type, Callable] = {date: date.isoformat, datetime: datetime.isoformat}
        return [
            text
            for name, value in pairs
            for text in _flag(name, value if value is True else texts.get(type(value), str)(value))
        ]


def _flag(name: str, value: str | bool) -> list[str]:
    flag = "--" + name.replace("_", "-")
    return [flag] if value is True else [flag, str(value)]


class Clock:
    """The world's time. It stands where it was set, or runs on from there at ``speed`` times real time."""

    def __init__(self, now: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.set(now)

    def set(self, now: datetime, speed: float = 0.0) -> None:
        """Puts the clock to ``now`` (aware) and lets it run, or stand with speed 0."""
        if now.tzinfo is None:
            raise WorldError("the sandbox clock takes a time with its zone, such as 2026-04-03T00:00:00Z")
        self._set, self.speed, self._since = now.astimezone(UTC), speed, self._monotonic()

    def now(self) -> datetime:
        """The world's time, UTC."""
        return self._set + timedelta(seconds=(self._monotonic() - self._since) * self.speed)


class World:
    """A provider without its HTTP interface."""

    def __init__(self, config: WorldConfig | None = None) -> None:
        self.config = config = config or WorldConfig()
        self.entropy = Entropy(config.seed)
        self.partners = partners(config.partners)
        self.lines = inventory.assign_lines(self.partners, self.entropy)
        curve = Curve(config.start, config.days)
        owners = subscribers(self.partners, self.lines)
        self.calls = Calls(
            config.calls,
            curve,
            self.entropy,
            owners,
            price_unit=config.price_unit,
            newer_keys=config.newer_keys,
            rates=config.rates,
        )
        self.messages = Messages(
            config.messages, curve, self.entropy, owners, newer_keys=config.newer_keys, rates=config.rates
        )
        midnight = datetime(config.start.year, config.start.month, config.start.day, tzinfo=UTC)
        self.clock = Clock(config.now or midnight + timedelta(days=config.days + 1))
        self.lookups: Counter[str] = Counter()
        self.spoil(config.faults)
        extra_calls, extra_messages = fraud.planted(
            self, fraud.kinds(config.fraud), curve.start_ms, config.days, config.price_unit
        )
        self.call_feed: Feed = Joined(self.calls, extra_calls) if extra_calls else self.calls
        self.message_feed: Feed = Joined(self.messages, extra_messages) if extra_messages else self.messages

    def spoil(self, faults: Faults) -> None:
        """Puts ``faults`` in place of those before."""
        self.faults = faults
        self.calls.late = faults.late_inserts
        self.calls.planted = plant(self.calls, faults, self.entropy)
        self.messages.late_status = faults.late_status

    @property
    def now_ms(self) -> int:
        """The world's time in milliseconds since 1970."""
        return to_ms(self.clock.now())

    @property
    def root_sid(self) -> str:
        """The partner whom the token belongs to."""
        return self.partners[0].sid

    @cached_property
    def countries(self) -> list[dict]:
        """The countries resource."""
        return list(countries())

    @cached_property
    def dids(self) -> list[dict]:
        """The numbers resource."""
        return inventory.dids(self.partners, self.lines)

    @cached_property
    def endpoints(self) -> list[dict]:
        """The endpoints resource."""
        return inventory.endpoints(self.root_sid)

    @cached_property
    def invoices(self) -> list[dict]:
        """The provider's invoices to the root partner."""
        return inventory.invoices(self.root_sid, self.config.start)

    def truth(self) -> dict:
        """What is there and what was planted, for whoever checks a client."""
        calls = self.calls
        return {
            "visible": {
                "calls": Window(self.call_feed, self.now_ms).count(),
                "messages": Window(self.message_feed, self.now_ms).count(),
                "partners": len(self.partners),
                "dids": len(self.dids),
            },
            "planted": {
                "late_inserts": [{"dr_sid": calls.codec.encode(index)} for index in calls.late_indexes()],
                "late_status": self.messages.late_endings(),
                **{fault: calls.planted.named(calls, fault) for fault in PLANTED},
            },
            "fraud": {
                kind: sids
                for feed in (self.call_feed, self.message_feed)
                if isinstance(feed, Joined)
                for kind, sids in feed.named().items()
            },
        }

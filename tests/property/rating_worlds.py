"""Random rating worlds, biased to the edges where engines part: ties, boundaries, nested prefixes, odd records."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from pipeline.domain.jurisdiction import JURISDICTIONS
from pipeline.domain.rate_plan import Rate, RatePlan
from pipeline.domain.steps import Step
from pipeline.domain.windows import Window
from pipeline.masters.model import Assignment
from tests.spec.engines import Case, call, message

MS = timedelta(milliseconds=1)
# An ordinary day, and those on which clocks change: in North America, in Europe, and by half an hour on Lord Howe.
DAYS = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 10), (3, 10), (3, 8), (11, 1), (3, 29), (10, 25), (4, 4))
]
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Mars/Olympus")
# New York and Jersey City (twice), Puerto Rico, Toronto, London, toll-free.
SUBSCRIBERS = (
    *("12125550100", "+12012000100", "12012160100", "19735550100", "17875550100", "14165550100"),
    *("442079460000", "18005550100"),
)
WINDOW_NAMES = ("day", "night", "feast")
FAMILIES = ("pstn", "conference", "flexml")
ENDPOINTS = {
    "gateway": "system_gateway",
    "room": "conference",
    "xml": "flexml",
    "odd": "telepathy",
    "null": None,
}
PARTNERS = (*("shop", "desk", "reseller", "sub", "subsub") * 4, "root", "stranger", "lonely", None)
DIRECTIONS = (*("outbound", "outbound", "inbound") * 8, "any", None)
PARENTS = {
    "root": None,
    "shop": "root",
    "desk": "shop",
    "reseller": "root",
    "sub": "reseller",
    "subsub": "sub",
    "lonely": "invisible",
}
RESELLS = {"shop": False, "reseller": True, "sub": False}


@dataclass(frozen=True)
class Dice:
    """Seeded choices, on one day."""

    r: random.Random
    day: datetime

    @property
    def cuts(self) -> list[datetime]:
        return [self.day + timedelta(hours=6 * n) for n in range(5)]

    def seconds(self, *pool: str) -> Decimal:
        return Decimal(self.r.choice(pool))

    def instant(self) -> datetime:
        return self.r.choice(self.cuts) + self.r.choice((-1, 0, 1, 3_600_000)) * MS

    def price(self) -> Decimal:
        # Ties at the tenth decimal and beyond, zero, and ordinary prices.
        return Decimal(
            self.r.choice(("0", "0.00000000005", "0.0000000001", "0.01", "0.005", "1", "0.333333333333"))
        ) + (Decimal(self.r.randint(0, 10**6)) / 10**12 if self.r.random() < 0.5 else 0)

    def windows(self) -> list[tuple[datetime | None, datetime | None]]:
        """Validities of one key: they never overlap."""
        if self.r.random() < 0.6:
            return [(None, None)]
        cuts = sorted(self.r.sample(self.cuts, 3))
        made = [(None, cuts[0]), (cuts[0], cuts[1]), (cuts[1], cuts[2]), (cuts[2], None)]
        return [w for w in made if self.r.random() < 0.6]


def call_world(seed: int, records: int) -> tuple[Case, list[dict]]:
    """A world of call plans, and calls in it."""
    dice = _dice(seed)
    plans = _plans(dice, _call_rates, "call", FAMILIES)
    case = Case(plans, _assignments(dice, plans), PARENTS, RESELLS, ENDPOINTS)
    return case, [_call(dice, n, plans) for n in range(records)]


def message_world(seed: int, records: int) -> tuple[Case, list[dict]]:
    """A world of message plans, and messages in it."""
    dice = _dice(seed)
    plans = _plans(dice, _message_rates, "message", ("toll", "toll_free", "short_code"))
    case = Case(plans, _assignments(dice, plans), PARENTS, RESELLS, ENDPOINTS)
    return case, [_message(dice, n) for n in range(records)]


def _dice(seed: int) -> Dice:
    r = random.Random(seed)
    return Dice(r, r.choice(DAYS))


def _plans(dice: Dice, rates, service: str, families: tuple[str, ...]) -> list[RatePlan]:
    r, plans = dice.r, []
    for direction in ("inbound", "outbound"):
        for family in families:
            if r.random() < 0.9 and not (service == "message" and direction == "inbound"):
                sid = f"provider:{service}:{direction}:{family}"
                plans += _versions(dice, rates, service, sid, "provider", direction, family)
    for n in range(3):
        direction = r.choice((None, "inbound", "outbound"))
        family = r.choice((None, *families))
        plans += _versions(dice, rates, service, f"retail-{n}", "retail", direction, family)
    return plans


def _versions(dice: Dice, rates, service, sid, origin, direction, family) -> list[RatePlan]:
    r = dice.r
    starts = r.choice(([None], [None, dice.cuts[1]], [dice.cuts[0], dice.cuts[2]]))
    ends = [*starts[1:], None]
    return [
        RatePlan(
            sid,
            f"v{n}",
            service,
            "USD",
            origin,
            direction,
            family,
            increment_rule=r.choice(("total", "after_minimum")),
            billable_base=r.choice(("talk", "talk", "duration")),
            match_field=r.choice(
                ("number_dst", "number_dst", "number_dst_transformed", "number_dst_original")
            ),
            rounding_mode=r.choice(("half_up", "half_even", "up", "down")),
            rounding_decimals=r.choice((0, 2, 4, 10, 10)),
            effective_from=start,
            effective_to=end,
            time_zone=r.choice(ZONES),
            windows=_windows(dice),
            base_rounding=r.choice(("exact", "exact", "floor", "round")),
            rates=rates(dice),
        )
        for n, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _call_rates(dice: Dice) -> tuple[Rate, ...]:
    special = dice.r.choice((0, 0.6, 0.9))
    return tuple(
        row
        for prefix in _prefixes(dice)
        for row in (_special_rows if dice.r.random() < special else _rows)(dice, prefix)
    )


def _prefixes(dice: Dice) -> list[str]:
    r = dice.r
    made = {"".join(r.choices("123", k=r.randint(1, 4))) for _ in range(12)} | {"1800", "44"}
    return sorted(made | ({""} if r.random() < 0.5 else set()))


def _rows(dice: Dice, prefix: str) -> list[Rate]:
    """The rows of one key: they differ in their validity."""
    r = dice.r
    return [
        Rate(
            price=None if r.random() < 0.05 else dice.price(),
            prefix=prefix,
            country_code=r.choice((None, "USA", "GBR")),
            increment=dice.seconds("1", "6", "60", "0.1", "7", "0.003"),
            minimum=dice.seconds("0", "6", "30", "60", "1.5"),
            grace=dice.seconds("0", "0", "0", "3", "6.001"),
            unit=dice.seconds("60", "60", "6", "1", "7"),
            connect_fee=dice.seconds("0", "0", "0.01", "0.00000000015"),
            effective_from=start,
            effective_to=end,
            blocked=r.random() < 0.05,
        )
        for start, end in dice.windows()
    ]


def _special_rows(dice: Dice, prefix: str) -> list[Rate]:
    """Rows of one prefix for several origins, jurisdictions and windows."""
    r = dice.r
    places = {(r.choice(("", "", "1", "12", "44")), r.choice((None, None, *JURISDICTIONS))) for _ in range(3)}
    made = []
    for origin, jurisdiction in sorted(places, key=str):
        unit = dice.seconds("60", "6", "7")
        names = {"", *r.sample(WINDOW_NAMES, r.randint(0, 2))} if r.random() < 0.8 else {"day"}
        for name in sorted(names):
            for row in _rows(dice, prefix):
                least, most = sorted((dice.seconds("0", "0.005", "0.5"), dice.seconds("0.025", "1.5", "9")))
                made.append(
                    replace(
                        row,
                        origin_prefix=origin,
                        jurisdiction=jurisdiction,
                        window=name,
                        unit=unit if r.random() < 0.9 else row.unit,
                        min_charge=least if r.random() < 0.3 else None,
                        max_charge=most if r.random() < 0.3 else None,
                        steps=_steps(dice, row) if r.random() < 0.4 else (),
                    )
                )
    return made


def _steps(dice: Dice, row: Rate) -> tuple[Step, ...]:
    before_minimum = max(row.minimum - 1, Decimal("0.5"))
    pool = [before_minimum, *map(Decimal, ("6", "30", "60", "61.5", "3600"))]
    seconds = dice.r.sample(pool, dice.r.randint(1, 3))
    return tuple(Step(s, dice.price()) for s in sorted(set(seconds)))


def _windows(dice: Dice) -> tuple[Window, ...]:
    r = dice.r
    return tuple(
        Window(
            r.choice(WINDOW_NAMES),
            tuple(sorted(r.sample(range(1, 8), r.randint(1, 5)))) if r.random() < 0.5 else (),
            time(r.choice((0, 2, 6, 8, 18, 22)), r.choice((0, 0, 30))),
            time(r.choice((0, 1, 2, 3, 8, 12, 18)), r.choice((0, 0, 30))),
            (dice.day.date(),) if r.random() < 0.2 else (),
        )
        for _ in range(r.randint(0, 3))
    )


def _message_rates(dice: Dice) -> tuple[Rate, ...]:
    r = dice.r
    keys = [(262, None, "DEU"), (262, 1, "DEU"), (262, 2, "DEU"), (310, None, None), (310, 26, "USA")]
    keys += [(None, None, "DEU"), (None, None, "USA"), (None, None, None)]
    return tuple(
        Rate(
            None if r.random() < 0.05 else dice.price(),
            mcc=mcc,
            mnc=mnc,
            country_code=country,
            effective_from=start,
            effective_to=end,
            blocked=r.random() < 0.05,
        )
        for mcc, mnc, country in keys
        if r.random() < 0.7
        for start, end in dice.windows()
    )


def _assignments(dice: Dice, plans: list[RatePlan]) -> list[Assignment]:
    r = dice.r
    cuts = dice.cuts
    sids = sorted({p.plan_sid for p in plans if p.origin == "retail"})
    made = {}
    for partner in ("*", "shop", "reseller", "sub", "desk"):
        for sid in r.sample(sids, 3 if partner == "*" else r.randint(0, 2)):
            start, end = r.choice(((None, None), (None, cuts[2]), (cuts[1], None), (cuts[1], cuts[3])))
            direction = r.choice(("", "", "inbound", "outbound"))
            made[partner, direction, start] = Assignment(partner, sid, "", direction, "", start, end)
    return list(made.values())


def _number(r: random.Random) -> str | None:
    if r.random() < 0.08:
        return r.choice(
            (None, "", "anonymous", "sip:1@x", "+", "1-(2) 3.4", " +44 20", "\N{ARABIC-INDIC DIGIT ONE}2")
        )
    if r.random() < 0.3:
        return r.choice(SUBSCRIBERS)
    head = r.choice(("", "", "+", "1800", "44", "12125550100", "4915112345678"))
    return head + "".join(r.choices("123", k=r.randint(1, 9)))


def _call(dice: Dice, n: int, plans: list[RatePlan]) -> dict:
    r = dice.r
    rates = [rate for p in plans for rate in p.rates]
    rate = r.choice(rates)
    edge = rate.minimum + rate.increment * r.randint(0, 5) + r.choice((-1, 0, 0, 1)) * Decimal("0.001")
    seconds = max(
        Decimal(0), r.choice((edge, rate.grace, Decimal(r.randint(0, 200_000)) / 1000, Decimal(86_400)))
    )
    record = call(f"call-{n:05}", "", f"{seconds + (1 if r.random() < 0.01 else 0)}", at=dice.instant())
    record |= {
        "number_dst": _number(r),
        "number_src": _number(r),
        "number_dst_transformed": _number(r) if r.random() < 0.2 else None,
        "number_dst_original": _number(r) if r.random() < 0.2 else None,
        "direction": r.choice(DIRECTIONS),
        "partner_sid": r.choice(PARTNERS),
        "endpoint_sid_src": r.choice((*ENDPOINTS, "nowhere", None)),
        "endpoint_sid_dst": r.choice((*ENDPOINTS, "nowhere", None)),
        "price": r.choice((None, Decimal(0), Decimal("0.01"))) if seconds else Decimal(0),
    }
    if seconds == 0 and r.random() < 0.2:
        record |= r.choice(({"sipcause": 200}, {"price": Decimal("0.01")}))
    if r.random() < 0.03:
        record["date_talk"] = None
    if r.random() < 0.03:
        record["date_stop"] = record["date_start"] - MS
    if r.random() < 0.02:
        record["date_start"] = None
    return record


def _message(dice: Dice, n: int) -> dict:
    r = dice.r
    record = message(f"message-{n:05}", at=dice.instant())
    return record | {
        "number_dst": r.choice((_number(r), "4915112345678", "12125550100", "26210", "ACME")),
        "number_billing": r.choice(("12125550100", "18005550100", "+18885550100", "26210", "ACME", None)),
        "direction": r.choice(DIRECTIONS),
        "partner_sid": r.choice(PARTNERS),
        "type": r.choice(("sms", "sms", "mms", None)),
        "status": r.choice(("sent", "SENT", "delivered", "failed", None)),
        "mcc": r.choice((None, 262, 310, 204)),
        "mnc": r.choice((None, 1, 2, 26)),
        "message_segments": r.choice((None, 0, 1, 1, 2, 7, 2_000_000)),
        "recipients": r.choice((None, 0, 1, 1, 3)),
        "price": r.choice((None, Decimal(0), Decimal("0.005"))),
        "date_start": None if r.random() < 0.02 else record["date_start"],
    }

"""Planted fraud: records of each kind that a carrier fears, put among the ordinary ones on request.

Each kind is done by a customer of its own, late enough in the world for a history to stand behind it, and at a time at
which that customer does nothing else; ``/sandbox/truth`` names the records. The numbers stay a little above what a
quiet watch should notice. A new kind is a function here and a name in ``KINDS``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.errors import TollbookError
from pipeline.provider.deck import message_rows, terms
from pipeline.provider.entropy import Entropy
from pipeline.provider.inventory import ENDPOINT_SIDS, GATEWAY, TRUNKS, Lines
from pipeline.provider.joining import Extra
from pipeline.provider.numbers import north_american
from pipeline.provider.partners import Partner
from pipeline.provider.pricing import message_price, scaled
from pipeline.provider.records import Feed
from pipeline.provider.traffic import DAY, HOUR, first_at_or_after, stamp

SECOND, MINUTE = 1000, 60_000
_HOME_NETWORK, _FAR_NETWORK = "203.0.113.77", "198.18.4.20"
_UNWANTED = dict.fromkeys(
    (
        *("cic", "cic_original", "cic_transformed", "identity", "diversion_src", "diversion_dst"),
        *("number_src_original", "number_src_transformed", "number_dst_original", "number_dst_transformed"),
        *("trunk_group_sid_src", "trunk_sid_src", "stir_attest", "stir_orig_id", "stir_signing_entity"),
        *("stir_verstat", "user_data"),
    )
)


class FraudError(TollbookError):
    """A kind of fraud that does not exist, or a world too small for it."""


class Ground(Protocol):
    """What planting needs of the world."""

    entropy: Entropy
    partners: tuple[Partner, ...]
    lines: list[Lines]
    calls: Any
    messages: Any


@dataclass(frozen=True, slots=True)
class Scene:
    """Who does it and when: ``start`` is the midnight of its day."""

    world: Ground
    why: str
    partner: Partner
    numbers: tuple[str, ...]
    start: int
    price_unit: int | None

    def call(self, at: int, talk: int, dst: str, src: str = "", **changes: Any) -> Extra:
        """An outbound call that ends ``at`` milliseconds after midnight; one that does not talk is not answered."""
        stop, ring = self.start + at, 3 * SECOND
        row = self.world.calls.outbound.match(dst)
        if row is None:
            raise FraudError(f"the sandbox has no rate for {dst}: no fraud can be planted there")
        charged = terms(row, self.price_unit)
        billed, price = charged.charge(talk)
        near = src or self.numbers[at // MINUTE % len(self.numbers)]
        group, trunk = TRUNKS[at // SECOND % len(TRUNKS)]
        record = self.world.calls.fresh(0) | _UNWANTED
        record |= {
            "date_insert": stamp(stop + 4 * SECOND),
            "date_start": stamp(stop - talk - ring),
            "date_stop": stamp(stop),
            "date_talk": stamp(stop - talk) if talk else None,
            "direction": "outbound",
            "duration": f"{(talk + ring) // 1000}.{(talk + ring) % 1000:03d}",
            "duration_billing": billed,
            "endpoint_sid_dst": ENDPOINT_SIDS[GATEWAY],
            "endpoint_sid_src": ENDPOINT_SIDS["third_party"],
            "ip_src": _HOME_NETWORK,
            "number_billing": near,
            "number_dst": dst,
            "number_external": dst,
            "number_src": near,
            "partner_sid": self.partner.sid,
            "price": price,
            "rate": charged.rate_text,
            "sipcause": "200" if talk else "487",
            "stir_identity": "false",
            "trunk_group_sid_dst": group,
            "trunk_sid_dst": trunk,
            "type": "telecom",
        }
        return Extra(stop, self.why, record | changes)

    def text(self, at: int, dst: str) -> Extra:
        """An outbound message of one segment."""
        sent, near = self.start + at, self.numbers[0]
        row = next(row for row in message_rows("toll") if row.country_code == "USA")
        record = {k: v for k, v in self.world.messages.record(0, sent).items() if k != "number_group_dst"}
        record |= {
            "date_insert": stamp(sent),
            "date_sent": stamp(sent),
            "date_start": stamp(sent - SECOND),
            "date_stop": stamp(sent + SECOND),
            "direction": "outbound",
            "mcc": row.mcc,
            "media_urls": [],
            "message_segments": 1,
            "mnc": row.mnc,
            "number_billing": near,
            "number_dst": dst,
            "number_external": dst,
            "number_src": near,
            "partner_sid": self.partner.sid,
            "price": message_price(scaled(row.price), 1, 1),
            "rate": row.price,
            "status": "delivered",
            "type": "sms",
        }
        return Extra(sent, self.why, record)

    def domestic(self, chance: int) -> str:
        """A number at home, each in an exchange of its own."""
        stems = north_american("US")
        return stems[chance * 89 % len(stems)].number(1000 + chance * 37)


Extras = Iterator[Extra]


def _block(number: int) -> str:
    """The first digits of ten thousand numbers at home."""
    stems = north_american("US")
    return stems[number * 997 % len(stems)].digits


def _premium(scene: Scene) -> Extras:
    return (
        scene.call(17 * HOUR + n * 7 * MINUTE, 6 * MINUTE, f"37190{n * 7919 % 1_000_000:06d}")
        for n in range(15)
    )


def _spend(scene: Scene) -> Extras:
    return (
        scene.call(18 * HOUR + (55 + n % 4) * MINUTE, 40 * MINUTE, f"88017{n * 918_273:08d}")
        for n in range(12)
    )


def _wangiri(scene: Scene) -> Extras:
    stem = _block(1)
    return (scene.call(17 * HOUR + n * 50 * SECOND, 0, f"{stem}{n * 137 % 10_000:04d}") for n in range(60))


def _sequential(scene: Scene) -> Extras:
    stem = _block(2)
    return (scene.call(16 * HOUR + n * 200 * SECOND, 20 * SECOND, f"{stem}{4310 + n:04d}") for n in range(40))


def _night(scene: Scene) -> Extras:
    return (scene.call(8 * HOUR + n * 100 * SECOND, 30 * SECOND, scene.domestic(n)) for n in range(60))


def _parallel(scene: Scene) -> Extras:
    return (
        scene.call(17 * HOUR + 20 * MINUTE + n * SECOND, 5 * MINUTE, scene.domestic(n)) for n in range(28)
    )


def _destination(scene: Scene) -> Extras:
    return (
        scene.call(14 * HOUR + n * 9 * MINUTE, 40 * SECOND, f"97611{n * 5021 % 1_000_000:06d}")
        for n in range(30)
    )


def _spoofing(scene: Scene) -> Extras:
    refuted = {"stir_verstat": "TN-Validation-Failed", "stir_attest": "C"}
    return (
        scene.call(
            15 * HOUR + n * 11 * MINUTE,
            30 * SECOND,
            scene.domestic(n),
            f"1202555{n * 83 % 10_000:04d}",
            **refuted,
        )
        for n in range(20)
    )


def _far_apart(scene: Scene) -> Extras:
    for n in range(5):
        at = 17 * HOUR + n * 8 * MINUTE
        yield scene.call(at, 4 * MINUTE, scene.domestic(n), scene.numbers[0])
        yield scene.call(
            at + MINUTE, 4 * MINUTE, scene.domestic(n + 50), scene.numbers[0], ip_src=_FAR_NETWORK
        )


def _pumping(scene: Scene) -> Extras:
    stem = _block(3)
    return (scene.text(17 * HOUR + n * 40 * SECOND, f"{stem}{n * 113 % 10_000:04d}") for n in range(70))


# What is planted, and the hours of the day in which its customer must do nothing else for the records to be exact.
KINDS: dict[str, tuple[Callable[[Scene], Extras], int, int]] = {
    "premium": (_premium, 17, 19),
    "spend": (_spend, 18, 20),
    "wangiri": (_wangiri, 17, 18),
    "sequential": (_sequential, 16, 19),
    "night": (_night, 4, 14),
    "parallel": (_parallel, 16, 18),
    "destination": (_destination, 14, 19),
    "spoofing": (_spoofing, 15, 19),
    "far_apart": (_far_apart, 16, 19),
    "pumping": (_pumping, 17, 18),
}
EVERYTHING = "all"


def kinds(text: str) -> tuple[str, ...]:
    """The kinds that a text with commas names; ``all`` is each of them."""
    named = tuple(filter(None, (part.strip() for part in text.split(","))))
    if named == (EVERYTHING,):
        return tuple(KINDS)
    if unknown := [kind for kind in named if kind not in KINDS]:
        raise FraudError(f"there is no fraud {unknown[0]!r}; known are {EVERYTHING}, {', '.join(KINDS)}")
    return named


def planted(
    world: Ground, named: tuple[str, ...], first: int, days: int, price_unit: int | None
) -> tuple[list[Extra], list[Extra]]:
    """The calls and the messages of these kinds, in a world that begins at ``first`` and lasts so many days."""
    if not named:
        return [], []
    if not world.calls.count or not world.messages.count:
        raise FraudError("fraud hides among ordinary traffic: the sandbox needs calls and messages")
    customers = _customers(world)
    calls: list[Extra] = []
    texts: list[Extra] = []
    last = [first + day * DAY for day in range(days * 3 // 4, max(days - 1, days * 3 // 4 + 1))]
    for kind in named:
        make, begin, end = KINDS[kind]
        stages = ((p, s) for p in customers for s in last)
        idle = ((p, s) for p, s in stages if _is_idle(world, p, s + begin * HOUR, s + end * HOUR))
        partner, start = next(idle, (customers[0], last[0]))
        customers = [*(p for p in customers if p is not partner), partner]
        scene = Scene(world, kind, partner, world.lines[partner.index].local, start, price_unit)
        (texts if kind == "pumping" else calls).extend(make(scene))
    return calls, texts


def _customers(world: Ground) -> list[Partner]:
    """Our own customers in the United States, those with the most traffic first; ourselves where there are none."""
    root = world.partners[0].sid
    found = [p for p in world.partners if p.home == "US" and p.record["parent_sid"] == root]
    return sorted(found, key=lambda p: -world.calls.share(p.sid)) or [world.partners[0]]


def _is_idle(world: Ground, partner: Partner, begin: int, end: int) -> bool:
    feeds: tuple[Feed, ...] = (world.calls, world.messages)
    for feed in feeds:
        low, high = (first_at_or_after(feed.time, feed.count, at) for at in (begin, end))
        if any(feed.record(n, end + DAY)["partner_sid"] == partner.sid for n in range(low, high)):
            return False
    return True

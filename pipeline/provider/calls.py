"""The call detail records of the sandbox, each computed from its number alone.

Order, times and insertion come from one small hash (bisection asks for them often), the content from a larger one.
``Calls`` is a ``records.Feed``. The shape is that of the provider's sample, all 45 keys, mixed types included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from statistics import NormalDist

from pipeline.provider.deck import OUTBOUND_ROWS, VOIP_TYPES, Plan, RateRow, call_plan, terms
from pipeline.provider.entropy import Entropy, SidCodec
from pipeline.provider.inventory import APPLICATIONS, ENDPOINT_SIDS, GATEWAY, TRUNKS, Lines
from pipeline.provider.numbers import Stem, callers, dialled
from pipeline.provider.partners import Partner
from pipeline.provider.planting import NOTHING, Planted
from pipeline.provider.traffic import Curve, stamp

MINUTE = 60_000
LATEST_LAG = 20 * 60 * MINUTE
_ORDINARY_LAG = 10 * MINUTE

# 62 % outbound; 10 % of the calls of either direction stay on the provider's own network.
_OUT_PSTN, _OUT_APP, _IN_APP = 36_700, 40_632, 43_900
_ANSWERED = 47_186  # 72 %
_CAUSES = (("486", 8), ("480", 7), ("487", 9), ("404", 3), ("503", 2), ("408", 1), ("603", 1), ("403", 1))
_CAUSE_TABLE = tuple(cause for cause, weight in _CAUSES for _ in range(weight))
_QUICK = frozenset(("404", "503", "403", "603"))


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What the records of one partner are made from."""

    sid: str
    lines: Lines
    numbers: tuple[str, ...]
    dialled: tuple[Stem, ...]
    callers: tuple[Stem, ...]


def subscribers(partners: Sequence[Partner], lines: Sequence[Lines]) -> tuple[Subscriber, ...]:
    """The partners, ready to make traffic."""
    return tuple(
        Subscriber(p.sid, owned, owned.all, dialled(p.home), callers(p.home))
        for p, owned in zip(partners, lines, strict=True)
    )


def by_share(owners: tuple[Subscriber, ...], entropy: Entropy) -> list[Subscriber]:
    """A table to draw the partner of a record from: some have ten times the traffic of others."""
    shares = [1 + entropy.below("share", index, 10) for index in range(len(owners))]
    return [owner for owner, share in zip(owners, shares, strict=True) for _ in range(share)]


@cache
def _talk_times() -> tuple[int, ...]:
    """4096 talk times in milliseconds, lognormal with a median of 65 s, three hours at most."""
    normal = NormalDist(mu=4.17, sigma=1.25)
    exponents = (normal.inv_cdf((n + 0.5) / 4096) for n in range(4096))
    return tuple(min(10_800_000, int(1000 * exp(x))) for x in exponents)


@dataclass(frozen=True, slots=True)
class _Legs:
    """Where a call comes from and goes to, and what it is charged by."""

    outbound: bool
    source: str
    target: str
    application: str
    src: str
    dst: str
    row: RateRow | None


class Calls:
    """The feed of calls. ``late`` is the fraction inserted late; ``planting`` spoils single records."""

    sort_key = "date_stop"

    def __init__(
        self,
        count: int,
        curve: Curve,
        entropy: Entropy,
        owners: tuple[Subscriber, ...],
        *,
        price_unit: int | None = None,
        newer_keys: bool = False,
        rates: int = OUTBOUND_ROWS,
    ) -> None:
        self.count = count
        self.codec = SidCodec(entropy.seed, "calls")
        self.late = 0.0
        self.planted: Planted = NOTHING
        self._curve = curve
        self._entropy = entropy
        self._root = owners[0]
        self._owners = by_share(owners, entropy)
        self._unit = price_unit
        self._newer_keys = newer_keys
        self.outbound = call_plan("outbound", "pstn", rates)
        self._pstn: dict[bool, Plan] = {
            True: self.outbound,
            False: call_plan("inbound", "pstn"),
        }
        self._voip: Mapping[tuple[bool, str], RateRow] = {
            (outbound, kind): call_plan(direction, kind).rows[0]
            for outbound, direction in ((True, "outbound"), (False, "inbound"))
            for kind in VOIP_TYPES
        }
        self._talk = _talk_times()

    @property
    def longest_lag(self) -> int:
        """Milliseconds within which every call has been inserted."""
        return LATEST_LAG if self.late else _ORDINARY_LAG

    def time(self, index: int) -> int:
        """``date_stop``."""
        return self._curve.at(index, self._entropy.clock("calls", index)[0], self.count)

    def inserted(self, index: int) -> int:
        """``date_insert``: seconds later, sometimes minutes, and hours where the fault says so."""
        jitter, chance, lag, late = self._entropy.clock("calls", index)
        stop = self._curve.at(index, jitter, self.count)
        if self.is_late(late):
            return stop + 20 * MINUTE + (late & 0xFFFF) * (LATEST_LAG - 20 * MINUTE) // 65_536
        if chance & 63 == 0:
            return stop + MINUTE + lag % (8 * MINUTE)
        return stop + 2000 + lag % 18_000

    def is_late(self, draw: int) -> bool:
        """Whether 32 bits of chance make a call late."""
        return bool(self.late) and (draw >> 16) < self.late * 65_536

    def share(self, partner_sid: str) -> int:
        """How much of the traffic is a partner's, beside that of the others."""
        return sum(owner.sid == partner_sid for owner in self._owners)

    def late_indexes(self) -> list[int]:
        """Every late call. Asks each record: a second or two per million."""
        clock = self._entropy.clock
        return [n for n in range(self.count) if self.is_late(clock("calls", n)[3])] if self.late else []

    def record(self, index: int, now: int) -> dict:
        """The call as the provider tells it at ``now``, planted faults included."""
        if index in self.planted.indexes:
            return self.planted.spoil(self, index, now)
        return self.fresh(index)

    def fresh(self, index: int, *, longer_ms: int = 0) -> dict:
        """The call as it was first written. ``longer_ms`` adds to its talk time, towards the start."""
        w = self._entropy.words("call", index)
        owner = self._owners[w[0] % len(self._owners)]
        legs = self._legs(w, owner)
        cause, talk, setup = self._outcome(w, legs)
        talk += longer_ms if cause == "200" else 0
        stop = self.time(index)
        if legs.row is None:
            rate, (billed, price) = None, ("0", "0")
        else:
            charged = terms(legs.row, self._unit)
            rate, (billed, price) = charged.rate_text, charged.charge(talk)
        answered = cause == "200"
        total = setup + talk
        ids = self._entropy.draw("sip", index).hex()
        trunk = TRUNKS[w[12] % len(TRUNKS)]
        outside = GATEWAY in (legs.source, legs.target)
        record = {
            "date_insert": stamp(self.inserted(index)),
            "date_start": stamp(stop - total),
            "date_stop": stamp(stop),
            "date_talk": stamp(stop - talk) if answered else None,
            "direction": "outbound" if legs.outbound else "inbound",
            "disconnect_originator": ("DST", "SRC")[w[11] & 1],
            "dr_sid": self.codec.encode(index),
            "duration": f"{total // 1000}.{total % 1000:03d}{w[21] % 100:02d}",
            "duration_billing": billed,
            "endpoint_sid_dst": ENDPOINT_SIDS[legs.target],
            "endpoint_sid_src": ENDPOINT_SIDS[legs.source],
            "partner_sid": owner.sid,
            "price": price,
            "rate": rate,
            "sipcallid_dst": f"{ids[:32]}@198.51.100.{w[14] % 250 + 1}",
            "sipcallid_src": f"{ids[32:64]}@203.0.113.{w[13] % 250 + 1}",
            "sipcause": cause,
            "trunk_group_sid_dst": trunk[0] if legs.outbound and outside else None,
            "trunk_group_sid_src": None if legs.outbound or not outside else trunk[0],
            "trunk_sid_dst": trunk[1] if legs.outbound and outside else None,
            "trunk_sid_src": None if legs.outbound or not outside else trunk[1],
            "version": 2,
            **_numbers(w, legs),
            **_extras(w, legs),
        }
        return record | _newer(price, rate) if self._newer_keys else record

    def _legs(self, w: tuple[int, ...], owner: Subscriber) -> _Legs:
        outbound = w[1] < _OUT_APP
        own = owner.numbers[w[10] % len(owner.numbers)]
        application = APPLICATIONS[w[15] % len(APPLICATIONS)]
        if w[1] < _OUT_PSTN:
            far = owner.dialled[w[3] & 4095].number(w[4])
            return _Legs(True, "third_party", GATEWAY, "third_party", own, far, self._pstn[True].match(far))
        if w[1] < _IN_APP:
            far = self._root.lines.local[w[4] % len(self._root.lines.local)]
            row = self._voip[outbound, application]
            if outbound:
                return _Legs(True, "third_party", application, application, own, far, row)
            return _Legs(False, application, "third_party", application, far, own, row)
        # Most calls from outside ring at the customer's own exchange, some at a hosted application.
        application = application if w[15] >= 45_000 else "third_party"
        far = owner.callers[w[3] & 4095].number(w[4])
        return _Legs(False, GATEWAY, application, application, far, own, self._pstn[False].match(own))

    def _outcome(self, w: tuple[int, ...], legs: _Legs) -> tuple[str, int, int]:
        """``(sipcause, talk, setup)``, milliseconds."""
        dialling = 300 + w[8] % 3500
        if legs.row is None:
            return ("404", "503")[w[9] & 1], 0, 60 + w[7] % 900
        if w[2] >= _ANSWERED:
            cause = _CAUSE_TABLE[w[9] % len(_CAUSE_TABLE)]
            return cause, 0, dialling + (w[7] % 400 if cause in _QUICK else 4000 + w[7] % 38_000)
        setup = dialling + 800 + w[7] % 14_000
        if w[20] & 2047 == 1:
            return "200", 0, setup
        if w[20] & 255 == 2:
            return "200", 6000 * (1 + w[6] % 30), setup
        return "200", self._talk[w[5] & 4095] + w[6] % 997, setup


def _numbers(w: tuple[int, ...], legs: _Legs) -> dict:
    src, dst = legs.src, legs.dst
    near, far = (src, dst) if legs.outbound else (dst, src)
    national = dst[1:] if dst[0] == "1" else "011" + dst
    diverted = "+" + near if w[19] & 31 == 0 else None
    return {
        "diversion_dst": diverted,
        "diversion_src": diverted,
        "number_billing": near,
        "number_dst": dst,
        "number_dst_original": national if legs.outbound and w[17] & 7 == 0 else None,
        "number_dst_transformed": "+" + dst if w[17] & 15 == 1 else None,
        "number_external": far,
        "number_src": "+" + src if not legs.outbound or w[17] & 3 == 3 else src,
        "number_src_original": None,
        "number_src_transformed": src if not legs.outbound and w[17] & 15 == 2 else None,
    }


_ATTESTATIONS = "AAAAAABBC"
_VERDICTS = ("TN-Validation-Passed", "TN-Validation-Passed", "No-TN-Validation", "TN-Validation-Failed")
_CALL_TYPES = {"conference": "conference_call", "mediator": "mediator"}


def _extras(w: tuple[int, ...], legs: _Legs) -> dict:
    signed = legs.source == GATEWAY and w[16] & 3 != 0
    return {
        "cic": None,
        "cic_original": None,
        "cic_transformed": None,
        "identity": "+" + legs.src if w[18] & 63 == 1 else None,
        "ip_dst": f"10.222.{w[13] >> 8}.{w[13] & 255}:5060",
        "ip_src": f"203.0.113.{w[14] & 255}",
        "stir_attest": _ATTESTATIONS[w[16] % 9] if signed else None,
        "stir_identity": "true" if signed and w[16] & 64 else "false",
        "stir_orig_id": "+" + legs.src if signed else None,
        "stir_signing_entity": "carrierX" if signed else None,
        "stir_verstat": _VERDICTS[w[16] >> 14] if legs.outbound and w[16] & 1 else None,
        "type": _CALL_TYPES.get(legs.application, "telecom"),
        "user_data": {"cost_center": f"cc-{w[18] >> 11}"} if w[18] & 7 == 3 else None,
    }


def _newer(price: str, rate: str | None) -> dict:
    """Keys that the provider's newer documents show."""
    return {
        "codec_dst": "PCMU",
        "codec_src": "PCMU",
        "price_lcr_dst": price,
        "price_lcr_src": None,
        "rate_lcr_dst": rate,
        "rate_lcr_src": None,
    }

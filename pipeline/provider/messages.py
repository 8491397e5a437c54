"""The message detail records of the sandbox, each computed from its number alone.

``Messages`` is a ``records.Feed`` sorted by ``date_insert``. Shape and types are those of the provider's sample; group
messages also carry ``number_group_dst``, which only the provider's newer documents show.
"""

from functools import cache

from pipeline.provider.calls import Subscriber, by_share
from pipeline.provider.deck import MESSAGE_TYPES, OUTBOUND_ROWS, MessageRow, call_plan, message_rows
from pipeline.provider.entropy import Entropy, SidCodec
from pipeline.provider.numbers import Stem
from pipeline.provider.pricing import message_price, scaled
from pipeline.provider.traffic import Curve, stamp

SEGMENT = 160
MINUTE = 60_000
LATEST_STATUS = 20 * 60 * MINUTE
_LOREM = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore "
    "magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo "
    "consequat duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur "
) * 4
_OUTBOUND = 42_000  # 64 %
_MMS = 6_500  # 10 %
_SEGMENTS = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4)


@cache
def _networks(sub_type: str) -> dict[str, tuple[MessageRow, ...]]:
    """The rows of a message plan by country."""
    by_country: dict[str, list[MessageRow]] = {}
    for row in message_rows(sub_type):
        by_country.setdefault(row.country_code, []).append(row)
    return {country: tuple(rows) for country, rows in by_country.items()}


@cache
def _country(stem: Stem, rates: int) -> str:
    """Three-letter country of a stem; of the United States where a network has none."""
    row = call_plan("outbound", "pstn", rates).match(stem.number(0))
    return row.country_code if row and row.country_code in _networks("toll") else "USA"


class Messages:
    """The feed of messages."""

    sort_key = "date_insert"
    longest_lag = 0

    def __init__(
        self,
        count: int,
        curve: Curve,
        entropy: Entropy,
        owners: tuple[Subscriber, ...],
        *,
        newer_keys: bool = False,
        rates: int = OUTBOUND_ROWS,
    ) -> None:
        self.count = count
        self.codec = SidCodec(entropy.seed, "messages")
        self._curve = curve
        self._entropy = entropy
        self._owners = by_share(owners, entropy)
        self._newer_keys = newer_keys
        self._rates = rates
        self._rows = {sub_type: _networks(sub_type) for sub_type in MESSAGE_TYPES}
        self.late_status = 0.0

    def time(self, index: int) -> int:
        """``date_insert``."""
        return self._curve.at(index, self._entropy.clock("messages", index)[0], self.count)

    def inserted(self, index: int) -> int:
        """``date_insert``."""
        return self.time(index)

    def record(self, index: int, now: int) -> dict:
        """The message as the provider tells it at ``now``."""
        record = self._ended(index)
        if record["direction"] == "outbound" and self._ends_late(index):
            return self._so_far(record, index, now)
        return record

    def late_endings(self) -> list[dict]:
        """The messages whose status changes: when they are sent, when they end, and as what."""
        told = []
        for index in range(self.count) if self.late_status else ():
            record = self._ended(index)
            if record["direction"] == "outbound" and self._ends_late(index):
                sent, ended = self._changes(index)
                told.append(
                    {
                        "dr_sid": record["dr_sid"],
                        "sent": stamp(sent),
                        "at": stamp(ended),
                        "status": record["status"],
                    }
                )
        return told

    def _ends_late(self, index: int) -> bool:
        return self._entropy.chance("late status", index, self.late_status)

    def _changes(self, index: int) -> tuple[int, int]:
        """When a message is sent, and when its status is the last one."""
        inserted = self.time(index)
        chance = self._entropy.number("status at", index)
        return inserted + 1000 + chance % MINUTE, inserted + 2 * MINUTE + (chance >> 32) % LATEST_STATUS

    def _so_far(self, record: dict, index: int, now: int) -> dict:
        """Queued, then sent, then as it ends; a message is charged once it is sent, and not when it failed."""
        sent, ended = self._changes(index)
        if now >= ended:
            return record | {"version": 3} | self._changed(ended)
        segments, group = record["message_segments"], len(record.get("number_group_dst", ()))
        price = message_price(scaled(record["rate"]), segments, max(1, group))
        if now >= sent:
            return record | {"version": 2, "status": "sent", "price": price} | self._changed(sent)
        return record | {"version": 1, "status": "queued", "price": "0"}

    def _changed(self, at: int) -> dict:
        return {"date_changed": stamp(at)} if self._newer_keys else {}

    def _ended(self, index: int) -> dict:
        """The message as it is at last."""
        w = self._entropy.words("message", index)
        owner = self._owners[w[0] % len(self._owners)]
        outbound, is_mms = w[1] < _OUTBOUND, w[2] < _MMS
        stem = owner.callers[w[3] & 4095]
        far = stem.number(w[4])
        sub_type, near = (
            _sender(owner, w) if outbound else ("toll", owner.lines.local[w[5] % len(owner.lines.local)])
        )
        row = _pick(self._rows[sub_type][_country(stem, self._rates)], w[6]) if outbound else None
        segments = 1 if is_mms else _SEGMENTS[w[7] & 15]
        group = _group(owner, far, w) if outbound and is_mms and w[8] & 3 == 0 else []
        status = _status(w[9] % 100) if outbound else "received"
        inserted = self.time(index)
        start = inserted - 40 + w[10] % 60
        record = {
            "date_insert": stamp(inserted),
            "date_sent": stamp(start + w[11] % 900),
            "date_start": stamp(start),
            "date_stop": stamp(start + 900 + w[12] % 30_000),
            "delay_sent": 0,
            "direction": "outbound" if outbound else "inbound",
            "dr_sid": self.codec.encode(index),
            "mcc": row.mcc if row else None,
            "media_urls": [f"https://media.example.com/{w[13]:04x}{w[14]:04x}.jpg"] if is_mms else [],
            "message": _text(w, segments),
            "message_segments": segments,
            "mnc": row.mnc if row else None,
            "number_billing": near,
            "number_dst": far if outbound else near,
            "number_external": far,
            "number_src": near if outbound else far,
            "partner_sid": owner.sid,
            "price": _price(row, segments, len(group), status),
            "provider": ("tsg", "northline", "bridgeway")[w[15] % 3],
            "rate": row.price if row else "0",
            "status": status,
            "type": "mms" if is_mms else "sms",
            "user_data": f"campaign-{w[16] % 12}" if w[16] & 3 == 0 else None,
            "version": None,
        }
        if group:
            record["number_group_dst"] = group
        return record | _newer(w, stamp(inserted)) if self._newer_keys else record


def _sender(owner: Subscriber, w: tuple[int, ...]) -> tuple[str, str]:
    """Family and number of an outbound sender: one message in 16 from a short code, some from toll-free numbers."""
    if w[5] & 15 == 0:
        return "short_code", owner.lines.short_code
    if owner.lines.toll_free and w[5] & 15 < 3:
        return "toll_free", owner.lines.toll_free[w[5] % len(owner.lines.toll_free)]
    return "toll", owner.lines.local[w[5] % len(owner.lines.local)]


def _status(percent: int) -> str:
    return "failed" if percent < 3 else "delivered" if percent < 30 else "sent"


def _pick(rows: tuple[MessageRow, ...], chance: int) -> MessageRow:
    return rows[chance % len(rows)]


def _group(owner: Subscriber, first: str, w: tuple[int, ...]) -> list[str]:
    """Two to five recipients, the addressed one first."""
    return [first, *(owner.callers[w[20 + n] & 4095].number(w[26 + n]) for n in range(1 + w[8] % 16 // 4))]


def _price(row: MessageRow | None, segments: int, group: int, status: str) -> str:
    """Received messages are free, and failed ones: the provider did not hand them on."""
    if row is None or status == "failed":
        return "0"
    return message_price(scaled(row.price), segments, max(1, group))


def _text(w: tuple[int, ...], segments: int) -> str:
    length = SEGMENT * (segments - 1) + 1 + w[17] % SEGMENT
    start = w[18] % 300
    return _LOREM[start : start + length]


def _newer(w: tuple[int, ...], changed: str) -> dict:
    """Keys that the provider's newer documents show."""
    return {
        "a2p_campaign": f"C{w[19]:05d}" if w[19] & 1 else None,
        "date_changed": changed,
        "p2p_nnid": None,
        "passthrough_price": "0",
        "passthrough_rate": "0",
        "registration_type": None,
        "vendor_error_code": None,
    }

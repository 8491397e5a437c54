"""The rate plans of the sandbox: 14 call plans and three for messages.

The outbound PSTN plan has the size of the real one, 110,170 rows, on prefixes of public numbering data:
countries, cities, mobile carriers and North American exchanges, nested, so that only the longest match is
right. It has no default row: what it does not list, nobody can call. Prices are per billing_minimum, as the
provider documents them. The plans do not depend on the seed. A world may have a shorter outbound plan: it lacks the
longest prefixes, and every country stays.
"""

import uuid
from dataclasses import dataclass
from functools import cache, cached_property

import msgspec
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.carrierdata import CARRIER_DATA

from pipeline.provider import numbers
from pipeline.provider.countries import by_alpha2, countries
from pipeline.provider.entropy import Entropy
from pipeline.provider.pricing import Terms, decimal_text

OUTBOUND_ROWS = 110_170
# Networks, area codes, and the codes of countries and their cities: a plan with fewer rows would not reach everybody.
FEWEST_ROWS = 1_000
MESSAGE_ROWS = 1_778
VOIP_TYPES = ("conference", "conference_playback", "flexml", "mediator", "third_party", "voicemail")
MESSAGE_TYPES = ("short_code", "toll", "toll_free")
EFFECTIVE = "2026-01-15T00:00:00.000Z"

_NAMESPACE = uuid.UUID("5d2b7c1e-0a94-5f13-b6c8-3e71d9a0f284")
_CHANCE = Entropy(0)
# (increment, minimum) of a country's rows; half of the countries bill 6/6.
_STEPS = ((6, 6), (6, 6), (6, 6), (6, 6), (6, 6), (60, 60), (60, 60), (6, 30), (1, 1), (1, 60))
# Parts of shared country codes that belong to somebody else than the code's main country.
_SHARED = {
    "76": "KZ", "77": "KZ", "441481": "GG", "447781": "GG", "441534": "JE", "447797": "JE", "441624": "IM",
    "447624": "IM", "262269": "YT", "262639": "YT", "3906698": "VA", "35818": "AX", "4779": "SJ",
    "5999": "CW", "6189162": "CC", "6189164": "CX",
}  # fmt: skip
_NETWORKS = {"800": "International Freephone", "870": "Inmarsat", "881": "Global Mobile Satellite"}
_LARGEST = ("US", "GB", "GP", "AU", "NO", "FI", "IL", "RE", "CW")
_CITIES = (
    "4420 44113 44114 44115 44116 44117 44118 44121 44131 44141 44151 44161 44191 4930 4940 4969 "
    "4989 49211 49221 49711 331 332 333 334 335 349 3491 3493 3495 3902 3906 39011 39055 3120 3110 "
    "3170 322 323 411 412 431 4316 46 468 4631 4721 4722 4533 358 3589 353 3531 35321 48 4822 4812 "
    "42022 361 4021 30210 351 35121 35122 9021 90212 90216 90312 722 7495 7499 7812 38044 97222 9723 "
    "9714 9712 9661 9662 202 2711 2721 2731 2341 2349 25420 254722 9111 9122 9133 9140 9144 9180 922 "
    "9221 9242 8801 8802 6281 6221 603 6032 632 6321 6524 662 8424 8428 8210 822 813 816 8152 861 "
    "8610 8621 8620 86755 852 85223 8522 8862 612 613 617 618 649 644 525 5255 5233 5281 5511 5521 "
    "5531 5541 5551 5561 5411 54351 562 5712 571 574 511 5842 58212 593 5934 5932 502 503 504 505 "
    "506 507"
).split()
_PER_REGION = {
    "Northern America": 900, "Western Europe": 2400, "Northern Europe": 2600, "Southern Europe": 3000,
    "Eastern Europe": 6200, "Caribbean": 14500, "Central America": 9800, "South America": 7400,
    "Eastern Asia": 3900, "South-Eastern Asia": 9500, "Southern Asia": 11500, "Western Asia": 13000,
}  # fmt: skip


class RateRow(msgspec.Struct, frozen=True, gc=False):
    """One row of a call plan; the text the provider sends. No prefix: the default row."""

    billing_increment: str
    billing_minimum: str
    country_code: str | None
    country_name: str | None
    prefix: str | None
    price: str


class MessageRow(msgspec.Struct, frozen=True, gc=False):
    """One row of a message plan: price per segment for one mobile network."""

    country_code: str
    country_name: str
    mcc: int
    mnc: int
    network: str
    operator: str
    price: str


@dataclass(frozen=True)
class Plan:
    """A plan and its rows. ``match`` is the longest prefix of a number, and what that row charges."""

    name: str
    sid: str
    effective_date: str
    rows: tuple[RateRow, ...]

    @cached_property
    def _by_prefix(self) -> dict[str | None, RateRow]:
        return {row.prefix: row for row in self.rows}

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({len(row.prefix) for row in self.rows if row.prefix}, reverse=True))

    def match(self, number: str) -> RateRow | None:
        """The row of the longest prefix of ``number`` (digits), else the default row, else None."""
        rows = self._by_prefix
        for length in self._lengths:
            row = rows.get(number[:length])
            if row is not None:
                return row
        return rows.get(None)


@cache
def terms(row: RateRow, price_unit: int | None) -> Terms:
    """A row, ready to compute with. Few rows are ever used, so this stays small."""
    return Terms.of(row.price, row.billing_increment, row.billing_minimum, price_unit)


def plan_sid(name: str) -> str:
    """The stable secure id of the plan called ``name``."""
    return str(uuid.uuid5(_NAMESPACE, name))


def call_plan(direction: str, family: str, rates: int = OUTBOUND_ROWS) -> Plan:
    """The plan for ``inbound`` or ``outbound`` and ``pstn`` or a VoIP sub_type; the largest has so many ``rates``."""
    return _call_plan(direction, family, rates)


@cache
def _call_plan(direction: str, family: str, rates: int) -> Plan:
    rows: tuple[RateRow, ...]
    if family != "pstn":
        rows, name = (_voip_row(direction, family),), f"voip_{family}_{direction}-2026-01"
    elif direction == "inbound":
        rows, name = _inbound_rows(), "retail_voice_in_rates-2026-01"
    else:
        rows, name = _outbound_rows(rates), "retail_voice_out-2026-01"
    return Plan(name, plan_sid(name), EFFECTIVE, rows)


def _voip_row(direction: str, family: str) -> RateRow:
    price = {"flexml": "0.002", "third_party": "0.0005"}.get(family, "0") if direction == "outbound" else "0"
    return RateRow("60", "60", None, None, None, price)


def _inbound_rows() -> tuple[RateRow, ...]:
    rows = [RateRow("60", "60", None, None, None, "0.0045")]
    rows += [_row("1" + code, "US", 60, 60, 1450) for code in numbers.TOLL_FREE]
    return (*rows, _row("44800", "GB", 60, 60, 4100))


def _row(prefix: str, region: str | None, increment: int, minimum: int, per_minute: int) -> RateRow:
    """``per_minute`` in 10^-5 dollars; the row states its price per minimum, to 10^-6."""
    country = by_alpha2()[region] if region else None
    code = country["iso_3166_alpha_3"] if country else None
    name = country["common_name"] if country else _NETWORKS[prefix]
    price = decimal_text((per_minute * 10 * minimum + 30) // 60, 6)
    return RateRow(str(increment), str(minimum), code, name, prefix, price)


def _outbound_rows(count: int) -> tuple[RateRow, ...]:
    rows = [_row(prefix, None, 60, 60, 250_000) for prefix in _NETWORKS]
    rows += [_row("1" + code, "US", 6, 6, 0) for code in numbers.TOLL_FREE]
    rows += [_row("1900", "US", 60, 60, 129_000)]
    rows += [_area_row(code, region) for code, region in numbers.area_codes().items()]
    rows += _abroad_rows()
    return (*rows, *_exchange_rows(max(0, count - len(rows))))[:count]


def _area_row(code: str, region: str) -> RateRow:
    if region in ("US", "CA"):
        return _row("1" + code, region, 6, 6, 800 + _CHANCE.below("area", int(code), 7) * 100)
    return _row("1" + code, region, 60, 60, _level(region))


def _exchange_rows(count: int) -> list[RateRow]:
    """``count`` seven-digit rows, spread evenly over the area codes of the United States and Canada."""
    codes = [(code, region) for code, region in numbers.area_codes().items() if region in ("US", "CA")]
    share, rest = divmod(count, len(codes))
    rows = []
    for place, (code, region) in enumerate(codes):
        for exchange in numbers.exchanges(code, share + (place < rest)):
            draw = _CHANCE.below("rate", int(code + exchange), 64)
            per_minute = 600 + draw % 12 * 80 + (3000 if draw == 63 else 0)
            rows.append(_row(f"1{code}{exchange}", region, 6, 6, per_minute))
    return rows


def _abroad_rows() -> list[RateRow]:
    landlines = [str(code) for code in COUNTRY_CODE_TO_REGION_CODE] + list(_SHARED) + _CITIES
    mobiles = set(CARRIER_DATA) - set(landlines)
    return [
        *(row for prefix in sorted(set(landlines)) if (row := _abroad_row(prefix, mobile=False))),
        *(row for prefix in sorted(mobiles) if (row := _abroad_row(prefix, mobile=True))),
    ]


def _abroad_row(prefix: str, *, mobile: bool) -> RateRow | None:
    region = _region(prefix)
    if region is None:
        return None
    increment, minimum = _STEPS[_CHANCE.below("step", int.from_bytes(region.encode()), len(_STEPS))]
    swing = 60 + _CHANCE.below("swing", int(prefix), 80)
    return _row(prefix, region, increment, minimum, _level(region) * swing * (3 if mobile else 1) // 200)


def _region(prefix: str) -> str | None:
    """The country of an international prefix; None for North America, networks and what is not routed."""
    shared = next((region for start, region in _SHARED.items() if prefix.startswith(start)), None)
    if shared or prefix[0] == "1" or prefix.startswith(numbers.UNROUTED):
        return shared
    for length in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(prefix[:length]))
        if regions:
            return regions[0] if regions[0] in by_alpha2() else None
    return None


def _level(region: str) -> int:
    base = _PER_REGION.get(by_alpha2()[region]["subregion"], 17_000)
    return base + _CHANCE.below("level", int.from_bytes(region.encode()), base)


@cache
def message_rows(sub_type: str) -> tuple[MessageRow, ...]:
    """The outbound message plan of ``short_code``, ``toll`` or ``toll_free``: 1,778 networks."""
    extra = {"short_code": 300, "toll": 0, "toll_free": 120}[sub_type]
    networks = _networks()
    share, rest = divmod(MESSAGE_ROWS, len(networks))
    return tuple(
        _message_row(country, mcc, place, extra)
        for number, (country, mcc) in enumerate(networks)
        for place in range(share + (number < rest))
    )


def _networks() -> list[tuple[dict, int]]:
    """Countries and their mobile country codes; a code that several use belongs to the largest of them."""
    ordered = sorted(countries(), key=lambda c: c["iso_3166_alpha_2"] not in _LARGEST)
    owners: dict[int, dict] = {}
    for country in ordered:
        for code in filter(None, (country["mcc"] or "").split(",")):
            owners.setdefault(int(code), country)
    return [(country, mcc) for mcc, country in sorted(owners.items())]


def _message_row(country: dict, mcc: int, place: int, extra: int) -> MessageRow:
    near = country["iso_3166_alpha_3"] in ("USA", "CAN")
    cents = (500 + place * 25 if near else 2000 + _CHANCE.below("sms", mcc * 100 + place, 8000)) + extra
    return MessageRow(
        country["iso_3166_alpha_3"], country["common_name"], mcc, _mnc(mcc, place),
        f"{country['common_name']} {place + 1}", f"Operator {mcc}-{place + 1:02d}", decimal_text(cents, 5),
    )  # fmt: skip


def _mnc(mcc: int, place: int) -> int:
    return 999 if mcc == 310 and place == 0 else place * 10 + mcc % 7

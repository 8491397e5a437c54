"""What the partners own: numbers, endpoints, trunks and the invoices of the past.

The records refer to these by secure id; none of them depends on the seed, except how many numbers a partner has.
"""

import uuid
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import phonenumbers

from pipeline.provider import numbers
from pipeline.provider.entropy import Entropy
from pipeline.provider.partners import Partner
from pipeline.provider.pricing import decimal_text

_NAMESPACE = uuid.UUID("b1a7c0de-4c55-5e0f-9a36-70d2f8e1c943")
_CHANCE = Entropy(0)

GATEWAY = "system_gateway"
APPLICATIONS = ("third_party", "conference", "flexml", "mediator", "voicemail", "conference_playback")
_HOSTED = {
    "conference": "conference",
    "conference_playback": "conference",
    "flexml": "flexml",
    "mediator": "mediator",
}


_TO_E164 = {"action": "rewrite_to", "direction": "inbound", "operands": ["^([2-9]\\d{9})$", "1\\1"]}
_FROM_E164 = {"action": "rewrite_from", "direction": "any", "operands": ["^([2-9]\\d{9})$", "1\\1"]}
_VALIDATE = {"action": "stir_validate", "direction": "any", "operands": []}


def sid(kind: str, name: object) -> str:
    """A stable secure id."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}-{name}"))


ENDPOINT_SIDS = {kind: sid("endpoint", kind) for kind in (GATEWAY, *APPLICATIONS)}
TRUNKS = tuple((sid("trunk-group", n // 2), sid("trunk", n)) for n in range(8))


@dataclass(frozen=True, slots=True)
class Lines:
    """The numbers of one partner, E.164 without plus, and its short code for messages."""

    local: tuple[str, ...]
    toll_free: tuple[str, ...]
    short_code: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every number that can be called."""
        return self.local + self.toll_free


def assign_lines(partners: Sequence[Partner], entropy: Entropy) -> list[Lines]:
    """2 to 40 numbers for each partner; every second North American one has toll-free numbers among them."""
    used: dict[str, int] = {}
    assigned = []
    for partner in partners:
        count = 2 + entropy.below("lines", partner.index, 39)
        free = (
            1 + partner.index % 3 if count > 4 and partner.index % 2 and partner.home in ("US", "CA") else 0
        )
        assigned.append(
            Lines(
                tuple(_local(partner, _next(used, partner.place.city)) for _ in range(count - free)),
                tuple(_toll_free(_next(used, "toll free")) for _ in range(free)),
                f"{20_000 + partner.index * 131}",
            )
        )
    return assigned


def _next(used: dict[str, int], pool: str) -> int:
    used[pool] = used.get(pool, -1) + 1
    return used[pool]


def _local(partner: Partner, place: int) -> str:
    stems = partner.place.stems
    return f"{stems[place % len(stems)]}{100 + place // len(stems):03d}"


def _toll_free(place: int) -> str:
    return f"1{numbers.TOLL_FREE[place % len(numbers.TOLL_FREE)]}5552{place:03d}"


def dids(partners: Sequence[Partner], lines: Sequence[Lines]) -> list[dict]:
    """The numbers resource: one object per number, with its monthly price."""
    return [
        _did(partner, number, number in owned.toll_free, place)
        for partner, owned in zip(partners, lines, strict=True)
        for place, number in enumerate(owned.all)
    ]


def _did(partner: Partner, number: str, toll_free: bool, place: int) -> dict:
    parsed = phonenumbers.parse("+" + number, None)
    formats = phonenumbers.PhoneNumberFormat
    country = partner.place.country
    return {
        "attributes": {"name": "main line"} if place == 0 else {},
        "callback_url": None,
        "capabilities": 5 if toll_free else (7, 31)[place % 2] if country in ("USA", "CAN") else 4,
        "country_code": country,
        "did_group_sid": sid("did-group", partner.index) if place % 5 == 3 else None,
        "did_sid": sid("did", number),
        "in_country_format": phonenumbers.format_number(parsed, formats.NATIONAL),
        "international_format": phonenumbers.format_number(parsed, formats.INTERNATIONAL),
        "locality": None if toll_free else partner.place.city.upper(),
        "lrn_sid": None,
        "name": "N/A",
        "partner_sid": partner.sid,
        "phonenumber": number,
        "price": "1.5" if toll_free else {"USA": "0.6", "CAN": "0.85", "GBR": "1.2"}.get(country, "2"),
        "state": None if toll_free else partner.place.state,
        "string_key_1": f"floor-{place % 7}" if place % 9 == 5 else None,
        "string_key_2": None,
        "transformations": [_TO_E164] if place % 11 == 7 else [],
        "trunk_group_sid": TRUNKS[partner.index % len(TRUNKS)][0] if place % 3 == 1 else None,
    }


def endpoints(owner: str) -> list[dict]:
    """One endpoint of each kind that carries traffic; hosted ones show the secrets that must go nowhere."""
    return [_endpoint(kind, owner) for kind in (GATEWAY, *APPLICATIONS)]


def _endpoint(kind: str, owner: str) -> dict:
    third_party = kind == "third_party"
    return {
        "addresses": [_address(n) for n in (13, 14)] if third_party else [],
        "attributes": {},
        "capacity": 0,
        "endpoint_sid": ENDPOINT_SIDS[kind],
        "name": f"sandbox_{kind}",
        "out_sip_password": "sandbox-sip-secret" if third_party else None,
        "out_sip_username": "sandbox" if third_party else None,
        "partner_sid": owner,
        "properties": _properties(kind),
        "transformations": [_VALIDATE, _FROM_E164] if third_party else [],
        "type": kind,
        "voip_token": sid("voip-token", kind) if third_party else None,
    }


def _address(last: int) -> dict:
    return {
        "direction": "any",
        "dst_port": 5060,
        "ip": f"198.51.100.{last}",
        "location_sid": None,
        "port": 5060,
        "priority": 0,
        "sip_password": None,
        "sip_username": None,
        "srtp": False,
        "transport": "udp",
    }


def _properties(kind: str) -> dict:
    if kind not in _HOSTED:
        return {}
    return {
        "account_sid": sid("account", kind).replace("-", "."),
        "api_url": f"https://api.example.com/{_HOSTED[kind]}/v1",
        "container_sid": "null",
        "login": f"sandbox_{kind}",
        "password": f"sandbox-{kind}-secret",
    }


def invoices(owner: str, start: date) -> list[dict]:
    """The provider's invoices for the three months before ``start``: invented amounts that add up."""
    months: list[date] = []
    first = start.replace(day=1)
    for _ in range(3):
        first = (first - timedelta(days=1)).replace(day=1)
        months.insert(0, first)
    found: list[dict] = []
    carried = 0
    for number, month in enumerate(months, start=1):
        invoice, carried = _invoice(owner, month, number, carried)
        found.append(invoice)
    return found


def _invoice(owner: str, month: date, number: int, previous: int) -> tuple[dict, int]:
    start = f"{month.isoformat()}T00:00:00.000Z"
    end = f"{month:%Y-%m}-{monthrange(month.year, month.month)[1]}T23:59:59.000Z"
    period = {"date_billing_period_end": end, "date_billing_period_start": start}
    items, amount = _items(month, period)
    tax = amount * 7 // 100
    due = max(0, previous + amount + tax)
    issued = f"{month + timedelta(days=32):%Y-%m}-01T02:00:00.000Z"
    invoice = {
        "amount": _money(amount),
        "amount_due": "0",
        "amount_tax": _money(tax),
        "balance_forward": _money(previous + amount + tax - due),
        "balance_previous": _money(previous),
        **period,
        "date_charge_expected": end,
        "date_charged": issued,
        "date_created": start,
        "date_issued": issued,
        "display_id": f"{number:03d}",
        "invoice_items": items,
        "invoice_sid": sid("invoice", f"{owner}-{month}"),
        "paid": True,
        "partner_sid": owner,
        "pay_items": [_payment(due, issued, number)],
        "status": "complete",
        "tax_items": [
            {"amount": _money(tax), "jurisdiction": "federal", "type": "fed_universal_service_fund"}
        ],
    }
    return invoice, previous + amount + tax - due


def _items(month: date, period: dict[str, str]) -> tuple[list[dict], int]:
    items, total = [], 0
    for place, (kind, direction) in enumerate(
        (
            ("toll", "inbound"),
            ("toll", "outbound"),
            ("toll_free", "inbound"),
            ("sms", "outbound"),
            ("did", None),
        )
    ):
        usage = 60 * (500 + _CHANCE.below("usage", month.toordinal() * 8 + place, 4000))
        cents = usage // (60 * (place + 2))
        total += cents
        way = {"direction": direction} if direction else {}
        items.append(
            {"amount": _money(cents), "country_code": "USA", **period, **way, "type": kind, "usage": usage}
        )
    return items, total


def _payment(cents: int, moment: str, number: int) -> dict:
    return {
        "amount": _money(cents),
        "billing_method": {"cc_number": "8888", "type": "visa"},
        "check_number": None,
        "date_charged": moment,
        "pay_item_sid": sid("payment", number),
        "status": "complete",
        "type": "credit_card",
    }


def _money(cents: int) -> str:
    return ("-" if cents < 0 else "") + decimal_text(abs(cents), 2)

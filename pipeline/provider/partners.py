"""The partners of the sandbox: a small carrier, its customers, two resellers and what is below them.

Names, places and addresses are invented. Secure ids do not depend on the seed, so that master data written for the
sandbox fits every world. The first 25 are fixed; more are plain children of the root.
"""

import uuid
from dataclasses import dataclass
from functools import cache

from pipeline.provider.countries import by_alpha3
from pipeline.provider.entropy import Entropy

_NAMESPACE = uuid.UUID("9f3c1d2e-5b7a-5c61-8e21-7d0a4b6c8f10")
_CHANCE = Entropy(0)

SCOPES = (
    "accesscontrol.read", "app.read", "app.read_descendant", "batch.read", "calls.read", "calls.read_descendant",
    "countries.read", "endpoints.read", "invoices.read", "lookup.dids.read", "partners.billing_method.read",
    "partners.read", "phonenumber.read", "rating.read", "sms.read", "sms.read_descendant", "trunk_groups.read",
    "trunk_groups.trunks.read",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where partners are, and the stems of local numbers there (E.164 without plus, three free digits)."""

    city: str
    state: str | None
    zip: str
    country: str
    street: str
    stems: tuple[str, ...]


_PLACES = {
    "austin": Place("Austin", "TX", "78701", "USA", "Congress Ave", ("15125552", "17375552")),
    "houston": Place("Houston", "TX", "77002", "USA", "Main St", ("17135552", "18325553")),
    "dallas": Place("Dallas", "TX", "75201", "USA", "Elm St", ("12145552", "14695553")),
    "seattle": Place("Seattle", "WA", "98101", "USA", "Pike St", ("12065552",)),
    "spokane": Place("Spokane", "WA", "99201", "USA", "Riverside Ave", ("15095552",)),
    "new_york": Place("New York", "NY", "10004", "USA", "Broad St", ("12125552", "16465553")),
    "buffalo": Place("Buffalo", "NY", "14202", "USA", "Delaware Ave", ("17165552",)),
    "los_angeles": Place("Los Angeles", "CA", "90014", "USA", "Spring St", ("12135552", "13235553")),
    "san_diego": Place("San Diego", "CA", "92101", "USA", "Harbor Dr", ("16195552",)),
    "miami": Place("Miami", "FL", "33131", "USA", "Brickell Ave", ("13055552", "17865553")),
    "tampa": Place("Tampa", "FL", "33602", "USA", "Ashley Dr", ("18135552",)),
    "chicago": Place("Chicago", "IL", "60606", "USA", "Wacker Dr", ("13125552", "17735553")),
    "peoria": Place("Peoria", "IL", "61602", "USA", "Adams St", ("13095552",)),
    "berlin": Place("Berlin", None, "10117", "DEU", "Friedrichstraße", ("493023125",)),
    "munich": Place("Munich", None, "80331", "DEU", "Sendlinger Straße", ("498999998",)),
    "london": Place("London", None, "EC2A 4BX", "GBR", "Curtain Road", ("442079460",)),
    "leeds": Place("Leeds", None, "LS1 5HD", "GBR", "Park Row", ("441134960",)),
    "toronto": Place("Toronto", "ON", "M5H 2N2", "CAN", "Bay St", ("14165552", "16475553")),
}

# index: company, place, parent index
_TREE = (
    ("Harbor Carrier Services", "austin", None),
    ("Juniper Hollow Dental Group", "houston", 0),
    ("Copperline Freight Desk", "seattle", 0),
    ("Bluebird & Vale Voice Resale", "new_york", 0),
    ("Lanternfish Animation House", "los_angeles", 0),
    ("Marigold Key Health Network", "miami", 0),
    ("Northgate Orchard Cooperative", "chicago", 0),
    ("Tidewater Lark Telecom Resale", "dallas", 0),
    ("Quartz & Pinewood Architects", "spokane", 0),
    ("Silver Otter Mutual", "buffalo", 0),
    ("Sundial Ridge Solar Supply", "san_diego", 0),
    ("Pelican Quay Hospitality", "tampa", 0),
    ("Ironwood Lathe Works", "peoria", 0),
    ("Falkenlinde Handels GmbH", "berlin", 0),
    ("Isarwind Softwarehaus GmbH", "munich", 0),
    ("Thistledown Row Publishing Ltd", "london", 0),
    ("Maple Kettle Outfitters Inc", "toronto", 0),
    ("Cobblestone Tax Advisers", "new_york", 3),
    ("Harvest Moon Catering Co", "buffalo", 3),
    ("Moorland Glass Studio Ltd", "leeds", 3),
    ("Redwing Courier Collective", "chicago", 3),
    ("Bayou Lantern Tours", "houston", 7),
    ("Prairie Comet Communications", "dallas", 7),
    ("Little Comet Bakery", "austin", 22),
    ("Marigold Key Health Network, Orlando Clinic", "tampa", 5),
)
# By index. What is set as user data is private to the partner.
_TRANSFORMATIONS = {
    6: [{"action": "set_user_data", "direction": "any", "operands": ["cost_centre", "sandbox-user-secret"]}],
    9: [{"action": "reject", "direction": "inbound", "operands": ["intermediary-rejected", "not wanted"]}],
}
_FIRST = (
    "Ada",
    "Ben",
    "Carla",
    "Dev",
    "Elif",
    "Finn",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Liam",
    "Mara",
)
_LAST = (
    "Abbot",
    "Brandt",
    "Castle",
    "Dunmore",
    "Ekström",
    "Fairley",
    "Gruber",
    "Hollis",
    "Ibarra",
    "Jensen",
    "Kovač",
)
_FURTHER = (
    "Amber",
    "Birch",
    "Cedar",
    "Dune",
    "Ember",
    "Fjord",
    "Glen",
    "Hazel",
    "Islet",
    "Jasper",
    "Knoll",
    "Lupin",
)


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner: ``record`` is the provider's object; the rest is what traffic and numbers need."""

    index: int
    sid: str
    place: Place
    record: dict

    @property
    def home(self) -> str:
        """Two-letter country."""
        return str(by_alpha3()[self.place.country]["iso_3166_alpha_2"])


def partner_sid(index: int) -> str:
    """The secure id of partner ``index``; the same in every world."""
    return str(uuid.uuid5(_NAMESPACE, f"partner-{index}"))


@cache
def partners(count: int) -> tuple[Partner, ...]:
    """The first ``count`` partners."""
    return tuple(_partner(index) for index in range(count))


def _partner(index: int) -> Partner:
    name, place_key, parent = _TREE[index] if index < len(_TREE) else _further(index)
    place = _PLACES[place_key]
    return Partner(index, partner_sid(index), place, _record(index, name, place, parent))


def _further(index: int) -> tuple[str, str, int]:
    words = [_FURTHER[_CHANCE.below("name", index * 2 + n, len(_FURTHER))] for n in (0, 1)]
    return f"{words[0]} {words[1]} {index}", list(_PLACES)[index % len(_PLACES)], 0


def _record(index: int, name: str, place: Place, parent: int | None) -> dict:
    slug = "".join(c for c in name.split(",", maxsplit=1)[0].lower() if c.isascii() and c.isalnum())[:18]
    prepaid = index % 3 == 1
    created = f"2024-{1 + index % 12:02d}-{1 + index * 7 % 28:02d}"
    owner = f"{slug}.owner@example.{('com', 'net', 'org')[index % 3]}"
    return {
        "acls": [],
        "address1": f"{100 + index * 37} {place.street}",
        "address2": f"Suite {index * 10}" if index % 4 == 2 else None,
        "attributes": {},
        "available_scopes": list(SCOPES) if index == 0 else [],
        "balance": _balance(index, prepaid),
        "billing_email": _billing_email(index, slug),
        "callbacks": {"sms": f"https://hooks.example.com/{slug}/sms"} if index % 6 == 4 else {},
        "charge_at": "20" if prepaid else None,
        "city": place.city,
        "company_name": name,
        "country_code": place.country,
        "date_created": f"{created}T15:04:{index % 60:02d}.{index % 1000:03d}Z",
        "display_id": f"CX{10_000_000 + _CHANCE.below('display', index, 89_999_999)}",
        "login": slug,
        "name": f"{_FIRST[index % len(_FIRST)]} {_LAST[index % len(_LAST)]}",
        "owner_email": owner,
        "parent_assigned_acls": [],
        "parent_sid": partner_sid(parent) if parent is not None else str(uuid.uuid5(_NAMESPACE, "platform")),
        "partner_sid": partner_sid(index),
        "payment_type": "prepay" if prepaid else "postpay",
        "phonenumber": place.stems[0] + f"{index % 1000:03d}",
        "prepay_amount": "100" if prepaid else None,
        "spending_limit": ("0", "500", None)[index % 3],
        "state": place.state,
        "status": "suspended" if index == 19 else "active",
        "tech_email": owner if index % 2 else None,
        "transformations": _TRANSFORMATIONS.get(index, []),
        "zip": place.zip,
    }


def _balance(index: int, prepaid: bool) -> str:
    cents = _CHANCE.below("balance", index, 50_000)
    text = f"{cents // 100}.{cents % 100:02d}".rstrip("0").rstrip(".")
    return text if prepaid or cents == 0 else f"-{text}"


def _billing_email(index: int, slug: str) -> str | None:
    if index % 5 == 2:
        return None
    if index == 14:
        return ",".join(f"{slug}.{desk}@example.org" for desk in ("buchhaltung", "einkauf", "archiv"))
    return f"{slug}.billing@example.{('com', 'net', 'org')[index % 3]}"


def billing_method(partner: Partner) -> dict | None:
    """The billing method on file; None for the partners who pay by other means."""
    if partner.index % 4 == 3:
        return None
    first, _, last = partner.record["name"].partition(" ")
    return {
        "address1": partner.record["address1"],
        "address2": partner.record["address2"],
        "cc_expiration": f"{1 + partner.index % 12:02d}20{27 + partner.index % 4}",
        "cc_number": f"{_CHANCE.below('card', partner.index, 10_000):04d}",
        "city": partner.record["city"],
        "country_code": partner.record["country_code"],
        "first_name": first,
        "last_name": last,
        "phone": partner.record["phonenumber"],
        "state": partner.record["state"],
        "type": ("visa", "master_card", "american_express")[partner.index % 3],
        "zip": partner.record["zip"],
    }

"""Number lookups: each detail that is asked for is counted, and billed on the open invoice.

A number that matches no numbering plan is a 400 and one that is no number at all a 404: so it is documented.
"""

from datetime import date

import phonenumbers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.provider.countries import countries
from pipeline.provider.entropy import Entropy
from pipeline.provider.inventory import sid
from pipeline.provider.pricing import decimal_text
from pipeline.provider.resources import query_of, world_of
from pipeline.provider.traffic import from_ms, stamp, to_ms
from pipeline.provider.wire import as_json, bad_request, not_found
from pipeline.provider.world import World

# Thousandths of a US dollar.
PRICES = {"carrier": 8, "cnam": 10, "lrn": 5}
_CHANCE = Entropy(0)
_CARRIERS = (("Juniper Wireless", "mobile"), ("Copper County Telephone", "landline"), (None, "unknown"))
_STATES = ("CA", "FL", "IL", "NY", "TX", "WA")


def lookup_routes() -> list[BaseRoute]:
    """``/lookup/dids/{phonenumber}``."""
    return [Route("/lookup/dids/{number}", _lookup)]


async def _lookup(request: Request) -> Response:
    number = request.path_params["number"].removeprefix("+")
    if not number.isdecimal() or not 7 <= len(number) <= 15:
        raise not_found("phonenumber")
    if len(number) == 10 and request.query_params.get("guess", "north_america") == "north_america":
        number = "1" + number
    parsed = _parsed(number)
    wanted = [kind for kind in PRICES if request.query_params.get(kind) == "true"]
    world_of(request).lookups.update(wanted)
    return as_json(query_of(request).shown(_details(number, parsed, wanted)))


def _parsed(number: str) -> phonenumbers.PhoneNumber:
    try:
        parsed = phonenumbers.parse("+" + number, None)
    except phonenumbers.NumberParseException as error:
        raise bad_request("cannot match the phone number") from error
    if not phonenumbers.is_possible_number(parsed):
        raise bad_request("cannot match the phone number")
    return parsed


def _details(number: str, parsed: phonenumbers.PhoneNumber, wanted: list[str]) -> dict:
    formats = phonenumbers.PhoneNumberFormat
    draw, american = _CHANCE.number("lookup", int(number)), number.startswith("1")
    name, kind = _CARRIERS[draw % len(_CARRIERS)] if "carrier" in wanted else (None, None)
    mobile = kind == "mobile" and american
    cnam = f"CALLER {number[-4:]}" if "cnam" in wanted else ""
    return {
        "country_code": _country(parsed),
        "details": {
            "carrier": {
                "mcc": 310 if mobile else None,
                "mnc": 10 + draw % 900 if mobile else None,
                "name": name,
                "type": kind,
            },
            "cnam": {"name": cnam, "type": "CONSUMER" if cnam else None},
            "lrn": f"{number[1:7]}0000" if "lrn" in wanted and american else None,
        },
        "e164_format": f"+{number}",
        "in_country_format": phonenumbers.format_number(parsed, formats.NATIONAL),
        "international_format": phonenumbers.format_number(parsed, formats.INTERNATIONAL),
        "phonenumber": number,
        "state": _STATES[draw % len(_STATES)] if american else None,
    }


def _country(parsed: phonenumbers.PhoneNumber) -> str | None:
    region = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return next((c["iso_3166_alpha_3"] for c in countries() if c["iso_3166_alpha_2"] == region), None)


def open_invoice(world: World) -> list[dict]:
    """The open invoice, once there is something to bill; one item per kind of lookup."""
    if not world.lookups:
        return []
    today: date = from_ms(world.now_ms).date()
    start, number = today.replace(day=1), len(world.invoices) + 1
    period = {
        "date_billing_period_end": f"{today.isoformat()}T23:59:59.000Z",
        "date_billing_period_start": f"{start.isoformat()}T00:00:00.000Z",
    }
    items = [_item(kind, count, period) for kind, count in sorted(world.lookups.items())]
    cents = sum(_cents(kind, count) for kind, count in world.lookups.items())
    amounts = dict.fromkeys(("amount", "amount_due", "balance_forward"), decimal_text(cents, 2))
    none = dict.fromkeys(("amount_tax", "balance_previous"), "0")
    return [
        {
            **amounts,
            **none,
            **period,
            "date_charge_expected": period["date_billing_period_end"],
            "date_charged": None,
            "date_created": stamp(to_ms(from_ms(world.now_ms))),
            "date_issued": None,
            "display_id": f"{number:03d}",
            "invoice_items": items,
            "invoice_sid": sid("invoice", f"{world.root_sid}-open-{start}"),
            "paid": False,
            "partner_sid": world.root_sid,
            "pay_items": [],
            "status": "open",
            "tax_items": [],
        }
    ]


def _item(kind: str, count: int, period: dict[str, str]) -> dict:
    amount = {"amount": decimal_text(_cents(kind, count), 2), "country_code": "USA", "usage": count}
    return amount | period | {"type": f"did_lookup_{kind}"}


def _cents(kind: str, count: int) -> int:
    """Rounded half up, once per item."""
    return (PRICES[kind] * count + 5) // 10

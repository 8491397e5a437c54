"""To whom an invoice goes: the lines of the address, and the e-mail addresses."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.invoice.duck import Duck
from pipeline.masters.model import Customer

_ADDRESS = re.compile(
    r"[^\s@,;<>()\"\[\]\\:]{1,64}@[^\s@,;<>()\"\[\]\\:]{1,190}\.[^\s@,;<>()\"\[\]\\:.]{2,60}\Z"
)
_PARTNERS = """
select partner_sid, parent_sid, company_name, name, address1, address2, city, state, zip, country_code,
       billing_email, owner_email
from land.partners_history
qualify row_number() over (partition by partner_sid order by valid_from desc) = 1
"""
# Addresses of the Universal Postal Union's members that write "10117 Berlin"; the others write "Austin, TX 78701".
_CODE_BEFORE_CITY = frozenset(
    "AND AUT BEL BGR CHE CYP CZE DEU DNK ESP EST FIN FRA GRC HRV ISL ISR ITA LIE LTU LUX MCO MEX NLD NOR POL PRT"
    " ROU SMR SRB SVK SVN SWE TUR VAT".split()
)
_COUNTRIES = "select iso_3166_alpha_3, common_name from land.countries"

Partner = Mapping[str, Any]


def partners(con: Duck) -> dict[str, Partner]:
    """The last known content of every partner."""
    done = con.execute(_PARTNERS)
    names = [column[0] for column in done.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in done.fetchall()}


def country_names(con: Duck) -> dict[str, str]:
    """alpha-3 -> the country's short name."""
    return {code: name for code, name in con.execute(_COUNTRIES).fetchall() if name}


def bill_to(customer: Customer, partner: Partner, countries: Mapping[str, str]) -> list[str]:
    """The lines of the address, name first, in the order that the country's post asks for."""
    city, state, code = (partner.get(name) for name in ("city", "state", "zip"))
    country = partner.get("country_code") or customer.place.country
    first, then = ((code, city), (state,)) if country in _CODE_BEFORE_CITY else ((city,), (state, code))
    lines = (
        customer.name,
        partner.get("address1"),
        partner.get("address2"),
        ", ".join(filter(None, (" ".join(filter(None, first)), " ".join(filter(None, then))))),
        countries.get(country, country),
    )
    return [line.strip() for line in lines if line and line.strip()]


def emails(customer: Customer, partner: Partner) -> list[str]:
    """The customer's own recipients, else the provider's billing_email, else its owner_email; valid ones only."""
    candidates = (
        list(customer.recipients),
        (partner.get("billing_email") or "").split(","),
        (partner.get("owner_email") or "").split(","),
    )
    for candidate in candidates:
        given = [address.strip() for address in candidate if address.strip()]
        if given:
            return list(dict.fromkeys(address for address in given if _ADDRESS.match(address)))
    return []

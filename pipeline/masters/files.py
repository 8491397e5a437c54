"""Master files: what a home's ``masters/`` folder says, as values, or every problem in it at once.

Files, all optional: ``sellers.toml``, ``customers.csv``, ``assignments.csv``, ``taxes.csv``, ``tax_places.csv``,
``exemptions.csv``, ``tax_shares.csv``, ``exchange_rates.csv``, ``bundles.csv``, ``tiers.csv``, ``markups.csv``,
``charges.csv``, ``discounts.csv``, ``commitments.csv``, ``per_use.csv``, ``did_prices.csv``, ``policy.toml``. Unknown
columns and keys are refused: a misspelt ``tax_exmpt`` must not tax somebody in silence. Each CSV file may carry a
``comment`` column for people.
"""

import hashlib
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path

from pipeline.masters.allowances import read_bundles, read_tiers
from pipeline.masters.charges import read_charges, read_commitments, read_discounts, read_per_use
from pipeline.masters.did_prices import read_did_prices
from pipeline.masters.dunning import BOUNDS, REMINDER, bounds_of, reminder_levels
from pipeline.masters.exchange import read_exchange_rates
from pipeline.masters.markups import read_markups
from pipeline.masters.model import (
    Assignment,
    Customer,
    Masters,
    PlanTerms,
    Policy,
    Seller,
)
from pipeline.masters.overlaps import refuse_overlaps, unique
from pipeline.masters.reading import Problems, Row, csv_rows, toml_rows, zone_or_none
from pipeline.masters.signals import SIGNALS, signals_of
from pipeline.masters.taxes import (
    PLACE_COLUMNS,
    place_of,
    read_exemptions,
    read_tax_places,
    read_tax_shares,
    read_taxes,
)
from pipeline.masters.vocabulary import (
    APPROVALS,
    BILLABLE_BASES,
    COUNTRIES,
    CURRENCIES,
    DIRECTIONS,
    INCREMENT_RULES,
    MATCH_FIELDS,
    ROUNDING_MODES,
    SERVICES,
)

FILES = (
    *("sellers.toml", "customers.csv", "assignments.csv", "taxes.csv", "tax_places.csv"),
    *("exemptions.csv", "tax_shares.csv", "exchange_rates.csv", "bundles.csv", "tiers.csv", "markups.csv"),
    *("charges.csv", "discounts.csv"),
    *("commitments.csv", "per_use.csv", "did_prices.csv", "policy.toml"),
)

_SELLER = (
    *("name", "partner_sid", "address", "country", "tax_ids", "email", "phone", "website"),
    *("logo", "series", "remit_to", "accent"),
)
# The PDF always comes along; "pdf" alone is it and nothing else.
ATTACHMENTS = ("pdf", "csv", "parquet", "ubl")
CUSTOMER_COLUMNS = (
    *("partner_sid", "name", "seller", "time_zone", "currency", *PLACE_COLUMNS, "anchor_day", "terms_days"),
    *("recipients", "approval", "opening_balance", "tax_exempt", "tax_id", "did_price", "bill_from"),
    *("resells", "language", "purchase_order", "attachments", "buyer_reference"),
)
ASSIGNMENT_COLUMNS = ("partner_sid", "plan_sid", "service", "direction", "family", "start", "end")
_TERMS = (
    *("unit_rule", "increment_rule", "billable_base", "match_field"),
    *("rounding_mode", "rounding_decimals", "billable_statuses"),
)
_POLICY = {
    "": ("accepted_unrated", "gate_accepted", "remind_daily"),
    "provider": _TERMS,
    "bounds": BOUNDS,
    "reminder.*": REMINDER,
    "signals": SIGNALS,
}
_SID = r"[A-Za-z0-9._:-]{1,120}"
_KEY = r"[a-z0-9][a-z0-9_-]{0,59}"


def read_masters(folder: Path) -> Masters:
    """Read and check the master files in ``folder``; a missing file is an empty one.

    Raises:
        MasterError: it lists every problem of every file with its line and what would be valid.
    """
    problems = Problems()
    read = _sellers(folder, problems)
    sellers = {seller.key: seller for _, seller in read}
    customers = _customers(folder, sellers, problems)
    _check_resellers(read, customers)
    taxes = read_taxes(folder, problems)
    masters = Masters(
        sellers=sellers,
        customers=customers,
        assignments=_assignments(folder, customers, problems),
        taxes=taxes,
        tax_places=read_tax_places(folder, problems),
        exemptions=read_exemptions(folder, customers, taxes, problems),
        tax_shares=read_tax_shares(folder, sellers, taxes, problems),
        exchange_rates=read_exchange_rates(folder, problems),
        policy=_policy(folder, problems),
        bundles=read_bundles(folder, customers, problems),
        tiers=read_tiers(folder, customers, problems),
        markups=read_markups(folder, problems),
        charges=read_charges(folder, customers, problems),
        discounts=read_discounts(folder, customers, problems),
        commitments=read_commitments(folder, customers, problems),
        per_use=read_per_use(folder, customers, problems),
        did_prices=read_did_prices(folder, customers, problems),
        fingerprint=fingerprint(folder),
    )
    problems.raise_if_any(folder)
    return masters


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of the master files that exist."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sellers(folder: Path, problems: Problems) -> list[tuple[Row, Seller]]:
    found: list[tuple[Row, Seller]] = []
    series: dict[str, str] = {}
    for name, row in toml_rows(folder / "sellers.toml", {"seller.*": _SELLER}, problems):
        seller = _seller(name.removeprefix("seller."), row, folder)
        found.append((row, seller))
        if series.setdefault(seller.series, seller.key) != seller.key:
            row.wrong(
                "series", f"is {seller.series!r} like [seller.{series[seller.series]}]; give each its own"
            )
    return found


def _seller(key: str, row: Row, folder: Path) -> Seller:
    logo = row.matching(
        "logo", r"[\w.-]+\.(svg|png|jpe?g)", "the name of an .svg, .png or .jpg file beside this one"
    )
    if logo and not (folder / logo).is_file():
        row.wrong("logo", f"is {logo!r}, which is not in {folder}; put the file there or leave it empty")
    return Seller(
        key=key,
        name=row.text("name", required=True),
        partner_sid=row.matching("partner_sid", _SID, "a partner_sid of the provider"),
        address=row.paragraphs("address"),
        country=row.choice("country", COUNTRIES, "USA"),
        tax_ids=row.paragraphs("tax_ids"),
        email=next(iter(row.emails("email")), ""),
        phone=row.text("phone"),
        website=row.text("website"),
        logo=logo,
        series=row.matching("series", r"[A-Z][A-Z0-9-]{0,15}", "up to 16 capitals and digits", "INV"),
        remit_to=row.paragraphs("remit_to"),
        accent=row.matching("accent", r"#[0-9a-fA-F]{6}", "a colour like #1f5f8b", "#1f5f8b"),
    )


def _customers(folder: Path, sellers: dict[str, Seller], problems: Problems) -> dict[str, Customer]:
    required = ("partner_sid", "name", "time_zone", "currency", "country")
    rows = csv_rows(folder / "customers.csv", CUSTOMER_COLUMNS, required, problems)
    house = [seller.key for seller in sellers.values() if not seller.partner_sid]
    read = [(row, _customer(row, sellers, house)) for row in rows]
    return {c.partner_sid: c for c in unique(read, lambda c: c.partner_sid, "customer {key!r}")}


def _customer(row: Row, sellers: dict[str, Seller], house: list[str]) -> Customer:
    return Customer(
        partner_sid=row.matching("partner_sid", _SID, "a partner_sid of the provider", required=True),
        name=row.text("name", required=True),
        seller=_seller_of(row, sellers, house),
        time_zone=row.zone("time_zone"),
        currency=row.choice("currency", CURRENCIES, required=True),
        place=place_of(row),
        anchor_day=row.integer("anchor_day", 1, 31, 1),
        terms_days=row.integer("terms_days", 0, 365, 14),
        recipients=row.emails("recipients"),
        approval=row.choice("approval", APPROVALS, "manual"),
        opening_balance=row.money("opening_balance") or Decimal(0),
        tax_exempt=row.text("tax_exempt"),
        tax_id=row.text("tax_id"),
        did_price=row.money("did_price"),
        bill_from=row.day("bill_from"),
        resells=row.flag("resells"),
        language=row.matching("language", r"[a-z]{2,3}(_[A-Z]{2})?", "a locale like en_US", "en_US"),
        purchase_order=row.text("purchase_order"),
        attachments=row.words("attachments", ATTACHMENTS, ("csv",)),
        buyer_reference=row.text("buyer_reference"),
    )


def _seller_of(row: Row, sellers: dict[str, Seller], house: list[str]) -> str:
    """The named seller; when the cell is empty, the one seller that is the house itself."""
    if not sellers:
        row.wrong("seller", "cannot be found: sellers.toml has no seller; write a [seller.KEY] table first")
        return ""
    if row.text("seller"):
        return row.choice("seller", sellers)
    if len(house) != 1:
        row.wrong(
            "seller",
            f"is empty and {len(house)} sellers could be meant; valid are {', '.join(sorted(sellers))}",
        )
        return ""
    return house[0]


def _check_resellers(sellers: list[tuple[Row, Seller]], customers: dict[str, Customer]) -> None:
    for row, seller in sellers:
        customer = customers.get(seller.partner_sid)
        if seller.partner_sid and not (customer and customer.resells):
            what = f"is {seller.partner_sid!r}, which is no customer with resells = yes in customers.csv"
            row.wrong("partner_sid", what)


def _assignments(folder: Path, customers: dict[str, Customer], problems: Problems) -> tuple[Assignment, ...]:
    required = ("partner_sid", "plan_sid")
    rows = csv_rows(folder / "assignments.csv", ASSIGNMENT_COLUMNS, required, problems)
    read = [(row, _assignment(row, customers)) for row in rows]
    refuse_overlaps(
        read,
        lambda a: (a.partner_sid, a.service, a.direction, a.family),
        lambda a, b: a.start == b.start or a.plan_sid == b.plan_sid,
        "the same partner, service, direction and family with the same start or plan (`plans assign` tells plans apart "
        "with --service, --direction and --family)",
    )
    return tuple(assignment for _, assignment in read)


def _assignment(row: Row, customers: dict[str, Customer]) -> Assignment:
    """A bare date is midnight where the customer is; for ``*`` and unknown partners, in UTC."""
    partner = row.matching("partner_sid", rf"\*|{_SID}", "a partner_sid, or * for all", required=True)
    customer = customers.get(partner)
    zone: tzinfo = (zone_or_none(customer.time_zone) if customer else None) or UTC
    start, end = row.instant("start", zone), row.instant("end", zone)
    row.interval(start, end)
    return Assignment(
        partner_sid=partner,
        plan_sid=row.matching(
            "plan_sid", _SID, "the sid of a plan (see `tollbook plans list`)", required=True
        ),
        service=row.choice("service", SERVICES),
        direction=row.choice("direction", DIRECTIONS),
        family=row.matching("family", _KEY, "a family like pstn, conference or toll_free"),
        start=start,
        end=end,
    )


def _policy(folder: Path, problems: Problems) -> Policy:
    rows = dict(toml_rows(folder / "policy.toml", _POLICY, problems))
    top, provider, bounds, signals = (rows.get(name) for name in ("", "provider", "bounds", "signals"))
    defaults = Policy()
    accepted = defaults.accepted_unrated
    if top and "accepted_unrated" in top.values:
        accepted = top.words("accepted_unrated")  # an empty list accepts nothing
    return Policy(
        accepted_unrated=accepted,
        provider_terms=_terms(provider) if provider else defaults.provider_terms,
        gate_accepted=top.text("gate_accepted") if top else "",
        bounds=bounds_of(bounds) if bounds else defaults.bounds,
        reminders=reminder_levels(rows),
        remind_daily=top.flag("remind_daily") if top else False,
        signals=signals_of(signals) if signals else defaults.signals,
    )


def _terms(row: Row) -> PlanTerms:
    default = PlanTerms()
    return PlanTerms(
        unit_rule=row.matching(
            "unit_rule", r"minimum|fixed:[1-9]\d{0,4}", "'minimum' or 'fixed:60' (seconds)", default.unit_rule
        ),
        increment_rule=row.choice("increment_rule", INCREMENT_RULES, default.increment_rule),
        billable_base=row.choice("billable_base", BILLABLE_BASES, default.billable_base),
        match_field=row.choice("match_field", MATCH_FIELDS, default.match_field),
        rounding_mode=row.choice("rounding_mode", ROUNDING_MODES, default.rounding_mode),
        rounding_decimals=row.integer("rounding_decimals", 0, 10, default.rounding_decimals),
        billable_statuses=row.words("billable_statuses", default=default.billable_statuses),
    )

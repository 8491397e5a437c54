"""What billing needs to know and the provider does not have: sellers, customers, assignments, tax rules, policy.

Values only; ``files.py`` reads them. All are frozen: a run sees one state of the masters from start to end.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from pipeline.domain.allowances import Bundle, Tier, held_by
from pipeline.domain.charges import Charge, Commitment, Discount, PerUse
from pipeline.domain.did_prices import DidPrice
from pipeline.domain.markup import Markup
from pipeline.masters.signals import SignalPolicy


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customer is taxed. ``country`` is alpha-3; the others may be empty."""

    country: str
    state: str = ""
    county: str = ""
    city: str = ""
    zip: str = ""


@dataclass(frozen=True, slots=True)
class Seller:
    """Who issues invoices: the house itself, or a reseller whose customers we bill in its name.

    ``partner_sid`` is the payee of the rated rows it may invoice; empty means the house (the token's partner).
    ``series`` is the prefix of its invoice numbers (``HCS-2026-000001``). ``logo`` is a file name beside the
    master files, or empty.
    """

    key: str
    name: str
    partner_sid: str = ""
    address: tuple[str, ...] = ()
    country: str = "USA"
    tax_ids: tuple[str, ...] = ()
    email: str = ""
    phone: str = ""
    website: str = ""
    logo: str = ""
    series: str = "INV"
    remit_to: tuple[str, ...] = ()
    accent: str = "#1f5f8b"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is billed.

    ``anchor_day`` starts the billing month in ``time_zone`` (29-31 clamp to the month's end). ``approval`` is
    ``automatic`` or ``manual``. ``opening_balance`` is what the customer owed when tollbook took over
    (negative: credit). ``recipients`` empty means the provider's billing_email, else its owner_email.
    ``tax_exempt`` is the reason (certificate number) for not taxing, or empty. ``did_price`` is the monthly
    rent per number; None means the provider's own price. ``bill_from`` overrides the home's.
    ``resells`` makes this customer a payee of its own for the partners below it. ``attachments`` are what an e-mail
    brings beside the PDF: ``csv`` and ``parquet`` (what stands behind the lines), ``ubl`` (the e-invoice).
    ``buyer_reference`` is what a public buyer routes invoices by (in Germany its Leitweg-ID).
    """

    partner_sid: str
    name: str
    seller: str
    time_zone: str
    currency: str
    place: Place
    anchor_day: int = 1
    terms_days: int = 14
    recipients: tuple[str, ...] = ()
    approval: str = "manual"
    opening_balance: Decimal = Decimal(0)
    tax_exempt: str = ""
    tax_id: str = ""
    did_price: Decimal | None = None
    bill_from: date | None = None
    resells: bool = False
    language: str = "en_US"
    purchase_order: str = ""
    attachments: tuple[str, ...] = ("csv",)
    buyer_reference: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which plan a customer is billed on.

    Empty ``service``, ``direction`` and ``family`` match any; ``partner_sid`` ``*`` is the default for all.
    ``start`` and ``end`` are instants, half-open; None is open.
    """

    partner_sid: str
    plan_sid: str
    service: str = ""
    direction: str = ""
    family: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One dated tax. ``rate`` is a fraction; ``share`` is the part of the lines that it applies to.

    With ``per`` (``number``, ``line`` or ``invoice``) ``rate`` is an amount of the customer's currency for each of
    them. ``items`` are the item types in its base (empty: all), ``direction`` their direction (empty: any);
    ``scope`` is ``domestic``, ``international`` or ``any`` against the customer's own country. ``on`` names rules
    whose tax is taxed too; they come before it in ``order``, which also sorts the page. ``minimum`` and ``maximum``
    bound the tax of an invoice. ``reverse_charge`` leaves the tax to a customer with a tax id whose seller is in
    another country. ``country``/``state``/... empty match any. ``legal_source`` says where the rate is from.
    """

    rule: str
    name: str
    jurisdiction: str
    type: str
    rate: Decimal
    share: Decimal = Decimal(1)
    country: str = ""
    state: str = ""
    county: str = ""
    city: str = ""
    items: tuple[str, ...] = ()
    scope: str = "any"
    start: date | None = None
    end: date | None = None
    order: int = 0
    legal_source: str = ""
    zip: str = ""
    direction: str = ""
    per: str = ""
    on: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    reverse_charge: bool = False


@dataclass(frozen=True, slots=True)
class Exemption:
    """A certificate that frees a customer from taxes of a ``rule``, ``type`` or ``jurisdiction`` (empty: any), from
    ``start`` up to and without ``end``."""

    partner_sid: str
    certificate: str
    rule: str = ""
    type: str = ""
    jurisdiction: str = ""
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class TaxShare:
    """What a traffic study (``document``) says of a ``seller``'s calls: the part of its lines that ``rule`` applies to,
    in the place of the rule's own share, from ``start`` up to and without ``end``."""

    seller: str
    rule: str
    share: Decimal
    document: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """On ``date`` one unit of ``currency`` was worth ``rate`` units of ``report_currency``, as ``source`` says."""

    date: date
    currency: str
    rate: Decimal
    report_currency: str
    source: str


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """How the provider's plans are read where its documents leave a choice (the design's section 4)."""

    unit_rule: str = "minimum"
    increment_rule: str = "total"
    billable_base: str = "talk"
    match_field: str = "number_dst"
    rounding_mode: str = "half_up"
    rounding_decimals: int = 10
    billable_statuses: tuple[str, ...] = ("sent", "delivered", "received")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Beyond what an invoice waits for a person: ``usual_factor`` times the median of the last ``usual_of`` issued
    ones, for which at least ``usual_least`` of the customer's currency is taken (a factor of 0 asks about none), or
    more lines than ``most_lines``."""

    usual_factor: int = 10
    usual_of: int = 6
    usual_least: Decimal = Decimal(100)
    most_lines: int = 1000


@dataclass(frozen=True, slots=True)
class ReminderLevel:
    """A reminder that is due ``days_overdue`` days after an invoice's due date, and what it says."""

    level: int
    days_overdue: int
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person has decided beforehand.

    ``accepted_unrated`` are reasons whose records do not park a customer. ``provider_terms`` is how the
    provider's plans are read; ``gate_accepted`` names who accepted a contradicted unit, or is empty.
    ``reminders`` are in the order of their levels; ``remind_daily`` sends them with the daily bill too.
    """

    accepted_unrated: tuple[str, ...] = ("blocked",)
    provider_terms: PlanTerms = PlanTerms()
    gate_accepted: str = ""
    bounds: Bounds = Bounds()
    reminders: tuple[ReminderLevel, ...] = ()
    remind_daily: bool = False
    signals: SignalPolicy = field(default_factory=SignalPolicy)


@dataclass(frozen=True, slots=True)
class Masters:
    """All master data of a home, and the SHA-256 over its files (``fingerprint``)."""

    sellers: dict[str, Seller] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    taxes: tuple[TaxRule, ...] = ()
    tax_places: tuple[Place, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    tax_shares: tuple[TaxShare, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()
    policy: Policy = Policy()
    bundles: tuple[Bundle, ...] = ()
    tiers: tuple[Tier, ...] = ()
    markups: tuple[Markup, ...] = ()
    charges: tuple[Charge, ...] = ()
    discounts: tuple[Discount, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    per_use: tuple[PerUse, ...] = ()
    did_prices: tuple[DidPrice, ...] = ()
    fingerprint: str = ""

    @property
    def names(self) -> dict[str, str]:
        """What each customer is called, by partner_sid."""
        return {sid: customer.name for sid, customer in self.customers.items()}

    def allowances(self, payer_sid: str) -> tuple[Bundle | Tier, ...]:
        """The bundles and tiers that a payer has, in their order."""
        return (*held_by(payer_sid, self.bundles), *held_by(payer_sid, self.tiers))

    def customer(self, partner_sid: str) -> Customer | None:
        return self.customers.get(partner_sid)

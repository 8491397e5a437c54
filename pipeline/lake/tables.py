"""Every table of the lake, described once: grain, columns, types and what they mean.

Add a table here first; its folder, its DuckDB view, its asset and its documentation follow from the name
``<stage>/<table>``. Columns keep the provider's words. Do not put paths or I/O here.

Types: ``ts`` is UTC with milliseconds; ``rate`` is DECIMAL(24,12), as precise as any deck; ``amount`` is
DECIMAL(20,10), the scale at which record amounts are rounded; ``cents`` is DECIMAL(18,2); seconds are
DECIMAL(18,3), because the provider's clocks count milliseconds.
"""

from dataclasses import dataclass

import pyarrow as pa

text = pa.string()
int32 = pa.int32()
int64 = pa.int64()
flag = pa.bool_()
day = pa.date32()
ts = pa.timestamp("ms", "UTC")
rate = pa.decimal128(24, 12)
amount = pa.decimal128(20, 10)
seconds = pa.decimal128(18, 3)
cents = pa.decimal128(18, 2)

Column = tuple[str, pa.DataType, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    ``name`` is ``<stage>/<table>``. ``by_day`` tables hold one file per UTC day, the others any number of
    labelled files. ``key`` is the grain: no two rows agree on all of it. ``current`` names the condition that
    picks the rows of today from a table that keeps history; the view shows those, ``<table>_history`` all.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    by_day: bool = False
    current: str | None = None

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, each field carrying its comment."""
        return pa.schema([pa.field(n, t, metadata={"comment": c}) for n, t, c in self.columns])

    @property
    def stage(self) -> str:
        return self.name.split("/")[0]

    @property
    def short(self) -> str:
        return self.name.split("/")[1]


_RECORD: tuple[Column, ...] = (
    ("source", text, "which provider the record came from; 'carrierx'"),
    ("dr_sid", text, "the provider's secure id of the detail record; opaque"),
    ("revision", int32, "1 for the first content seen of this record, 2 for the next, and so on"),
    ("version", int64, "the provider's own version; null sorts lowest"),
    ("content_hash", text, "first 32 hex digits of the SHA-256 of the canonical record"),
    ("landed_at", ts, "when this content was first landed"),
    ("date_start", ts, "when the call or message was started; picks the rate in force"),
    ("date_stop", ts, "when it ended; calls are billed by it"),
    ("date_insert", ts, "when the provider inserted the record; messages are billed by it"),
    ("direction", text, "inbound, outbound; any and undirected cannot be rated"),
    ("type", text, "telecom, conference_call, mediator, sms, mms ..."),
    ("partner_sid", text, "the partner whose traffic it is"),
    ("number_billing", text, "the subscriber's number, as given"),
    ("number_external", text, "the far number, as given"),
    ("number_src", text, "the caller or sender, as given"),
    ("number_dst", text, "the called number or recipient, as given"),
    ("rate", rate, "the provider's own rate, verbatim"),
    ("price", rate, "the provider's own price, verbatim"),
)

_CALL: tuple[Column, ...] = (
    ("date_talk", ts, "when it was answered; null if it was not"),
    ("duration", rate, "date_stop - date_start in seconds, ringing included, as given"),
    ("duration_billing", rate, "the seconds the provider billed"),
    ("number_src_original", text, "before transformations, where different"),
    ("number_src_transformed", text, "after transformations, where different"),
    ("number_dst_original", text, "before transformations, where different"),
    ("number_dst_transformed", text, "after transformations, where different"),
    ("diversion_src", text, "diversion header of the source"),
    ("diversion_dst", text, "diversion header of the destination"),
    ("identity", text, "the real calling number, from PAI or RPID"),
    ("endpoint_sid_src", text, "source endpoint; a system gateway means PSTN"),
    ("endpoint_sid_dst", text, "destination endpoint; a system gateway means PSTN"),
    ("trunk_group_sid_src", text, "source trunk group"),
    ("trunk_group_sid_dst", text, "destination trunk group"),
    ("trunk_sid_src", text, "source trunk"),
    ("trunk_sid_dst", text, "destination trunk"),
    ("ip_src", text, "source host, with a port where given"),
    ("ip_dst", text, "destination host, with a port where given"),
    ("sipcallid_src", text, "SIP call id of the source leg"),
    ("sipcallid_dst", text, "SIP call id of the destination leg"),
    ("sipcause", int32, "SIP code that ended the call"),
    ("disconnect_originator", text, "src or dst: who hung up, case-folded"),
    ("cic", text, "carrier identification code"),
    ("cic_original", text, "before transformations"),
    ("cic_transformed", text, "after transformations"),
    ("stir_attest", text, "STIR attestation A, B or C"),
    ("stir_identity", flag, "whether an identity header was received or sent"),
    ("stir_orig_id", text, "originator id from validation"),
    ("stir_signing_entity", text, "who signed"),
    ("stir_verstat", text, "validation result; null for inbound calls"),
    ("extra_json", text, "keys that this version does not know, as one JSON object"),
)

_MESSAGE: tuple[Column, ...] = (
    ("date_sent", ts, "when it was handed on"),
    ("delay_sent", int64, "delay before sending, as given"),
    ("mcc", int32, "mobile country code"),
    ("mnc", int32, "mobile network code"),
    ("message_segments", int32, "segments billed; an MMS is one"),
    ("recipients", int32, "recipients billed: entries of number_group_dst, at least 1"),
    ("provider", text, "carrier that took it"),
    ("status", text, "sent, received, ...: an open list"),
    ("extra_json", text, "keys that this version does not know, as one JSON object"),
)

_HISTORY: tuple[Column, ...] = (
    ("valid_from", ts, "the snapshot in which this content was first seen"),
    ("valid_to", ts, "the snapshot in which it was seen no more; null while current"),
)

_RATED: tuple[Column, ...] = (
    ("source", text, "provider"),
    ("dr_sid", text, "detail record"),
    ("revision", int32, "the revision of the record that was rated"),
    ("side", text, "cost: what the provider charges us; charge: what a customer is billed"),
    ("level", int32, "0 cost; 1 charged by us; 2 and up charged by a reseller below us"),
    ("payer_sid", text, "the partner who pays this row"),
    ("payee_sid", text, "the partner who is paid; null for the provider"),
    ("partner_sid", text, "the partner whose traffic it is"),
    ("service", text, "call or message"),
    ("direction", text, "inbound or outbound"),
    ("family", text, "pstn, or the VoIP sub_type; messages: toll, toll_free, short_code"),
    ("item_type", text, "toll, toll_free, bridge, sms, mms"),
    ("country_code", text, "ISO 3166-1 alpha-3, by the rate row, else by the matched number"),
    ("matched_number", text, "the digits that were matched"),
    ("date_start", ts, "start; the rate in force then applies"),
    ("date_stop", ts, "end of the call; for messages date_insert: the instant that bills"),
    ("rating_status", text, "rated, unrated or not_billable"),
    ("unrated_reason", text, "why there is no price; for not_billable why it is free"),
    ("plan_sid", text, "the plan that applied"),
    ("plan_version", text, "its version"),
    ("matched_prefix", text, "the prefix that won; empty for the default row"),
    ("rate_price", rate, "price of the row, per unit_seconds or per segment"),
    ("connect_fee", rate, "fee per answered call"),
    ("currency", text, "ISO 4217"),
    ("amount", amount, "what it comes to; null when unrated, 0 when not billable"),
    ("provider_price", rate, "cost side: what the provider says it charged"),
)

TABLES: tuple[Table, ...] = (
    Table(
        "land/calls",
        "one row per call detail record: its newest version",
        ("source", "dr_sid"),
        (*_RECORD, *_CALL),
        by_day=True,
    ),
    Table(
        "land/messages",
        "one row per message detail record: its newest version",
        ("source", "dr_sid"),
        (*_RECORD, *_MESSAGE),
        by_day=True,
    ),
    Table(
        "land/calls_versions",
        "one row per superseded content of a call record",
        ("source", "dr_sid", "revision"),
        (*_RECORD, *_CALL, ("superseded_at", ts, "when a newer content landed")),
        by_day=True,
    ),
    Table(
        "land/messages_versions",
        "one row per superseded content of a message record",
        ("source", "dr_sid", "revision"),
        (*_RECORD, *_MESSAGE, ("superseded_at", ts, "when a newer content landed")),
        by_day=True,
    ),
    Table(
        "land/partners",
        "one row per partner and content",
        ("partner_sid", "valid_from"),
        (
            ("partner_sid", text, "the provider's secure id"),
            ("parent_sid", text, "the partner above; may be invisible to us"),
            ("display_id", text, "the provider's readable id"),
            ("login", text, "login name"),
            ("name", text, "person"),
            ("company_name", text, "company"),
            ("address1", text, "street"),
            ("address2", text, "street, second line"),
            ("city", text, "city"),
            ("state", text, "state or province"),
            ("zip", text, "postal code"),
            ("country_code", text, "alpha-3"),
            ("phonenumber", text, "free text"),
            ("owner_email", text, "where mail goes when billing_email is empty"),
            ("billing_email", text, "one address or several with commas"),
            ("tech_email", text, "technical contact"),
            ("payment_type", text, "prepay or postpay"),
            ("balance", rate, "the provider's view; positive is credit"),
            ("charge_at", rate, "prepay: charge when the balance falls to this"),
            ("prepay_amount", rate, "prepay: how much to charge"),
            ("spending_limit", rate, "0 and null mean none"),
            ("status", text, "active, canceled, deleted, suspended, unconfirmed, unverified"),
            ("date_created", ts, "when the partner was made"),
            ("extra_json", text, "keys that this version does not know"),
            *_HISTORY,
        ),
        current="valid_to is null",
    ),
    Table(
        "land/dids",
        "one row per phone number (DID) and content",
        ("did_sid", "valid_from"),
        (
            ("did_sid", text, "the provider's secure id"),
            ("phonenumber", text, "digits"),
            ("partner_sid", text, "whose number it is"),
            ("price", rate, "the provider's monthly rent"),
            ("capabilities", int32, "bit mask: 1 SMS in, 2 SMS out, 4 voice, 8 MMS in, 16 MMS out"),
            ("country_code", text, "alpha-3"),
            ("state", text, "state"),
            ("locality", text, "locality"),
            ("name", text, "name"),
            ("did_group_sid", text, "group"),
            ("trunk_group_sid", text, "trunk group"),
            ("lrn_sid", text, "location routing number"),
            ("string_key_1", text, "free key"),
            ("string_key_2", text, "free key"),
            ("extra_json", text, "keys that this version does not know"),
            *_HISTORY,
        ),
        current="valid_to is null",
    ),
    Table(
        "land/endpoints",
        "one row per endpoint and content; its secrets are not landed",
        ("endpoint_sid", "valid_from"),
        (
            ("endpoint_sid", text, "the provider's secure id"),
            ("name", text, "name"),
            ("type", text, "system_gateway is PSTN; the others are VoIP sub_types"),
            ("partner_sid", text, "owner"),
            ("capacity", int64, "0 is unlimited"),
            *_HISTORY,
        ),
        current="valid_to is null",
    ),
    Table(
        "land/countries",
        "one row per country and content",
        ("iso_3166_alpha_3", "valid_from"),
        (
            ("iso_3166_alpha_3", text, "alpha-3"),
            ("iso_3166_alpha_2", text, "alpha-2"),
            ("iso_3166_numeric", int32, "numeric code"),
            ("common_name", text, "short name"),
            ("official_name", text, "official name"),
            ("capital", text, "capital"),
            ("dialing_prefix", text, "digits; shared within the NANP"),
            ("mcc", text, "mobile country codes, with commas"),
            ("region", text, "region"),
            ("subregion", text, "subregion"),
            ("domain", text, "top-level domain"),
            ("extra_json", text, "keys that this version does not know"),
            *_HISTORY,
        ),
        current="valid_to is null",
    ),
    Table(
        "land/rates",
        "one row per rate of each version of each of the provider's plans",
        ("service", "direction", "family", "plan_version", "prefix", "mcc", "mnc"),
        (
            ("service", text, "call or message"),
            ("direction", text, "inbound or outbound"),
            ("family", text, "pstn or a VoIP sub_type; messages: toll, toll_free, short_code"),
            ("plan_version", text, "effective date and the first 12 hex digits of the content's SHA-256"),
            ("rates_plan_sid", text, "as given; not a key: the provider reuses it"),
            ("rates_plan_name", text, "as given"),
            ("effective_date", ts, "in force from"),
            ("seen_at", ts, "when we first saw this version"),
            ("prefix", text, "digits; empty is the default row"),
            ("country_code", text, "alpha-3"),
            ("country_name", text, "name"),
            ("mcc", int32, "messages: mobile country code"),
            ("mnc", int32, "messages: mobile network code"),
            ("network", text, "messages: network"),
            ("operator", text, "messages: operator"),
            ("billing_increment", rate, "seconds"),
            ("billing_minimum", rate, "seconds"),
            ("price", rate, "per billing_minimum as documented; per segment for messages"),
        ),
    ),
    Table(
        "land/provider_invoices",
        "one row per invoice of the provider and content",
        ("invoice_sid", "valid_from"),
        (
            ("invoice_sid", text, "the provider's secure id"),
            ("display_id", text, "with leading zeros"),
            ("partner_sid", text, "who is billed"),
            ("status", text, "one of the contract's nine"),
            ("paid", flag, "paid"),
            ("amount", rate, "items"),
            ("amount_tax", rate, "taxes"),
            ("amount_due", rate, "due"),
            ("balance_previous", rate, "negative is credit"),
            ("balance_forward", rate, "negative is credit"),
            ("date_billing_period_start", ts, "period start"),
            ("date_billing_period_end", ts, "last second of the period"),
            ("date_created", ts, "created"),
            ("date_issued", ts, "issued"),
            ("date_charged", ts, "charged"),
            ("date_charge_expected", ts, "charge expected"),
            ("items_json", text, "invoice_items as given"),
            ("tax_json", text, "tax_items as given"),
            ("pay_json", text, "pay_items as given, without numbers of cards or accounts"),
            *_HISTORY,
        ),
        current="valid_to is null",
    ),
    Table(
        "land/quarantine",
        "one row per item that could not be landed",
        ("resource", "item_hash"),
        (
            ("source", text, "provider"),
            ("resource", text, "calls, messages, ..."),
            ("item_hash", text, "SHA-256 of the item's bytes"),
            ("dr_sid", text, "where it could be read"),
            ("reason", text, "what is wrong, first problem first"),
            ("raw", pa.binary(), "the item as received, private fields removed"),
            ("first_seen", ts, "when"),
        ),
    ),
    Table(
        "rate/plans",
        "one row per version of a plan, the provider's and ours",
        ("plan_sid", "plan_version"),
        (
            ("plan_sid", text, "'provider:<service>:<direction>:<family>' or the name given at import"),
            ("plan_version", text, "version"),
            ("origin", text, "provider or retail"),
            ("service", text, "call or message"),
            ("direction", text, "inbound, outbound, or null for any"),
            ("family", text, "family, or null for any"),
            ("name", text, "name"),
            ("currency", text, "ISO 4217"),
            ("unit_rule", text, "'minimum' or 'fixed:N'"),
            ("increment_rule", text, "'total' or 'after_minimum'"),
            ("billable_base", text, "'talk' or 'duration'"),
            ("match_field", text, "number_dst, number_dst_transformed or number_dst_original"),
            ("rounding_mode", text, "half_up, half_even, up, down"),
            ("rounding_decimals", int32, "0 to 10"),
            ("billable_statuses", text, "messages: statuses that are billed, with commas"),
            ("effective_from", ts, "first instant in force"),
            ("effective_to", ts, "first instant not in force any more; null: open"),
            ("rows", int64, "rates in it"),
            ("content_hash", text, "SHA-256 of its rates"),
        ),
    ),
    Table(
        "rate/rates",
        "one row per rate of a plan, ready to rate with",
        ("plan_sid", "plan_version", "prefix", "mcc", "mnc", "country_code", "effective_from"),
        (
            ("plan_sid", text, "plan"),
            ("plan_version", text, "version"),
            ("prefix", text, "digits; empty is the default row"),
            ("mcc", int32, "messages: mobile country code"),
            ("mnc", int32, "messages: mobile network code"),
            ("country_code", text, "alpha-3"),
            ("increment_ms", int64, "billing increment in milliseconds, at least 1"),
            ("minimum_ms", int64, "billing minimum in milliseconds"),
            ("grace_ms", int64, "calls up to this long are free"),
            ("unit_ms", int64, "the price is per this many milliseconds"),
            ("price", rate, "null only when blocked"),
            ("connect_fee", rate, "per call"),
            ("effective_from", ts, "first instant in force"),
            ("effective_to", ts, "first instant not in force any more; null: open"),
            ("status", text, "active or blocked"),
        ),
    ),
    Table(
        "rate/calls",
        "one row per call, side and payer",
        ("source", "dr_sid", "side", "payer_sid"),
        (
            *_RATED,
            ("base_seconds", seconds, "seconds that count before increments"),
            ("unit_seconds", seconds, "the price is per this many seconds"),
            ("billed_seconds", seconds, "after minimum and increments"),
            ("provider_billed_seconds", rate, "cost side: the seconds the provider billed"),
        ),
        by_day=True,
    ),
    Table(
        "rate/messages",
        "one row per message, side and payer",
        ("source", "dr_sid", "side", "payer_sid"),
        (*_RATED, ("billed_units", int64, "segments times recipients")),
        by_day=True,
    ),
    Table(
        "invoice/claims",
        "one row per rated row that an invoice has taken; a later revision is claimed by its difference",
        ("invoice_sid", "source", "dr_sid", "revision", "side", "payer_sid"),
        (
            ("invoice_sid", text, "the invoice"),
            ("line_no", int32, "its line; 0 where a later revision changed neither usage nor amount"),
            ("service", text, "call or message"),
            ("source", text, "provider"),
            ("dr_sid", text, "detail record"),
            ("revision", int32, "the revision that was claimed"),
            ("side", text, "charge"),
            ("payer_sid", text, "who pays"),
            ("payee_sid", text, "who is paid: a record is claimed once for each payee"),
            ("date_stop", ts, "the instant that bills"),
            ("amount", amount, "what is claimed: the whole, or the difference to earlier revisions"),
            ("usage", seconds, "billed seconds or units claimed, or their difference"),
        ),
    ),
    Table(
        "invoice/invoices",
        "one row per invoice, drafts included; a copy of the ledger's",
        ("invoice_sid",),
        (
            ("invoice_sid", text, "our id"),
            ("seller", text, "who issues it"),
            ("partner_sid", text, "who is billed"),
            ("company_name", text, "billed to"),
            ("number", text, "gapless per series; null until issued"),
            ("status", text, "one of the contract's nine"),
            ("currency", text, "ISO 4217"),
            ("amount", cents, "sum of the items"),
            ("amount_tax", cents, "sum of the taxes"),
            ("balance_previous", cents, "negative is credit"),
            ("payments", cents, "payments since the last invoice"),
            ("amount_due", cents, "what is to be paid"),
            ("balance_forward", cents, "negative is credit"),
            ("date_billing_period_start", ts, "first instant"),
            ("date_billing_period_end", ts, "first instant not in it any more"),
            ("date_created", ts, "drafted"),
            ("date_issued", ts, "issued"),
            ("date_due", ts, "due"),
            ("document_hash", text, "SHA-256 of the HTML that was issued"),
        ),
    ),
    Table(
        "invoice/items",
        "one row per line of an invoice",
        ("invoice_sid", "line_no"),
        (
            ("invoice_sid", text, "invoice"),
            ("line_no", int32, "line"),
            ("type", text, "toll, toll_free, bridge, sms, mms, did, adjustment"),
            ("direction", text, "inbound, outbound or null"),
            ("country_code", text, "alpha-3 or null"),
            ("description", text, "as printed"),
            ("usage", int64, "billed seconds for calls, else a count"),
            ("records", int64, "records behind it"),
            ("amount_exact", amount, "sum of the record amounts"),
            ("amount", cents, "rounded once, half-up"),
            ("date_billing_period_start", ts, "the usage's own period"),
            ("date_billing_period_end", ts, "the usage's own period"),
        ),
    ),
    Table(
        "invoice/taxes",
        "one row per tax item of an invoice",
        ("invoice_sid", "line_no"),
        (
            ("invoice_sid", text, "invoice"),
            ("line_no", int32, "line"),
            ("rule", text, "rule that applied"),
            ("name", text, "as printed"),
            ("jurisdiction", text, "federal, state, ..."),
            ("type", text, "one of the contract's types"),
            ("base", amount, "what it is taken of: a share of the rounded lines it applies to"),
            ("rate", rate, "fraction of the base"),
            ("amount", cents, "rounded once, half-up"),
            ("legal_source", text, "where the rate is from"),
        ),
    ),
    Table(
        "invoice/payments",
        "one row per ledger entry on a customer's account that is not an invoice",
        ("entry_id",),
        (
            ("entry_id", int64, "entry"),
            ("partner_sid", text, "customer"),
            ("at", ts, "when"),
            ("kind", text, "opening, payment, credit"),
            ("amount", cents, "positive raises what is owed"),
            ("currency", text, "ISO 4217"),
            ("invoice_sid", text, "invoice it belongs to, if any"),
            ("note", text, "why"),
            ("by", text, "who"),
        ),
    ),
    Table(
        "invoice/accounts",
        "one row per customer and seller, as the last invoice run saw them",
        ("partner_sid", "payee_sid"),
        (
            ("partner_sid", text, "customer"),
            ("payee_sid", text, "who is paid by it"),
            ("seller", text, "who issues its invoices"),
            ("name", text, "customer's name"),
            ("currency", text, "ISO 4217"),
            ("bill_from", ts, "usage that ended before this is never invoiced"),
            ("due_to", ts, "end of the last period that is due; usage from here on waits"),
            ("parked", text, "why it is set aside; null when it is not"),
        ),
    ),
    Table(
        "measure/landings",
        "one row per feed: what all landing commits did with what was fetched",
        ("resource",),
        (
            ("resource", text, "calls, messages, ..."),
            ("fetched", int64, "items given to landing"),
            ("fresh", int64, "seen for the first time"),
            ("superseding", int64, "a newer content of a known record"),
            ("identical", int64, "known content"),
            ("quarantined", int64, "could not be landed"),
        ),
    ),
    Table(
        "deliver/emails",
        "one row per message of the outbox; a copy of the ledger's",
        ("email_sid",),
        (
            ("email_sid", text, "our id"),
            ("invoice_sid", text, "invoice"),
            ("message_id", text, "Message-ID header"),
            ("recipients", text, "with commas"),
            ("subject", text, "subject"),
            ("status", text, "queued, sending, sent, failed, unknown, held"),
            ("attempts", int32, "tries so far"),
            ("error", text, "last refusal"),
            ("queued_at", ts, "queued"),
            ("sent_at", ts, "handed over"),
        ),
    ),
)

BY_NAME: dict[str, Table] = {t.name: t for t in TABLES}
STAGES: tuple[str, ...] = ("land", "rate", "invoice", "deliver", "measure")

"""Detail records as they were landed: the newest content, older ones, and what could not be landed."""

import pyarrow as pa

from pipeline.lake.tables.kinds import Column, Table, flag, int32, int64, rate, text, ts

_RECORD: tuple[Column, ...] = (
    ("source", text, "which provider the record came from; 'carrierx'"),
    ("dr_sid", text, "the provider's secure id of the detail record; opaque"),
    ("revision", int32, "1 for the first content seen of this record, 2 for the next, and so on"),
    ("version", int64, "the provider's own version; null sorts lowest"),
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
    ("private_json", text, "message text, media links and user data, where store_private is set; else null"),
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
    ("private_json", text, "message text, media links and user data, where store_private is set; else null"),
)

LANDED: tuple[Table, ...] = (
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
        private=True,
    ),
)

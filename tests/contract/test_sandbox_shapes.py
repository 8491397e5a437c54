"""Every resource of the sandbox has the keys and the JSON types of the provider's documents."""

import csv
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from httpx import Client

from pipeline.provider.app import create_app
from pipeline.provider.world import World, WorldConfig
from tests.contract.sandbox_api import client, wrong

TEXT, NULL, FLAG, WHOLE, OBJECT, LIST = str, type(None), bool, int, dict, list
MAYBE = (TEXT, NULL)

LIST_KEYS = {"count", "has_more", "items", "limit", "offset", "pagination", "total"}
RATE_KEYS = LIST_KEYS | {"active", "effective_date", "partner_sid", "rates_plan"}

CALL = {
    **dict.fromkeys(("cic", "cic_original", "cic_transformed"), NULL),
    **dict.fromkeys(("date_insert", "date_start", "date_stop"), TEXT),
    "date_talk": MAYBE,
    **dict.fromkeys(("direction", "disconnect_originator", "dr_sid", "duration", "duration_billing"), TEXT),
    **dict.fromkeys(("diversion_dst", "diversion_src", "identity"), MAYBE),
    **dict.fromkeys(("endpoint_sid_dst", "endpoint_sid_src", "ip_dst", "ip_src"), TEXT),
    **dict.fromkeys(("number_billing", "number_dst", "number_external", "number_src"), TEXT),
    **dict.fromkeys(("number_dst_original", "number_dst_transformed"), MAYBE),
    **dict.fromkeys(("number_src_original", "number_src_transformed"), MAYBE),
    "partner_sid": TEXT,
    "price": TEXT,
    "rate": MAYBE,
    **dict.fromkeys(("sipcallid_dst", "sipcallid_src", "sipcause", "stir_identity", "type"), TEXT),
    **dict.fromkeys(("stir_attest", "stir_orig_id", "stir_signing_entity", "stir_verstat"), MAYBE),
    **dict.fromkeys(("trunk_group_sid_dst", "trunk_group_sid_src", "trunk_sid_dst", "trunk_sid_src"), MAYBE),
    "user_data": (OBJECT, NULL),
    "version": WHOLE,
}
MESSAGE = {
    **dict.fromkeys(("date_insert", "date_sent", "date_start", "date_stop", "direction", "dr_sid"), TEXT),
    "delay_sent": WHOLE,
    **dict.fromkeys(("mcc", "mnc"), (WHOLE, NULL)),
    "media_urls": LIST,
    "message": TEXT,
    "message_segments": WHOLE,
    **dict.fromkeys(("number_billing", "number_dst", "number_external", "number_src"), TEXT),
    **dict.fromkeys(("partner_sid", "price", "provider", "rate", "status", "type"), TEXT),
    "user_data": MAYBE,
    "version": NULL,
}
PARTNER = {
    **dict.fromkeys(("acls", "available_scopes", "parent_assigned_acls", "transformations"), LIST),
    **dict.fromkeys(("attributes", "callbacks"), OBJECT),
    **dict.fromkeys(("balance", "company_name", "country_code", "date_created", "display_id"), TEXT),
    **dict.fromkeys(("login", "name", "parent_sid", "partner_sid", "payment_type", "status"), TEXT),
    **dict.fromkeys(("address1", "address2", "billing_email", "charge_at", "city", "owner_email"), MAYBE),
    **dict.fromkeys(("phonenumber", "prepay_amount", "spending_limit", "state", "tech_email", "zip"), MAYBE),
}
DID = {
    **dict.fromkeys(("attributes",), OBJECT),
    **dict.fromkeys(("callback_url", "did_group_sid", "locality", "lrn_sid", "state"), MAYBE),
    **dict.fromkeys(("string_key_1", "string_key_2", "trunk_group_sid"), MAYBE),
    "capabilities": WHOLE,
    **dict.fromkeys(("country_code", "did_sid", "in_country_format", "international_format", "name"), TEXT),
    **dict.fromkeys(("partner_sid", "phonenumber", "price"), TEXT),
    "transformations": LIST,
}
ENDPOINT = {
    **dict.fromkeys(("addresses", "transformations"), LIST),
    **dict.fromkeys(("attributes", "properties"), OBJECT),
    "capacity": WHOLE,
    **dict.fromkeys(("endpoint_sid", "name", "partner_sid", "type"), TEXT),
    **dict.fromkeys(("out_sip_password", "out_sip_username", "voip_token"), MAYBE),
}
COUNTRY = {
    **dict.fromkeys(("common_name", "domain", "iso_3166_alpha_2", "iso_3166_alpha_3", "official_name"), TEXT),
    "iso_3166_numeric": WHOLE,
    **dict.fromkeys(("capital", "dialing_prefix", "mcc", "region", "subregion"), MAYBE),
}
INVOICE = {
    **dict.fromkeys(("amount", "amount_due", "amount_tax", "balance_forward", "balance_previous"), TEXT),
    **dict.fromkeys(("date_billing_period_end", "date_billing_period_start", "date_charge_expected"), TEXT),
    **dict.fromkeys(("date_charged", "date_issued"), MAYBE),
    **dict.fromkeys(("date_created", "display_id", "invoice_sid", "partner_sid", "status"), TEXT),
    "paid": FLAG,
    **dict.fromkeys(("invoice_items", "pay_items", "tax_items"), LIST),
}
RATE = {
    **dict.fromkeys(("billing_increment", "billing_minimum", "price"), TEXT),
    **dict.fromkeys(("country_code", "country_name", "prefix"), MAYBE),
}
MESSAGE_RATE = {
    **dict.fromkeys(("country_code", "country_name", "network", "operator", "price"), TEXT),
    **dict.fromkeys(("mcc", "mnc"), WHOLE),
}


@pytest.fixture(scope="module")
def api() -> Client:
    return client(create_app(World(WorldConfig(calls=400, messages=300))))


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        pytest.param("/calls/call_drs", CALL, id="calls"),
        pytest.param("/sms/message_drs", MESSAGE | {"number_group_dst": LIST}, id="messages"),
        pytest.param("/partners", PARTNER, id="partners"),
        pytest.param("/phonenumber/dids", DID, id="numbers"),
        pytest.param("/endpoints", ENDPOINT, id="endpoints"),
        pytest.param("/countries", COUNTRY, id="countries"),
        pytest.param("/invoices", INVOICE, id="invoices"),
        pytest.param("/calls/rates/outbound/pstn", RATE, id="rates of outbound calls"),
        pytest.param("/calls/rates/inbound/pstn", RATE, id="rates of inbound calls"),
        pytest.param("/calls/rates/outbound/voip/flexml", RATE, id="rates of calls to an application"),
        pytest.param("/sms/rates/outbound/toll", MESSAGE_RATE, id="rates of messages"),
    ],
)
def test_items_have_the_documented_shape(api: Client, path: str, shape: dict[str, Any]) -> None:
    items = api.get("/core/v2" + path, params={"limit": 1000}).json()["items"]
    optional = {"number_group_dst": []} if "number_group_dst" in shape else {}

    found = [wrong({**optional, **item}, shape) for item in items]

    assert items
    assert [problem for problem in found if problem] == []


def test_the_sample_call_has_45_keys() -> None:
    assert len(CALL) == 45


@pytest.mark.parametrize(
    ("path", "keys", "total", "pagination"),
    [
        pytest.param("/calls/call_drs", LIST_KEYS, None, dict, id="calls are not counted"),
        pytest.param("/sms/message_drs", LIST_KEYS, None, dict, id="messages are not counted"),
        pytest.param("/partners", LIST_KEYS, 25, dict, id="partners"),
        pytest.param("/countries", LIST_KEYS, 250, dict, id="countries"),
        pytest.param("/calls/rates/outbound/pstn", RATE_KEYS, 110_170, NULL, id="outbound rates"),
        pytest.param("/calls/rates/inbound/pstn", RATE_KEYS, 9, NULL, id="inbound rates"),
        pytest.param("/calls/rates/inbound/voip/mediator", RATE_KEYS, 1, NULL, id="application rates"),
        pytest.param("/sms/rates/outbound/short_code", RATE_KEYS, 1778, dict, id="message rates"),
    ],
)
def test_lists_have_the_documented_envelope(
    api: Client, path: str, keys: set[str], total: int | None, pagination: type
) -> None:
    page = api.get("/core/v2" + path).json()

    assert set(page) == keys
    assert (page["total"], type(page["pagination"])) == (total, pagination)
    assert (page["limit"], page["offset"], page["count"]) == (10, 0, len(page["items"]))


def test_a_table_links_both_ways_as_the_sample_does(api: Client) -> None:
    page = api.get("/core/v2/countries?offset=2&limit=2&order=common_name+desc").json()

    base = "http://testserver/core/v2/countries?limit=2&order=common_name+desc"
    assert page["pagination"] == {"next": f"{base}&offset=4", "previous": f"{base}&offset=0"}
    assert [item["iso_3166_alpha_3"] for item in page["items"]] == ["YEM", "ESH"]
    assert page["items"][1]["capital"] == "El Aaiún"


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
@pytest.mark.parametrize(
    "family",
    [
        "pstn",
        *(
            f"voip/{t}"
            for t in "conference conference_playback flexml mediator third_party voicemail".split()
        ),
    ],
)
def test_each_of_the_14_plans_has_a_csv_twin(api: Client, direction: str, family: str) -> None:
    path = f"/core/v2/calls/rates/{direction}/{family}"
    listed = api.get(path, params={"limit": 5}).json()
    answer = api.get(path + "/csv")

    rows = list(csv.DictReader(StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(rows) == listed["total"]
    assert [{key: value or "" for key, value in item.items()} for item in listed["items"]] == rows[:5]


def test_whoami_is_the_root_partner_with_its_scopes(api: Client) -> None:
    me = api.get("/core/v2/oauth/whoami").json()

    assert wrong(me, PARTNER) == []
    assert me["company_name"] == "Harbor Carrier Services"
    assert {"calls.read", "calls.read_descendant", "sms.read", "partners.read"} <= set(me["available_scopes"])


def test_the_tree_has_resellers_and_a_third_level(api: Client) -> None:
    items = api.get("/core/v2/partners", params={"limit": 100}).json()["items"]
    place = {item["partner_sid"]: index for index, item in enumerate(items)}

    parents = {index: place.get(item["parent_sid"]) for index, item in enumerate(items)}
    assert parents == {
        0: None,
        **dict.fromkeys(range(1, 17), 0),
        **dict.fromkeys(range(17, 21), 3),
        21: 7,
        22: 7,
        23: 22,
        24: 5,
    }


def test_a_billing_method_is_there_or_is_not(api: Client) -> None:
    items = api.get("/core/v2/partners", params={"limit": 100}).json()["items"]
    answers = [api.get(f"/core/v2/partners/{item['partner_sid']}/billing_method") for item in items]

    assert {answer.status_code for answer in answers} == {200, 404}
    keys = "address1 address2 cc_expiration cc_number city country_code first_name last_name phone state type zip"
    assert set(answers[0].json()) == set(keys.split())


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/calls/call_drs", "dr_sid"),
        ("/sms/message_drs", "dr_sid"),
        ("/partners", "partner_sid"),
        ("/phonenumber/dids", "did_sid"),
        ("/endpoints", "endpoint_sid"),
        ("/countries", "iso_3166_alpha_3"),
        ("/invoices", "invoice_sid"),
    ],
)
def test_one_item_is_what_the_list_shows(api: Client, path: str, key: str) -> None:
    item = api.get("/core/v2" + path, params={"limit": 2}).json()["items"][1]

    assert api.get(f"/core/v2{path}/{item[key]}").json() == item


def test_invoices_add_up_and_come_as_files(api: Client) -> None:
    invoices = api.get("/core/v2/invoices").json()["items"]
    one = api.get("/core/v2/invoices").json()["items"][0]["invoice_sid"]

    sums = [
        (Decimal(i["amount"]), sum(Decimal(item["amount"]) for item in i["invoice_items"])) for i in invoices
    ]
    assert [total - items for total, items in sums] == [0, 0, 0]
    assert api.get(f"/core/v2/invoices/{one}.html").text.startswith("<!doctype html>")
    assert api.get(f"/core/v2/billing/invoices/{one}.pdf").content.startswith(b"%PDF-")


def test_invoice_mails_are_noted_and_not_sent(api: Client) -> None:
    sid = api.get("/core/v2/invoices").json()["items"][0]["invoice_sid"]

    sent = api.post(f"/core/v2/invoices/{sid}.pdf/emails", data={"emails": "a@example.com,b@example.com"})
    refused = api.post(f"/core/v2/invoices/{sid}.pdf/emails", json={"emails": "a@example.com"})

    assert (sent.status_code, sent.content, refused.status_code) == (204, b"", 415)
    noted = api.get("/sandbox/requests").json()["emails"]
    assert noted == [{"invoice_sid": sid, "emails": "a@example.com,b@example.com"}]


def test_newer_keys_are_added_on_request() -> None:
    world = World(WorldConfig(calls=3, messages=3, newer_keys=True, start=date(2026, 3, 1), days=1))

    assert set(world.calls.record(0, 0)) - set(CALL) == {
        "codec_dst", "codec_src", "price_lcr_dst", "price_lcr_src", "rate_lcr_dst", "rate_lcr_src",
    }  # fmt: skip
    assert {"a2p_campaign", "date_changed"} <= set(world.messages.record(0, 0)) - set(MESSAGE)

"""Trunks, access control, batch tasks, lookups, tokens and the Mediator, as the provider's documents show them."""

from typing import Any

import httpx
import pytest
from httpx import Client

from pipeline.provider.app import create_app
from pipeline.provider.faults import Faults
from pipeline.provider.oauth import CLIENT_ID, CLIENT_SECRET, PASSWORD, Tokens
from pipeline.provider.world import World, WorldConfig
from tests.contract.sandbox_api import client, wrong

TEXT, NULL, FLAG, WHOLE, OBJECT, LIST = str, type(None), bool, int, dict, list
MAYBE, COUNT = (TEXT, NULL), (WHOLE, NULL)
LOGIN = ("sandbox_mediator", "sandbox-mediator-secret")

TRUNK = {
    **dict.fromkeys(("acls", "relay_sip_headers", "transformations"), LIST),
    **dict.fromkeys(("allow_forward", "asn_mode", "call_type", "name", "trunk_sid"), TEXT),
    "allow_transfer": FLAG,
    **dict.fromkeys(("codec", "endpoint_sid", "location_sid"), MAYBE),
    **dict.fromkeys(("in_capacity", "out_capacity", "priority", "weight"), WHOLE),
    **dict.fromkeys(("in_identity_format", "in_identity_mode", "in_rfc_4694_mode"), TEXT),
    **dict.fromkeys(("out_identity_mode", "out_rfc_4694_mode"), TEXT),
}
TRUNK_GROUP = {
    **dict.fromkeys(("acls", "sip_options_locations", "transformations"), LIST),
    **dict.fromkeys(("hard_failure_codes", "hard_failure_last_resort", "name", "partner_sid"), TEXT),
    **dict.fromkeys(("routing_type", "soft_failure_codes", "trunk_group_sid"), TEXT),
    **dict.fromkeys(("hard_failure_cooldown", "hard_failure_interval"), WHOLE),
    **dict.fromkeys(("hard_failure_threshold", "sip_options_threshold"), WHOLE),
    "routing_data": NULL,
}
RULE = {
    "entries": LIST,
    **dict.fromkeys(("field", "name", "operation", "quantifier", "rule_sid"), TEXT),
    "read_only": FLAG,
}
ACL = {
    "access_control_rules": LIST,
    "direction": TEXT,
    **dict.fromkeys(("sms_action_false", "sms_action_true"), MAYBE),
    **dict.fromkeys(("voice_action_false", "voice_action_true"), MAYBE),
}
TASK = {
    "data": OBJECT,
    **dict.fromkeys(("date_created", "date_modified", "field", "method", "partner_sid", "status"), TEXT),
    **dict.fromkeys(("task_sid", "type"), TEXT),
    **dict.fromkeys(("entries", "error_details"), LIST),
    **dict.fromkeys(("failure", "processed", "success", "total"), COUNT),
    "review": FLAG,
}
REVIEW_ITEM = {"description": TEXT, "fields": OBJECT, "sid": TEXT, "version": WHOLE}
LOOKUP = {
    **dict.fromkeys(("country_code", "e164_format", "in_country_format", "international_format"), TEXT),
    "details": OBJECT,
    "phonenumber": TEXT,
    "state": MAYBE,
}
ACCOUNT = dict.fromkeys(("account_sid", "date_created", "login", "name"), TEXT)
BINDING = {
    **dict.fromkeys(("account_sid", "binding_sid", "date_created", "destination_did", "name"), TEXT),
    **dict.fromkeys(("attributes", "redirect_did_info"), OBJECT),
    **dict.fromkeys(("dtmf", "origination_did"), MAYBE),
    **dict.fromkeys(("maximum_ttl", "wait_origination_did_ttl"), WHOLE),
    "redirect_did": TEXT,
}
DIALOUT = {
    **dict.fromkeys(("account_sid", "date_created", "dialout_sid", "redirect_did"), TEXT),
    **dict.fromkeys(("stage_one_destination_did", "stage_two_destination_did"), TEXT),
    "attributes": OBJECT,
    "delay": WHOLE,
}
MEDIATOR_DID = dict.fromkeys(
    ("account_sid", "country_code", "did_sid", "in_country_format", "international_format", "phonenumber"),
    TEXT,
)
TOKEN = {
    **dict.fromkeys(("access_token", "client_id", "date_created", "date_expiration_access_token"), TEXT),
    **dict.fromkeys(("date_expiration_refresh_token", "name", "partner_sid", "refresh_token"), TEXT),
    **dict.fromkeys(("token_sid", "token_type"), TEXT),
    **dict.fromkeys(("date_last_accessed", "ip_last_accessed"), NULL),
    "scopes": LIST,
}


def sandbox(faults: str = "") -> Client:
    return client(create_app(World(WorldConfig(calls=3, messages=3, faults=Faults.parse(faults)))))


@pytest.fixture(scope="module")
def api() -> Client:
    return sandbox()


def items(answer: httpx.Response) -> list[dict[str, Any]]:
    found = answer.json()
    return found.get("body", found)["items"]


@pytest.mark.parametrize(
    ("path", "shape", "auth"),
    [
        pytest.param("/core/v2/trunk_groups", TRUNK_GROUP, None, id="trunk groups"),
        pytest.param("/core/v2/trunk_groups?with_trunks=true", TRUNK_GROUP | {"trunks": LIST}, None, id="and trunks"),
        pytest.param("/core/v2/accesscontrol/rules", RULE, None, id="access control rules"),
        pytest.param("/core/v2/batch/tasks", TASK, None, id="batch tasks"),
        pytest.param("/mediator/v1/accounts", ACCOUNT, LOGIN, id="mediator accounts"),
        pytest.param("/mediator/v1/bindings", BINDING, LOGIN, id="bindings"),
        pytest.param("/mediator/v1/dialouts", DIALOUT, LOGIN, id="dialouts"),
        pytest.param("/mediator/v1/dids", MEDIATOR_DID, LOGIN, id="mediator numbers"),
    ],
)  # fmt: skip
def test_items_have_the_documented_shape(api: Client, path: str, shape: dict, auth: Any) -> None:
    found = items(api.get(path, auth=auth) if auth else api.get(path))

    assert found
    assert [problem for item in found for problem in wrong(item, shape)] == []


def test_every_trunk_of_a_group_has_the_documented_shape(api: Client) -> None:
    groups = [item["trunk_group_sid"] for item in items(api.get("/core/v2/trunk_groups"))]
    trunks = [items(api.get(f"/core/v2/trunk_groups/{sid}/trunks")) for sid in groups]

    assert [len(found) for found in trunks] == [2, 2, 2, 2]
    assert [problem for found in trunks for trunk in found for problem in wrong(trunk, TRUNK)] == []


def test_records_name_trunks_that_are_there(api: Client) -> None:
    calls = api.get("/core/v2/calls/call_drs").json()["items"]
    named = {
        (call[f"trunk_group_sid_{way}"], call[f"trunk_sid_{way}"]) for call in calls for way in ("src", "dst")
    }
    groups = items(api.get("/core/v2/trunk_groups?with_trunks=true"))
    known = {(group["trunk_group_sid"], trunk["trunk_sid"]) for group in groups for trunk in group["trunks"]}

    assert named - {(None, None)} <= known


@pytest.mark.parametrize("kind", ["calls", "sms"])
def test_effective_acls_come_in_layers(api: Client, kind: str) -> None:
    answer = api.get(f"/core/v2/accesscontrol/effective_acl/{kind}").json()

    assert (answer["limit"], answer["total"], answer["pagination"]) == (1, 1, {})
    assert [set(item) for item in answer["items"]] == [{"effective_acls", "layer"}]
    assert [wrong(acl, ACL) for acl in answer["items"][0]["effective_acls"]] == [[]]


def test_a_sub_partner_has_the_layers_of_those_above_first(api: Client) -> None:
    partners = items(api.get("/core/v2/partners?limit=100"))
    answer = api.get(
        "/core/v2/accesscontrol/effective_acl/calls", params={"partner_sid": partners[12]["partner_sid"]}
    )

    assert [(i["layer"], i["effective_acls"][0]["direction"]) for i in items(answer)] == [
        (1, "outbound"),
        (2, "inbound"),
    ]
    assert api.get("/core/v2/accesscontrol/effective_acl/calls?partner_sid=none").status_code == 404
    assert api.get("/core/v2/accesscontrol/effective_acl/calls?direction=up").status_code == 400


def test_a_task_is_reviewed_item_by_item(api: Client) -> None:
    task = items(api.get("/core/v2/batch/tasks"))[0]
    review = api.get(f"/core/v2/batch/tasks/{task['task_sid']}/review_items").json()
    table = api.get(f"/core/v2/batch/tasks/{task['task_sid']}/review_items.csv")

    assert {key: review[key] for key in ("method", "type")} == {"method": "PATCH", "type": "phonenumber"}
    assert [item["description"] for item in review["review_items"]] == task["entries"]
    assert [wrong(item, REVIEW_ITEM) for item in review["review_items"]] == [[], [], []]
    assert table.headers["content-type"].startswith("text/csv")


def test_lookups_are_counted_and_billed_by_what_they_show() -> None:
    api = sandbox()
    before = items(api.get("/core/v2/invoices"))
    found = api.get("/core/v2/lookup/dids/12065550100?lrn=true&carrier=true").json()
    api.get("/core/v2/lookup/dids/12065550101?lrn=true")
    [invoice] = [i for i in items(api.get("/core/v2/invoices")) if i not in before]

    assert wrong(found, LOOKUP) == []
    assert found["details"]["lrn"] == "2065550000"
    assert {key: set(value) for key, value in found["details"].items() if key != "lrn"} == {
        "carrier": {"mcc", "mnc", "name", "type"},
        "cnam": {"name", "type"},
    }
    assert api.get("/sandbox/requests").json()["lookups"] == {"carrier": 1, "lrn": 2}
    assert [(i["type"], i["usage"], i["amount"]) for i in invoice["invoice_items"]] == [
        ("did_lookup_carrier", 1, "0.01"),
        ("did_lookup_lrn", 2, "0.01"),
    ]
    assert (invoice["status"], invoice["amount"], invoice["paid"]) == ("open", "0.02", False)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param("99999999999", 400, id="matches nothing"),
        pytest.param("anonymous", 404, id="is no number"),
        pytest.param("2065550100", 200, id="is guessed to be North American"),
    ],
)
def test_a_lookup_that_fails_is_not_billed(number: str, status: int) -> None:
    api = sandbox()

    assert api.get(f"/core/v2/lookup/dids/{number}?lrn=true").status_code == status
    assert api.get("/sandbox/requests").json()["lookups"] == ({"lrn": 1} if status == 200 else {})


def test_the_mediator_wraps_what_it_says(api: Client) -> None:
    one = items(api.get("/mediator/v1/dialouts", auth=LOGIN))[0]
    binding = items(api.get("/mediator/v1/bindings", auth=LOGIN))[0]

    assert api.get(f"/mediator/v1/bindings/{binding['binding_sid']}", auth=LOGIN).json() == {
        "body": binding,
        "status": 200,
    }
    # The samples show a list where one dialout is asked for.
    alone = api.get(f"/mediator/v1/dialouts/{one['dialout_sid']}", auth=LOGIN).json()
    assert (alone["status"], alone["body"]["items"], alone["body"]["total"]) == (200, [one], 1)


def test_each_interface_has_its_own_key(api: Client) -> None:
    statuses = [
        api.get("/mediator/v1/accounts").status_code,
        api.get("/mediator/v1/accounts", auth=("sandbox_flexml", "sandbox-flexml-secret")).status_code,
        api.get("/core/v2/partners", auth=LOGIN).status_code,
        api.get("/sandbox/truth", auth=LOGIN).status_code,
    ]

    assert statuses == [401] * 4


def test_bindings_and_dialouts_pass(api: Client) -> None:
    def seen(at: str) -> tuple[int, int]:
        api.put("/sandbox/clock", json={"now": at})
        return tuple(
            len(items(api.get(f"/mediator/v1/{kind}?limit=100", auth=LOGIN)))
            for kind in ("bindings", "dialouts")
        )

    moments = ("03-02T16:30", "03-09T16:30", "03-30T16:30", "04-03T02:30", "04-09T00:00")
    found = [seen(f"2026-{moment}:00Z") for moment in moments]
    assert found == [(2, 0), (6, 0), (4, 1), (4, 2), (4, 0)]


def test_an_inner_failure_is_a_200_outside() -> None:
    answer = sandbox("mediator_inner_failure=1").get("/mediator/v1/dids", auth=LOGIN)

    assert (answer.status_code, answer.json()) == (
        200,
        {"body": {"message": "internal error", "errors": None}, "status": 500},
    )


# --- tokens ----------------------------------------------------------------------------------------------------

FORM = {
    "grant_type": "password",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "username": "harborcarrierservi",
    "password": PASSWORD,
}


def post(api: Client, **changed: str) -> httpx.Response:
    return api.post("/core/v2/oauth/token", data=FORM | changed, headers={"Authorization": ""})


def whoami(api: Client, token: str) -> int:
    return api.get("/core/v2/oauth/whoami", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_password_gives_a_token_that_opens_the_core(api: Client) -> None:
    token = post(api).json()

    assert wrong(token, TOKEN) == []
    assert (whoami(api, token["access_token"]), whoami(api, token["refresh_token"])) == (200, 401)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        pytest.param({"password": "guess"}, 401, id="wrong password"),
        pytest.param({"client_secret": "guess"}, 401, id="wrong client"),
        pytest.param({"grant_type": "magic"}, 400, id="unknown grant"),
        pytest.param(
            {"grant_type": "refresh_token", "refresh_token": "guess"}, 401, id="wrong refresh token"
        ),
        pytest.param({"access_token_expires_in": "soon"}, 400, id="lifetime that is no number"),
    ],
)
def test_wrong_forms_are_refused(api: Client, changed: dict[str, str], status: int) -> None:
    assert post(api, **changed).status_code == status


def test_a_token_is_asked_for_in_a_form(api: Client) -> None:
    assert api.post("/core/v2/oauth/token", json=FORM).status_code == 415


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        pytest.param("access_token", True, True, id="the token lives longer"),
        pytest.param("new_token", False, True, id="a new token"),
    ],
)
def test_a_refresh_token_prolongs_or_makes_a_new_one(kind: str, old: bool, new: bool) -> None:
    now = 1000.0
    tokens = Tokens("static", lambda: now)
    first = tokens.issue(FORM | {"access_token_expires_in": "60"}, 0)
    asked = FORM | {"grant_type": "refresh_token", "refresh_token": first.refresh, "refresh_token_type": kind}

    now = 1050.0
    second = tokens.issue(asked | {"access_token_expires_in": "60"}, 0)
    now = 1070.0

    assert tokens.accepts(f"Bearer {first.access}".encode()) is old
    assert tokens.accepts(f"Bearer {second.access}".encode()) is new


def test_the_fault_lets_issued_tokens_expire_and_not_the_static_one() -> None:
    now = 1000.0
    tokens = Tokens("static", lambda: now)
    issued = tokens.issue(FORM, 5)

    now = 1004.9
    assert tokens.accepts(f"Bearer {issued.access}".encode())
    now = 1005.0
    assert [tokens.accepts(f"Bearer {t}".encode()) for t in (issued.access, "static")] == [False, True]

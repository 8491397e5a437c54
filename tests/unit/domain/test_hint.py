"""A callback, reduced to what a hint is: an id, two numbers, a time. The samples are the documents' own shapes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.domain.hint import Hint, read_hint

SMS = {
    "date_created": "2016-04-21T17:42:55.000Z", "date_status_changed": "2016-04-21T17:42:55.000Z",
    "direction": "inbound", "from_did": "15162065319", "mcc": None, "message": "a private text",
    "message_segments": 1, "message_sid": "e405fa47-48f5-4dc5-bbba-77231587188e", "mnc": None,
    "partner_sid": "QLJ79xlC2vP-UEx3hS0R4rldas8.G1UB", "price": "1", "status": "received", "to_did": "15162065318",
}  # fmt: skip
CALL = {
    "attributes": {}, "date_insert": "2019-01-25T18:12:10.770Z", "date_start": "2019-01-25T18:08:23.000Z",
    "date_stop": "2019-01-25T18:09:08.000Z", "date_talk": "2019-01-25T18:08:44.000Z", "direction": "inbound",
    "dr_sid": "2a217f8d-df41-4e3d-bece-c72eaa2a8e2a", "dtmf": None, "duration": 45,
    "endpoint_sid": "632ec9ba-5bef-4ed3-a36d-56feec8ffd41", "endpoint_type": "mediator", "event_type": "binding",
    "number_dst": "15162065344", "number_redirect": "15162065346", "number_src": "15162065345",
    "partner_sid": "ed437757-002d-4ecc-aa5a-efdf5e50dba0", "reference_sid": "05561bef-ce48-4823-a847-bf10f7837a42",
    "type": "mediator", "version": 2,
}  # fmt: skip
MADE, STOPPED = datetime(2016, 4, 21, 17, 42, 55, tzinfo=UTC), datetime(2019, 1, 25, 18, 9, 8, tzinfo=UTC)
NEWER = {"from": "+15162065319", "to": "15162065318"}


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        pytest.param(SMS, Hint("messages", SMS["message_sid"], "15162065319", "15162065318", MADE), id="sms"),
        pytest.param(
            {k: v for k, v in SMS.items() if k not in ("from_did", "to_did")} | NEWER,
            Hint("messages", SMS["message_sid"], "15162065319", "15162065318", MADE),
            id="sms in its newer words",
        ),
        pytest.param(
            CALL, Hint("calls", CALL["dr_sid"], "15162065345", "15162065344", STOPPED), id="app_mediator"
        ),
        pytest.param({"dr_sid": "x"}, Hint("calls", "x", "", "", None), id="no more than an id"),
        pytest.param(
            {"dr_sid": "x", "number_src": "anonymous", "number_dst": 7, "date_stop": "2019-02-30"},
            Hint("calls", "x", "", "", None),
            id="what is no number and no time",
        ),
        pytest.param(
            {"dr_sid": "x", "number_src": "1" * 21}, Hint("calls", "x", "", "", None), id="a long number"
        ),
    ],
)
def test_a_callback_is_an_id_two_numbers_and_a_time(said: dict[str, Any], hint: Hint) -> None:
    assert read_hint(said) == hint


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "x",
        7,
        {},
        {"dr_sid": ""},
        {"dr_sid": 7},
        {"dr_sid": "x" * 121},
        {"dr_sid": "a\nb"},
        {"message_sid": None},
    ],
    ids=[
        "null",
        "list",
        "text",
        "number",
        "empty",
        "no id",
        "id is a number",
        "long id",
        "id in two lines",
        "null id",
    ],
)
def test_what_names_no_record_is_no_hint(said: object) -> None:
    assert read_hint(said) is None

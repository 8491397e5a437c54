"""Error bodies in every dialect of the documents become one refusal."""
# ruff: noqa: E501

import pytest

from pipeline.errors import ForbiddenError, NotFoundError, TerminalError, TransientError
from pipeline.pull.client import error_of
from pipeline.pull.dialects import Refusal, read_refusal

BODIES = {
    "wrapped": (
        b'{"body": {"message": "cannot parse json. Check json for validity", "errors": null}, "status": 400}',
        Refusal("cannot parse json. Check json for validity", status=400),
    ),
    "flat": (
        b'{"message": "no item error", "errors": [{"field": null, "message": "cannot find token", "reference_sid": null}]}',
        Refusal("no item error", details=("cannot find token",)),
    ),
    "response status": (
        b'{"ResponseStatus": {"ErrorCode": "PARAMETER_REQUIRED", "Message": "To is required", "Errors": [{"FieldName": "To"}]}}',
        Refusal("To is required", "PARAMETER_REQUIRED", ("To",)),
    ),
    "response status without errors": (
        b'{"ResponseStatus": {"ErrorCode": "FORBIDDEN", "Message": "no"}}',
        Refusal("no", "FORBIDDEN"),
    ),
    "html": (b"<html>bad gateway</html>", Refusal("<html>bad gateway</html>")),
    "empty": (b"", Refusal("empty answer")),
    "a list": (b"[1]", Refusal("[1]")),
    "no message": (b"{}", Refusal("no message")),
}


@pytest.mark.parametrize(("body", "wanted"), BODIES.values(), ids=BODIES)
def test_every_dialect_is_read(body: bytes, wanted: Refusal) -> None:
    """Nothing of a refusal is lost, and nothing raises."""
    assert read_refusal(body) == wanted


CODES = {
    "not_found": "ACCOUNT ADDRESS CALL COUNTRY FLOW LOCATION MESSAGE NUMBER ONLINE_LOGIN PROPERTY RECORD SIP_TRUNK",
    "forbidden": "FORBIDDEN NO_SMS_AGREEMENT SMS_NOT_ENABLED COUNTRY_UNAVAILABLE SMS_LEASED_NUMBER_NOT_OWNED"
    " NUMBER_BELONGS_TO_DIFFERENT_PROPERTY PERMISSION_EXCEEDS_ACCESS_BOUNDARY INVALID_PERMISSIONS INVALID_PERMISSION_VALUE",
    "conflict": "PROJECT_LIMIT_REACHED NUMBER_ALLOCATION_FAILED ONLINE_LOGIN_EMAIL_EXISTS ADDRESS_CANNOT_BE_DELETED",
    "invalid": "CONFLICTING_PARAMETERS INVALID_COUNTRYCODE_FORMAT INVALID_DATE_RANGE INVALID_EMAIL_FORMAT INVALID_HTTP_METHOD"
    " INVALID_HTTP_URI_FORMAT INVALID_MODEL_STATE INVALID_PATCH_PAYLOAD INVALID_PHONENUMBER_FORMAT INVALID_SMS_DIRECTION"
    " INVALID_SMS_SENDER INVALID_SMS_STATUS INVALID_SMS_TEXT INVALID_WHISPER_MEDIAID ONE_OF_SEVERAL_PARAMETERS_REQUIRED"
    " PARAMETER_INVALID PARAMETER_REQUIRED PARAMETER_TOO_LONG PARAMETER_TOO_SHORT SCHEDULED_TIME_OUT_OF_RANGE"
    " UNKNOWN_CAPABILITY UNKNOWN_DISPOSITION UNKNOWN_NUMBERTYPE UNKNOWN_PREAMBLE_OPTION UNKNOWN_RECORDING_OPTION"
    " UNKNOWN_ROUTING_METHOD UNKNOWN_TIME_ZONE",
}
ALL_CODES = [
    (kind, code + ("_NOT_FOUND" if kind == "not_found" else ""))
    for kind, codes in CODES.items()
    for code in codes.split()
] + [("not_found", "SIP_TRUNK_WAS_DELETED")]


def test_all_53_codes_of_the_documents_are_here() -> None:
    """The list in this file is the documents' list."""
    assert len({code for _, code in ALL_CODES}) == 53


@pytest.mark.parametrize(("kind", "code"), ALL_CODES, ids=[code for _, code in ALL_CODES])
def test_code_is_classified(kind: str, code: str) -> None:
    """The code decides, whatever the HTTP status is."""
    assert Refusal("", code).kind == kind


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "MESSAGE_NOT_FOUND", NotFoundError),
        (400, "NO_SMS_AGREEMENT", ForbiddenError),
        (400, "PARAMETER_INVALID", TerminalError),
        (500, "SOMETHING_NEW", TransientError),
    ],
)
def test_code_says_more_than_the_status(status: int, code: str, error: type) -> None:
    """The second provider answers 400 to nearly everything."""
    body = f'{{"ResponseStatus": {{"ErrorCode": "{code}", "Message": "m"}}}}'.encode()
    assert type(error_of(status, body, "GET x")) is error

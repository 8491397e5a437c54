"""Numbers as people may see them."""

import pytest

from pipeline.domain.masking import HIDE_LAST4, KEEP_LAST4, OFF, masked, masked_text


@pytest.mark.parametrize(
    ("number", "hidden", "kept"),
    [
        pytest.param("15125550100", "1512555xxxx", "xxxxxxx0100", id="digits"),
        pytest.param("+4930901820", "+493090xxxx", "+xxxxxx1820", id="with a plus"),
        pytest.param("(512) 555-0100", "(512) 555-xxxx", "(xxx) xxx-0100", id="written for people"),
        pytest.param("72345", "7xxxx", "x2345", id="a short code"),
        pytest.param("911", "xxx", "xxx", id="nothing is left of a very short one"),
        pytest.param("anonymous", "anonymous", "anonymous", id="a name"),
        pytest.param(
            "sip:15125550100@pbx7.example.com", "sip:1512555xxxx@pbx7.example.com", "sip:xxxxxxx0100@pbx7.example.com",
            id="an address",
        ),
        pytest.param("", "", "", id="none"),
    ],
)  # fmt: skip
def test_a_number_is_masked_in_part(number: str, hidden: str, kept: str) -> None:
    found = [masked(number, how) for how in (OFF, HIDE_LAST4, KEEP_LAST4)]

    assert found == [number, hidden, kept]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number_dst 15125550100 matches 1512.", "number_dst 1512555xxxx matches 1512."),
        ("billed 60.1234567 s, 0.0123456789 USD", "billed 60.1234567 s, 0.0123456789 USD"),
        ("record 2a217f8d-1234567-5678-12345678", "record 2a217f8d-1234567-5678-12345678"),
        ("plan retail-20260301 since 2026-03-01", "plan retail-20260301 since 2026-03-01"),
        ("from +4930901820, to +4930901821.", "from +493090xxxx, to +493090xxxx."),
    ],
    ids=["a reason", "amounts", "an id", "a plan and a date", "two numbers"],
)
def test_in_a_text_only_numbers_are_masked(text: str, expected: str) -> None:
    assert masked_text(text, HIDE_LAST4) == expected

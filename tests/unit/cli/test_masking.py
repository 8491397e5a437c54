"""What a home that masks numbers prints: texts, tables and JSON, and nothing else of them changed."""

import json
from decimal import Decimal

import pytest

from pipeline.cli.show import as_json, masking, say, table

RECORD = {
    "dr_sid": "1234567890", "number_src": "+15125550100", "landed": {"number_dst": "4930901820", "identity": None},
    "reasons": ("15125550100 matches 1512", "60.0 s"), "what": "15125550100",
    "amount": Decimal(1234567), "at": "2026-03-01T08:00:00Z",
}  # fmt: skip


def test_json_masks_by_key_and_leaves_amounts_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    with masking("hide_last4"):
        as_json(RECORD)

    assert json.loads(capsys.readouterr().out) == {
        "dr_sid": "1234567890", "number_src": "+1512555xxxx", "landed": {"number_dst": "493090xxxx", "identity": None},
        "reasons": ["1512555xxxx matches 1512", "60.0 s"], "what": "1512555xxxx",
        "amount": "1234567", "at": "2026-03-01T08:00:00Z",
    }  # fmt: skip


def test_texts_and_tables_are_masked_within_and_whole_without(capsys: pytest.CaptureFixture[str]) -> None:
    for how in ("keep_last4", "off"):
        with masking(how):
            say("to +4930901820 for 1234567.00")
            table(("number", "amount"), [("15125550100", Decimal(1234567))])
    say("15125550100")

    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [
        ["to", "+xxxxxx1820", "for", "1234567.00"], ["number", "amount"], ["xxxxxxx0100", "1,234,567.00"],
        ["to", "+4930901820", "for", "1234567.00"], ["number", "amount"], ["15125550100", "1,234,567.00"],
        ["15125550100"],
    ]  # fmt: skip

"""What is landed of the things around the records: only the columns, with their history, and no secret of any kind."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake.lake import Lake
from pipeline.land.dimensions import land_dimension
from pipeline.ledger.ledger import Ledger

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
RULE = {
    "entries": ["1900"],
    "field": "to",
    "name": "premium",
    "operation": "prefix",
    "quantifier": "any",
    "read_only": False,
    "rule_sid": "rule-1",
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}"))


def land(lake: Lake, resource: str, *items: Any, day: int = 0) -> tuple[int, int, int]:
    done = land_dimension(lake, resource, items, source="carrierx", now=NOW + timedelta(days=day))
    return done.new, done.gone, done.quarantined


def rows(lake: Lake, table: str) -> list[dict[str, Any]]:
    return lake.query(f"select * exclude (valid_from, valid_to) from land.{table}")


def everything(lake: Lake) -> str:
    """All that the lake holds, as text."""
    frames = [lake.scan(name).collect() for name in {file.table for file in _files(lake)}]
    return " ".join(str(row) for frame in frames for row in frame.to_dicts())


def _files(lake: Lake) -> list:
    return [file for table in ("billing_methods", "batch_tasks", "transformations", "trunks", "quarantine")
            for file in lake.files(f"land/{table}")]  # fmt: skip


# --- history -------------------------------------------------------------------------------------------------


def test_a_snapshot_that_shows_nothing_new_changes_nothing(lake: Lake) -> None:
    assert land(lake, "access_rules", RULE) == (1, 0, 0)
    before = lake.files("land/access_rules")

    assert land(lake, "access_rules", RULE, day=1) == (0, 0, 0)
    assert lake.files("land/access_rules") == before


def test_changed_gone_and_returned_content_keeps_its_history(lake: Lake) -> None:
    land(lake, "access_rules", RULE)
    land(lake, "access_rules", RULE | {"entries": ["1900", "1976"]}, day=1)
    land(lake, "access_rules", day=2)
    land(lake, "access_rules", RULE, day=3)

    history = lake.query(
        "select entries_json, valid_from::date::text as seen, valid_to::date::text as gone "
        "from land.access_rules_history order by valid_from"
    )
    assert [tuple(row.values()) for row in history] == [
        ('["1900"]', "2026-04-03", "2026-04-04"),
        ('["1900","1976"]', "2026-04-04", "2026-04-05"),
        ('["1900"]', "2026-04-06", None),
    ]


def test_a_second_look_at_the_same_instant_replaces_the_first(lake: Lake) -> None:
    land(lake, "access_rules", RULE)
    land(lake, "access_rules", RULE | {"name": "renamed"})

    assert lake.query("select name, valid_to from land.access_rules_history") == [
        {"name": "renamed", "valid_to": None}
    ]


def test_places_of_one_owner_have_a_history_each(lake: Lake) -> None:
    made = [
        {"action": action, "direction": "any", "operands": ["a", "b"]} for action in ("rewrite_to", "reject")
    ]
    item = {"owner_type": "did", "owner_sid": "did-1", "transformations": made}
    assert land(lake, "transformations", item) == (2, 0, 0)

    assert land(lake, "transformations", item | {"transformations": made[:1]}, day=1) == (0, 1, 0)
    assert [(r["position"], r["action"]) for r in rows(lake, "transformations")] == [(1, "rewrite_to")]


# --- shapes --------------------------------------------------------------------------------------------------

METHODS = [
    # what the provider shows, last_four, expiration
    ({"type": "visa", "cc_number": "8888", "cc_expiration": "022029"}, "8888", "022029"),
    ({"type": "jcb", "cc_number": "4111 1111 1111 1234", "cc_expiration": "02/2029"}, "1234", None),
    ({"type": "check", "cc_number": None, "cc_expiration": None}, None, None),
    ({"type": "wire", "cc_number": {"number": "4111111111111234"}}, None, None),
]


def test_of_a_billing_method_only_type_end_and_expiry_are_kept(lake: Lake) -> None:
    full = {"cc_cid": "CANARY-737", "ec_account_number": "CANARY-0001", "ec_routing_number": "CANARY-0002",
            "first_name": "CANARY-Jo", "address1": "CANARY-street"}  # fmt: skip
    shown = [full | method | {"partner_sid": f"p-{n}"} for n, (method, _, _) in enumerate(METHODS)]
    assert land(lake, "billing_methods", *shown) == (4, 0, 0)

    assert rows(lake, "billing_methods") == [
        {"partner_sid": f"p-{n}", "type": method["type"], "last_four": last_four, "expiration": expiration}
        for n, (method, last_four, expiration) in enumerate(METHODS)
    ]
    assert "CANARY" not in everything(lake)
    assert "1111" not in everything(lake)


TRANSFORMATIONS = [
    # action, operands, effect, sipcause, operands as landed
    ("rewrite_to", ["^1", "2"], "rewrite_to", None, ["^1", "2"]),
    ("reject", ["intermediary-rejected", "no"], "reject", 608, ["intermediary-rejected", "no"]),
    ("reject", ["never-heard-of"], "reject", None, ["never-heard-of"]),
    ("if_match", ["{{src}}", "^1", "reject", "busy-here"], "reject", 486, ["{{src}}", "^1", "reject", "busy-here"]),
    ("if_match", ["a", "^", "set_header", "X", "CANARY"], "set_header", None, ["a", "^", "set_header", "X"]),
    ("if_match", ["{{src}}"], "if_match", None, ["{{src}}"]),
    ("set_user_data", ["cost_centre", "CANARY"], "set_user_data", None, ["cost_centre"]),
    ("set_header_parameter", ["P", "orig-ioi", "CANARY"], "set_header_parameter", None, ["P"]),
    ("rewrite_header", ["X-Key", "CANARY", "CANARY"], "rewrite_header", None, ["X-Key"]),
    ("rewrite_from_header_param", ["P-Key", "CANARY"], "rewrite_from_header_param", None, ["P-Key"]),
    ("stir_validate", [], "stir_validate", None, []),
    ("invented_tomorrow", ["x"], "invented_tomorrow", None, ["x"]),
]  # fmt: skip


def test_a_transformation_says_what_it_does_and_no_value_of_a_header(lake: Lake) -> None:
    made = [
        {"action": action, "direction": "any", "operands": given} for action, given, *_ in TRANSFORMATIONS
    ]
    land(lake, "transformations", {"owner_type": "trunk", "owner_sid": "t-1", "transformations": made})

    found = lake.query(
        "select position, action, effect, sipcause, operands_json from land.transformations order by position"
    )
    assert [(*row.values(),) for row in found] == [
        (position, action, effect, sipcause, json.dumps(shown, separators=(",", ":")))
        for position, (action, _, effect, sipcause, shown) in enumerate(TRANSFORMATIONS, start=1)
    ]
    assert "CANARY" not in everything(lake)


def test_a_batch_task_names_the_fields_it_sets_and_not_their_values(lake: Lake) -> None:
    task = {"task_sid": "t-1", "entries": ["18053355112"], "total": 1, "review": True, "status": "running"}
    data = [{"trunk_group_sid": "g-1"}, {"callback_url": "https://example.com/?key=CANARY"}]
    land(lake, "batch_tasks", task | {"data": data, "error_details": [{"error": "CANARY"}]})

    [row] = rows(lake, "batch_tasks")
    assert (row["entries_json"], row["changed_json"]) == (
        '["18053355112"]',
        '["callback_url","trunk_group_sid"]',
    )
    assert "CANARY" not in everything(lake)


def test_layers_of_access_control_become_rows(lake: Lake) -> None:
    acl = {"access_control_rules": ["r-1"], "direction": "outbound", "voice_action_true": "reject503",
           "voice_action_false": None, "sms_action_true": "reject", "sms_action_false": "accept"}  # fmt: skip
    owner = {"owner_type": "partner", "owner_sid": "p-1"}
    layers = [
        {"layer": 1, "effective_acls": [acl, acl | {"direction": "any"}]},
        {"layer": 2, "effective_acls": []},
    ]
    for_calls = owner | {"service": "call", "layers": layers}
    for_messages = owner | {"service": "message", "layers": layers[:1]}

    assert land(lake, "effective_acls", for_calls, for_messages) == (4, 0, 0)
    found = lake.query(
        "select service, layer, position, direction, action_true, action_false from land.effective_acls order by all"
    )
    assert [tuple(row.values()) for row in found] == [
        ("call", 1, 1, "outbound", "reject503", None),
        ("call", 1, 2, "any", "reject503", None),
        ("message", 1, 1, "outbound", "reject", "accept"),
        ("message", 1, 2, "any", "reject", "accept"),
    ]


BAD = [
    ("text", "trunk_sid is missing"),
    ({"name": "nameless"}, "trunk_sid is missing"),
    ({"trunk_sid": {"CANARY": 1}}, "trunk_sid: an object does not fit string"),
    ({"trunk_sid": "t", "weight": "heavy"}, "weight: 'heavy' does not fit int64"),
    ({"trunk_sid": "t", "weight": 2**63}, "weight: '9223372036854775808' does not fit int64"),
    ({"trunk_sid": "t", "weight": "x", "sip_password": "CANARY"}, "weight: 'x' does not fit int64"),
]


def test_bad_items_are_set_aside_and_their_neighbours_land(lake: Lake) -> None:
    good = {"trunk_sid": "good", "weight": 1, "sip_password": "CANARY"}
    assert land(lake, "trunks", *(item for item, _ in BAD), good) == (1, 0, len(BAD))

    assert [row["trunk_sid"] for row in rows(lake, "trunks")] == ["good"]
    reasons = lake.scan("land/quarantine").collect()["reason"].to_list()
    assert sorted(reasons) == sorted(reason for _, reason in BAD)
    assert "CANARY" not in everything(lake)

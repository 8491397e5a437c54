"""What an access rule would have rejected: which calls, what they cost and brought, and whose they were."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from pipeline.errors import SettingsError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.measure.access import AccessRule, Outcome, landed_rules, try_rules

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
# dr_sid, partner, direction, from, to, cost, charge
CALLS = (
    ("a", "acme", "outbound", "15125550100", "19005551000", "1.5", "2"),
    ("b", "acme", "outbound", "15125550100", "+19005551001", "0.5", "1"),
    ("c", "honest", "outbound", "15125550101", "19005551002", "0.25", "0.75"),
    ("d", "honest", "outbound", "15125550101", "17135551000", "0.01", "0.02"),
    ("e", "honest", "inbound", "16175550000", "15125550101", "0.001", "0.002"),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder = tmp_path_factory.mktemp("access")
    ledger = Ledger.open(sqlite_url(folder / "ledger.db"))
    lake = Lake(folder, ledger)
    shared = {"source": "x", "date_stop": NOW}
    names = ("dr_sid", "partner_sid", "direction", "number_src", "number_dst")
    calls = [dict(zip(names, c, strict=False)) | shared for c in CALLS]
    calls[1]["trunk_group_sid_dst"] = "trunks"
    put(lake, "land/calls", "date=2026-03-09", calls)
    rated = shared | {"rating_status": "rated", "currency": "USD"}
    rows = [rated | {"dr_sid": c[0], "level": n, "amount": Decimal(c[5 + n])} for c in CALLS for n in (0, 1)]
    put(lake, "rate/calls", "date=2026-03-09", rows)
    signal = {"signal_sid": "s", "partner_sid": "acme", "window_start": NOW, "window_end": NOW}
    put(lake, "measure/signals", "month=2026-03", [signal])
    behind = {"signal_sid": "s", "service": "call", "source": "x", "dr_sid": "a"}
    put(lake, "measure/signal_records", "month=2026-03", [behind])
    yield lake
    ledger.close()


def put(lake: Lake, table: str, label: str, rows: list[dict[str, Any]]) -> None:
    schema = BY_NAME[table].schema
    filled = [dict.fromkeys(schema.names) | {"valid_from": NOW} | row for row in rows]
    staged = lake.stage(table, label, pa.Table.from_pylist(filled, schema=schema))
    with lake.ledger.transaction() as tx:
        lake.commit(tx, [staged], at=NOW, stage="land")


def rule(
    operation: str, *entries: str, field: str = "to", quantifier: str = "any", **more: Any
) -> AccessRule:
    return AccessRule("mine", field, operation, quantifier, entries, **more)


def tried(lake: Lake, wanted: AccessRule) -> Outcome:
    return try_rules(lake, [wanted], since=SINCE, until=UNTIL)[0]


# the rule -> calls by partner
CASES = {
    "a prefix": (rule("prefix", "1900"), {"acme": 2, "honest": 1}),
    "any of two prefixes": (rule("prefix", "1713", "19005551000"), {"acme": 1, "honest": 1}),
    "all, of which one fits": (rule("prefix", "1900", "1713", quantifier="all"), {}),
    "all, of which both fit": (rule("prefix", "1900", "1", quantifier="all"), {"acme": 2, "honest": 1}),
    "none of two": (rule("prefix", "1900", "1713", quantifier="none"), {"honest": 1}),
    "exactly": (rule("exact", "19005551001", "1900"), {"acme": 1}),
    "a regular expression": (rule("regexp", r"^1\d{3}555100[12]$"), {"acme": 1, "honest": 1}),
    "the number shown": (rule("prefix", "1617", field="from"), {"honest": 1}),
    "one direction": (rule("prefix", "1", direction="inbound"), {"honest": 1}),
    "all others": (rule("prefix", "1900", others=True), {"honest": 2}),
    "one trunk group": (rule("prefix", "1900", groups=("trunks",)), {"acme": 1}),
    "one partner": (rule("prefix", "1900", partners=("honest",)), {"honest": 1}),
}


@pytest.mark.parametrize(("wanted", "calls"), CASES.values(), ids=CASES)
def test_which_calls_a_rule_rejects(lake: Lake, wanted: AccessRule, calls: dict[str, int]) -> None:
    assert {r.partner_sid: r.calls for r in tried(lake, wanted).rejected} == calls


def test_what_it_would_have_saved_and_spoilt(lake: Lake) -> None:
    outcome = tried(lake, rule("prefix", "1900"))

    assert (outcome.calls, outcome.behind_signals, outcome.false_positives) == (3, 1, 1)
    assert outcome.money() == {"USD": (Decimal("2.25"), Decimal("3.75"), Decimal("0.75"))}


def test_the_provider_s_rules_are_used_as_they_have_landed(lake: Lake) -> None:
    names = ("rule_sid", "name", "field", "operation", "quantifier", "entries_json")
    rules = (
        ("r1", "premium", "to", "prefix", "any", '["1900"]'),
        ("r2", "own only", "from", "regexp", "none", '["^1512"]'),
        ("r3", "strange", "via", "prefix", "any", '["1"]'),
        ("r4", "unused", "to", "exact", "any", '["1"]'),
    )
    put(lake, "land/access_rules", "all", [dict(zip(names, row, strict=True)) for row in rules])
    acl = {"owner_type": "partner", "service": "call", "layer": 1, "position": 1}
    put(
        lake,
        "land/effective_acls",
        "all",
        [
            acl | {"owner_sid": "acme", "direction": "outbound", "rules_json": '["r1"]', "action_true": "reject503"},
            acl | {"owner_type": "trunk_group", "owner_sid": "trunks", "direction": "inbound", "rules_json": '["r2"]'}
            | {"action_true": "accept", "action_false": "reject403"},
        ],
    )  # fmt: skip

    found, left = landed_rules(lake)

    assert [(r.name, r.direction, r.others, r.partners) for r in found] == [
        ("own only", "inbound", True, ()),
        ("premium", "outbound", False, ("acme",)),
        ("unused", "any", False, ()),
    ]
    assert [r.groups for r in found] == [("trunks",), (), ()]
    assert left == ["the rule 'strange' has the field 'via'; valid are to, from."]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param(("prefix",), "needs 1 to 10,000 entries", id="no entries"),
        pytest.param(("regexp", "("), "no regular expression", id="no expression"),
        pytest.param(("regexp", "(?=1)"), "looks around itself", id="an expression that looks ahead"),
        pytest.param(("suffix", "1"), "valid are exact, prefix, regexp", id="an operation that is none"),
    ],
)
def test_a_rule_that_cannot_be_is_told(wrong: tuple[str, ...], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        rule(*wrong)

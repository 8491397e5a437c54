"""Who pays for a record, and on which plan.

::

    root
    ├── shop ── desk          desk is a department of shop
    ├── reseller ── sub ── subsub
    └── orphanage ── orphan   nobody here is a customer
"""

from pipeline.masters.model import Assignment
from tests.spec.drawing import check, instant, plan, table
from tests.spec.engines import Case, call

PARENTS = {
    "root": None,
    "shop": "root",
    "desk": "shop",
    "reseller": "root",
    "sub": "reseller",
    "subsub": "sub",
    "orphanage": "root",
    "orphan": "orphanage",
}
RESELLS = {"shop": False, "reseller": True, "sub": False, "subsub": False}


def world(assignments: str, resells: dict[str, bool] | None = None) -> Case:
    rows = table(assignments)
    plans = [
        plan("prefix | price\n | 0.01", plan_sid=sid, direction={"in": "inbound", "out": "outbound"}.get(sid))
        for sid in sorted({row["plan"] for row in rows})
    ]
    made = [
        Assignment(
            row["partner"],
            row["plan"],
            direction=row.get("direction", ""),
            start=instant(row["from"]) if row.get("from") else None,
            end=instant(row["to"]) if row.get("to") else None,
        )
        for row in rows
    ]
    return Case(plans, made, PARENTS, RESELLS if resells is None else resells)


def check_payers(engine, case: Case, drawn: str) -> None:
    """Each record of a partner comes out as one row per payer, as drawn."""
    rows = table(drawn)
    actual = [
        {
            "partner": partner,
            "side": a.side,
            "level": str(a.level),
            "payer": a.payer_sid,
            "payee": a.payee_sid or "",
            "reason": a.reason or "",
        }
        for partner in dict.fromkeys(row["partner"] for row in rows)
        for a in engine(case, "call", [call("a", partner_sid=partner)])
    ]
    assert [{name: row[name] for name in rows[0]} for row in actual] == rows


def test_one_cost_and_a_charge_for_each_level_that_sells_on(engine):
    """One cost, and a charge for each level that sells on; here only `reseller` does."""
    calls = """
        partner  | -> side | level | payer    | payee    | reason
        shop     |    cost   | 0   | root     |          | no_plan
        shop     |    charge | 1   | shop     | root     |
        desk     |    cost   | 0   | root     |          | no_plan
        desk     |    charge | 1   | shop     | root     |
        reseller |    cost   | 0   | root     |          | no_plan
        reseller |    charge | 1   | reseller | root     |
        sub      |    cost   | 0   | root     |          | no_plan
        sub      |    charge | 1   | reseller | root     |
        sub      |    charge | 2   | sub      | reseller |
        subsub   |    cost   | 0   | root     |          | no_plan
        subsub   |    charge | 1   | reseller | root     |
        subsub   |    charge | 2   | sub      | reseller |
        root     |    cost   | 0   | root     |          | no_plan
        root     |    charge | 1   | root     | root     | own_use
        orphan   |    cost   | 0   | root     |          | no_plan
        orphan   |    charge | 1   | orphan   | root     | no_customer
        stranger |    cost   | 0   | root     |          | no_plan
        stranger |    charge | 1   | stranger | root     | unknown_partner
    """
    check_payers(engine, world("partner | plan\n* | all"), calls)


def test_every_level_that_resells_is_a_payer(engine):
    """Every level that resells is a payer; here `sub` does too."""
    case = world("partner | plan\n* | all", {"reseller": True, "sub": True, "subsub": False})
    calls = """
        partner | -> level | payer    | payee
        subsub  |    0     | root     |
        subsub  |    1     | reseller | root
        subsub  |    2     | sub      | reseller
        subsub  |    3     | subsub   | sub
    """
    check_payers(engine, case, calls)


def test_own_use_is_free_and_a_stranger_is_not(engine):
    calls = """
        partner  | seconds | -> status      | reason          | amount
        root     | 60      |   not_billable | own_use         | 0
        root     | 0       |   not_billable | own_use         | 0
        stranger | 60      |   unrated      | unknown_partner |
        stranger | 0       |   not_billable | not_answered    | 0
        orphan   | 60      |   unrated      | no_customer     |
    """
    check(engine, world("partner | plan\n* | all"), "call", calls)


def test_its_own_plan_else_its_parents_else_the_default(engine):
    """Its own plan, else its parent's, else the default."""
    case = world("""
        partner  | plan
        *        | all
        reseller | wholesale
        subsub   | special
    """)
    calls = """
        partner  | -> plan
        shop     |    all
        desk     |    all
        reseller |    wholesale
    """
    check(engine, case, "call", calls)
    resold = """
        partner | level | -> plan
        sub     | 1     |    wholesale
        sub     | 2     |    wholesale
    """
    answers = engine(case, "call", [call("a", partner_sid="sub")])
    assert [
        {"partner": "sub", "level": str(a.level), "plan": a.plan and a.plan[0]}
        for a in answers
        if a.side == "charge"
    ] == table(resold)


def test_without_an_assignment_there_is_no_plan(engine):
    calls = """
        partner  | -> status | reason
        shop     |   unrated | no_plan
        reseller |   rated   |
    """
    check(engine, world("partner | plan\nreseller | all"), "call", calls)


def test_an_assignment_counts_at_the_start_of_the_call(engine):
    case = world("""
        partner | plan | from | to
        *       | all  |      |
        shop    | new  | 0 ms | 5 ms
    """)
    calls = """
        partner | at    | -> plan
        shop    | -1 ms |    all
        shop    | 0 ms  |    new
        shop    | 4 ms  |    new
        shop    | 5 ms  |    all
    """
    check(engine, case, "call", calls)


def test_the_more_specific_assignment_wins_then_the_later(engine):
    case = world("""
        partner | plan  | direction | from
        shop    | all   |           |
        shop    | later |           | 0 ms
        shop    | exact | outbound  |
    """)
    calls = """
        direction | at    | -> plan
        outbound  | 1 ms  |    exact
        inbound   | -1 ms |    all
        inbound   | 0 ms  |    later
    """
    check(engine, case, "call", calls)


def test_an_assignment_counts_only_for_what_its_plan_covers(engine):
    case = world("""
        partner | plan
        *       | in
        *       | out
    """)
    calls = """
        direction | -> plan
        outbound  |    out
        inbound   |    in
    """
    check(engine, case, "call", calls)


def test_the_provider_is_paid_by_its_own_plans(engine):
    provider = plan(
        "prefix | price | minimum | increment\n44 | 0.001 | 6 | 6",
        plan_sid="provider:call:outbound:pstn",
        origin="provider",
        direction="outbound",
        family="pstn",
        increment_rule="total",
    )
    calls = """
        number | partner  | direction | -> status | reason  | payer | billed | amount
        441    | shop     | outbound  |   rated   |         | root  | 60     | 0.001
        441    | stranger | outbound  |   rated   |         | root  | 60     | 0.001
        441    | root     | outbound  |   rated   |         | root  | 60     | 0.001
        441    | shop     | inbound   |   unrated | no_plan | root  |        |
    """
    case = Case([provider], [Assignment("*", "provider:call:outbound:pstn")], PARENTS, RESELLS)
    check(engine, case, "call", calls, side="cost")


def test_a_loop_and_an_invisible_parent_end_the_walk(engine):
    """A loop and a parent that cannot be seen end the walk: `a` and `b` are each above the other, and nothing is known
    above `c`."""
    parents = {"root": None, "a": "b", "b": "a", "c": "unseen"}
    case = Case(
        [plan("prefix | price\n | 0.01")], [Assignment("*", "plan")], parents, {"b": False, "c": False}
    )

    calls = """
        partner | -> level | payer
        a       |    0     | root
        a       |    1     | b
        c       |    0     | root
        c       |    1     | c
    """
    check_payers(engine, case, calls)

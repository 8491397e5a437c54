"""Which family a call is of, and what kind of line it becomes."""

from pipeline.masters.model import Assignment
from tests.spec.drawing import check, plan
from tests.spec.engines import Case

ENDPOINTS = {"gateway": "system_gateway", "room": "conference", "mail": "voicemail", "blank": None}


def world(*families: str | None) -> Case:
    plans = [plan("prefix | price\n | 0.01", plan_sid=f"for-{f or 'any'}", family=f) for f in families]
    return Case(plans, [Assignment("*", p.plan_sid) for p in plans], endpoints=ENDPOINTS)


def test_outbound_by_the_destination_inbound_by_the_source(engine):
    """Outbound, the destination's type decides; inbound, the source's."""
    calls = """
        direction | src     | dst     | -> family     | item   | plan
        outbound  | room    | gateway |    pstn       | toll   | for-pstn
        outbound  | gateway | room    |    conference | bridge | for-conference
        inbound   | room    | gateway |    conference | bridge | for-conference
        inbound   | gateway | room    |    pstn       | toll   | for-pstn
    """
    check(engine, world("pstn", "conference"), "call", calls)


def test_without_endpoint_data_a_call_is_pstn(engine):
    """Without endpoint data a call is PSTN."""
    calls = """
        direction | src | dst     | -> family
        outbound  |     | unheard |    pstn
        outbound  |     |         |    pstn
        outbound  |     | blank   |    pstn
    """
    check(engine, world("pstn"), "call", calls)


def test_a_type_that_nobody_has_a_plan_for_is_said_so(engine):
    calls = """
        dst     | -> family     | status  | reason    | item
        mail    |    voicemail  | unrated | no_family | bridge
        room    |    conference | rated   |           | bridge
    """
    check(engine, world("pstn", "conference"), "call", calls)


def test_a_plan_without_family_covers_every_type(engine):
    calls = """
        dst     | -> family    | plan
        mail    |    voicemail | for-any
        gateway |    pstn      | for-any
    """
    check(engine, world(None), "call", calls)


def test_toll_free_numbers_are_lines_of_their_own(engine):
    calls = """
        direction | number       | -> item
        inbound   | +18005550100 |    toll_free
        inbound   | 18885550100  |    toll_free
        outbound  | 18335550100  |    toll_free
        inbound   | 12125550100  |    toll
        inbound   | 18225550100  |    toll
        inbound   | 8005550100   |    toll
    """
    check(engine, world("pstn"), "call", calls)

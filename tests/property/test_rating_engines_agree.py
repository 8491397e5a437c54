"""The SQL and the reference say the same about every record of every random world, in every column."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.rating_worlds import call_world, message_world
from tests.spec.engines import connection, fast, reference

SEEDS = st.integers(0, 2**32 - 1)
PER_WORLD = 200
BOUNDED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        yield con


@BOUNDED
@given(SEEDS)
def test_calls(con, seed):
    case, records = call_world(seed, PER_WORLD)

    assert fast(case, "call", records, con) == reference(case, "call", records)


@BOUNDED
@given(SEEDS)
def test_messages(con, seed):
    case, records = message_world(seed, PER_WORLD)

    assert fast(case, "message", records, con) == reference(case, "message", records)

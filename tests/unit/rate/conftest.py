"""A home to rate in."""

import pytest

from tests.unit.rate.homes import Home


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.ledger.close()

"""A home to rate in."""

import pytest

from tests.unit.rate.homes import Home


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A home that a module's tests begin with: filled once, and copied for each of them."""
    made = Home(tmp_path_factory.mktemp("shared"))
    yield made
    made.ledger.close()


@pytest.fixture
def copied(tmp_path):
    """Gives a test its own copy of a home."""
    made = []
    yield lambda home: made.append(home.copied(tmp_path)) or made[-1]
    for home in made:
        home.ledger.close()

"""A home with nothing in it but a ledger and a lake."""

from pathlib import Path

import pytest

from pipeline.lake.lake import Lake
from tests.fixtures.invoices import make_lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return make_lake(tmp_path / "home")

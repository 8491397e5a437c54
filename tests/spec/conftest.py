"""The two engines that every case runs on."""

import pytest

from tests.spec import allowances
from tests.spec.engines import connection, fast, reference


@pytest.fixture(scope="session")
def duck(tmp_path_factory):
    with connection(tmp_path_factory.mktemp("lake")) as con:
        yield con


@pytest.fixture(params=["reference", "fast"])
def engine(request, duck):
    """``engine(case, service, records)`` answers with a row per record, side and payer."""
    if request.param == "reference":
        return reference
    return lambda case, service, records: fast(case, service, records, duck)


@pytest.fixture(scope="session")
def invoicing(tmp_path_factory):
    with allowances.connection(tmp_path_factory.mktemp("lake")) as found:
        yield found


@pytest.fixture(params=["reference", "fast"])
def drawing(request, invoicing):
    """``drawing(terms, charges, month)`` answers with what the records draw from bundles and tiers."""
    if request.param == "reference":
        return allowances.reference
    return lambda terms, charges, month: allowances.fast(terms, charges, month, *invoicing)

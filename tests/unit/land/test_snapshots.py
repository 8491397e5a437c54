"""Lists taken whole: a secret that an item carries is landed nowhere, neither in a column nor where it is set aside."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake.lake import Lake
from pipeline.land.snapshots import BY_RESOURCE, land_snapshot
from pipeline.ledger.ledger import Ledger

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
OPENS = {"password": "CANARY", "client_secret": "CANARY", "harmless": "kept"}
ENDPOINT = {
    "endpoint_sid": "e-1",
    "type": "mediator",
    "properties": OPENS,
    "voip_token": "CANARY",
    "out_sip_password": "CANARY",
    "addresses": [{"ip": "198.51.100.1", "sip_password": "CANARY"}],
    "vault": {"api_key": "CANARY"},
}
PAID = {
    "amount": "1",
    "billing_method": {"cc_number": "4111111111111111", "cc_cid": "CANARY", "type": "visa"},
}


@pytest.mark.parametrize(
    ("resource", "item", "kept"),
    [
        pytest.param("endpoints", ENDPOINT, None, id="an endpoint"),
        pytest.param(
            "endpoints", ENDPOINT | {"capacity": "endless"}, None, id="an endpoint that is set aside"
        ),
        pytest.param("partners", {"partner_sid": "p-1", "sso": OPENS}, "kept", id="a key that is not known"),
        pytest.param("partners", {"sso": [OPENS]}, "kept", id="one without its secure id"),
        pytest.param(
            "provider_invoices", {"invoice_sid": "i-1", "pay_items": [PAID]}, "visa", id="a payment"
        ),
        pytest.param(
            "provider_invoices", {"pay_items": [PAID], "paid": "?"}, "visa", id="one that is set aside"
        ),
    ],
)
def test_a_secret_is_landed_nowhere(
    tmp_path: Path, resource: str, item: dict[str, Any], kept: str | None
) -> None:
    lake = Lake(tmp_path, Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}"))

    done = land_snapshot(lake, BY_RESOURCE[resource], [item], source="carrierx", now=NOW)

    tables = (f"land/{resource}", "land/quarantine")
    text = " ".join(str(lake.scan(table).collect().to_dicts()) for table in tables)
    assert done.rows + done.quarantined == 1
    assert "CANARY" not in text
    assert "4111111111111111" not in text
    assert kept is None or kept in text

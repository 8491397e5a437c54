"""An operator has the provider e-mail one of its own invoices: on record, and only what is known to whom it may go."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.desk.desk import Desk
from pipeline.errors import DeliveryError
from pipeline.ledger.query import rows
from pipeline.ledger.schema import decisions
from pipeline.provider.server import Background, start_background
from pipeline.provider.world import World, WorldConfig
from pipeline.settings import Settings

NOW = datetime(2026, 4, 3, 6, tzinfo=UTC)
TO = "accounts@harbor.example"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Background]:
    with start_background(World(WorldConfig(calls=20, messages=10)), process=False) as background:
        yield background


@pytest.fixture
def desk(sandbox: Background, tmp_path: Path) -> Desk:
    settings = Settings(home=tmp_path / "home", api_url=sandbox.url, api_token="sandbox-token")
    desk = Desk.open(settings, now=NOW)
    desk.pull_snapshot("provider_invoices")
    return desk


def mailed(sandbox: Background) -> list[dict[str, Any]]:
    headers = {"Authorization": "Bearer sandbox-token"}
    return httpx.get(f"{sandbox.admin_url}/requests", headers=headers, trust_env=False).json()["emails"]


def invoice(desk: Desk) -> dict[str, Any]:
    return desk.lake.query("select invoice_sid, display_id from land.provider_invoices order by all limit 1")[
        0
    ]


@pytest.mark.parametrize("name", ["invoice_sid", "display_id"])
def test_the_provider_is_asked_and_who_asked_is_on_record(desk: Desk, sandbox: Background, name: str) -> None:
    wanted = invoice(desk)
    assert desk.mail_provider_invoice(wanted[name], (TO,), by="ann") == wanted["invoice_sid"]
    assert mailed(sandbox)[-1] == {"invoice_sid": wanted["invoice_sid"], "emails": TO}
    (decision,) = rows(desk.ledger, decisions.select())
    assert (decision["by"], decision["what"], decision["reason"]) == ("ann", "provider_mail", f"to {TO}")


@pytest.mark.parametrize(
    ("known", "to"),
    [(False, (TO,)), (True, ()), (True, ("a, b",))],
    ids=["no invoice", "nobody", "no address"],
)
def test_what_is_wrong_is_not_asked(
    desk: Desk, sandbox: Background, known: bool, to: tuple[str, ...]
) -> None:
    before = mailed(sandbox)
    with pytest.raises(DeliveryError):
        desk.mail_provider_invoice(invoice(desk)["invoice_sid"] if known else "../partners", to)
    assert (mailed(sandbox), rows(desk.ledger, decisions.select())) == (before, [])

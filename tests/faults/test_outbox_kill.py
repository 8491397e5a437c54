"""Killed at any moment, the outbox sends nothing twice and loses nothing silently."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.deliver.outbox import deliver
from pipeline.lake.lake import Lake
from pipeline.ledger.ledger import Ledger, sqlite_url
from tests.fixtures.invoices import NOW, add_documents, add_invoice, emails, make_lake
from tests.fixtures.mail import Sink, smtp_server

MESSAGES, KILLS = 60, 20

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run(home: Path, url: str) -> None:
    lake = Lake(home, Ledger.open(sqlite_url(home / "ledger.db")))
    deliver(lake, lake.ledger, smtp_url=url, from_email="billing@harbor.example", now=NOW)


def killed_run(home: Path, url: str, sink: Sink, chance: random.Random) -> None:
    """A run in a process of its own, killed a moment after one of its next messages has arrived."""
    child = os.fork()
    if not child:
        try:
            run(home, url)
        finally:
            os._exit(0)
    enough, give_up = len(sink.arrived) + chance.randint(1, 3), time.monotonic() + 5
    while len(sink.arrived) < enough and time.monotonic() < give_up and not os.waitpid(child, os.WNOHANG)[0]:
        time.sleep(0.0002)
    time.sleep(chance.uniform(0, 0.004))
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_again_and_again_nothing_is_sent_twice_or_lost(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "home")
    for n in range(MESSAGES):
        add_invoice(lake, f"inv-{n}", f"HCS-2026-{n:06d}", calls=0, messages=0)
    for n in range(MESSAGES):
        add_documents(lake, f"inv-{n}")
    lake.ledger.close()
    chance, sink = random.Random(7), Sink()
    with smtp_server(sink) as url:
        for _ in range(KILLS):
            killed_run(lake.home, url, sink, chance)
        run(lake.home, url)
    arrived = Counter(message["Message-ID"] for message in sink.messages())
    rows = emails(lake).values()
    assert [message_id for message_id, times in arrived.items() if times > 1] == []
    assert {row["status"] for row in rows} <= {"sent", "unknown"}
    assert len(rows) == MESSAGES
    assert {row["message_id"] for row in rows if row["status"] == "sent"} <= arrived.keys()
    assert arrived.keys() <= {row["message_id"] for row in rows}
    assert sum(row["status"] == "unknown" for row in rows) <= KILLS

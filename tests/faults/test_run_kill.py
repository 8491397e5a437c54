"""``tollbook run``, killed again and again with its mail going to a real server, ends where one that lived ends.

It is killed when something new has become visible, a random number of things later: a file, a document, a message. So
every stage is hit, on slow and on fast machines.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.fixtures.mail import Sink, smtp_server
from tests.journey.house import TOKEN, House, Provider, make_house
from tests.journey.test_month import assert_numbers_are_gapless
from tests.journey.warm import Running, Warm

KILLS = 5
PASSWORD = "canary-password-77f1"
# Where and how a message went is not about the month; a crash may leave its fate unknown.
_TOLD_APART = {"deliver/emails"}


def _login(_server: Any, _session: Any, _envelope: Any, _how: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=given.password == PASSWORD.encode())


@dataclass(slots=True)
class Survivor:
    """A home whose runs were killed until one came through: its mail, the kills, and what the runs said."""

    house: House
    sink: Sink = field(default_factory=Sink)
    runs: list[Running] = field(default_factory=list)
    killed: int = 0
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def survivor(
    tmp_path_factory: pytest.TempPathFactory, warm: Warm, march: House, march_provider: Provider
) -> Survivor:
    home, sink = tmp_path_factory.mktemp("killed") / "home", Sink()
    with smtp_server(sink, authenticator=_login, auth_require_tls=False) as url:
        smtp = url.replace("//", f"//billing:{PASSWORD}@")
        survivor = Survivor(make_house(home, warm, march_provider.url, TOLLBOOK_SMTP_URL=smtp), sink)
        kill_often(survivor, visible(march.home, Sink()))
        done = survivor.house.run()
        survivor.said.append(done.said)
        assert done.code == 0, survivor.said
    return survivor


def kill_often(survivor: Survivor, most: int) -> None:
    """Kills runs, one in every part of the way; every second time together with what they have started."""
    seed = random.randrange(1 << 32)
    survivor.said.append(f"seed {seed}")
    chance = random.Random(seed)
    for attempt in range(KILLS):
        goal = int(most * (attempt + chance.random()) / KILLS)

        def reached(goal: int = goal) -> bool:
            return visible(survivor.house.home, survivor.sink) >= goal

        run = survivor.house.start_run()
        done = run.kill_when(reached, children=attempt % 2 == 1)
        survivor.runs.append(run)
        survivor.killed += done.code == -9
        survivor.said.append(done.said)


def visible(home: Path, sink: Sink) -> int:
    """How much a run has brought about."""
    made = sum(len(list(home.glob(found))) for found in ("files/*/*/*", "documents/*/*", "outbox/*"))
    return made + len(sink.arrived)


def test_the_tables_are_those_of_a_run_that_lived(survivor: Survivor, march: House) -> None:
    expected, found = march.tables(), survivor.house.tables()

    assert survivor.killed >= KILLS // 2, survivor.said[0]
    assert {name: expected[name] ^ found[name] for name in expected if name not in _TOLD_APART} == {
        name: set() for name in expected if name not in _TOLD_APART
    }
    assert survivor.house.statement_differences() == []


def test_there_is_one_invoice_per_period_and_no_number_is_missing(survivor: Survivor, march: House) -> None:
    house = survivor.house
    billed = (
        "select partner_sid, seller, period_end, kind, amount, amount_tax from invoices order by 1, 2, 3, 4"
    )

    assert house.ledger(billed) == march.ledger(billed)
    assert_numbers_are_gapless(house)


def test_every_invoice_was_mailed_once(survivor: Survivor) -> None:
    """At most once, always; where a kill left a message's fate unknown, a person is asked."""
    house = survivor.house
    arrived = Counter(message["Message-ID"] for message in survivor.sink.messages())
    status = dict(house.ledger("select message_id, status from emails"))
    issued = house.ledger("select count(*) from invoices where number is not null")[0][0]

    assert len(status) == issued
    assert set(arrived) <= set(status)
    assert set(arrived.values()) == {1}
    assert {status[name] for name in status if name not in arrived} <= {"unknown"}
    assert sum(found == "unknown" for found in status.values()) <= survivor.killed


def test_every_invoice_has_its_documents(survivor: Survivor, march: House) -> None:
    house = survivor.house

    def documents(of: House) -> dict[str, str]:
        found = of.contents().items()
        return {n: h for n, h in found if n.startswith("documents/") and "manifest" not in n}

    assert documents(house) == documents(march)


def test_what_a_killed_run_has_started_ends_with_it(survivor: Survivor) -> None:
    deadline = time.monotonic() + 60
    while any(run.has_descendants() for run in survivor.runs) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert [run.pid for run in survivor.runs if run.has_descendants()] == []


def test_no_secret_was_written_or_said(survivor: Survivor) -> None:
    """The token stands in ``.env`` alone; the mail password, which came by the environment, nowhere."""
    house = survivor.house
    leaks = [
        (path.relative_to(house.home).as_posix(), secret)
        for path in house.home.rglob("*")
        if path.is_file()
        for secret in (TOKEN, PASSWORD)
        if secret.encode() in path.read_bytes()
    ]

    assert leaks == [(".env", TOKEN)]
    assert [text for text in survivor.said if TOKEN in text or PASSWORD in text] == []

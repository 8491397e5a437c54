"""``tollbook run``, killed again and again with its mail going to a real server, ends where one that lived ends.

It is killed when something new has become visible, a random number of things later: a file, a document, a message. So
every stage is hit, on slow and on fast machines.
"""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.fixtures.mail import Sink, smtp_server
from tests.journey.house import TOKEN, House, Provider, make_house
from tests.journey.test_month import assert_numbers_are_gapless
from tests.journey.warm import Warm

KILLS = 5
PASSWORD = "canary-password-77f1"
# Where and how a message went is not about the month; a crash may leave its fate unknown.
_TOLD_APART = {"deliver/emails"}


def _login(_server: Any, _session: Any, _envelope: Any, _how: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=given.password == PASSWORD.encode())


@pytest.fixture(scope="module")
def survivor(
    tmp_path_factory: pytest.TempPathFactory, warm: Warm, march_provider: Provider
) -> tuple[House, Sink, int, list[str]]:
    """A home whose runs were killed until one came through; its mail, the kills, and what the runs said."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    said, killed, sink = [f"seed {seed}"], 0, Sink()
    home = tmp_path_factory.mktemp("killed") / "home"
    login = {"authenticator": _login, "auth_require_tls": False}
    with smtp_server(sink, **login) as url:
        smtp = url.replace("//", f"//billing:{PASSWORD}@")
        house = make_house(home, warm, march_provider.url, TOLLBOOK_SMTP_URL=smtp)
        for attempt in range(KILLS):
            goal = visible(home, sink) + chance.randrange(1, 140)
            done = house.start_run().kill_when(
                lambda goal=goal: visible(home, sink) >= goal, children=attempt % 2 == 1
            )
            killed += done.code == -9
            said.append(done.said)
        done = house.run()
        assert done.code == 0, (seed, done.said)
    return house, sink, killed, said


def visible(home: Path, sink: Sink) -> int:
    """How much a run has brought about."""
    return len(list(home.glob("files/*/*/*"))) + len(list(home.glob("documents/*/*"))) + len(sink.arrived)


def test_the_tables_are_those_of_a_run_that_lived(survivor: tuple, march: House) -> None:
    house, _, killed, said = survivor
    expected, found = march.tables(), house.tables()

    assert killed >= KILLS // 2, said[0]
    assert {name: expected[name] ^ found[name] for name in expected if name not in _TOLD_APART} == {
        name: set() for name in expected if name not in _TOLD_APART
    }
    assert house.statement_differences() == []


def test_there_is_one_invoice_per_period_and_no_number_is_missing(survivor: tuple, march: House) -> None:
    house, *_ = survivor
    billed = (
        "select partner_sid, seller, period_end, kind, amount, amount_tax from invoices order by 1, 2, 3, 4"
    )

    assert house.ledger(billed) == march.ledger(billed)
    assert_numbers_are_gapless(house)


def test_every_invoice_was_mailed_once(survivor: tuple) -> None:
    """At most once, always; where a kill left a message's fate unknown, a person is asked."""
    house, sink, killed, _ = survivor
    arrived = Counter(message["Message-ID"] for message in sink.messages())
    status = dict(house.ledger("select message_id, status from emails"))
    issued = house.ledger("select count(*) from invoices where number is not null")[0][0]

    assert len(status) == issued
    assert set(arrived) <= set(status)
    assert set(arrived.values()) == {1}
    assert {status[name] for name in status if name not in arrived} <= {"unknown"}
    assert sum(found == "unknown" for found in status.values()) <= killed


def test_every_invoice_has_its_documents(survivor: tuple, march: House) -> None:
    house, *_ = survivor

    def documents(of: House) -> dict[str, str]:
        found = of.contents().items()
        return {n: h for n, h in found if n.startswith("documents/") and "manifest" not in n}

    assert documents(house) == documents(march)


def test_no_secret_was_written_or_said(survivor: tuple) -> None:
    """The token stands in ``.env`` alone; the mail password, which came by the environment, nowhere."""
    house, _, _, said = survivor
    leaks = [
        (path.relative_to(house.home).as_posix(), secret)
        for path in house.home.rglob("*")
        if path.is_file()
        for secret in (TOKEN, PASSWORD)
        if secret.encode() in path.read_bytes()
    ]

    assert leaks == [(".env", TOKEN)]
    assert [text for text in said if TOKEN in text or PASSWORD in text] == []

"""What is wrong around a run is told with what to do about it: exit 1, no traceback, and nothing half-done."""

import os
import resource
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from pipeline.provider.server import start_background
from pipeline.provider.world import WorldConfig
from tests.fixtures.mail import free_port
from tests.journey.house import AS_OF, RATES, TOKEN, House, Provider, make_house
from tests.journey.warm import Done, Warm

WORLD = WorldConfig(seed=9, calls=120, messages=30, start=date(2026, 3, 30), days=3, rates=RATES)
CLOSED = "canary-login-5d0a"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with start_background(WORLD, TOKEN) as background:
        yield Provider(background)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, warm: Warm, provider: Provider) -> House:
    """A home that is ready to pull and has not."""
    return make_house(tmp_path_factory.mktemp("bad") / "home", warm, provider.url)


@pytest.fixture
def fresh(empty: House, tmp_path: Path) -> House:
    """A copy of it."""
    shutil.copytree(empty.home, tmp_path / "home")
    return House(tmp_path / "home", empty.warm, empty.settings)


def with_settings(house: House, **settings: str) -> House:
    return House(house.home, house.warm, {**house.settings, **settings})


def assert_told(done: Done, *words: str) -> None:
    assert done.code == 1, done.said
    assert "Traceback" not in done.said
    assert TOKEN not in done.said
    assert [word for word in words if word not in done.err] == [], done.err


def landed(house: House) -> dict[str, int]:
    with house.lake() as lake:
        return {
            name: sum(file.rows for file in lake.files(f"land/{name}"))
            for name in ("calls", "messages", "partners", "dids", "endpoints", "countries", "rates")
        }


def test_a_wrong_token(fresh: House) -> None:
    wrong = with_settings(fresh, TOLLBOOK_API_TOKEN="canary-wrong-91")

    done = wrong.run(AS_OF)

    assert_told(done, "refuses the token", "TOLLBOOK_API_TOKEN")
    assert "canary-wrong-91" not in done.said
    assert set(landed(wrong).values()) == {0}
    assert not [
        p for p in wrong.home.rglob("*") if p.is_file() and b"canary-wrong-91" in p.read_bytes()
    ]  # fmt: skip


def test_no_token(fresh: House) -> None:
    (fresh.home / ".env").unlink()

    assert_told(fresh.tollbook("pull"), "TOLLBOOK_API_TOKEN", ".env")


def test_a_provider_that_does_not_answer(fresh: House) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/core/v2"

    done = with_settings(fresh, TOLLBOOK_API_URL=nobody).tollbook("pull")

    assert_told(done, nobody, "reachable")
    assert set(landed(fresh).values()) == {0}


def test_a_url_that_would_send_the_token_in_the_clear(fresh: House) -> None:
    open_road = with_settings(fresh, TOLLBOOK_API_URL="http://api.example.com/core/v2")

    assert_told(open_road.tollbook("pull"), "https")


def test_another_providers_home(fresh: House, provider: Provider) -> None:
    assert fresh.tollbook("pull").code == 0
    before = landed(fresh)
    with closing(sqlite3.connect(fresh.home / "ledger.db")) as ledger, ledger:
        ledger.execute("update meta set value = 'https://elsewhere.example' where key = 'provider_url'")

    assert_told(fresh.tollbook("pull"), "belongs to", "TOLLBOOK_HOME")
    assert landed(fresh) == before


DECK = "prefix,country_code,country_name,billing_increment,billing_minimum,price\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(DECK + "1,USA,United States,6,6,0.01\n44,GBR,,x,60,0.02\n", ("line 3",), id="a word for a number"),
        pytest.param(DECK + "1,USA,,6,6,0.01\n1,USA,,6,6,0.02\n", ("line 3",), id="one prefix twice"),
        pytest.param(DECK + "49,DEU,,60,60,1e-3\n4930,DEU,,60,60,NaN\n", ("line 3",), id="no plain number"),
        pytest.param(DECK + '1,USA,"never closed,6,6,0.01\n', ("line 2",), id="a torn line"),
        pytest.param("prefix,price\n", (), id="no rows"),
        pytest.param("", (), id="an empty file"),
    ],
)  # fmt: skip
def test_a_damaged_deck(empty: House, tmp_path: Path, text: str, lines: tuple[str, ...]) -> None:
    deck = tmp_path / "deck.csv"
    deck.write_text(text)
    before = empty.contents()

    done = empty.tollbook("plans", "import", deck, "--plan", "damaged", "--effective", "2026-01-01")

    assert_told(done, "deck.csv", *lines)
    assert empty.contents() == before
    assert "damaged" not in {plan["plan_sid"] for plan in empty.json("plans", "list")}


def test_a_master_file_with_a_mistake(fresh: House) -> None:
    customers = fresh.home / "masters" / "customers.csv"
    customers.write_text(customers.read_text().replace("America/Chicago", "America/Chicargo", 1))

    assert_told(fresh.run(), "customers.csv:2", "America/Chicargo")


def test_a_setting_that_does_not_exist(fresh: House) -> None:
    marker = fresh.home / "tollbook.toml"
    marker.write_text(marker.read_text() + 'bill_form = "2026-03-01"\n')

    assert_told(fresh.tollbook("pull"), "bill_form", "bill_from")


@pytest.mark.parametrize("command", ["run", "pull", "rate", "statement", "sql", "approve x"])
def test_a_wrong_working_directory(warm: Warm, tmp_path: Path, command: str) -> None:
    done = warm.tollbook(*command.split(), cwd=tmp_path)

    assert_told(done, "tollbook.toml", "TOLLBOOK_HOME", "tollbook init")
    assert list(tmp_path.iterdir()) == []


def test_a_named_home_that_is_none(warm: Warm, tmp_path: Path) -> None:
    done = warm.tollbook("run", cwd=tmp_path, env={"TOLLBOOK_HOME": str(tmp_path / "typo")})

    assert_told(done, "typo", "tollbook init")
    assert list(tmp_path.iterdir()) == []


def without_permission(home: str, *arguments: str) -> None:
    """``tollbook`` as a user who owns nothing."""
    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    _tollbook(home, *arguments)


def on_a_full_disk(home: str, limit: int, *arguments: str) -> None:
    """``tollbook`` where no file may grow beyond a limit: writing fails in the middle."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    _tollbook(home, *arguments)


def _tollbook(home: str, *arguments: str) -> None:
    from pipeline.cli import main

    sys.argv = ["tollbook", "--home", home, *arguments]
    os.environ["TOLLBOOK_API_TOKEN"] = TOKEN
    main()


@pytest.mark.parametrize(("mode", "word"), [(0o555, "cannot be written"), (0o000, "cannot be read")])
def test_a_home_without_permission(empty: House, mode: int, word: str) -> None:
    # The folders of pytest are closed to others: this home lies where any user may go.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        shutil.copytree(empty.home, Path(name) / "home")
        house = House(Path(name) / "home", empty.warm, empty.settings)
        before = house.contents()
        house.home.chmod(mode)

        done = house.warm.call(
            "tests.faults.test_bad_homes:without_permission", str(house.home), "run"
        ).wait()
        house.home.chmod(0o755)

        assert_told(done, word, "permission")
        assert house.contents() == before


def test_a_file_where_the_home_should_be(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("mine\n")

    for arguments in (("init", tmp_path / "home"), ("demo", "--home", tmp_path / "home", "--calls", "1")):
        assert_told(warm.tollbook(*arguments), str(tmp_path / "home"))
    assert (tmp_path / "home").read_text() == "mine\n"


@pytest.mark.parametrize("limit", [200_000, 20_000])
def test_a_full_disk(fresh: House, provider: Provider, limit: int) -> None:
    full = fresh.warm.call(
        "tests.faults.test_bad_homes:on_a_full_disk", str(fresh.home), limit, "pull"
    ).wait()  # fmt: skip
    assert "Traceback" not in full.said, full.err

    for stage in ("pull", "rate"):
        done = fresh.tollbook(stage, "--as-of", AS_OF)
        assert done.code == 0, done.said
    assert landed(fresh)["calls"] == 120
    assert fresh.statement_differences() == []


def test_a_mail_server_that_refuses_the_login_or_is_not_there(house: House) -> None:
    """Nothing is lost and no password is told: what could not be sent waits."""
    smtp = f"smtp://billing:{CLOSED}@127.0.0.1:{free_port()}"
    [(number,)] = house.ledger("select min(number) from invoices")

    done = with_settings(house, TOLLBOOK_SMTP_URL=smtp).tollbook("deliver", "--resend", number)

    assert CLOSED not in done.said
    assert "Traceback" not in done.said
    assert "127.0.0.1" in done.said
    assert house.ledger(f"""
        select e.status from emails as e join invoices as i using (invoice_sid) where i.number = '{number}'
    """) == [("queued",)]  # fmt: skip
    assert not [p for p in house.home.rglob("*") if p.is_file() and CLOSED.encode() in p.read_bytes()]

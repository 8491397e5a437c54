"""A home to try things on: a month of the sandbox's traffic, billed once per test run and copied for each test.

Its invoices are laid out by a template of the home's own, one line long, because most tests are not about documents
and a full page takes WeasyPrint most of a second.
"""

import hashlib
import json
import shutil
import sqlite3
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx

from pipeline.domain.cursor import FEEDS
from pipeline.lake.lake import Lake
from pipeline.lake.tables import TABLES
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.provider.faults import Faults
from pipeline.provider.server import Background
from pipeline.provider.world import WorldConfig
from pipeline.shipped import shipped
from tests.journey.warm import Done, Running, Warm

TOKEN = "canary-token-2f8b1c"
AS_OF = "2026-04-03T06:00:00Z"
# The real plan has fifty times as many rows: a second for every home, and no run is another one for it.
RATES = 2_000
# It has traffic in its last week: fewer days are fewer files, in every copy and for every command.
MARCH = WorldConfig(
    seed=5,
    calls=2_000,
    messages=400,
    start=date(2026, 3, 25),
    days=8,
    rates=RATES,
    faults=Faults.parse("late_inserts=0.01,wrong_charges=6,missing_answer=1,version_bumps=3"),
)
_PAGE = (
    "<!doctype html><html lang='en'><title>{{ invoice.number }}</title><p>{{ invoice.number }}</p></html>\n"
)
_TRIES = 20
# The sandbox speaks no TLS, and reading the certificates of the world takes longer than most of its answers.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# What is about the run and not about the month: which commit landed what, in how many requests.
_OF_THE_RUN = {"measure/landings"}


@dataclass(frozen=True, slots=True)
class House:
    """A home, and the hands to work in it. ``settings`` are environment variables of every command."""

    home: Path
    warm: Warm
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str | Path) -> Running:
        """Starts ``tollbook`` on this home."""
        return self.warm.start("--home", self.home, *arguments, env=self.settings)

    def tollbook(self, *arguments: str | Path) -> Done:
        """Runs ``tollbook`` on this home to its end."""
        return self.start(*arguments).wait()

    def run(self, as_of: str = AS_OF) -> Done:
        """The whole journey."""
        return self.start_run(as_of).wait()

    def start_run(self, as_of: str = AS_OF) -> Running:
        """Starts the whole journey."""
        return self.start("run", "--as-of", as_of)

    def json(self, *arguments: str | Path) -> Any:
        """What a command that must succeed prints with ``--json``."""
        done = self.tollbook(*arguments, "--json")
        assert done.code == 0, done.said
        return json.loads(done.out)

    def rows(self, sql: str, params: Any = None) -> list[tuple]:
        """The rows of a query over the home's tables."""
        with self.lake() as lake:
            return [tuple(row.values()) for row in lake.query(sql, params)]

    def one(self, sql: str, params: Any = None) -> Any:
        """The only value of a query."""
        [[value]] = self.rows(sql, params)
        return value

    def ledger(self, sql: str) -> list[tuple]:
        """The rows of a query over the ledger."""
        with closing(Ledger.open(sqlite_url(self.home / "ledger.db"))) as ledger, ledger.read() as tx:
            return [tuple(row) for row in tx.exec_driver_sql(sql)]

    @contextmanager
    def lake(self) -> Iterator[Lake]:
        """The home's lake."""
        with closing(Ledger.open(sqlite_url(self.home / "ledger.db"))) as ledger:
            yield Lake(self.home, ledger)

    def publish(self) -> None:
        """Makes the catalogue name this home's files, as the end of each command does."""
        with self.lake() as lake:
            lake.publish(datetime.fromisoformat(AS_OF))

    def tables(self, *, without: str = "") -> dict[str, set[str]]:
        """Every row of every table, as text: two homes that were told the same have the same."""
        with self.lake() as lake, lake.duck() as con:
            found: dict[str, set[str]] = {}
            for table in TABLES:
                if table.name not in _OF_THE_RUN:
                    names = ", ".join(f'"{name}"' for name, _, _ in table.columns if name != without)
                    columns = f"select {names} from {table.stage}.{table.short}"
                    rows = con.execute(f"select found::varchar from ({columns}) as found").fetchall()
                    found[table.name] = {text for (text,) in rows}
                    assert len(found[table.name]) == len(rows), f"{table.name} holds the same row twice"
        return found

    def contents(self) -> dict[str, str]:
        """The SHA-256 of everything that the home holds for people: live data files, views, documents, e-mails."""
        folders = ("lake", "documents", "outbox", "sql", "masters")
        found = [path for folder in folders for path in (self.home / folder).rglob("*") if path.is_file()]
        return {
            path.relative_to(self.home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted([*found, self.home / "tollbook.duckdb"])
        }

    def statement_differences(self) -> list[str]:
        """What does not add up."""
        return [difference["rule"] for difference in self.json("statement")["differences"]]


def make_house(folder: Path, warm: Warm, url: str, **settings: str) -> House:
    """A home that has pulled nothing yet, with the demo's masters and decks."""
    folder.mkdir(parents=True)
    shutil.copytree(shipped("data", "masters"), folder / "masters")
    page = folder / "templates" / "invoice" / "invoice.html.j2"
    page.parent.mkdir(parents=True)
    page.write_text(_PAGE)
    (folder / "tollbook.toml").write_text(
        'since = "2026-03-01"\nbill_from = "2026-03-01"\nfrom_email = "billing@harbor-carrier.example"\n'
    )
    (folder / ".env").write_text(f"TOLLBOOK_API_TOKEN={TOKEN}\n")
    house = House(folder, warm, {"TOLLBOOK_API_URL": url, **settings})
    done = house.tollbook("plans", "import", "--all")
    assert done.code == 0, done.said
    return house


def copy_of(house: House, folder: Path, url: str) -> House:
    """A home with everything that another one has, on the sandbox at ``url``; its catalogue is still the other's."""
    # Others read the ledger meanwhile, and what SQLite keeps beside it comes and goes with them.
    still = [path for path in house.home.iterdir() if not path.name.startswith("ledger.db")]
    folder.mkdir(parents=True)
    subprocess.run(["cp", "-a", *still, folder], check=True)
    with (
        closing(sqlite3.connect(house.home / "ledger.db")) as ledger,
        closing(sqlite3.connect(folder / "ledger.db")) as copied,
    ):
        ledger.backup(copied)
    return House(folder, house.warm, {"TOLLBOOK_API_URL": url})


@dataclass(frozen=True, slots=True)
class Provider:
    """The sandbox from the outside, by its own switches and by a walk that shares no code with ours."""

    background: Background

    @property
    def url(self) -> str:
        return self.background.url

    def ask(self, path: str, **params: Any) -> Any:
        """An answer of the API."""
        return self._http("GET", self.background.url + path, params=params)

    def admin(self, path: str) -> Any:
        """What the sandbox says about itself: ``truth``, ``requests``."""
        return self._http("GET", f"{self.background.admin_url}/{path}")

    def set_clock(self, now: str) -> None:
        """Moves the sandbox's clock: what is inserted later is not there yet."""
        self._http("PUT", f"{self.background.admin_url}/clock", json={"now": now})

    def set_faults(self, faults: str) -> None:
        """What goes wrong from now on."""
        self._http("PUT", f"{self.background.admin_url}/faults", json={"faults": faults})

    def records(self, resource: str) -> list[dict[str, Any]]:
        """Every record that is there now, by ``dr_sid``."""
        feed = next(feed for feed in FEEDS if feed.resource == resource)
        found: dict[str, dict] = {}
        after: dict[str, str] = {}
        while items := self.ask(feed.path, limit=1000, order=f"{feed.sort_key} asc", **after)["items"]:
            found |= {item["dr_sid"]: item for item in items}
            after = {"after": items[-1]["dr_sid"]}
        return [found[sid] for sid in sorted(found)]

    def planted(self, fault: str) -> list[str]:
        """The records that carry a fault, by ``dr_sid``."""
        return sorted(record["dr_sid"] for record in self.admin("truth")["planted"][fault])

    def _http(self, method: str, url: str, **more: Any) -> Any:
        """An answer; what is planted to go wrong is asked again."""
        how = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "timeout": 60, "verify": _NO_TLS}
        for _ in range(_TRIES):
            with suppress(httpx.RemoteProtocolError):
                answer = httpx.request(method, url, trust_env=False, **how, **more)
                if answer.status_code < 500:
                    return answer.raise_for_status().json()
        raise AssertionError(f"no answer from {url}")

"""Any sequence of late inserts, new versions, polls and sweeps ends with what the provider holds, each content once.

The provider is a list in memory with the real one's cursors; the model is a dictionary. Records of a provider's clock
come up to a few hours late, versions may be null, go back or stay the same while the content changes, and a record may
move to another day. A part of a day takes three records, so that parts open, are cut, and lose all they have.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.domain.cursor import CALLS, Bookmark, Page
from pipeline.errors import NotFoundError
from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.land import days
from pipeline.land.records import Landed, land_pages
from pipeline.land.walks import Landings
from pipeline.ledger.ledger import Ledger, sqlite_url
from pipeline.ledger.schema import landings
from pipeline.pull import walk
from tests.fixtures.records import call, stamp

START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
OVERLAP, LOOKBACK = timedelta(minutes=15), timedelta(hours=5)
LATEST = timedelta(hours=4)
FULL, PART = 2, 3
Content = tuple[int | None, str, str]
versions = st.one_of(st.none(), st.integers(1, 4))
prices = st.sampled_from(["0.1", "0.2", "0.3"])


class Provider:
    """Records by sid; a page holds three of them."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}

    def get_page(self, path: str, params: dict) -> dict[str, Any]:
        rows = sorted(self.records.values(), key=lambda row: (row["date_stop"], row["dr_sid"]))
        if "filter" in params:
            rows = [row for row in rows if row["date_stop"] >= params["filter"].split(" ge ")[1]]
        else:
            places = [n for n, row in enumerate(rows) if row["dr_sid"] == params["after"]]
            if not places:
                raise NotFoundError("gone")
            rows = rows[places[0] + 1 :]
        return {"items": [dict(row) for row in rows[:3]], "count": len(rows[:3])}


class Landing(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.sizes = days.FULL, days.PART
        days.FULL, days.PART = FULL, PART
        home = Path(self.folder.name)
        self.lake = Lake(home, Ledger.open(sqlite_url(home / "ledger.db")))
        self.provider, self.mark, self.now = Provider(), Bookmark(), START
        self.swept = START - LOOKBACK
        self.model: dict[str, tuple[int, dict[str, Any]]] = {}
        self.contents: dict[str, list[str]] = {}
        self.total = Landed()
        self.waiting = False

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()
            days.FULL, days.PART = self.sizes

    @rule(age=st.integers(0, int(LATEST.total_seconds())), version=versions, price=prices)
    def insert(self, age: int, version: int | None, price: str) -> None:
        """A new record, which ended up to hours ago."""
        end, sid = self.now - timedelta(seconds=age), f"r{len(self.provider.records):03d}"
        dates = {"date_stop": stamp(end), "date_start": stamp(end - timedelta(seconds=5)), "date_talk": None}
        self.provider.records[sid] = call(sid, version=version, price=price, **dates)
        self.waiting = True

    @precondition(lambda self: self.provider.records)
    @rule(pick=st.integers(0, 99), price=prices, later=st.integers(0, 7200))
    def bump(self, pick: int, price: str, later: int) -> None:
        """A record of the last hours gets its next version and may end later, on another day even."""
        sid = sorted(self.provider.records)[pick % len(self.provider.records)]
        row = self.provider.records[sid]
        if row["date_stop"] < stamp(self.now - LATEST):
            return
        end = stamp(min(walk.instant(row["date_stop"]) + timedelta(seconds=later), self.now))
        self.provider.records[sid] = row | {
            "version": (row["version"] or 0) + 1, "price": price, "date_stop": end,
        }  # fmt: skip
        self.waiting = True

    @rule(minutes=st.integers(1, 50))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def poll(self) -> None:
        self._walk(walk.poll(self.provider, CALLS, self.mark, START - LOOKBACK, OVERLAP))

    @rule()
    def sweep(self) -> None:
        """From here on the lake is what the provider holds: nothing changes what is older than the window."""
        self._walk(walk.window(self.provider, CALLS, self.swept - LOOKBACK))
        self.swept, self.waiting = self.now, False

    @precondition(lambda self: self.model)
    @rule(picks=st.lists(st.integers(0, 99), min_size=1, max_size=6), version=versions, price=prices)
    def resend(self, picks: list[int], version: int | None, price: str) -> None:
        """Known records come again in any order, some as they are and some in another version."""
        known = sorted(self.model)
        items = [dict(self.model[known[n % len(known)]][1]) for n in picks]
        items[-1] |= {"version": version, "price": price}
        self._note(items)
        self.total.add(self._land(items))
        self.waiting = True

    def _walk(self, pages: Any) -> None:
        pages = list(pages)
        for walked in pages:
            self._note([dict(item) for item in walked.page.items])
        landing = Landings(self.lake, CALLS, "carrierx", self.now, OVERLAP)
        before = self.mark.newest_value
        self.mark = landing.walk(pages, self.mark, self.total)
        assert before is None or (self.mark.newest_value or before) >= before

    def _land(self, items: list[dict[str, Any]]) -> Landed:
        return land_pages(self.lake, CALLS, [Page(items)], self.mark, source="carrierx", now=self.now)

    def _note(self, items: list[dict[str, Any]]) -> None:
        """The model: the greatest version wins, null lowest; then what came last. One commit takes one batch."""
        arrived: dict[tuple[str, str], dict[str, Any]] = {}
        for item in items:
            key = (item["dr_sid"], self._content(item))
            arrived.pop(key, None)
            arrived[key] = item
        for (sid, content), item in sorted(arrived.items(), key=lambda kv: _rank(kv[1])):
            held = self.model.get(sid)
            known = self.contents.setdefault(sid, [])
            if held is not None and self._content(held[1]) == content:
                continue
            if held is None or _rank(item) >= _rank(held[1]):
                self.model[sid] = (len(known) + 1, item)
                known.append(content)
            elif content not in known:
                known.append(content)

    @staticmethod
    def _content(item: dict[str, Any]) -> str:
        return repr((item["version"], item["price"], item["date_stop"]))

    @invariant()
    def tables_are_the_model(self) -> None:
        if not hasattr(self, "lake"):
            return
        rows = self.lake.scan("land/calls").select("dr_sid", "version", "price", "date_stop").collect().rows()
        found = {sid: (version, str(price.normalize()), stamp(end)) for sid, version, price, end in rows}
        assert len(found) == len(rows)
        wanted = {
            sid: (item["version"], item["price"], item["date_stop"]) for sid, (_, item) in self.model.items()
        }
        assert found == wanted

    @invariant()
    def parts_of_a_day_follow_one_another(self) -> None:
        if not hasattr(self, "lake"):
            return
        for table in ("land/calls", "land/calls_versions"):
            ranges = []
            for file in self.lake.files(table):
                ends = self.lake.scan_files(table, [file]).collect()["date_stop"].to_list()
                assert ends == sorted(ends)
                assert {end.date() for end in ends} == {label_day(file.label)}
                assert len(ends) <= 2 * PART + 1
                ranges.append((ends[0], ends[-1]))
            ranges.sort()
            assert all(before[1] <= after[0] for before, after in pairwise(ranges))

    @invariant()
    def counts_add_up(self) -> None:
        if not hasattr(self, "lake"):
            return
        total = self.total
        assert total.fetched == total.fresh + total.superseding + total.identical + total.quarantined
        assert total.fresh == self.lake.scan("land/calls").collect().height
        assert total.superseding == self.lake.scan("land/calls_versions").collect().height
        with self.lake.ledger.read() as tx:
            assert sum(row.fetched for row in tx.execute(landings.select())) == total.fetched

    @invariant()
    def nothing_is_missing_after_a_sweep(self) -> None:
        if not hasattr(self, "lake") or self.waiting or not self.mark.cursor_sid:
            return
        assert set(self.model) == set(self.provider.records)


def _rank(item: dict[str, Any]) -> int:
    return -1 if item["version"] is None else item["version"]


TestLanding = Landing.TestCase
TestLanding.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)

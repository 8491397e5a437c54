"""Pulling and landing: what a poll, a sweep, a snapshot and a repair are made of."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from pipeline.desk.room import Room
from pipeline.domain.cursor import FEEDS, Bookmark, Feed
from pipeline.errors import SettingsError
from pipeline.lake.layout import label_day

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.lake.care import Fault
    from pipeline.land.rates import PlanLanded
    from pipeline.land.records import Landed
    from pipeline.land.retention import Expired
    from pipeline.land.snapshots import SnapshotLanded
    from pipeline.pull.client import Client

SWEEP_EVERY = timedelta(hours=24)
_NEAR = 0.8
log = logging.getLogger("tollbook.pull")


@dataclass(slots=True)
class Landing(Room):
    """The part of the desk that the provider's records come in through."""

    def pull_feed(self, feed: Feed) -> "Landed":
        """Polls a feed from its bookmark on, and sweeps the lookback when that is due; then other providers' of it."""
        from pipeline.desk.sources import pull_sources
        from pipeline.land.hints import settle
        from pipeline.land.records import Landed
        from pipeline.ledger import bookmarks
        from pipeline.pull import walk

        total = Landed()
        with self.locked(), self.provider() as client:
            mark = held = self.bookmark(feed)
            since = self._since()
            mark = self._land(feed, walk.poll(client, feed, mark, since, self.settings.overlap), mark, total)
            if held.cursor_sid is None:
                # All from ``since`` on has just been read, as it stands now.
                mark = self._swept(mark).with_(oldest_value=since if mark.oldest_sid else None)
            elif self._sweep_due(mark):
                begin = (mark.swept_to or self.now) - self.settings.lookback
                mark = self._swept(self._sweep(client, feed, begin, mark, total))
            mark = self._land(feed, walk.history(client, feed, mark, since), mark, total, backwards=True)
            with self.ledger.transaction() as tx:
                bookmarks.write(tx, self.settings.source, feed.resource, mark, self.now)
            pull_sources(self, feed, since, total)
            total.unseen = settle(self.lake, feed, self.now)
        self._warn(feed, total)
        return total

    def _sweep(
        self, client: "Client", feed: Feed, begin: datetime, mark: Bookmark, total: "Landed"
    ) -> Bookmark:
        """Reads again what was inserted since; by its end where the provider cannot list by insertion."""
        from pipeline.pull import walk

        late = walk.inserted(client, feed, begin) if feed.sort_key != "date_insert" else None
        if late is not None:
            return self._land(feed, late, mark, total, still=True)
        return self._land(feed, walk.window(client, feed, begin), mark, total)

    def _warn(self, feed: Feed, total: "Landed") -> None:
        if total.slowest < self.settings.lookback * _NEAR:
            return
        total.warning = (
            f"{feed.resource}: a record was inserted {total.lag} after it ended, and a sweep re-reads "
            f"{self.settings.lookback}. Raise TOLLBOOK_LOOKBACK_HOURS, or later ones may be missed."
        )
        log.warning(total.warning)
        self.progress(total.warning)

    def pull_snapshot(self, resource: str) -> "SnapshotLanded":
        """Takes one list as it stands: partners, dids, endpoints, countries, provider_invoices."""
        from pipeline.land.snapshots import BY_RESOURCE, land_snapshot
        from pipeline.pull import snapshots

        snapshot = BY_RESOURCE[resource]
        with self.locked(), self.provider() as client:
            items = snapshots.snapshot(client, snapshot.path, snapshot.key)
            return land_snapshot(self.lake, snapshot, items, source=self.settings.source, now=self.now)

    def pull_rates(self) -> "list[PlanLanded]":
        """Takes every rate plan of the account as it stands."""
        from pipeline.land.rates import land_plan
        from pipeline.pull.snapshots import plan, plan_keys

        landed = []
        with self.locked(), self.provider() as client:
            for key in plan_keys():
                self.progress(f"rates: {key.service} {key.direction} {key.family}")
                found = plan(client, key)
                if found is None:
                    continue
                landed.append(
                    land_plan(
                        self.lake,
                        service=found.service,
                        direction=found.direction,
                        family=found.family,
                        effective_date=found.effective_date,
                        rates_plan_sid=found.rates_plan_sid,
                        rates_plan_name=found.rates_plan_name,
                        items=found.items,
                        now=self.now,
                    )
                )
        return landed

    def expire(self) -> "Expired":
        """Deletes usage older than the setting says, where no invoice needs it; nothing where it says nothing."""
        from pipeline.land.retention import Expired, expire

        if self.settings.retain_days is None:
            return Expired()
        with self.locked():
            before = self.now.astimezone(UTC).date() - timedelta(days=self.settings.retain_days)
            expired = expire(self.lake, before, source=self.settings.source, now=self.now)
            if expired.files or expired.quarantined:
                self.progress(f"deleted after {self.settings.retain_days} days: {expired}")
            return expired

    def publish(self) -> None:
        """Shows the last commit to everybody who asks in SQL, without what is too old to be kept."""
        with self.locked():
            self.expire()
            Room.publish(self)

    def bookmark(self, feed: Feed) -> Bookmark:
        """Where a feed stands."""
        from pipeline.ledger import bookmarks

        with self.ledger.read() as tx:
            return bookmarks.read(tx, self.settings.source, feed.resource)

    def verify(self, *, repair: bool = False) -> "list[Fault]":
        """Every live file against its commit; with ``repair``, damaged ones are set aside and made again.

        Landed days are pulled again, what is derived from them is made again by the next run. What nobody can
        make again (claims of issued invoices, superseded versions) is named and left for a backup.
        """
        from pipeline.lake.care import faults, set_aside
        from pipeline.land.repair import forget_days

        found = faults(self.lake)
        if not repair or not found:
            return found
        landed = {f"land/{feed.resource}" for feed in FEEDS}
        with self.locked():
            others = [f for f in found if f.table not in landed and f.can_be_made_again]
            set_aside(self.lake, others, self.now)
            for feed in FEEDS:
                lost = [fault for fault in found if fault.table == f"land/{feed.resource}"]
                if lost:
                    source = self.settings.source
                    before = forget_days(self.lake, feed.resource, lost, source=source, now=self.now)
                    self._pull_days(feed, {label_day(fault.label) for fault in lost}, before)
        return found

    def misshown(self) -> "dict[Path, str]":
        """The names under ``lake/`` that show something else than what is committed, and why.

        Those that are missing or left over are renewed at once, as every run does when it begins.

        Raises:
            BusyError: another run is at it.
        """
        from pipeline.lake.care import misshown

        found = misshown(self.lake)
        if not found:
            return found
        with self.locked():
            still = misshown(self.lake)
        if renewed := len(found) - len(still):
            self.progress(f"names under lake/ that were missing or left over, renewed: {renewed:,}")
        return still

    def show_anew(self) -> None:
        """Makes those names anew, and shows the last commit to everybody who asks in SQL."""
        from pipeline.lake.care import show_anew

        with self.locked():
            show_anew(self.lake, self.now)
            self.publish()

    def _pull_days(self, feed: Feed, days: set[date], before: Bookmark) -> None:
        """Pulls forgotten days again; then, and not before, the sweep is where it was."""
        from pipeline.desk.sources import pull_day
        from pipeline.land.records import Landed
        from pipeline.ledger import bookmarks
        from pipeline.pull import walk

        mark = self.bookmark(feed)
        for begin in (datetime.combine(day, time(), UTC) for day in sorted(days)):
            end = begin + timedelta(days=1)
            with self.provider() as client:
                self._land(feed, walk.window(client, feed, begin, end), mark, Landed(), still=True)
            pull_day(self, feed, begin, end)
        with self.ledger.transaction() as tx:
            swept = mark.with_(swept_to=before.swept_to, swept_at=before.swept_at)
            bookmarks.write(tx, self.settings.source, feed.resource, swept, self.now)

    def _since(self) -> datetime:
        if self.settings.since is not None:
            return self.settings.since
        if self.settings.bill_from is not None:
            # A day earlier: the local date may begin before its UTC day.
            return datetime.combine(self.settings.bill_from, time(), UTC) - timedelta(days=1)
        msg = "where should history start? Set TOLLBOOK_SINCE (or since in tollbook.toml), for example 2026-01-01."
        raise SettingsError(msg)

    def _swept(self, mark: Bookmark) -> Bookmark:
        """Swept up to now; by the provider's clock, which its newest record shows where ours is ahead of it."""
        return mark.with_(swept_to=min(self.now, mark.newest_value or self.now), swept_at=self.now)

    def _sweep_due(self, mark: Bookmark) -> bool:
        return mark.swept_at is None or self.now - mark.swept_at >= SWEEP_EVERY

    def _land(
        self,
        feed: Feed,
        walked: Iterator,
        mark: Bookmark,
        total: "Landed",
        *,
        backwards: bool = False,
        still: bool = False,
    ) -> Bookmark:
        from pipeline.land.walks import Landings

        walks = Landings(
            self.lake,
            feed,
            self.settings.source,
            self.now,
            self.settings.overlap,
            store_private=self.settings.store_private,
            progress=self.progress,
        )
        return walks.walk(walked, mark, total, backwards=backwards, still=still)

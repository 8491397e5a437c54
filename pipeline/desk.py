"""The desk: an open home, and each step of the journey as one call on it.

The command line and Dagster are two ways to press the same buttons, so the buttons are here: a step knows the
settings, the stage it calls and the lock, and nothing about how it is shown or scheduled.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.domain.cursor import FEEDS, Bookmark, Feed
from pipeline.errors import BusyError, HomeError, SettingsError
from pipeline.lake.lake import Lake
from pipeline.lake.layout import label_day
from pipeline.ledger.ledger import Ledger
from pipeline.masters.files import read_masters
from pipeline.masters.model import Masters
from pipeline.settings import Settings, who

if TYPE_CHECKING:
    from pipeline.deliver.outbox import DeliverReport
    from pipeline.invoice.billing import BillingReport
    from pipeline.invoice.issue import Issued, Paid
    from pipeline.lake.care import Fault
    from pipeline.land.rates import PlanLanded
    from pipeline.land.records import Landed
    from pipeline.land.snapshots import SnapshotLanded
    from pipeline.measure.statement import Statement
    from pipeline.pull.client import Client
    from pipeline.rate.audit import AuditReport
    from pipeline.rate.decks import Imported
    from pipeline.rate.explain import Explanation
    from pipeline.rate.gate import GateResult
    from pipeline.rate.report import RateReport
    from pipeline.render.documents import RenderReport

Progress = Callable[[str], None]
PAGES_PER_COMMIT = 20
SWEEP_EVERY = timedelta(hours=24)


def quiet(_text: str) -> None:
    """Progress that nobody watches."""


@dataclass(slots=True)
class Desk:
    """An open home. ``now`` is the one instant that everything in this run is dated by."""

    settings: Settings
    ledger: Ledger
    lake: Lake
    masters: Masters
    now: datetime
    progress: Progress = quiet
    root_sid: str | None = None
    _locks: int = field(default=0, repr=False)

    @classmethod
    def open(cls, settings: Settings, *, now: datetime, progress: Progress = quiet) -> "Desk":
        """Opens the home of these settings.

        Raises:
            HomeError: it cannot be written to.
            MasterError: its master files are wrong.
        """
        _writable(settings)
        ledger = Ledger.open(settings.ledger_url)
        masters = read_masters(settings.masters)
        desk = cls(settings, ledger, Lake(settings.home, ledger), masters, now, progress)
        desk.root_sid = ledger.get("partner_sid")
        return desk

    @contextmanager
    def locked(self) -> Iterator["Desk"]:
        """Holds the home: one run works, another says so and leaves. The kernel frees it when a process dies.

        Raises:
            BusyError: another process holds it.
        """
        if self._locks:
            yield self
            return
        path = self.settings.home / ".lock"
        with path.open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.seek(0)
                msg = f"another run works on {self.settings.home} (process {handle.read().strip() or 'unknown'}). Try again when it is done."
                raise BusyError(msg) from None
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            self._locks += 1
            try:
                self.lake.sweep(self.now)
                yield self
            finally:
                self._locks -= 1

    # pull and land

    @contextmanager
    def provider(self) -> Iterator["Client"]:
        """A client of the provider, checked to be the one that this home belongs to."""
        from pipeline.pull.client import Client
        from pipeline.pull.snapshots import whoami

        if not self.settings.api_token:
            msg = "there is no API token. Set TOLLBOOK_API_TOKEN, or api_token in the home's .env file."
            raise SettingsError(msg)
        with Client(self.settings.api_url, self.settings.api_token, on_retry=self.progress) as client:
            if self.root_sid is None:
                partner = str(whoami(client)["partner_sid"])
                self.ledger.belongs_to(_identity(client.base_url), partner)
                self.root_sid = partner
            else:
                self.ledger.belongs_to(_identity(client.base_url), self.root_sid)
            yield client

    def pull_feed(self, feed: Feed) -> "Landed":
        """Polls a feed from its bookmark on, and sweeps the lookback when that is due."""
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
                mark = mark.with_(swept_to=self.now, oldest_value=since if mark.oldest_sid else None)
            elif self._sweep_due(mark):
                begin = (mark.swept_to or self.now) - self.settings.lookback
                mark = self._land(feed, walk.window(client, feed, begin), mark, total).with_(
                    swept_to=self.now
                )
            mark = self._land(feed, walk.history(client, feed, mark, since), mark, total, backwards=True)
            with self.ledger.transaction() as tx:
                bookmarks.write(tx, self.settings.source, feed.resource, mark, self.now)
        return total

    def pull_snapshot(self, resource: str) -> "SnapshotLanded":
        """Takes one list as it stands: partners, dids, endpoints, countries, provider_invoices."""
        from pipeline.land.snapshots import BY_RESOURCE, land_snapshot
        from pipeline.pull.snapshots import listing

        snapshot = BY_RESOURCE[resource]
        with self.locked(), self.provider() as client:
            items = listing(client, snapshot.path, snapshot.key)
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

    def bookmark(self, feed: Feed) -> Bookmark:
        """Where a feed stands."""
        from pipeline.ledger import bookmarks

        with self.ledger.read() as tx:
            return bookmarks.read(tx, self.settings.source, feed.resource)

    # rate to deliver

    def rate(self, days: list[date] | None = None) -> "RateReport":
        """Rates the days whose records, plans or assignments changed; all landed days where none are named."""
        from pipeline.rate.engine import rate_days
        from pipeline.rate.plans import build_plans

        with self.locked():
            build_plans(self.lake, self.ledger, self.masters, now=self.now)
            return rate_days(
                self.lake,
                self.ledger,
                self.masters,
                root_sid=self.root(),
                days=days,
                now=self.now,
                progress=lambda done, total: self.progress(f"rated {done:,} of {total:,} records"),
            )

    def due_days(self) -> dict[date, str]:
        """The landed days whose rating is out of date, each with a fingerprint of what it would be made from."""
        from pipeline.rate.due import due_days
        from pipeline.rate.plans import build_plans

        with self.locked():
            build_plans(self.lake, self.ledger, self.masters, now=self.now)
            return due_days(self.lake, self.masters, root_sid=self.root())

    def invoice(self) -> "BillingReport":
        """Drafts what is due, issues what needs no approval.

        Raises:
            GateError: something does not add up that belongs to nobody, or a plan's unit is contradicted.
        """
        from pipeline.invoice.billing import bill

        with self.locked():
            return bill(
                self.lake,
                self.ledger,
                self.masters,
                root_sid=self.root(),
                as_of=self.now,
                bill_from=self._bill_from(),
                lookback=self.settings.lookback,
                now=self.now,
                unit_gate=self.unit_gate,
                progress=self.progress,
            )

    def render(self, *, pdf: bool = True) -> "RenderReport":
        """Makes the documents that are missing."""
        from pipeline.render.documents import render_invoices

        templates = self.settings.home / "templates"
        with self.locked():
            return render_invoices(
                self.lake,
                self.ledger,
                now=self.now,
                masters=self.settings.masters,
                templates=templates if templates.is_dir() else None,
                pdf=pdf,
                progress=self.progress,
            )

    def deliver(self, resend: tuple[str, ...] = ()) -> "DeliverReport":
        """Sends what is issued and not yet sent."""
        from pipeline.deliver.outbox import deliver

        with self.locked():
            return deliver(
                self.lake,
                self.ledger,
                smtp_url=self.settings.smtp_url or None,
                from_email=self.settings.from_email,
                now=self.now,
                resend=resend,
                progress=self.progress,
            )

    def statement(self) -> "Statement":
        """The statement that adds up."""
        from pipeline.measure.statement import make_statement

        return make_statement(self.lake, self.ledger)

    def import_decks(self) -> "list[Imported]":
        """Imports the decks that ``masters/decks/decks.toml`` lists; one that is there already changes nothing."""
        from pipeline.masters.decks import read_decks
        from pipeline.rate.decks import import_decks

        with self.locked():
            return import_decks(
                self.lake, self.ledger, read_decks(self.settings.masters / "decks"), now=self.now
            )

    def approve(self, which: str, *, by: str | None = None) -> "tuple[Issued, ...]":
        """Issues a draft that waits for approval, or ``all`` of them; the person goes on record."""
        from pipeline.invoice.issue import approve

        with self.locked():
            return approve(self.lake, self.ledger, which, by=by or who(), now=self.now)

    def pay(self, which: str, amount: Decimal, *, note: str = "", by: str | None = None) -> "Paid":
        """Records a payment on an invoice or a customer's account."""
        from pipeline.invoice.issue import pay

        with self.locked():
            return pay(self.lake, self.ledger, which, amount, note=note, by=by or who(), now=self.now)

    def unit_gate(self) -> "GateResult":
        """Whether the provider's own charges contradict the unit that its plans are read with."""
        from pipeline.rate.gate import check_units

        return check_units(self.lake, self.masters.policy.gate_accepted)

    def explain(self, sid: str) -> "Explanation":
        """The chain of reasons behind a record, an invoice line or an invoice."""
        from pipeline.rate.explain import explain_record

        return explain_record(self.lake, self.masters, sid, root_sid=self.root())

    def partners_without_customer(self) -> list[dict[str, str | None]]:
        """Partners with charges that nobody pays."""
        query = """
            with orphans as (
                select distinct partner_sid from rate.unrated where unrated_reason in ('no_customer', 'unknown_partner')
            )
            select o.partner_sid, p.company_name, p.name, p.country_code, p.state, p.city, p.zip
            from orphans as o left join land.partners as p using (partner_sid) order by o.partner_sid
        """
        return self.lake.query(query)

    def audit(self) -> "AuditReport":
        """The provider's charges against our own rating of its plans."""
        from pipeline.rate.audit import audit

        return audit(self.lake)

    def parked(self) -> list[dict[str, str]]:
        """The customers that are set aside, and why."""
        from pipeline.ledger.parking import parked_reasons

        with self.ledger.read() as tx:
            rows = parked_reasons(tx)
        names = {sid: customer.name for sid, customer in self.masters.customers.items()}
        return [{"partner_sid": sid, "name": names.get(sid, sid), "reason": reason} for sid, reason in rows]

    def publish(self) -> None:
        """Shows the last commit to everybody who asks in SQL."""
        with self.locked():
            self.lake.publish(self.now)

    def verify(self, *, repair: bool = False) -> "list[Fault]":
        """Every live file against its commit; with ``repair``, damaged ones are set aside and made again.

        Landed days are pulled again, what is derived from them is made again by the next run. What nobody can
        make again (claims of issued invoices, superseded versions) is named and left for a backup.
        """
        from pipeline.lake.care import faults, set_aside
        from pipeline.land.repair import forget_day

        found = faults(self.lake)
        if not repair or not found:
            return found
        feeds = {f"land/{feed.resource}": feed for feed in FEEDS}
        with self.locked():
            for fault in found:
                if fault.table in feeds:
                    forget_day(self.lake, fault, source=self.settings.source, now=self.now)
                    self._pull_day(feeds[fault.table], label_day(fault.label))
                elif fault.can_be_made_again:
                    set_aside(self.lake, [fault], self.now)
        return found

    def _pull_day(self, feed: Feed, day: date) -> None:
        from pipeline.land.records import Landed
        from pipeline.pull import walk

        begin = datetime.combine(day, time(), UTC)
        end = begin + timedelta(days=1)
        with self.provider() as client:
            mark = self.bookmark(feed)
            self._land(feed, walk.window(client, feed, begin, end), mark, Landed(), still=True)

    # what the steps need to know

    def landed_days(self) -> list[date]:
        """Every UTC day that has landed records."""
        labels = {f.label for feed in FEEDS for f in self.lake.files(f"land/{feed.resource}")}
        return sorted(label_day(label) for label in labels)

    def root(self) -> str:
        """Our own partner_sid.

        Raises:
            HomeError: nothing has been pulled yet.
        """
        if self.root_sid is None:
            msg = "this home has not pulled anything yet. Run `tollbook pull` (or `tollbook run`) first."
            raise HomeError(msg)
        return self.root_sid

    def _since(self) -> datetime:
        if self.settings.since is not None:
            return self.settings.since
        if self.settings.bill_from is not None:
            # A day earlier: the local date may begin before its UTC day.
            return datetime.combine(self.settings.bill_from, time(), UTC) - timedelta(days=1)
        msg = "where should history start? Set TOLLBOOK_SINCE (or since in tollbook.toml), for example 2026-01-01."
        raise SettingsError(msg)

    def _bill_from(self) -> date:
        if self.settings.bill_from is None:
            msg = (
                "from which day on may usage be invoiced? Set TOLLBOOK_BILL_FROM (or bill_from in tollbook.toml): "
                "going live must not bill the past."
            )
            raise SettingsError(msg)
        return self.settings.bill_from

    def _sweep_due(self, mark: Bookmark) -> bool:
        return mark.swept_to is None or self.now - mark.swept_to >= SWEEP_EVERY

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
        from pipeline.land.walks import land_walk

        return land_walk(
            self.lake,
            feed,
            walked,
            mark,
            total,
            source=self.settings.source,
            now=self.now,
            overlap=self.settings.overlap,
            pages_per_commit=PAGES_PER_COMMIT,
            backwards=backwards,
            still=still,
            progress=self.progress,
        )


def _identity(base_url: str) -> str:
    """The provider's URL as the ledger knows it; a server on this machine is known without its port."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.scheme == "http" else base_url


def _writable(settings: Settings) -> None:
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        msg = f"the home {home} cannot be written to ({error.strerror}). Give this user write permission, or choose another with TOLLBOOK_HOME."
        raise HomeError(msg) from None

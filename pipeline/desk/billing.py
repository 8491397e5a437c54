"""From rates to e-mails: what a day, a month and a person at the desk set going."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.desk.landing import Landing
from pipeline.errors import SettingsError
from pipeline.settings import who

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.deliver.outbox import DeliverReport
    from pipeline.deliver.preview import PreviewReport
    from pipeline.invoice.banklist import BankLayout
    from pipeline.invoice.billing import BillingReport
    from pipeline.invoice.disputes import Dispute
    from pipeline.invoice.dunning import Overdue
    from pipeline.invoice.issue import Issued
    from pipeline.invoice.payments import BankReport, Paid
    from pipeline.rate.deck.store import Imported
    from pipeline.rate.gate import GateResult
    from pipeline.rate.report import RateReport
    from pipeline.render.documents import RenderReport


@dataclass(slots=True)
class Billing(Landing):
    """The part of the desk that makes money of records."""

    def import_decks(self) -> "list[Imported]":
        """Imports the decks that ``masters/decks/decks.toml`` lists; one that is there already changes nothing."""
        from pipeline.masters.decks import read_decks
        from pipeline.rate.deck.store import import_decks

        with self.locked():
            return import_decks(
                self.lake, self.ledger, read_decks(self.settings.masters / "decks"), now=self.now
            )

    def rate(self, days: list[date] | None = None) -> "RateReport":
        """Rates the days whose records, plans or assignments changed; all landed days where none are named."""
        from pipeline.rate.engine import rate_days

        with self.locked():
            self._build_plans()
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

        with self.locked():
            self._build_plans()
            return due_days(self.lake, self.masters, root_sid=self.root())

    def _build_plans(self) -> None:
        """Brings the provider's plans, and those that follow them, up to what has landed and to the masters."""
        from pipeline.rate.markup import build_markups
        from pipeline.rate.plans import build_plans

        build_plans(self.lake, self.ledger, self.masters, now=self.now)
        build_markups(self.lake, self.ledger, self.masters.markups, now=self.now)

    def unit_gate(self) -> "GateResult":
        """Whether the provider's own charges contradict the unit that its plans are read with."""
        from pipeline.rate.gate import check_units

        return check_units(self.lake, self.masters.policy.gate_accepted)

    def tax_gaps(self) -> tuple[str, ...]:
        """What the tax tables do not say of the periods that are due, in sentences; their invoices would wait."""
        from pipeline.domain.period import last_day
        from pipeline.invoice.due import accounts, calendars, in_order
        from pipeline.masters.taxes import tax_gaps

        if self.settings.tax_engine:
            return ()
        held = accounts(self.masters, self.root())
        first, lookback = self._bill_from(), self.settings.lookback
        with self.ledger.read() as tx:
            found = calendars(tx, held, bill_from=first, as_of=self.now, lookback=lookback)
        due = ((d.account.customer, d.period) for d in in_order(found))
        return tax_gaps(self.masters, ((c, last_day(period, c.time_zone)) for c, period in due))

    def invoice(self) -> "BillingReport":
        """Drafts what is due, issues what needs no approval.

        Raises:
            GateError: something does not add up that belongs to nobody, or a plan's unit is contradicted.
        """
        from pipeline.invoice.billing import bill
        from pipeline.invoice.taxer import taxer_of

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
                taxer=taxer_of(self.masters, self.settings.tax_engine),
                progress=self.progress,
            )

    def approve(self, which: str, *, by: str | None = None) -> "tuple[Issued, ...]":
        """Issues a draft that waits for approval, or ``all`` of them; the person goes on record."""
        from pipeline.invoice.issue import approve

        with self.locked():
            return approve(self.lake, self.ledger, which, by=by or who(), now=self.now)

    def drop(self, which: str, *, by: str | None = None, reason: str = "") -> None:
        """Takes a draft back; its records are free to be billed again."""
        from pipeline.invoice.issue import drop

        with self.locked():
            drop(self.lake, self.ledger, which, by=by or who(), now=self.now, reason=reason)

    def credit(
        self,
        which: str,
        lines: "Mapping[int, Decimal | None] | None" = None,
        *,
        reason: str,
        rebill: bool = False,
        by: str | None = None,
    ) -> "Issued":
        """Issues a credit note on an invoice: all that remains of it, or the lines and amounts that are named."""
        from pipeline.invoice.credit import credit

        with self.locked():
            return credit(
                self.lake,
                self.ledger,
                which,
                lines,
                by=by or who(),
                reason=reason,
                now=self.now,
                rebill=rebill,
            )

    def discounts_left(self, credit_sid: str) -> "list[tuple[str, int, str, Decimal]]":
        """Percentages off what a credit note gives back that stay: number, line, its text, and their part of it."""
        from pipeline.invoice.credit import discounts_left

        return discounts_left(self.lake, self.ledger, credit_sid)

    def billed_again(self, partner_sid: str) -> "tuple[date, date, datetime] | None":
        """When a customer's invoice takes what was given back: the first and last day of its period, and from when on
        it is made; None where nobody is billed by that name."""
        from pipeline.domain.period import last_day, local_day
        from pipeline.invoice.due import accounts, calendars

        held = [a for a in accounts(self.masters, self.root()) if a.customer.partner_sid == partner_sid]
        first, lookback = self._bill_from(), self.settings.lookback
        with self.ledger.read() as tx:
            found = calendars(tx, held, bill_from=first, as_of=self.now, lookback=lookback)
        for calendar in found:
            period, zone = calendar.upcoming, calendar.account.customer.time_zone
            return local_day(period.start, zone), last_day(period, zone), period.end + lookback
        return None

    def pay(
        self, which: str, amount: Decimal, *, kind: str = "payment", note: str = "", by: str | None = None
    ) -> "Paid":
        """Records money on an invoice or a customer's account: a payment, refund, charge-back or write-off."""
        from pipeline.invoice.payments import pay

        with self.locked():
            return pay(
                self.lake, self.ledger, which, amount, note=note, by=by or who(), now=self.now, kind=kind
            )

    def dispute(
        self,
        which: str,
        lines: "Mapping[int, Decimal | None] | None" = None,
        *,
        reason: str,
        by: str | None = None,
    ) -> "Dispute":
        """Takes down what a customer contests of an invoice."""
        from pipeline.invoice.disputes import open_dispute

        with self.locked():
            return open_dispute(
                self.lake, self.ledger, which, lines, by=by or who(), reason=reason, now=self.now
            )

    def settle_dispute(
        self, dispute_sid: str, *, credited: bool, reason: str, by: str | None = None
    ) -> "Issued | None":
        """Decides a dispute: by a credit note, which is returned, or by rejecting it."""
        from pipeline.invoice.disputes import settle_dispute

        with self.locked():
            return settle_dispute(
                self.lake,
                self.ledger,
                dispute_sid,
                by=by or who(),
                reason=reason,
                now=self.now,
                credited=credited,
            )

    def read_bank(
        self, path: Path, *, layout: "BankLayout | None" = None, by: str | None = None
    ) -> "BankReport":
        """Books the payments of a bank's CSV, each row once; ``layout`` says how it is written."""
        from pipeline.invoice.payments import read_bank

        with self.locked():
            return read_bank(self.lake, self.ledger, path, by=by or who(), now=self.now, layout=layout)

    def render(self, *, pdf: bool = True) -> "RenderReport":
        """Makes the documents that are missing."""
        from pipeline.invoice.export import export
        from pipeline.render.documents import render_invoices

        with self.locked():
            report = render_invoices(
                self.lake,
                self.ledger,
                now=self.now,
                masters=self.settings.masters,
                templates=self._templates(),
                detail_rows=self.settings.detail_rows,
                attached_bytes=self.settings.attached_bytes,
                mask=self.settings.mask_invoices,
                pdf=pdf,
                progress=self.progress,
            )
            # The hashes of what was issued are new in the ledger.
            export(self.lake, self.ledger, at=self.now)
            return report

    def deliver(
        self,
        resend: tuple[str, ...] = (),
        *,
        to: tuple[str, ...] = (),
        by: str | None = None,
        bounces: Path | None = None,
    ) -> "DeliverReport":
        """Sends what is issued and not yet sent. ``resend`` sends these again, ``to`` these addresses if given;
        ``bounces`` is a folder of delivery reports to be read first, by default the one that the settings name."""
        from pipeline.deliver.outbox import deliver

        with self.locked():
            return deliver(
                self.lake,
                self.ledger,
                smtp_url=self.settings.smtp_url or None,
                from_email=self.settings.from_email,
                now=self.now,
                resend=resend,
                to=to,
                by=by or who(),
                bounces=bounces or self.settings.bounces,
                progress=self.progress,
            )

    def preview_mails(self, folder: Path) -> "PreviewReport":
        """Writes what ``deliver`` would send into a folder, to be looked at; nothing is sent or marked."""
        from pipeline.deliver.preview import preview

        settings = self.settings
        return preview(settings.home, self.ledger, folder, from_email=settings.from_email, now=self.now)

    def allow(self, code: str, *, reason: str, by: str | None = None) -> str:
        """Lets an invoice through that waits because it is beyond the bounds; the partner_sid whose it is."""
        from pipeline.invoice.bounds import allow

        with self.locked():
            return allow(self.ledger, code, by=by or who(), reason=reason, now=self.now)

    def remind(self, *, dry_run: bool = False) -> "tuple[Overdue, ...]":
        """Puts the reminders that are due into the outbox, or only names them; ``deliver`` sends them."""
        from pipeline.deliver.reminders import Worded, queue
        from pipeline.invoice.dunning import due_reminders
        from pipeline.render.reminder import render_reminder

        with self.locked():
            due = due_reminders(self.lake, self.ledger, self.masters.policy.reminders, now=self.now)
            if dry_run:
                return due
            words = [
                Worded(
                    d.invoice,
                    d.level.level,
                    render_reminder(
                        d.invoice,
                        subject=d.level.subject,
                        text=d.level.text,
                        amount=d.amount,
                        days_overdue=d.days_overdue,
                        templates=self._templates(),
                    ),
                )
                for d in due
            ]
            queue(self.settings.home, self.ledger, words, from_email=self.settings.from_email, now=self.now)
            return due

    def _templates(self) -> Path | None:
        """The home's own templates, where it has any."""
        folder = self.settings.home / "templates"
        return folder if folder.is_dir() else None

    def _bill_from(self) -> date:
        if self.settings.bill_from is None:
            msg = (
                "from which day on may usage be invoiced? Set TOLLBOOK_BILL_FROM (or bill_from in tollbook.toml): "
                "going live must not bill the past."
            )
            raise SettingsError(msg)
        return self.settings.bill_from

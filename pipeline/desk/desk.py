"""The whole desk: what comes in, what goes out, and answers about both."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.desk.billing import Billing
from pipeline.errors import BusyError, DeliveryError, SettingsError
from pipeline.settings import who

if TYPE_CHECKING:
    from pipeline.desk.dimensions import DimensionLanded, LookupReport
    from pipeline.invoice.adjustments import Adjustment
    from pipeline.invoice.differences import Posted
    from pipeline.invoice.explain import InvoiceExplained, LineExplained, TaxExplained
    from pipeline.measure.access import AccessRule, Outcome
    from pipeline.measure.alarms import Alarm
    from pipeline.measure.rollups import RollupReport
    from pipeline.measure.signals import SignalReport
    from pipeline.measure.statement import Statement
    from pipeline.pull.lookup import Detail
    from pipeline.rate.audit import AuditReport
    from pipeline.rate.candidate import Candidate
    from pipeline.rate.explain import Explanation
    from pipeline.rate.whatif import Question, WhatIf
    from pipeline.render.report import ReportWritten


@dataclass(slots=True)
class Desk(Billing):
    """An open home with every button there is."""

    def pull_dimensions(self) -> "list[DimensionLanded]":
        """Takes what surrounds the records: trunks, access rules, the Mediator's bindings and so on."""
        from pipeline.desk.dimensions import pull_dimensions

        return pull_dimensions(self)

    def pull_dimension(self, resource: str) -> "DimensionLanded":
        """Takes one of them; a missing scope is an error here, for what stands alone."""
        from pipeline.desk.dimensions import pull_dimension

        return pull_dimension(self, resource)

    def look_up(
        self,
        numbers: Sequence[str],
        *,
        details: "tuple[Detail, ...]",
        most: int,
        since: datetime | None,
        customer: str | None = None,
    ) -> "LookupReport":
        """Looks numbers up, in the lake first; what is not there costs money."""
        from pipeline.desk.dimensions import look_up_numbers

        return look_up_numbers(self, numbers, details=details, most=most, since=since, customer=customer)

    def roll_up(self, tables: Collection[str] | None = None) -> "RollupReport":
        """Brings the roll-ups, which every measure adds up, up to what has landed and is rated; None: all of them."""
        from pipeline.measure.rollups import roll_up

        with self.locked():
            return roll_up(self.lake, self.ledger, now=self.now, progress=self.progress, tables=tables)

    def find_signals(self) -> "SignalReport":
        """Looks for signals of fraud in the days of which anything has changed."""
        from pipeline.measure.signals import find_signals

        with self.locked():
            return find_signals(self.lake, self.ledger, self.masters, now=self.now, progress=self.progress)

    def untold_signals(self) -> "list[Alarm]":
        """The signals that somebody is to be told of and has not been."""
        from pipeline.measure.alarms import untold

        return untold(self.lake, self.ledger, self.masters.policy.signals)

    def signals_told(self, alarms: "Sequence[Alarm]", how: Sequence[str]) -> None:
        """Takes down that somebody has been told of them."""
        from pipeline.measure.alarms import mark_told

        mark_told(self.ledger, alarms, how=how, at=self.now)

    def try_rules(
        self, rules: "Sequence[AccessRule]", *, since: datetime, until: datetime
    ) -> "list[Outcome]":
        """What access rules would have rejected of past calls; nothing is changed."""
        from pipeline.measure.access import try_rules

        return try_rules(self.lake, rules, since=since, until=until)

    def statement(self) -> "Statement":
        """The statement that adds up; from roll-ups, unless another run is at work."""
        from pipeline.measure.statement import make_statement

        with suppress(BusyError), self.locked():
            self._sum_up()
            return make_statement(self.lake, self.ledger, rolled_up=True)
        return make_statement(self.lake, self.ledger)

    def _sum_up(self) -> None:
        """Brings all that the statement is made of up to what is rated and invoiced."""
        from pipeline.measure.marks import mark

        self.roll_up()
        mark(self.lake, self.ledger, now=self.now)

    def report(
        self, month: str | None = None, *, customer: str | None = None, target: Path | None = None
    ) -> "ReportWritten":
        """Writes the dashboard of a month (like 2026-03; default: the newest that has begun), or a customer's page.

        Its figures are as new as the tables, unless another run is at work: then as new as the last roll-up.

        Raises:
            SettingsError: there is no such month or customer, or no traffic yet.
        """
        from pipeline.measure.exchange import export_exchange_rates
        from pipeline.measure.marks import shorten
        from pipeline.measure.statement import landing_rows
        from pipeline.render.report import latest_month, write_report
        from pipeline.render.reportdata import Month

        summed_up = False
        with suppress(BusyError), self.locked():
            self._sum_up()
            summed_up = True
            export_exchange_rates(self.lake, self.ledger, self.masters.exchange_rates, at=self.now)
        templates = self.settings.home / "templates"
        return write_report(
            self.lake,
            Month.of(month) if month else latest_month(self.landed_days()),
            landings=landing_rows(self.ledger),
            shorten=partial(shorten, self.lake) if summed_up else None,
            customer=customer,
            target=target,
            now=self.now,
            templates=templates if templates.is_dir() else None,
        )

    def account(self, which: str, target: Path | None = None) -> Path:
        """Writes a customer's statement of account, as HTML or, where ``target`` ends so, as PDF; where it is.

        Raises:
            SettingsError: there is no such customer.
        """
        from pipeline.render.account import customer_of, read_statement, write_statement

        customer = customer_of(self.masters, which)
        statement = read_statement(self.lake, self.masters, customer, self.settings.masters, self.now)
        path = target or self.settings.home / "reports" / f"account-{customer.partner_sid}.html"
        return write_statement(statement, path, self._templates())

    def audit(self, *, listed: int = 100) -> "AuditReport":
        """The provider's charges against our own rating of its plans; ``listed`` differing records come along."""
        from pipeline.rate.audit import audit

        return audit(self.lake, listed=listed)

    def write_differences(self, path: Path) -> int:
        """Writes every record that the provider charged otherwise than its plan says; how many there are."""
        from pipeline.rate.audit import write_differences

        return write_differences(self.lake, path)

    def what_if(self, candidate: "Candidate", question: "Question") -> "WhatIf":
        """History under a candidate plan, compared with what stands; nothing else changes.

        Raises:
            SettingsError: the question is none, or the days it asks about are not rated as things stand.
        """
        from pipeline.rate.whatif import what_if

        stale = [day for day in self.due_days() if question.start.date() <= day <= question.end.date()]
        if stale:
            msg = (
                f"{len(stale)} of the days in question are not rated as things stand (first {stale[0]}): the "
                "difference would not be the candidate's alone. Run `tollbook rate` first."
            )
            raise SettingsError(msg)
        with self.locked():
            return what_if(
                self.lake,
                self.masters,
                candidate,
                question,
                root_sid=self.root(),
                progress=self.progress,
                bill_from=self.settings.bill_from,
            )

    def post_what_if(self, answer: "WhatIf", *, by: str | None = None) -> "Posted":
        """Posts what an answer would have charged otherwise as adjustments, for the next invoices to take."""
        from pipeline.invoice.differences import post_differences
        from pipeline.invoice.due import accounts, calendars

        moved = f"for {answer.question.payer}" if answer.question.payer else f"for {answer.question.replaces}"
        first, lookback = self._bill_from(), self.settings.lookback
        with self.locked():
            with self.ledger.read() as tx:
                held = accounts(self.masters, self.root())
                found = calendars(tx, held, bill_from=first, as_of=self.now, lookback=lookback)
            return post_differences(
                self.lake,
                self.ledger,
                self.masters,
                found,
                answer.folder,
                reason=f"{answer.candidate} {moved}",
                by=by or who(),
                now=self.now,
            )

    def mail_provider_invoice(self, which: str, to: Sequence[str], *, by: str | None = None) -> str:
        """Has the provider e-mail an invoice of its own (by display_id or sid) to these addresses; its sid.

        Raises:
            DeliveryError: there is no such invoice, or an address is none; nothing was asked.
        """
        from pipeline.deliver.message import is_address
        from pipeline.invoice.issue import on_record
        from pipeline.pull.invoicemail import ask_for_mail

        named = "invoice_sid = $which or display_id = $which"
        found = self.lake.query(
            f"select distinct invoice_sid from land.provider_invoices where {named}", {"which": which}
        )
        if len(found) != 1:
            why = "no" if not found else "more than one"
            msg = f"there is {why} invoice {which!r} in land.provider_invoices. Name one by its invoice_sid."
            raise DeliveryError(msg)
        if not to or not all(map(is_address, to)):
            msg = f"to whom? Name plain e-mail addresses (like a@example.com) with --to, not {', '.join(to) or 'none'}."
            raise DeliveryError(msg)
        sid = str(found[0]["invoice_sid"])
        with self.locked(), self.provider() as client:
            with self.ledger.transaction() as tx:
                on_record(tx, by or who(), "provider_mail", sid, f"to {', '.join(to)}", self.now)
            ask_for_mail(client, sid, to)
        return sid

    def adjust(
        self, which: str, amount: Decimal, *, reason: str, taxed_as: str = "", by: str | None = None
    ) -> "Adjustment":
        """Adds an amount to a customer's next invoice; negative gives back."""
        from pipeline.invoice.adjustments import adjust
        from pipeline.invoice.due import accounts

        with self.locked():
            return adjust(
                self.lake,
                self.ledger,
                accounts(self.masters, self.root()),
                which,
                amount,
                reason=reason,
                taxed_as=taxed_as,
                by=by or who(),
                now=self.now,
            )

    def explain_invoice(self, which: str) -> "InvoiceExplained | None":
        """What an invoice or credit note is made of, by number or sid; None where there is none."""
        from pipeline.invoice.explain import explain_invoice

        return explain_invoice(self.ledger, self.masters, which)

    def explain_part(self, which: str, part: str) -> "LineExplained | TaxExplained | None":
        """The chain of reasons behind a line of an invoice, by number, or a tax, by rule."""
        from pipeline.invoice.explain import explain_part

        return explain_part(self.lake, self.ledger, self.masters, which, part)

    def explain(self, sid: str) -> "Explanation":
        """The chain of reasons behind a record."""
        from pipeline.rate.explain import explain_record

        first = self.settings.bill_from
        return explain_record(self.lake, self.masters, sid, root_sid=self.root(), bill_from=first)

    def parked(self) -> list[dict[str, str]]:
        """The customers that are set aside, and why."""
        from pipeline.ledger.parking import parked_reasons

        with self.ledger.read() as tx:
            rows = parked_reasons(tx)
        names = self.masters.names
        return [{"partner_sid": sid, "name": names.get(sid, sid), "reason": reason} for sid, reason in rows]

    def partners_without_customer(self) -> list[dict[str, str | None]]:
        """Partners whose usage nobody would pay: neither they nor anybody above them is a customer."""
        from pipeline.domain.parties import parties_of

        found = self.lake.query(
            "select partner_sid, parent_sid, company_name, name, country_code, state, city, zip "
            "from land.partners order by partner_sid"
        )
        parents = {row["partner_sid"]: row["parent_sid"] for row in found}
        resells = {sid: customer.resells for sid, customer in self.masters.customers.items()}
        root = self.root()
        orphans = {
            sid
            for sid in parents
            if any(p.verdict == "no_customer" for p in parties_of(sid, parents, resells, root))
        }
        return [row for row in found if row["partner_sid"] in orphans]

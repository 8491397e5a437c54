"""The invoice run: everything that is due, for everybody who may be invoiced, each invoice in one transaction.

A run can be repeated, interrupted and repeated again: an invoice, its claims, its number and its entries are committed
together or not at all, and what is on record is not due any more. A customer whose figures do not add up is parked
with the reason, and is free again with the first run that finds nothing wrong. A period with nothing to bill makes no
invoice; an opening balance is booked at once and shows on the first invoice that there is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.period import Period
from pipeline.domain.tax import Taxer, Unplaced
from pipeline.errors import GateError
from pipeline.invoice.adjustments import claim, pending
from pipeline.invoice.allowances import stage_draws
from pipeline.invoice.books import book_opening
from pipeline.invoice.bounds import beyond
from pipeline.invoice.claims import Taken, register_due, stage_claims, take
from pipeline.invoice.draft import Draft, Surroundings, draft
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Account, Calendar, Due, accounts, calendars, in_order, invoiced_to
from pipeline.invoice.export import export
from pipeline.invoice.gate import (
    Standing,
    Tree,
    Verdict,
    judge,
    standings,
    stop_for_nobody,
    uncovered,
)
from pipeline.invoice.issue import issue
from pipeline.invoice.parts import TABLE as PARTS
from pipeline.invoice.parts import remembered, stage_parts
from pipeline.invoice.recipients import country_names, partners
from pipeline.invoice.record import Parked, insert_draft, invoice_row, park
from pipeline.invoice.rent import PROVIDER_CURRENCY, Holding, by_payer, holdings, unpriced
from pipeline.invoice.suspense import export_rulings
from pipeline.invoice.taxer import taxer_of
from pipeline.invoice.uses import SOURCES, uses_of
from pipeline.lake.lake import Lake, Staged
from pipeline.ledger.ledger import Ledger
from pipeline.masters.model import Masters

Progress = Callable[[str], None]
AUTOMATIC = "automatic"
_READ = (
    *("land/calls", "land/messages", "land/partners", "land/dids", "land/countries"),
    *("rate/calls", "rate/messages", "rate/plans", "invoice/claims", "invoice/draws", PARTS, *SOURCES),
)


@dataclass(frozen=True, slots=True)
class Billed:
    """An invoice that this run made; ``number`` is None while it waits for approval."""

    invoice_sid: str
    number: str | None
    partner_sid: str
    name: str
    period: Period
    amount: Decimal
    amount_tax: Decimal
    amount_due: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class BillingReport:
    """What a run did: invoices in order, who is parked, how many due periods had nothing to bill, and warnings."""

    invoices: tuple[Billed, ...] = ()
    parked: tuple[Parked, ...] = ()
    empty: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def issued(self) -> tuple[Billed, ...]:
        return tuple(b for b in self.invoices if b.number)

    @property
    def drafted(self) -> tuple[Billed, ...]:
        return tuple(b for b in self.invoices if not b.number)


def bill(
    lake: Lake,
    ledger: Ledger,
    masters: Masters,
    *,
    root_sid: str,
    as_of: datetime,
    bill_from: date,
    lookback: timedelta,
    now: datetime,
    unit_gate: Callable[[], Any] | None = None,
    taxer: Taxer | None = None,
    progress: Progress | None = None,
) -> BillingReport:
    """Invoices every period that is due at ``as_of``: issued where the customer is automatic, else for review.

    ``unit_gate`` is asked once, before anything is drafted: it returns None or an object whose ``ok`` says whether
    the plans' units stand, and whose ``message`` says why not. ``taxer`` is an outside tax engine in the place of the
    master files' rules.

    Raises:
        GateError: a plan's unit is contradicted, or something does not add up that belongs to no customer.
    """
    held = accounts(masters, root_sid)
    with ledger.read() as tx:
        found = calendars(tx, held, bill_from=bill_from, as_of=as_of, lookback=lookback)
    taxed_by = taxer or taxer_of(masters)
    run = _Run(lake, ledger, masters, taxed_by, root_sid, held, found, now, progress or (lambda _: None))
    due = in_order(found)
    if due:
        _ask(unit_gate)
        with ledger.transaction() as tx:
            warnings = book_opening(tx, held, now)
        report = run.bill(due)
    else:
        report, warnings = BillingReport(), []
    with ledger.transaction() as tx:
        park(tx, report.parked, now)
    export(lake, ledger, at=now, accounts=[_account_row(c, report.parked) for c in found])
    return BillingReport(report.invoices, report.parked, report.empty, tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Run:
    """One run over what is due."""

    lake: Lake
    ledger: Ledger
    masters: Masters
    taxer: Taxer
    root_sid: str
    held: list[Account]
    calendars: list[Calendar]
    now: datetime
    progress: Progress

    def bill(self, due: Sequence[Due]) -> BillingReport:
        export_rulings(self.lake, self.ledger, self.masters.policy.accepted_unrated, at=self.now)
        for table in _READ:
            for file in self.lake.files(table):
                self.lake.verify(file)
        with self.lake.duck() as con:
            register_due(con, self.calendars)
            known = partners(con)
            tree = Tree(self.root_sid, _parents(known, self.root_sid), self.masters.customers)
            counted = self._standings(con, due)
            self.progress("checking that everything is rated")
            verdict = self._judge(con, due, tree, counted)
            stop_for_nobody(verdict)
            numbers = by_payer(holdings(con), tree.payers)
            self._judge_rents(verdict, due, numbers)
            around = Surroundings(
                self.taxer,
                self.masters,
                {c.account.key: c for c in self.calendars},
                remembered(con),
                uses_of(con, self.masters),
                known,
                country_names(con),
                numbers,
                _by_sid(counted),
            )
            return self._draft_all(con, due, around, verdict)

    def _standings(self, con: Duck, due: Sequence[Due]) -> list[Standing]:
        return standings(con, *_window(due))

    def _judge(self, con: Duck, due: Sequence[Due], tree: Tree, counted: list[Standing]) -> Verdict:
        gaps = uncovered(con, *_window(due))
        return judge(due, self.held, tree, counted, gaps)

    def _judge_rents(
        self, verdict: Verdict, due: Iterable[Due], numbers: dict[tuple[str, str], list[Holding]]
    ) -> None:
        for account in {d.account.key: d for d in due if self._unpriced(d, numbers)}.values():
            currency = account.account.customer.currency
            verdict.parked[account.account.key].append(
                f"billed in {currency}, while the rent of its numbers is known in {PROVIDER_CURRENCY} only: "
                "give it a did_price, or rows in did_prices.csv"
            )

    def _unpriced(self, due: Due, numbers: dict[tuple[str, str], list[Holding]]) -> bool:
        return unpriced(due, numbers.get(due.account.key, ()), self.masters.did_prices)

    def _draft_all(
        self, con: Duck, due: Sequence[Due], around: Surroundings, verdict: Verdict
    ) -> BillingReport:
        clean = [d for d in due if d.account.key not in verdict.parked]
        taken = self._take(con, clean)
        with self.ledger.read() as tx:
            waiting = pending(tx)
        made, empty, elsewhere = [], 0, set[tuple[str, str]]()
        for d in clean:
            if d.account.key in verdict.parked or d.account.key in elsewhere:
                continue
            # The first invoice that is made takes all that waits.
            adjusting = waiting.pop(_holder(d), [])
            drafted = draft(d, taken[d.invoice_sid], around, adjusting)
            if isinstance(drafted, Unplaced):
                verdict.parked[d.account.key].append(drafted.reason)
            elif drafted is None:
                empty += 1
            elif why := self._beyond(drafted):
                verdict.parked[d.account.key].append(why)
            elif not (recorded := self._record(con, drafted)):
                # Another process has invoiced it meanwhile, and knows what this run does not.
                elsewhere.add(d.account.key)
            else:
                made += recorded
                around.history.add(d.account.key, [part for _, part in drafted.parts])
        return BillingReport(tuple(made), _named(self.held, due, verdict), empty)

    def _beyond(self, drafted: Draft) -> str:
        with self.ledger.read() as tx:
            return beyond(tx, drafted, self.masters.policy.bounds)

    def _take(self, con: Duck, clean: Sequence[Due]) -> dict[str, Taken]:
        if not clean:
            return {}
        self.progress(f"collecting records for {len(clean)} due periods")
        free = {d.account.key for d in clean}
        register_due(con, [c for c in self.calendars if c.account.key in free])
        return take(self.lake, con, clean, self.masters)

    def _record(self, con: Duck, drafted: Draft) -> list[Billed]:
        due = drafted.due
        self.progress(f"invoice for {due.account.customer.name}")
        files = self._files(con, drafted)
        with self.ledger.transaction() as tx:
            if not self._is_next(tx, due):
                return []
            return [self._enter(tx, drafted, files)]

    def _files(self, con: Duck, drafted: Draft) -> list[Staged]:
        """What the lines are made of: claims, draws and parts."""
        sid = drafted.due.invoice_sid
        files = [stage_claims(self.lake, con, sid, drafted.numbers)] if drafted.numbers else []
        if drafted.allowances:
            files += stage_draws(self.lake, con, sid)
        return files + ([stage_parts(self.lake, drafted.due, drafted.parts)] if drafted.parts else [])

    def _is_next(self, tx: Connection, due: Due) -> bool:
        """Whether the account stands where this run found it: another process may have invoiced it meanwhile."""
        reached = invoiced_to(tx, due.account).get((due.account.customer.partner_sid, due.account.seller.key))
        return reached is None or reached <= due.period.start

    def _enter(self, tx: Connection, drafted: Draft, files: list[Staged]) -> Billed:
        due = drafted.due
        insert_draft(tx, drafted, self.now)
        claim(tx, due.invoice_sid, drafted.adjusted)
        self.lake.commit(tx, files, at=self.now, stage="invoice", note=due.invoice_sid)
        if due.account.customer.approval == AUTOMATIC:
            issue(tx, invoice_row(tx, due.invoice_sid), by=AUTOMATIC, now=self.now)
        return _billed(due, invoice_row(tx, due.invoice_sid))


def _holder(due: Due) -> tuple[str, str, str]:
    customer = due.account.customer
    return customer.partner_sid, customer.seller, customer.currency


def _ask(unit_gate: Callable[[], Any] | None) -> None:
    result = unit_gate() if unit_gate else None
    if result is not None and not result.ok:
        raise GateError(result.message)


def _window(due: Iterable[Due]) -> tuple[datetime, datetime]:
    due = list(due)
    return min(d.claims_from for d in due), max(d.period.end for d in due)


def _parents(known: dict[str, Any], root_sid: str) -> dict[str, str | None]:
    return {sid: partner["parent_sid"] for sid, partner in known.items()} | {root_sid: None}


def _by_sid(counted: Iterable[Standing]) -> dict[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for standing in counted:
        found.setdefault(standing.invoice_sid or "", []).append(standing)
    return found


def _named(held: Iterable[Account], due: Iterable[Due], verdict: Verdict) -> tuple[Parked, ...]:
    waiting = {d.account.key for d in due}
    return tuple(
        Parked(a.customer.partner_sid, a.seller.key, a.customer.name, "; ".join(verdict.parked[a.key]))
        for a in held
        if a.key in verdict.parked and a.key in waiting
    )


def _billed(due: Due, row: Any) -> Billed:
    return Billed(
        row.invoice_sid,
        row.number,
        row.partner_sid,
        due.account.customer.name,
        due.period,
        row.amount,
        row.amount_tax,
        row.amount_due,
        row.currency,
    )


def _account_row(calendar: Calendar, found: Iterable[Parked]) -> dict[str, Any]:
    account, customer = calendar.account, calendar.account.customer
    reasons = {(p.partner_sid, p.seller): p.reason for p in found}
    return {
        "partner_sid": customer.partner_sid,
        "payee_sid": account.payee_sid,
        "seller": account.seller.key,
        "name": customer.name,
        "currency": customer.currency,
        "bill_from": calendar.bill_from,
        "due_to": calendar.due_to,
        "parked": reasons.get((customer.partner_sid, account.seller.key)),
    }

"""The statement must add up before money moves.

Every landed record must be rated in its newest revision, and every charge row must be rated, free, or unrated for a
reason that a person has accepted or written off; ``rate.suspense`` says how it stands. What fails for a customer parks
that customer, with a sentence that says what and how many; what belongs to nobody stops the run.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pipeline.domain.money import minor_unit
from pipeline.domain.parties import CHARGE, parties_of
from pipeline.errors import GateError
from pipeline.invoice.duck import Duck
from pipeline.invoice.due import Account, Due
from pipeline.masters.model import Customer

_LAKE_DECIMALS = 2
_RATE = "Run `tollbook rate`, and try again."
_PLACE = (
    "Give these records a customer (customers.csv) and run `tollbook rate`, or accept the reason "
    "(`tollbook suspense accept`), and try again."
)

_STANDING = """
select
    d.invoice_sid, s.payer_sid, s.payee_sid, s.rating_status, s.unrated_reason, s.standing, s.currency,
    coalesce(s.date_stop >= d.period_start, false) as in_period, count(*) as records
from invoice.standing as s
left join due as d
    on d.payer_sid = s.payer_sid and d.payee_sid = s.payee_sid
    and s.date_stop >= d.claims_from and s.date_stop < d.period_end
where s.date_stop >= $first and s.date_stop < $last
group by all
order by all
"""
_UNCOVERED = """
select partner_sid, service, sum(landed)::bigint, sum(least(cost, charged))::bigint, min(day)
from invoice.coverage
where not complete and day >= $first and day <= $last
group by all
order by all
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many charge rows of a payer stand how; ``invoice_sid`` is the due invoice that they fall into, if any.

    ``standing`` is ``open`` (in the way), ``accepted`` or ``written_off``; None where nothing is in the way.
    """

    invoice_sid: str | None
    payer_sid: str
    payee_sid: str
    status: str
    reason: str | None
    standing: str | None
    currency: str | None
    in_period: bool
    records: int


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Records of a partner that landed and are not all rated in their newest revision."""

    partner_sid: str
    service: str
    landed: int
    rated: int
    first_day: date


@dataclass(slots=True)
class Verdict:
    """``parked`` holds the reasons of each account that is set aside, ``nobody`` what belongs to no account, each with
    what to do."""

    parked: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    nobody: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """Partners, their parents, and the customers among them."""

    root_sid: str
    parents: Mapping[str, str | None]
    customers: Mapping[str, Customer]

    def payers(self, partner_sid: str) -> list[tuple[str, str]]:
        """The (payer, payee) pairs whose charges a partner's usage makes; empty where nobody is billed for it."""
        resells = {sid: c.resells for sid, c in self.customers.items()}
        found = parties_of(partner_sid, self.parents, resells, self.root_sid)
        return [
            (p.payer_sid, p.payee_sid)
            for p in found
            if p.side == CHARGE and p.verdict is None and p.payee_sid
        ]


def standings(con: Duck, first: datetime, last: datetime) -> list[Standing]:
    """The charge rows that ended in ``[first, last)``, counted by due invoice and fate."""
    rows = con.execute(_STANDING, {"first": first, "last": last}).fetchall()
    return [Standing(*row) for row in rows]


def uncovered(con: Duck, first: datetime, last: datetime) -> list[Uncovered]:
    """Whose landed records of ``[first, last)`` are not all rated; whole UTC days are looked at."""
    rows = con.execute(_UNCOVERED, {"first": first.date(), "last": last.date()}).fetchall()
    return [Uncovered(*row) for row in rows]


def judge(
    due: Collection[Due],
    held: Iterable[Account],
    tree: Tree,
    found: Iterable[Standing],
    gaps: Iterable[Uncovered],
) -> Verdict:
    """Who is set aside, and why."""
    verdict = Verdict()
    accounts = {a.key: a for a in held}
    _judge_currencies(verdict, due)
    _judge_standings(verdict, accounts, {d.invoice_sid: d for d in due}, found)
    _judge_gaps(verdict, accounts, tree, gaps)
    return verdict


def stop_for_nobody(verdict: Verdict) -> None:
    """
    Raises:
        GateError: something does not add up that belongs to no customer.
    """
    if verdict.nobody:
        found = "; ".join(what for what, _ in verdict.nobody)
        remedies = " ".join(dict.fromkeys(remedy for _, remedy in verdict.nobody))
        msg = f"nothing was invoiced, because the statement does not add up: {found}. {remedies}"
        raise GateError(msg)


def _judge_currencies(verdict: Verdict, due: Iterable[Due]) -> None:
    for account in {d.account.key: d.account for d in due}.values():
        if minor_unit(account.customer.currency) > _LAKE_DECIMALS:
            currency = account.customer.currency
            text = (
                f"{currency} has three decimals, and invoices are kept with two: bill it in another currency"
            )
            verdict.parked[account.key].append(text)


def _judge_standings(
    verdict: Verdict,
    accounts: Mapping[tuple[str, str], Account],
    due: Mapping[str, Due],
    found: Iterable[Standing],
) -> None:
    unrated: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    foreign: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    homeless: dict[tuple[str, str], int] = defaultdict(int)
    for s in found:
        key = (s.payer_sid, s.payee_sid)
        refused = s.standing == "open"
        charged = s.status == "rated" and s.standing is None
        if key not in accounts and (refused or charged):
            homeless[s.payer_sid, s.reason or f"charged by {s.payee_sid}"] += s.records
        elif s.invoice_sid in due and refused:
            unrated[key][s.reason or "no reason"] += s.records
        elif s.invoice_sid in due and charged and s.currency != accounts[key].customer.currency:
            foreign[key][str(s.currency)] += s.records
    for key, reasons in unrated.items():
        verdict.parked[key].append(
            f"unrated records: {_counted(reasons)}: `tollbook suspense list` shows them; mend the cause and run "
            "`tollbook rate`, or accept it with `tollbook suspense accept`"
        )
    for key, currencies in foreign.items():
        wanted = accounts[key].customer.currency
        verdict.parked[key].append(
            f"billed in {wanted}, but rated in another currency: {_counted(currencies)}: assign it plans in {wanted} "
            "and run `tollbook rate`"
        )
    _judge_homeless(verdict, accounts, homeless)


def _judge_homeless(
    verdict: Verdict, accounts: Mapping[tuple[str, str], Account], homeless: Mapping[tuple[str, str], int]
) -> None:
    by_payer = {payer: account for (payer, _), account in accounts.items()}
    for (payer, reason), records in sorted(homeless.items()):
        account = by_payer.get(payer)
        if account is None:
            verdict.nobody.append((f"{_records(records)} of partner {payer or '(none)'}: {reason}", _PLACE))
        else:
            seller = account.seller
            text = (
                f"{_records(records)} {reason}, while its seller {seller.key} stands for {account.payee_sid}: "
                "give it that partner's seller in customers.csv"
            )
            verdict.parked[account.key].append(text)


def _judge_gaps(
    verdict: Verdict, accounts: Mapping[tuple[str, str], Account], tree: Tree, gaps: Iterable[Uncovered]
) -> None:
    behind: dict[tuple[tuple[str, str] | None, str], list[Uncovered]] = defaultdict(list)
    for gap in gaps:
        keys = [key for key in tree.payers(gap.partner_sid) if key in accounts]
        for key in keys or (None,):
            behind[key, gap.service].append(gap)
    for (account, service), own in behind.items():
        text = (
            f"not every {service} record is rated in its newest revision ({sum(g.landed for g in own)} landed, "
            f"{sum(g.rated for g in own)} rated, first on {min(g.first_day for g in own)})"
        )
        if account is not None:
            verdict.parked[account].append(f"{text}: run `tollbook rate`")
        else:
            partners = ", ".join(sorted({g.partner_sid or "(none)" for g in own}))
            verdict.nobody.append((f"partner {partners}: {text}", _RATE))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{records} {name}" for name, records in sorted(counts.items()))


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"

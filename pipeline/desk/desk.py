"""The whole desk: what comes in, what goes out, and answers about both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.desk.billing import Billing

if TYPE_CHECKING:
    from pipeline.desk.dimensions import DimensionLanded, LookupReport
    from pipeline.measure.statement import Statement
    from pipeline.pull.lookup import Detail
    from pipeline.rate.audit import AuditReport
    from pipeline.rate.explain import Explanation


@dataclass(slots=True)
class Desk(Billing):
    """An open home with every button there is."""

    def pull_dimensions(self) -> "list[DimensionLanded]":
        """Takes what surrounds the records: trunks, access rules, the Mediator's bindings and so on."""
        from pipeline.desk.dimensions import pull_dimensions

        return pull_dimensions(self)

    def look_up(
        self, numbers: Sequence[str], *, details: "tuple[Detail, ...]", most: int, since: datetime | None
    ) -> "LookupReport":
        """Looks numbers up, in the lake first; what is not there costs money."""
        from pipeline.desk.dimensions import look_up_numbers

        return look_up_numbers(self, numbers, details=details, most=most, since=since)

    def statement(self) -> "Statement":
        """The statement that adds up."""
        from pipeline.measure.statement import make_statement

        return make_statement(self.lake, self.ledger)

    def audit(self) -> "AuditReport":
        """The provider's charges against our own rating of its plans."""
        from pipeline.rate.audit import audit

        return audit(self.lake)

    def explain(self, sid: str) -> "Explanation":
        """The chain of reasons behind a record, an invoice line or an invoice."""
        from pipeline.rate.explain import explain_record

        return explain_record(self.lake, self.masters, sid, root_sid=self.root())

    def parked(self) -> list[dict[str, str]]:
        """The customers that are set aside, and why."""
        from pipeline.ledger.parking import parked_reasons

        with self.ledger.read() as tx:
            rows = parked_reasons(tx)
        names = {sid: customer.name for sid, customer in self.masters.customers.items()}
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

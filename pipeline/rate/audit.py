"""The provider's bill, checked: its charges against our own rating of its plans, record by record."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.lake.lake import Lake


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that was not charged as the provider's plan says.

    ``difference`` is what was charged too much (negative: too little); ``likely`` a guess at why, see
    ``sql/rate/charge_differences.sql``. ``amount`` is None where we cannot say what it should cost.
    """

    dr_sid: str
    service: str
    date_stop: datetime
    plan_sid: str | None
    matched_prefix: str | None
    amount: Decimal | None
    provider_price: Decimal | None
    difference: Decimal
    likely: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Totals over all records, and every difference, the largest first."""

    records: int
    charged: Decimal
    expected: Decimal
    differences: tuple[Difference, ...]

    def by_reason(self) -> dict[str, tuple[int, Decimal]]:
        """Records and money per likely reason, the most money first."""
        found: dict[str, tuple[int, Decimal]] = {}
        for d in self.differences:
            records, money = found.get(d.likely, (0, Decimal(0)))
            found[d.likely] = (records + 1, money + d.difference)
        return dict(sorted(found.items(), key=lambda item: (-abs(item[1][1]), item[0])))

    def sids(self, likely: str) -> tuple[str, ...]:
        """The records with a likely reason, ordered."""
        return tuple(sorted(d.dr_sid for d in self.differences if d.likely == likely))


def audit(lake: Lake) -> AuditReport:
    """Compares every cost row with the provider's own price."""
    with lake.duck() as con:
        records, charged, expected = con.execute("""
            select count(*), coalesce(sum(provider_price), 0), coalesce(sum(amount), 0)
            from (
                select provider_price, amount from rate.calls where side = 'cost'
                union all
                select provider_price, amount from rate.messages where side = 'cost'
            )
        """).fetchall()[0]
        rows = con.execute("""
            select dr_sid, service, date_stop, plan_sid, matched_prefix, amount, provider_price, difference, likely
            from rate.charge_differences
            order by abs(difference) desc, dr_sid
        """).fetchall()
    return AuditReport(records, charged, expected, tuple(Difference(*row) for row in rows))

"""Who pays whom for a record: one cost row, and one charge row for each level of the tree that sells it on.

Walking from a record's partner up to the house, the customer nearest to the house pays the house; below it, the next
customer pays that one only if that one resells. Everybody else is billed through the customer above.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.domain.rate_plan import upwards

COST = "cost"
CHARGE = "charge"


@dataclass(frozen=True, slots=True)
class Party:
    """One row that a record is rated for. ``verdict`` says why there can be no charge: own_use, no_customer or
    unknown_partner."""

    side: str
    level: int
    payer_sid: str
    payee_sid: str | None
    verdict: str | None = None


def parties_of(
    partner_sid: str, parents: Mapping[str, str | None], resells: Mapping[str, bool], root_sid: str
) -> tuple[Party, ...]:
    """The cost row and the charge rows of a partner's records.

    ``parents`` maps every partner to the one above it; ``resells`` has an entry per customer.
    """
    cost = Party(COST, 0, root_sid, None)
    if partner_sid == root_sid:
        return cost, Party(CHARGE, 1, root_sid, root_sid, "own_use")
    if partner_sid not in parents:
        return cost, Party(CHARGE, 1, partner_sid, root_sid, "unknown_partner")
    path = upwards(partner_sid, parents)
    below_root = path[: path.index(root_sid)] if root_sid in path else path
    customers = [sid for sid in reversed(below_root) if sid in resells]
    if not customers:
        return cost, Party(CHARGE, 1, partner_sid, root_sid, "no_customer")
    return cost, *_charges(customers, resells, root_sid)


def _charges(customers: list[str], resells: Mapping[str, bool], root_sid: str) -> list[Party]:
    charges, payee = [], root_sid
    for level, payer in enumerate(customers, start=1):
        charges.append(Party(CHARGE, level, payer, payee))
        if not resells[payer]:
            break
        payee = payer
    return charges

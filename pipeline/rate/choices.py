"""The small tables that the fast engine joins: who pays for whose records, and on which plan at what time.

They are worked out by the domain for just the partners, directions and families at hand. Time is cut wherever a plan
version or an assignment begins or ends, and the domain is asked once for each piece: so the engine only ever asks
"which piece does this start fall into", and the rules stay in one place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from pipeline.domain.parties import COST, Party, parties_of
from pipeline.domain.rate_plan import PlanBook, RatePlan
from pipeline.lake.duck import rows_table

EARLIEST_MS = -999_999_999_999_999
LATEST_MS = 999_999_999_999_999
_EARLY = datetime(1900, 1, 1, tzinfo=UTC)
_PARTIES = pa.schema(
    [
        ("partner_sid", pa.string()),
        ("side", pa.string()),
        ("level", pa.int32()),
        ("payer_sid", pa.string()),
        ("payee_sid", pa.string()),
        ("verdict", pa.string()),
    ]
)
_CHOICES = pa.schema(
    [
        ("side", pa.string()),
        ("payer_sid", pa.string()),
        ("direction", pa.string()),
        ("family", pa.string()),
        ("from_ms", pa.int64()),
        ("to_ms", pa.int64()),
        ("plan_key", pa.int32()),
        ("missing", pa.string()),
    ]
)
_PLANS = pa.schema(
    [
        ("plan_key", pa.int32()),
        ("plan_sid", pa.string()),
        ("plan_version", pa.string()),
        ("currency", pa.string()),
        ("increment_rule", pa.string()),
        ("billable_base", pa.string()),
        ("base_rounding", pa.string()),
        ("match_field", pa.string()),
        ("rounding_mode", pa.string()),
        ("quantum", pa.int64()),
        ("billable_statuses", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Tree:
    """Who is whose parent, and which partners are customers (True: they resell)."""

    root_sid: str
    parents: Mapping[str, str | None]
    resells: Mapping[str, bool]

    def parties(self, partner_sid: str) -> tuple[Party, ...]:
        return parties_of(partner_sid, self.parents, self.resells, self.root_sid)


@dataclass(frozen=True, slots=True)
class Choices:
    """The three tables, ready to be registered under these names."""

    parties: pa.Table
    choices: pa.Table
    plans: pa.Table


def choices(
    book: PlanBook, tree: Tree, service: str, partners: Iterable[str], kinds: Iterable[tuple[str, str]]
) -> Choices:
    """The tables for records of ``partners`` in the (direction, family) ``kinds`` of a service."""
    due = [(sid, party) for sid in sorted(set(partners)) for party in tree.parties(sid)]
    payers = sorted({(p.side, p.payer_sid) for _, p in due if p.verdict is None})
    keys = {(p.plan_sid, p.version): n for n, p in enumerate(book.plans)}
    pieces = _Pieces(book, service)
    rows = [
        (side, payer, *kind, begin, end, keys[plan.plan_sid, plan.version] if plan else None, missing)
        for side, payer in payers
        for kind in sorted(set(kinds))
        for begin, end, plan, missing in pieces.of(side, payer, *kind)
    ]
    used = {row[6] for row in rows}
    plans = [_terms(n, plan) for n, plan in enumerate(book.plans) if n in used]
    parties = [(sid, p.side, p.level, p.payer_sid, p.payee_sid, p.verdict) for sid, p in due]
    return Choices(rows_table(parties, _PARTIES), rows_table(rows, _CHOICES), rows_table(plans, _PLANS))


Piece = tuple[int, int, RatePlan | None, str | None]


@dataclass(slots=True)
class _Pieces:
    """Cuts time for a payer and kind. Payers whose assignments come from the same partners share the answer."""

    book: PlanBook
    service: str
    known: dict[tuple, list[Piece]] = field(default_factory=dict)

    def of(self, side: str, payer: str, direction: str, family: str) -> list[Piece]:
        """Gapless (begin, end, plan, why missing); neighbours with the same answer are one piece."""
        holders = () if side == COST else self.book.holders(payer)
        key = (side, holders, direction, family)
        if key not in self.known:
            self.known[key] = self._cut(side, payer, direction, family)
        return self.known[key]

    def _cut(self, side: str, payer: str, direction: str, family: str) -> list[Piece]:
        pieces: list[Piece] = []
        cuts = sorted({_EARLY, *self.book.instants(side, payer, self.service, direction, family)})
        for at, end in zip(cuts, [*cuts[1:], None], strict=True):
            if side == COST:
                plan = self.book.cost_plan(self.service, direction, family, at)
            else:
                plan = self.book.charge_plan(payer, self.service, direction, family, at)
            begin_ms = EARLIEST_MS if at == _EARLY else instant_ms(at)
            if pieces and pieces[-1][2] is plan:
                begin_ms = pieces.pop()[0]
            missing = None if plan else self.book.missing(side, self.service, direction, family)
            pieces.append((begin_ms, LATEST_MS if end is None else instant_ms(end), plan, missing))
        return pieces


def instant_ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    whole = at - datetime(1970, 1, 1, tzinfo=UTC)
    # Instants between two milliseconds begin with the next one: records have no finer time.
    return -((-whole.days * 86_400_000_000 - whole.seconds * 1_000_000 - whole.microseconds) // 1000)


def _terms(key: int, plan: RatePlan) -> tuple:
    return (
        key,
        plan.plan_sid,
        plan.version,
        plan.currency,
        plan.increment_rule,
        plan.billable_base,
        plan.base_rounding,
        plan.match_field,
        plan.rounding_mode,
        10 ** (12 - plan.rounding_decimals),
        ",".join(plan.billable_statuses),
    )

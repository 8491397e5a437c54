"""What people decide about records that cannot be rated: to accept them, to write them off, to take either back.

Every decision is a row of the ledger, with a name and a reason in words, and none is ever edited. ``accepted_unrated``
in policy.toml is the same decision made beforehand: it reaches ``invoice.rulings`` as a row like the others, and
``rate.suspense`` is the one place that says how a record stands. What is written off is named record by record, so
that it stays written off when it is rated after all.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from pipeline.errors import GateError
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.rulings import ruling_undos, rulings

ACCEPT, WRITE_OFF = "accept", "write_off"
RULINGS, WRITE_OFFS = "invoice/rulings", "invoice/write_offs"
_LABEL = "all"
# As many digits tell countries and most of their networks apart, and no two people.
_PREFIX = 5
_SELECTED = """
from rate.suspense
where ($reason is null or unrated_reason = $reason)
    and ($partner_sid is null or payer_sid = $partner_sid)
    and ($date_from is null or date_stop >= $date_from)
    and ($date_to is null or date_stop < $date_to)
    and ($dr_sid is null or dr_sid = $dr_sid)
"""
_GROUPS = f"""
select standing, unrated_reason, service, direction, family, payer_sid, payee_sid, plan_sid, country_code,
    left(matched_number, {_PREFIX}) as prefix, count(*) as records, sum(seconds) as seconds, sum(cost) as cost,
    min(date_stop) as first, max(date_stop) as last, min(dr_sid) as example
{_SELECTED}
group by all
order by records desc, standing, unrated_reason, service, direction, family, payer_sid, payee_sid, plan_sid, prefix
"""
_RECORDS = f"select * {_SELECTED} order by date_stop, source, dr_sid, payee_sid limit $most"
_OPEN = f"""
select source, dr_sid, payer_sid, payee_sid
{_SELECTED} and standing <> 'written_off' and rating_status = 'unrated'
    and not exists (
        from invoice.claims as c
        where c.source = suspense.source and c.dr_sid = suspense.dr_sid and c.payee_sid = suspense.payee_sid
    )
order by all
"""
_DAYS = f"""
select distinct service, (date_stop at time zone 'UTC')::date as day
{_SELECTED} and standing <> 'written_off'
order by all
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant; None is any. Dates are of the end of a call, half-open."""

    reason: str | None = None
    partner_sid: str | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    dr_sid: str | None = None

    def parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision that was just put on record, and how many records it is about by now."""

    ruling_id: int
    records: int


def suspended(lake: Lake, chosen: Selection) -> list[dict[str, Any]]:
    """The records that cannot be charged, counted as finely as a person may ask: by kind, payer, plan and prefix."""
    return lake.query(_GROUPS, chosen.parameters())


def suspended_records(lake: Lake, chosen: Selection, most: int) -> list[dict[str, Any]]:
    """The records themselves, in call order, at most ``most``."""
    return lake.query(_RECORDS, chosen.parameters() | {"most": most})


def suspended_days(lake: Lake, chosen: Selection) -> list[date]:
    """The days on which records wait, to be rated again."""
    return sorted({row["day"] for row in lake.query(_DAYS, chosen.parameters())})


def accept(
    lake: Lake, ledger: Ledger, chosen: Selection, *, limit: Decimal | None, by: str, why: str, now: datetime,
    policy: Iterable[str],
) -> Ruling:  # fmt: skip
    """Accepts that records are not billed: these, and all that come to be like them.

    Raises:
        GateError: no reason is named, or none is given in words.
    """
    if not chosen.reason or not why.strip():
        raise GateError("name what is accepted (a reason, as `tollbook suspense list` shows it) and say why.")
    with ledger.transaction() as tx:
        number = _enter(tx, ACCEPT, chosen, by=by, why=why, now=now, limit=limit)
        _export(tx, lake, policy, now)
    return Ruling(
        number, sum(row["records"] for row in suspended(lake, chosen) if row["standing"] == "accepted")
    )


def write_off(
    lake: Lake, ledger: Ledger, chosen: Selection, *, by: str, why: str, now: datetime, policy: Iterable[str]
) -> Ruling:
    """Writes records off that cannot be rated and are on no invoice: nobody is billed for them, also not later.

    Raises:
        GateError: nothing is selected, or no reason is given in words.
    """
    if not why.strip():
        raise GateError("say why these records are written off (--why); it goes on record.")
    export_rulings(lake, ledger, policy, at=now)
    found = lake.query(_OPEN, chosen.parameters())
    if not found:
        raise GateError(
            "there is nothing to write off: no such record waits. `tollbook suspense list` shows them."
        )
    with ledger.transaction() as tx:
        number = _enter(tx, WRITE_OFF, chosen, by=by, why=why, now=now, records=len(found))
        rows = [row | {"ruling_id": _id(number)} for row in found]
        table = pa.Table.from_pylist(rows, schema=BY_NAME[WRITE_OFFS].schema)
        staged = lake.stage(WRITE_OFFS, f"ruling-{_id(number)}", table)
        lake.commit(tx, [staged], at=now, stage="invoice", note=f"ruling {number}: {len(found)} written off")
        _export(tx, lake, policy, now)
    return Ruling(number, len(found))


def undo(
    lake: Lake, ledger: Ledger, ruling_id: int, *, by: str, why: str, now: datetime, policy: Iterable[str]
) -> None:
    """Takes a decision back: its records wait again, or are billed where they have been rated since.

    Raises:
        GateError: there is no such decision, it is taken back already, or no reason is given in words.
    """
    if not why.strip():
        raise GateError("say why the decision is taken back (--why); it goes on record.")
    with ledger.transaction() as tx:
        if tx.execute(rulings.select().where(rulings.c.ruling_id == ruling_id)).one_or_none() is None:
            raise GateError(f"there is no decision {ruling_id}. `tollbook suspense rulings` lists them.")
        if tx.execute(ruling_undos.select().where(ruling_undos.c.ruling_id == ruling_id)).one_or_none():
            raise GateError(f"decision {ruling_id} is taken back already; nothing was changed.")
        tx.execute(ruling_undos.insert(), {"ruling_id": ruling_id, "at": now, "by": by, "why": why})
        _export(tx, lake, policy, now)


def export_rulings(lake: Lake, ledger: Ledger, policy: Iterable[str], *, at: datetime) -> None:
    """Brings the lake's copy of all decisions up to the ledger and the policy."""
    with ledger.transaction() as tx:
        _export(tx, lake, policy, at)


def _enter(
    tx: Connection, action: str, chosen: Selection, *, by: str, why: str, now: datetime,
    limit: Decimal | None = None, records: int = 0,
) -> int:  # fmt: skip
    row = {name: value for name, value in chosen.parameters().items() if name != "dr_sid"}
    row |= {
        "at": now,
        "by": by,
        "action": action,
        "cost_limit": limit,
        "records": records,
        "why": why.strip(),
    }
    entered = tx.execute(rulings.insert(), row).inserted_primary_key
    return int(entered[0]) if entered else 0


def _export(tx: Connection, lake: Lake, policy: Iterable[str], at: datetime) -> None:
    rows = [*(_standing(reason) for reason in sorted(policy)), *_rows(tx)]
    inputs = hashlib.sha256(repr(rows).encode()).hexdigest()
    known = lake.files(RULINGS, [_LABEL])
    if (not rows and not known) or any(f.inputs == inputs for f in known):
        return
    table = pa.Table.from_pylist(rows, schema=BY_NAME[RULINGS].schema)
    lake.commit(tx, [lake.stage(RULINGS, _LABEL, table, inputs)], at=at, stage="invoice", note="rulings")


def _rows(tx: Connection) -> list[dict[str, Any]]:
    undone = {row.ruling_id: row for row in tx.execute(ruling_undos.select())}
    found = []
    for row in tx.execute(rulings.select().order_by(rulings.c.ruling_id)).mappings():
        back = undone.get(row["ruling_id"])
        found.append(
            {name: value for name, value in row.items() if name not in ("at", "by", "records")}
            | {"ruling_id": _id(row["ruling_id"]), "decided_at": row["at"], "decided_by": row["by"]}
            | {f"undone_{name}": getattr(back, name, None) for name in ("at", "by", "why")}
        )
    return found


def _standing(reason: str) -> dict[str, Any]:
    return dict.fromkeys(BY_NAME[RULINGS].schema.names) | {
        "ruling_id": f"policy:{reason}",
        "decided_by": "policy.toml",
        "action": ACCEPT,
        "reason": reason,
        "why": "accepted_unrated",
    }


def _id(number: int) -> str:
    return str(number)

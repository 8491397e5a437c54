"""What if history had been priced on another plan: rated again in a place of its own, and compared.

The charges of one customer, or all charges of one plan, move to a candidate; everything else is as it is. The engine
that rates every day rates them too, in batches of days; the answer lies under ``<home>/whatif/<name>/``, one row per
record and payer beside what stands in the rate tables. Nothing else is written: no file of the lake, no row of the
ledger. Only records that are rated as things stand are compared, so that a difference is the candidate's alone.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.errors import SettingsError
from pipeline.lake.disk import quoted
from pipeline.lake.export import write_csv
from pipeline.lake.lake import DataFile, Lake
from pipeline.lake.layout import label_day
from pipeline.masters.model import Masters
from pipeline.rate.candidate import Candidate, world_with
from pipeline.rate.due import TABLES, Service
from pipeline.rate.engine import prepare, rate_landed
from pipeline.rate.redrawn import Redrawn, redrawn
from pipeline.rate.world import World, read_world

BATCH_RECORDS = 100_000
DIMENSIONS = {"customer": "payer_sid", "country": "country_code", "prefix": "prefix"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")
_BEFORE = """
create or replace temp table before as
select * from read_parquet([{rated}], hive_partitioning = false, union_by_name = true)
where side = 'charge' and date_stop >= $start and date_stop < $end
    and (payer_sid = $payer or plan_sid = $replaces)
"""
_LANDED = """
create or replace temp view landed as
select * from read_parquet([{landed}], hive_partitioning = false, union_by_name = true)
where (source, dr_sid) in (select (source, dr_sid) from before)
"""
_COMPARED = """
with both_sides as (
    select
        b.service, b.source, b.dr_sid, b.revision, b.level, b.payer_sid, b.payee_sid, b.partner_sid, b.direction,
        b.family, b.item_type, coalesce(a.country_code, b.country_code) as country_code, b.date_stop,
        coalesce(a.matched_prefix, b.matched_prefix) as prefix, coalesce(b.currency, a.currency) as currency,
        b.plan_sid as before_plan_sid, b.plan_version as before_plan_version, b.rating_status as before_status,
        b.unrated_reason as before_reason, b.amount as before, b.{usage}::decimal(18, 3) as before_usage,
        a.plan_sid as after_plan_sid, a.plan_version as after_plan_version, a.rating_status as after_status,
        a.unrated_reason as after_reason, a.amount as after, a.{usage}::decimal(18, 3) as after_usage,
        a.matched_number as after_number, a.rate_price as after_price, a.connect_fee as after_fee,
        {unit}::decimal(18, 3) as after_unit_seconds,
        p.rounding_mode as after_rounding_mode, p.rounding_decimals as after_rounding_decimals,
        coalesce(a.currency <> b.currency, false) as abroad
    from before as b
    join rated as a
        on a.source = b.source and a.dr_sid = b.dr_sid and a.side = b.side and a.level = b.level
        and a.payer_sid = b.payer_sid
    left join roundings as p on p.plan_sid = a.plan_sid and p.plan_version = a.plan_version
)
select
    * exclude (abroad) replace (
        case when abroad then 'unrated' else after_status end as after_status,
        case when abroad then 'currency' else after_reason end as after_reason,
        case when not abroad then after end as after,
        case when not abroad then after_usage end as after_usage
    ),
    (case when not abroad then after end - before)::decimal(20, 10) as difference
from both_sides
where after_plan_sid = $candidate or before_plan_sid = $replaces
order by date_stop, source, dr_sid, level, payer_sid
"""
_CHANGES = """
select
    {what} as what, currency, count(*) filter (difference is not null) as records,
    coalesce(sum(before_usage) filter (difference is not null and service = 'call'), 0)::decimal(38, 3) as seconds,
    coalesce(sum(before) filter (difference is not null), 0)::decimal(38, 10) as before,
    coalesce(sum(after) filter (difference is not null), 0)::decimal(38, 10) as after,
    coalesce(sum(difference), 0)::decimal(38, 10) as difference,
    count(*) filter (difference is null) as unpriced
from records
group by all
order by abs(coalesce(sum(difference), 0)) desc, what, currency
"""
_UNPRICED = """
select
    case when after_status = 'unrated' then 'after: ' || after_reason else 'before: ' || before_reason end, count(*)
from records
where difference is null
group by all
order by all
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Whose charges move to the candidate (``payer``), or those of which plan (``replaces``); of records that ended in
    ``[start, end)``."""

    name: str
    start: datetime
    end: datetime
    payer: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Records of one customer, country or prefix, before and after. ``unpriced`` ones have no price on at least one
    side, and count nowhere else. ``seconds`` are billed seconds of calls, before."""

    what: str | None
    currency: str | None
    records: int
    seconds: Decimal
    before: Decimal
    after: Decimal
    difference: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """An answer, and the folder that holds it whole. ``unpriced`` counts by side and reason. All changes are at the
    plans' prices; ``drawn`` says what customers with bundles or tiers come to after those."""

    folder: Path
    candidate: str
    question: Question
    totals: tuple[Change, ...]
    by: dict[str, tuple[Change, ...]]
    unpriced: dict[str, int]
    drawn: tuple[Redrawn, ...] = ()


def what_if(
    lake: Lake,
    masters: Masters,
    candidate: Candidate,
    question: Question,
    *,
    root_sid: str,
    progress: Callable[[str], None],
    bill_from: date | None = None,
) -> WhatIf:
    """Rates what is asked under the candidate, and compares. An earlier answer of the same name is replaced.

    Raises:
        SettingsError: the question is none: no such customer or plan, or a name that is no folder's.
    """
    world = read_world(lake, masters, root_sid)
    _check(question, candidate, world, masters)
    folder = lake.home / "whatif" / question.name
    making = folder.with_name(f".{question.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    (making / "records").mkdir(parents=True)
    other = world_with(world, candidate, payer=question.payer, replaces=question.replaces)
    with lake.duck(apart=True) as con:
        con.register("candidate_rates", candidate.rates)
        con.execute("alter view rate.rates rename to held_rates")
        con.execute(
            "create view rate.rates as select * from rate.held_rates union all by name select * from candidate_rates"
        )
        prepare(con, other)
        con.register("roundings", _roundings(other))
        for n, (service, days) in enumerate(_batches(lake, candidate.plans[0].service, question)):
            progress(f"what if: {days[0][0].label} and {len(days) - 1} more days")
            _compare(con, other, service, days, question, candidate, making / "records" / f"{n:05d}.parquet")
        answer = _answer(con, making, folder, candidate, question)
        progress("what if: bundles and tiers")
        answer = replace(answer, drawn=redrawn(lake, con, masters, bill_from))
    _write(making, answer)
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)
    return answer


def _check(question: Question, candidate: Candidate, world: World, masters: Masters) -> None:
    if not _NAME.match(question.name):
        msg = f"a what-if cannot be named {question.name!r}: use letters, digits and . _ - only."
        raise SettingsError(msg)
    if bool(question.payer) == bool(question.replaces):
        raise SettingsError("whose charges move? Name a customer (--for) or a plan (--replaces), not both.")
    if question.payer and question.payer not in masters.customers:
        msg = f"there is no customer {question.payer}. `tollbook customers list` names them."
        raise SettingsError(msg)
    services = {p.service for p in world.book.plans if p.plan_sid == question.replaces}
    if question.replaces and candidate.plans[0].service not in services:
        held = f"a plan for {services.pop()}s" if services else "no plan here"
        msg = (
            f"{question.replaces} is {held}, and the candidate is for {candidate.plans[0].service}s. "
            "`tollbook plans list` names the plans."
        )
        raise SettingsError(msg)


Day = tuple[DataFile, DataFile]


def _batches(lake: Lake, service_name: str, question: Question) -> Iterator[tuple[Service, list[Day]]]:
    """Days of the window, landed and rated side by side, as many at once as fit."""
    service = TABLES[service_name]
    rated = {f.label: f for f in lake.files(service.rated)}
    batch: list[Day] = []
    for file in lake.files(service.landed):
        if (
            file.label not in rated
            or not question.start.date() <= label_day(file.label) <= question.end.date()
        ):
            continue
        if batch and sum(day.rows for day, _ in batch) + file.rows > BATCH_RECORDS:
            yield service, batch
            batch = []
        batch.append((lake.verify(file), lake.verify(rated[file.label])))
    if batch:
        yield service, batch


def _compare(
    con: Any,
    world: World,
    service: Service,
    days: Sequence[Day],
    question: Question,
    candidate: Candidate,
    target: Path,
) -> None:
    window = {"start": question.start, "end": question.end}
    whose = {"payer": question.payer, "replaces": question.replaces}
    con.execute(_BEFORE.format(rated=_paths(rated for _, rated in days)), window | whose)
    con.execute(_LANDED.format(landed=_paths(landed for landed, _ in days)))
    rate_landed(con, world, service.name)
    query = _COMPARED.format(usage=service.usage, unit="a.unit_seconds" if service.name == "call" else "1")
    con.execute(
        f"copy ({query}) to '{quoted(target)}' (format parquet, compression zstd)",
        {"candidate": candidate.plan_sid, "replaces": question.replaces},
    )


def _roundings(world: World) -> pa.Table:
    plans = world.book.plans
    return pa.table(
        {
            "plan_sid": [p.plan_sid for p in plans],
            "plan_version": [p.version for p in plans],
            "rounding_mode": [p.rounding_mode for p in plans],
            "rounding_decimals": pa.array([p.rounding_decimals for p in plans], pa.int32()),
        }
    )


def _paths(files: Any) -> str:
    return ", ".join(f"'{quoted(file.path)}'" for file in files)


def _answer(con: Any, making: Path, folder: Path, candidate: Candidate, question: Question) -> WhatIf:
    found = sorted((making / "records").glob("*.parquet"))
    if not found:
        msg = (
            f"no record that ended from {question.start:%Y-%m-%d %H:%M} to {question.end:%Y-%m-%d %H:%M} is rated: "
            "there is nothing to compare. Name another window, or run `tollbook rate` first."
        )
        raise SettingsError(msg)
    paths = ", ".join(f"'{quoted(path)}'" for path in found)
    con.execute(f"create or replace temp view records as select * from read_parquet([{paths}])")
    changes = {
        name: tuple(Change(*row) for row in con.execute(_CHANGES.format(what=column)).fetchall())
        for name, column in {"": "null::varchar", **DIMENSIONS}.items()
    }
    unpriced = dict(con.execute(_UNPRICED).fetchall())
    totals = changes.pop("")
    return WhatIf(folder, candidate.source, question, totals, changes, unpriced)


def _write(making: Path, answer: WhatIf) -> None:
    for name, changes in answer.by.items():
        columns = (name, *list(Change.__dataclass_fields__)[1:])
        with (making / f"by_{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            write_csv(stream, columns, (tuple(asdict(c).values()) for c in changes))
    told = {
        "candidate": answer.candidate,
        "question": asdict(answer.question),
        "totals": [asdict(c) for c in answer.totals],
        "unpriced": answer.unpriced,
        "drawn": [asdict(d) for d in answer.drawn],
    }
    (making / "whatif.json").write_text(json.dumps(told, default=_text, indent=2) + "\n", encoding="utf-8")


def _text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)

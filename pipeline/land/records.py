"""Detail records into ``land.calls`` and ``land.messages``: each content once, the newest version current.

A commit takes whole days: it merges what came with what the touched days hold, writes each changed day as one sorted
file, and commits files, counts and bookmark in one ledger transaction. Identical content changes nothing, not even a
file. A superseded content moves to ``land.<resource>_versions``; a record that moves to another day leaves the first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl
from sqlalchemy import Connection

from pipeline.domain.cursor import Bookmark, Feed, Page
from pipeline.lake.lake import Lake, Staged
from pipeline.lake.layout import day_label
from pipeline.lake.tables import BY_NAME, Table
from pipeline.land.decode import Rejected, decode
from pipeline.land.held import held as held_rows
from pipeline.land.quarantine import stage_rejected
from pipeline.ledger import bookmarks
from pipeline.ledger.schema import landings

LATE = timedelta(minutes=15)


@dataclass(slots=True)
class Landed:
    """What became of what was fetched. ``days`` are those whose files changed.

    ``slowest`` is the longest time from the end of a new record to its insertion at the provider, ``late`` how many
    were inserted later than a poll overlaps; ``warning`` says when that comes near what a sweep re-reads.
    """

    fetched: int = 0
    fresh: int = 0
    superseding: int = 0
    identical: int = 0
    quarantined: int = 0
    days: set[date] = field(default_factory=set)
    slowest: timedelta = timedelta(0)
    late: int = 0
    warning: str = ""

    def add(self, other: "Landed") -> None:
        self.fetched += other.fetched
        self.fresh += other.fresh
        self.superseding += other.superseding
        self.identical += other.identical
        self.quarantined += other.quarantined
        self.days |= other.days
        self.slowest = max(self.slowest, other.slowest)
        self.late += other.late


@dataclass(slots=True)
class Batch:
    """Pages as decoded, to be landed together; private fields are gone from here on, unless they are to be stored."""

    feed: Feed
    source: str
    store_private: bool = False
    fetched: int = 0
    frames: list[pl.DataFrame] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def table(self) -> Table:
        return BY_NAME[f"land/{self.feed.resource}"]

    def add(self, page: Page) -> None:
        """Decodes a page and holds it."""
        self.fetched += page.fetched
        frame, rejected = decode(
            page.items, self.table, self.source, self.feed.sort_key, store_private=self.store_private
        )
        self.frames.append(frame)
        self.rejected += rejected
        for item in page.unreadable:
            sid = item.known.get("dr_sid")
            self.rejected.append(Rejected(item.raw, sid if isinstance(sid, str) else None, item.reason))


def land_pages(
    lake: Lake,
    feed: Feed,
    pages: Iterable[Page],
    bookmark: Bookmark,
    *,
    source: str,
    now: datetime,
    store_private: bool = False,
) -> Landed:
    """Lands pages and moves the bookmark, in one commit.

    Returns:
        Counts that add up: ``fetched = fresh + superseding + identical + quarantined``.
    """
    batch = Batch(feed, source, store_private)
    for page in pages:
        batch.add(page)
    return land_batch(lake, batch, bookmark, now=now)


def land_batch(lake: Lake, batch: Batch, bookmark: Bookmark, *, now: datetime) -> Landed:
    """Lands what is held and moves the bookmark, in one commit; counts as ``land_pages``."""
    feed, table, source = batch.feed, batch.table, batch.source
    result = Landed(fetched=batch.fetched, quarantined=len(batch.rejected))
    staged: list[Staged] = []
    if batch.frames:
        staged = _merge(lake, feed, table, pl.concat(batch.frames), result, now)
    staged += stage_rejected(lake, feed.resource, source, batch.rejected, now)
    with lake.ledger.transaction() as tx:
        emptied = _emptied(table, result.days, staged)
        commit_id = lake.commit(tx, staged, at=now, stage="land", note=feed.resource, remove=emptied)
        _count(tx, commit_id, source, feed.resource, result)
        bookmarks.write(tx, source, feed.resource, bookmark, now)
    return result


def _merge(
    lake: Lake, feed: Feed, table: Table, incoming: pl.DataFrame, result: Landed, now: datetime
) -> list[Staged]:
    versions = BY_NAME[f"{table.name}_versions"]
    incoming = _ordered(incoming)
    held = held_rows(lake, table.name, incoming["dr_sid"])
    changed = incoming.join(held, on=["dr_sid", "content_hash"], how="anti", maintain_order="left")
    rows = _ranked(changed, held, held_rows(lake, versions.name, changed["dr_sid"]), now)
    if rows.is_empty():
        return []
    _measure_lag(rows.filter(pl.col("revision") == 1), feed, result)
    current, superseded = _resolve(rows, held, lake, versions, now)
    result.fresh += rows.filter(pl.col("_held").is_null())["dr_sid"].n_unique()
    result.superseding += rows.height - result.fresh
    current = current.with_columns(pl.col(feed.sort_key).dt.date().alias("_day"))
    leaving = held.filter(pl.col("dr_sid").is_in(current["dr_sid"].implode()))
    days = set(current["_day"].to_list()) | set(leaving["_day"].to_list())
    result.days |= days
    staged = [s for day in sorted(days) if (s := _write_day(lake, table, feed, day, current, leaving))]
    return staged + _write_versions(lake, versions, feed, superseded)


def _measure_lag(fresh: pl.DataFrame, feed: Feed, result: Landed) -> None:
    lag = fresh["date_insert"] - fresh[feed.sort_key]
    longest = lag.max()
    if isinstance(longest, timedelta):
        result.slowest = max(longest, timedelta(0))
        result.late = int((lag > LATE).sum())


def _ordered(incoming: pl.DataFrame) -> pl.DataFrame:
    """One row per record and content, in the order of arrival."""
    return incoming.with_row_index("_seen").unique(
        ["dr_sid", "content_hash"], keep="last", maintain_order=True
    )


def _ranked(changed: pl.DataFrame, held: pl.DataFrame, older: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The contents to land, oldest version first, each with its revision.

    Revisions count on from the highest ever given. A superseded content that comes once more with its old version
    says nothing new and is left out.
    """
    if held.is_empty() and older.is_empty() and changed["dr_sid"].is_unique().all():
        # All of it is new, as it mostly is.
        return changed.with_columns(
            pl.lit(1, pl.Int32).alias("revision"),
            pl.lit(now).cast(pl.Datetime("ms", "UTC")).alias("landed_at"),
            pl.lit(None, pl.Int64).alias("_held"),
            pl.col("version").fill_null(-1).alias("_rank"),
        )
    current = held.select("dr_sid", pl.col("version").fill_null(-1).alias("_held"))
    last = pl.concat([held, older]).group_by("dr_sid").agg(pl.col("revision").max().alias("_last"))
    known = older.select("dr_sid", "content_hash", pl.lit(True).alias("_known")).unique()
    rows = (
        changed.with_columns(pl.col("version").fill_null(-1).alias("_rank"))
        .join(current, on="dr_sid", how="left", maintain_order="left")
        .join(last, on="dr_sid", how="left", maintain_order="left")
        .join(known, on=["dr_sid", "content_hash"], how="left", maintain_order="left")
        .filter(pl.col("_known").is_null() | (pl.col("_rank") >= pl.col("_held")))
        .sort(["dr_sid", "_rank", "_seen"])
    )
    revision = pl.col("_last").fill_null(0) + pl.int_range(1, pl.len() + 1).over("dr_sid")
    landed = pl.lit(now).cast(pl.Datetime("ms", "UTC"))
    return rows.with_columns(revision.cast(pl.Int32).alias("revision"), landed.alias("landed_at"))


def _resolve(
    rows: pl.DataFrame, held: pl.DataFrame, lake: Lake, versions: Table, now: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which content of each record is current from now on, and which are superseded.

    The greatest version wins, null lowest; then the content that came last.
    """
    last = pl.col("revision") == pl.col("revision").max().over("dr_sid")
    wins = last & (pl.col("_held").is_null() | (pl.col("_rank") >= pl.col("_held")))
    current, others = rows.filter(wins), rows.filter(~wins)
    named = [name for name, _, _ in versions.columns if name != "superseded_at"]
    replaced = _replaced(lake, versions.name.removesuffix("_versions"), held, current["dr_sid"])
    superseded = pl.concat([others.select(named), replaced.select(named)]).with_columns(
        pl.lit(now).cast(pl.Datetime("ms", "UTC")).alias("superseded_at")
    )
    return current.select(named), superseded


def _replaced(lake: Lake, table: str, held: pl.DataFrame, sids: pl.Series) -> pl.DataFrame:
    """The whole rows that are about to be superseded."""
    going = held.filter(pl.col("dr_sid").is_in(sids.implode()))
    labels = {day_label(day) for day in going["_day"].unique()}
    if not labels:
        return lake.scan(table, []).collect()
    return lake.scan(table, labels).filter(pl.col("dr_sid").is_in(going["dr_sid"].implode())).collect()


def _write_day(
    lake: Lake, table: Table, feed: Feed, day: date, current: pl.DataFrame, leaving: pl.DataFrame
) -> Staged | None:
    label = day_label(day)
    names = [name for name, _, _ in table.columns]
    kept = (
        lake.scan(table.name, [label]).filter(~pl.col("dr_sid").is_in(leaving["dr_sid"].implode())).collect()
    )
    rows = pl.concat([kept.select(names), current.filter(pl.col("_day") == day).select(names)])
    return lake.stage(table.name, label, rows.sort([feed.sort_key, "dr_sid"])) if rows.height else None


def _write_versions(lake: Lake, versions: Table, feed: Feed, superseded: pl.DataFrame) -> list[Staged]:
    staged: list[Staged] = []
    if superseded.is_empty():
        return staged
    superseded = superseded.with_columns(pl.col(feed.sort_key).dt.date().alias("_day"))
    names = [name for name, _, _ in versions.columns]
    for (day,), rows in sorted(superseded.group_by("_day"), key=lambda group: group[0][0]):
        label = day_label(day)
        kept = lake.scan(versions.name, [label]).collect()
        together = pl.concat([kept.select(names), rows.select(names)]).sort(
            [feed.sort_key, "dr_sid", "revision"]
        )
        staged.append(lake.stage(versions.name, label, together))
    return staged


def _emptied(table: Table, days: set[date], staged: list[Staged]) -> list[tuple[str, str]]:
    """Days that lost their last record to another day."""
    written = {s.label for s in staged if s.table == table.name}
    return [(table.name, label) for label in map(day_label, days) if label not in written]


def _count(tx: Connection, commit_id: int, source: str, resource: str, landed: Landed) -> None:
    counts = {
        "fetched": landed.fetched,
        "fresh": landed.fresh,
        "superseding": landed.superseding,
        "identical": landed.fetched - landed.fresh - landed.superseding - landed.quarantined,
        "quarantined": landed.quarantined,
    }
    landed.identical = counts["identical"]
    tx.execute(landings.insert(), {"commit_id": commit_id, "source": source, "resource": resource} | counts)

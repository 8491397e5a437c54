"""Detail records into ``land.calls`` and ``land.messages``: each content once, the newest version current.

A commit merges what came with the files that it falls into, writes those anew, sorted, see ``days``, and commits files,
counts and bookmark in one ledger transaction. Identical content changes nothing, not even a file. A superseded content
moves to ``land.<resource>_versions``; a record that moves to another day leaves the first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import polars as pl
import pyarrow as pa
from sqlalchemy import Connection

from pipeline.domain.cursor import Bookmark, Cut, Feed, Page
from pipeline.lake.lake import Lake
from pipeline.lake.tables import BY_NAME, Table
from pipeline.land.days import Written, write_days
from pipeline.land.decode import Rejected, decode, decode_cuts, decoded_schema
from pipeline.land.held import ID, Held, content, found_in
from pipeline.land.held import held as held_rows
from pipeline.land.known import hashed
from pipeline.land.quarantine import stage_rejected
from pipeline.land.waiting import Rows, Waiting
from pipeline.ledger import bookmarks
from pipeline.ledger.schema import landings

LATE = timedelta(minutes=15)
# How many pages are typed at once, and from how many bytes on no more are added to them.
_TOGETHER = 4
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class Landed:
    """What became of what was fetched. ``days`` are those whose files changed.

    ``slowest`` is the longest time from the end of a new record to its insertion at the provider, ``late`` how many
    were inserted later than a poll overlaps; ``warning`` says when that comes near what a sweep re-reads;
    ``unseen`` are ids that callbacks named a day ago or more and that have not landed.
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
    unseen: list[str] = field(default_factory=list)

    @property
    def lag(self) -> str:
        """``slowest`` as people are told it: whole seconds."""
        return str(self.slowest).partition(".")[0]

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person should look at."""
        told = f"the provider told of {len(self.unseen)} records that the pull has not seen for a day"
        unseen = (f"{told}, {self.unseen[0]} for one: see measure.unseen_hints",) if self.unseen else ()
        return ((self.warning,) if self.warning else ()) + unseen

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
    """Pages to be landed together: a few as they came, the others typed, on disk, and without private fields.

    ``settle`` types the last of them, ``clear`` drops all of them. Private fields stay where they are to be stored.
    """

    feed: Feed
    source: str
    store_private: bool = False
    fetched: int = 0
    waiting: Waiting = field(init=False)
    rejected: list[Rejected] = field(default_factory=list)
    _cuts: list[Cut] = field(default_factory=list)

    def __post_init__(self) -> None:
        deciding = dict.fromkeys(["dr_sid", self.feed.sort_key, "date_insert"])
        self.waiting = Waiting(decoded_schema(self.table), list(deciding))

    @property
    def table(self) -> Table:
        return BY_NAME[f"land/{self.feed.resource}"]

    def add(self, page: Page) -> None:
        """Holds a page; pages that were cut are typed when there are a few with the same keys."""
        self.fetched += page.fetched
        items = page.items
        if not (isinstance(items, Cut) and self._room_for(items)):
            self.settle()
        if isinstance(items, Cut):
            self._cuts.append(items)
        else:
            self._take(decode(items, *self._how(), store_private=self.store_private))
        for item in page.unreadable:
            sid = item.known.get("dr_sid")
            self.rejected.append(Rejected(item.raw, sid if isinstance(sid, str) else None, item.reason))

    def settle(self) -> None:
        """Types what waits for it."""
        cuts, self._cuts = self._cuts, []
        if cuts:
            self._take(decode_cuts(cuts, *self._how(), store_private=self.store_private))

    def clear(self) -> None:
        """Holds nothing any more."""
        self.fetched = 0
        self.waiting.clear()
        self.rejected.clear()
        self._cuts.clear()

    def _room_for(self, page: Cut) -> bool:
        waiting = self._cuts
        size = sum(len(cut.text) for cut in waiting)
        return not waiting or (
            len(waiting) < _TOGETHER and size < _MOST_BYTES and waiting[0].names == page.names
        )

    def _how(self) -> tuple[Table, str, str]:
        return self.table, self.source, self.feed.sort_key

    def _take(self, decoded: tuple[pa.Table, list[Rejected]]) -> None:
        self.waiting.add(decoded[0])
        self.rejected += decoded[1]


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
    try:
        for page in pages:
            batch.add(page)
        return land_batch(lake, batch, bookmark, now=now)
    finally:
        batch.clear()


def land_batch(lake: Lake, batch: Batch, bookmark: Bookmark, *, now: datetime) -> Landed:
    """Lands what is held and moves the bookmark, in one commit; counts as ``land_pages``."""
    batch.settle()
    feed, source = batch.feed, batch.source
    result = Landed(fetched=batch.fetched, quarantined=len(batch.rejected))
    current = older = Written()
    incoming = batch.waiting.rows()
    if len(incoming):
        current, older = _merge(lake, batch, incoming, result, now)
    result.days |= current.days
    rejected = stage_rejected(lake, feed.resource, source, batch.rejected, now)
    staged = [*current.staged, *older.staged, *rejected]
    with lake.ledger.transaction() as tx:
        commit_id = lake.commit(tx, staged, at=now, stage="land", note=feed.resource, remove=current.gone)
        _count(tx, commit_id, source, feed.resource, result)
        bookmarks.write(tx, source, feed.resource, bookmark, now)
    return result


def _merge(
    lake: Lake, batch: Batch, incoming: Rows, result: Landed, now: datetime
) -> tuple[Written, Written]:
    """The files of the current contents, and of those that were superseded."""
    table, sids = batch.table, hashed(pl.Series(incoming.keys["dr_sid"]))
    versions = BY_NAME[f"{table.name}_versions"]
    if sids.n_unique() == len(sids) and not any(found_in(lake, of.name, sids) for of in (table, versions)):
        # All of it is new, as it mostly is.
        dates = list({"date_insert", batch.feed.sort_key})
        _measure_lag(pl.DataFrame(incoming.keys.select(dates)), batch.feed, result)
        result.fresh += len(sids)
        rows = incoming.each(partial(_first_revisions, table=table, now=now))
        return write_days(lake, table.name, rows, [batch.feed.sort_key, "dr_sid"]), Written()
    return _merge_changes(lake, batch, pl.DataFrame(incoming.whole()), result, now)


def _first_revisions(piece: pa.Table, table: Table, now: datetime) -> pa.Table:
    count = len(piece)
    landed_at = pa.repeat(pa.scalar(now, table.schema.field("landed_at").type), count)
    whole = piece.append_column("revision", pa.repeat(pa.scalar(1, pa.int32()), count))
    return whole.append_column("landed_at", landed_at).select(table.schema.names)


def _merge_changes(
    lake: Lake, batch: Batch, incoming: pl.DataFrame, result: Landed, now: datetime
) -> tuple[Written, Written]:
    feed, table, source = batch.feed, batch.table, batch.source
    versions = BY_NAME[f"{table.name}_versions"]
    incoming = _once(incoming, content(table))
    known = held_rows(lake, table, incoming, source)
    held = known.keys
    changed = incoming.filter(~pl.col("_seen").is_in(known.same.implode()))
    rows = _ranked(changed, held, held_rows(lake, versions, changed, source), now)
    if rows.is_empty():
        return Written(), Written()
    _measure_lag(rows.filter(pl.col("revision") == 1), feed, result)
    current, superseded = _resolve(rows, held, lake, versions, now)
    result.fresh += rows.filter(pl.col("_held").is_null())["dr_sid"].n_unique()
    result.superseding += rows.height - result.fresh
    leaving = held.filter(pl.col("dr_sid").is_in(current["dr_sid"].implode()))
    rows = current.select(table.schema.names).to_arrow().cast(table.schema)
    older = superseded.select(versions.schema.names).to_arrow().cast(versions.schema)
    keys = [feed.sort_key, "dr_sid"]
    return (
        write_days(lake, table.name, Rows.of(rows, keys), keys, leaving),
        write_days(lake, versions.name, Rows.of(older, [*keys, "revision"]), [*keys, "revision"]),
    )


def _measure_lag(fresh: pl.DataFrame, feed: Feed, result: Landed) -> None:
    lag = fresh["date_insert"] - fresh[feed.sort_key]
    longest = lag.max()
    if isinstance(longest, timedelta):
        result.slowest = max(longest, timedelta(0))
        result.late = int((lag > LATE).sum())


def _once(incoming: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """One row per record and content, in the order of arrival."""
    incoming = incoming.with_row_index("_seen")
    if incoming["dr_sid"].n_unique() == incoming.height:
        return incoming
    several = pl.col("dr_sid").is_duplicated()
    apart = incoming.filter(several).unique(names, keep="last")
    return pl.concat([incoming.filter(~several), apart]).sort("_seen")


def _ranked(changed: pl.DataFrame, held: pl.DataFrame, older: Held, now: datetime) -> pl.DataFrame:
    """The contents to land, oldest version first, each with its revision.

    Revisions count on from the highest ever given. A superseded content that comes once more with its old version
    says nothing new and is left out.
    """
    current = held.select("dr_sid", pl.col("version").fill_null(-1).alias("_held"))
    last = pl.concat([held, older.keys]).group_by("dr_sid").agg(pl.col("revision").max().alias("_last"))
    rows = (
        changed.with_columns(pl.col("version").fill_null(-1).alias("_rank"))
        .join(current, on="dr_sid", how="left", maintain_order="left")
        .join(last, on="dr_sid", how="left", maintain_order="left")
        .filter(~pl.col("_seen").is_in(older.same.implode()) | (pl.col("_rank") >= pl.col("_held")))
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
    labels = set(going["_label"])
    files = [file for file in lake.files(table) if file.label in labels]
    return lake.scan_files(table, files).join(going.select(ID).lazy(), on=ID, how="semi").collect()


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

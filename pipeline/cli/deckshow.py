"""Shows what differs between two versions of a plan: counts, the biggest changes, all of them as CSV or JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.show import as_json, money, say, table, when
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.rate.deck.diff import Diff, RateChange


def show_diff(diff: "Diff", said: dict[str, Any], *, csv: Path | None, limit: int, json: bool) -> None:
    """``said`` is what goes before the changes in JSON: plan, versions and so on."""
    from pipeline.lake.disk import whole
    from pipeline.rate.deck.diff import write_changes

    if csv is not None:
        try:
            with whole(csv) as making, making.open("w", encoding="utf-8", newline="") as file:
                write_changes(diff.changes, file)
        except OSError as error:
            msg = f"{csv} cannot be written: {error.strerror}. Name a file in a folder that is there."
            raise SettingsError(msg) from None
    counts = diff.counts | {"unchanged": diff.unchanged, "effective_later": diff.later}
    biggest = diff.biggest(limit)
    if json:
        as_json(said | {"counts": counts, "biggest": [_plain(c) for c in biggest]})
        return
    shown = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    say(", ".join(shown) or "nothing has changed")
    if biggest:
        table(
            ("change", "for", "country", "before", "after", "%", "from"),
            [_row(c) for c in biggest],
            right=("before", "after", "%"),
        )
    if biggest and len(diff.changes) > len(biggest):
        say(f"... {len(diff.changes) - len(biggest):,} more changes; --csv FILE writes all", style="dim")


def _row(change: "RateChange") -> tuple[Any, ...]:
    stated = _where(change)
    country = stated.pop("country_code", None)
    where = [f"{name} {text}" if name != "prefix" else str(text) for name, text in stated.items()]
    percent = "" if change.percent is None else f"{change.percent:+f}"
    return (
        change.kind,
        " ".join(where) or "default",
        country,
        _price(change.before),
        _price(change.after),
        percent,
        when(change.starts),
    )


def _where(change: "RateChange") -> dict[str, Any]:
    row = change.after or change.before
    names = ("origin_prefix", "jurisdiction", "window", "mcc", "mnc", "country_code")
    found = {"prefix": change.prefix} | {name: getattr(row, name) for name in names}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _plain(change: "RateChange") -> dict[str, Any]:
    from pipeline.rate.deck.diff import price_text

    prices = {"before": price_text(change.before) or None, "after": price_text(change.after) or None}
    since = {"percent": change.percent, "starts": change.starts}
    return {"change": change.kind} | _where(change) | prices | since


def _price(rate: Any) -> str:
    if rate is None:
        return ""
    return "blocked" if rate.price is None or rate.blocked else money(rate.price)

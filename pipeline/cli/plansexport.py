"""``plans export``: rate sheets as a customer gets them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import Json, instant, open_desk
from pipeline.cli.plans import plans
from pipeline.cli.show import as_json, say
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.desk import Desk
    from pipeline.domain.rate_plan import RatePlan
    from pipeline.rate.deck.export import Sent, Sheet


@plans.command()
def export(
    plan: Annotated[str, typer.Argument(help="A plan's name; not needed with --customer.")] = "",
    customer: Annotated[str, typer.Option(help="The plans that this partner_sid is billed on.")] = "",
    at: Annotated[str | None, typer.Option(help="In force at this instant; default now.")] = None,
    out: Annotated[
        Path, typer.Option(help="A file, .csv or .xlsx; or a folder, which gets both for every plan.")
    ] = Path(),
    draft: Annotated[bool, typer.Option("--draft", help="Do not remember it as sent.")] = False,
    json: Json = False,
) -> None:
    """Write a rate sheet, with what has changed since the last one sent.

    With --customer it is remembered as sent to that customer, without as sent to all; the next one says per row what
    is new, up, down or gone since, the old price, and from when. `plans import` reads it back as the same plan.
    """
    from pipeline.rate.deck.export import Sent

    if bool(plan) == bool(customer):
        raise typer.BadParameter("name either a plan or a --customer")
    when = instant(at)
    desk = open_desk(watch=False)
    sent = Sent(desk.settings.home / "rate_sheets" / (_folder(customer) if customer else "all"))
    with desk.locked():
        sheets = _sheets(desk, _plans(desk, plan, customer, when), sent)
        files = _write(sheets, out)
        if not draft:
            for sheet in sheets:
                sent.record(sheet, desk.now)
    if json:
        as_json([_said(sheet, files) for sheet in sheets])
        return
    for sheet in sheets:
        since = f"since {sheet.since}: {_counts(sheet)}" if sheet.since else "the first one sent"
        say(f"{sheet.plan.plan_sid} {sheet.plan.version}: {len(sheet.plan.rates):,} rates, {since}")
    for file in files:
        say(f"  {file}")


def _plans(desk: "Desk", plan: str, customer: str, at: "datetime") -> "list[RatePlan]":
    from pipeline.rate.deck.export import plans_of
    from pipeline.rate.plans import stored_plan, with_rates
    from pipeline.rate.world import read_world

    if plan:
        return [stored_plan(desk.lake, plan, at)]
    if customer not in desk.masters.customers:
        msg = f"{customer!r} is no customer of {desk.settings.masters / 'customers.csv'}. Add it there first."
        raise SettingsError(msg)
    found = plans_of(read_world(desk.lake, desk.masters, desk.root()), customer, at)
    if not found:
        msg = f"{customer} is billed on no plan at {at:%Y-%m-%d %H:%M}. Give it one with `tollbook plans assign`."
        raise SettingsError(msg)
    return [with_rates(desk.lake, one) for one in found]


def _sheets(desk: "Desk", found: "list[RatePlan]", sent: "Sent") -> "list[Sheet]":
    from pipeline.rate.deck.export import rate_sheet

    rows = desk.lake.scan("land/countries").sort("valid_from").collect().iter_rows(named=True)
    countries = {row["iso_3166_alpha_3"]: row["common_name"] or "" for row in rows}
    return [rate_sheet(plan, sent.last_before(plan), countries) for plan in found]


def _write(sheets: "list[Sheet]", out: Path) -> list[Path]:
    from pipeline.rate.deck.export import written

    if out.suffix.lower() in (".csv", ".xlsx"):
        if len(sheets) > 1:
            names = ", ".join(sheet.plan.plan_sid for sheet in sheets)
            raise SettingsError(f"there are {len(sheets)} sheets ({names}). Name a folder with --out.")
        files = {out: sheets[0]}
    else:
        stems = {sheet.plan.plan_sid.replace(":", "_") + f".{sheet.plan.version}": sheet for sheet in sheets}
        files = {out / f"{stem}{kind}": sheet for stem, sheet in stems.items() for kind in (".csv", ".xlsx")}
    try:
        for path, sheet in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            written(path, sheet.content(path))
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}. Name a file or a folder that can be."
        raise SettingsError(msg) from None
    return list(files)


def _folder(customer: str) -> str:
    """A folder of the customer's own, whatever its sid holds."""
    return "to-" + re.sub(r"[^A-Za-z0-9_-]", lambda found: f"%{ord(found[0]):02X}", customer)


def _counts(sheet: "Sheet") -> str:
    if sheet.changes is None:
        return ""
    counts = [f"{count:,} {kind}" for kind, count in sheet.changes.counts.items() if count]
    return ", ".join(counts) or "nothing has changed"


def _said(sheet: "Sheet", files: list[Path]) -> dict[str, object]:
    return {
        "plan": sheet.plan.plan_sid,
        "version": sheet.plan.version,
        "rates": len(sheet.plan.rates),
        "since": sheet.since,
        "counts": sheet.changes.counts if sheet.changes else None,
        "files": files,
    }

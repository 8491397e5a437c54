"""``demo``, ``sandbox``, ``run`` and the stages one by one."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.app import AsOf, Json, app, instant, open_desk
from pipeline.cli.show import as_json, clear_line, heading, out, progress_line, say, table
from pipeline.errors import TollbookError

if TYPE_CHECKING:
    from pipeline.land.snapshots import SnapshotLanded

Calls = Annotated[int, typer.Option(help="Call detail records in the month.")]
Messages = Annotated[int, typer.Option(help="Message detail records in the month.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same data.")]
PriceUnit = Annotated[
    int | None,
    typer.Option(help="Let the sandbox price per this many seconds, against its own documents."),
]
Fraud = Annotated[
    str,
    typer.Option(help="Fraud to plant: all, or kinds with commas, like wangiri,spend; see `tollbook fraud`."),
]
_DEMO_FAULTS = "late_inserts=0.002,wrong_charges=7,missing_answer=1"


@app.command()
def demo(
    home: Annotated[Path | None, typer.Option(help="Where the demo's home shall be.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove what an earlier demo left and start again.")
    ] = False,
    calls: Calls = 100_000,
    messages: Messages = 20_000,
    seed: Seed = 1,
    price_unit: PriceUnit = None,
    faults: Annotated[str, typer.Option(help="What the sandbox does wrong.")] = _DEMO_FAULTS,
    fraud: Fraud = "",
) -> None:
    """Bill a month of a made-up carrier: sandbox provider, whole journey, invoices, statement."""
    from pipeline.cli.summary import print_summary
    from pipeline.defs.journey import run_journey
    from pipeline.desk import Desk
    from pipeline.homes import DEMO_NOW, DEMO_TOKEN, demo_home, make_demo_home
    from pipeline.provider.faults import Faults
    from pipeline.provider.server import start_background
    from pipeline.provider.world import WorldConfig
    from pipeline.settings import load, use_home

    folder = (home or demo_home()).resolve()
    started = time.monotonic()
    config = WorldConfig(
        seed=seed,
        calls=calls,
        messages=messages,
        price_unit=price_unit,
        faults=Faults.parse(faults),
        fraud=fraud,
    )
    show = progress_line()
    show("starting the sandbox provider")
    with start_background(config, DEMO_TOKEN) as provider:
        make_demo_home(folder, provider.url, fresh=fresh)
        use_home(folder)
        desk = Desk.open(load(folder), now=instant(DEMO_NOW), progress=show)
        desk.import_decks()
        result = run_journey(desk)
    clear_line()
    print_summary(desk, result, seconds=time.monotonic() - started)
    result.check()


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8642,
    host: Annotated[str, typer.Option(help="Stay on loopback: the token is no secret.")] = "127.0.0.1",
    token: Annotated[str, typer.Option(help="The bearer token it accepts.")] = "sandbox-token",
    calls: Annotated[int, typer.Option("--records", "--calls", help="Call detail records.")] = 100_000,
    messages: Messages = 20_000,
    partners: Annotated[int, typer.Option(help="Partners in the tree, our own included.")] = 25,
    days: Annotated[int, typer.Option(help="UTC days of traffic from 2026-03-01 on.")] = 32,
    seed: Seed = 1,
    price_unit: PriceUnit = None,
    faults: Annotated[
        str, typer.Option(help="name=value,..., like http_500=0.02; a wrong name lists all.")
    ] = "",
    fraud: Fraud = "",
) -> None:
    """Run the sandbox provider alone, to try tollbook or curl on."""
    from pipeline.provider.faults import Faults
    from pipeline.provider.server import serve
    from pipeline.provider.world import World, WorldConfig

    config = WorldConfig(
        seed=seed,
        calls=calls,
        messages=messages,
        partners=partners,
        days=days,
        price_unit=price_unit,
        faults=Faults.parse(faults),
        fraud=fraud,
    )

    def listening(url: str) -> None:
        say(f"the sandbox provider listens at {url}", style="bold")
        say(f"  curl -H 'Authorization: Bearer {token}' '{url}/calls/call_drs?limit=1&order=date_stop+desc'")
        say("  stop it with Ctrl-C")

    serve(World(config), host, port, token, on_ready=listening)


@app.command()
def run(as_of: AsOf = None, json: Json = False) -> None:
    """The whole journey against the configured provider: what the schedule runs."""
    from pipeline.cli.summary import print_summary, summary
    from pipeline.defs.journey import run_journey

    desk = open_desk(as_of, watch=not json)
    started = time.monotonic()
    result = run_journey(desk)
    clear_line()
    if json:
        as_json(summary(desk) | {"problems": result.problems()})
    elif desk.root_sid is not None:
        print_summary(desk, result, seconds=time.monotonic() - started)
    result.check()


@app.command()
def pull(
    everything: Annotated[
        bool,
        typer.Option("--all", help="Trunks, access rules, batches, Mediator bindings and so on as well."),
    ] = False,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """Fetch what is new and land it. Safe to run again at any time."""
    from pipeline.domain.cursor import FEEDS
    from pipeline.land.snapshots import SNAPSHOTS

    desk = open_desk(as_of, watch=not json)
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    with desk.locked():
        for snapshot in SNAPSHOTS:
            desk.progress(snapshot.resource)
            done = desk.pull_snapshot(snapshot.resource)
            rows.append((snapshot.resource, *_changes(done)))
        for plan in desk.pull_rates():
            rows.append((f"rates {plan.plan}", plan.rows, plan.rows if plan.new else 0, 0, 0, 0))
        for feed in FEEDS:
            got = desk.pull_feed(feed)
            counts = (got.fetched, got.fresh, got.superseding, got.identical, got.quarantined)
            rows.append((feed.resource, *counts, got.late, got.lag))
            notes += got.problems
        for found in desk.pull_dimensions() if everything else ():
            rows.append((found.resource, *(_changes(found.landed) if found.landed else ())))
            notes += [f"{found.resource}: {found.reason}"] if found.reason else []
        desk.publish()
    clear_line()
    columns = ("resource", "fetched", "new", "superseded", "identical", "quarantined", "late", "lag")
    rows = [row + (None,) * (len(columns) - len(row)) for row in rows]
    if json:
        as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(columns, rows, right=columns[1:])
        for note in notes:
            say(note, style="dim")


def _changes(done: "SnapshotLanded") -> tuple[int, ...]:
    return done.rows, done.new, done.gone, done.rows - done.new, done.quarantined


@app.command()
def rate(as_of: AsOf = None, json: Json = False) -> None:
    """Rate the days whose records, plans or assignments changed."""
    from pipeline.cli.summary import print_rating, rating

    desk = open_desk(as_of, watch=not json)
    desk.rate()
    desk.roll_up()
    desk.publish()
    clear_line()
    if json:
        as_json(rating(desk))
    else:
        print_rating(desk)


@app.command()
def invoice(as_of: AsOf = None, json: Json = False) -> None:
    """Draft what is due as of now, and issue what needs no approval."""
    from pipeline.cli.summary import print_billing

    desk = open_desk(as_of, watch=not json)
    for gap in () if json else desk.tax_gaps():
        say(gap, style="yellow")
    report = desk.invoice()
    desk.publish()
    clear_line()
    if json:
        as_json(report)
    else:
        print_billing(desk, report)


@app.command()
def render(as_of: AsOf = None, json: Json = False) -> None:
    """Make the HTML and PDF documents that are missing."""
    desk = open_desk(as_of, watch=not json)
    report = desk.render()
    clear_line()
    _report("render", report, json)


@app.command()
def deliver(
    resend: Annotated[
        list[str] | None, typer.Option(help="Send this invoice again, by number or sid.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(help="To this address, for the invoices of --resend or --provider-invoice."),
    ] = None,
    provider_invoice: Annotated[
        str | None,
        typer.Option(help="Only ask the provider to e-mail this invoice of its own, by display_id or sid."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who decides; goes on record.")] = None,
    bounces: Annotated[
        Path | None,
        typer.Option(help="A folder of mails, or a maildir: read the delivery reports in it first."),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(
            help="Only write what would be sent into this folder, as .eml and .html; nothing is sent."
        ),
    ] = None,
    as_of: AsOf = None,
    json: Json = False,
) -> None:
    """E-mail what is issued and not yet sent; each message at most once."""
    desk = open_desk(as_of, watch=not json)
    if provider_invoice is not None:
        sid = desk.mail_provider_invoice(provider_invoice, tuple(to or ()), by=by)
        say(f"the provider was asked to e-mail its invoice {sid} to {', '.join(to or ())}")
        return
    if preview is not None:
        previewed = desk.preview_mails(preview)
        if json or previewed.messages or previewed.problems:
            _report("preview", previewed, json)
        else:
            say("nothing waits to be sent")
        return
    report = desk.deliver(tuple(resend or ()), to=tuple(to or ()), by=by, bounces=bounces)
    desk.publish()
    clear_line()
    _report("deliver", report, json)


def _report(title: str, report: object, json: bool) -> None:
    if json:
        as_json(report)
        _check(report)
        return
    heading(title)
    for name in report.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(report, name)
        if not name.startswith("_") and value not in (None, (), [], {}, ""):
            out.print(f"  {name.replace('_', ' ')}: ", end="", style="dim")
            say("".join(f"\n    {one}" for one in value) if isinstance(value, (list, tuple)) else str(value))
    _check(report)


def _check(report: object) -> None:
    if getattr(report, "no_server", ""):
        raise TollbookError("nothing could be sent; see above.")
    problems = getattr(report, "problems", ())
    if problems:
        raise TollbookError(f"{len(problems)} of them did not go well; see the problems above.")

"""Examines a home: what works, what does not, and what to do about it. Nothing is changed."""

import ctypes.util
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ForbiddenError, TollbookError
from pipeline.settings import Settings, load

if TYPE_CHECKING:
    from pipeline.lake.lake import Lake
    from pipeline.masters.model import Masters

_LOW_DISK = 2 * 1024**3
_SOON = timedelta(days=30)
_NAMED = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCOPED = {
    "calls": "/calls/call_drs",
    "messages": "/sms/message_drs",
    "partners": "/partners",
    "DIDs": "/phonenumber/dids",
    "endpoints": "/endpoints",
    "countries": "/countries",
    "invoices": "/invoices",
    "call rates": "/calls/rates/outbound/pstn",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``grade`` is good, warn or bad; ``remedy`` says what to do, empty when all is well."""

    what: str
    found: str
    grade: str = "good"
    remedy: str = ""


def examine(home: Path, *, today: date) -> Iterator[Finding]:
    """Everything there is to say about a home as of ``today``, cheapest first."""
    yield Finding("home", str(home))
    try:
        settings = load(home)
    except TollbookError as error:
        yield Finding("settings", str(error), "bad", "mend the setting it names")
        return
    yield from _settings(settings)
    masters = yield from _masters(settings, today)
    yield from _machine(settings)
    yield from _ledger(settings, masters, today)
    yield from _provider(settings)
    yield from _sources(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    token = settings.api_token or settings.oauth_client_id
    for name, value, remedy in (
        ("api_token", token and "set", "set TOLLBOOK_API_TOKEN (read-only scopes are enough)"),
        ("bill_from", settings.bill_from, "set bill_from: nothing that ended before it is invoiced"),
        ("from_email", settings.from_email, "set from_email: invoices need a sender"),
    ):
        yield Finding(name, str(value), "good") if value else Finding(name, "not set", "bad", remedy)
    where = (
        "SMTP server"
        if settings.smtp_url
        else f"{settings.home / 'outbox'} (no smtp_url: messages become files)"
    )
    yield Finding("mail goes to", where)


def _masters(settings: Settings, today: date) -> Generator[Finding, None, "Masters | None"]:
    from pipeline.masters.files import read_masters

    try:
        masters = read_masters(settings.masters)
    except TollbookError as error:
        yield Finding("masters", str(error), "bad", "mend the lines it names")
        return None
    counts = (len(masters.customers), len(masters.sellers), len(masters.assignments))
    found = "{} customers, {} sellers, {} assignments".format(*counts)
    remedy = _unfilled(masters)
    yield Finding("masters", found, "warn" if remedy else "good", remedy)
    if masters.customers and not settings.tax_engine:
        yield from _taxes(masters, today)
    return masters


def _unfilled(masters: "Masters") -> str:
    """What to do first, where nobody can be billed yet; empty where somebody can."""
    if not masters.customers:
        return "nobody is billed yet: fill in masters/customers.csv; `tollbook customers missing` drafts its rows"
    if not masters.assignments:
        return (
            "no customer has a plan, so nothing has a price: `tollbook plans import` brings one in, "
            "`tollbook plans assign` says who is billed on it"
        )
    return ""


def _rents(masters: "Masters", lake: "Lake", root_sid: str, today: date) -> Iterator[Finding]:
    """Whose numbers nobody has set a price for: better said now than by a draft."""
    from pipeline.invoice.gate import Tree
    from pipeline.invoice.rent import by_payer, holdings, without_price

    found = lake.query("select partner_sid, parent_sid from land.partners")
    tree = Tree(root_sid, {row["partner_sid"]: row["parent_sid"] for row in found}, masters.customers)
    with lake.duck() as con:
        held = by_payer((each for each in holdings(con) if each.end is None), tree.payers)
    unset = {
        masters.customers[payer].name: len(numbers)
        for (payer, _), rented in held.items()
        if (numbers := without_price(masters.customers[payer], rented, masters.did_prices, today))
    }
    if unset:
        names = ", ".join(sorted(unset)[:_NAMED]) + (", ..." if len(unset) > _NAMED else "")
        yield Finding(
            "phone numbers",
            f"{sum(unset.values())} held by {len(unset)} customers ({names}) have no price of yours",
            "warn",
            "they are charged what the provider charges you, and invoices in another currency than its own wait: set "
            "did_price in masters/customers.csv, 0 for free, or rows in masters/did_prices.csv",
        )


def _plans(masters: "Masters", lake: "Lake") -> Iterator[Finding]:
    """Plans that somebody is on and that are not there: a slip of the pen, or a deck that was never imported."""
    from pipeline.rate.plans import load_plans

    there = {plan.plan_sid for plan in load_plans(lake)} | {markup.plan_sid for markup in masters.markups}
    if missing := sorted({assignment.plan_sid for assignment in masters.assignments} - there):
        yield Finding(
            "plans",
            f"assignments.csv names {', '.join(missing)}, of which no rates have been imported",
            "warn",
            "what falls to it has no price: `tollbook plans import DECK --plan NAME --effective DAY`, or `tollbook "
            "plans import --all` for what masters/decks/decks.toml lists; `tollbook plans list` names all there are",
        )


def _taxes(masters: "Masters", today: date) -> Iterator[Finding]:
    """Tables of taxes run out, quarterly ones four times a year: better said now than by customers that are parked."""
    from pipeline.masters.taxes import tax_gaps

    customers = masters.customers.values()
    now = tax_gaps(masters, ((c, today) for c in customers))
    soon = tax_gaps(masters, ((c, today + _SOON) for c in customers))
    for gap in now:
        yield Finding("taxes", gap, "warn", "until then their invoices wait")
    for gap in soon:
        if gap not in now:
            yield Finding("taxes", gap, "warn", f"their invoices wait for it from {today + _SOON} on")
    if not soon:
        yield Finding("taxes", f"known for every customer up to {today + _SOON}")


def _machine(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.home).free
    low = free < _LOW_DISK
    yield Finding(
        "disk", f"{free / 1024**3:.1f} GiB free", "warn" if low else "good", "make room" if low else ""
    )
    if ctypes.util.find_library("pango-1.0"):
        yield Finding("PDF", "Pango is here")
        return
    remedy = (
        "Debian/Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core; "
        "macOS: brew install pango"
    )
    yield Finding("PDF", "Pango is missing: invoices come as HTML only", "warn", remedy)


def _ledger(settings: Settings, masters: "Masters | None", today: date) -> Iterator[Finding]:
    from pipeline.lake.lake import Lake
    from pipeline.ledger.ledger import Ledger

    try:
        ledger = Ledger.open(settings.ledger_url)
    except TollbookError as error:
        yield Finding("ledger", str(error), "bad", "see the message")
        return
    bound = ledger.get("provider_url")
    yield Finding("ledger", f"opens; belongs to {bound}" if bound else "opens; not bound to a provider yet")
    lake = Lake(settings.home, ledger)
    with lake.ask() as ask:
        # A question about the catalogue makes every view.
        ask("show databases")
        for name, why in ask.broken.items():
            yield Finding(name, why, "bad", "mend that file: whatever needs it fails, and only that")
    if masters:
        yield from _plans(masters, lake)
    root_sid = ledger.get("partner_sid")
    if masters and root_sid:
        try:
            yield from _rents(masters, lake, root_sid, today)
        except TollbookError as error:
            yield Finding("phone numbers", str(error), "bad", "see the message")
    ledger.close()


def _provider(settings: Settings) -> Iterator[Finding]:
    from pipeline.desk.room import provider_token
    from pipeline.pull.client import Client, Patience
    from pipeline.pull.snapshots import whoami

    if not (settings.api_token or settings.oauth_client_id):
        return
    try:
        patience = Patience(connect=5, read=15, page=20, attempts=2)
        with Client(settings.api_url, provider_token(settings), patience) as client:
            partner = whoami(client)
            yield Finding(
                "provider", f"answers; we are {partner.get('company_name')} ({partner.get('partner_sid')})"
            )
            for name, path in _SCOPED.items():
                yield _scope(client, name, path)
    except TollbookError as error:
        yield Finding("provider", str(error), "bad", "see the message")


def _sources(settings: Settings) -> Iterator[Finding]:
    """Other providers: whether each lets us ask, about a second in which nobody wrote."""
    from pipeline.desk.room import quiet
    from pipeline.desk.sources import sources

    try:
        for source in sources(settings, quiet):
            with closing(source):
                list(source.read(_EPOCH, _EPOCH + timedelta(seconds=1)))
                yield Finding(source.name, f"answers for the account {source.account}")
    except TollbookError as error:
        yield Finding("second provider", str(error), "bad", "see the message")


def _scope(client: object, name: str, path: str) -> Finding:
    try:
        client.get(path, {"limit": 1})  # type: ignore[attr-defined]
    except ForbiddenError as error:
        return Finding(f"scope for {name}", "missing", "bad", str(error))
    except TollbookError as error:
        return Finding(f"scope for {name}", str(error), "warn", "try again later")
    return Finding(f"scope for {name}", "granted")

"""The dashboard: a month on one page that needs no network, and the same for one customer's usage.

A page holds everything it needs: styles, drawings, the queries behind its figures. It runs no script, and its policy
forbids every request. The figures are those of ``reportdata``; how they look is in ``templates/report``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError

from pipeline.errors import RenderError, SettingsError
from pipeline.lake.disk import replace_text
from pipeline.lake.lake import Lake
from pipeline.render.formats import Formats
from pipeline.render.html import environment
from pipeline.render.reportchart import grouped, heat, percent_line, stacked
from pipeline.render.reportdata import Asked, Month, ask, company_of

# A month that has hardly begun shows nothing: until its fifth day the one before it is the one to look at.
_BEGUN = timedelta(days=4)
_CHARTS = {"stacked": stacked, "grouped": grouped, "percent_line": percent_line, "heat": heat}
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class ReportWritten:
    """A page, and the figures that are on it."""

    path: Path
    month: Month
    answers: Mapping[str, Asked]


def latest_month(days: Sequence[date]) -> Month:
    """The month that the newest of the landed days makes interesting.

    Raises:
        SettingsError: nothing has landed yet.
    """
    if not days:
        msg = "there is no traffic to report on yet. Run `tollbook pull` and `tollbook rate` first."
        raise SettingsError(msg)
    return Month((max(days) - _BEGUN).replace(day=1))


def write_report(
    lake: Lake,
    month: Month,
    *,
    landings: Sequence[Mapping[str, Any]],
    customer: str | None,
    target: Path | None,
    now: datetime,
    templates: Path | None = None,
    shorten: Callable[[Any], None] | None = None,
) -> ReportWritten:
    """Writes the page of a month, or that of one customer in it.

    ``shorten`` has a connection answer from roll-ups what it would ask of all records.

    Raises:
        SettingsError: there is no such customer.
        RenderError: a template is wrong; the message names it.
    """
    company = company_of(lake, customer) if customer else None
    answers = ask(lake, month, landings, customer, shorten)
    text = _rendered(answers, month, company, now, templates)
    path = target or _place(lake.home, month, customer)
    path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    replace_text(path, text)
    path.chmod(_PRIVATE_FILE)
    return ReportWritten(path, month, answers)


def _place(home: Path, month: Month, customer: str | None) -> Path:
    """Where a page lies unless somebody says otherwise."""
    if customer and not customer.replace("-", "").isalnum():
        msg = f"{customer!r} cannot be a file's name. Say with --out where the page shall be."
        raise SettingsError(msg)
    return home / "reports" / (f"{month}-{customer}.html" if customer else f"{month}.html")


def _rendered(
    answers: Mapping[str, Asked],
    month: Month,
    company: str | None,
    now: datetime,
    templates: Path | None,
) -> str:
    name = "report/customer.html.j2" if company else "report/report.html.j2"
    page = environment(templates)
    try:
        return page.get_template(name).render(
            asked=answers,
            charts=_CHARTS,
            formats=Formats.of("en", "UTC", _currency(answers)),
            currency=_currency(answers),
            month=month,
            last=month.after - timedelta(days=1),
            company=company,
            now=now,
        )
    except (TemplateError, SecurityError, TypeError, AttributeError, ArithmeticError, KeyError) as error:
        where = getattr(error, "name", None) or name
        reason = f"{type(error).__name__}: {error}"
        msg = f"template {where} cannot be rendered ({reason}). Correct it, or remove your copy of it."
        raise RenderError(msg) from error


def _currency(answers: Mapping[str, Asked]) -> str:
    """The currency that most of the money is in; charts are drawn in it."""
    rows = answers["money"].rows if "money" in answers else answers["customer_usage"].rows
    return next((row["currency"] for row in rows if row["currency"]), "USD")

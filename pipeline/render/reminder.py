"""The words of a reminder: the policy's own, filled in, and a page and a text around them.

What a level says is the house's own text in ``policy.toml``; figures and dates are written the customer's way.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError

from pipeline.errors import RenderError
from pipeline.render.document import ACCENT
from pipeline.render.formats import Formats, clean
from pipeline.render.html import environment


def render_reminder(
    invoice: Mapping[str, Any],
    *,
    subject: str,
    text: str,
    amount: Decimal,
    days_overdue: int,
    templates: Path | None = None,
) -> str:
    """JSON of subject, text and html for a row of ``invoices``. ``subject`` and ``text`` may say ``{number}``,
    ``{name}``, ``{amount}``, ``{due}`` and ``{days}``.

    Raises:
        RenderError: a template is wrong; the message names it.
    """
    snapshot = json.loads(invoice["snapshot"])
    customer, seller = snapshot["customer"], snapshot["seller"]
    formats = Formats.of(customer["language"], customer["time_zone"], invoice["currency"])
    values = {
        "number": invoice["number"],
        "name": customer["name"],
        "amount": formats.money(amount),
        "due": formats.long_date(invoice["date_due"]),
        "days": str(days_overdue),
    }
    told = {
        "formats": formats,
        "language": formats.locale.language,
        "seller": seller,
        "accent": seller["accent"] if re.fullmatch(r"#[0-9a-fA-F]{6}", seller["accent"]) else ACCENT,
        "number": invoice["number"],
        "amount": amount,
        "due": invoice["date_due"],
        "paragraphs": [part.strip() for part in _filled(text, values).split("\n\n") if part.strip()],
    }
    words = {
        "subject": " ".join(clean(_filled(subject, values)).split()),
        "text": _render("email/reminder.txt.j2", told, templates),
        "html": _render("email/reminder.html.j2", told, templates),
    }
    return json.dumps(words, sort_keys=True, ensure_ascii=False)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Each ``{name}`` once, from left to right: a customer's own name is never taken for a place to fill in."""
    parts = text.split("{")
    done = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        done.append(values[name] + rest if closed and name in values else "{" + part)
    return "".join(done)


def _render(name: str, told: Mapping[str, Any], templates: Path | None) -> str:
    try:
        return str(environment(templates).get_template(name).render(told))
    except (TemplateError, SecurityError, TypeError, AttributeError, ArithmeticError) as error:
        where = getattr(error, "name", None) or name
        msg = f"template {where} cannot be rendered ({error}). Correct it, or remove your copy of it."
        raise RenderError(msg) from error

"""The words of a reminder: the policy's own, filled in, and a page and a text around them.

What a level says is the house's own text in ``policy.toml``, paragraph by paragraph. Where the catalogue of the
customer's language knows a paragraph, its translation is said instead; figures and dates are the customer's way.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.render.document import party_of
from pipeline.render.formats import clean
from pipeline.render.html import Voice, fill


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
    customer = snapshot["customer"]
    voice = Voice.of(customer["language"], customer["time_zone"], invoice["currency"], templates)
    values = {
        "number": invoice["number"],
        "name": customer["name"],
        "amount": voice.formats.money(amount),
        "due": voice.formats.long_date(invoice["date_due"]),
        "days": voice.formats.count(days_overdue),
    }
    paragraphs = [part.strip() for part in text.split("\n\n")]
    told = {
        # A message shows no logo: it would be an attachment.
        "seller": party_of(snapshot["seller"] | {"logo": ""}, Path()),
        "number": invoice["number"],
        "amount": amount,
        "due": invoice["date_due"],
        "paragraphs": [_said(voice, part, values) for part in paragraphs if part],
    }
    words = {
        "subject": " ".join(clean(_said(voice, subject, values)).split()),
        "text": fill("email/reminder.txt.j2", voice, templates, told),
        "html": fill("email/reminder.html.j2", voice, templates, told),
    }
    return json.dumps(words, sort_keys=True, ensure_ascii=False)


def _said(voice: Voice, english: str, values: Mapping[str, str]) -> str:
    """Each ``{name}`` once, from left to right: a customer's own name is never taken for a place to fill in."""
    parts = voice.words.text(english).split("{")
    done = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        done.append(values[name] + rest if closed and name in values else "{" + part)
    return "".join(done)

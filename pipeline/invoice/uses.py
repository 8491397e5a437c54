"""Uses of features that the provider bills beside calls and messages: which of them a due invoice may bill.

The contract gives no record of a transcription or of spoken text, and a lookup is ours, not a customer's. So a customer
pays for these only where ``per_use.csv`` says so, and what is counted is one of three: lookups that were made for the
customer by name, the use on the provider's own invoices to it, or its calls to a family of applications.
"""

from collections import defaultdict
from datetime import UTC

import pyarrow as pa

from pipeline.domain.period import Period
from pipeline.invoice.charges import Use
from pipeline.invoice.duck import Duck
from pipeline.lake.views import sql_text
from pipeline.masters.model import Masters

SOURCES = ("land/lookups", "land/provider_invoices")
_WANTED = pa.schema([("type", pa.string()), ("source", pa.string()), ("family", pa.string())])


def uses_of(con: Duck, masters: Masters) -> dict[str, list[Use]]:
    """What each due invoice may bill, by invoice_sid; ``due`` and ``own_periods`` are registered before."""
    found: dict[str, list[Use]] = defaultdict(list)
    if not masters.per_use:
        return found
    wanted = [(p.type, p.source, family) for p in masters.per_use for family in p.families or ("",)]
    columns = zip(*wanted, strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, _WANTED, strict=True)]
    con.register("per_use", pa.table(arrays, schema=_WANTED))
    for row in con.execute(sql_text("invoice/uses/unbilled")).fetchall():
        sid, source, kind, family, ref, what, day, quantity, start, end = row
        own = Period(start.astimezone(UTC), end.astimezone(UTC))
        found[sid].append(Use(source, kind, family, ref, what, day, quantity, own))
    return found

"""What may be made to go wrong, each by a name: ``late_inserts=0.02,version_bumps=25,http_500=0.01``.

Faults are seeded like everything else, so a run that met one can be repeated. A new fault is a field here and
one reader: records are spoiled in ``planting`` and ``poison``, pages in ``misleading``, answers in ``disturbance``.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from pipeline.errors import TollbookError

# What ``forbidden`` can name.
RESOURCES = (
    "calls", "messages", "partners", "dids", "endpoints", "countries", "rates", "message_rates", "invoices", "whoami",
    "billing_methods", "trunk_groups", "access_rules", "batch_tasks", "lookups", "mediator", "fone",
)  # fmt: skip


class FaultError(TollbookError):
    """A fault that does not exist, or a value that it cannot take."""


def _fault(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


def _share(doc: str) -> Any:
    """Of all of them, this part: from 0 to 1."""
    return field(default=0.0, metadata={"doc": f"fraction of {doc}", "most": 1})


@dataclass(frozen=True, slots=True)
class Faults:
    """One setting per fault; the default is none of them. Fractions are between 0 and 1."""

    late_inserts: float = _share("calls inserted 20 minutes to 20 hours after they stopped")
    version_bumps: int = _fault(
        0, "calls that become version 3, longer and dearer, 1 to 20 hours after insertion"
    )
    late_status: float = _share(
        "outbound messages that are queued first, then sent, and end up to 20 hours later, each as a new version"
    )
    wrong_charges: int = _fault(0, "answered calls whose price is not what their rate and duration make")
    missing_answer: int = _fault(0, "answered and charged calls without date_talk")
    expired_cursors: int = _fault(
        0, "kept cursors (after, before) that answer 404: any that was not just given out, the first ones"
    )
    poison: int = _fault(0, "calls with a value that no record can have, each of another kind")
    unknown_values: int = _fault(0, "calls with words and keys that no document names")
    http_409: float = _share("requests that answer 409")
    http_429: float = _share("requests that answer 429 and ask to wait a second")
    http_500: float = _share("requests that answer 500 with a text that is not JSON")
    html_502: float = _share("requests that answer 502 with an HTML page")
    bad_json: float = _share("requests that answer 200 with what is not JSON")
    bad_gzip: float = _share("requests that answer 200 with what does not unpack")
    bomb: float = _share("requests that answer 200 with what unpacks to half a gigabyte")
    redirects: float = _share("requests that are sent to another server")
    truncated: float = _share("answers that break off in the middle")
    drip: float = _share("answers that come byte by byte, with a second between")
    slow: float = _fault(0.0, "seconds that every answer takes longer")
    empty_pages: float = _share("pages of records that are empty when they are asked for the first time")
    repeated_pages: float = _share("pages of records that are the one before once more")
    unsorted_pages: float = _share("pages of records that are in no order")
    wrong_count: float = _share("pages of records that hold fewer than they count")
    most_per_page: int = _fault(0, "records that a page holds at most, whatever is asked; 0 is as asked")
    lying_links: int = _fault(0, "1: has_more says the contrary, and links lead to another server")
    far_before: int = _fault(0, "1: before gives the first records of all, not those next to the cursor")
    mediator_inner_failure: float = _share("Mediator answers that are 200 outside and a failure inside")
    token_expires: float = _fault(0.0, "seconds that an issued token lives at most; 0 is as long as asked")
    insert_order: int = _fault(0, "1: calls can be ordered and filtered by date_insert as well")
    forbidden: str = _fault("", f"resources that answer 403, joined by +: {', '.join(RESOURCES)}")

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.metadata.get("most") and not 0 <= value <= 1:
                raise FaultError(f"the fault {f.name} is a fraction: give a number between 0 and 1")
            if isinstance(value, int | float) and value < 0:
                raise FaultError(
                    f"the fault {f.name} cannot happen less than zero times: give a number from 0 up"
                )
        if unknown := self.forbidden_resources.difference(RESOURCES):
            raise FaultError(f"no resource is called {min(unknown)!r}; known are {', '.join(RESOURCES)}")

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """``name=value`` pairs, separated by commas; an empty text is no fault at all."""
        values: dict[str, Any] = {}
        for pair in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = pair.partition("=")
            values[name.strip()] = _value(name.strip(), value.strip())
        return cls(**values)

    @classmethod
    def known(cls) -> dict[str, str]:
        """Every fault and what it does."""
        return {f.name: f.metadata["doc"] for f in fields(cls)}

    def __str__(self) -> str:
        active = ((f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default)
        return ",".join(f"{name}={value}" for name, value in active)

    def __repr__(self) -> str:
        return f"Faults.parse({str(self)!r})"

    @property
    def forbidden_resources(self) -> frozenset[str]:
        """The resources that answer 403."""
        return frozenset(filter(None, self.forbidden.split("+")))


_TYPES: dict[str, Any] = {f.name: f.type for f in fields(Faults)}


def _value(name: str, value: str) -> Any:
    if name not in _TYPES:
        raise FaultError(f"there is no fault {name!r}; the known ones are {', '.join(_TYPES)}")
    try:
        return _TYPES[name](value)
    except ValueError as error:
        raise FaultError(f"the fault {name} cannot be {value!r}: {Faults.known()[name]}") from error

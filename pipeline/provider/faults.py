"""What may be made to go wrong, each by a name: ``late_inserts=0.02,version_bumps=25,http_500=0.01``.

Faults are seeded like everything else, so a run that met one can be repeated. A new fault is a field here and
one reader: records are spoiled in ``planting``, answers in ``disturbance``.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from pipeline.errors import TollbookError

# What ``forbidden`` can name.
RESOURCES = (
    "calls", "messages", "partners", "dids", "endpoints", "countries", "rates", "message_rates", "invoices", "whoami",
    "billing_methods", "trunk_groups", "access_rules", "batch_tasks", "lookups", "mediator",
)  # fmt: skip


class FaultError(TollbookError):
    """A fault that does not exist, or a value that it cannot take."""


def _fault(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class Faults:
    """One setting per fault; the default is none of them. Fractions are between 0 and 1."""

    late_inserts: float = _fault(0.0, "fraction of calls inserted 20 minutes to 20 hours after they stopped")
    version_bumps: int = _fault(
        0, "calls that become version 3, longer and dearer, 1 to 20 hours after insertion"
    )
    wrong_charges: int = _fault(0, "answered calls whose price is not what their rate and duration make")
    missing_answer: int = _fault(0, "answered and charged calls without date_talk")
    expired_cursors: int = _fault(
        0, "kept cursors (after, before) that answer 404: any that was not just given out, the first ones"
    )
    http_500: float = _fault(0.0, "fraction of requests that answer 500 with a text that is not JSON")
    html_502: float = _fault(0.0, "fraction of requests that answer 502 with an HTML page")
    truncated: float = _fault(0.0, "fraction of answers that break off in the middle")
    slow: float = _fault(0.0, "seconds that every answer takes longer")
    mediator_inner_failure: float = _fault(
        0.0, "fraction of Mediator answers that are 200 outside and a failure inside"
    )
    token_expires: float = _fault(0.0, "seconds that an issued token lives at most; 0 is as long as asked")
    insert_order: int = _fault(0, "1: calls can be ordered and filtered by date_insert as well")
    forbidden: str = _fault("", f"resources that answer 403, joined by +: {', '.join(RESOURCES)}")

    def __post_init__(self) -> None:
        for name in ("late_inserts", "http_500", "html_502", "truncated", "mediator_inner_failure"):
            if not 0 <= getattr(self, name) <= 1:
                raise FaultError(f"the fault {name} is a fraction: give a number between 0 and 1")
        counts = (self.version_bumps, self.wrong_charges, self.missing_answer, self.expired_cursors)
        if min(*counts, self.slow, self.token_expires) < 0:
            raise FaultError("a fault cannot happen less than zero times: give counts and seconds from 0 up")
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

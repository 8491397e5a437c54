"""Pulling and landing what surrounds the records, and number lookups: the optional part of the day.

Nothing here is needed to bill, so nothing here stops a run: a resource that the account lacks or may not read says so
and is left as it was. Lookups cost money and happen only when somebody asks for one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.desk.room import Room
from pipeline.domain.numbering import digits
from pipeline.errors import (
    ForbiddenError,
    NotFoundError,
    ProviderError,
    SettingsError,
    UnauthorizedError,
)
from pipeline.land.dimensions import land_dimension
from pipeline.land.lookups import known_lookups, land_lookups, lookup_row
from pipeline.land.snapshots import SnapshotLanded
from pipeline.pull.dimensions import READERS, read_dimension
from pipeline.pull.lookup import DETAILS, Detail, asked_once, look_up

DIMENSIONS = tuple(READERS)
LOOKUPS_PER_RUN = 100
_LONGEST_NUMBER = 15


@dataclass(frozen=True, slots=True)
class DimensionLanded:
    """``landed`` is None where the resource was not read; ``reason`` then says why and what to do.

    ``failed`` tells a failure of the provider from a resource that is not there or not for us.
    """

    resource: str
    landed: SnapshotLanded | None
    reason: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class LookupReport:
    """``rows`` are those of ``land.lookups``, by number asked; ``left`` were not asked, the cap was reached."""

    rows: tuple[dict[str, Any], ...]
    paid: int
    cached: int
    left: tuple[str, ...]
    invalid: tuple[str, ...]


def pull_dimension(room: Room, resource: str) -> DimensionLanded:
    """Takes one resource as it stands; one that the account does not have is no failure.

    Raises:
        ForbiddenError: it may not be read; the message names the scope.
        ProviderError: the provider fails.
    """
    with room.locked(), room.provider() as client:
        room.progress(f"{resource.replace('_', ' ')}")
        try:
            items = read_dimension(client, resource)
        except NotFoundError as error:
            return DimensionLanded(resource, None, f"the account has none ({error})")
        landed = land_dimension(room.lake, resource, items, source=room.settings.source, now=room.now)
        return DimensionLanded(resource, landed)


def pull_dimensions(room: Room, resources: Iterable[str] = DIMENSIONS) -> list[DimensionLanded]:
    """Takes them one after the other; what goes wrong with one does not keep the next from being taken.

    Raises:
        UnauthorizedError: the token is refused; nothing else would be given either.
    """
    return [_attempted(room, resource) for resource in resources]


def _attempted(room: Room, resource: str) -> DimensionLanded:
    try:
        return pull_dimension(room, resource)
    except UnauthorizedError:
        raise
    except ForbiddenError as error:
        return DimensionLanded(resource, None, str(error))
    except ProviderError as error:
        return DimensionLanded(resource, None, str(error), failed=True)


def look_up_numbers(
    room: Room,
    numbers: Iterable[str],
    *,
    details: tuple[Detail, ...] = ("carrier", "lrn"),
    most: int = LOOKUPS_PER_RUN,
    since: datetime | None = None,
    customer: str | None = None,
) -> LookupReport:
    """Looks numbers up: in the lake first, and at most ``most`` of them at the provider, each for money, each once.

    ``since`` sends numbers to the provider again that were last looked up before it. What was paid for is landed also
    when a later one fails; where it was for a ``customer``, an invoice may charge it on.

    Raises:
        SettingsError: no detail, or one that does not exist; no such customer.
    """
    if not details or not set(details) <= set(DETAILS):
        raise SettingsError(f"what should be looked up? Name at least one of {', '.join(DETAILS)}.")
    if customer is not None and customer not in room.masters.customers:
        raise SettingsError(f"{customer!r} is no customer; `tollbook customers` lists them.")
    wanted, invalid = _readable(numbers)
    with room.locked():
        held = known_lookups(room.lake, wanted, details, since)
        missing = [number for number in wanted if number not in held]
        paid = _paid(room, missing[:most], details, customer) if missing and most > 0 else []
        found = held | {row["phonenumber"]: row for row in paid}
        rows = tuple(found[number] for number in wanted if number in found)
        return LookupReport(rows, len(paid), len(held), tuple(missing[max(most, 0) :]), tuple(invalid))


def _readable(numbers: Iterable[str]) -> tuple[list[str], list[str]]:
    """The numbers to look up, each once, and those that no money should be spent on."""
    read = {number: digits(number) for number in numbers}
    good = [plain for plain in read.values() if plain and len(plain) <= _LONGEST_NUMBER]
    bad = [number for number, plain in read.items() if not plain or len(plain) > _LONGEST_NUMBER]
    return list(dict.fromkeys(good)), bad


def _paid(
    room: Room, numbers: list[str], details: tuple[Detail, ...], customer: str | None
) -> list[dict[str, Any]]:
    rows = []
    with room.provider() as client, asked_once(client):
        for number in numbers:
            found = look_up(client, number, details)
            row = lookup_row(number, found.status, found.answer, details, room.now, customer)
            # At once, one by one: what was paid for must not be lost to what comes after it.
            land_lookups(room.lake, [row], now=room.now)
            rows.append(row)
    return rows

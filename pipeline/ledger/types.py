"""The column types of the ledger: what makes SQLite and PostgreSQL hold the same values and sort them alike.

Money is exact decimal text (``Money``) and instants are UTC ISO text (``Instant``), so both databases hold the same
bytes. A name takes any length on either, and sorts by its bytes, not by the rules of the server's language: the order
of numbers is part of the books.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator

Id = BigInteger().with_variant(Integer, "sqlite")


def name(length: int) -> String:
    """A short text. ``length`` says what to expect; neither database enforces it."""
    return String(length).with_variant(Text(collation="C"), "postgresql")


class Money(TypeDecorator[Decimal]):
    """A Decimal kept as plain decimal text."""

    impl = String(60)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            msg = f"money must be Decimal, not {type(value).__name__}"
            raise TypeError(msg)
        return format(value, "f")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[datetime]):
    """An aware datetime kept as UTC ISO text with microseconds; text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "instants must carry a time zone"
            raise TypeError(msg)
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return (
            None if value is None else datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        )

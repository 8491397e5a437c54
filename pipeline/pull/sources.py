"""Where records come from besides the provider that a home belongs to, and what another one has to bring.

The provider of the home has everything: partners, plans, both kinds of records, cursors. Another one is a ``Source``:
it gives records of one feed by time, already in the words of ``land.messages``, and nothing else. To add one:

1. a module here with a class that fulfils ``Source``: it asks with ``Client`` (or a subclass, for its own way to log in
   and its own pages) and turns each item into the keys of the feed's table. ``dr_sid`` and the feed's sort key
   are a must, ``partner_sid`` says whose traffic it is, private fields take the names of ``domain.cursor.PRIVATE``, and
   keys without a column stay under their own names. Values are left as they came where they cannot be read: landing
   sets such a record aside with the reason. What cannot be decoded at all is an ``Unreadable`` without private fields;
2. its settings, a frozen class of their own in ``settings``, and the line in ``desk.sources.sources`` that makes it;
3. nothing else: bookmarks, overlaps, sweeps, landing, versions, quarantine and the statement know sources by name.
   Rating does too: the plans of the home's provider price its own records alone, so the cost of a foreign message is
   ``unrated: no_plan`` and its charge is the customer's plan's. (``sql/rate/messages.sql`` says so; a source of calls
   needs the same line in ``sql/rate/calls.sql``.)
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from pipeline.domain.cursor import Feed, Page


class Source(Protocol):
    """Another provider, as the desk asks it.

    ``name`` is the ``source`` of its records, for ever; ``account`` whose they are: a home keeps to it.
    """

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def feed(self) -> Feed: ...

    def read(self, begin: datetime, end: datetime) -> Iterator[Page]:
        """Every record whose sort value is in ``[begin, end)``, in any order; one that comes twice does no harm.

        Raises:
            ProviderError: typed by what it means.
        """
        ...

    def close(self) -> None:
        """Ends its connections."""
        ...

"""Every error tollbook raises on purpose.

::

    TollbookError
    ├── HomeError         no home, a home that cannot be written, or one that belongs to another provider
    ├── SettingsError     a setting is missing or says something impossible
    ├── MasterError       a master file (customers, sellers, assignments, taxes) is wrong, with file and line
    ├── DeckError         a rate deck was refused; nothing of it was taken
    ├── BusyError         another run holds the home
    ├── LakeError         a data file is missing or is not what its commit says
    ├── QueryError        a question in SQL is wrong
    ├── GateError         money must not move yet: something does not add up
    ├── RenderError       a document cannot be made (a missing system library, a bad template)
    ├── DeliveryError     a message cannot be handed over
    └── ProviderError     the provider's answer, or its absence
        ├── TransientError    worth another try: 409, 429, 5xx, timeouts, truncated bodies
        └── TerminalError     not worth one
            ├── UnauthorizedError   401: wrong token
            ├── ForbiddenError      403: the token lacks a scope
            └── NotFoundError       404: no such item, or an expired one

A message says what happened and what to do next. The command line prints it without a traceback.
"""


class TollbookError(Exception):
    """Base of all; ``exit_code`` is what the command line leaves with."""

    exit_code = 1


class HomeError(TollbookError):
    """The home folder is missing, unwritable or someone else's."""


class SettingsError(TollbookError):
    """A setting is missing or impossible."""


class MasterError(TollbookError):
    """A master file is wrong; the message names file and line."""


class DeckError(TollbookError):
    """A rate deck was refused.

    ``problems`` holds one line of text per problem, each naming the deck's line; ``headline`` is what goes above a list
    of them, where the message itself tells the first.
    """

    def __init__(self, message: str, problems: tuple[str, ...] = (), headline: str = "") -> None:
        super().__init__(message)
        self.problems, self.headline = problems, headline or message


class BusyError(TollbookError):
    """Another run holds the home."""


class LakeError(TollbookError):
    """A data file is missing or damaged."""


class QueryError(TollbookError):
    """A question in SQL is wrong; the message is DuckDB's."""


class GateError(TollbookError):
    """Money must not move yet; the message lists what does not add up."""


class RenderError(TollbookError):
    """A document cannot be made."""


class DeliveryError(TollbookError):
    """A message cannot be handed over."""


class ProviderError(TollbookError):
    """The provider's answer, or its absence.

    Attributes: ``status`` (HTTP status or None), ``code`` (the provider's own code or None), ``details``
    (a tuple of ``field: message`` texts), ``request`` (method and URL without secrets).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        details: tuple[str, ...] = (),
        request: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details
        self.request = request
        self.retry_after_seconds = retry_after_seconds


class TransientError(ProviderError):
    """Worth another try."""


class TerminalError(ProviderError):
    """Another try would end the same way."""


class UnauthorizedError(TerminalError):
    """401: the token is wrong or has expired."""


class ForbiddenError(TerminalError):
    """403: the token lacks a scope; only this resource fails."""


class NotFoundError(TerminalError):
    """404: no such item, or one that has expired."""

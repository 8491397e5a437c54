"""Asks the provider to e-mail an invoice of its own: the one thing that tollbook ever asks it to do.

It happens only when a person says so, and is never tried again by itself: an answer that is lost says nothing about
the message.
"""

from collections.abc import Sequence

from pipeline.errors import NotFoundError, TransientError
from pipeline.pull.client import Client

KINDS = ("pdf", "html")


def ask_for_mail(client: Client, invoice_sid: str, to: Sequence[str], kind: str = "pdf") -> None:
    """Has the provider send its invoice as ``kind`` to these addresses.

    Raises:
        ProviderError: it does not know the invoice, refuses, or gives no answer.
    """
    try:
        client.post_form(f"/invoices/{invoice_sid}.{kind}/emails", {"emails": ",".join(to)})
    except NotFoundError as error:
        msg = f"the provider has no invoice {invoice_sid}. `tollbook sql 'from land.provider_invoices'` lists its own."
        raise NotFoundError(msg, status=404, request=error.request) from None
    except TransientError as error:
        msg = f"{error} The message may have left all the same: ask whoever should have it before you try again."
        raise TransientError(msg, status=error.status, request=error.request) from None

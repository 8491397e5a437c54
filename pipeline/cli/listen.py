"""``listen``: takes the provider's callbacks as hints."""

import signal
import threading
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.app import app, the_home
from pipeline.cli.show import say


@app.command()
def listen(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8643,
    host: Annotated[
        str, typer.Option(help="Another address needs TOLLBOOK_CALLBACK_SECRET, and TLS in front of it.")
    ] = "127.0.0.1",
) -> None:
    """Take the provider's callbacks (sms, app_mediator) as hints that a record exists. The pull stays the truth."""
    from pipeline.ledger.ledger import Ledger
    from pipeline.pull.callbacks import Receiver
    from pipeline.settings import load

    settings = load(the_home())
    ledger = Ledger.open(settings.ledger_url)
    with Receiver(ledger, host, port, settings.callback_secret, lambda: datetime.now(UTC)) as server:
        word = "/<TOLLBOOK_CALLBACK_SECRET>" if settings.callback_secret else ""
        say(f"callbacks are taken at {server.url}{word}; stop with Ctrl-C", style="bold")

        def stop(*_: object) -> None:
            # From a thread of its own, because it waits for the server, which runs in this one.
            threading.Thread(target=server.shutdown, daemon=True).start()

        for sent in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sent, stop)
        server.serve_forever()
    ledger.close()
